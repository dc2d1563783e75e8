"""Who may decide a request, what a vote does to it, and when it is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.approval import (
    KIND,
    LONGEST_SHOWN,
    Approval,
    ApprovalRecord,
    Choice,
    Snapshot,
    Step,
    VoteRefused,
    agreeing,
    can_request,
    drift,
    due_at,
    is_expired,
    judge_vote,
    may_dispatch,
    reminder_at,
    unshowable,
)
from bot.core.command.capability import Risk
from bot.core.intent import Actor, Intent, Open, Place, Source
from bot.core.operation import Operation
from bot.core.policy.decide import Member, NeedsApproval, Subject
from bot.core.policy.rights import Eligible, eligible, person_of
from bot.core.records import CastVote, PendingDecision, stamp
from tests.core.policy.samples import HOME, NOW, POLICY, PRICES, person

LEAD = {"S0LEADS": Member.YES}
LEE, MIA, ANA = person("U0LEE", groups=LEAD), person("U0MIA", groups=LEAD), person("U0ANA", groups=LEAD)
DUE = NOW + timedelta(minutes=30)
MS = timedelta(milliseconds=1)
BEFORE = Snapshot(digest="d1", policy_version="p1", target_id="17", state="idle")


def demand(count: int = 1) -> NeedsApproval:
    """What a rule demands."""
    return NeedsApproval("C0CRAWL allow 2", "", count, ("leads",), 1800, "C0APPR")


def deciders(*subjects: Subject, aliases: dict[str, str] | None = None, requester: str = "U0ANA") -> Eligible:
    """Who of these may decide Ana's request."""
    return eligible(
        POLICY.principals(["leads"]), subjects, requester_id=requester, aliases=aliases or {}, home_team_id=HOME
    )


BOTH = deciders(LEE, MIA, ANA)


START = Operation(request_id="r-1", verb="start", target=PRICES, risk=Risk.CHANGE, idempotent=False, timeout=30)
ASKED = Intent(
    request_id="r-1",
    dedupe_key="r-1",
    actor=Actor(user_id="U0ANA", team_id=HOME),
    place=Place(team_id=HOME, channel_id="C0CRAWL"),
    source=Source.COMMAND,
    at=NOW,
    payload=Open(what="launcher"),
)
CLOSED = ("approved", "rejected", "expired", "cancelled", "taken")


def request(state: str = "open", count: int = 1) -> Approval:
    """Ana's request for that many approvals."""
    record = ApprovalRecord(
        rule="C0CRAWL allow 2",
        count=count,
        groups=("leads",),
        expires=1800,
        channel="C0APPR",
        state="idle",
        target_id="17",
    )
    pending = PendingDecision(
        id="r-1.1",
        kind=KIND,
        request_id="r-1",
        operation=START,
        digest="d1",
        policy_version="p1",
        intent=ASKED,
        record=record.model_dump(mode="json"),
        state=state,
        due_at=stamp(DUE),
        made_at=stamp(NOW),
    )
    return Approval(pending, START, record)


def vote(user_id: str, choice: Choice = Choice.APPROVE) -> CastVote:
    """A vote that was counted."""
    return CastVote(user_id=user_id, person=user_id, vote=choice.value, at=stamp(NOW))


def judge(
    asked: Approval,
    user_id: str,
    choice: Choice = Choice.APPROVE,
    *,
    votes: tuple[CastVote, ...] = (),
    claimed_by: str | None = None,
    **more: Any,
) -> VoteRefused | None:
    """Why a press of this person changes nothing, None when it counts."""
    facts: dict[str, Any] = {"who": BOTH, "now": NOW, "aliases": {}, "reason": "not now", **more}
    return judge_vote(asked, votes, choice, user_id, claimed_by=claimed_by, **facts)


def agreed(*votes: CastVote, who: Eligible = BOTH) -> int:
    """How many people agree with these votes."""
    return len(agreeing(votes, who, {}))


def code(result: VoteRefused | None) -> str:
    """The code of a refusal."""
    assert isinstance(result, VoteRefused), result
    assert result.sentence
    return result.code


