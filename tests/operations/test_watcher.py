"""When runs are looked at: the runs of one agent together, however they began, and never later than their pace."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from bot.core.errors import BadReply
from bot.core.operation import Target
from bot.core.outcome import RunView
from bot.operations.watcher import QUICK, SLOW, follow_due, next_moment
from tests.bench.station import Box, station
from tests.bench.watched import fill
from tests.slack.support import NOON, HandClock

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
    async with station(tmp_path) as here:
        clock = HandClock()
        ctx = replace(here.ctx, clock=clock)
        await here.store.database.write(lambda db: fill(db, 300, NOON))
        for second in range(60):
            if second == 20:
                here.box.polls = 0
            await follow_due(ctx)
            clock.advance(1.0)
        assert here.box.polls == 3 * 4
        assert len(await here.store.open_watches()) == 300


class Broken(Box):
    """A control plane that answers nothing that could be read."""

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Raises BadReply."""
        self.polls += 1
        raise BadReply("That is no list of runs.")


async def test_a_control_plane_in_trouble_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async with station(tmp_path) as here:
        clock, broken = HandClock(), Broken(here.box.rows)
        ctx = replace(here.ctx, clock=clock, backends={"box": broken})
        await here.store.database.write(lambda db: fill(db, 1, NOON))
        asked: list[float] = []
        for _ in range(60):
            before = broken.polls
            await follow_due(ctx)
            asked += [clock.monotonic()] * (broken.polls - before)
            clock.advance(1.0)
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert len(pauses) >= 3
        assert all(5 <= pause <= 15 for pause in pauses)
