"""Many runs of one control plane that are followed: how often it is asked, and what that costs.

The control plane answers at once and from within, so that the number is of the following alone: rows read, views compared and
kept, the card of what changed made.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bot.leader import FOLLOW_EVERY
from bot.operations.watcher import SLOW, follow_due
from bot.runtime import event_loop
from bot.runtime.clock import SystemClock
from tests.bench.bars import Measure
from tests.bench.memory import Most
from tests.station import RUNS_AN_AGENT, Station, fill, station


async def run(runs: int, *, seconds: float = 60.0, before: float = 12.0) -> list[Measure]:
    """Follow that many runs, a hundred an agent, for that long. They began an hour ago, so each is looked at every 10 s.

    `before` is how long they are followed before it counts: at first every run has a look of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with station(Path(folder)) as env:
            made = SystemClock().now()
            await env.store.database.write(lambda db: fill(db, runs, made))
            event_loop.settle()
            await _follow(env, before)
            env.box.polls = 0
            with Most() as memory:
                began, spent = time.perf_counter(), time.process_time()
                await _follow(env, seconds)
                took, spent = time.perf_counter() - began, time.process_time() - spent
            return _measures(runs, took, spent, env.box.polls, memory.megabytes)


async def _follow(env: Station, seconds: float) -> None:
    """As the program's timer does: look every second, and never twice at once."""
    clock = SystemClock()
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        began = clock.monotonic()
        await follow_due(env.ctx)
        await clock.sleep(max(0.0, FOLLOW_EVERY - (clock.monotonic() - began)))


def _measures(runs: int, took: float, spent: float, polls: int, megabytes: float) -> list[Measure]:
    """`took` and `spent` are seconds of the clock and of the processor; an agent has one moment more than paces in them."""
    agents = -(-runs // RUNS_AN_AGENT)
    moments = took / SLOW.total_seconds() + 1
    return [
        (f"{runs:,} runs of {agents:,} agents: asked", polls / took, "times a second", ""),
        ("asked, against once an agent at the runs' own pace", polls / (agents * moments), "x", "< 1.01"),
        ("processor", spent / took * 100, "% of a core", "< 25"),
        ("memory", megabytes, "MB", "< 300"),
    ]
