"""The known targets of vendors' ids, and small values by key that the program must remember."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.operation import Target
from bot.core.records import When, stamp
from bot.core.value import Json
from bot.store.database import Statement, Tx
from bot.store.tables.sql import Table, dumped

_REMEMBER = """INSERT INTO names (backend, kind, id, target, seen_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (backend, kind, id) DO UPDATE SET target = excluded.target, seen_at = excluded.seen_at"""
# SQLite makes a temporary table for `IN`, for ORDER BY and for RETURNING, which costs more than both queries.
_OPEN: Final = "(SELECT value FROM key_values WHERE key = ? AND value <> 'null')"
_INCIDENT: Final = f"SELECT coalesce({_OPEN}, {_OPEN})"

NAMES: Final = Table("names", "backend! kind! id! target! seen_at!", "backend, kind, id")
_MADE: Final = "made:"
KEY_VALUES: Final = Table("key_values", "key! value! at!", "key")


def remember(db: Tx, targets: Sequence[Target], at: str) -> None:
    """Store these. A later name replaces an earlier one."""
    rows = [(target.backend, target.kind, target.id, dumped(target), at) for target in targets]
    db.executemany(_REMEMBER, rows)


def by_id(db: Tx, backend: str, kind: str, id: str) -> Target | None:
    """One remembered target."""
    sql = "SELECT target FROM names WHERE backend = ? AND kind = ? AND id = ?"
    row = db.execute(sql, (backend, kind, id)).fetchone()
    return Target.model_validate_json(row[0], extra="ignore") if row else None


def known(db: Tx, backend: str, kind: str | None = None) -> list[tuple[Target, datetime]]:
    """The remembered targets of a backend, with the time when each was last seen."""
    sql = "SELECT target, seen_at FROM names WHERE backend = ? AND (CAST(? AS TEXT) IS NULL OR kind = ?) ORDER BY kind, id"
    rows = db.execute(sql, (backend, kind, kind))
    return [
        (Target.model_validate_json(target, extra="ignore"), datetime.fromisoformat(seen_at))
        for target, seen_at in rows
    ]


def value(db: Tx, key: str) -> Json:
    """A small value by its key, or None."""
    row = db.execute("SELECT value FROM key_values WHERE key = ?", (key,)).fetchone()
    value: Json = json.loads(row[0]) if row else None
    return value


def incident(keys: Sequence[str]) -> Statement:
    """A query for the value of the incident that is open at one of up to two keys, NULL when there is none.

    The incident of a thread has the longer key, and wins over that of its channel. A closed one is `null`.
    """
    return _INCIDENT, (*sorted(keys, key=len, reverse=True), *("", "")[len(keys) :])


def values_with(db: Tx, prefix: str) -> dict[str, Json]:
    """The small values whose keys begin with that prefix, by the rest of their keys."""
    sql = "SELECT key, value FROM key_values WHERE key >= ? AND key < ? ORDER BY key"
    rows = db.execute(sql, (prefix, prefix + "\U0010ffff"))
    return {str(key).removeprefix(prefix): json.loads(value) for key, value in rows}


def keys_since(db: Tx, prefix: str, at: When) -> list[str]:
    """The keys with that prefix that were set at or after a time."""
    sql = "SELECT key FROM key_values WHERE key >= ? AND key < ? AND at >= ? ORDER BY key"
    return [str(key) for (key,) in db.execute(sql, (prefix, prefix + "\U0010ffff", stamp(at)))]


def made_key(backend: str, made: str) -> str:
    """The key for the request that made this on a backend."""
    return f"{_MADE}{backend}:{made}"


def claim(db: Tx, backend: str, made: Sequence[str], request_id: str, at: str) -> bool:
    """Record who made each of these, unless it is recorded. Returns whether another request has one of them."""
    keys = [made_key(backend, one) for one in made]
    for key in keys:
        db.execute(*set_value_once(key, request_id, at))
    return any(value(db, key) != request_id for key in keys)


def maker_of(db: Tx, backend: str, made: str) -> str | None:
    """The request whose call made that run on a backend, None if no request is known to have made it."""
    kept = value(db, made_key(backend, made))
    return kept if isinstance(kept, str) else None


def claimed(db: Tx, request_id: str, backend: str, since: When) -> frozenset[str]:
    """What other requests made on a backend since then."""
    prefix = made_key(backend, "")
    return frozenset(key.removeprefix(prefix) for key in keys_since(db, prefix, since) if value(db, key) != request_id)


def set_value_once(key: str, value: Json, at: When) -> Statement:
    """Store a small value if its key is new."""
    sql = "INSERT INTO key_values (key, value, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
    return sql, (key, dumped(value) or "null", stamp(at))


def take_turn(key: str, at: When, before: When) -> Statement:
    """Take a turn that only one process may have. False when another one has taken it since `before`.

    It is over at that time after `at`, or when `set_value` sets the key with an empty time.
    """
    sql = """INSERT INTO key_values (key, value, at) VALUES (?, 'null', ?)
        ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE key_values.at < ?"""
    return sql, (key, stamp(at), stamp(before))


def set_value(db: Tx, key: str, value: Json, at: str) -> None:
    """Store a small value, replacing an earlier one."""
    sql = """INSERT INTO key_values (key, value, at) VALUES (?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at"""
    db.execute(sql, (key, dumped(value) or "null", at))
