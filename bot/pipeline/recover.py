"""After a restart: what was under way ends in a stated outcome. What may have been sent is looked up, never sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.core.card import Line, Tone
from bot.core.intent import Due
from bot.core.operation import Operation
from bot.core.outcome import Done, Unknown
from bot.core.ports import Backend
from bot.core.register import Event
from bot.core.rows import InboxRow, stamp
from bot.pipeline import approvals, breakglass, cards, home
from bot.pipeline.attempt import Attempt, finish
from bot.pipeline.authorize import FRESH, authorize
from bot.pipeline.calling import call
from bot.pipeline.deps import Deps
from bot.pipeline.giving_back import switch_back
from bot.pipeline.handle import handle
from bot.pipeline.mending import show_outcomes, show_pauses
from bot.pipeline.pauses import check_pause, turn_of
from bot.pipeline.reading_back import read_back
from bot.pipeline.record import Scribe

STILL_MEANT = timedelta(minutes=5)


async def recover(deps: Deps) -> int:
    """Pick up every request that was open; how many there were."""
    rows = await deps.store.unfinished()
    await show_outcomes(deps)
    await show_pauses(deps)
    # After the rows were read: what it sends from here on is under way and no leftover.
    await approvals.recover(deps)
    await breakglass.recover(deps)
    await home.recover(deps)
    for row in rows:
        name = f"recover {row.request_id}"
        if row.state == "sending" and row.operation:
            deps.drain.start(_sent(deps, row, row.operation), name)
        else:  # a flood may have left thousands
            deps.drain.line_up(partial(_not_sent, deps, row), name)
    return len(rows)


async def _not_sent(deps: Deps, row: InboxRow) -> None:
    """Nothing left the program: go on if it is still meant, else say that it was dropped."""
    now = deps.clock.now()
    if row.state == "new":
        await deps.store.begin(row.request_id, stamp(now))
    if isinstance(row.intent.ask, Due) or now - row.intent.at <= STILL_MEANT:
        await handle(deps, row.intent)
        return
    event = Scribe(deps.secrets).plain(
        Event.ABANDONED, row.intent, now, code="not_sent", detail="found open after a restart; nothing had been sent"
    )
    await deps.store.finish(row.request_id, (event,), stamp(now))
    card = cards.private(
        row.intent,
        "Not done: I was restarted",
        tone=Tone.WARN,
        lines=(Line(text="Nothing was sent. Type the command again if it is still wanted."),),
        footer=(f"request {row.request_id}",),
    )
    await deps.presenter.show(card, row.intent.reply)


async def _sent(deps: Deps, row: InboxRow, operation: Operation) -> None:
    """The call may have been made: it is unknown until the control plane says otherwise."""
    async with turn_of(deps, operation):
        await _look_up(deps, row, operation)


async def _look_up(deps: Deps, row: InboxRow, operation: Operation) -> None:
    scribe = Scribe(deps.secrets)
    now = deps.clock.now()
    lost = Unknown(code="restarted", summary="The bot stopped while this was being sent.")
    await deps.store.append(
        scribe.about(Event.UNKNOWN, operation, row.intent, now, code=lost.code, detail=lost.summary)
    )
    backend = deps.backends.get(operation.target.backend)
    if backend is not None and operation.repeat_safe and await _made_again(deps, row, operation, backend):
        return
    result: Done | Unknown = lost
    sent_at = datetime.fromisoformat(row.sent_at or row.updated_at)
    if backend is not None:
        answered = await read_back(deps, row.intent, operation, backend, sent_at, lost)
        result = answered if isinstance(answered, Done | Unknown) else lost
    event = Event.RECONCILED if isinstance(result, Done) else Event.ABANDONED
    await finish(deps, Attempt(row.intent, operation, sent_at=sent_at), result, event)


async def _made_again(deps: Deps, row: InboxRow, operation: Operation, backend: Backend) -> bool:
    """Make a call again that ends in the same state when made twice: the end of a pause always, another only while it is
    still meant and the rules still allow it. False when it was left alone."""
    ask = row.intent.ask
    if isinstance(ask, Due):
        pause = await deps.store.pause_by_id(ask.row) if ask.what == "pause" else None
        if pause is None or pause.state != "open":
            return False
        await switch_back(deps, row.intent, pause, operation, backend)
        return True
    capability = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    now = deps.clock.now()
    if capability is None or now - row.intent.at > STILL_MEANT:
        return False
    ends = check_pause(capability, operation, row.intent.at, deps.zone)
    if ends is not None and ends <= now:  # nobody wants it off any more
        return False
    ruling = await authorize(deps, row.intent, operation, capability, max_age=FRESH)
    if not ruling.allowed:
        return False
    attempt = replace(Attempt.under(deps, row.intent, operation, ruling), sent_at=now)
    result = await call(deps, row.intent, operation, backend)
    await finish(deps, attempt, result, Event.RECONCILED)
    return True
