"""Targets that people watch: each is polled once, and every place that watches it is told when a run fails or recovers."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.card import Button, Card, Line, Tone, operation_key, subject_key
from bot.core.command.capability import Risk
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadRequest, NoSuchTarget, Problem
from bot.core.intent import Actor, Due, Intent, Source
from bot.core.operation import Operation, Target
from bot.core.outcome import Phase, RecentRun, facts_of
from bot.core.records import Filters, Outgoing, Subscription, WatchedTarget, stamp
from bot.core.runs import news
from bot.core.text import capitalized, seconds_words, without_level
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter, columns_of
from bot.operations.authorize import visibility_of
from bot.operations.followed import UNREAD_TOLD_AFTER
from bot.operations.next_steps import buttons_for
from bot.runtime.context import Context
from bot.runtime.until_stored import IN_DOUBT, until_stored

EVERY: Final = timedelta(seconds=15)
LISTED: Final = 20  # runs of one poll
POLL_WITHIN: Final = 20.0
CLOCKS_DIFFER: Final = timedelta(hours=1)  # at most, ours and the control plane's
AT_ONCE: Final = 4  # polls of one backend
_NEWS: Final = timedelta(days=7)
_LOOKED_AT: Final = 500
_LONGEST: Final = 300  # characters of the vendor's message
_SUCCEEDED: Final = frozenset({"complete", "completed", "succeeded", "success"})  # what the title says already
_TONES: Final = {Phase.FAILED: Tone.BAD, Phase.SUCCEEDED: Tone.GOOD}
_log = logging.getLogger("signalbox.watch")


async def look(ctx: Context) -> None:
    """Poll the watched targets that are due. A backend that does not answer is asked again at the next time."""
    now = ctx.clock.now()
    limits: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
    due = await ctx.store.take_watched(now, now + EVERY)
    await all_of(_look(ctx, watched, limits[watched.target.backend]) for watched in due)


async def _look(ctx: Context, watched: WatchedTarget, limit: asyncio.Semaphore) -> None:
    following = await _lasting(ctx, watched.key)
    backend = ctx.backends.get(watched.target.backend)
    if not following or backend is None:
        return
    target = watched.target
    runs: Sequence[RecentRun] = ()
    trouble = ""
    try:
        async with limit, asyncio.timeout(POLL_WITHIN):
            runs = await backend.recent(target, LISTED)
    except (NoSuchTarget, BadRequest) as gone:
        for one in following:
            await end(ctx, one, "gone", f"The watch ended: {gone.summary}")
        return
    except (TimeoutError, Problem) as problem:
        _log.info("%s was not read: %s", watched.key, getattr(problem, "code", "deadline"))
        trouble = getattr(problem, "summary", f"{target.backend} did not answer within {POLL_WITHIN:g} s.")
    unread = trouble
    if runs and runs[0].view.phase is Phase.UNREADABLE:
        unread = f"The state of its newest run is {runs[0].view.state}."
    await _tell_unread(ctx, watched, unread, following)
    if trouble:
        return
    if target.parent is not None:
        await _end_of_run(ctx, target, runs, following)
        return
    seen, new_runs = news(watched.seen, runs)
    await _tell(ctx, target, new_runs, following)
    if seen != watched.seen:
        await ctx.store.saw_runs(watched.key, seen)


async def _tell_unread(ctx: Context, watched: WatchedTarget, trouble: str, following: Sequence[Subscription]) -> None:
    """Tell each place once when nothing could be read for a minute, and correct that message when it can be read again."""
    key, now = f"unread:{watched.key}", ctx.clock.now()
    kept = await ctx.store.value(key)
    began = str(kept["since"]) if isinstance(kept, dict) else stamp(now)
    told = isinstance(kept, dict) and kept["told"] is True
    over = now - datetime.fromisoformat(began) >= UNREAD_TOLD_AFTER
    if told if trouble else kept is None:
        return
    for (channel, thread), people in (await _places(ctx, following) if told or (trouble and over) else {}).items():
        label, lasts = watched.target.label, seconds_words(UNREAD_TOLD_AFTER.total_seconds())
        card = Card(
            key=f"watch:{channel}:{thread or ''}:{key}:{began}",
            place=people[0].place,
            title=f"{label} can't be read" if trouble else f"{label} can be read again",
            tone=Tone.UNSURE if trouble else Tone.PLAIN,
            status=f"No status could be read for {lasts}." if trouble else "What happened meanwhile is told here.",
            lines=(Line(text=trouble), Line(text="You are told here when a run fails or ends.")) if trouble else (),
            mention=tuple(dict.fromkeys(one.user_id for one in people)),
            at=now,
        )
        await _show(ctx, card, watched.target)
    if kept is None or not trouble or over:
        await ctx.store.set_value(key, {"since": began, "told": over} if trouble else None, now)


async def _end_of_run(ctx: Context, run: Target, found: Sequence[RecentRun], following: Sequence[Subscription]) -> None:
    """Tell how the watched run ended, and end its subscriptions."""
    ended = [one for one in found if one.view.phase.ended]
    await _tell(ctx, run, ended, following)
    for one in following if ended else ():
        await end(ctx, one, "ended", f"The run ended: {ended[0].view.state}")


async def _lasting(ctx: Context, target_key: str) -> list[Subscription]:
    """The subscriptions whose time is not over. The others end here."""
    now = stamp(ctx.clock.now())
    found = await ctx.store.subscriptions(target_key)
    for one in found:
        if one.until_at is not None and one.until_at <= now:
            await end(ctx, one, "expired", "The watch ended: its time is over")
    return [one for one in found if one.until_at is None or one.until_at > now]


async def _permitted(ctx: Context, following: Sequence[Subscription]) -> list[Subscription]:
    """The subscriptions of people who may still see the target in their place. The others end here, untold."""
    permitted = []
    for one in following:
        actor = Actor(user_id=one.user_id, team_id=one.place.team_id)
        if (await visibility_of(ctx, actor, one.place)).target(one.target):
            permitted.append(one)
        else:
            await end(ctx, one, "not_allowed", f"The watch ended: <@{one.user_id}> may no longer see this here")
    return permitted


async def _places(
    ctx: Context, following: Sequence[Subscription]
) -> Mapping[tuple[str, str | None], list[Subscription]]:
    """The subscriptions that may be told, by channel and thread."""
    places: dict[tuple[str, str | None], list[Subscription]] = defaultdict(list)
    for one in await _permitted(ctx, following):
        places[one.place.channel_id, one.place.thread_ts].append(one)
    return places


async def end(ctx: Context, one: Subscription, code: str, text: str, by: Intent | None = None) -> bool:
    """End a subscription, with the reason on its card and in the audit log. False when it had ended already."""
    asked = await ctx.store.request(one.request_id) if by is None else None
    whose = by or _intent(ctx, one).model_copy(
        update={"incident": asked.intent.incident if asked is not None else None}
    )
    columns = {**columns_of(one.target), "rule": f"watch {one.id}", "code": code, "detail": text}
    entry = AuditWriter(ctx.secrets).plain(Event.ENDED, whose, ctx.clock.now(), verb="watch", **columns)
    name = f"watch {one.id}"
    unsubscribe = partial(ctx.store.unsubscribe, one.id, (entry,))
    try:
        if not await unsubscribe():
            return False
    except Problem as problem:
        if problem.code != IN_DOUBT:
            raise
        await until_stored(ctx.clock, name, unsubscribe)
    ctx.stale_homes.stale(one.user_id)
    if one.target.parent is None or code not in ("ended", "unwatched"):
        await until_stored(ctx.clock, name, partial(show, ctx, one, text))
    return True


async def recover(ctx: Context) -> None:
    """After a restart: show the ends of the last days that their cards don't show."""
    since = stamp(ctx.clock.now() - _NEWS)
    for entry in await ctx.store.search(Filters(event=Event.ENDED, verb="watch", since=since), limit=_LOOKED_AT):
        posted = await ctx.store.message((entry.rule or "").replace(" ", ":"))
        card = Card.stored(posted.body) if posted is not None and posted.body else None
        if card is not None and card.buttons:
            over = {"status": entry.detail or "", "rows": (), "buttons": ()}
            await ctx.presenter.show(card.model_copy(update=over))


