"""The end of every operation: its outcome, audit entries and card."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import Button, Card, Delivery, operation_key
from bot.core.command.capability import Risk
from bot.core.effects import NOTHING, Attempt, Consequences, concerned
from bot.core.errors import CredentialRefused, Problem
from bot.core.intent import Press
from bot.core.operation import Operation
from bot.core.outcome import STARTED, Done, Fact, Failed, FileOut, Outcome, Phase, Refused, RunView, Unknown, made_by
from bot.core.records import Filters, Watch, stamp
from bot.core.text import plural
from bot.core.value import Json
from bot.operations import cards, newer_run
from bot.operations.audit_writer import AuditWriter
from bot.operations.followed import followers
from bot.operations.next_steps import MOST, MOST_OF_A_LIST, buttons_for, check_again, once_more
from bot.runtime.context import Context
from bot.runtime.until_stored import IN_DOUBT, until_stored

_USUAL_OF: Final = 10  # runs
_USUAL_SINCE: Final = timedelta(days=30)
_USUAL_FROM: Final = 2  # successful ones; a single run says little


async def finish(ctx: Context, attempt: Attempt, result: Outcome, event: Event) -> Outcome:
    """Write the outcome and its consequences in one transaction, then show it and deliver the files.

    Only this process knows the outcome. So it waits as long as the store can't be used.
    """
    now, name = ctx.clock.now(), f"request {attempt.operation.request_id}"
    if attempt.operation.risk is not Risk.READ:
        ctx.listings.changed(attempt.operation.target.backend)
    effects = [one for one in concerned(ctx.effects, ctx.catalog, attempt) if result.kind in one.kinds]

    async def record() -> Consequences:
        found = NOTHING
        for effect in effects:
            found += await effect.after_outcome(ctx, attempt, result, now) or NOTHING
        entry = found.outcome or AuditWriter(ctx.secrets).outcome(attempt, result, event, now, ctx.clock.monotonic())
        await _record(ctx, attempt, found.result or result, (entry, *found.entries), found, now)
        return found

    _, about = attempt.refreshes or (attempt.intent, attempt.operation)
    async with ctx.locks.of(operation_key(about.request_id)):  # the run may end before its outcome is shown
        found = await until_stored(ctx.clock, name, record)
        shown = found.result or result
        if not await until_stored(ctx.clock, name, lambda: _is_outdated(ctx, attempt, shown)):
            await until_stored(ctx.clock, name, lambda: _show(ctx, attempt, shown, found, now))
    for effect in effects:
        await until_stored(ctx.clock, name, partial(effect.after_card, ctx, attempt, shown, found))
    if attempt.operation.incident is not None:
        await recorded(ctx, attempt.operation)
    return shown


async def recorded(ctx: Context, operation: Operation) -> None:
    """Call this hook of every feature."""
    for effect in ctx.effects:
        await effect.recorded(ctx, operation)


async def _record(
    ctx: Context, attempt: Attempt, result: Outcome, entries: Sequence[AuditEntry], found: Consequences, now: datetime
) -> None:
    """One transaction. When its commit is in doubt, it is looked up in the store."""
    operation = attempt.operation
    watch = await _watch(ctx, attempt, result, now)
    run = (result.run or operation.target) if isinstance(result, Done) and attempt.refreshes is None else None
    try:
        await ctx.store.finish(
            operation.request_id,
            entries,
            now,
            watch=watch,
            pauses=found.opened,
            over=found.over,
            over_state=found.over_state,
            run=run,
            made=made_by(operation, result) if isinstance(result, Done) and attempt.refreshes is None else (),
        )
    except Problem as problem:
        if problem.code != IN_DOUBT or not await _is_written(ctx, entries[0]):
            raise
    if watch is not None or found.entries or found.over:
        others = await followers(ctx, watch) if watch is not None and operation.verb == "stop" else ()
        ctx.stale_homes.stale(attempt.intent.actor.user_id, *(pause.user_id for pause in found.over), *others)


async def _is_written(ctx: Context, entry: AuditEntry) -> bool:
    """Whether the entry is in the audit log. That the request has ended doesn't show it: it may have ended before."""
    filters = Filters(request_id=entry.request_id, event=entry.event)
    look = partial(ctx.store.search, filters, limit=1)
    found = await until_stored(ctx.clock, f"request {entry.request_id}", look)
    return any(one.at == entry.at for one in found)


