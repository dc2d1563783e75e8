"""The inbox: every accepted request and its progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.records import StoredRequest, stamp
from bot.store.sqlite.tables.sql import as_model, changed, dumped, found, masked, table

_ACCEPT = (
    "INSERT INTO requests (request_id, dedupe_key, intent, state, updated_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (dedupe_key) DO NOTHING"
)


def create(db: Database) -> None:
    """Make the table. The index that a start reads leaves out ended requests."""
    inbox = table(db, "requests")
    inbox.create(
        {
            "request_id": str,
            "dedupe_key": str,
            "intent": str,
            "state": str,
            "operation": str,
            "sent_at": str,
            "updated_at": str,
        },
        pk="request_id",
        not_null=("dedupe_key", "intent", "state", "updated_at"),
    )
    inbox.create_index(["dedupe_key"], "requests_dedupe_key", unique=True)
    db.execute("CREATE INDEX requests_unfinished ON requests (state) WHERE state <> 'ended'")
    db.execute("CREATE INDEX requests_ended ON requests (updated_at) WHERE state = 'ended'")


def accept(db: Database, intent: Intent, state: str) -> bool:
    """Add a request. False when its dedupe key is known. A known request_id with another key is an error."""
    values = (intent.request_id, intent.dedupe_key, intent.model_dump_json(), state, stamp(intent.at))
    return changed(db, _ACCEPT, values)


def scrub(db: Database, request_id: str, secrets: Iterable[str]) -> None:
    """Mask typed secrets: nothing needs them after the request has ended."""
    row = db.conn.execute("SELECT intent, operation FROM requests WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        return
    intent, operation = (masked(text, secrets) for text in row)
    if (intent, operation) != tuple(row):
        db.conn.execute(
            "UPDATE requests SET intent = ?, operation = ? WHERE request_id = ?", (intent, operation, request_id)
        )


def begin(db: Database, request_id: str, at: str) -> bool:
    """New -> working."""
    sql = "UPDATE requests SET state = 'working', updated_at = ? WHERE request_id = ? AND state = 'new'"
    return changed(db, sql, (at, request_id))


def sending(db: Database, request_id: str, operation: Operation, at: str) -> bool:
    """Working or waiting -> sending, with the operation to send."""
    sql = (
        "UPDATE requests SET state = 'sending', operation = ?, sent_at = ?, updated_at = ? "
        "WHERE request_id = ? AND state IN ('working', 'waiting')"
    )
    return changed(db, sql, (dumped(operation), at, at, request_id))


def waiting(db: Database, request_id: str, at: str) -> bool:
    """New, working or waiting -> waiting. A sent request can't wait anymore."""
    sql = "UPDATE requests SET state = 'waiting', updated_at = ? WHERE request_id = ? AND state IN ('new', 'working', 'waiting')"
    return changed(db, sql, (at, request_id))


def finish(db: Database, request_id: str, at: str) -> bool:
    """Any state -> ended. False when the request is unknown."""
    return changed(db, "UPDATE requests SET state = 'ended', updated_at = ? WHERE request_id = ?", (at, request_id))


def unfinished(db: Database) -> Sequence[StoredRequest]:
    """Unfinished requests that don't wait for a person: new, working, sending; oldest first."""
    sql = "SELECT * FROM requests WHERE state <> 'ended' AND state IN ('new', 'working', 'sending') ORDER BY rowid"
    return [as_model(StoredRequest, row, ("intent", "operation")) for row in found(db, sql)]


def by_id(db: Database, request_id: str) -> StoredRequest | None:
    """One request."""
    rows = found(db, "SELECT * FROM requests WHERE request_id = ?", (request_id,))
    return as_model(StoredRequest, rows[0], ("intent", "operation")) if rows else None


def by_key(db: Database, dedupe_key: str) -> StoredRequest | None:
    """The request with this identity."""
    rows = found(db, "SELECT * FROM requests WHERE dedupe_key = ?", (dedupe_key,))
    return as_model(StoredRequest, rows[0], ("intent", "operation")) if rows else None
