"""The runs that are followed, each once, and the message about those that can't be read."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.core.card import Card, Line, Tone
from bot.core.outcome import LOST, STARTED
from bot.core.records import StoredRequest, Watch, stamp
from bot.core.text import seconds_words
from bot.core.value import Json
from bot.operations import cards
from bot.runtime.context import Context

UNREAD_TOLD_AFTER: Final = timedelta(minutes=1)
_MOST_NAMED: Final = 10
_ONE: Final = "A run that you follow"  # how the title of the message about one run begins


class Run(NamedTuple):
    """A followed run: by the first of its requests that isn't a stop, in the state that the last saw. `stop` is the last of
    them if it is a stop: the run is being stopped."""

    watch: Watch
    stop: Watch | None = None

    @property
    def state(self) -> str:
        """The state that was last seen, and that it is being stopped."""
        state = self.watch.view.state if self.watch.view is not None else STARTED.state
        if self.stop is None:
            return state
        return "being stopped" if state == "stopping" else f"being stopped: {state}"


def each_run(watches: Iterable[Watch], listed: Callable[[Watch], bool] = lambda _: True) -> list[Run]:
    """Every run once, the oldest first, however many requests follow it: by those that are `listed`. Its state, and who stops
    it, are known from all."""
    runs: dict[tuple[str, str, str], list[Watch]] = defaultdict(list)
    for watch in sorted(watches, key=lambda one: one.made_at):
        runs[_key(watch)].append(watch)
    found = []
    for requests in runs.values():
        shown = min(filter(listed, requests), key=lambda one: one.verb == "stop", default=None)
        if shown is not None:
            view = next((one.view for one in reversed(requests) if one.view is not None), None)
            stop = requests[-1] if requests[-1].verb == "stop" else None
            found.append(Run(shown.model_copy(update={"view": view}), stop))
    return sorted(found, key=lambda one: one.watch.made_at)


async def followers(ctx: Context, watch: Watch) -> list[str | None]:
    """Whose requests follow the same run."""
    return [one.user_id for one in await ctx.store.open_watches() if _key(one) == _key(watch)]


def _key(watch: Watch) -> tuple[str, str, str]:
    """The same for every request that follows the same run."""
    return watch.backend, watch.target.run, watch.target.id


async def tell_unread(ctx: Context, watches: Sequence[Watch]) -> None:
    """One message per person and place, however many of their runs can't be read."""
    waiting: dict[tuple[str, str | None, str], list[tuple[Watch, StoredRequest]]] = defaultdict(list)
    for watch in watches:
        request = await ctx.store.request(watch.request_id)
        if request is not None and request.operation is not None:
            thread = request.intent.place.aside.thread_ts
            waiting[watch.channel_id or "", thread, watch.user_id or ""].append((watch, request))
    for found in waiting.values():
        runs = {run.watch.id for run in each_run(watch for watch, _ in found)}
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
    over = {one.id: await ctx.store.value(_unread_key(one.request_id)) for one in watches}
    for one in watches:
        if one.state == LOST:  # the others of the message may be readable much later
            await ctx.store.set_value(_lost_key(over[one.id]), True, ctx.clock.now())
    for key in set(over.values()) - still:
        posted, lost = await ctx.store.message(str(key)), await ctx.store.value(_lost_key(key))
        if posted is not None and posted.body is not None:
            await ctx.presenter.show(
                _over(Card.stored(posted.body), "could not be read" if lost else "can be read again")
            )


def _unread_key(request_id: str) -> str:
    """Where the key of the message is remembered that says that the run of a request can't be read."""
    return f"unread_card:{request_id}"


def _lost_key(card_key: Json) -> str:
    """Where it is remembered that a run of this message is no longer followed, without having been read again."""
    return f"unread:lost:{card_key}"


def _unread(requests: Sequence[StoredRequest], now: datetime) -> Card:
    """Tells the person who follows these runs that their status can't be read."""
    operations = [request.operation for request in requests if request.operation is not None]
    intent = requests[0].intent
    names = [operation.title for operation in operations[:_MOST_NAMED]]
    more = f" and {len(operations) - _MOST_NAMED} more" if len(operations) > _MOST_NAMED else ""
    return Card(
        key=f"unread:{intent.request_id}:{stamp(now)}",
        place=cards.place_of(intent),
        title=f"{_ONE if len(operations) == 1 else 'Runs that you follow'} can't be read",
        tone=Tone.UNSURE,
        status=f"No status could be read for {seconds_words(UNREAD_TOLD_AFTER.total_seconds())}.",
        lines=(
            Line(text=", ".join(names) + more),
            Line(text=f"{_where(len(operations))} says why. It is updated as soon as the run can be read again."),
        ),
        mention=(intent.actor.user_id,),
        at=now,
    )


def _where(runs: int) -> str:
    return "The card of the run" if runs == 1 else "The card of each run"


def _over(card: Card, now: str) -> Card:
    """That message, when none of its runs is followed without being read."""
    number = 1 if card.title.startswith(_ONE) else 2
    lines = (*card.lines[:1], Line(text=f"{_where(number)} shows its state."))
    title = card.title.replace("can't be read", now)
    return card.model_copy(update={"title": title, "tone": Tone.PLAIN, "status": "", "lines": lines})