async def show(ctx: Context, one: Subscription, ended: str = "") -> None:
    """Its card: how it `ended`, or that it goes on, unless it ended meanwhile."""
    async with ctx.locks.of(f"watch:{one.id}"):
        if ended or any(each.id == one.id for each in await ctx.store.subscriptions(one.target_key)):
            await _show(ctx, card_of(ctx, one, ended), one.target)


async def _show(ctx: Context, card: Card, target: Target) -> None:
    """Show a card, in whose thread a command is about this target."""
    await ctx.store.set_value(subject_key(card.key), target.model_dump(mode="json"), ctx.clock.now())
    await ctx.presenter.show(card)


def _intent(ctx: Context, one: Subscription) -> Intent:
    """The request that what is told belongs to."""
    return Intent(
        request_id=one.request_id,
        dedupe_key=f"watch:{one.id}",
        actor=Actor(user_id=one.user_id, team_id=one.place.team_id),
        place=one.place,
        source=Source.TIMER,
        at=ctx.clock.now(),
        payload=Due(what="watch", row=one.id),
    )


def card_of(ctx: Context, one: Subscription, ended: str = "") -> Card:
    """The card that was posted when a person began to watch."""
    until = datetime.fromisoformat(one.until_at) if one.until_at is not None and not ended else None
    return Card(
        key=f"watch:{one.id}",
        place=one.place,
        title=f"Watching {one.target.label}",
        tone=Tone.PLAIN,
        status=ended or f"<@{one.user_id}> is told here when a run fails, and when one works again.",
        rows=facts_of((("Until", until),)),
        buttons=() if ended else (stop_button(ctx, one.target),),
        mention=(one.user_id,),
    )


