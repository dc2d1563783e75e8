"""The end of a pause: switched on again, tried again while the control plane is away, given up when it says that nothing is left.

The pause was allowed with its end, so its end needs no new permission.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.core.audit import Event
from bot.core.card import Card, Line, Tone
from bot.core.errors import NoSuchTarget, Problem
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.outcome import GONE, Done, Failed, Refused, Unknown
from bot.core.ports.services import Backend
from bot.core.records import Pause, StoredEntry, stamp
from bot.features.pauses.pause import minute, say_over
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.backend_call import EVENTS, call
from bot.operations.target_facts import FACTS_WITHIN
from bot.runtime.context import Context

AGAIN_AFTER: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)
)  # the last one for all that follow
ON_AGAIN: Final = "The pause is over: it is on again"
NOT_YET: Final = "The pause is over, and it could not be switched on yet"
NOTHING_LEFT: Final = "The pause is over, and there is nothing left to switch on"
_LAST: Final = (ON_AGAIN, NOTHING_LEFT)
GIVEN_UP: Final = frozenset({"gone", "no_such_backend"})  # the codes of an `abandoned` that ends a pause


def key_of(pause: Pause) -> str:
    """One card for all attempts, so that a control plane that is away does not fill the channel."""
    return f"pause:{pause.id}"


async def resume(ctx: Context, intent: Intent, pause: Pause) -> None:
    """Its time has come."""
    row = ctx.catalog.row(pause.backend, pause.verb_back, pause.target.kind)
    backend = ctx.backends.get(pause.backend)
    if row is None or backend is None:
        await _without_backend(ctx, intent, pause)
        return
    operation = Operation.of(
        row, request_id=intent.request_id, target=pause.target, given={}, reason=f"the pause of {pause.request_id} ends"
    )
    now = ctx.clock.now()
    sent = AuditWriter(ctx.secrets).about(Event.SENT, operation, intent, now, rule=f"pause {pause.request_id}")
    if await ctx.store.sending(intent.request_id, operation, sent, stamp(now)):
        await switch_back(ctx, intent, pause, operation, backend)


async def _without_backend(ctx: Context, intent: Intent, pause: Pause) -> None:
    """The configuration no longer has the control plane: nobody can switch it on from here."""
    now, target = ctx.clock.now(), pause.target
    row = AuditWriter(ctx.secrets).plain(
        Event.ABANDONED,
        intent,
        now,
        verb=pause.verb_back,
        backend=pause.backend,
        target_kind=target.kind,
        target_id=target.id,
        target_name=target.text,
        code="no_such_backend",
        detail=f"pause {pause.request_id}: {_no_backend(pause)}",
    )
    await ctx.store.finish(intent.request_id, (row,), stamp(now), over=(pause,), over_state="failed")
    await show_end(ctx, intent, pause, None, None)


def _no_backend(pause: Pause) -> str:
    return f"`{pause.backend}` is no longer configured here, or no longer offers `{pause.verb_back}`."


def _bare(intent: Intent, pause: Pause, now: datetime) -> Card:
    return Card(
        key=key_of(pause),
        place=intent.place,
        title=f"{pause.verb_back} {pause.target.text}",
        lines=(Line(text=_no_backend(pause)),),
        footer=(f"request {intent.request_id}", "code no_such_backend"),
        mention=(pause.user_id,) if pause.user_id else (),
        at=now,
    )


async def switch_back(ctx: Context, intent: Intent, pause: Pause, operation: Operation, backend: Backend) -> None:
    """The call that ends a pause, registered as sent before. It may be made again: on is on."""
    audit_writer = AuditWriter(ctx.secrets)
    started = ctx.clock.monotonic()
    result = await call(ctx, intent, operation, backend)
    left = await _nothing_left(operation, backend, result)
    now = ctx.clock.now()
    took, whose = round((ctx.clock.monotonic() - started) * 1000), f"pause {pause.request_id}"
    about = partial(audit_writer.about, operation=operation, intent=intent, at=now)
    if left is not None:
        row = about(Event.ABANDONED, code="gone", detail=f"{whose}: {left.summary}", duration_ms=took)
        await ctx.store.finish(intent.request_id, (row,), stamp(now), over=(pause,), over_state="failed")
        await show_end(ctx, intent, pause, operation, left)
        return
    code = None if isinstance(result, Done) else result.code
    rows = [about(EVENTS[result.kind], code=code, detail=result.summary, duration_ms=took)]
    if isinstance(result, Done):
        rows.append(about(Event.RESUMED, detail=whose))
        await ctx.store.finish(intent.request_id, rows, stamp(now), over=(pause,), over_state="resumed")
        await show_end(ctx, intent, pause, operation, result)
        return
    again = now + AGAIN_AFTER[min(pause.tries, len(AGAIN_AFTER) - 1)]
    await ctx.store.postpone_pause(pause.id, again)
    await ctx.store.finish(intent.request_id, rows, stamp(now))
    more = (f"It is tried again at {minute(stamp(again))}, and from then on until it is on.",)
    card = cards.outcome(operation, intent, result, (), now)
    await ctx.presenter.show(_ended(card, pause, NOT_YET, Tone.BAD, more))


async def _nothing_left(
    operation: Operation, backend: Backend, result: Done | Refused | Failed | Unknown
) -> Refused | None:
    """The refusal of a control plane that says clearly, and says again when it is asked, that the thing does not exist or has
    ended. None otherwise, above all while nobody can tell."""
    if not isinstance(result, Refused):
        return None
    target, unknown = operation.target, result.code == NoSuchTarget.code
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            if unknown:
                return result if await backend.state_of(target) in ("", GONE) else None
            view = (await backend.poll(target.group or target.id, [target])).get(target.id)
    except NoSuchTarget as no:
        return result if unknown and no.code == NoSuchTarget.code else None
    except (TimeoutError, Problem):
        return None
    if view is None or not view.phase.ended:
        return None
    return result.model_copy(update={"summary": f"{target.name} has ended ({view.state}). {result.summary}"})


async def show_end(
    ctx: Context,
    intent: Intent,
    pause: Pause,
    operation: Operation | None,
    result: Done | Refused | Failed | Unknown | None,
) -> None:
    """What came of a pause that is over for good: on its own card, and on that of its order when nothing was left of it. Without
    a control plane there is no operation and no result."""
    ctx.stale_homes.stale(pause.user_id)
    now = ctx.clock.now()
    card = cards.outcome(operation, intent, result, (), now) if operation and result else _bare(intent, pause, now)
    if isinstance(result, Done):
        await ctx.presenter.show(_ended(card, pause, ON_AGAIN, Tone.GOOD))
        return
    await ctx.presenter.show(_ended(card, pause, NOTHING_LEFT, Tone.BAD, _stays(pause)))
    what = f"There is nothing left to switch on ({pause.target.text})."
    await say_over(ctx, pause.message_key, what, pause.target.text, pause.user_id)


async def mend_end(ctx: Context, row: StoredEntry) -> None:
    """The same for a pause whose last row is this one, where the program died before its card did."""
    request = await ctx.store.request(row.request_id)
    if request is None or not isinstance(request.intent.payload, Due):
        return
    pause = await ctx.store.pause_by_id(request.intent.payload.row)
    posted = await ctx.store.message(key_of(pause)) if pause is not None else None
    if pause is None or (posted is not None and isinstance(posted.body, dict) and posted.body.get("status") in _LAST):
        return
    result: Done | Refused = Done(summary="")
    if row.event is Event.ABANDONED:
        summary = (row.detail or "").removeprefix(f"pause {pause.request_id}: ")
        result = Refused(code=row.code or "", summary=summary)
    await show_end(ctx, request.intent, pause, request.operation, result)


def _stays(pause: Pause) -> tuple[str, ...]:
    return (f"It is not tried again. If `{pause.target.text}` should run, somebody has to see to it.",)


def _ended(card: Card, pause: Pause, status: str, tone: Tone, texts: tuple[str, ...] = ()) -> Card:
    who = f"Paused by <@{pause.user_id}> since {minute(pause.from_at)}."
    lines = (*card.lines, *(Line(text=text) for text in (*texts, who)))
    return card.model_copy(update={"key": key_of(pause), "status": status, "lines": lines, "tone": tone})
