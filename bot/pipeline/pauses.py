"""Timed pauses: `for=2h` and `until=Mon 07:00` become a moment, and a row that gives itself back."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.capability import Capability
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Done
from bot.core.params import BadParam
from bot.core.problems import BadRequest
from bot.core.rows import Pause, stamp
from bot.core.until import parse_until
from bot.pipeline import cards
from bot.pipeline.deps import Deps


def check_pause(row: Capability, operation: Operation, now: datetime, zone: str) -> datetime | None:
    """When the pause ends, None when it has no end; raises BadRequest for a time that cannot be meant."""
    return ends_at(operation, now, zone) if row.pausable else None


def ends_at(operation: Operation, now: datetime, zone: str) -> datetime | None:
    """The moment of `for=` or `until=`, None without one; raises BadRequest for a time that cannot be meant."""
    lasts, until = operation.params.get("for"), operation.params.get("until")
    if lasts is not None and until is not None:
        raise BadRequest("Give `for=` or `until=`, not both.", code="bad_parameter")
    if isinstance(lasts, int):
        return now + timedelta(seconds=lasts)
    if isinstance(until, str):
        try:
            return parse_until(until, ZoneInfo(zone), now)
        except BadParam as problem:
            raise BadRequest(f"{problem}.", code="bad_parameter") from None
    return None


async def end_by_hand(deps: Deps, operation: Operation) -> None:
    """Somebody switched on what was paused: the pause is over, and nothing is left to give back."""
    if not deps.catalog.resumes(operation.target.backend, operation.verb):
        return
    for pause in await deps.store.open_pauses():
        here = pause.verb_back == operation.verb and pause.backend == operation.target.backend
        if here and operation.target.id in (pause.target.id, pause.target.parent):
            await deps.store.end_pause(pause.id, "cancelled", ())


def pauses_of(deps: Deps, intent: Intent, operation: Operation, result: Done, now: datetime) -> tuple[Pause, ...]:
    """The rows that switch back on what this operation switched off."""
    row = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None or row.resumes is None:
        return ()
    until = check_pause(row, operation, now, deps.zone)
    if until is None:
        return ()
    return tuple(
        Pause(
            id=deps.ids.secret(),
            backend=target.backend,
            verb_back=row.resumes,
            target=target,
            request_id=operation.request_id,
            user_id=intent.actor.user_id,
            channel_id=intent.place.channel_id,
            reason=operation.reason,
            from_at=stamp(now),
            until_at=stamp(until),
            message_key=cards.key_of(operation.request_id),
        )
        for target in (result.restore if result.restore is not None else (operation.target,))
    )
