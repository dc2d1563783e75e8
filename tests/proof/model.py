"""Approvals in the small: what must come out of a history, told from the design's section 6 and the threat table alone.

One operation, one request for it (asked anew when the world moved), a few people. A `State` is a value; a step makes the
next one and says what kind of answer the person who acted must get. The only number that matters outside is `calls`: how
often the control plane was told to do it. The model knows nothing of tables, messages or tasks.

Where the design is silent the model takes the narrower reading: what is asked anew keeps the end of its time and none of its
votes; a change is noticed at the first approving press that meets it; what was approved and not sent in time is not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LIFE: Final = 10
"""How long a request may wait, in ticks of the model."""


class Is(StrEnum):
    """What Slack says of an account."""

    MEMBER = "member"
    GUEST = "guest"
    EXTERNAL = "external"
    GONE = "gone"
    UNREADABLE = "unreadable"


class Now(StrEnum):
    """Where a request stands."""

    NONE = "none"
    REFUSED = "refused"
    OPEN = "open"
    APPROVED = "approved"
    DONE = "done"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"


class Told(StrEnum):
    """The kind of answer that the person who acted gets."""

    ASKED = "asked"
    GAP = "gap"
    NO_RIGHT = "no right"
    COUNTED = "counted"
    TWICE = "twice"
    RAN = "ran"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CLAIMED = "claimed"
    OVER = "over"
    CHANGED = "changed"
    NOTHING = "nothing"


class Cut(StrEnum):
    """After which durable thing the process dies within an approving press."""

    VOTED = "voted"
    SENDING = "sending"
    CALLED = "called"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule that covers the operation: `version` changes with every edit of the file, whatever the edit.

    `named` are people whom the file names as approvers beside the user group.
    """

    version: int = 1
    allowed: bool = True
    count: int = 1
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """`group` is the Slack user group among the approvers; `asked_...` is what the card shows."""

    requester: str
    statuses: tuple[tuple[str, Is], ...]
    aliases: tuple[tuple[str, str], ...] = ()
    group: frozenset[str] | None = frozenset()
    policy: Policy = Policy()
    target: int = 0
    clock: int = 0
    now: Now = Now.NONE
    asked_version: int = 0
    asked_count: int = 0
    asked_target: int = 0
    asked_of: frozenset[str] = frozenset()
    first_asked: frozenset[str] = frozenset()
    due: int = 0
    votes: frozenset[str] = frozenset()
    claim: str | None = None
    calls: int = 0

    def human(self, account: str) -> str:
        """The person behind an account."""
        return dict(self.aliases).get(account, account)

    def status(self, account: str) -> Is:
        return dict(self.statuses)[account]

    def eligible(self) -> frozenset[str]:
        """The accounts that may decide now: active full members of the named groups, and never the requester in person."""
        named = (self.group or frozenset()) | self.policy.named
        mine = self.human(self.requester)
        return frozenset(who for who in named if self.status(who) is Is.MEMBER and self.human(who) != mine)

    def electors(self) -> frozenset[str]:
        """The people behind the eligible accounts: a person with two accounts is one."""
        return frozenset(self.human(account) for account in self.eligible())

    def may_ask(self) -> bool:
        return self.status(self.requester) is Is.MEMBER and self.policy.allowed


Answer = tuple[State, Told]
OPENED: Final = (Now.OPEN, Now.APPROVED)


def request(state: State) -> Answer:
    """Ask: refused without a right to it, refused at once when too few people could ever decide."""
    if not state.may_ask():
        return replace(state, now=Now.REFUSED), Told.NO_RIGHT
    if len(state.electors()) < state.policy.count:
        return replace(state, now=Now.REFUSED), Told.GAP
    return replace(_asked(state), first_asked=state.eligible(), due=state.clock + LIFE), Told.ASKED


def _asked(state: State) -> State:
    return replace(
        state,
        now=Now.OPEN,
        asked_version=state.policy.version,
        asked_count=state.policy.count,
        asked_target=state.target,
        asked_of=state.eligible(),
        votes=frozenset(),
        claim=None,
    )


def outside(state: State, who: str, asked: frozenset[str]) -> bool:
    """Whether this account is told nothing of the card, not even that it was decided: it is none of a full member, and the card
    didn't ask it."""
    return state.status(who) is not Is.MEMBER and who not in asked


