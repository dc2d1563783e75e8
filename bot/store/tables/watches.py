"""Watches: runs that are followed to their end."""

from collections.abc import Sequence
from typing import Any, Final

from bot.core.outcome import RunView
from bot.core.records import Watch, When, stamp
from bot.store.database import Statement, Tx
from bot.store.tables.sql import Table, as_models, dumped, found, inserted

_JSON: Final = ("target", "view")
_OPEN: Final = """
    SELECT watches.*, (SELECT verb FROM audit WHERE audit.request_id = watches.request_id AND event = 'sent' LIMIT 1) AS verb
    FROM watches WHERE state = 'open'"""
TABLE: Final = Table(
    "watches",
    "id request_id! backend! group_key! target! message_key channel_id user_id view state! due_at! made_at! ended_at",
    "id",
    indexes=(
        "CREATE INDEX watches_due ON watches (due_at) WHERE state = 'open'",
        "CREATE INDEX watches_user ON watches (user_id, made_at) WHERE state = 'open'",
    ),
)


def add(db: Tx, watch: Watch) -> None:
    """Insert a watch."""
    values: dict[str, Any] = watch.model_dump(exclude={*_JSON, "verb"})
    values |= {"target": dumped(watch.target), "view": dumped(watch.view)}
    inserted(db, "watches", values)


def opened(db: Tx, user_id: str | None = None) -> Sequence[Watch]:
    """Every open watch, the earliest due first, or those of one user, oldest first."""
    if user_id is None:
        rows = found(db, f"{_OPEN} ORDER BY due_at")
    else:
        rows = found(db, f"{_OPEN} AND user_id = ? ORDER BY made_at", (user_id,))
    return as_models(Watch, rows, _JSON)


def due(db: Tx, now: When, limit: int = 1000) -> Sequence[Watch]:
    """Due open watches, the longest overdue first."""
    return as_models(Watch, found(db, f"{_OPEN} AND due_at <= ? ORDER BY due_at LIMIT ?", (stamp(now), limit)), _JSON)


def update(db: Tx, seen: Sequence[tuple[str, RunView | None, When]]) -> None:
    """Store the last view of each watch and the time of its next check. Nothing for a watch that is not open."""
    sql = "UPDATE watches SET view = coalesce(?, view), due_at = ? WHERE id = ? AND state = 'open'"
    db.executemany(sql, [(dumped(view), stamp(due_at), watch_id) for watch_id, view, due_at in seen])


def end(watch_id: str, state: str, at: str) -> Statement:
    """Open -> `state`."""
    sql = "UPDATE watches SET state = ?, ended_at = ? WHERE id = ? AND state = 'open'"
    return sql, (state, at, watch_id)
