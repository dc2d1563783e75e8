"""What is kept beside an approval: on which terms it was asked, and how it reads for the pure rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from bot.core.approval import ApprovalView, Choice, Eligible, Snapshot, State, Vote, person_of
from bot.core.outcome import Fact
from bot.core.policy.decide import NeedsApproval
from bot.core.records import CastVote, PendingDecision
from bot.core.value import Value
from bot.runtime.context import Context

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


class ApprovalRecord(Value):
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


def record_of(pending: PendingDecision) -> ApprovalRecord:
    """The terms that this hold keeps."""
    return ApprovalRecord.model_validate(pending.facts)


def pending_id(request_id: str, number: int) -> str:
    """The id of the approval that is asked for the `number`th time: two who ask again at once make the same one."""
    return f"{request_id}.{number}"


def next_id(pending: PendingDecision) -> str:
    """The id of the approval that replaces this one once something changed."""
    return pending_id(pending.request_id, record_of(pending).round + 1)


def claim_key(pending: PendingDecision) -> str:
    """Where it is kept who said first that they are looking."""
    return f"claim:{pending.id}"


async def claimed_by(ctx: Context, pending: PendingDecision) -> str | None:
    """Who said that they are looking."""
    kept = await ctx.store.value(claim_key(pending))
    return kept if isinstance(kept, str) else None


def view_of(pending: PendingDecision, votes: Sequence[CastVote], claimed: str | None = None) -> ApprovalView:
    """The hold as the pure rules want it."""
    return ApprovalView(
        id=pending.id,
        state=_STATES[pending.state],
        requester_id=pending.intent.actor.user_id,
        count=record_of(pending).count,
        asked_at=datetime.fromisoformat(pending.made_at),
        due_at=datetime.fromisoformat(pending.due_at),
        digest=pending.digest or "",
        votes=tuple(
            Vote(vote.user_id, Choice(vote.vote), datetime.fromisoformat(vote.at), vote.reason or "") for vote in votes
        ),
        claimed_by=claimed,
    )


def before(pending: PendingDecision) -> Snapshot:
    """What was true when the card was shown."""
    record = record_of(pending)
    return Snapshot(pending.digest or "", pending.policy_version or "", record.target_id, record.state)


def stale_votes(votes: Sequence[CastVote], who: Eligible, known: Mapping[str, str]) -> int:
    """Approvals of people who may no longer decide: they were counted once and count no more."""
    people = {person_of(vote.user_id, known) for vote in votes if vote.vote == Choice.APPROVE.value}
    return len([person for person in people if person not in who.people])
