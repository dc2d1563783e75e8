"""When runs are looked at: the runs of one agent together, however they began, and never later than their pace."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from bot.core.audit import Event
from bot.core.card import Card
from bot.core.errors import BadReply
from bot.core.intent import Reply
from bot.core.operation import Target
from bot.core.outcome import RunView
from bot.operations.watcher import QUICK, SLOW, follow_due, next_moment
from bot.runtime.context import Context
from tests.slack.support import NOON, HandClock
from tests.station import Box, Nowhere, fill, station
from tests.store.samples import intent, operation, row

moments = some.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001  given a zone
paces = some.sampled_from((QUICK, SLOW))


@given(now=moments, pace=paces, group=some.text())
def test_the_next_look_is_later_and_at_most_a_pace_away(now: datetime, pace: timedelta, group: str) -> None:
    following = next_moment(group, now, pace)
    assert timedelta(0) < following - now <= pace
    assert next_moment(group, following, pace) - following == pace


@given(now=moments, group=some.text())
def test_runs_of_one_agent_that_were_seen_at_different_times_are_looked_at_together(now: datetime, group: str) -> None:
    together = next_moment(group, now, SLOW)
    started = [together - SLOW * part / 100 for part in range(1, 101)]
    assert {next_moment(group, seen, SLOW) for seen in started} == {together}


@given(now=moments, group=some.text())
def test_a_moment_for_slow_runs_is_one_for_quick_runs_too(now: datetime, group: str) -> None:
    slow = next_moment(group, now, SLOW)
    assert next_moment(group, slow - QUICK, QUICK) == slow


def test_different_agents_have_their_own_moments() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert len({next_moment(f"agent-{number}", now, SLOW) for number in range(100)}) == 100


async def test_an_agent_is_asked_once_a_pace_for_all_its_runs_however_many_times_they_were_started(
    tmp_path: Path,
) -> None:
    """Three agents with a hundred runs each, whose first looks are due at a hundred different moments."""
    async with station(tmp_path) as env:
        clock = HandClock()
        ctx = replace(env.ctx, clock=clock)
        await env.store.database.write(lambda db: fill(db, 300, NOON))
        for second in range(60):
            if second == 20:
                env.box.polls = 0
            await follow_due(ctx)
            clock.advance(1.0)
        assert env.box.polls == 3 * 4
        assert len(await env.store.open_watches()) == 300


class Broken(Box):
    """A control plane that answers nothing that could be read."""

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Raises BadReply."""
        self.polls += 1
        raise BadReply("That is no list of runs.")


class Shown(Nowhere):
    """Keeps what people are shown."""

    def __init__(self) -> None:
        self.cards: list[Card] = []

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Keep it."""
        self.cards.append(card)


async def test_the_person_who_waits_is_told_once_when_runs_cannot_be_read_for_a_minute(tmp_path: Path) -> None:
    """One message for all of the person's runs; each card says why, and is put right by the next look that succeeds."""
    async with station(tmp_path) as env:
        clock, shown = HandClock(), Shown()
        ctx = replace(env.ctx, clock=clock, presenter=shown, backends={"box": Broken(env.box.rows)})
        await env.store.database.write(lambda db: fill(db, 3, NOON))
        for watch in await env.store.open_watches():
            await env.store.accept(intent(watch.request_id), ())
            await env.store.begin(watch.request_id, NOON)
            await env.store.sending(
                watch.request_id, operation(watch.request_id), row(Event.SENT, watch.request_id), NOON
            )
        for seconds, told in ((55, 0), (65, 1), (60, 1)):
            await looks(ctx, clock, seconds)
            assert sum(card.key.startswith("unread:") for card in shown.cards) == told
        message = next(card for card in shown.cards if card.key.startswith("unread:"))
        assert message.title == "Runs that you follow can't be read"
        assert message.mention
        cards = [card for card in shown.cards if card is not message]
        assert {card.status for card in cards} == {"Can't be read"}
        assert all("That is no list of runs." in str(card.lines) for card in cards)
        await looks(replace(ctx, backends={"box": env.box}), clock, 12)
        views = [watch.view for watch in await env.store.open_watches()]
        assert all(view is not None and view.unread_since is None for view in views)


async def looks(ctx: Context, clock: HandClock, seconds: int) -> None:
    """One look a second."""
    for _ in range(seconds):
        await follow_due(ctx)
        clock.advance(1.0)


async def test_a_control_plane_in_trouble_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async with station(tmp_path) as env:
        clock, broken = HandClock(), Broken(env.box.rows)
        ctx = replace(env.ctx, clock=clock, backends={"box": broken})
        await env.store.database.write(lambda db: fill(db, 1, NOON))
        asked: list[float] = []
        for _ in range(60):
            before = broken.polls
            await follow_due(ctx)
            asked += [clock.monotonic()] * (broken.polls - before)
            clock.advance(1.0)
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert len(pauses) >= 3
        assert all(5 <= pause <= 15 for pause in pauses)
