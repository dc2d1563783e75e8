"""The end of a request that the bot can't work on, because of a fault of its own or because the store is away."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.core.approval import KIND
from bot.core.audit import AuditEntry, Event
from bot.core.card import Line, Tone
from bot.core.effects import Attempt
from bot.core.errors import Problem
from bot.core.intent import Due, Intent, Press
from bot.core.outcome import Unknown
from bot.core.records import Filters, Pause, PendingDecision, stamp
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.completion import finish
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

AGAIN_AFTER: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)
)  # the last one for all that follow
_OUTCOMES: Final = (Event.DONE, Event.FAILED, Event.RECONCILED, Event.ABANDONED, Event.PAUSED)
_WRONG: Final = "Something went wrong"
_UNSURE: Final = "It may or may not have happened."
_COUNTS: Final = "Your approval counts. If the cards of the request don't show it yet, they follow in a few minutes."
_log = logging.getLogger("signalbox.interrupted")


async def end_unknown(ctx: Context, attempt: Attempt, error: Exception) -> Unknown:
    """End a call that may have been sent and has no outcome, with all that follows from it, such as the end of a pause, unless
    that raises an exception too. Nobody else works on it: the lock of its target is held."""
    intent, fault = attempt.intent, _fault(attempt.intent, error)
    name, hint = f"request {intent.request_id}", f"Give the administrator this request id: {intent.request_id}."
    lost = Unknown(code=fault.code, summary=f"{_WRONG}. {fault.summary} {_UNSURE}", hint=hint)
    request = await until_stored(ctx.clock, name, partial(ctx.store.request, intent.request_id))
    if request is not None and request.state == "sending":
        sent_at = datetime.fromisoformat(request.sent_at or request.updated_at)
        attempt = replace(attempt, began=None, sent_at=sent_at)
        try:
            last = await record_unknown(ctx, attempt, lost)
            await finish(ctx, attempt, lost, last)
        except Exception as another:  # noqa: BLE001  a request must end in a recorded outcome
            fault = _fault(intent, another)
        else:
            return lost
    await _end(ctx, intent, fault)
    return lost


async def record_unknown(ctx: Context, attempt: Attempt, lost: Unknown) -> Event:
    """Append the entry `unknown` once, also when the store doesn't answer whether it has it. Returns the event that ends it."""

    async def record() -> Event:
        *before, last = await _as_lost(ctx, attempt, lost)
        if before:
            await ctx.store.append(*before)
        return last.event

    return await until_stored(ctx.clock, f"request {attempt.operation.request_id}", record)


async def _as_lost(ctx: Context, attempt: Attempt, lost: Unknown) -> list[AuditEntry]:
    """The entries of a call whose outcome stays unknown, the same as after a look that didn't find it. The end of a pause isn't
    given up: it may be tried again."""
    filters = Filters(request_id=attempt.operation.request_id, event=Event.UNKNOWN)
    events = [Event.UNKNOWN, Event.ABANDONED]
    if attempt.pause is not None:
        events = [Event.UNKNOWN]
    elif await ctx.store.search(filters, limit=1):
        events = [Event.ABANDONED]
    writer, now = AuditWriter(ctx.secrets), ctx.clock.now()
    return [writer.outcome(attempt, lost, event, now, ctx.clock.monotonic()) for event in events]


async def last_words(ctx: Context, intent: Intent, error: Exception) -> None:
    """Record and show the outcome, as soon as the store can be used."""
    await _end(ctx, intent, _fault(intent, error))


def _fault(intent: Intent, error: Exception) -> Problem:
    if isinstance(error, Problem):
        _log.warning("request %s: %s", intent.request_id, error.code)
        return error
    fault = type(error).__name__
    _log.error("request %s broke: %s", intent.request_id, fault, exc_info=error if _log.isEnabledFor(10) else None)
    return Problem(f"The bot has a fault ({fault}).", code="internal")


async def _end(ctx: Context, intent: Intent, fault: Problem) -> None:
    name = f"request {intent.request_id}"
    tone, told = await until_stored(ctx.clock, name, partial(_record, ctx, intent, fault))
    card = cards.private(
        intent,
        _WRONG,
        tone=tone,
        lines=(
            Line(text=f"{fault.summary} {told}"),
            Line(text=f"Give the administrator this request id: {intent.request_id}."),
        ),
    )
    await until_stored(ctx.clock, name, partial(ctx.presenter.show, card, intent.reply))


async def _record(ctx: Context, intent: Intent, fault: Problem) -> tuple[Tone, str]:
    """Unknown when a call may have been sent, failed otherwise, unless an outcome is recorded. Returns what to tell, also of what
    is tried again: the end of a pause, if it may be, and an approved request. A press that approved what is used counts."""
    now, what = ctx.clock.now(), intent.payload
    request = await ctx.store.request(intent.request_id)
    sent = request.operation if request is not None and request.state == "sending" else None
    events = {entry.event for entry in await ctx.store.search(Filters(request_id=intent.request_id))}
    if events.intersection(_OUTCOMES) or (Event.SENT in events and sent is None):
        _log.error("request %s: its outcome is recorded, but not shown: %s", intent.request_id, fault.code)
        return Tone.WARN, "The outcome is recorded, but its card may not show it."
    once = sent is not None and not sent.idempotent
    pending = await _pressed(ctx, what) if isinstance(what, Press) else None
    if pending is not None and pending.state == "taken" and pending.decided_by == intent.actor.user_id:
        await ctx.store.finish(intent.request_id, (), stamp(now))
        return Tone.WARN, _COUNTS
    again = pending is not None and pending.state == "approved"
    pause = await ctx.store.pause_by_id(what.row) if isinstance(what, Due) and what.what == "pause" else None
    if pause is not None and not once:
        again = True
        await postpone(ctx, pause, now)
    if sent is not None:
        lost = Unknown(code=fault.code, summary=f"{fault.summary} {_UNSURE}")
        entries = await _as_lost(ctx, Attempt(intent, sent, pause=pause), lost)
        await ctx.store.finish(intent.request_id, entries, stamp(now))
        return Tone.UNSURE, _UNSURE
    entry = AuditWriter(ctx.secrets).plain(Event.FAILED, intent, now, code=fault.code, detail=fault.summary)
    await ctx.store.finish(intent.request_id, (entry,), stamp(now))
    if again:
        return Tone.WARN, "Nothing was sent yet. It is tried again automatically."
    return Tone.BAD, "Nothing was sent."


async def _pressed(ctx: Context, pressed: Press) -> PendingDecision | None:
    """The approval that the press was about."""
    button = await ctx.store.button(pressed.button)
    pending = await ctx.store.open_pending(str(button.means.get("pending"))) if button is not None else None
    return pending if pending is not None and pending.kind == KIND else None


async def postpone(ctx: Context, pause: Pause, now: datetime) -> None:
    """Try to end a pause again later, less and less often."""
    await ctx.store.postpone_pause(pause.id, now + AGAIN_AFTER[min(pause.tries, len(AGAIN_AFTER) - 1)])
