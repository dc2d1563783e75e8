"""Timed pauses: `for=2h` and `until=Mon 07:00` become a moment, and a row that gives itself back.

The newest order about a thing wins: it ends, replaces or keeps what earlier pauses of that thing would have done.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.capability import Capability
from bot.core.card import Card, Line
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Refused, Unknown
from bot.core.params import BadParam
from bot.core.problems import BadRequest
from bot.core.register import Event, Row
from bot.core.rows import Pause, stamp
from bot.core.until import parse_until
from bot.pipeline import cards
from bot.pipeline.deps import Deps
from bot.pipeline.record import Scribe

WAS_OFF: Final = "It was off before and stays off until somebody switches it on: there is nothing to give back."
_STAYS_OFF: Final = "Off until somebody switches it on"


@dataclass(frozen=True, slots=True)
class Settled:
    """What an operation makes of pauses. `over` are those that it ends, each with its last state; `rows` say so in the register.

    `status` is the headline of the operation's card and `lines` what stands on it beside, empty when there is nothing to say.
    """

    opened: tuple[Pause, ...] = ()
    over: tuple[Pause, ...] = ()
    state: str = ""
    rows: tuple[Row, ...] = ()
    status: str = ""
    lines: tuple[Line, ...] = ()

    def on(self, card: Card) -> Card:
        """The card of the operation, with what became of pauses."""
        people = dict.fromkeys((*card.mention, *(pause.user_id for pause in self.over if pause.user_id)))
        changed = {"status": self.status or card.status, "lines": (*card.lines, *self.lines), "mention": tuple(people)}
        return card.model_copy(update=changed)


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


def turn_of(deps: Deps, operation: Operation) -> AbstractAsyncContextManager[None]:
    """The turn of what the operation switches; nothing to wait for when it switches nothing."""
    row = _row(deps, operation)
    switches = row is not None and row.resumes is not None
    if switches or deps.catalog.resumes(operation.target.backend, operation.verb):
        return turn(deps, operation.target)
    return nullcontext()


def turn(deps: Deps, target: Target) -> AbstractAsyncContextManager[None]:
    """One order at a time about a thing and its parts, so that the newest one knows what the earlier ones did."""
    return deps.turns.of(f"{target.backend}:{target.parent or target.id}")


def was_on_key(request_id: str) -> str:
    """Where is remembered what was on before the call of a request switched it off."""
    return f"was_on:{request_id}"


async def note_was_on(deps: Deps, request_id: str, targets: Sequence[Target]) -> None:
    """Remember it before the call: a call that is made again after a restart finds everything off."""
    if await deps.store.fact(was_on_key(request_id)) is None:
        texts = [target.model_dump(mode="json") for target in targets]
        await deps.store.set_fact(was_on_key(request_id), texts, stamp(deps.clock.now()))


async def settle(
    deps: Deps, intent: Intent, operation: Operation, result: Done | Refused | Failed | Unknown, now: datetime
) -> Settled:
    """What this outcome makes of pauses. Nothing is written here: see `Store.finish`."""
    if not isinstance(result, Done):
        return Settled()
    if deps.catalog.resumes(operation.target.backend, operation.verb):
        return _ended_by_hand(deps, intent, operation, await _held(deps, operation, operation.verb), now)
    row = _row(deps, operation)
    if row is None or row.resumes is None:
        return Settled()
    held = await _held(deps, operation, row.resumes)
    until = check_pause(row, operation, now, deps.zone)
    if until is None:
        return _for_good(deps, intent, operation, held, now)
    targets = (*await _switched_off(deps, operation, result), *(pause.target for pause in held))
    opened = tuple(
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
        for target in {(target.kind, target.id): target for target in targets}.values()
    )
    if not opened:
        return Settled(status="Off, as it was before", lines=(Line(text=WAS_OFF),))
    first = Scribe(deps.secrets).about(Event.PAUSED, operation, intent, now, detail=f"until {opened[0].until_at}")
    return Settled(
        opened=opened,
        over=held,
        state="replaced",
        rows=(first, *_rows(deps, intent, operation, Event.PAUSED, "replaced", held, now)),
        status=f"Paused until {_minute(opened[0].until_at)}; it is switched on again by itself.",
        lines=_said("Replaces", held),
    )


def _ended_by_hand(deps: Deps, intent: Intent, operation: Operation, held: tuple[Pause, ...], now: datetime) -> Settled:
    """Somebody switched on what was paused: the pause is over, and nothing is left to give back."""
    rows = _rows(deps, intent, operation, Event.RESUMED, "by_hand", held, now)
    return Settled(over=held, state="cancelled", rows=rows, lines=_said("Ends", held))


def _for_good(deps: Deps, intent: Intent, operation: Operation, held: tuple[Pause, ...], now: datetime) -> Settled:
    """Off without an end: what was paused is not given back any more."""
    rows = _rows(deps, intent, operation, Event.PAUSED, "no_end", held, now)
    status = _STAYS_OFF if held else ""
    return Settled(over=held, state="cancelled", rows=rows, status=status, lines=_said("Ends", held))


async def _switched_off(deps: Deps, operation: Operation, result: Done) -> tuple[Target, ...]:
    """What was on before the call, as it was noted first; else as the backend says; else the target itself."""
    noted = await deps.store.fact(was_on_key(operation.request_id))
    if isinstance(noted, list):
        return tuple(Target.model_validate(target) for target in noted)
    return result.restore if result.restore is not None else (operation.target,)


async def _held(deps: Deps, operation: Operation, verb_back: str) -> tuple[Pause, ...]:
    """The open pauses of the target and of its parts."""
    target = operation.target
    held = []
    for pause in await deps.store.open_pauses():
        if pause.backend == target.backend and pause.verb_back == verb_back:
            # A part may have been paused before it was known what it is a part of.
            seen = await deps.names.by_id(pause.backend, pause.target.kind, pause.target.id)
            parents = {pause.target.parent, seen.parent if seen is not None else None}
            if target.id in (pause.target.id, *parents):
                held.append(pause)
    return tuple(held)


def _row(deps: Deps, operation: Operation) -> Capability | None:
    return deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)


def _rows(
    deps: Deps, intent: Intent, operation: Operation, event: Event, code: str, over: Sequence[Pause], now: datetime
) -> tuple[Row, ...]:
    """A row for every pause that ends here, about exactly what it had switched off."""
    scribe = Scribe(deps.secrets)
    return tuple(
        scribe.about(
            event,
            operation,
            intent,
            now,
            code=code,
            detail=f"ends the pause {pause.request_id} of {pause.user_id}, which was to last until {pause.until_at}",
            target_kind=pause.target.kind,
            target_id=pause.target.id,
            target_name=pause.target.text,
        )
        for pause in over
    )


def _said(verb: str, over: Sequence[Pause]) -> tuple[Line, ...]:
    """One line for every order whose pause ends here."""
    orders = {pause.request_id: pause for pause in over}
    return tuple(
        Line(text=f"{verb} the pause until {_minute(pause.until_at)} by <@{pause.user_id}> (request {request}).")
        for request, pause in orders.items()
    )


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


async def show_over(deps: Deps, intent: Intent, operation: Operation, settled: Settled) -> None:
    """The cards of the orders whose pauses ended say so. A card that is no longer kept stays as it is."""
    for key in dict.fromkeys(pause.message_key for pause in settled.over if pause.message_key):
        posted = await deps.store.message(key)
        if posted is None or posted.body is None or key == cards.key_of(operation.request_id):
            continue
        card = Card.model_validate(posted.body)
        by = f"<@{intent.actor.user_id}>"
        left = [pause for pause in await deps.store.open_pauses() if pause.message_key == key]
        ends = f"until {_minute(settled.opened[0].until_at)}" if settled.opened else "and has no end"
        new = "Switched on" if settled.rows[0].event is Event.RESUMED else f"Paused {ends}"
        what = f"{new} by {by} (request {operation.request_id})."
        changed = {
            "status": card.status if left else f"This pause is over: {what}",
            "lines": (*card.lines, Line(text=f"{operation.target.text}: {what}")) if left else card.lines,
            "mention": tuple(dict.fromkeys((*card.mention, intent.actor.user_id))),
        }
        await deps.presenter.show(card.model_copy(update=changed))
