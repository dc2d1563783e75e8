"""Time and restarts: reminders, expiry, and what was approved when the program stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.records import Filters, Hold, stamp
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.record import KIND, next_id, terms_of
from bot.features.approvals.request import hand_over
from bot.operations import cards
from bot.runtime.context import Deps

LAST: Final = 50
NEWS: Final = timedelta(days=7)
LEFT_FOR: Final = timedelta(seconds=60)  # longer than everything that is read between the last vote and the call
_ENDS: Final = frozenset({"rejected", "expired", "abandoned"})


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
    await _mend(deps)
    return len(approved) + len(waiting)


async def pick_up(deps: Deps) -> None:
    """What was approved and not used, because something failed in between, is used now or ended."""
    left = stamp(deps.clock.now() - LEFT_FOR)
    for hold in await deps.store.holds(state="approved"):
        if hold.kind == KIND and (hold.decided_at or hold.made_at) <= left:
            await dispatch(deps, hold.id)


async def _mend(deps: Deps) -> None:
    """What was decided when the program died, and not said: telling the requester is the last thing that an end does."""
    for hold in await deps.store.untold_holds(KIND, shown.TOLD, deps.clock.now() - NEWS):
        if await deps.store.open_hold(next_id(hold)) is None:
            rows = await deps.store.search(Filters(request_id=hold.request_id), limit=LAST)
            said = [row.detail for row in rows if row.approval_id == hold.id and str(row.event) in _ENDS and row.detail]
            await deps.store.finish(hold.request_id, (), stamp(deps.clock.now()))
            await expiry.close(deps, hold.id, f"{shown.head(hold)}. {said[0] if said else ''}".strip())


async def _wake(deps: Deps, hold: Hold) -> None:
    if await hand_over(deps, hold):
        return
    if stamp(deps.clock.now()) >= hold.due_at:
        await expiry.expire(deps, hold)
    elif not await _is_shown(deps, hold):
        await shown.show(deps, hold)
        await shown.show_requester(deps, hold)


async def _is_shown(deps: Deps, hold: Hold) -> bool:
    """Whether both cards carry the buttons of this very question."""
    found: set[object] = set()
    for key in (shown.card_key(hold.request_id), cards.key_of(hold.request_id)):
        posted = await deps.store.message(key)
        body = posted.body if posted is not None else None
        buttons = body.get("buttons") if isinstance(body, dict) else None
        if isinstance(buttons, list):
            found.update(button.get("id") for button in buttons if isinstance(button, dict))
    return found >= set(terms_of(hold).buttons.values())