async def _watch(ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Watch | None:
    """The watch of the run that was started, None when there is nothing to follow."""
    operation, intent = attempt.operation, attempt.intent
    if not isinstance(result, Done) or result.run is None or not operation.starts_run:
        return None
    return Watch(
        id=ctx.ids.secret(),
        request_id=operation.request_id,
        backend=result.run.backend,
        group_key=result.run.group or result.run.id,
        target=result.run,
        message_key=operation_key(operation.request_id),
        channel_id=intent.place.channel_id,
        user_id=intent.actor.user_id,
        view=await _with_usual(ctx, operation, result.view),
        due_at=stamp(now),
        made_at=stamp(now),
    )


async def _with_usual(ctx: Context, operation: Operation, view: RunView | None) -> RunView | None:
    """The view with how long the last successful runs of this target took, if there are enough of them."""
    since = stamp(ctx.clock.now() - _USUAL_SINCE)
    target, verb = operation.target, operation.verb
    filters = Filters(target_id=target.id, backend=target.backend, event=Event.ENDED, verb=verb, since=since)
    ended = await ctx.store.search(filters, limit=_USUAL_OF)
    took = [entry.duration_ms for entry in ended if entry.code == Phase.SUCCEEDED and entry.duration_ms]
    if len(took) < _USUAL_FROM:
        return view
    return (view or STARTED).model_copy(update={"usual": timedelta(milliseconds=median(took))})


async def _show(ctx: Context, attempt: Attempt, result: Outcome, found: Consequences, now: datetime) -> None:
    """The card of the operation, or the card that a Refresh brings up to date; then the workflow step and the files."""
    reply = attempt.intent.reply
    done = result if isinstance(result, Done) else None
    if attempt.refreshes is not None and done is None:
        await ctx.presenter.show(cards.private(attempt.intent, f"Not refreshed: {result.summary}"), reply)
        return
    intent, operation = attempt.refreshes or (attempt.intent, attempt.operation)
    situation = attempt.ruling.situation if attempt.ruling is not None and attempt.refreshes is None else None
    if done is not None and attempt.refreshes is not None:
        result = done.model_copy(update={"facts": (*done.facts, Fact(label="Refreshed", value=now))})
        if done.view is not None:
            kept: Json = {"at": stamp(now), "state": done.view.state}
            await ctx.store.set_value(cards.refreshed_key(operation.request_id), kept, now)
    turned_away = isinstance(result, Failed) and result.code == CredentialRefused.code
    offered = operation.verb in {one.verb for one in result.next}  # the retry of a run that failed
    failed = isinstance(result, Failed) and attempt.pause is None and not turned_away and not offered
    buttons = await buttons_for(
        ctx,
        intent,
        operation,
        (*result.next, *(once_more(operation) if failed else ())),
        about=(done and (done.run or done.made)) or attempt.operation.target,
        refresh=done is not None and (done.run is not None or attempt.operation.verb == "status"),
        view=done.view if done is not None else None,
        linked=not isinstance(result, Refused) and not (done is not None and done.unlinked),
        situation=situation,
        most=MOST_OF_A_LIST if done is not None and done.view is None and done.table is not None else MOST,
    )
    if turned_away:
        health = f"health {operation.target.backend}"  # tries to sign in again
        buttons = (Button(label=health, action="say", id=ctx.ids.secret(), means=cards.say_means(health)), *buttons)
    if isinstance(result, Unknown) and attempt.pause is None:  # the end of a pause is tried again by itself
        buttons = (*check_again(ctx, operation), *buttons)
    rule = attempt.rule if attempt.pause is None and attempt.refreshes is None else ""
    run = done.run if done is not None else None
    no_stop = ctx.catalog.no_stop(run.backend, run.kind) if run is not None else ""
    card = found.on(cards.outcome(operation, intent, result, buttons, now, rule, no_stop))
    if attempt.refreshes is not None:
        card = await newer_run.noted(ctx, card, fresh=done is not None and done.view is None)
    card = await newer_run.with_reruns(ctx, card) if operation.risk is Risk.READ else card
    files = done.files if done is not None else ()
    one_reply = bool(files) and await _is_one_reply(ctx, attempt)
    if not one_reply:
        await ctx.presenter.show(card, None if attempt.refreshes is not None or attempt.pause is not None else reply)
    if reply.step_id is not None:
        await ctx.presenter.step(reply.step_id, ok=done is not None, text=result.summary)
    if files:
        await _deliver(ctx, attempt, files, card if one_reply else None)


async def _is_outdated(ctx: Context, attempt: Attempt, result: Outcome) -> bool:
    """Whether the card that a Refresh brings up to date has a later state than what was read. A slow answer holds nobody up who
    shows one."""
    if attempt.refreshes is None or attempt.sent_at is None or not isinstance(result, Done):
        return False
    posted = await ctx.store.message(operation_key(attempt.refreshes[1].request_id))
    shown = Card.stored(posted.body).at if posted is not None and posted.kind == "message" else None
    return shown is not None and shown > attempt.sent_at


async def _is_one_reply(ctx: Context, attempt: Attempt) -> bool:
    """Whether the files are the whole answer in the thread of a card whose button was pressed, such as Log."""
    pressed = isinstance(attempt.intent.payload, Press) and attempt.operation.risk is Risk.READ
    if not pressed or attempt.refreshes is not None or attempt.intent.place.thread_ts is None:
        return False
    return await ctx.store.message(operation_key(attempt.operation.request_id)) is None


async def _deliver(ctx: Context, attempt: Attempt, files: tuple[FileOut, ...], card: Card | None) -> None:
    """Put the files into the thread of the card."""
    masked = sum(file.redactions for file in files)
    card_says = card is not None and bool(card.lines)
    comment = f"{cards.MASKED.capitalize()}: {plural(masked, 'value')}." if masked and not card_says else ""
    await ctx.presenter.deliver(
        Delivery(
            key=f"file:{attempt.operation.request_id}",
            place=cards.place_of(attempt.intent),
            under=operation_key(attempt.operation.request_id),
            files=files,
            comment=comment,
            card=card,
        )
    )
