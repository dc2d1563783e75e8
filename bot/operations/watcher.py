"""Follow runs to their end: one poll per group, whatever the number of watchers. Cards are updated when something changed.

All runs of a group are polled at the same moments, whenever each of them began: otherwise a hundred runs could need a hundred
polls.
"""

import asyncio
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.all_of import all_of
from bot.core.audit import AuditEntry, Event
from bot.core.card import Card, Line, Tone, operation_key
from bot.core.command.catalog import check_params
from bot.core.effects import Attempt, concerned
from bot.core.errors import Problem
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import LOST, NOT_FOUND, STARTED, Done, Phase, RunView
from bot.core.records import Filters, StoredRequest, Watch, stamp
from bot.core.text import without_level
from bot.operations import cards, newer_run
from bot.operations.audit_writer import AuditWriter
from bot.operations.backend_call import call
from bot.operations.completion import recorded
from bot.operations.followed import UNREAD_TOLD_AFTER, followers, no_longer_unread, tell_unread
from bot.operations.next_steps import buttons_for
from bot.operations.progress import moved
from bot.runtime.context import Context

LINES: Final = 3
WITHIN: Final = 20.0  # seconds, with the wait for other logs of the same backend
_READ: Final = 40  # last lines that are searched for errors
_LONGEST: Final = 240
_ERROR: Final = re.compile(r"\b(error|fatal|critical|exception|fail(ed|ure)?)\b", re.IGNORECASE)
_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+")
QUICK: Final = timedelta(seconds=2)
SLOW: Final = timedelta(seconds=10)  # a multiple of QUICK, so that every slow moment of a group is a quick one too
SLOWER_AFTER = timedelta(minutes=2)
AFTER_TROUBLE: Final = timedelta(seconds=5)  # at least; then at the group's next slow moment
LOST_AFTER: Final = timedelta(hours=1)  # of answers that it doesn't exist, which a restored control plane may take back
POLL_WITHIN = 20.0
AT_ONCE = 4
MOST_DUE: Final = 5_000  # runs of one poll; the rest is late and splits its group
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


def wanted(card: Card, view: RunView) -> bool:
    """Whether the run failed without an excerpt of its log, and the requester may read the log here: the card has *Log*."""
    offered = any(button.means.get("verb") == "logs" for button in card.buttons)
    return card.tone is Tone.BAD and view.phase is Phase.FAILED and "\n" not in view.message and offered


def failed_of(run: Target, view: RunView) -> Target:
    """The run whose log explains the failure: of several runs that one start began, the first whose log the card offers."""
    offered = [step.target for step in view.next if step.verb == "logs"]
    failed = (one for one in run.together if any(target.endswith(f"/{one}") for target in offered))
    id_ = next(failed, None)
    return run if id_ is None else run.model_copy(update={"id": id_, "name": f"run/{id_}", "together": ()})


async def last_lines(ctx: Context, intent: Intent, run: Target) -> Line | None:
    """The last errors, or else the last lines, masked as in the answer of `logs` and without their times, which are on the
    control plane's clock. None when the log can't be read in time or is empty."""
    capability = ctx.catalog.capability(run.backend, "logs", run.kind)
    if capability is None or not any(param.name == "tail" for param in capability.params):
        return None
    given = check_params(capability.params, (("tail", str(_READ)),))
    operation = Operation.of(capability, request_id=intent.request_id, target=run, given=given, reason=None)
    try:
        async with asyncio.timeout(WITHIN), ctx.locks.of(f"failed log:{run.backend}"):
            found = await call(ctx, Attempt(intent, operation, None, refreshes=(intent, operation)))
    except TimeoutError:
        return None
    if not isinstance(found, Done):
        return None
    for file in found.files:
        Path(file.path).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file
    rows = [_TIME.sub("", row)[:_LONGEST] for row in found.preview.splitlines() if row.strip()]
    errors = [without_level(row) for row in rows if _ERROR.search(row)]
    heading = "Last errors in the log" if errors else "Last lines of the log"
    return Line(heading=heading, text="\n".join((errors or rows)[-LINES:]), code=True) if rows else None


