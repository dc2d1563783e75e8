"""Searches the audit log, newest first, always with an index or the full-text index, never by rank or by time alone."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlite_utils import Database

from bot.core.audit import COLUMNS
from bot.core.records import Filters, StoredEntry, stamp
from bot.store.sqlite.tables.audit import COMMON_EVENTS

MOST: Final = 500
# Entries are in the order of commits. Their `at` was read before that, from clocks that may jump.
SLACK_SECONDS: Final = 3600

# The first given one of these leads the search. A plus sign stops SQLite from choosing another index.
_INDEXED: Final = ("request_id", "target_id", "user_id", "channel_id")
_WORD: Final = re.compile(r"\w")
_ENTRIES: Final = TypeAdapter(list[StoredEntry])


def search(db: Database, filters: Filters, before_seq: int | None, limit: int) -> list[StoredEntry]:
    """The matching entries, newest first, at most `limit` (1 to 500) and below `before_seq`."""
    wheres: list[str] = []
    values: list[Any] = []
    match = _match(filters)
    if match == "":
        return []
    source = "audit r"
    seq = "r.seq"
    if match is not None:
        source = "audit_fts f CROSS JOIN audit r ON r.seq = f.rowid"
        seq = "f.rowid"
        wheres.append("audit_fts MATCH ?")
        values.append(match)
    _place(filters, wheres, values, led=match is not None)
    low, high = _bounds(db, filters, before_seq)
    if low is not None:
        wheres.append(f"{seq} >= ?")
        values.append(low)
    if high is not None:
        wheres.append(f"{seq} <= ?")
        values.append(high)
    columns = ", ".join(f"r.{name}" for name in COLUMNS)
    sql = f"SELECT {columns} FROM {source} WHERE {' AND '.join(wheres) or '1'} ORDER BY {seq} DESC LIMIT ?"
    values.append(max(1, min(limit, MOST)))
    return entries(db.conn.execute(sql, values))


def entries(rows: Iterable[tuple[Any, ...]]) -> list[StoredEntry]:
    """Stored entries with values in the order of COLUMNS, read together, which is cheaper than one by one."""
    return _ENTRIES.validate_python([dict(zip(COLUMNS, row, strict=True)) for row in rows])


def _match(filters: Filters) -> str | None:
    """The full-text query: None when not needed, empty when nothing can match.

    It also searches verbs: they have no index, and a rare one would need a scan of the whole audit log.
    """
    terms: list[str] = []
    if filters.text is not None:
        words = [word for word in filters.text.replace("\0", " ").split() if _WORD.search(word)]
        if not words:
            return ""
        terms += [_term(word) for word in words]
    if filters.verb is not None and not any(getattr(filters, name) for name in _INDEXED):
        words = [word for word in filters.verb.replace("\0", " ").split() if _WORD.search(word)]
        terms += [f"verb : {_quoted(word)}" for word in words]
    return " AND ".join(terms) if terms else None


def _term(word: str) -> str:
    return _quoted(word[:-1]) + " *" if word.endswith("*") and len(word) > 1 else _quoted(word)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _place(filters: Filters, wheres: list[str], values: list[Any], *, led: bool) -> None:
    for name in _INDEXED:
        value = getattr(filters, name)
        if value is not None:
            wheres.append(f"{'+' if led else ''}r.{name} = ?")
            values.append(value)
            led = True
    if filters.event is not None:
        wheres.append("+r.event = ?" if led else "r.event = ?")
        values.append(filters.event)
        if not led and filters.event not in COMMON_EVENTS.replace("'", " ").split():
            # Written out, because SQLite only uses a partial index when the query contains its condition.
            wheres.append(f"r.{COMMON_EVENTS}")
    for name, comparison in (
        ("verb", "verb = ?"),
        ("backend", "backend = ?"),
        ("incident", "incident = ?"),
        ("since", "at >= ?"),
        ("until", "at <= ?"),
    ):
        value = getattr(filters, name)
        if value is not None:
            wheres.append(f"r.{comparison}")
            values.append(value)


def _bounds(db: Database, filters: Filters, before_seq: int | None) -> tuple[int | None, int | None]:
    """The first and last seq that can match, by binary search: entries are almost in the order of their time."""
    low = high = None
    if filters.since is not None:
        low = _first_at(db, earlier(filters.since, SLACK_SECONDS))
    if filters.until is not None:
        high = _first_at(db, later(filters.until, SLACK_SECONDS))
    if before_seq is not None:
        high = before_seq - 1 if high is None else min(high, before_seq - 1)
    return low, high


def _first_at(db: Database, at: str) -> int:
    """The first seq whose entry is not before `at`, as if entries were in order of time; one past the end without one."""
    last = db.conn.execute("SELECT max(seq) FROM audit").fetchone()[0] or 0
    low, high = 1, int(last) + 1
    while low < high:
        middle = (low + high) // 2
        row = db.conn.execute("SELECT at FROM audit WHERE seq = ?", (middle,)).fetchone()
        if row is None or row[0] < at:
            low = middle + 1
        else:
            high = middle
    return low


def earlier(at: str, seconds: float) -> str:
    """The stamp that many seconds before `at`."""
    return stamp(datetime.fromisoformat(at) - timedelta(seconds=seconds))


def later(at: str, seconds: float) -> str:
    """The stamp that many seconds after `at`."""
    return stamp(datetime.fromisoformat(at) + timedelta(seconds=seconds))
