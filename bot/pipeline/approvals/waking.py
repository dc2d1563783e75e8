"""Time and restarts: reminders, expiry, and what was approved when the program stopped."""

from __future__ import annotations

from bot.core.rows import Hold, stamp
from bot.pipeline.approvals import ending, shown
from bot.pipeline.approvals.asking import hand_over
from bot.pipeline.approvals.dispatching import dispatch
from bot.pipeline.approvals.terms import KIND
from bot.pipeline.deps import Deps


async def remind(deps: Deps, hold: Hold) -> None:
    """Half of the time is over: call those who may decide, once."""
    if hold.kind == KIND and hold.state == "open" and await deps.store.reminded(hold, None):
        await shown.remind(deps, hold)


async def recover(deps: Deps) -> int:
    """After a restart: use what was approved, end what is over, show what was not shown; how many were looked at."""
    approved = [hold for hold in await deps.store.holds(state="approved") if hold.kind == KIND]
    for hold in approved:
        deps.drain.start(dispatch(deps, hold.id), f"approval {hold.id}")
    waiting = [hold for hold in await deps.store.holds(state="open") if hold.kind == KIND]
    for hold in waiting:
        await _wake(deps, hold)
    return len(approved) + len(waiting)


async def _wake(deps: Deps, hold: Hold) -> None:
    if await hand_over(deps, hold):
        return
    if stamp(deps.clock.now()) >= hold.due_at:
        await ending.expire(deps, hold)
    elif await deps.store.message(shown.card_key(hold.request_id)) is None:
        await shown.show(deps, hold)
        await shown.show_requester(deps, hold)
