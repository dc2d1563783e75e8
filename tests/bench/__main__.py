"""`make bench`: the program's own figures, as ratios of things that are measured by turns in one run.

`python -m tests.bench --watched 10000` (or `--log MB`, `--minutes M`) measures one thing instead.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import ack, audit_log, log, masking, start, sustained, watched
from tests.bench.bars import Measure, held, line

Print = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured. Without `watched`, `log` and `minutes` the ack and the audit log, with `rows` rows; else what they name.

    `watched` is a number of runs, `log` a size in megabytes, `minutes` how long a steady rate is kept up. `quick` repeats
    everything as seldom as it can be: that shows that the benchmarks run, and their figures mean nothing.
    """

    rows: int = 100_000
    watched: int = 0
    log: float = 0.0
    minutes: float = 0.0
    quick: bool = False


def bench_all(wanted: Wanted, say: Print) -> int:
    """Measure and print; 0 when every bar holds, 1 otherwise."""
    usual = not (wanted.watched or wanted.log or wanted.minutes)
    acks: dict[str, Any] = {"requests": 25, "seconds": 0.4} if wanted.quick else {}
    looks = {"seconds": 0.2, "before": 0.1} if wanted.quick else {}
    starts, length = (1, 800) if wanted.quick else (5, masking.LENGTH)
    parts: tuple[tuple[object, str, Callable[[], list[Measure]]], ...] = (
        (usual, "From slash command to ack", lambda: asyncio.run(ack.run(wanted.rows, **acks))),
        (usual, "Audit log", lambda: audit_log.run(wanted.rows)),
        (usual, "Start of the program", lambda: start.run(starts)),
        (usual, "Masking of hostile text", lambda: masking.run(length)),
        (wanted.watched, "Runs that are followed", lambda: asyncio.run(watched.run(wanted.watched, **looks))),
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


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures, and prints ratios.")
    parser.add_argument("--rows", type=int, default=100_000, help="audit entries to measure with")
    parser.add_argument("--watched", type=int, default=0, metavar="RUNS", help="instead: follow that many runs")
    parser.add_argument(
        "--log", type=float, default=0.0, metavar="MB", help="instead: fetch and share a log of that size"
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="instead: 500 commands a second for that long")
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean nothing")
    asked = parser.parse_args(argv)
    return bench_all(Wanted(asked.rows, asked.watched, asked.log, asked.minutes, asked.quick), print)


if __name__ == "__main__":
    sys.exit(main())