async def follow_due(ctx: Context) -> int:
    """Poll all due runs and return how many. Followers get a message about runs that can't be read for a minute."""
    watches = await ctx.store.due_watches(ctx.clock.now(), MOST_DUE)
    groups: dict[tuple[str, str], list[Watch]] = defaultdict(list)
    for watch in watches:
        groups[watch.backend, watch.group_key].append(watch)
    limits = {backend: asyncio.Semaphore(AT_ONCE) for backend, _ in groups}
    news = await all_of(
        _group(ctx, backend, group, found, limits[backend]) for (backend, group), found in groups.items()
    )
    told = [watch for found in news for watch in found]
    await tell_unread(ctx, [watch for watch in told if not (watch.view or STARTED).unread_told])
    await no_longer_unread(ctx, [watch for watch in told if (watch.view or STARTED).unread_told])
    return len(watches)


async def _group(
    ctx: Context, backend_name: str, group: str, watches: Sequence[Watch], limit: asyncio.Semaphore
) -> list[Watch]:
    """Poll the runs of a group. Returns those that can't be read for a minute by now, and those that were: they can be
    read again, or their state is `lost` where they are no longer followed."""
    backend = ctx.backends.get(backend_name)
    if backend is None:
        for watch in watches:
            await ctx.store.end_watch(watch.id, LOST, (), ctx.clock.now())
        return [watch.model_copy(update={"state": LOST}) for watch in watches if (watch.view or STARTED).unread_told]
    views: Mapping[str, RunView] = {}
    trouble = ""
    try:
        async with limit, asyncio.timeout(POLL_WITHIN):
            views = await backend.poll(group, tuple(watch.target for watch in watches))
    except TimeoutError:
        trouble = f"{backend_name} did not answer within {POLL_WITHIN:g} s."
    except Problem as problem:
        trouble = problem.summary
    now = ctx.clock.now()
    seen = [
        (watch, await _superseded(ctx, watch, seen_now(watch, views.get(watch.target.id), trouble, now)))
        for watch in watches
    ]
    after_trouble = stamp(next_moment(group, now + AFTER_TROUBLE, SLOW))
    await ctx.store.update_watches(
        [(watch.id, view, after_trouble if trouble else _next(watch, group, now)) for watch, view in seen]
    )
    for watch, view in seen:
        # An ended run whose watch is open still: its end was seen, but the program stopped before it was recorded and shown.
        news = view.phase.ended or _shown(view) != _shown(watch.view or STARTED)
        if _is_lost(view, now):
            await _changed(ctx, watch, view, lost=True)
        elif news or moved(view, now - _pace(watch, now), now):
            await _changed(ctx, watch, view)
    over = {watch.id for watch, view in seen if view.unread_told and (view.phase.ended or _is_lost(view, now))}
    return [
        watch.model_copy(update={"state": LOST}) if watch.id in over else watch
        for watch, view in seen
        if (view.unread_told and watch.id not in over) is not (watch.view or STARTED).unread_told
    ]


def _is_lost(view: RunView, now: datetime) -> bool:
    return view.gone_since is not None and now - view.gone_since >= LOST_AFTER


def seen_now(watch: Watch, found: RunView | None, trouble: str, now: datetime) -> RunView:
    """A run's view after a poll. `found` is None when the poll failed with `trouble` or the run is no longer listed."""
    gone = not trouble and (found is None or found.state == NOT_FOUND)
    since = ((watch.view or STARTED).gone_since or now) if gone else None
    return _seen(watch, found, trouble, now).model_copy(update={"gone_since": since})


