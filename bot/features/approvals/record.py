"""What is kept beside an approval: on which terms it was asked, and how it reads for the pure rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from bot.core.approval import ApprovalView, Choice, Eligible, Snapshot, State, Vote, person_of
from bot.core.outcome import Fact
from bot.core.policy.decide import NeedsApproval
from bot.core.records import Hold, HoldVote
from bot.core.value import Value
from bot.runtime.context import Deps

KIND: Final = "approval"
_STATES: Final[Mapping[str, State]] = {
    "open": State.OPEN,
    "approved": State.APPROVED,
    "rejected": State.REJECTED,
    "expired": State.EXPIRED,
    "cancelled": State.WITHDRAWN,
    "taken": State.USED,
}

Sort = Literal["run", "once", "grant"]


class Terms(Value):
    """The `facts` of a hold that needs votes. `channel` is where the approvers are asked.

    `sort`: run what a rule lets run with an approval; run once what no rule allows; or grant it for `lasts` seconds. `state` and
    `target_id` are what the card showed, `shown` its further facts. `round` counts how often it was asked. `buttons` are
    the ids of the card's buttons, the same in every version of the card, so that no press on an old one is lost.
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
    round: int = 1
    note: str = ""
    buttons: dict[str, str] = Field(default_factory=dict)

    @property
    def demand(self) -> NeedsApproval:
        """The same in the words of the rules."""
        return NeedsApproval(self.rule, self.why, self.count, self.groups, self.expires, self.channel)


def terms_of(hold: Hold) -> Terms:
    """The terms that this hold keeps."""
    return Terms.model_validate(hold.facts)


def hold_id(request_id: str, number: int) -> str:
    """The id of the approval that is asked for the `number`th time: two who ask again at once make the same one."""
    return f"{request_id}.{number}"


def next_id(hold: Hold) -> str:
    """The id of the approval that replaces this one once something changed."""
    return hold_id(hold.request_id, terms_of(hold).round + 1)


def claim_key(hold: Hold) -> str:
    """Where it is kept who said first that they are looking."""
    return f"claim:{hold.id}"


async def claimed_by(deps: Deps, hold: Hold) -> str | None:
    """Who said that they are looking."""
    kept = await deps.store.fact(claim_key(hold))
    return kept if isinstance(kept, str) else None


def view_of(hold: Hold, votes: Sequence[HoldVote], claimed: str | None = None) -> ApprovalView:
    """The hold as the pure rules want it."""
    return ApprovalView(
        id=hold.id,
        state=_STATES[hold.state],
        requester_id=hold.intent.actor.user_id,
        count=terms_of(hold).count,
        asked_at=datetime.fromisoformat(hold.made_at),
        due_at=datetime.fromisoformat(hold.due_at),
        digest=hold.digest or "",
        votes=tuple(
            Vote(vote.user_id, Choice(vote.vote), datetime.fromisoformat(vote.at), vote.reason or "") for vote in votes
        ),
        claimed_by=claimed,
    )


def before(hold: Hold) -> Snapshot:
    """What was true when the card was shown."""
    terms = terms_of(hold)
    return Snapshot(hold.digest or "", hold.policy_version or "", terms.target_id, terms.state)


def stale_votes(votes: Sequence[HoldVote], who: Eligible, known: Mapping[str, str]) -> int:
    """Approvals of people who may no longer decide: they were counted once and count no more."""
    people = {person_of(vote.user_id, known) for vote in votes if vote.vote == Choice.APPROVE.value}
    return len([person for person in people if person not in who.people])
