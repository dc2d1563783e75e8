"""Approvals: the terms of the question as they are stored, who may decide, what a vote does, when it is too late.

One person counts once, the requester never, any deny ends it. A person may have several Slack ids: `aliases` maps each account
in [people] to the account that represents the person; any other id represents itself. The store keeps the records and the lock.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, Self

from pydantic import Field

from bot.core.command.params import texts_of, unseen
from bot.core.operation import Operation, brief_id
from bot.core.outcome import IDLE, WORK, Binding, Fact, binding_in
from bot.core.policy.decision import NeedsApproval
from bot.core.policy.rights import Eligible, person_of
from bot.core.records import CastVote, PendingDecision
from bot.core.text import first_of, plural, shortened, utc_text
from bot.core.value import Json, Value, canonical

KIND: Final = "approval"
LONGEST_SHOWN: Final = 2_000
_BRIEF: Final = 80  # characters of a fact in the sentence about its change
_NAMED: Final = 3  # of the things in it that are new or gone

ANY_PARAMETERS: Final = "with any parameters"  # what a grant covers: it names a verb and a target only

Sort = Literal["run", "once", "grant"]


class Step(StrEnum):
    """What happens to an approved request before its call. DRIFT means that something changed since it was approved."""

    EXPIRE = "expire"
    DRIFT = "drift"
    DISPATCH = "dispatch"


class Choice(StrEnum):
    """The decision that a button stands for."""

    APPROVE = "approve"
    DENY = "deny"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class VoteRefused:
    """The press changes nothing. `code`: decided expired own_request not_eligible counted claimed reason_missing."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts at approval, or now; both are compared right before the call."""

    digest: str
    policy_version: str
    target_id: str
    state: str
    rules_at: datetime | None = None  # since when these rules are in force
    binding: Binding = field(default_factory=dict)  # what it is about


class ApprovalRecord(Value):
    """The `facts` of a pending decision that needs votes. `channel` is where the approvers are asked.

    `sort`: run what a rule allows with an approval, run once what no rule allows, or grant it for `lasts` seconds. `state`
    and `target_id` are what the card showed, `shown` its further facts, and `binding` what they say that it is about. `round`
    counts how often the approvers were asked. `allows`: an approver may allow the same thing for an hour. `buttons` are the ids
    of the card's buttons, the same in every version of the card, so that a press on an old version counts.
    """

    sort: Sort = "run"
    lasts: int = 0
    rule: str
    why: str = ""
    count: int
    groups: tuple[str, ...]
    expires: int
    channel: str
    state: str = ""
    target_id: str = ""
    eligible: tuple[str, ...] = ()
    effect: str = ""
    shown: tuple[Fact, ...] = ()
    binding: dict[str, Json] = Field(default_factory=dict)
    round: int = 1
    note: str = ""
    allows: bool = False
    buttons: dict[str, str] = Field(default_factory=dict)

    @property
    def demand(self) -> NeedsApproval:
        """The terms as the pure rules take them."""
        return NeedsApproval(self.rule, self.why, self.count, self.groups, self.expires, self.channel)


