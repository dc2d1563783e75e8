"""A stored time was reached: of a pause, a pending decision, a reminder or a grant."""

from __future__ import annotations

from bot.core.approval import Approval
from bot.core.intent import Due, Intent
from bot.core.records import PendingDecision
from bot.features import approvals, preflight
from bot.features.access import breakglass
from bot.features.pauses.resume import resume
from bot.operations.execute import lock_of
from bot.runtime.context import Context


async def due(ctx: Context, intent: Intent, what: Due) -> None:
    """End it, or remind of it."""
    if what.what == "pause":
        if await _pause_over(ctx, intent, what.row):
            return
    elif what.what == "grant":
        grant = await ctx.store.grant_by_id(what.row)
        if grant is not None:
            await breakglass.end_grant(ctx, intent, grant)
    else:
        pending = await ctx.store.open_pending(what.row)
        if pending is not None and pending.state == "open":
            await _pending_due(ctx, intent, pending, reminds=what.what == "remind")
    await ctx.store.finish(intent.request_id, (), ctx.clock.now())


async def _pause_over(ctx: Context, intent: Intent, pause_id: str) -> bool:
    """False when the pause is no longer open: an operation in progress may end or replace it."""
    pause = await ctx.store.pause_by_id(pause_id)
    if pause is None:
        return False
    async with lock_of(ctx, pause.target):
        pause = await ctx.store.pause_by_id(pause_id)
        if pause is None or pause.state != "open":
            return False
        await resume(ctx, intent, pause)
        return True


async def _pending_due(ctx: Context, intent: Intent, pending: PendingDecision, *, reminds: bool) -> None:
    approval = Approval.of(pending)
    if approval is not None:
        await (approvals.remind(ctx, approval) if reminds else approvals.expire(ctx, approval))
    elif reminds:
        return
    elif pending.kind == breakglass.KIND:
        await breakglass.nag(ctx, intent, pending)
    elif pending.operation is not None:
        await preflight.expire(ctx, pending)
