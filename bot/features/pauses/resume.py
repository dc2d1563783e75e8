"""The end of a pause: switch on again, retry while the control plane does not answer, give up when the target is gone.

The pause was allowed with its end, so its end needs no new permission.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Card, Line, Tone
from bot.core.effects import Attempt, Consequences, OfSchedules
from bot.core.errors import NoSuchTarget, Problem
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.outcome import GONE, Done, Outcome, Refused
from bot.core.ports.services import Backend
from bot.core.records import Pause, StoredEntry
from bot.core.text import utc_text
from bot.features.pauses.pause import say_over, settle, show_over
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter, columns_of
from bot.operations.execute import execute
from bot.operations.target_facts import FACTS_WITHIN
from bot.runtime.context import Context

AGAIN_AFTER: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)
)  # the last one for all that follow
ON_AGAIN: Final = "The pause is over: it is on again"
NOT_YET: Final = "The pause is over, but it could not be switched on yet"
NOTHING_LEFT: Final = "The pause is over, but nothing is left to switch on"
_LAST: Final = (ON_AGAIN, NOTHING_LEFT)
GIVEN_UP: Final = frozenset({"gone", "no_such_backend"})  # the codes of an `abandoned` that ends a pause


def key_of(pause: Pause) -> str:
    """One card for all attempts, so that a control plane that is down does not fill the channel."""
    return f"pause:{pause.id}"


async def resume(ctx: Context, intent: Intent, pause: Pause) -> None:
    """End a pause whose time is over."""
    capability = ctx.catalog.capability(pause.backend, pause.verb_back, pause.target.kind)
    if capability is None or pause.backend not in ctx.backends:
        await _without_backend(ctx, intent, pause)
        return
    reason = f"the pause that began {utc_text(pause.from_at)} ends"
    operation = Operation.of(capability, request_id=intent.request_id, target=pause.target, given={}, reason=reason)
    await execute(ctx, Attempt(intent, operation, pause=pause))


class PauseEffect(OfSchedules[Context]):
    """Pauses begin and end with the operations that switch something off and on."""

    async def after_outcome(self, ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Consequences:
        """The pauses that begin and end. For the end of a pause itself: whether it is over or tried again."""
        if attempt.pause is None:
            return await settle(ctx, attempt, result, now)
        return await _ended_by_time(ctx, attempt, attempt.pause, result, now)

    async def after_card(self, ctx: Context, attempt: Attempt, result: Outcome, consequences: Consequences) -> None:
        """Update the cards of the requests whose pauses are over."""
        if attempt.pause is None:
            await show_over(ctx, attempt.intent, attempt.operation, consequences)
        elif consequences.over_state == "failed":
            await _say_nothing_left(ctx, attempt.pause)
        elif consequences.over_state == "resumed":
            await _say_on_again(ctx, attempt.pause)


async def _ended_by_time(ctx: Context, attempt: Attempt, pause: Pause, result: Outcome, now: datetime) -> Consequences:
    """Over when it is on again or nothing is left to switch on; otherwise tried again later."""
    writer, whose = AuditWriter(ctx.secrets), f"pause {pause.request_id}"
    left = await _nothing_left(attempt.operation, ctx.backends[pause.backend], result)
    if left is not None:
        entry = writer.outcome(
            attempt, left, Event.ABANDONED, now, ctx.clock.monotonic(), code="gone", detail=f"{whose}: {left.summary}"
        )
        over = Consequences(over=(pause,), over_state="failed", outcome=entry, result=left)
        return over + _card_of(pause, NOTHING_LEFT, Tone.BAD, _stays(pause))
    if isinstance(result, Done):
        entry = writer.attempted(attempt, Event.RESUMED, now, detail=whose)
        over = Consequences(over=(pause,), over_state="resumed", entries=(entry,))
        return over + _card_of(pause, ON_AGAIN, Tone.GOOD)
    again = now + AGAIN_AFTER[min(pause.tries, len(AGAIN_AFTER) - 1)]
    await ctx.store.postpone_pause(pause.id, again)
    more = f"Next attempt: {utc_text(again)}. I keep trying until it is on."
    return _card_of(pause, NOT_YET, Tone.BAD, more)


def _card_of(pause: Pause, status: str, tone: Tone, *texts: str) -> Consequences:
    """How the card of the operation becomes the one card of the end of this pause."""
    who = f"Paused by <@{pause.user_id}> since {utc_text(pause.from_at)}."
    lines = tuple(Line(text=text) for text in (*texts, who)) if texts else ()  # its first line says who and since when
    return Consequences(key=key_of(pause), tone=tone, status=status, lines=lines)


async def _without_backend(ctx: Context, intent: Intent, pause: Pause) -> None:
    """The configuration no longer has the backend, so the pause ends without a call."""
    now = ctx.clock.now()
    text = f"`{pause.backend}` is no longer configured, or no longer supports `{pause.verb_back}`."
    entry = AuditWriter(ctx.secrets).plain(
        Event.ABANDONED,
        intent,
        now,
        verb=pause.verb_back,
        **columns_of(pause.target),
        code="no_such_backend",
        detail=f"pause {pause.request_id}: {text}",
    )
    await ctx.store.finish(intent.request_id, (entry,), now, over=(pause,), over_state="failed")
    await _show_without_backend(ctx, intent, pause, text)


async def _show_without_backend(ctx: Context, intent: Intent, pause: Pause, text: str) -> None:
    card = Card(
        key=key_of(pause),
        place=intent.place,
        title=f"{pause.verb_back} {pause.target.label}",
        lines=(Line(text=text),),
        mention=(pause.user_id,) if pause.user_id else (),
        at=ctx.clock.now(),
    )
    ctx.stale_homes.stale(pause.user_id)
    await ctx.presenter.show(_card_of(pause, NOTHING_LEFT, Tone.BAD, _stays(pause)).on(card))
    await _say_nothing_left(ctx, pause)


async def _nothing_left(operation: Operation, backend: Backend, result: Outcome) -> Refused | None:
    """The refusal of a control plane that reports, also when asked a second time, that the target does not exist or has ended.
    None otherwise, also while this is unknown."""
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


async def _say_nothing_left(ctx: Context, pause: Pause) -> None:
    """On the card of the request that paused it."""
    what = f"Nothing is left to switch on ({pause.target.label})."
    await say_over(ctx, pause.message_key, what, pause.target.label, pause.user_id)


async def _say_on_again(ctx: Context, pause: Pause) -> None:
    """On the same card: it no longer promises an end, and its button would do nothing."""
    await say_over(ctx, pause.message_key, "It is on again.", pause.target.label, None)


async def show_end_again(ctx: Context, entry: StoredEntry) -> None:
    """Show the end of a pause in this entry, when the program stopped before its card was shown."""
    request = await ctx.store.request(entry.request_id)
    if request is None or not isinstance(request.intent.payload, Due):
        return
    intent = request.intent
    pause = await ctx.store.pause_by_id(request.intent.payload.row)
    posted = await ctx.store.message(key_of(pause)) if pause is not None else None
    if pause is None or (posted is not None and isinstance(posted.body, dict) and posted.body.get("status") in _LAST):
        return
    summary = (entry.detail or "").removeprefix(f"pause {pause.request_id}: ")
    ctx.stale_homes.stale(pause.user_id)
    if request.operation is None:
        await _show_without_backend(ctx, intent, pause, summary)
        return
    now = ctx.clock.now()
    if entry.event is Event.RESUMED:
        card = cards.outcome(request.operation, intent, Done(summary=""), (), now)
        await ctx.presenter.show(_card_of(pause, ON_AGAIN, Tone.GOOD).on(card))
        await _say_on_again(ctx, pause)
        return
    card = cards.outcome(request.operation, intent, Refused(code=entry.code or "", summary=summary), (), now)
    await ctx.presenter.show(_card_of(pause, NOTHING_LEFT, Tone.BAD, _stays(pause)).on(card))
    await _say_nothing_left(ctx, pause)


def _stays(pause: Pause) -> str:
    return f"I don't try again. If `{pause.target.label}` should be on, switch it on by hand."
