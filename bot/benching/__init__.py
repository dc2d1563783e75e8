"""`signalbox bench`: the program's own numbers, as ratios of things that were measured by turns in one run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

Print = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured. Without `watched`, `log` and `minutes` the ack and the register, with `rows` rows; else what they name.

    `watched` is a number of runs, `log` a size in megabytes, `minutes` how long a steady rate is kept up.
    """

    rows: int = 100_000
    watched: int = 0
    log: float = 0.0
    minutes: float = 0.0


def bench_all(wanted: Wanted, say: Print) -> int:
    """Measure and print; 0 when every bar holds, 1 otherwise."""
    # The command line loads this package for its name alone.
    from bot.benching import ack, log, register, sustained, watched  # noqa: PLC0415
    from bot.benching.bars import Measure, held, line  # noqa: PLC0415

    usual = not (wanted.watched or wanted.log or wanted.minutes)
    parts: tuple[tuple[object, str, Callable[[], list[Measure]]], ...] = (
        (usual, "From slash command to ack", lambda: asyncio.run(ack.run(wanted.rows))),
        (usual, "Register", lambda: register.run(wanted.rows)),
        (wanted.watched, "Runs that are followed", lambda: asyncio.run(watched.run(wanted.watched))),
        (wanted.log, "A large log", lambda: asyncio.run(log.run(wanted.log))),
        (wanted.minutes, "A steady rate", lambda: asyncio.run(sustained.run(wanted.minutes))),
    )
    good = True
    for asked, title, measure in parts:
        if not asked:
            continue
        say(title)
        for found in measure():
            say(line(found))
            good = good and held(found) is not False
    return 0 if good else 1