class TestWhoMayDecide:
    """Active full members of the named groups, each once, never the requester."""

    @pytest.mark.parametrize(
        "flags",
        [
            {"deleted": True},
            {"known": False},
            {"is_bot": True},
            {"is_restricted": True},
            {"is_stranger": True},
            {"team_id": "T0EVIL"},
            {"groups": {"S0LEADS": Member.NO}},
            {"groups": {"S0LEADS": Member.UNREADABLE}},
            {"groups": {}},
            {"user_age": 61.0},
        ],
        ids=str,
    )
    def test_others_are_left_out_with_a_reason(self, flags: dict[str, Any]) -> None:
        """Each flag alone is enough."""
        who = deciders(replace(LEE, **flags))
        assert who.people == {}
        assert [user for user, reason in who.left_out if reason] == ["U0LEE"]

    def test_a_guest_is_no_approver_even_by_own_id(self) -> None:
        """Approvers are full members; asking may be narrower or wider, deciding is not."""
        guest = person("U0LEE", is_restricted=True)
        who = eligible(POLICY.principals(["U0LEE"]), [guest], requester_id="U0ANA", aliases={}, home_team_id=HOME)
        assert who.people == {}

    def test_two_ids_of_one_person_are_one_decider(self) -> None:
        """Both may press, and it counts once."""
        who = deciders(LEE, MIA, aliases={"U0MIA": "U0LEE"})
        assert who.people == {"U0LEE": ("U0LEE", "U0MIA")}
        assert who.user_ids == ("U0LEE", "U0MIA")

    def test_a_second_account_of_the_requester_is_the_requester(self) -> None:
        """In either direction of the alias."""
        for aliases in ({"U0LEE": "U0ANA"}, {"U0ANA": "U0LEE"}, {"U0ANA": "ana", "U0LEE": "ana"}):
            assert deciders(LEE, aliases=aliases).people == {}

    @pytest.mark.parametrize(
        ("aliases", "user", "expected"),
        [
            ({}, "U0A", "U0A"),
            ({"U0A": "U0B"}, "U0A", "U0B"),
            ({"U0A": "U0A", "U0B": "U0A"}, "U0A", "U0A"),
            ({"U0A": "U0A", "U0B": "U0A"}, "U0B", "U0A"),
            ({"U0A": "U0A", "U0B": "U0A"}, "U0C", "U0C"),
        ],
    )
    def test_aliases_lead_to_one_id(self, aliases: dict[str, str], user: str, expected: str) -> None:
        """An id that nobody mapped stands for itself."""
        assert person_of(user, aliases) == expected


class TestRequesting:
    """A request that nobody can approve is refused at once, with the gap named."""

    def test_enough_people_are_needed_beside_the_requester(self) -> None:
        """Ana is a lead herself and does not count."""
        assert can_request(demand(2), BOTH) is None
        gap = can_request(demand(3), BOTH)
        assert gap is not None
        assert "needs 3 of `leads`; 2 of them" in gap
        assert "U0ANA: the requester can't decide" in gap

    def test_a_group_of_one_cannot_approve_itself(self) -> None:
        """The gap says nobody."""
        gap = can_request(demand(), deciders(ANA))
        assert gap is not None
        assert "none of them" in gap

    def test_aliases_do_not_fill_a_gap(self) -> None:
        """Two accounts are one person."""
        assert can_request(demand(2), deciders(LEE, MIA, aliases={"U0MIA": "U0LEE"})) is not None

    def operation(self, **more: Any) -> Operation:
        """A start."""
        facts = {
            "request_id": "r1",
            "verb": "start",
            "target": PRICES,
            "risk": Risk.CHANGE,
            "idempotent": False,
            "timeout": 30,
        }
        return Operation(**{**facts, **more})

    def test_what_a_card_cannot_show_in_full_cannot_be_approved(self) -> None:
        """Too long, or with a sign that nobody sees, in a value, a key, a name or the reason."""
        assert unshowable(self.operation(params={"text": "a,b\n1,2\n"}, reason="nightly")) is None
        assert "characters" in (unshowable(self.operation(params={"text": "x" * LONGEST_SHOWN})) or "")
        hidden = "\u202e"
        for more in (
            {"params": {"text": f"a{hidden}b"}},
            {"params": {f"a{hidden}": 1}},
            {"params": {"files": ["a", {"b": hidden}]}},
            {"target": PRICES.model_copy(update={"name": f"prices{hidden}"})},
            {"reason": hidden},
        ):
            assert "U+202E" in (unshowable(self.operation(**more)) or "")


