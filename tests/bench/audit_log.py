"""The audit log's numbers: what the chain, the search and the guards cost an insert, reads at size, and the check.

`run(rows)` fills an audit log of that many rows and measures on it. Each measurement is `(name, value, unit, bar)`; a ratio
compares two things that were measured by turns in the same run, so that it holds on any machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import sqlite_utils

from bot.core.audit import COLUMNS, ZERO_HASH, AuditEntry, Event
from bot.core.records import Filters
from bot.store.database import Tx
from bot.store.open import open_store
from bot.store.sqlite.database import SqliteTx
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.schema import migrate
from bot.store.store import Store
from bot.store.tables import audit
from tests.bench.bars import Measure, percentile

BATCH: Final = 64
ROUNDS: Final = 5
REPEATS: Final = 300
_CHANNELS, _PEOPLE, _TARGETS = 40, 200, 200
_EVENTS: Final = (Event.REQUESTED, Event.SENT, Event.DONE)
_VERBS: Final = ("start", "status", "retry", "schedule off", "stop")


def run(rows: int) -> list[Measure]:
    """Every number of the audit log; `rows` is the size at which reads and the check are measured."""
    with tempfile.TemporaryDirectory() as folder:
        measures = insert_measures(Path(folder))
        store = open_store(str(Path(folder) / "filled.db"))
        try:
            small = max(1, rows // 10)
            fill(store, 0, small)
            before = dict(read_times(store, small))
            fill(store, small, rows)
            for name, times in read_times(store, rows):
                measures.append((f"{name}, p50", percentile(times, 50) * 1000, "ms", ""))
                measures.append((f"{name}, p99", percentile(times, 99) * 1000, "ms", "< 2"))
                growth = percentile(times, 50) / percentile(before[name], 50)
                measures.append((f"{name}, p50 against a tenth of the rows", growth, "x", "< 2"))
            measures += verify_measures(store, rows)
        finally:
            store.close_sync()
    return measures


def sample(number: int) -> AuditEntry:
    """A row as the program writes it; three rows a request, a rare word in one of a thousand."""
    target = number * 7 % _TARGETS
    rare = " xylophone" if number % 1000 == 999 else ""
    return AuditEntry(
        at=f"2026-11-22T{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}000Z",
        request_id=f"r{number // 3}",
        event=_EVENTS[number % 3],
        team_id="T0ACME",
        channel_id=f"C{number // 3 % _CHANNELS}",
        user_id=f"U{number // 3 % _PEOPLE}",
        source="command",
        verb=_VERBS[number // 3 % len(_VERBS)],
        backend="acc",
        target_kind="agent",
        target_id=str(target),
        target_name=f"shop/prices-{target}",
        params='{"log_level":1,"production":true}',
        reason=f"prices are late again{rare}",
        risk="change",
        rule="channel C0CRAWL allow 2",
        policy_version="ab12cd34ef56",
        digest="d" * 64,
        duration_ms=number % 900,
    )


def fill(store: Store, first: int, last: int) -> None:
    """Append the samples from `first` up to `last`, in large transactions."""
    for start in range(first, last, 5000):
        store.append_sync(*(sample(number) for number in range(start, min(start + 5000, last))))
    os.sync()  # so that what is timed next does not wait for the disk to take the filling


def insert_measures(folder: Path) -> list[Measure]:
    """Rows a second with and without what makes the audit log one, by turns, 64 rows a commit and one a commit."""
    full, bare = _plain(folder / "full.db"), _plain(folder / "bare.db")
    with sqlite_utils.Database(full.connection).atomic():
        migrate(sqlite_utils.Database(full.connection))
    columns = ", ".join(f"{name} {'INTEGER' if name in ('seq', 'duration_ms') else 'TEXT'}" for name in COLUMNS)
    bare.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY (seq))")
    for column in ("channel_id", "user_id", "target_id", "request_id"):
        bare.execute(f"CREATE INDEX bare_{column} ON bare ({column}, seq)")
    measures: list[Measure] = []
    for batch, commits in ((BATCH, 16), (1, 150)):
        spent = {"full": 0.0, "bare": 0.0}
        for _ in range(ROUNDS):
            spent["full"] += _timed(lambda: _append(full, batch, commits))  # noqa: B023 - called at once
            spent["bare"] += _timed(lambda: _insert(bare, batch, commits))  # noqa: B023 - called at once
        rows = ROUNDS * batch * commits
        name = f"insert, {batch} a commit"
        measures.append((f"{name}, with chain, search and guards", rows / spent["full"], "rows/s", ""))
        measures.append((f"{name}, time against a bare insert", spent["full"] / spent["bare"], "x", "< 5"))
    full.connection.close()
    bare.connection.close()
    return measures


def _plain(path: Path) -> SqliteTx:
    """A database with the store's durability (WAL, synchronous FULL)."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    return SqliteTx(connection)


def read_times(store: Store, rows: int) -> Iterator[tuple[str, list[float]]]:
    """Seconds of each of many searches, by what was looked for; warm, through the reader's thread."""
    looks: dict[str, Callable[[int], Filters]] = {
        "last 50 of a channel": lambda n: Filters(channel_id=f"C{n % _CHANNELS}"),
        "last 50 of a person": lambda n: Filters(user_id=f"U{n % _PEOPLE}"),
        "last 50 of a target": lambda n: Filters(target_id=str(n * 7 % _TARGETS)),
        "text, a common word": lambda n: Filters(text="prices" if n % 2 else "late again"),
        "text, a word of few rows": lambda n: Filters(text=f"prices-{n * 7 % _TARGETS}"),
        "text, a rare word": lambda n: Filters(text="xylophone"),
    }
    for name, look in looks.items():
        for number in range(20):
            store.search_sync(look(number * 13))
        yield name, [_timed(lambda: store.search_sync(look(n * 31))) for n in range(min(REPEATS, rows))]  # noqa: B023


def verify_measures(store: Store, rows: int) -> list[Measure]:
    """The check of the whole chain, against reading all its columns and doing nothing."""
    verdict = store.verify_sync(store.head_sync())
    if not verdict.ok or verdict.rows != rows:
        raise AssertionError(f"the audit log that was measured is not in order: {verdict.why}")
    check = min(_timed(lambda: store.verify_sync(None)) for _ in range(2))
    reading = min(_timed(lambda: store.database.read_sync(_read_all)) for _ in range(2))
    return [
        ("verify", rows / check, "rows/s", "> 300000"),
        ("verify, time against reading every row", check / reading, "x", ""),
    ]


def _append(db: Tx, batch: int, commits: int) -> None:
    for commit in range(commits):
        db.execute("BEGIN IMMEDIATE")
        audit.append(db, [sample(commit * batch + number) for number in range(batch)])
        db.execute("COMMIT")


def _insert(db: Tx, batch: int, commits: int) -> None:
    names = COLUMNS[1:-2]
    sql = f"INSERT INTO bare ({', '.join(COLUMNS[1:])}) VALUES ({', '.join('?' * (len(COLUMNS) - 1))})"
    for commit in range(commits):
        db.execute("BEGIN IMMEDIATE")
        rows = [sample(commit * batch + number) for number in range(batch)]
        db.executemany(sql, [(*(getattr(row, name) for name in names), ZERO_HASH, ZERO_HASH) for row in rows])
        db.execute("COMMIT")


def _read_all(db: Tx) -> int:
    return sum(1 for _ in db.execute("SELECT * FROM audit ORDER BY seq"))


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
