"""After a restart: outcomes that were registered and never shown, because the program died between the two."""

from __future__ import annotations

from typing import Final

from bot.core.card import Tone
from bot.core.outcome import Done, Failed, Unknown
from bot.core.register import Event
from bot.core.rows import Entry, Filters
from bot.pipeline import cards
from bot.pipeline.deps import Deps
from bot.pipeline.giving_back import GIVEN_UP, mend_end
from bot.pipeline.pauses import ENDED_BY_ORDER, mend_over

LAST: Final = 500
LAST_OF_PAUSES: Final = 100
_OUTCOMES: Final = (Event.DONE, Event.FAILED, Event.RECONCILED, Event.ABANDONED)


async def show_outcomes(deps: Deps) -> None:
    """Of the newest outcomes, those whose card still says that it is being worked on."""
    for event in _OUTCOMES:
        for row in await deps.store.search(Filters(event=str(event)), limit=LAST):
            posted = await deps.store.message(cards.key_of(row.request_id))
            body = posted.body if posted is not None else None
            # Only a card of work under way has the working colour and no time.
            if isinstance(body, dict) and body.get("tone") == str(Tone.WORKING) and body.get("at") is None:
                await _show(deps, row)


async def show_pauses(deps: Deps) -> None:
    """Of the newest pauses that ended, those whose cards do not say so; the oldest first, so that the last word is the newest."""
    for event in (Event.PAUSED, Event.RESUMED, Event.ABANDONED):
        rows = await deps.store.search(Filters(event=str(event)), limit=LAST_OF_PAUSES)
        for row in reversed(rows):
            if row.code in ENDED_BY_ORDER:
                await mend_over(deps, row)
            elif event is Event.RESUMED or row.code in GIVEN_UP:
                await mend_end(deps, row)


async def _show(deps: Deps, row: Entry) -> None:
    request = await deps.store.request(row.request_id)
    if request is None or request.state != "ended" or request.operation is None:
        return
    result = _result(row)
    card = cards.outcome(request.operation, request.intent, result, (), deps.clock.now(), row.rule or "")
    await deps.presenter.show(card)


def _result(row: Entry) -> Done | Failed | Unknown:
    """The outcome as far as its row tells it."""
    summary, code = row.detail or "", row.code or ""
    if row.event is Event.ABANDONED:
        return Unknown(code=code, summary=summary)
    if row.event is Event.FAILED or (row.event is Event.RECONCILED and code != "done"):
        return Failed(code=code, summary=summary)
    return Done(summary=summary, backend_ref=row.backend_ref)