def stop_button(ctx: Context, target: Target, label: str = "Stop watching") -> Button:
    """The button that ends the presser's subscription."""
    means = cards.say_means(f"unwatch {cards.written(target)}")
    return Button(label=label, action="unwatch", id=ctx.ids.secret(), means=means)


async def _tell(ctx: Context, target: Target, runs: Sequence[RecentRun], following: Sequence[Subscription]) -> None:
    """One message for each run and place, which mentions everyone who watches the target there.

    Where the place has the run's own card, the message is a reply to it: the card shows the end, but its update notifies nobody.
    """
    places = await _places(ctx, following) if runs else {}
    for run in runs if places else ():
        posted, about = await _card_of(ctx, target, run), await _itself(ctx, target, run)
        for (channel, thread), everyone in places.items():
            people = [one for one in everyone if _is_after(run, one)]
            there = (
                posted is not None and posted.channel_id == channel and thread in (None, posted.thread_ts, posted.ts)
            )
            if people:
                await _show(ctx, await _news_card(ctx, target, run, people, posted if there else None), about)


async def _itself(ctx: Context, target: Target, run: RecentRun) -> Target:
    """The run of a watched target, so that `logs` in the thread of what is told means it; the target where runs have no name, or
    the run can't be read now."""
    spec = ctx.catalog.backends[target.backend]
    kind = next((one.name for one in spec.targets if one.selected and one.part_of in (None, target.kind)), None)
    if kind is None or target.kind in spec.selected:
        return target
    try:
        async with asyncio.timeout(POLL_WITHIN):
            return await ctx.backends[target.backend].resolve(TargetRef(backend=target.backend, path=run.id), kind)
    except (TimeoutError, Problem) as problem:
        _log.info("run %s of %s was not read: %s", run.id, target.text, getattr(problem, "code", "deadline"))
        return target


def _is_after(run: RecentRun, one: Subscription) -> bool:
    """Whether it ended after the person began to watch: a control plane may list runs that it did not list before."""
    return run.view.ended is None or run.view.ended > datetime.fromisoformat(one.made_at) - CLOCKS_DIFFER


async def _card_of(ctx: Context, target: Target, run: RecentRun) -> Outgoing | None:
    """The card of the request that started the run, if one did."""
    maker = await ctx.store.maker_of(target.backend, run.id)
    posted = await ctx.store.message(operation_key(maker)) if maker is not None else None
    return posted if posted is not None and posted.ts is not None else None


async def _news_card(
    ctx: Context, target: Target, run: RecentRun, people: Sequence[Subscription], below: Outgoing | None
) -> Card:
    """What happened, and what to do next unless it is a reply `below` the run's card, which offers that."""
    view, first, is_run = run.view, people[0], target.parent is not None
    operation = Operation(
        request_id=first.request_id, verb="watch", target=target, risk=Risk.READ, idempotent=True, timeout=0
    )
    place, steps = first.place, list[Button]()
    if below is None:
        steps.extend(await buttons_for(ctx, _intent(ctx, first), operation, view.next, about=target, refresh=False))
    else:
        place = place.model_copy(update={"thread_ts": below.thread_ts or below.ts})
    happened = {Phase.FAILED: "failed", Phase.SUCCEEDED: "succeeded" if is_run else "works again"}
    says = without_level(" ".join(view.message.split()))[:_LONGEST] or capitalized(view.state)
    says = ": ".join(part for part in (run.job, "" if says.casefold() in _SUCCEEDED else says) if part)
    spent = view.ended - view.started if view.ended is not None and view.started is not None else None
    return Card(
        key=f"watch:{place.channel_id}:{place.thread_ts or ''}:{target.backend}:{run.id}:{view.ended or view.phase}",
        place=place,
        title=f"{target.label} {happened.get(view.phase, 'ended')}{'' if says else '.'}",
        tone=_TONES.get(view.phase, Tone.WARN),
        status=says,
        rows=facts_of((("Started", view.started), ("Took", spent))) if below is None else (),
        details=facts_of((("Run", run.id),)) if below is None and not is_run else (),
        buttons=(*steps, *(() if is_run else (stop_button(ctx, target),))),
        mention=tuple(dict.fromkeys(one.user_id for one in people)),
        at=ctx.clock.now(),
    )
