"""Reminders, and recovery of approvals that were open or approved when the program stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.approval import KIND, Approval, is_expired
from bot.core.card import approval_key, operation_key
from bot.core.records import Filters, stamp
from bot.features.approvals import cards as approval_cards
from bot.features.approvals import expiry, question
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.request import hand_over
from bot.operations.restored import VOID, is_before_restore
from bot.runtime.context import Context

LAST: Final = 50
NEWS: Final = timedelta(days=7)
LEFT_FOR: Final = timedelta(seconds=60)  # longer than everything that is read between the last vote and the call
_ENDS: Final = frozenset({"rejected", "expired", "abandoned"})


async def remind(ctx: Context, approval: Approval) -> None:
    """Notify those who may decide, once, after half of the time."""
    if approval.pending.state == "open" and await ctx.store.reminded(approval.pending, None):
        await approval_cards.remind(ctx, approval)


async def recover(ctx: Context) -> None:
    """After a restart: use what was approved, end what is over, show what was not shown."""
    for pending in await ctx.store.pending_decisions(state="approved"):
        if pending.kind == KIND:
            ctx.tasks.start(dispatch(ctx, pending.id), f"approval {pending.id}")
    for pending in await ctx.store.pending_decisions(state="open"):
        approval = Approval.of(pending)
        if approval is None or await hand_over(ctx, approval):
            continue
        if is_expired(approval.due, ctx.clock.now()):
            await expiry.expire(ctx, approval)
        elif await is_before_restore(ctx, pending.made_at):
            await expiry.void(ctx, approval, VOID)
        elif not await _is_shown(ctx, approval):
            await approval_cards.show(ctx, approval)
            await approval_cards.show_requester(ctx, approval)
    await _tell_ends(ctx)


async def pick_up(ctx: Context) -> None:
    """What was approved and not used, because something failed in between, is used now or ended."""
    left = stamp(ctx.clock.now() - LEFT_FOR)
    for pending in await ctx.store.pending_decisions(state="approved"):
        if pending.kind == KIND and (pending.decided_at or pending.made_at) <= left:
            await dispatch(ctx, pending.id)


async def _tell_ends(ctx: Context) -> None:
    """Show ends that were stored but not shown before the program stopped. The message to the requester is the last step."""
    for pending in await ctx.store.untold_pending(KIND, approval_cards.TOLD, ctx.clock.now() - NEWS):
        approval = Approval.of(pending)
        if approval is None or await ctx.store.open_pending(approval.next_id) is not None:
            continue
        entries = await ctx.store.search(Filters(request_id=pending.request_id), limit=LAST)
        reasons = [
            entry.detail
            for entry in entries
            if entry.approval_id == pending.id and str(entry.event) in _ENDS and entry.detail
        ]
        await ctx.store.finish(pending.request_id, (), ctx.clock.now())
        text = f"{question.head(pending)}. {reasons[0] if reasons else ''}".strip()
        await expiry.close(ctx, pending.id, text)


async def _is_shown(ctx: Context, approval: Approval) -> bool:
    """Whether both cards carry the buttons of this very question."""
    found: set[object] = set()
    request_id = approval.pending.request_id
    for key in (approval_key(request_id), operation_key(request_id)):
        posted = await ctx.store.message(key)
        body = posted.body if posted is not None else None
        buttons = body.get("buttons") if isinstance(body, dict) else None
        if isinstance(buttons, list):
            found.update(button.get("id") for button in buttons if isinstance(button, dict))
    claimed = await ctx.store.value(approval.claim_key) is not None
    wanted = ("approve", "deny", "cancel", "release" if claimed else "claim")
    return all(button in found for choice, button in approval.record.buttons.items() if choice in wanted)
