"""`Run it` and `Cancel` on a pre-flight, and what is checked again before anything runs."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.card import Tone
from bot.core.command.capability import Capability
from bot.core.effects import Attempt
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.records import PendingDecision, stamp
from bot.features import approvals
from bot.features.replies import refusal
from bot.features.replies.answer import say
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, authorize
from bot.operations.backend_call import unfit
from bot.operations.execute import execute
from bot.operations.resolve import Resolved
from bot.runtime.context import Context


async def decide_preflight(ctx: Context, intent: Intent, pending: PendingDecision, choice: str) -> None:
    """The asker looked and decided. Time, rules and person are checked again."""
    operation = pending.operation
    now = ctx.clock.now()
    if operation is None or pending.intent.actor != intent.actor:
        await say(ctx, intent, "Only the requester can press this.")
        return
    if stamp(now) >= pending.due_at:
        await end(ctx, pending, operation, "expired", Event.EXPIRED, intent, "expired")
        await say(ctx, intent, "The ten minutes are over. Type the command again.", replace=True)
        return
    if choice == "cancel":
        await end(ctx, pending, operation, "cancelled", Event.ABANDONED, intent, "cancelled")
        await say(ctx, intent, "Cancelled. Nothing was done.", tone=Tone.PLAIN, replace=True)
        return
    row = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        await say(ctx, intent, "This control plane no longer offers that.", replace=True)
        return
    await _run(ctx, intent, pending, operation, row)


async def _run(ctx: Context, intent: Intent, pending: PendingDecision, operation: Operation, row: Capability) -> None:
    ruling = await authorize(ctx, pending.intent, operation, row, max_age=FRESH)
    if ruling.denied:
        await ctx.store.end_pending(pending.id, "cancelled", intent.actor.user_id, (), ctx.clock.now())
        await refusal.denied(ctx, pending.intent, operation, ruling)
        await say(ctx, intent, "The rules no longer allow it. Nothing was done.", replace=True)
        return
    if ruling.digest != pending.digest:
        await end(ctx, pending, operation, "cancelled", Event.ABANDONED, intent, "stale")
        await say(ctx, intent, "The rules changed since this was shown. Type the command again.", replace=True)
        return
    misfit = await unfit(ctx, operation)
    if misfit is not None:
        await end(ctx, pending, operation, "cancelled", Event.ABANDONED, intent, "stale")
        await say(ctx, intent, f"{misfit} Nothing was done.", replace=True)
        return
    if ruling.needs_approval:
        # The approval is opened before the pre-flight ends: a crash between the two loses neither.
        await approvals.request(ctx, pending.intent, Resolved(operation, row), ruling)
        await ctx.store.end_pending(pending.id, "taken", intent.actor.user_id, (), ctx.clock.now())
        asked = await approvals.was_asked(ctx, pending.request_id)
        text = "The approvers are asked; the card in the channel shows it." if asked else "Nothing was done."
        await say(ctx, intent, text, tone=Tone.PLAIN, replace=True)
        return
    await say(ctx, intent, "Running; the card in the channel shows it.", tone=Tone.PLAIN, replace=True)
    if await execute(ctx, Attempt(pending.intent, operation, ruling), pending_id=pending.id) is None:
        await say(ctx, intent, "This was pressed already.", tone=Tone.PLAIN)


async def end(
    ctx: Context, pending: PendingDecision, operation: Operation, state: str, event: Event, intent: Intent, code: str
) -> bool:
    """End a hold and its request with one row; False when somebody was first."""
    now = ctx.clock.now()
    row = AuditWriter(ctx.secrets).about(
        event,
        operation,
        intent,
        now,
        code=code,
        approval_id=pending.id,
        digest=pending.digest,
        policy_version=pending.policy_version,
    )
    won = await ctx.store.end_pending(pending.id, state, intent.actor.user_id, (row,), now)
    if won:
        await ctx.store.finish(pending.request_id, (), stamp(now))
    return won
