"""Looking again: the rules, the people and the target as they are now, never from a cache."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from bot.core.approval import Snapshot
from bot.core.command.capability import Capability
from bot.core.command.target_ref import TargetRef
from bot.core.effects import Ruling
from bot.core.errors import Ambiguous, BadRequest, NoSuchTarget, Problem
from bot.core.intent import Command
from bot.core.operation import Operation, Target
from bot.core.policy.decide import Denied, NeedsApproval
from bot.core.records import PendingDecision, grant_id
from bot.features.approvals.record import record_of
from bot.operations.authorize import FRESH, authorize
from bot.operations.backend_call import check
from bot.operations.resolve import find_target
from bot.operations.target_facts import FACTS_WITHIN, state_now
from bot.runtime.context import Context

UNREADABLE: Final = "not readable"


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """How things stand now. `ended` says why nobody can decide this any more, None while they can."""

    ruling: Ruling
    operation: Operation
    after: Snapshot
    demand: NeedsApproval
    ended: str | None


async def look(ctx: Context, pending: PendingDecision, operation: Operation, row: Capability) -> TargetSnapshot:
    """Rules, requester, place and target, each read anew. `operation` of the answer is about what bears the name now."""
    ruling, (target, state) = await asyncio.gather(
        authorize(ctx, pending.intent, operation, row, max_age=FRESH), sight(ctx, operation)
    )
    after = Snapshot(ruling.digest, ruling.policy.version, target.id if target else "", state)
    decision = ruling.decision
    demand = decision if isinstance(decision, NeedsApproval) else record_of(pending).demand
    now = operation.model_copy(update={"target": target or operation.target})
    ended = f"`{operation.target.text}` no longer exists" if target is None else _ended(pending, ruling)
    return TargetSnapshot(ruling, now, after, demand, ended)


def _ended(pending: PendingDecision, ruling: Ruling) -> str | None:
    """Why the answer of the rules makes the question void."""
    decision = ruling.decision
    if record_of(pending).sort != "run":
        if isinstance(decision, Denied):
            return None if decision.code == "no_rule" else f"the rules forbid it now: {decision.reason}"
        mine = getattr(decision, "via_grant", None) == grant_id(pending.id)
        return None if mine else "a rule covers it now, so nothing has to be granted; the command can be typed again"
    if isinstance(decision, Denied):
        return f"the rules no longer allow it: {decision.reason}"
    if not isinstance(decision, NeedsApproval) and ruling.digest != pending.digest:
        return "the rules changed and no longer ask for an approval; the command can be typed again"
    return None


async def unfit(ctx: Context, operation: Operation) -> str | None:
    """Why the control plane could not be asked for this any more, None while it could or when it does not answer: that is
    told by its state."""
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            refused = await check(ctx, operation)
    except (TimeoutError, Problem):
        return None
    return refused.summary if refused is not None else None


async def sight(ctx: Context, operation: Operation) -> tuple[Target | None, str]:
    """What answers to the target's name now (None when nothing does), and its state. Not readable is a state too."""
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            target = await _found_now(ctx, operation)
    except (TimeoutError, Problem):
        return operation.target, UNREADABLE
    if target is None:
        return None, ""
    return target, await state_now(ctx, operation.model_copy(update={"target": target}))


async def _found_now(ctx: Context, operation: Operation) -> Target | None:
    """None when nothing answers to the name any more. What is written by its id (a run) stays what it is."""
    target = operation.target
    if target.scope is None or target.parent is not None:
        return target
    ref = TargetRef(backend=target.backend, path=target.scope.partition(":")[2])
    try:
        found = await find_target(ctx, ref, Command(verb=operation.verb))
    except NoSuchTarget:
        return None
    except (BadRequest, Ambiguous):
        return target
    return found if found.kind == target.kind else target
