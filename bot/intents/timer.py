"""Time has come for a waiting row."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.records import Hold, stamp
from bot.features import approvals
from bot.features.access import breakglass
from bot.features.pauses.pause import turn
from bot.features.pauses.resume import resume
from bot.operations.audit_writer import Scribe
from bot.runtime.context import Deps


async def due(deps: Deps, intent: Intent, ask: Due) -> None:
    """Pauses end, holds expire and are reminded of, grants end."""
    if ask.what == "pause":
        if await _pause_over(deps, intent, ask.row):
            return
    elif ask.what == "grant":
        grant = await deps.store.grant_by_id(ask.row)
        if grant is not None:
            await breakglass.end_grant(deps, intent, grant)
    else:
        hold = await deps.store.open_hold(ask.row)
        if hold is not None and hold.state == "open":
            await (approvals.remind(deps, hold) if ask.what == "remind" else _over(deps, intent, hold))
    await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))


async def _pause_over(deps: Deps, intent: Intent, pause_id: str) -> bool:
    """False when the pause is no longer open: an order that is under way now may be about to end or replace it."""
    pause = await deps.store.pause_by_id(pause_id)
    if pause is None:
        return False
    async with turn(deps, pause.target):
        pause = await deps.store.pause_by_id(pause_id)
        if pause is None or pause.state != "open":
            return False
        await resume(deps, intent, pause)
        return True


async def _over(deps: Deps, intent: Intent, hold: Hold) -> None:
    """The time of a hold is over."""
    if hold.kind == approvals.KIND:
        await approvals.expire(deps, hold)
    elif hold.kind == breakglass.KIND:
        await breakglass.nag(deps, intent, hold)
    elif hold.operation is not None:
        await _expire(deps, hold, hold.operation)


async def _expire(deps: Deps, hold: Hold, operation: Operation) -> None:
    now = deps.clock.now()
    row = Scribe(deps.secrets).about(
        Event.EXPIRED, operation, hold.intent, now, approval_id=hold.id, digest=hold.digest
    )
    won = await deps.store.end_hold(hold.id, "expired", None, (row,), now)
    if won and not await approvals.was_asked(deps, hold.request_id):
        await deps.store.finish(hold.request_id, (), stamp(now))
