"""An approval as it is stored: the terms of the question, and the view that the pure rules take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Self

from pydantic import Field

from bot.core.approval import ApprovalView, Choice, Snapshot, State, Vote
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.policy.decision import NeedsApproval
from bot.core.policy.electors import Eligible, person_of
from bot.core.records import CastVote, PendingDecision
from bot.core.value import Value

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
    """The `facts` of a pending decision that needs votes. `channel` is where the approvers are asked.

    `sort`: run what a rule allows with an approval, run once what no rule allows, or grant it for `lasts` seconds. `state`
    and `target_id` are what the card showed, `shown` its further facts. `round` counts how often the approvers
    were asked. `allows`: an approver may allow the same thing for an hour. `buttons` are the ids of the card's buttons, the
    same in every version of the card, so that a press on an old version counts.
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
        return cls(pending, pending.operation, ApprovalRecord.model_validate(pending.facts))

    @property
    def id(self) -> str:
        """The id of the pending decision."""
        return self.pending.id

    @property
    def requester(self) -> str:
        """The user id of the requester."""
        return self.pending.intent.actor.user_id

    @property
    def due(self) -> datetime:
        """When it expires."""
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
        return Snapshot(pending.digest or "", pending.policy_version or "", record.target_id, record.state)

    def view(self, votes: Sequence[CastVote], claimed: str | None = None) -> ApprovalView:
        """The approval as the pure rules take it."""
        return ApprovalView(
            id=self.pending.id,
            state=_STATES[self.pending.state],
            requester_id=self.requester,
            count=self.record.count,
            asked_at=datetime.fromisoformat(self.pending.made_at),
            due_at=self.due,
            digest=self.pending.digest or "",
            votes=tuple(
                Vote(vote.user_id, Choice(vote.vote), datetime.fromisoformat(vote.at), vote.reason or "")
                for vote in votes
            ),
            claimed_by=claimed,
        )


def approval_id(request_id: str, number: int) -> str:
    """The id of the `number`th question. Two processes that ask again at the same time get the same id."""
    return f"{request_id}.{number}"


def stale_votes(votes: Sequence[CastVote], who: Eligible, aliases: Mapping[str, str]) -> int:
    """How many approvers are no longer allowed to decide."""
    people = {person_of(vote.user_id, aliases) for vote in votes if vote.vote == Choice.APPROVE.value}
    return len([person for person in people if person not in who.people])
