"""Pauses: schedules that are off for a set time."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlite_utils import Database

from bot.core.records import Pause
from bot.store.sqlite.tables.sql import LIMIT, as_model, changed, dumped, found, inserted, table

_TEXTS: Final = "id backend verb_back target request_id user_id channel_id reason from_at until_at state message_key"


def create(db: Database) -> None:
    """Make the table."""
    pauses = table(db, "pauses")
    pauses.create(
        {**dict.fromkeys(_TEXTS.split(), str), "tries": int},
        pk="id",
        not_null=("backend", "verb_back", "target", "request_id", "from_at", "until_at", "state", "tries"),
        defaults={"tries": 0},
    )
    db.execute("CREATE INDEX pauses_due ON pauses (until_at) WHERE state = 'open'")


def add(db: Database, pause: Pause) -> None:
    """Insert a pause."""
    values: dict[str, Any] = pause.model_dump(exclude={"target"})
    inserted(db, "pauses", {**values, "target": dumped(pause.target)})


def opened(db: Database) -> Sequence[Pause]:
    """Every open pause, the earliest end first."""
    rows = found(db, "SELECT * FROM pauses WHERE state = 'open' ORDER BY until_at")
    return [as_model(Pause, row, ("target",)) for row in rows]


def by_id(db: Database, pause_id: str) -> Pause | None:
    """One pause."""
    rows = found(db, "SELECT * FROM pauses WHERE id = ?", (pause_id,))
    return as_model(Pause, rows[0], ("target",)) if rows else None


def due(db: Database, now: str) -> Sequence[Pause]:
    """Open pauses that are over."""
    sql = f"SELECT * FROM pauses WHERE state = 'open' AND until_at <= ? ORDER BY until_at LIMIT {LIMIT}"
    return [as_model(Pause, row, ("target",)) for row in found(db, sql, (now,))]


def postpone(db: Database, pause_id: str, until_at: str) -> bool:
    """Try to resume again at that time. Counts the failed attempt."""
    sql = "UPDATE pauses SET until_at = ?, tries = tries + 1 WHERE id = ? AND state = 'open'"
    return changed(db, sql, (until_at, pause_id))


def end(db: Database, pause_id: str, state: str) -> bool:
    """Open -> `state`."""
    return changed(db, "UPDATE pauses SET state = ? WHERE id = ? AND state = 'open'", (state, pause_id))
