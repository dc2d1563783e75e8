"""The runs that are followed, each once, and the message about those that can't be read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.card import Card, Line, Tone
from bot.core.outcome import LOST, STARTED
from bot.core.records import StoredRequest, Watch, stamp
from bot.core.text import seconds_words
from bot.operations import cards
from bot.runtime.context import Context

UNREAD_TOLD_AFTER: Final = timedelta(minutes=1)
STOPPING: Final = "stopping"
_MOST_NAMED: Final = 10


def each_run(watches: Iterable[Watch]) -> list[Watch]:
    """Every run once, the oldest first, however many requests follow it: by the first of them that isn't a stop, in the state
    that the last saw. Its `state` is `stopping` when the last is a stop."""
    runs: dict[tuple[str, str, str], Watch] = {}
    for watch in sorted(watches, key=lambda one: one.made_at):
        run = watch.backend, watch.target.run, watch.target.id
        first = runs.get(run, watch)
        seen = {"view": watch.view or first.view, "state": STOPPING if watch.verb == "stop" else watch.state}
        by = watch if first.verb == "stop" != watch.verb else first
        runs[run] = by.model_copy(update=seen)
    return sorted(runs.values(), key=lambda one: one.made_at)


def state_of(run: Watch) -> str:
    """The state that was last seen of a followed run, and that it is being stopped."""
    state = run.view.state if run.view is not None else STARTED.state
    return f"Being stopped: {state}" if run.state == STOPPING else state


async def tell_unread(ctx: Context, watches: Sequence[Watch]) -> None:
    """One message per person and place, however many of their runs can't be read."""
    waiting: dict[tuple[str, str | None, str], list[tuple[Watch, StoredRequest]]] = defaultdict(list)
    for watch in watches:
        request = await ctx.store.request(watch.request_id)
        if request is not None and request.operation is not None:
            thread = request.intent.place.aside.thread_ts
            waiting[watch.channel_id or "", thread, watch.user_id or ""].append((watch, request))
    for found in waiting.values():
        runs = {watch.id for watch in each_run(watch for watch, _ in found)}
        card = _unread([request for watch, request in found if watch.id in runs], ctx.clock.now())
        for _, request in found:
            await ctx.store.set_value(_unread_key(request.request_id), card.key, ctx.clock.now())
        await ctx.presenter.show(card)


async def no_longer_unread(ctx: Context, watches: Sequence[Watch]) -> None:
    """Say it on each message whose runs can all be read again or are no longer followed."""
    if not watches:
        return
    unread = [one for one in await ctx.store.open_watches() if one.view is not None and one.view.unread_told]
    still = {await ctx.store.value(_unread_key(one.request_id)) for one in unread}
    over = {await ctx.store.value(_unread_key(one.request_id)): one.state == LOST for one in watches}
    for key in over.keys() - still:
        posted = await ctx.store.message(str(key))
        if posted is not None and posted.body is not None:
            await ctx.presenter.show(
                _over(Card.stored(posted.body), "could not be read" if over[key] else "can be read again")
            )


def _unread_key(request_id: str) -> str:
    """Where the key of the message is remembered that says that the run of a request can't be read."""
    return f"unread_card:{request_id}"


def _unread(requests: Sequence[StoredRequest], now: datetime) -> Card:
    """Tells the person who follows these runs that their status can't be read."""
    operations = [request.operation for request in requests if request.operation is not None]
    intent = requests[0].intent
    names = [operation.title for operation in operations[:_MOST_NAMED]]
    more = f" and {len(operations) - _MOST_NAMED} more" if len(operations) > _MOST_NAMED else ""
    return Card(
        key=f"unread:{intent.request_id}:{stamp(now)}",
        place=cards.place_of(intent),
        title="A run that you follow can't be read" if len(operations) == 1 else "Runs that you follow can't be read",
        tone=Tone.UNSURE,
        status=f"No status could be read for {seconds_words(UNREAD_TOLD_AFTER.total_seconds())}.",
        lines=(
            Line(text=", ".join(names) + more),
            Line(text="The card of each run says why. It is updated as soon as the run can be read again."),
        ),
        mention=(intent.actor.user_id,),
        at=now,
    )


def _over(card: Card, now: str) -> Card:
    """That message, when none of its runs is followed without being read."""
    lines = (*card.lines[:1], Line(text="The card of each run shows its state."))
    title = card.title.replace("can't be read", now)
    return card.model_copy(update={"title": title, "tone": Tone.PLAIN, "status": "", "lines": lines})
