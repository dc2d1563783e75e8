"""Names: the known targets of vendors' ids. Facts: small values that the program must remember."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlite_utils import Database

from bot.core.operation import Target
from bot.core.value import Json
from bot.store.sqlite.tables.sql import changed, dumped, table

_REMEMBER = (
    "INSERT INTO names (backend, kind, id, target, seen_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (backend, kind, id) DO UPDATE SET target = excluded.target, seen_at = excluded.seen_at"
)


def create(db: Database) -> None:
    """Make both tables."""
    names = table(db, "names")
    names.create(
        dict.fromkeys(["backend", "kind", "id", "target", "seen_at"], str),
        pk=("backend", "kind", "id"),
        not_null=("target", "seen_at"),
    )
    table(db, "facts").create({"key": str, "value": str, "at": str}, pk="key", not_null=("value", "at"))


def remember(db: Database, targets: Sequence[Target], at: str) -> None:
    """Store these. A later name replaces an earlier one."""
    rows = [(target.backend, target.kind, target.id, dumped(target), at) for target in targets]
    db.conn.executemany(_REMEMBER, rows)


def by_id(db: Database, backend: str, kind: str, id: str) -> Target | None:
    """One remembered target."""
    sql = "SELECT target FROM names WHERE backend = ? AND kind = ? AND id = ?"
    row = db.conn.execute(sql, (backend, kind, id)).fetchone()
    return Target.model_validate_json(row[0]) if row else None


def known(db: Database, backend: str, kind: str | None) -> list[tuple[Target, str]]:
    """The remembered targets of a backend, with the time when each was last seen."""
    sql = "SELECT target, seen_at FROM names WHERE backend = ? AND (? IS NULL OR kind = ?) ORDER BY kind, id"
    rows = db.conn.execute(sql, (backend, kind, kind))
    return [(Target.model_validate_json(target), seen_at) for target, seen_at in rows]


def value(db: Database, key: str) -> Json:
    """A small value by its key, or None."""
    row = db.conn.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    value: Json = json.loads(row[0]) if row else None
    return value


def keys_since(db: Database, prefix: str, at: str) -> list[str]:
    """The keys with that prefix that were set at or after a time."""
    sql = "SELECT key FROM facts WHERE key >= ? AND key < ? AND at >= ? ORDER BY key"
    return [str(key) for (key,) in db.conn.execute(sql, (prefix, prefix + "\U0010ffff", at))]


def set_fact_once(db: Database, key: str, value: Json, at: str) -> bool:
    """Store a small value if its key is new. False when the key exists."""
    sql = "INSERT INTO facts (key, value, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
    return changed(db, sql, (key, dumped(value) or "null", at))


def set_value(db: Database, key: str, value: Json, at: str) -> None:
    """Store a small value, replacing an earlier one."""
    sql = (
        "INSERT INTO facts (key, value, at) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at"
    )
    db.conn.execute(sql, (key, dumped(value) or "null", at))
