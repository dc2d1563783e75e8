"""Time and restarts: reminders, expiry, and what was approved when the program stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.records import Filters, PendingDecision, stamp
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.record import KIND, next_id, record_of
from bot.features.approvals.request import hand_over
from bot.operations import cards
from bot.runtime.context import Context

LAST: Final = 50
NEWS: Final = timedelta(days=7)
LEFT_FOR: Final = timedelta(seconds=60)  # longer than everything that is read between the last vote and the call
_ENDS: Final = frozenset({"rejected", "expired", "abandoned"})


async def remind(ctx: Context, pending: PendingDecision) -> None:
    """Half of the time is over: call those who may decide, once."""
    if pending.kind == KIND and pending.state == "open" and await ctx.store.reminded(pending, None):
        await shown.remind(ctx, pending)


async def recover(ctx: Context) -> int:
    """After a restart: use what was approved, end what is over, show what was not shown; how many were looked at."""
    approved = [pending for pending in await ctx.store.pending_decisions(state="approved") if pending.kind == KIND]
    for pending in approved:
        ctx.tasks.start(dispatch(ctx, pending.id), f"approval {pending.id}")
    waiting = [pending for pending in await ctx.store.pending_decisions(state="open") if pending.kind == KIND]
    for pending in waiting:
        await _wake(ctx, pending)
    await _mend(ctx)
    return len(approved) + len(waiting)


async def pick_up(ctx: Context) -> None:
    """What was approved and not used, because something failed in between, is used now or ended."""
    left = stamp(ctx.clock.now() - LEFT_FOR)
    for pending in await ctx.store.pending_decisions(state="approved"):
        if pending.kind == KIND and (pending.decided_at or pending.made_at) <= left:
            await dispatch(ctx, pending.id)


async def _mend(ctx: Context) -> None:
    """What was decided when the program died, and not said: telling the requester is the last thing that an end does."""
    for pending in await ctx.store.untold_pending(KIND, shown.TOLD, ctx.clock.now() - NEWS):
        if await ctx.store.open_pending(next_id(pending)) is None:
            rows = await ctx.store.search(Filters(request_id=pending.request_id), limit=LAST)
            said = [
                row.detail for row in rows if row.approval_id == pending.id and str(row.event) in _ENDS and row.detail
            ]
            await ctx.store.finish(pending.request_id, (), stamp(ctx.clock.now()))
            await expiry.close(ctx, pending.id, f"{shown.head(pending)}. {said[0] if said else ''}".strip())


async def _wake(ctx: Context, pending: PendingDecision) -> None:
    if await hand_over(ctx, pending):
        return
    if stamp(ctx.clock.now()) >= pending.due_at:
        await expiry.expire(ctx, pending)
    elif not await _is_shown(ctx, pending):
        await shown.show(ctx, pending)
        await shown.show_requester(ctx, pending)


async def _is_shown(ctx: Context, pending: PendingDecision) -> bool:
    """Whether both cards carry the buttons of this very question."""
    found: set[object] = set()
    for key in (shown.card_key(pending.request_id), cards.key_of(pending.request_id)):
        posted = await ctx.store.message(key)
        body = posted.body if posted is not None else None
        buttons = body.get("buttons") if isinstance(body, dict) else None
        if isinstance(buttons, list):
            found.update(button.get("id") for button in buttons if isinstance(button, dict))
    return found >= set(record_of(pending).buttons.values())
