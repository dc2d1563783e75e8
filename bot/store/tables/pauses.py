"""Pauses: schedules that are off for a set time."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Sequence
from typing import Any, Final

from bot.core.records import Pause, When, stamp
from bot.store.database import Statement, Tx
from bot.store.tables.sql import LIMIT, Table, as_models, as_one, changed, dumped, found, inserted

TABLE: Final = Table(
    "pauses",
    "id backend! verb_back! target! request_id! user_id channel_id reason from_at! until_at! state! message_key tries#!",
    "id",
    indexes=("CREATE INDEX pauses_due ON pauses (until_at) WHERE state = 'open'",),
)


def add(db: Tx, pause: Pause) -> None:
    """Insert a pause."""
    values: dict[str, Any] = pause.model_dump(exclude={"target"})
    inserted(db, "pauses", {**values, "target": dumped(pause.target)})


def opened(db: Tx) -> Sequence[Pause]:
    """Every open pause, the earliest end first."""
    rows = found(db, "SELECT * FROM pauses WHERE state = 'open' ORDER BY until_at")
    return as_models(Pause, rows, ("target",))


def by_id(db: Tx, pause_id: str) -> Pause | None:
    """One pause."""
    return as_one(Pause, found(db, "SELECT * FROM pauses WHERE id = ?", (pause_id,)), ("target",))


def of_request(db: Tx, request_id: str) -> Sequence[Pause]:
    """All that a request began, in whatever state they are, always in the same order."""
    rows = found(db, "SELECT * FROM pauses WHERE request_id = ? ORDER BY id", (request_id,))
    return as_models(Pause, rows, ("target",))


def due(db: Tx, now: When) -> Sequence[Pause]:
    """Open pauses that are over."""
    sql = f"SELECT * FROM pauses WHERE state = 'open' AND until_at <= ? ORDER BY until_at LIMIT {LIMIT}"
    return as_models(Pause, found(db, sql, (stamp(now),)), ("target",))


def postpone(pause_id: str, until_at: When) -> Statement:
    """Try to resume again at that time. Counts the failed attempt."""
    sql = "UPDATE pauses SET until_at = ?, tries = tries + 1 WHERE id = ? AND state = 'open'"
    return sql, (stamp(until_at), pause_id)


def end(db: Tx, pause_id: str, state: str) -> bool:
    """Open -> `state`."""
    return changed(db, ("UPDATE pauses SET state = ? WHERE id = ? AND state = 'open'", (state, pause_id)))
