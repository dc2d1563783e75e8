"""Time has come for a waiting row."""

from __future__ import annotations

from datetime import timedelta

from bot.core.card import Line, Tone
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.outcome import Done
from bot.core.ports import Backend
from bot.core.register import Event
from bot.core.rows import Hold, Pause, stamp
from bot.pipeline import approvals, breakglass, cards
from bot.pipeline.deps import Deps
from bot.pipeline.execute import EVENTS, call
from bot.pipeline.home import refresh_homes
from bot.pipeline.pauses import turn
from bot.pipeline.record import Scribe

TRY_AGAIN = timedelta(minutes=1)


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
        await _resume(deps, intent, pause)
        return True


async def _over(deps: Deps, intent: Intent, hold: Hold) -> None:
    """The time of a hold is over."""
    if hold.kind == approvals.KIND:
        await approvals.expire(deps, hold)
        await refresh_homes(deps, hold)
    elif hold.kind == breakglass.KIND:
        await breakglass.nag(deps, intent, hold)
    elif hold.operation is not None:
        await _expire(deps, hold, hold.operation)


async def _resume(deps: Deps, intent: Intent, pause: Pause) -> None:
    """Switch it on again: the pause was allowed with its end, so its end needs no new permission."""
    scribe = Scribe(deps.secrets)
    row = deps.catalog.row(pause.backend, pause.verb_back, pause.target.kind)
    backend = deps.backends.get(pause.backend)
    if row is None or backend is None:
        await deps.store.end_pause(pause.id, "failed", ())
        await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
        return
    operation = Operation.of(
        row, request_id=intent.request_id, target=pause.target, given={}, reason=f"the pause of {pause.request_id} ends"
    )
    now = deps.clock.now()
    sent = scribe.about(Event.SENT, operation, intent, now, rule=f"pause {pause.request_id}")
    if await deps.store.sending(intent.request_id, operation, sent, stamp(now)):
        await switch_back(deps, intent, pause, operation, backend)


async def switch_back(deps: Deps, intent: Intent, pause: Pause, operation: Operation, backend: Backend) -> None:
    """The call that ends a pause, registered as sent before. It may be made again: on is on."""
    scribe = Scribe(deps.secrets)
    started = deps.clock.monotonic()
    result = await call(deps, intent, operation, backend)
    now = deps.clock.now()
    good = isinstance(result, Done)
    columns = {"detail": result.summary, "duration_ms": round((deps.clock.monotonic() - started) * 1000)}
    rows = [scribe.about(EVENTS[result.kind], operation, intent, now, **columns)]
    if good:
        rows.append(scribe.about(Event.RESUMED, operation, intent, now, detail=f"pause {pause.request_id}"))
    if good:
        await deps.store.end_pause(pause.id, "resumed", ())
    else:
        await deps.store.postpone_pause(pause.id, now + TRY_AGAIN)
    await deps.store.finish(intent.request_id, rows, stamp(now))
    head = "The pause is over: it is on again" if good else "The pause is over, and it could not be switched on yet"
    buttons = ()
    card = cards.outcome(operation, intent, result, buttons, now)
    again = () if good else (Line(text="It is tried again every minute until it is on."),)
    lines = (
        *card.lines,
        *again,
        Line(text=f"Paused by <@{pause.user_id}> since {pause.from_at[:16].replace('T', ' ')} UTC."),
    )
    tone = Tone.GOOD if good else Tone.BAD
    # One card for all attempts, so that a control plane that is away does not fill the channel.
    await deps.presenter.show(
        card.model_copy(update={"key": f"pause:{pause.id}", "status": head, "lines": lines, "tone": tone})
    )


async def _expire(deps: Deps, hold: Hold, operation: Operation) -> None:
    now = deps.clock.now()
    row = Scribe(deps.secrets).about(
        Event.EXPIRED, operation, hold.intent, now, approval_id=hold.id, digest=hold.digest
    )
    won = await deps.store.end_hold(hold.id, "expired", None, (row,), now)
    if won and not await approvals.was_asked(deps, hold.request_id):
        await deps.store.finish(hold.request_id, (), stamp(now))
