"""After a restart: what was under way ends in a stated outcome. What may have been sent is looked up, never sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.core.audit import Event
from bot.core.card import Line, Tone, operation_key
from bot.core.command.until import ends_at
from bot.core.effects import Attempt
from bot.core.intent import Due
from bot.core.operation import Operation
from bot.core.outcome import Done, Failed, Unknown
from bot.core.records import Filters, StoredEntry, StoredRequest, stamp
from bot.features import approvals, home
from bot.features.access import breakglass
from bot.features.pauses.pause import ENDED_BY_ORDER, mend_over
from bot.features.pauses.resume import GIVEN_UP, show_end_again
from bot.intents.dispatcher import handle
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, authorize
from bot.operations.execute import execute, look_up, target_lock
from bot.runtime.context import Context

STILL_MEANT = timedelta(minutes=5)
LAST: Final = 500
LAST_OF_PAUSES: Final = 100
_OUTCOMES: Final = (Event.DONE, Event.FAILED, Event.RECONCILED, Event.ABANDONED)


async def recover(ctx: Context) -> int:
    """Pick up every request that was open; how many there were."""
    rows = await ctx.store.unfinished()
    await show_outcomes(ctx)
    await show_pauses(ctx)
    # After the rows were read: what it sends from here on is under way and no leftover.
    await approvals.recover(ctx)
    await breakglass.recover(ctx)
    await home.recover(ctx)
    for row in rows:
        name = f"recover {row.request_id}"
        if row.state == "sending" and row.operation:
            ctx.tasks.start(_sent(ctx, row, row.operation), name)
        else:  # a flood may have left thousands
            ctx.tasks.enqueue(partial(_not_sent, ctx, row), name)
    return len(rows)


async def _not_sent(ctx: Context, row: StoredRequest) -> None:
    """Nothing left the program: go on if it is still meant, else say that it was dropped."""
    now = ctx.clock.now()
    if row.state == "new":
        await ctx.store.begin(row.request_id, stamp(now))
    if isinstance(row.intent.payload, Due) or now - row.intent.at <= STILL_MEANT:
        await handle(ctx, row.intent)
        return
    event = AuditWriter(ctx.secrets).plain(
        Event.ABANDONED, row.intent, now, code="not_sent", detail="found open after a restart; nothing had been sent"
    )
    await ctx.store.finish(row.request_id, (event,), stamp(now))
    card = cards.private(
        row.intent,
        "Not done: I was restarted",
        tone=Tone.WARN,
        lines=(Line(text="Nothing was sent. Type the command again if it is still wanted."),),
        footer=(f"request {row.request_id}",),
    )
    await ctx.presenter.show(card, row.intent.reply)


async def _sent(ctx: Context, request: StoredRequest, operation: Operation) -> None:
    """The call may have been made: its outcome is unknown until it is repeated or the backend says what became of it."""
    intent = request.intent
    sent_at = datetime.fromisoformat(request.sent_at or request.updated_at)
    attempt = Attempt(intent, operation, sent_at=sent_at)
    lost = Unknown(code="restarted", summary="The bot stopped while this was being sent.")
    async with target_lock(ctx, operation):
        now = ctx.clock.now()
        writer = AuditWriter(ctx.secrets)
        await ctx.store.append(writer.outcome(attempt, lost, Event.UNKNOWN, now, ctx.clock.monotonic()))
        repeatable = await _repeatable(ctx, attempt) if operation.repeat_safe else None
        if repeatable is not None:
            await execute(ctx, repeatable, again=True)
        else:
            await look_up(ctx, attempt, lost)


async def _repeatable(ctx: Context, attempt: Attempt) -> Attempt | None:
    """The call that may be repeated, as it ends in the same state: the end of a pause always, another only while it is
    still meant and the rules still allow it. None when it is only looked up."""
    intent, operation, now = attempt.intent, attempt.operation, ctx.clock.now()
    if operation.target.backend not in ctx.backends:
        return None
    if isinstance(intent.payload, Due):
        pause = await ctx.store.pause_by_id(intent.payload.row) if intent.payload.what == "pause" else None
        return replace(attempt, pause=pause) if pause is not None and pause.state == "open" else None
    capability = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if capability is None or now - intent.at > STILL_MEANT:
        return None
    ends = ends_at(operation, intent.at, ctx.zone) if capability.pausable else None
    if ends is not None and ends <= now:  # the pause would be over already
        return None
    ruling = await authorize(ctx, intent, operation, capability, max_age=FRESH)
    return replace(attempt, ruling=ruling) if ruling.allowed else None


async def show_outcomes(ctx: Context) -> None:
    """Of the newest outcomes, those whose card still says that it is being worked on."""
    for event in _OUTCOMES:
        for row in await ctx.store.search(Filters(event=str(event)), limit=LAST):
            posted = await ctx.store.message(operation_key(row.request_id))
            body = posted.body if posted is not None else None
            # Only a card of work under way has the working colour and no time.
            if isinstance(body, dict) and body.get("tone") == str(Tone.WORKING) and body.get("at") is None:
                await _show_outcome(ctx, row)


async def show_pauses(ctx: Context) -> None:
    """Of the newest pauses that ended, those whose cards do not say so; the oldest first, so that the last word is the newest."""
    for event in (Event.PAUSED, Event.RESUMED, Event.ABANDONED):
        rows = await ctx.store.search(Filters(event=str(event)), limit=LAST_OF_PAUSES)
        for row in reversed(rows):
            if row.code in ENDED_BY_ORDER:
                await mend_over(ctx, row)
            elif event is Event.RESUMED or row.code in GIVEN_UP:
                await show_end_again(ctx, row)


async def _show_outcome(ctx: Context, row: StoredEntry) -> None:
    request = await ctx.store.request(row.request_id)
    if request is None or request.state != "ended" or request.operation is None:
        return
    result = _result(row)
    card = cards.outcome(request.operation, request.intent, result, (), ctx.clock.now(), row.rule or "")
    await ctx.presenter.show(card)


def _result(row: StoredEntry) -> Done | Failed | Unknown:
    """The outcome as far as its row tells it."""
    summary, code = row.detail or "", row.code or ""
    if row.event is Event.ABANDONED:
        return Unknown(code=code, summary=summary)
    if row.event is Event.FAILED or (row.event is Event.RECONCILED and code != "done"):
        return Failed(code=code, summary=summary)
    return Done(summary=summary, backend_ref=row.backend_ref)
