"""Grants: permissions for a limited time, break-glass included."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Sequence
from typing import Any, Final

from bot.core.records import Grant, When, stamp
from bot.store.database import Statement, Tx
from bot.store.tables.sql import LIMIT, Table, as_models, dumped, found, inserted

_JSON: Final = ("verbs", "targets")
TABLE: Final = Table(
    "grants",
    "id user_id! verbs! targets! channel_id granted_by! reason from_at! until_at! state! reviewed_by reviewed_at "
    "request_id! breakglass#!",
    "id",
    indexes=(
        "CREATE INDEX grants_open ON grants (until_at) WHERE state = 'open'",
        "CREATE INDEX grants_user ON grants (user_id) WHERE state = 'open'",
        "CREATE INDEX grants_unreviewed ON grants (from_at) WHERE breakglass = 1 AND reviewed_at IS NULL",
    ),
)


def add(db: Tx, grant: Grant) -> None:
    """Insert a grant."""
    values: dict[str, Any] = grant.model_dump(exclude=set(_JSON))
    values |= {"verbs": dumped(list(grant.verbs)), "targets": dumped(list(grant.targets))}
    inserted(db, "grants", {**values, "breakglass": int(grant.breakglass)})


def by_id(db: Tx, grant_id: str) -> Grant | None:
    """One grant."""
    return next(iter(_grants(db, "id = ?", (grant_id,))), None)


def for_user(db: Tx, user_id: str, channel_id: str, now: When) -> Sequence[Grant]:
    """The active grants of a user in a channel."""
    wheres = (
        "state = 'open' AND user_id = ? AND (channel_id IS NULL OR channel_id = ?) AND from_at <= ? AND until_at > ?"
    )
    return _grants(db, wheres, (user_id, channel_id, stamp(now), stamp(now)))


def opened(db: Tx, now: When) -> Sequence[Grant]:
    """Every active grant, the earliest end first."""
    return _grants(db, "state = 'open' AND until_at > ?", (stamp(now),))


def due(db: Tx, now: When) -> Sequence[Grant]:
    """Open grants that have expired."""
    return _grants(db, "state = 'open' AND until_at <= ?", (stamp(now),))


def end(grant_id: str, state: str) -> Statement:
    """Open -> `state`."""
    return "UPDATE grants SET state = ? WHERE id = ? AND state = 'open'", (state, grant_id)


def review(grant_id: str, by: str, at: str) -> Statement:
    """Review a use of break-glass, once, and not by the person who used it."""
    sql = """UPDATE grants SET reviewed_by = ?, reviewed_at = ?
        WHERE id = ? AND breakglass = 1 AND reviewed_at IS NULL AND user_id <> ?"""
    return sql, (by, at, grant_id, by)


def _grants(db: Tx, wheres: str, values: Sequence[Any]) -> list[Grant]:
    rows = found(db, f"SELECT * FROM grants WHERE {wheres} ORDER BY until_at LIMIT {LIMIT}", values)
    return as_models(Grant, rows, _JSON)
