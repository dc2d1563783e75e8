"""The register at size: the last rows of a channel, a person and a target, a search, and the check of the whole chain."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.benching.bars import Measure, percentile
from bot.core.register import Event, Row
from bot.core.rows import Filters
from bot.store.unit import Store

REPEATS: Final = 300
_BATCH: Final = 5_000
_CHANNELS, _PEOPLE, _TARGETS = 40, 200, 200
_EVENTS: Final = (Event.REQUESTED, Event.SENT, Event.DONE)


def run(rows: int) -> list[Measure]:
    """Reads at a tenth of `rows` and at `rows`, and the check."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(str(Path(folder) / "signalbox.db"))
        try:
            small = max(1, rows // 10)
            fill(store, 0, small)
            before = _reads(store)
            fill(store, small, rows)
            after = _reads(store)
            started = time.perf_counter()
            verdict = store.verify_sync(store.head_sync())
            took = time.perf_counter() - started
        finally:
            store.close_sync()
    measures: list[Measure] = []
    for name, times in after.items():
        growth = percentile(times, 50) / percentile(before[name], 50)
        measures.append((f"{name} of {rows:,} rows, p99", percentile(times, 99) * 1000, "ms", "< 2"))
        measures.append((f"{name}, median against a tenth of the rows", growth, "x", "< 2"))
    return [*measures, ("verify", verdict.rows / took, "rows/s", "> 300000")]


def fill(store: Store, first: int, last: int) -> None:
    """Append made-up rows from number `first` up to `last`, three rows a request."""
    for start in range(first, last, _BATCH):
        store.append_sync(*(_row(number) for number in range(start, min(start + _BATCH, last))))


def _row(number: int) -> Row:
    request, target = number // 3, number * 7 % _TARGETS
    return Row(
        at=f"2026-01-01T{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}000Z",
        request_id=f"r{request}",
        event=_EVENTS[number % 3],
        team_id="T0BENCH",
        channel_id=f"C{request % _CHANNELS}",
        user_id=f"U{request % _PEOPLE}",
        door="command",
        verb="start",
        backend="box",
        target_kind="agent",
        target_id=str(target),
        target_name=f"shop/prices-{target}",
        params='{"level":1}',
        reason="prices are late again",
        digest="d" * 64,
    )


def _reads(store: Store) -> dict[str, list[float]]:
    looks: dict[str, Callable[[int], Filters]] = {
        "last 50 of a channel": lambda n: Filters(channel_id=f"C{n % _CHANNELS}"),
        "last 50 of a person": lambda n: Filters(user_id=f"U{n % _PEOPLE}"),
        "last 50 of a target": lambda n: Filters(target_id=str(n * 7 % _TARGETS)),
        "last 50 with a word": lambda n: Filters(text="prices" if n % 2 else "late"),
    }
    return {name: [_timed(store, look(n * 31)) for n in range(REPEATS)] for name, look in looks.items()}


def _timed(store: Store, filters: Filters) -> float:
    started = time.perf_counter()
    store.search_sync(filters)
    return time.perf_counter() - started