class TestVoting:
    """One person counts once, the requester never, any deny ends it."""

    def test_each_approval_counts_one(self) -> None:
        """One of one; one of two leaves one."""
        assert judge(request(), "U0LEE") is None
        assert judge(request(count=2), "U0LEE") is None
        assert judge(request(count=2), "U0LEE", votes=(vote("U0MIA"),)) is None
        assert (agreed(), agreed(vote("U0MIA")), agreed(vote("U0MIA"), vote("U0LEE"))) == (0, 1, 2)

    def test_nobody_counts_twice(self) -> None:
        """Nor with another account."""
        assert code(judge(request(count=2), "U0LEE", votes=(vote("U0LEE"),))) == "counted"
        who = deciders(LEE, MIA, aliases={"U0MIA": "U0LEE"})
        second = judge(request(count=2), "U0MIA", votes=(vote("U0LEE"),), who=who, aliases={"U0MIA": "U0LEE"})
        assert code(second) == "counted"

    @pytest.mark.parametrize("choice", list(Choice))
    def test_the_requester_never_decides(self, choice: Choice) -> None:
        """Nor with another account, nor to deny or claim."""
        assert code(judge(request(), "U0ANA", choice)) == "own_request"
        assert code(judge(request(), "U0LEE", choice, aliases={"U0LEE": "U0ANA"})) == "own_request"

    @pytest.mark.parametrize("choice", list(Choice))
    def test_somebody_else_is_told_why_not(self, choice: Choice) -> None:
        """The reason is the one found when membership was read."""
        assert code(judge(request(), "U0BOB", choice)) == "not_eligible"
        gone = judge(request(), "U0LEE", choice, who=deciders(replace(LEE, deleted=True)))
        assert isinstance(gone, VoteRefused)
        assert "deactivated" in gone.sentence

    def test_a_vote_of_who_may_no_longer_decide_does_not_count(self) -> None:
        """Mia left the group after her vote."""
        left = deciders(LEE)
        assert judge(request(count=2), "U0LEE", votes=(vote("U0MIA"),), who=left) is None
        assert agreed(vote("U0MIA"), vote("U0LEE"), who=left) == 1

    def test_any_deny_ends_it_and_needs_a_reason(self) -> None:
        """Even one among approvals, even from who approved before."""
        assert judge(request(count=2), "U0LEE", Choice.DENY, votes=(vote("U0MIA"),)) is None
        assert judge(request(count=2), "U0LEE", Choice.DENY, votes=(vote("U0LEE"),)) is None
        assert code(judge(request(), "U0LEE", Choice.DENY, reason="  ")) == "reason_missing"

    def test_a_claim_is_the_first_ones_and_stops_nobody(self) -> None:
        """Another may still decide."""
        assert judge(request(), "U0LEE", Choice.CLAIM) is None
        assert code(judge(request(), "U0MIA", Choice.CLAIM, claimed_by="U0LEE")) == "claimed"
        assert code(judge(request(), "U0LEE", Choice.CLAIM, claimed_by="U0LEE")) == "claimed"
        assert judge(request(), "U0MIA", claimed_by="U0LEE") is None

    @pytest.mark.parametrize(("moment", "late"), [(DUE - MS, False), (DUE, True), (DUE + MS, True)])
    def test_at_its_due_instant_it_is_expired(self, moment: Any, late: bool) -> None:
        """For every button, to the millisecond."""
        assert is_expired(DUE, moment) is late
        for choice in Choice:
            assert isinstance(judge(request(), "U0LEE", choice, now=moment), VoteRefused) is late

    @pytest.mark.parametrize("state", CLOSED)
    def test_the_loser_is_told_who_decided(self, state: str) -> None:
        """Every state but open is closed to votes."""
        result = judge(request(state), "U0LEE", votes=(vote("U0MIA"),))
        assert code(result) == ("expired" if state == "expired" else "decided")
        assert isinstance(result, VoteRefused)
        assert state == "expired" or "by U0MIA" in result.sentence


