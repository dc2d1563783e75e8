"""The inbox: every accepted request and its progress."""

from collections.abc import Iterable, Sequence
from typing import Final

from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.records import StoredRequest, When, stamp
from bot.store.database import Statement, Tx
from bot.store.tables.sql import Table, as_models, as_one, changed, dumped, found, masked

MOST_CLAIMED: Final = 1_000
_JSON: Final = ("intent", "operation")
# For a database with replicas. `owner_epoch` is the replica that works on a request; it follows from the state by a trigger.
_CLAIM: Final = """
    WITH free AS (
        SELECT q.request_id, CAST(extract(epoch FROM clock_timestamp() - r.beat_at) AS float) AS silent
        FROM requests q LEFT JOIN replicas r ON r.epoch = q.owner_epoch
        WHERE q.state <> 'ended' AND q.state IN ('new', 'working', 'sending') AND (r.epoch IS NULL OR r.state <> 'live')
        ORDER BY q.rowid LIMIT ? FOR UPDATE OF q)
    UPDATE requests SET owner_epoch = ? FROM free WHERE requests.request_id = free.request_id
    RETURNING requests.*, free.silent"""
_ELSEWHERE: Final = """
    SELECT q.* FROM requests q JOIN replicas r ON r.epoch = q.owner_epoch
    WHERE q.state <> 'ended' AND q.state = 'sending' AND r.state = 'live' AND r.epoch <> ?"""
_ACCEPT: Final = """INSERT INTO requests (request_id, dedupe_key, intent, state, updated_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (dedupe_key) DO NOTHING"""

TABLE: Final = Table(
    "requests",
    "request_id dedupe_key! intent! state! operation sent_at updated_at!",
    "request_id",
    indexes=(
        "CREATE UNIQUE INDEX requests_dedupe_key ON requests (dedupe_key)",
        # A start reads the unfinished ones.
        "CREATE INDEX requests_unfinished ON requests (state) WHERE state <> 'ended'",
        "CREATE INDEX requests_ended ON requests (updated_at) WHERE state = 'ended'",
    ),
)


def accept(intent: Intent, state: str) -> Statement:
    """Add a request unless its dedupe key is known. A known request_id with another key is an error."""
    return _ACCEPT, (intent.request_id, intent.dedupe_key, dumped(intent), state, stamp(intent.at))


def mark(intent: Intent) -> Statement:
    """Store the request again, with its incident."""
    return "UPDATE requests SET intent = ? WHERE request_id = ?", (dumped(intent), intent.request_id)


def scrub(db: Tx, request_id: str, secrets: Iterable[str]) -> None:
    """Mask typed secrets: nothing needs them after the request has ended."""
    row = db.execute("SELECT intent, operation FROM requests WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        return
    intent, operation = (masked(text, secrets) for text in row)
    if (intent, operation) != tuple(row):
        db.execute(
            "UPDATE requests SET intent = ?, operation = ? WHERE request_id = ?", (intent, operation, request_id)
        )


def begin(request_id: str, at: When) -> Statement:
    """New -> working. False when it is not new."""
    sql = "UPDATE requests SET state = 'working', updated_at = ? WHERE request_id = ? AND state = 'new'"
    return sql, (stamp(at), request_id)


def sending(db: Tx, request_id: str, operation: Operation, at: str) -> bool:
    """Working or waiting -> sending, with the operation to send."""
    sql = """UPDATE requests SET state = 'sending', operation = ?, sent_at = ?, updated_at = ?
        WHERE request_id = ? AND state IN ('working', 'waiting')"""
    return changed(db, (sql, (dumped(operation), at, at, request_id)))


def waiting(db: Tx, request_id: str, at: str) -> bool:
    """New, working or waiting -> waiting. A sent request can't wait anymore."""
    sql = "UPDATE requests SET state = 'waiting', updated_at = ? WHERE request_id = ? AND state IN ('new', 'working', 'waiting')"
    return changed(db, (sql, (at, request_id)))


def finish(db: Tx, request_id: str, at: str) -> bool:
    """Any state -> ended. False when the request is unknown."""
    sql = "UPDATE requests SET state = 'ended', updated_at = ? WHERE request_id = ?"
    return changed(db, (sql, (at, request_id)))


def release(request_id: str, at: str, epoch: int | None) -> Statement:
    """Working -> new. With `epoch`, only while that replica works on it: a leader may have claimed it since."""
    sql = "UPDATE requests SET state = 'new', updated_at = ? WHERE request_id = ? AND state = 'working'"
    return (sql, (at, request_id)) if epoch is None else (f"{sql} AND owner_epoch = ?", (at, request_id, epoch))


def unfinished(db: Tx) -> Sequence[StoredRequest]:
    """Unfinished requests that don't wait for a person: new, working, sending; oldest first."""
    sql = "SELECT * FROM requests WHERE state <> 'ended' AND state IN ('new', 'working', 'sending') ORDER BY rowid"
    return as_models(StoredRequest, found(db, sql), _JSON)


def claim(db: Tx, epoch: int) -> Sequence[StoredRequest]:
    """Unfinished requests on which no live replica works; `epoch` does from now on. Oldest first."""
    rows = sorted(found(db, _CLAIM, (MOST_CLAIMED, epoch)), key=lambda row: int(row["rowid"]))
    return as_models(StoredRequest, rows, _JSON)


def sending_elsewhere(db: Tx, epoch: int) -> Sequence[StoredRequest]:
    """Requests that other live replicas than `epoch` are sending."""
    return as_models(StoredRequest, found(db, _ELSEWHERE, (epoch,)), _JSON)


def being_sent(db: Tx) -> Sequence[Operation]:
    """The operations of all requests in `sending`."""
    sql = "SELECT operation FROM requests WHERE state <> 'ended' AND state = 'sending' AND operation IS NOT NULL"
    return [Operation.model_validate_json(operation, extra="ignore") for (operation,) in db.execute(sql)]


def operation_of(db: Tx, request_id: str) -> Operation | None:
    """What a request sent, also if only a newer version can read the request."""
    row = db.execute("SELECT operation FROM requests WHERE request_id = ?", (request_id,)).fetchone()
    return Operation.model_validate_json(row[0], extra="ignore") if row is not None and row[0] is not None else None


def by_id(db: Tx, request_id: str) -> StoredRequest | None:
    """One request."""
    return as_one(StoredRequest, found(db, "SELECT * FROM requests WHERE request_id = ?", (request_id,)), _JSON)


def by_key(db: Tx, dedupe_key: str) -> StoredRequest | None:
    """The request with this identity."""
    return as_one(StoredRequest, found(db, "SELECT * FROM requests WHERE dedupe_key = ?", (dedupe_key,)), _JSON)
