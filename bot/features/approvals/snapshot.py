"""The rules, the people and the target as they are now."""

from dataclasses import dataclass

from bot.all_of import both
from bot.core.approval import Approval, Snapshot
from bot.core.command.capability import Capability
from bot.core.command.until import ends_at
from bot.core.effects import Ruling
from bot.core.errors import BadRequest
from bot.core.operation import Operation
from bot.core.policy.decide import Denied, NeedsApproval
from bot.core.records import grant_id
from bot.operations.authorize import FRESH, authorize
from bot.operations.target_facts import find_now, what_binds
from bot.runtime.context import Context


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """The current state. `ended` is the reason why nobody can decide this any more, None while they can."""

    ruling: Ruling
    operation: Operation
    after: Snapshot
    demand: NeedsApproval
    ended: str | None


async def look(ctx: Context, approval: Approval, capability: Capability) -> TargetSnapshot:
    """Rules, requester, place and target, each read again. The operation is about the target that has the name now."""
    operation = approval.operation
    ruling, (target, state) = await both(
        authorize(ctx, approval.pending.intent, operation, capability, max_age=FRESH), find_now(ctx, operation)
    )
    before = approval.before.binding
    binding = await what_binds(ctx, operation) if before else before
    rules_at = ctx.policy().loaded_at if ctx.policy().policy.version == ruling.policy.version else None
    now_there = target.id if target else ""
    after = Snapshot(ruling.digest, ruling.policy.version, now_there, state, rules_at, binding)
    decision = ruling.decision
    demand = decision if isinstance(decision, NeedsApproval) else approval.record.demand
    now = operation.model_copy(update={"target": target or operation.target})
    ended = f"`{operation.target.text}` no longer exists" if target is None else _ended(approval, ruling)
    try:
        if capability.pausable:
            ends_at(operation, approval.pending.intent.at, ctx.clock.now(), ctx.zone)
    except BadRequest as problem:
        ended = ended or problem.summary
    return TargetSnapshot(ruling, now, after, demand, ended)


def _ended(approval: Approval, ruling: Ruling) -> str | None:
    """Why the answer of the rules makes the question void."""
    decision = ruling.decision
    if approval.record.sort != "run":
        if isinstance(decision, Denied):
            return None if decision.code == "no_rule" else f"the rules forbid it now: {decision.reason}"
        mine = getattr(decision, "via_grant", None) == grant_id(approval.id)
        return None if mine else "a rule covers it now, so no grant is needed; type the command again"
    if isinstance(decision, Denied):
        return f"the rules no longer allow it: {decision.reason}"
    if not isinstance(decision, NeedsApproval) and ruling.digest != approval.pending.digest:
        return "the rules changed and no longer require an approval; type the command again"
    return None