def _seen(watch: Watch, found: RunView | None, trouble: str, now: datetime) -> RunView:
    before = watch.view or STARTED
    found = found.model_copy(update={"usual": before.usual}) if found is not None and before.usual else found
    if found is not None and found.phase is not Phase.UNREADABLE:
        return found
    since = before.unread_since or now
    overdue = now - since >= UNREAD_TOLD_AFTER
    if found is None and before.unread_told:
        return before
    view = found or before
    if found is None and overdue:
        reason = trouble or f"{watch.backend} no longer lists this run."
        view = before.model_copy(update={"state": "Can't be read", "phase": Phase.UNREADABLE, "message": reason})
    return view.model_copy(update={"unread_since": since, "unread_told": overdue})


def _shown(view: RunView) -> RunView:
    """Without what a card does not show."""
    return view.model_copy(update={"unread_since": None, "unread_told": False, "gone_since": None})


def _next(watch: Watch, group: str, now: datetime) -> str:
    return stamp(next_moment(group, now, _pace(watch, now)))


def next_moment(group: str, now: datetime, pace: timedelta) -> datetime:
    """The next moment at which the runs of `group` are polled: later than now, by `pace` at most.

    The moments of one group lie `pace` apart; those of different groups are spread over it.
    """
    step = pace // _TICK
    offset = zlib.crc32(group.encode()) % (SLOW // _TICK)
    passed = ((now - _EPOCH) // _TICK - offset) % step
    return now + (step - passed) * _TICK


def _pace(watch: Watch, now: datetime) -> timedelta:
    return QUICK if now - datetime.fromisoformat(watch.made_at) < SLOWER_AFTER else SLOW


async def _changed(ctx: Context, watch: Watch, view: RunView, *, lost: bool = False) -> None:
    """Show it, then record the end: until then the watch is open, so that a program that stops in between does both again.
    `lost`: the control plane has no such run."""
    if lost:
        message = f"{watch.backend} no longer has this run, so its outcome is unknown. It is no longer followed."
        view = view.model_copy(update={"state": NOT_FOUND, "phase": Phase.UNREADABLE, "message": message})
    over = view.phase.ended or lost
    request = await ctx.store.request(watch.request_id)
    operation, run = (request.operation if request is not None else None), watch.target
    if view.by is None and (by := await _stopped_by(ctx, watch, operation, view)):
        view = view.after("", by)
    async with ctx.locks.of(operation_key(watch.request_id)):
        card = None
        if request is not None and operation is not None:
            card = await _show(ctx, request, operation, run, view)
        if over:
            await _end(ctx, watch, view, request, lost=lost)
    if over and request is not None:
        await newer_run.show_older(ctx, request.intent, operation)
        if operation is not None and operation.incident is not None:
            await recorded(ctx, operation)
    if lost or watch.view is None or watch.view.state != view.state:
        ctx.stale_homes.stale(watch.user_id, *(await followers(ctx, watch) if watch.verb == "stop" else ()))
    if request is not None and operation is not None and card is not None and wanted(card, view):
        ctx.tasks.start(_explain(ctx, request, operation, run, view), f"log of {watch.request_id}")


async def _stopped_by(ctx: Context, watch: Watch, operation: Operation | None, view: RunView) -> str | None:
    """Who stopped the run with a request of their own: the control plane may call that failed or canceled."""
    if operation is None or operation.verb == "stop" or view.phase not in (Phase.FAILED, Phase.STOPPED):
        return None
    filters = Filters(target_id=watch.target.id, backend=watch.backend, verb="stop", since=watch.made_at)
    entries = await ctx.store.search(filters)
    failed = {one.request_id for one in entries if one.event in (Event.FAILED, Event.RECONCILED) and one.code != "done"}
    sent = (entry.user_id for entry in entries if entry.event is Event.SENT and entry.request_id not in failed)
    return next(sent, None)


async def _superseded(ctx: Context, watch: Watch, view: RunView) -> RunView:
    """The view, over where a later order started, stopped or restarted the target: it has one state, and the newest decides."""

    def newer(verb: str | None) -> bool:
        capability = ctx.catalog.capability(watch.backend, verb or "", watch.target.kind)
        return capability is not None and capability.supersedes

    if view.phase.ended or not newer(watch.verb):
        return view
    for entry in await ctx.store.search(Filters(target_id=watch.target.id, backend=watch.backend, event=Event.SENT)):
        if entry.request_id == watch.request_id:  # whichever was answered first: what was sent before it is older
            return view
        if entry.user_id and entry.verb != watch.verb and newer(entry.verb) and await _made(ctx, entry.request_id):
            state = f"{'Stopped' if entry.verb == 'stop' else 'Started again'} by <@{entry.user_id}>"
            steps = tuple(one for one in view.next if one.verb == "status")
            over = {"state": state, "phase": Phase.STOPPED, "message": "", "next": steps, "by": entry.user_id}
            return view.model_copy(update=over)
    return view


async def _made(ctx: Context, request_id: str) -> bool:
    """Whether the order is done and changed something. A start of what runs already has no run of its own."""
    order, run = await ctx.store.operation_of(request_id), await ctx.store.run_of(request_id)
    return order is not None and run is not None and (run != order.target or not order.starts_run)


async def _explain(ctx: Context, request: StoredRequest, operation: Operation, run: Target, view: RunView) -> None:
    """Add the last lines of its log to the card of a failed run."""
    line = await last_lines(ctx, request.intent, failed_of(run, view))
    if line is not None:
        async with ctx.locks.of(operation_key(request.request_id)):
            await _show(ctx, request, operation, run, view, line)


async def _show(
    ctx: Context, request: StoredRequest, operation: Operation, run: Target, view: RunView, *more: Line
) -> Card:
    """Show the run's card, with these lines below its own."""
    view = view.after(operation.verb)
    buttons = await buttons_for(ctx, request.intent, operation, view.next, about=run, refresh=True, view=view)
    note = await ctx.store.value(cards.note_key(request.request_id))
    kept = note if isinstance(note, str) else ""
    card = cards.run_update(
        operation,
        request.intent,
        view,
        buttons,
        ctx.clock.now(),
        run=run,
        note=kept,
        refreshed=await _refreshed(ctx, request.request_id, view),
        no_stop=ctx.catalog.no_stop(run.backend, run.kind),
    )
    shown = await newer_run.noted(
        ctx,
        card.model_copy(update={"lines": (*card.lines, *more), "mention": (*card.mention, *filter(None, (view.by,)))}),
    )
    await ctx.presenter.show(shown)
    return shown


async def _refreshed(ctx: Context, request_id: str, view: RunView) -> datetime | None:
    """When a person refreshed the card, as long as the run is in the state that they saw."""
    kept = await ctx.store.value(cards.refreshed_key(request_id))
    same = isinstance(kept, dict) and kept.get("state") == view.state and not view.phase.ended
    return datetime.fromisoformat(str(kept["at"])) if same and isinstance(kept, dict) else None


async def _end(ctx: Context, watch: Watch, view: RunView, request: StoredRequest | None, *, lost: bool) -> None:
    """Tell the features of it, then write the end to the audit log, once."""
    now = ctx.clock.now()
    entries: tuple[AuditEntry, ...] = ()
    if request is not None and request.operation is not None:
        attempt = Attempt(request.intent, request.operation)
        for effect in concerned(ctx.effects, ctx.catalog, attempt):
            await effect.run_ended(ctx, attempt, view.after(request.operation.verb))
        started = datetime.fromisoformat(watch.made_at)
        entry = AuditWriter(ctx.secrets).about(
            Event.ENDED,
            request.operation,
            request.intent,
            now,
            code=LOST if lost else str(view.after(request.operation.verb).phase),
            detail=_detail(watch, view),
            backend_ref=watch.target.id,
            duration_ms=round((now - started).total_seconds() * 1000),
        )
        entries = (entry,)
    await ctx.store.end_watch(watch.id, LOST if lost else "ended", entries, now)


def _detail(watch: Watch, view: RunView) -> str:
    """The end in words, with the exact ids where several runs are followed as one."""
    runs = f" ({', '.join(f'{fact.label} {fact.value}' for fact in view.details)})" if watch.target.together else ""
    return (f"{view.state}: {view.message}" if view.message else view.state) + runs
