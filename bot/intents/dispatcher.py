"""One request from its acceptance to its end. Catches everything that the call to a backend doesn't catch itself."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

from bot.core.approval import Approval
from bot.core.audit import Event
from bot.core.card import Line, Tone
from bot.core.effects import Attempt
from bot.core.errors import Problem
from bot.core.intent import Command, Doubt, Due, Form, Intent, Open, ParseError, Press
from bot.core.outcome import Unknown
from bot.core.records import Filters, stamp
from bot.features import approvals, preflight
from bot.features.access import breakglass, grant_end
from bot.features.pauses.resume import postpone, resume
from bot.intents.button import press
from bot.intents.command import doubted, run_command, run_misread
from bot.intents.form import opened, submitted
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import rules_and_person
from bot.operations.completion import finish
from bot.operations.execute import lock_of, target_lock
from bot.operations.reconcile import is_undecided
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

LOOK_AGAIN: Final = 0.5  # seconds until it is looked again whether a call is decided
URGENT_VERBS: Final = frozenset({"stop", "revoke", "breakglass"})
_OUTCOMES: Final = (Event.DONE, Event.FAILED, Event.RECONCILED, Event.ABANDONED, Event.PAUSED)
_WRONG: Final = "Something went wrong"
_UNSURE: Final = "It may or may not have happened."
_log = logging.getLogger("signalbox.dispatcher")


async def due(ctx: Context, intent: Intent, what: Due) -> None:
    """End it, or remind of it."""
    if what.what == "pause":
        if await _pause_over(ctx, intent, what.row):
            return
    elif what.what == "grant":
        if (grant := await ctx.store.grant_by_id(what.row)) is not None:
            await grant_end.expire(ctx, intent, grant)
    else:
        await until_stored(ctx.clock, f"{what.what} {what.row}", partial(_pending_due, ctx, intent, what))
    await ctx.store.finish(intent.request_id, (), ctx.clock.now())


async def _pause_over(ctx: Context, intent: Intent, pause_id: str) -> bool:
    """False when the pause is no longer open: an operation in progress, or one that recovery decides, may end or replace it."""
    while (pause := await ctx.store.pause_by_id(pause_id)) is not None:
        async with lock_of(ctx, pause.target):
            undecided, pause = await is_undecided(ctx, pause.target), await ctx.store.pause_by_id(pause_id)
            if pause is None or pause.state != "open":
                return False
            if not undecided:
                await resume(ctx, intent, pause)
                return True
        await ctx.clock.sleep(LOOK_AGAIN)
    return False


async def _pending_due(ctx: Context, intent: Intent, what: Due) -> None:
    """Remind of a pending decision or end it; whoever repeats the end completes what an earlier try left."""
    pending = await ctx.store.open_pending(what.row)
    if pending is None or pending.state not in ("open", "expired"):
        return
    approval, reminds = Approval.of(pending), what.what == "remind"
    if reminds:
        if approval is not None and pending.state == "open":
            await approvals.remind(ctx, approval)
    elif approval is not None:
        await approvals.expire(ctx, approval)
    elif pending.kind == breakglass.KIND:
        await breakglass.nag(ctx, intent, pending)
    elif pending.operation is not None:
        await preflight.expire(ctx, pending)


def ends_things(intent: Intent) -> bool:
    """Whether it is a command that stops something."""
    return isinstance(intent.payload, Command) and intent.payload.verb in URGENT_VERBS


def is_urgent(intent: Intent) -> bool:
    """Whether it skips the queue: decisions, modals (their trigger is valid for 3 s), timers, and stopping commands."""
    return ends_things(intent) or not isinstance(intent.payload, Command | ParseError)


async def handle(ctx: Context, intent: Intent) -> None:
    """Handle a request that is marked as begun."""
    await guarded(ctx, intent, partial(_dispatch, ctx, intent))


async def guarded(ctx: Context, intent: Intent, work: Callable[[], Awaitable[None]]) -> None:
    """Work on a request. Every exception ends in a recorded outcome: that of a call that may have been sent with all that
    follows from it, such as the end of a pause, unless that raises one too."""
    fault = await _fault_in(intent, work())
    if fault is not None:
        look = partial(_interrupted, ctx, intent)
        attempt = await until_stored(ctx.clock, f"request {intent.request_id}", look)
        fault = await _fault_in(intent, _unknown(ctx, attempt, fault)) if attempt is not None else fault
    if fault is not None:
        await _last_words(ctx, intent, fault)


async def _fault_in(intent: Intent, work: Awaitable[None]) -> Problem | None:
    try:
        await work
    except Problem as trouble:
        _log.warning("request %s: %s", intent.request_id, trouble.code)
        return trouble
    except Exception as error:  # noqa: BLE001  a request must end in a recorded outcome
        _log.error("request %s broke: %s", intent.request_id, type(error).__name__, exc_info=_log.isEnabledFor(10))
        return Problem(f"The bot has a fault ({type(error).__name__}).", code="internal")
    return None


async def _interrupted(ctx: Context, intent: Intent) -> Attempt | None:
    """The call of the request that may have been sent and has no outcome. None without one, or when its pause is over."""
    request, what = await ctx.store.request(intent.request_id), intent.payload
    if request is None or request.state != "sending" or request.operation is None:
        return None
    pause = await ctx.store.pause_by_id(what.row) if isinstance(what, Due) else None
    if isinstance(what, Due) and (pause is None or pause.state != "open"):
        return None
    sent_at = datetime.fromisoformat(request.sent_at or request.updated_at)
    return Attempt(intent, request.operation, pause=pause, sent_at=sent_at)


async def _unknown(ctx: Context, attempt: Attempt, fault: Problem) -> None:
    """End a call that may have been sent."""
    hint = f"Give the administrator this request id: {attempt.intent.request_id}."
    lost = Unknown(code=fault.code, summary=f"{_WRONG}. {fault.summary} {_UNSURE}", hint=hint)
    async with target_lock(ctx, attempt.operation):
        await finish(ctx, attempt, lost, Event.UNKNOWN)


async def _dispatch(ctx: Context, intent: Intent) -> None:
    payload = intent.payload
    if intent.doubt is not None and not await _posts_for_itself(ctx, intent):
        await doubted(ctx, intent, intent.doubt)
    elif isinstance(payload, Command):
        await run_command(ctx, intent, payload)
    elif isinstance(payload, ParseError):
        await run_misread(ctx, intent, payload)
    elif isinstance(payload, Press):
        await press(ctx, intent, payload, lambda part: ctx.tasks.start(handle(ctx, part), part.request_id))
    elif isinstance(payload, Form):
        await submitted(ctx, intent, payload)
    elif isinstance(payload, Open):
        await opened(ctx, intent, payload)
    elif isinstance(payload, Due):
        await due(ctx, intent, payload)


async def _posts_for_itself(ctx: Context, intent: Intent) -> bool:
    """Whether an app posted the text under its own name: then the rules decide about it as about any bot that they name."""
    if intent.doubt is not Doubt.BY_APP:
        return False
    _, subject = await rules_and_person(ctx, intent.actor)
    return subject.known and subject.is_bot


async def _last_words(ctx: Context, intent: Intent, fault: Problem) -> None:
    """Record and show the outcome, as soon as the store can be used."""
    await until_stored(ctx.clock, f"request {intent.request_id}", lambda: _end(ctx, intent, fault.code, fault.summary))


async def _end(ctx: Context, intent: Intent, code: str, summary: str) -> None:
    """Unknown when a call may have been sent, failed otherwise. The end of a pause is tried again if it may be."""
    now, what = ctx.clock.now(), intent.payload
    request = await ctx.store.request(intent.request_id)
    entries = await ctx.store.search(Filters(request_id=intent.request_id))
    if any(entry.event in _OUTCOMES for entry in entries):
        _log.error("request %s: its outcome is recorded, but not shown: %s", intent.request_id, code)
        return
    sent = request is not None and request.state == "sending"
    once = request is not None and request.operation is not None and not request.operation.idempotent
    pause = await ctx.store.pause_by_id(what.row) if isinstance(what, Due) and what.what == "pause" else None
    if pause is not None and not (sent and once):
        await postpone(ctx, pause, now)
    event = Event.UNKNOWN if sent else Event.FAILED
    entry = AuditWriter(ctx.secrets).plain(event, intent, now, code=code, detail=summary)
    await ctx.store.finish(intent.request_id, (entry,), stamp(now))
    consequence = _UNSURE if sent else "Nothing was sent."
    card = cards.private(
        intent,
        _WRONG,
        tone=Tone.UNSURE if sent else Tone.BAD,
        lines=(
            Line(text=f"{summary} {consequence}"),
            Line(text=f"Give the administrator this request id: {intent.request_id}."),
        ),
    )
    await ctx.presenter.show(card, intent.reply)