@dataclass(frozen=True, slots=True)
class Approval:
    """A pending decision that needs votes, with its parsed record."""

    pending: PendingDecision
    operation: Operation
    record: ApprovalRecord

    @classmethod
    def of(cls, pending: PendingDecision | None) -> Self | None:
        """The approval, or None when the pending decision is not one."""
        if pending is None or pending.kind != KIND or pending.operation is None:
            return None
        return cls(pending, pending.operation, ApprovalRecord.stored(pending.record))

    @property
    def id(self) -> str:
        return self.pending.id

    @property
    def asked(self) -> Operation:
        """What is asked for: a grant is not limited to the parameters of the command that was denied."""
        if self.record.sort != "grant":
            return self.operation
        return self.operation.model_copy(update={"params": {}, "given": {}, "words": (), "files": ()})

    @property
    def terms(self) -> str:
        """`for 30 minutes, with any parameters`; empty where one run is asked for."""
        lasts = plural(self.record.lasts // 60, "minute")
        return f"for {lasts}, {ANY_PARAMETERS}" if self.record.sort == "grant" else ""

    @property
    def requester(self) -> str:
        """The user id of the requester."""
        return self.pending.intent.actor.user_id

    @property
    def due(self) -> datetime:
        return datetime.fromisoformat(self.pending.due_at)

    @property
    def next_id(self) -> str:
        """The id of the approval that replaces this one after a change."""
        return approval_id(self.pending.request_id, self.record.round + 1)

    @property
    def claim_key(self) -> str:
        """The key under which the store keeps who claimed it."""
        return f"claim:{self.pending.id}"

    @property
    def allow_key(self) -> str:
        """The key under which the store keeps who wants to allow the same thing for an hour."""
        return f"allow:{self.pending.id}"

    def joined_key(self, user: str) -> str:
        """The key under which the store keeps that this person asked for the same thing while it waited."""
        return f"joined:{self.pending.request_id}:{user}"

    @property
    def is_asked_in_place(self) -> bool:
        """Whether the approvers are asked in the channel of the request, with one card for both."""
        return self.record.channel == self.pending.intent.place.channel_id

    @property
    def before(self) -> Snapshot:
        """The facts that the card showed."""
        pending, record = self.pending, self.record
        shown = binding_in(record.binding)
        return Snapshot(
            pending.digest or "", pending.policy_version or "", record.target_id, record.state, binding=shown
        )


def approval_id(request_id: str, number: int) -> str:
    """The id of the `number`th question. Two processes that ask again at the same time get the same id."""
    return f"{request_id}.{number}"


def stale_votes(votes: Sequence[CastVote], who: Eligible, aliases: Mapping[str, str]) -> int:
    """How many approvers are no longer allowed to decide."""
    people = {person_of(vote.user_id, aliases) for vote in votes if vote.vote == Choice.APPROVE.value}
    return len([person for person in people if person not in who.people])


def can_request(demand: NeedsApproval, who: Eligible, names: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """None if enough people can decide, otherwise a sentence about the gap: such a request would only wait to expire. `names` are
    those of the people left out, by id."""
    have = len(who.people)
    if have >= demand.count:
        return None
    groups = ", ".join(f"`{word}`" for word in demand.from_groups)
    reasons = "; ".join(f"{names.get(user, user)}: {reason}" for user, reason in who.left_out[:5])
    out = f" Left out: {reasons}." if reasons else ""
    return f"It needs {demand.count} of {groups}; {have or 'none'} of them can decide now.{out}"


def unshowable(operation: Operation) -> str | None:
    """None if a card can show everything that would run; otherwise why not, and then nobody can approve it."""
    shown = canonical({"params": operation.params, "target": operation.target.id, "files": list(operation.files)})
    if len(shown) > LONGEST_SHOWN:
        return f"its parameters are {len(shown)} characters long, and a card shows {LONGEST_SHOWN}; split the command"
    texts = (*texts_of(operation.params), operation.target.id, operation.target.name, operation.reason or "")
    if char := unseen("".join(texts)):
        return f"it contains {char}, a character that nobody can see, so nobody can check what they approve"
    return None


def is_expired(due_at: datetime, now: datetime) -> bool:
    """True from the instant that it is due."""
    return now >= due_at


def due_at(asked_at: datetime, expires: int) -> datetime:
    """When a request from that time expires; `expires` is in seconds."""
    return asked_at + timedelta(seconds=expires)


def reminder_at(asked_at: datetime, due: datetime) -> datetime:
    """When approvers get their one reminder: half-way to expiry."""
    return asked_at + (due - asked_at) / 2


def judge_vote(
    approval: Approval,
    votes: Sequence[CastVote],
    choice: Choice,
    presser_id: str,
    *,
    claimed_by: str | None,
    who: Eligible,
    now: datetime,
    aliases: Mapping[str, str],
    reason: str = "",
) -> VoteRefused | None:
    """Why this press changes nothing, or None when it counts.

    Read `who` anew for it: votes of people who may no longer decide don't count.
    """
    refused = _closed(approval, votes, now) or _not_theirs(approval, presser_id, who, aliases)
    if refused is not None:
        return refused
    person = person_of(presser_id, aliases)
    if choice is Choice.CLAIM and claimed_by is not None:
        mine = person_of(claimed_by, aliases) == person
        sentence = "You have claimed it." if mine else f"{claimed_by} has claimed it; you may still decide it."
        return VoteRefused("claimed", sentence)
    if choice is Choice.DENY and not reason.strip():
        return VoteRefused("reason_missing", "Say why you deny it. The requester sees this.")
    agreed = agreeing(votes, who, aliases)
    left = approval.record.count - len(agreed)
    if choice is Choice.APPROVE and person in agreed and left > 0:
        return VoteRefused("counted", f"Your approval already counts. {left} more needed.")
    return None


def agreeing(votes: Sequence[CastVote], who: Eligible, aliases: Mapping[str, str]) -> frozenset[str]:
    """The distinct people who approved and may still decide."""
    people = (person_of(vote.user_id, aliases) for vote in votes if vote.vote == Choice.APPROVE.value)
    return frozenset(person for person in people if person in who.people)


def _closed(approval: Approval, votes: Sequence[CastVote], now: datetime) -> VoteRefused | None:
    state = approval.pending.state
    if state != "open":
        by = f" by {votes[-1].user_id}" if votes and state != "expired" else ""
        return VoteRefused("expired" if state == "expired" else "decided", f"This request is already {state}{by}.")
    if is_expired(approval.due, now):
        return VoteRefused("expired", f"This request expired {utc_text(approval.due)}.")
    return None


def _not_theirs(approval: Approval, presser_id: str, who: Eligible, aliases: Mapping[str, str]) -> VoteRefused | None:
    person = person_of(presser_id, aliases)
    if person == person_of(approval.requester, aliases):
        return VoteRefused("own_request", "You can't decide your own request.")
    if presser_id in who.people.get(person, ()):
        return None
    reason = next((reason for user, reason in who.left_out if user == presser_id), "not one of the approvers")
    return VoteRefused("not_eligible", f"You can't decide this: {reason}.")


def may_dispatch(
    approval: Approval,
    votes: Sequence[CastVote],
    *,
    who: Eligible,
    now: datetime,
    aliases: Mapping[str, str],
    after: Snapshot,
) -> tuple[Step, str]:
    """What to do with an approved request right before its call: DISPATCH, or the step that ends it and the reason.

    Read `who` anew. Raises ValueError for an approval that isn't approved: it was used or has ended.
    """
    if approval.pending.state != "approved":
        raise ValueError(f"an approval that is {approval.pending.state} can't be dispatched")
    if is_expired(approval.due, now):
        return Step.EXPIRE, f"it expired {utc_text(approval.due)}"
    missing = approval.record.count - len(agreeing(votes, who, aliases))
    if missing > 0:
        return Step.DRIFT, f"{missing} of those who approved can no longer decide"
    changes = drift(approval.before, after)
    return (Step.DRIFT, "; ".join(changes)) if changes else (Step.DISPATCH, "")


def is_other(before: str, after: str) -> bool:
    """Whether something is there now that was not there before. Nobody is asked again because work has ended since:
    on a busy target there would be no end to it."""
    (state, *work), (now, *more) = before.split(WORK), after.split(WORK)
    return state != now or bool(Counter(more) - Counter((*work, IDLE)))


def state_text(state: str) -> str:
    """A state for people, with the first of the work in progress."""
    word, *work = state.split(WORK)
    if not work:
        return word
    if work == [IDLE]:
        return f"{word}, no jobs running" if word else IDLE
    if word:
        return f"{word}, {plural(len(work), 'job')} running: {first_of(work, 5, ', ')}"
    return f"{plural(len(work), 'run')} active: {first_of([f'run {brief_id(one)}' for one in work], 5, ', ')}"


def changed_binding(before: Binding, after: Binding) -> list[str]:
    """One sentence for each fact that is about something else than was shown, or that was not shown."""
    found = []
    for label in {**before, **after}:
        was, now = before.get(label), after.get(label)
        if was is None:
            found += [f"{label} was not shown, and is {_some(now.values())} now"] if now else []
        elif now is None:
            found.append(f"{label} can't be read now")
        elif was.keys() != now.keys():
            found.append(_difference(label, was, now))
    return found


def _difference(label: str, was: Mapping[str, str], now: Mapping[str, str]) -> str:
    gone, new = [was[key] for key in was.keys() - now.keys()], [now[key] for key in now.keys() - was.keys()]
    if alike := {*map(_brief, gone)} & {*map(_brief, new)}:
        return f"{label}: {_some(alike)} {'is another one' if len(alike) == 1 else 'are other ones'} now"
    if len(was) <= 1 and len(now) <= 1:
        return f"{label} was {_some(gone)}, and is {_some(new)} now"
    told = [
        f"{_some(words)} {'is' if len(words) == 1 else 'are'} {word}"
        for words, word in ((new, "new"), (gone, "gone"))
        if words
    ]
    return f"{label}: {', '.join(told)}"


def _brief(words: str) -> str:
    return shortened(words, _BRIEF)


def _some(words: Iterable[str]) -> str:
    return first_of(sorted(map(_brief, words)), _NAMED) or "none"


def drift(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """One sentence per change since the approval; empty if what would run is what was approved."""
    found = []
    if before.target_id != after.target_id:
        found.append("its name now means another target than the one that was asked about")
    if is_other(before.state, after.state):
        was, now = (state_text(state) or "unknown" for state in (before.state, after.state))
        found.append(f"the state changed from {was} to {now}")
    found += changed_binding(before.binding, after.binding)
    if before.policy_version != after.policy_version:
        since = f" (new ones are in force since {utc_text(after.rules_at)})" if after.rules_at else ""
        found.append(f"the rules changed{since}")
    if before.digest != after.digest and not found:
        found.append("what would run isn't what was approved")
    return tuple(found)