def _press(state: State, who: str) -> Answer | None:
    """The answer of a press that does not come to its meaning, or None."""
    if outside(state, who, state.asked_of):
        return state, Told.NO_RIGHT
    if state.now not in OPENED:
        return state, Told.OVER
    if state.clock >= state.due:
        return replace(state, now=Now.EXPIRED), Told.OVER
    if who not in state.eligible():
        return state, Told.NO_RIGHT
    return None


def approve(state: State, who: str, cut: Cut | None = None) -> Answer:
    """A vote for what the card shows. It runs with the vote that completes the count."""
    stopped = _press(state, who)
    if stopped is not None:
        return stopped
    moved = _moved(state)
    if moved is not None:
        return moved, Told.CHANGED
    already = state.human(who) in state.votes
    state = replace(state, votes=state.votes | {state.human(who)})
    if len(state.votes & state.electors()) < state.asked_count:
        return state, Told.TWICE if already else Told.COUNTED
    state = replace(state, now=Now.APPROVED)
    if cut is Cut.VOTED:
        return state, Told.NOTHING
    return dispatch(state, cut)


def dispatch(state: State, cut: Cut | None = None) -> Answer:
    """Look at everything once more, then call, once."""
    moved = _moved(state, dispatching=True)
    if moved is not None:
        return moved, Told.CHANGED
    if cut is Cut.SENDING:
        return replace(state, now=Now.UNKNOWN), Told.NOTHING
    if cut is Cut.CALLED:
        return replace(state, now=Now.UNKNOWN, calls=state.calls + 1), Told.NOTHING
    return replace(state, now=Now.DONE, calls=state.calls + 1), Told.RAN


def _moved(state: State, *, dispatching: bool = False) -> State | None:
    """The next state when what was shown is no longer what would run, or those who agreed may no longer; None otherwise."""
    if not state.may_ask():
        return replace(state, now=Now.VOID)
    if dispatching and state.clock >= state.due:
        return replace(state, now=Now.EXPIRED)
    still = (state.policy.version, state.target) == (state.asked_version, state.asked_target)
    if dispatching:
        still = still and len(state.votes & state.electors()) >= state.asked_count
    if still:
        return None
    if len(state.electors()) < state.policy.count:
        return replace(state, now=Now.VOID)
    return _asked(state)


def deny(state: State, who: str) -> Answer:
    """Any deny ends it, also of somebody who approved before."""
    stopped = _press(state, who)
    if stopped is not None:
        return stopped
    return replace(state, now=Now.REJECTED), Told.REJECTED


def claim(state: State, who: str) -> Answer:
    """Say that one is looking at it, the first one by name. It binds nobody."""
    stopped = _press(state, who)
    if stopped is not None:
        return stopped
    return replace(state, claim=state.claim or who), Told.CLAIMED


def cancel(state: State, who: str) -> Answer:
    """Only the requester takes a request back, and only while nothing was sent. It needs no standing: it can only end."""
    if outside(state, who, state.asked_of | {state.requester}):
        return state, Told.NO_RIGHT
    if state.now not in OPENED:
        return state, Told.OVER
    if state.clock >= state.due:
        return replace(state, now=Now.EXPIRED), Told.OVER
    if who != state.requester:
        return state, Told.NO_RIGHT
    return replace(state, now=Now.CANCELLED), Told.CANCELLED


def wait(state: State, ticks: int) -> Answer:
    """Time passes; what is overdue expires by itself."""
    state = replace(state, clock=state.clock + ticks)
    if state.now is Now.OPEN and state.clock >= state.due:
        state = replace(state, now=Now.EXPIRED)
    return state, Told.NOTHING


def restart(state: State) -> Answer:
    """The process died and came back: what waited waits, what was approved and not sent is looked at again and runs."""
    if state.now is Now.APPROVED:
        return dispatch(state)[0], Told.NOTHING
    return wait(state, 0)


def edit(state: State, change: Callable[[Policy], Policy]) -> Answer:
    """Another policy file is in force."""
    policy = change(state.policy)
    return replace(state, policy=replace(policy, version=state.policy.version + 1)), Told.NOTHING


def regroup(state: State, group: frozenset[str] | None) -> Answer:
    """The Slack user group has other members, None when Slack does not say; the policy file stays as it is."""
    return replace(state, group=group), Told.NOTHING


def become(state: State, who: str, status: Is) -> Answer:
    """An account changes: deactivated, made a guest, come back."""
    changed = tuple((name, status if name == who else old) for name, old in state.statuses)
    return replace(state, statuses=changed), Told.NOTHING


def drift(state: State) -> Answer:
    """The target is no longer in the state that the card shows."""
    return replace(state, target=state.target + 1), Told.NOTHING