class TestDispatch:
    """Right before the call everything is looked at again."""

    def dispatch(self, asked: Approval, **more: Any) -> tuple[Step, str]:
        """The check of a request that Lee approved and of which nothing changed."""
        facts: dict[str, Any] = {"who": BOTH, "now": NOW, "aliases": {}, "after": BEFORE, **more}
        return may_dispatch(asked, (vote("U0LEE"),), **facts)

    APPROVED = request("approved")

    def test_what_was_approved_is_dispatched(self) -> None:
        """Unchanged, in time, by people who may still decide."""
        assert self.dispatch(self.APPROVED) == (Step.DISPATCH, "")

    def test_too_late_is_expired(self) -> None:
        """Approved in time and dispatched late is not dispatched."""
        assert self.dispatch(self.APPROVED, now=DUE - MS)[0] is Step.DISPATCH
        assert self.dispatch(self.APPROVED, now=DUE)[0] is Step.EXPIRE

    def test_an_approver_who_lost_the_right_voids_it(self) -> None:
        """Between press and dispatch."""
        step, reason = self.dispatch(self.APPROVED, who=deciders(MIA))
        assert step is Step.DRIFT
        assert "no longer decide" in reason

    @pytest.mark.parametrize(
        ("change", "part"),
        [
            ({"digest": "d2"}, "isn't what was approved"),
            ({"policy_version": "p2", "digest": "d2"}, "the rules changed"),
            ({"target_id": "18"}, "means another target"),
            ({"state": "running"}, "changed from idle to running"),
            ({"state": ""}, "changed from idle to unknown"),
        ],
    )
    def test_any_change_voids_it_and_says_which(self, change: dict[str, str], part: str) -> None:
        """The reason goes on the card."""
        after = replace(BEFORE, **change)
        assert part in "; ".join(drift(BEFORE, after))
        assert self.dispatch(self.APPROVED, after=after)[0] is Step.DRIFT
        assert drift(BEFORE, BEFORE) == ()

    @pytest.mark.parametrize("state", ["open", *CLOSED[1:]])
    def test_nothing_else_can_be_dispatched(self, state: str) -> None:
        """A second dispatch is a fault of the program and raises."""
        with pytest.raises(ValueError, match=state):
            self.dispatch(request(state))


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (" · r1 · r2", " · r2", ""),
        (" · r1", " · idle", ""),
        ("up · load · load", "up · load", ""),
        ("up · load", "up · idle", ""),
        (" · idle", " · r1", "from idle to 1 run active: run r1"),
        (" · r1", " · r2", "from 1 run active: run r1 to 1 run active: run r2"),
        ("up · idle", "up · load", "from up, no jobs running to up, 1 job running: load"),
        ("up · load", "up · load · load", "from up, 1 job running: load to up, 2 jobs running: load, load"),
        ("up · load", "down · load", "from up, 1 job running: load to down, 1 job running: load"),
    ],
)
def test_only_more_or_other_work_is_a_change(before: str, now: str, said: str) -> None:
    """Work that ended since is none, and two pieces of work with one name are two."""
    found = "; ".join(drift(replace(BEFORE, state=before), replace(BEFORE, state=now)))
    assert found == (f"the state changed {said}" if said else "")


def test_due_and_reminder() -> None:
    """Half-way there is a reminder."""
    assert due_at(NOW, 1800) == DUE
    assert reminder_at(NOW, DUE) == NOW + timedelta(minutes=15)


PEOPLE = ("U0ANA", "U0LEE", "U0MIA", "U0NIK", "U0BOB")
STEPS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(list(Choice)), st.integers(0, 40)), max_size=8)
ALIASES = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), max_size=2)


@settings(max_examples=500)
@given(STEPS, st.integers(1, 3), ALIASES)
def test_any_history_agrees_with_a_simple_model(
    steps: list[tuple[str, Choice, int]], count: int, aliases: dict[str, str]
) -> None:
    """Approved exactly when `count` distinct people, none the requester, agreed in time before anybody denied."""
    leads = [person(user, groups=LEAD) for user in PEOPLE if user != "U0BOB"]
    who = deciders(*leads, aliases=aliases)
    votes, claimed_by, state = list[CastVote](), None, "open"
    agreed: set[str] = set()
    expected = "open"
    minute = 0
    for user, choice, wait in steps:
        minute += wait
        now = NOW + timedelta(minutes=minute)
        asked = request(state, count)
        refused = judge(
            asked, user, choice, votes=tuple(votes), claimed_by=claimed_by, who=who, aliases=aliases, now=now
        )
        if refused is None and choice is Choice.CLAIM:
            claimed_by = user
        elif refused is None:
            votes.append(vote(user, choice))
            complete = len(agreeing(votes, who, aliases)) >= count
            state = "rejected" if choice is Choice.DENY else "approved" if complete else "open"
        one = person_of(user, aliases)
        mine = one == person_of("U0ANA", aliases)
        if expected == "open" and minute < 30 and not mine and user != "U0BOB":
            if choice is Choice.DENY:
                expected = "rejected"
            elif choice is Choice.APPROVE:
                agreed.add(one)
                expected = "approved" if len(agreed) >= count else "open"
        assert state == expected
