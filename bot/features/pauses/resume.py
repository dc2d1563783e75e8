"""The end of a pause: switch on again, retry while the control plane does not answer, give up when the target is gone.

The pause was allowed with its end, so its end needs no new permission.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import Card, Line, Tone, operation_key
from bot.core.effects import Attempt, Consequences, OfLooks, OfSchedules
from bot.core.errors import NoSuchTarget, Problem
from bot.core.intent import Due, Intent
from bot.core.operation import Operation
from bot.core.outcome import GONE, Done, Outcome, Phase, Refused, RunView, Suggestion, Unknown
from bot.core.ports.services import Backend
from bot.core.records import Filters, Pause, StoredEntry
from bot.core.text import sentences, utc_text
from bot.features.pauses.pause import (
    ENDED_BY_ORDER,
    end_with,
    ends_pause,
    is_end,
    is_held,
    paused_lines,
    say_over,
    settle,
    show_no_end_over,
    show_over,
    show_over_again,
)
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter, columns_of
from bot.operations.execute import execute
from bot.operations.interrupted import postpone
from bot.operations.next_steps import buttons_for
from bot.operations.target_facts import FACTS_WITHIN
from bot.runtime.context import Context

_OVER: Final = ("resumed", "failed")  # the states of a pause that ended at its time
_BY_ITSELF: Final = "it has resumed by its own timer"
BY_TIMER: Final = "own_timer"  # the code of an end that the control plane's own timer brings
STILL_PAUSED: Final = "still_paused"
END_UNKNOWN: Final = "end_unknown"  # of an end that a restart interrupted and that is not sent again
_INTERRUPTED: Final = "I was interrupted while I resumed it, and "
_UNKNOWN: Final = "whether it has resumed is unknown"
_STILL: Final = "the control plane says that it is still paused"
_ENDS: Final = 500  # entries that name a request with pauses
READ_AGAIN_AFTER: Final = (timedelta(seconds=10), timedelta(minutes=1))
_GIVEN_UP: Final = frozenset(
    {"gone", "no_such_backend", BY_TIMER, STILL_PAUSED, END_UNKNOWN}
)  # the codes of an `abandoned` that ends a pause


async def resume(ctx: Context, intent: Intent, pause: Pause) -> None:
    """End a pause whose time is over."""
    capability = ctx.catalog.capability(pause.backend, pause.verb_back, pause.target.kind)
    if capability is None or pause.backend not in ctx.backends:
        await _without_backend(ctx, intent, pause)
        return
    if ctx.catalog.own_timer(pause.backend, pause.verb_back):
        await _by_own_timer(ctx, intent, pause)
        return
    reason = f"the pause that began {utc_text(pause.from_at)} ends"
    operation = Operation.of(capability, request_id=intent.request_id, target=pause.target, given={}, reason=reason)
    await execute(ctx, Attempt(intent, operation, pause=pause))


async def _by_own_timer(ctx: Context, intent: Intent, pause: Pause) -> None:
    """Read whether the control plane's own timer has ended the pause. Its clock may differ, and it may not answer, so it is read
    up to three times."""
    now, held = ctx.clock.now(), await is_held(ctx, pause.target)
    if held is not False and pause.tries < len(READ_AGAIN_AFTER):
        await ctx.store.postpone_pause(pause.id, now + READ_AGAIN_AFTER[pause.tries])
        await ctx.store.finish(intent.request_id, (), now)
        return
    event, code, how = {
        False: (Event.RESUMED, BY_TIMER, _BY_ITSELF),
        True: (Event.ABANDONED, STILL_PAUSED, f"its timer is over, but {_STILL}"),
        None: (Event.ABANDONED, BY_TIMER, "its timer is over; whether it has resumed can't be read"),
    }[held]
    columns = {**columns_of(pause.target), "code": code, "detail": f"pause {pause.request_id}: {how}"}
    entry = AuditWriter(ctx.secrets).plain(event, intent, now, verb=pause.verb_back, **columns)
    over = "resumed" if held is False else "failed"
    await ctx.store.finish(intent.request_id, (entry,), now, over=(pause,), over_state=over)
    await _say_by_itself(ctx, pause, how)


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
            if isinstance(result, Done) and not (is_end(ctx, attempt.operation) and attempt.operation.starts_run):
                await show_no_end_over(ctx, attempt)
            await _show_ends(ctx, attempt.operation)
        elif consequences.over_state and isinstance(result, Unknown) and consequences.outcome is not None:
            await _say_by_itself(ctx, attempt.pause, _how_of(consequences.outcome, attempt.pause))
        elif consequences.over_state:
            await _say_over(ctx, attempt.pause, consequences.over_state)

    async def run_ended(self, ctx: Context, attempt: Attempt, view: RunView) -> None:
        """A stop was accepted, and its run was stopped."""
        if view.phase is Phase.STOPPED and is_end(ctx, attempt.operation):
            await end_with(ctx, attempt)


class PausedEffect(OfLooks[Context]):
    """What shows the state of a target or its schedules says that they are paused."""

    async def after_outcome(self, ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Consequences:
        """A line for every pause."""
        run = result.run if isinstance(result, Done) else None
        return Consequences(lines=await paused_lines(ctx, attempt.operation, run))


async def _ended_by_time(ctx: Context, attempt: Attempt, pause: Pause, result: Outcome, now: datetime) -> Consequences:
    """Over when it is on again, nothing is left to switch on, or a look after a restart did not tell; otherwise tried again
    later."""
    writer, whose = AuditWriter(ctx.secrets), f"pause {pause.request_id}"
    if isinstance(result, Unknown) and attempt.began is None and not attempt.operation.idempotent:
        return await _ended_unseen(ctx, attempt, pause, result, now)
    refused = isinstance(result, Refused)
    left = await _nothing_left(attempt.operation, ctx.backends[pause.backend], result) if refused else None
    if left is not None:
        entry = writer.outcome(
            attempt, left, Event.ABANDONED, now, ctx.clock.monotonic(), code="gone", detail=f"{whose}: {left.summary}"
        )
        over = Consequences(over=(pause,), over_state="failed", outcome=entry, result=left)
        return over + await _card_of(ctx, pause, "failed")
    if isinstance(result, Done):
        entry = writer.attempted(attempt, Event.RESUMED, now, detail=whose)
        # Without its run: the card of the request that started it follows that, and this one tells the end of the pause.
        unfollowed = result.model_copy(update={"run": None})
        over = Consequences(over=(pause,), over_state="resumed", entries=(entry,), result=unfollowed)
        return over + await _card_of(ctx, pause, "resumed")
    await postpone(ctx, pause, now)
    return await _card_of(ctx, pause, "open")


async def _ended_unseen(ctx: Context, attempt: Attempt, pause: Pause, result: Unknown, now: datetime) -> Consequences:
    """Over without another try: the call may have been sent, and its effect was not found."""
    operation, label = attempt.operation, pause.target.label
    held = pause.backend in ctx.backends and await is_held(ctx, pause.target)
    code, how = (STILL_PAUSED, _STILL) if held else (END_UNKNOWN, _UNKNOWN)
    detail, clock = f"pause {pause.request_id}: {_INTERRUPTED}{how}", ctx.clock.monotonic()
    back = Suggestion(label="Resume", verb=operation.verb, target=cards.written(operation.target))
    return Consequences(
        over=(pause,),
        over_state="failed",
        outcome=AuditWriter(ctx.secrets).outcome(
            attempt, result, Event.ABANDONED, now, clock, code=code, detail=detail
        ),
        result=result.model_copy(update={"hint": ""}) if held else result,
        key=f"pause:{pause.id}",
        title=f"{pause.verb_back} {label}",
        status=f"The pause is over, but {how}",
        lines=(Line(text=f"I don't try again. If `{label}` should go on, resume it by hand."),),
        buttons=await buttons_for(ctx, attempt.intent, operation, (back,), about=operation.target, refresh=False)
        if held
        else (),
    )


async def _card_of(ctx: Context, pause: Pause, state: str) -> Consequences:
    """How the card of the operation becomes the one card of the end of all pauses of a request, for all attempts: a control
    plane that is down does not fill the channel. `state` is that of this pause after the operation."""
    every = await ctx.store.pauses_of(pause.request_id)
    ends = [one.model_copy(update={"state": state}) if one.id == pause.id else one for one in every]
    ends = [one for one in ends if one.state in (*_OVER, "open")]  # the others ended with newer requests
    again, there = sum(one.state == "resumed" for one in ends), ctx.catalog.resumes(pause.backend, pause.verb_back)
    texts = [text for one in ends if (text := _what_next(one, there))]
    tone = Tone.GOOD if again == len(ends) else Tone.BAD if texts else Tone.WORKING
    title, status = "", f"The pause is over{': ' if again else ', but '}{_how(ends[0])}"
    if len(ends) > 1:
        title = f"{pause.verb_back} {pause.target.scope or pause.target.label}"
        many = "both are" if again == len(ends) == 2 else f"{again} of {len(ends)} {'is' if again == 1 else 'are'}"
        status = f"The pause is over: {many} on again"
        texts = [f"{one.target.label}: {sentences(_how(one), _what_next(one, there))}" for one in ends]
    if tone is Tone.BAD:  # in a good state, the first line of the card says so
        texts.append(f"Paused by <@{pause.user_id}> since {utc_text(pause.from_at)}.")
    lines = tuple(Line(text=text) for text in texts)
    return Consequences(key=f"pause:{every[0].id}", title=title, tone=tone, status=status, lines=lines)


def _how(pause: Pause) -> str:
    job = pause.verb_back == "resume"
    if pause.state == "resumed":
        return "it has resumed" if job else "it is on again"
    if pause.state == "failed":
        return f"nothing is left to {'resume' if job else 'switch on'}"
    if pause.tries:
        return f"it could not be {'resumed' if job else 'switched on'} yet"
    return f"it is being {'resumed' if job else 'switched on'}"


def _what_next(pause: Pause, there: bool) -> str:
    """The next step after the end of a pause that did not work. `there`: the control plane is still configured, so a job for
    which nothing is left to resume has ended."""
    job = pause.verb_back == "resume"
    if pause.state == "failed":
        if job and there:
            return "I don't try again."
        hand = "go on, resume it" if job else "be on, switch it on"
        return f"I don't try again. If `{pause.target.label}` should {hand} by hand."
    if pause.state == "open" and pause.tries:
        return f"Next attempt: {utc_text(pause.until_at)}. I keep trying until it {'has resumed' if job else 'is on'}."
    return ""


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
        key=operation_key(intent.request_id),
        place=intent.place,
        title=f"{pause.verb_back} {pause.target.label}",
        lines=(Line(text=text),),
        mention=(pause.user_id,) if pause.user_id else (),
        at=ctx.clock.now(),
    )
    ctx.stale_homes.stale(pause.user_id)
    await ctx.presenter.show((await _card_of(ctx, pause, "failed")).on(card))
    await _say_over(ctx, pause, "failed")


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


async def _say_over(ctx: Context, pause: Pause, state: str) -> None:
    """On the card of the request that paused it: it no longer promises an end, and its button would do nothing."""
    about, user = pause.target.label, pause.user_id if state == "failed" else None
    how = _how(pause.model_copy(update={"state": state}))
    await say_over(ctx, pause.request_id, f"{how}.", about, user)


async def _say_by_itself(ctx: Context, pause: Pause, how: str) -> None:
    """On the card of the request, without a card of its own: the bot did nothing."""
    ctx.stale_homes.stale(pause.user_id)
    await say_over(ctx, pause.request_id, f"{how}.", pause.target.label, None if how == _BY_ITSELF else pause.user_id)


def _how_of(entry: AuditEntry, pause: Pause) -> str:
    """How the pause ended, as its audit entry says."""
    return (entry.detail or "").removeprefix(f"pause {pause.request_id}: ")


async def _show_ends(ctx: Context, operation: Operation) -> None:
    """Show on the card of a request which of its pauses are over by now: another look at its outcome has drawn it anew."""
    own = await ctx.store.pauses_of(operation.request_id)
    ctx.stale_homes.stale(*(pause.user_id for pause in own))  # it may be sure now
    over = [pause for pause in own if pause.state != "open"]
    if over:
        since, backend = over[0].from_at, operation.target.backend
        found = await ctx.store.search(Filters(text=operation.request_id, since=since, backend=backend), limit=_ENDS)
        for entry in reversed(found):
            if ends_pause(entry, operation.request_id):
                await show_end_again(ctx, entry)


async def show_end_again(ctx: Context, entry: StoredEntry) -> None:
    """Show the end of a pause in this entry, when the program stopped before its card was shown. Nothing for another entry."""
    if entry.code in ENDED_BY_ORDER:
        await show_over_again(ctx, entry)
        return
    if entry.event is not Event.RESUMED and entry.code not in _GIVEN_UP:
        return
    request = await ctx.store.request(entry.request_id)
    if request is None or not isinstance(request.intent.payload, Due):
        return
    intent = request.intent
    pause = await ctx.store.pause_by_id(request.intent.payload.row)
    if pause is None:
        return
    summary = _how_of(entry, pause)
    if entry.code in (BY_TIMER, STILL_PAUSED, END_UNKNOWN):
        await _say_by_itself(ctx, pause, summary)
        return
    state = "resumed" if entry.event is Event.RESUMED else "failed"
    over = await _card_of(ctx, pause, state)
    posted = await ctx.store.message(over.key)
    if posted is None or not isinstance(posted.body, dict) or posted.body.get("status") != over.status:
        ctx.stale_homes.stale(pause.user_id)
        if request.operation is None:
            await _show_without_backend(ctx, intent, pause, summary)
            return
        result = Done(summary="") if state == "resumed" else Refused(code=entry.code or "", summary=summary)
        await ctx.presenter.show(over.on(cards.outcome(request.operation, intent, result, (), ctx.clock.now())))
    await _say_over(ctx, pause, state)
