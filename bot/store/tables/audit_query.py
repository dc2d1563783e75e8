"""Searches the audit log, newest first, always with an index or the full-text index, never by rank or by time alone."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter

from bot.core.audit import COLUMNS
from bot.core.records import Filters, StoredEntry, stamp
from bot.store.database import Term, Tx
from bot.store.tables.audit import COMMON_EVENTS, rare_event

MOST: Final = 500
# Entries are in the order of commits. Their `at` was read before that, from clocks that may jump.
SLACK_SECONDS: Final = 3600
# The first given one of these leads the search.
_INDEXED: Final = ("request_id", "target_id", "user_id", "channel_id")
_ENTRIES: Final = TypeAdapter(list[StoredEntry])
_ASCII: Final = re.compile(r"[0-9a-z]+")
_FIRST_MARK, _LAST_MARK = 0x300, 0x331
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # letters in the tables of FTS5


def search(db: Tx, filters: Filters, *, before_seq: int | None = None, limit: int = 50) -> list[StoredEntry]:
    """The matching entries, newest first, at most `limit` (1 to 500). `before_seq` is the last one's seq, for the next page."""
    wheres: list[str] = []
    values: list[Any] = []
    terms = _terms(filters)
    if terms == ():
        return []
    source, seq = "audit r", "r.seq"
    if terms is not None:
        source, seq, condition = db.dialect.searched
        wheres.append(condition)
        values.append(db.dialect.search_query(terms))
    _place(filters, wheres, values, "" if terms is None else db.dialect.no_index, db.dialect.no_index)
    low, high = _bounds(db, filters, before_seq)
    if low is not None:
        wheres.append(f"{seq} >= ?")
        values.append(low)
    if high is not None:
        wheres.append(f"{seq} <= ?")
        values.append(high)
    columns = ", ".join(f"r.{name}" for name in COLUMNS)
    sql = f"SELECT {columns} FROM {source} WHERE {' AND '.join(wheres) or '1 = 1'} ORDER BY {seq} DESC LIMIT ?"
    values.append(max(1, min(limit, MOST)))
    return entries(db.execute(sql, values))


def entries(rows: Iterable[tuple[Any, ...]]) -> list[StoredEntry]:
    """Stored entries with values in the order of COLUMNS, read together, which is cheaper than one by one."""
    return _ENTRIES.validate_python([dict(zip(COLUMNS, row, strict=True)) for row in rows])


def _terms(filters: Filters) -> tuple[Term, ...] | None:
    """What the full-text search looks for: None when it isn't needed, empty when nothing can match.

    It also searches verbs and codes: they have no index, and a rare one would need a scan of the whole audit log.
    """
    terms: list[Term] = []
    if filters.text is not None:
        found = [Term(tuple(words(part)), prefix=part.endswith("*")) for part in filters.text.split()]
        terms += [term for term in found if term.words]
        if not terms:
            return ()
    if filters.verb is not None and not any(getattr(filters, name) for name in _INDEXED):
        terms += [Term((word,), verb=True) for word in words(filters.verb)]
    if filters.code is not None and not any(getattr(filters, name) for name in _INDEXED):
        terms.append(Term(tuple(words(filters.code))))
    return tuple(terms) or None


def _place(filters: Filters, wheres: list[str], values: list[Any], led: str, no_index: str) -> None:
    """The conditions on columns. `led` is empty until one of them leads the search."""
    for name in _INDEXED:
        value = getattr(filters, name)
        if value is not None:
            wheres.append(f"{led}r.{name} = ?")
            values.append(value)
            led = no_index
    if filters.event is not None:
        wheres.append(f"{led}r.event = ?")
        values.append(filters.event)
        if not led and filters.event not in COMMON_EVENTS:
            # Written out, because a partial index is only used when the query contains its condition.
            wheres.append(rare_event("r.event"))
    for name, comparison in (
        ("verb", "verb = ?"),
        ("target_name", "target_name = ?"),
        ("code", "code = ?"),
        ("backend", "backend = ?"),
        ("incident", "incident = ?"),
        ("since", "at >= ?"),
        ("until", "at <= ?"),
    ):
        value = getattr(filters, name)
        if value is not None:
            wheres.append(f"r.{comparison}")
            values.append(value)


def _bounds(db: Tx, filters: Filters, before_seq: int | None) -> tuple[int | None, int | None]:
    """The first and last seq that can match, by binary search: entries are almost in the order of their time."""
    low = high = None
    if filters.since is not None:
        low = _first_at(db, earlier(filters.since, SLACK_SECONDS))
    if filters.until is not None:
        high = _first_at(db, later(filters.until, SLACK_SECONDS))
    if before_seq is not None:
        high = before_seq - 1 if high is None else min(high, before_seq - 1)
    return low, high


def _first_at(db: Tx, at: str) -> int:
    """The first seq whose entry is not before `at`, as if entries were in order of time; one past the end without one."""
    last = db.execute("SELECT max(seq) FROM audit").fetchone()[0] or 0
    low, high = 1, int(last) + 1
    while low < high:
        middle = (low + high) // 2
        row = db.execute("SELECT at FROM audit WHERE seq = ?", (middle,)).fetchone()
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


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    lower = text.lower()
    if lower.isascii():
        return _ASCII.findall(lower)
    return "".join(_folded(letter) for letter in lower).split()


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    """A letter without its accent, nothing for a combining accent, and a blank for what separates words."""
    if _is_mark(letter):
        return ""
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and _is_mark(parts[1]):
        letter = parts[0]
    category = unicodedata.category(letter)
    if category[0] not in "LN" and category != "Co" and letter not in _SKIN_TONES:
        return " "
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter


def _is_mark(letter: str) -> bool:
    return _FIRST_MARK <= ord(letter) <= _LAST_MARK
