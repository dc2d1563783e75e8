"""Endings without a decision: time is over, the requester cancels, or the question no longer makes sense."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.card import Tone
from bot.core.command.params import duration_text
from bot.core.intent import Intent
from bot.core.records import PendingDecision, stamp
from bot.features.approvals import cards
from bot.features.approvals.record import record_of
from bot.features.approvals.request import hand_over
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context


async def end(
    ctx: Context, pending: PendingDecision, state: str, event: Event, code: str, text: str, *, by: Intent | None = None
) -> bool:
    """End it with one row, close both cards and tell the requester; False when somebody was first."""
    operation = pending.operation
    if operation is None:
        return False
    now = ctx.clock.now()
    row = AuditWriter(ctx.secrets).about(
        event,
        operation,
        by or pending.intent,
        now,
        rule=record_of(pending).rule,
        policy_version=pending.policy_version,
        digest=pending.digest,
        approval_id=pending.id,
        code=code,
        detail=text,
    )
    if not await ctx.store.end_pending(pending.id, state, by.actor.user_id if by else None, (row,), now):
        return False
    await ctx.store.finish(pending.request_id, (), stamp(now))
    await close(ctx, pending.id, text)
    return True


async def close(ctx: Context, pending_id: str, text: str, *, status: str = "") -> None:
    """Both cards without buttons, and the requester called in the thread."""
    pending = await ctx.store.open_pending(pending_id)
    if pending is None:
        return
    words = status or cards.head(pending)
    await cards.show(ctx, pending, ended=words)
    people = [pending.decided_by] if pending.decided_by else []
    await cards.close_requester(ctx, pending, Tone.WARN, words, text, *people)
    await cards.tell_requester(ctx, pending, pending.state, text, *people, tone=Tone.WARN)
    if pending.intent.reply.step_id is not None:
        await ctx.presenter.step(pending.intent.reply.step_id, ok=False, text=text)


async def expire(ctx: Context, pending: PendingDecision) -> bool:
    """Its time is over. What was approved and not used in time ends too."""
    if await hand_over(ctx, pending):
        return False
    record = record_of(pending)
    agreed = sum(vote.vote == "approve" for vote in await ctx.store.votes(pending.id))
    who = f"Only {agreed} of {record.count} agreed" if agreed else "Nobody decided"
    text = f"{who} within {duration_text(record.expires)}, so nothing was done. Ask again if it is still wanted."
    state = "expired"
    if pending.state == "approved":
        state, text = "cancelled", "It was approved, and its time was over before it could run. Nothing was done."
    return await end(ctx, pending, state, Event.EXPIRED, "expired", text)


async def void(ctx: Context, pending: PendingDecision, why: str) -> bool:
    """Nobody can decide it any more, for this reason."""
    text = f"Nothing was done: {why.rstrip('.')}."
    return await end(ctx, pending, "cancelled", Event.ABANDONED, "void", text)


async def withdraw(ctx: Context, intent: Intent, pending: PendingDecision) -> bool:
    """The requester takes it back."""
    text = "Cancelled by the person who asked. Nothing was done."
    return await end(ctx, pending, "cancelled", Event.ABANDONED, "cancelled", text, by=intent)
