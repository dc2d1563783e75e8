"""The rules of approvals: who may decide, what a vote does, when it is too late. The store keeps the records and the lock.

One person counts once, the requester never, any deny ends it. A person may have several Slack ids: `aliases` maps each account
in [people] to the account that represents the person; any other id represents itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.command.params import unseen
from bot.core.operation import Operation
from bot.core.policy.decision import NeedsApproval
from bot.core.policy.electors import Eligible, person_of
from bot.core.text import utc_text
from bot.core.value import canonical

LONGEST_SHOWN: Final = 2_000


class State(StrEnum):
    """The state of an approval. Stored, so names are only added."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOID = "void"
    USED = "used"


class Step(StrEnum):
    """What can happen to an approval. COMPLETE is the last vote needed; DRIFT means that something changed before the call."""

    COMPLETE = "complete"
    DENY = "deny"
    EXPIRE = "expire"
    DRIFT = "drift"
    DISPATCH = "dispatch"


class Choice(StrEnum):
    """The decision that a button stands for."""

    APPROVE = "approve"
    DENY = "deny"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Vote:
    """One decision that was taken."""

    user_id: str
    choice: Choice
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval as read inside the transaction that changes it. `due_at` is exclusive: at that instant it is expired."""

    id: str
    state: State
    requester_id: str
    count: int
    asked_at: datetime
    due_at: datetime
    digest: str
    votes: tuple[Vote, ...] = ()
    claimed_by: str | None = None


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """The vote counts. `step` is its effect on the approval, None if it only adds up; `left` votes are still needed."""

    choice: Choice
    step: Step | None
    left: int


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


def can_request(demand: NeedsApproval, who: Eligible) -> str | None:
    """None if enough people can decide, otherwise a sentence about the gap: such a request would only wait to expire."""
    have = len(who.people)
    if have >= demand.count:
        return None
    groups = ", ".join(f"`{word}`" for word in demand.from_groups)
    reasons = "; ".join(f"{user}: {reason}" for user, reason in who.left_out[:5])
    out = f" Left out: {reasons}." if reasons else ""
    return f"It needs {demand.count} of {groups}; {have or 'none'} of them can decide now.{out}"


def unshowable(operation: Operation) -> str | None:
    """None if a card can show everything that would run; otherwise why not, and then nobody can approve it."""
    shown = canonical({"params": operation.params, "target": operation.target.id, "files": list(operation.files)})
    if len(shown) > LONGEST_SHOWN:
        return f"its parameters are {len(shown)} characters long, and a card shows {LONGEST_SHOWN}; split the command"
    texts = (*_texts(operation.params), operation.target.id, operation.target.name, operation.reason or "")
    if char := unseen("".join(texts)):
        return f"it contains {char}, a character that nobody can see, so nobody can check what they approve"
    return None


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


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
    approval: ApprovalView,
    choice: Choice,
    presser_id: str,
    *,
    who: Eligible,
    now: datetime,
    aliases: Mapping[str, str],
    reason: str = "",
) -> VoteCounts | VoteRefused:
    """What this press does. Read `who` anew for it: votes of people who may no longer decide don't count."""
    refused = _closed(approval, now) or _not_theirs(approval, presser_id, who, aliases)
    if refused is not None:
        return refused
    if choice is Choice.CLAIM:
        return _claim(approval, presser_id, who, aliases)
    if choice is Choice.DENY:
        if not reason.strip():
            return VoteRefused("reason_missing", "Say why you deny it. The requester sees this.")
        return VoteCounts(Choice.DENY, Step.DENY, left=0)
    agreed = agreeing(approval, who, aliases)
    person = person_of(presser_id, aliases)
    left = approval.count - len(agreed | {person})
    if person in agreed and left > 0:
        return VoteRefused("counted", f"Your approval already counts. {left} more needed.")
    return VoteCounts(Choice.APPROVE, Step.COMPLETE if left <= 0 else None, left=max(left, 0))


def agreeing(approval: ApprovalView, who: Eligible, aliases: Mapping[str, str]) -> frozenset[str]:
    """The distinct people who approved and may still decide."""
    people = (person_of(vote.user_id, aliases) for vote in approval.votes if vote.choice is Choice.APPROVE)
    return frozenset(person for person in people if person in who.people)


def _closed(approval: ApprovalView, now: datetime) -> VoteRefused | None:
    if approval.state is not State.OPEN:
        deciding = approval.votes[-1].user_id if approval.votes else ""
        by = f" by {deciding}" if deciding and approval.state is not State.EXPIRED else ""
        code = "expired" if approval.state is State.EXPIRED else "decided"
        return VoteRefused(code, f"This request is already {approval.state.value}{by}.")
    if is_expired(approval.due_at, now):
        return VoteRefused("expired", f"This request expired at {utc_text(approval.due_at)}.")
    return None


def _not_theirs(
    approval: ApprovalView, presser_id: str, who: Eligible, aliases: Mapping[str, str]
) -> VoteRefused | None:
    person = person_of(presser_id, aliases)
    if person == person_of(approval.requester_id, aliases):
        return VoteRefused("own_request", "You can't decide your own request.")
    if presser_id in who.people.get(person, ()):
        return None
    reason = next((reason for user, reason in who.left_out if user == presser_id), "not one of the approvers")
    return VoteRefused("not_eligible", f"You can't decide this: {reason}.")


def _claim(
    approval: ApprovalView, presser_id: str, who: Eligible, aliases: Mapping[str, str]
) -> VoteCounts | VoteRefused:
    if approval.claimed_by is None:
        return VoteCounts(Choice.CLAIM, None, left=approval.count - len(agreeing(approval, who, aliases)))
    mine = person_of(approval.claimed_by, aliases) == person_of(presser_id, aliases)
    sentence = "You have claimed it." if mine else f"{approval.claimed_by} has claimed it; you may still decide it."
    return VoteRefused("claimed", sentence)


def may_dispatch(
    approval: ApprovalView,
    *,
    who: Eligible,
    now: datetime,
    aliases: Mapping[str, str],
    before: Snapshot,
    after: Snapshot,
) -> tuple[Step, str]:
    """What to do with an approved request right before its call: DISPATCH, or the step that ends it and the reason.

    Read `who` anew. Raises ValueError for an approval that isn't APPROVED: it was used or has ended.
    """
    if approval.state is not State.APPROVED:
        raise ValueError(f"an approval that is {approval.state.value} can't be dispatched")
    if is_expired(approval.due_at, now):
        return Step.EXPIRE, f"it expired at {utc_text(approval.due_at)}"
    missing = approval.count - len(agreeing(approval, who, aliases))
    if missing > 0:
        return Step.DRIFT, f"{missing} of those who approved can no longer decide"
    changes = drift(before, after)
    return (Step.DRIFT, "; ".join(changes)) if changes else (Step.DISPATCH, "")


def drift(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """One sentence per change since the approval; empty if what would run is what was approved."""
    found = []
    if before.target_id != after.target_id:
        found.append(f"the target has changed ({before.target_id} was approved, it is now {after.target_id})")
    if before.state != after.state:
        found.append(f"the target was {before.state or 'without a state'} and is {after.state or 'without one'} now")
    if before.policy_version != after.policy_version:
        found.append(f"the policy changed ({before.policy_version} to {after.policy_version})")
    if before.digest != after.digest and not found:
        found.append("what would run isn't what was approved")
    return tuple(found)
