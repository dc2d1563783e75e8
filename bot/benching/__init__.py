"""`signalbox bench`: the program's own numbers, as ratios of things that were measured by turns in one run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Print = Callable[[str], None]


def bench_all(rows: int, say: Print) -> int:
    """Measure and print; 0 when every bar holds, 1 otherwise. `rows` is the size of the large register."""
    from bot.benching import ack, register  # noqa: PLC0415  the command line loads this package for its name alone
    from bot.benching.bars import Measure, held, line  # noqa: PLC0415

    parts: tuple[tuple[str, Callable[[], list[Measure]]], ...] = (
        ("From slash command to ack", lambda: asyncio.run(ack.run(rows))),
        ("Register", lambda: register.run(rows)),
    )
    good = True
    for title, measure in parts:
        say(title)
        for found in measure():
            say(line(found))
            good = good and held(found) is not False
    return 0 if good else 1
