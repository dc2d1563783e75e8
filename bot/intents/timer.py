"""Time has come for a waiting row."""

from __future__ import annotations

from bot.core.approval_record import Approval
from bot.core.audit import Event
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.records import PendingDecision, stamp
from bot.features import approvals
from bot.features.access import breakglass
from bot.features.pauses.resume import resume
from bot.operations.audit_writer import AuditWriter
from bot.operations.execute import lock_of
from bot.runtime.context import Context


async def due(ctx: Context, intent: Intent, ask: Due) -> None:
    """Pauses end, holds expire and are reminded of, grants end."""
    if ask.what == "pause":
        if await _pause_over(ctx, intent, ask.row):
            return
    elif ask.what == "grant":
        grant = await ctx.store.grant_by_id(ask.row)
        if grant is not None:
            await breakglass.end_grant(ctx, intent, grant)
    else:
        pending = await ctx.store.open_pending(ask.row)
        if pending is not None and pending.state == "open":
            approval = Approval.of(pending)
            if ask.what == "remind" and approval is not None:
                await approvals.remind(ctx, approval)
            elif ask.what != "remind":
                await _over(ctx, intent, pending)
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))


async def _pause_over(ctx: Context, intent: Intent, pause_id: str) -> bool:
    """False when the pause is no longer open: an order that is under way now may be about to end or replace it."""
    pause = await ctx.store.pause_by_id(pause_id)
    if pause is None:
        return False
    async with lock_of(ctx, pause.target):
        pause = await ctx.store.pause_by_id(pause_id)
        if pause is None or pause.state != "open":
            return False
        await resume(ctx, intent, pause)
        return True


async def _over(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    """The time of a hold is over."""
    approval = Approval.of(pending)
    if approval is not None:
        await approvals.expire(ctx, approval)
    elif pending.kind == breakglass.KIND:
        await breakglass.nag(ctx, intent, pending)
    elif pending.operation is not None:
        await _expire(ctx, pending, pending.operation)


async def _expire(ctx: Context, pending: PendingDecision, operation: Operation) -> None:
    now = ctx.clock.now()
    row = AuditWriter(ctx.secrets).about(
        Event.EXPIRED, operation, pending.intent, now, approval_id=pending.id, digest=pending.digest
    )
    won = await ctx.store.end_pending(pending.id, "expired", None, (row,), now)
    if won and not await approvals.was_asked(ctx, pending.request_id):
        await ctx.store.finish(pending.request_id, (), stamp(now))
