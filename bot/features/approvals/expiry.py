"""Ends without a decision: the approval expires, the requester cancels, or it became pointless."""

from bot.core.approval import Approval
from bot.core.audit import Event
from bot.core.card import Tone
from bot.core.intent import Intent
from bot.core.text import seconds_words
from bot.features.approvals import cards, question
from bot.features.approvals.request import hand_over
from bot.operations import newer_run
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored


async def end(
    ctx: Context, approval: Approval, state: str, event: Event, code: str, text: str, *, by: Intent | None = None
) -> bool:
    """End it with one entry, close both cards and tell the requester; False when it was decided before. An expiry that is
    repeated, or an end whose answer was lost, completes what an earlier try left."""
    now = ctx.clock.now()
    entry = AuditWriter(ctx.secrets).pending(event, approval.pending, now, by, code=code, detail=text)
    person = by.actor.user_id if by else None

    again = approval.pending.state == state == "expired"

    async def ended() -> bool:
        nonlocal again
        first, again = not again, True
        if not await ctx.store.end_pending(approval.id, state, person, (entry,), now) and first:
            return False
        newest = await ctx.store.open_pending(approval.id)
        if newest is None or (newest.state, newest.decided_by) != (state, person):
            return False
        await ctx.store.finish(newest.request_id, (), now)
        await close(ctx, approval.id, text)
        return True

    return await until_stored(ctx.clock, f"request {approval.pending.request_id}", ended)


async def close(ctx: Context, pending_id: str, text: str) -> None:
    """Show both cards without buttons and notify the requester in the thread."""
    approval = Approval.of(await ctx.store.open_pending(pending_id))
    if approval is None:
        return
    pending = approval.pending
    words = question.head(pending)
    people = [pending.decided_by] if pending.decided_by else []
    buttons = cards.ask_again_buttons(ctx, approval) if pending.state == "expired" else ()
    await cards.show(ctx, approval, why=text, buttons=buttons if approval.is_asked_in_place else ())
    await cards.close_requester(ctx, approval, Tone.WARN, words, text, *people, buttons=buttons)
    await newer_run.show_older(ctx, pending.intent, approval.operation)
    told = f"{words}. {text}" if people and not text.startswith(words) else text
    await cards.tell_requester(ctx, approval, pending.state, told, *people, tone=Tone.WARN)
    if pending.intent.reply.step_id is not None:
        await ctx.presenter.step(pending.intent.reply.step_id, ok=False, text=text)


async def expire(ctx: Context, approval: Approval) -> None:
    """End an expired approval, also one that was approved but not used in time."""
    if await hand_over(ctx, approval):
        return
    record = approval.record
    agreed = sum(vote.vote == "approve" for vote in await ctx.store.votes(approval.id))
    who = f"Only {agreed} of {record.count} agreed" if agreed else "Nobody decided"
    text = f"{who} within {seconds_words(record.expires)}, so nothing was done. Ask again if you still want it."
    state = "expired"
    if approval.pending.state == "approved":
        state, text = "cancelled", "It was approved but expired before it could run. Nothing was done."
    await end(ctx, approval, state, Event.EXPIRED, "expired", text)


async def void(ctx: Context, approval: Approval, why: str) -> str:
    """End an approval that nobody can decide any more. Returns the reason as a sentence."""
    reason = f"{why.rstrip('.')}."
    await end(ctx, approval, "cancelled", Event.ABANDONED, "void", f"Nothing was done: {reason}")
    return reason


async def withdraw(ctx: Context, intent: Intent, approval: Approval) -> bool:
    """The requester cancels it; False when it was decided before."""
    return await end(ctx, approval, "cancelled", Event.ABANDONED, "cancelled", "Nothing was done.", by=intent)
