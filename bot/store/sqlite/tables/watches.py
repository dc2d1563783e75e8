"""Watches: runs that are followed to their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlite_utils import Database

from bot.core.outcome import RunView
from bot.core.records import Watch
from bot.store.sqlite.tables.sql import as_model, changed, dumped, found, inserted, table

_JSON: Final = ("target", "view")
_TEXTS: Final = (
    "id request_id backend group_key target message_key channel_id user_id view state due_at made_at ended_at"
)


def create(db: Database) -> None:
    """Make the table. Its indexes only have open watches."""
    watches = table(db, "watches")
    watches.create(
        dict.fromkeys(_TEXTS.split(), str),
        pk="id",
        not_null=("request_id", "backend", "group_key", "target", "state", "due_at", "made_at"),
    )
    db.execute("CREATE INDEX watches_due ON watches (due_at) WHERE state = 'open'")
    db.execute("CREATE INDEX watches_user ON watches (user_id, made_at) WHERE state = 'open'")


def add(db: Database, watch: Watch) -> None:
    """Insert a watch."""
    values: dict[str, Any] = watch.model_dump(exclude=set(_JSON))
    values |= {"target": dumped(watch.target), "view": dumped(watch.view)}
    inserted(db, "watches", values)


def opened(db: Database, user_id: str | None = None) -> Sequence[Watch]:
    """Every open watch, the earliest due first, or those of one user, oldest first."""
    if user_id is None:
        rows = found(db, "SELECT * FROM watches WHERE state = 'open' ORDER BY due_at")
    else:
        rows = found(db, "SELECT * FROM watches WHERE state = 'open' AND user_id = ? ORDER BY made_at", (user_id,))
    return [as_model(Watch, row, _JSON) for row in rows]


def due(db: Database, now: str, limit: int) -> Sequence[Watch]:
    """Due open watches, the longest overdue first."""
    sql = "SELECT * FROM watches WHERE state = 'open' AND due_at <= ? ORDER BY due_at LIMIT ?"
    return [as_model(Watch, row, _JSON) for row in found(db, sql, (now, limit))]


def update(db: Database, watch_id: str, view: RunView | None, due_at: str) -> bool:
    """Store the last view and the time of the next check. False when the watch is not open."""
    sql = "UPDATE watches SET view = coalesce(?, view), due_at = ? WHERE id = ? AND state = 'open'"
    return changed(db, sql, (dumped(view), due_at, watch_id))


def end(db: Database, watch_id: str, state: str, at: str) -> bool:
    """Open -> `state`."""
    sql = "UPDATE watches SET state = ?, ended_at = ? WHERE id = ? AND state = 'open'"
    return changed(db, sql, (state, at, watch_id))
