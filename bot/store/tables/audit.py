"""The audit log: one entry per event, append-only, hash-chained. Writes; see `audit_query`, `audit_verify`."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

import hashlib
import json.encoder
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from bot.core.audit import COLUMNS, HASHED_COLUMNS, VERSION, ZERO_HASH, AuditEntry
from bot.core.text import storable
from bot.store.database import Statement, Tx
from bot.store.tables.sql import Table


def _encoder() -> Any:
    make: Any = vars(json.encoder)["c_make_encoder"]
    return make(None, None, json.encoder.encode_basestring, None, ":", ",", False, False, False)


FTS_COLUMNS: Final = ("verb", "target_name", "target_id", "reason", "params", "detail", "code", "rule")
COMMON_EVENTS: Final = ("requested", "sent", "done", "ended")


def rare_event(column: str) -> str:
    """The condition of the index of rare events. For NOT IN, SQLite would build a table with every entry that it appends."""
    return " AND ".join(f"{column} <> '{event}'" for event in COMMON_EVENTS)


_INTEGERS: Final = frozenset({"seq", "v", "duration_ms"})
_REQUIRED: Final = ("v", "at", "request_id", "event", "params", "prev_hash", "hash")
# Values are bound and hashed in the order of the canonical JSON.
_SORTED: Final = tuple(sorted(HASHED_COLUMNS[VERSION]))
_SEQ: Final = _SORTED.index("seq")
_EVENT: Final = _SORTED.index("event")
_VALUES_OF: Final = attrgetter(*(name for name in _SORTED if name != "seq"))
ORDER: Final = (*_SORTED, "prev_hash", "hash")  # of the values of a record
# The encoder that json.dumps would build for every call: no circle check, no indent, sorted already, no NaN.
_ENCODE: Final[Any] = _encoder()
HEAD: Final = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"

_NUL: Final = b"\\u0000"

TABLE: Final = Table(
    "audit",
    " ".join(f"{name}{'#' * (name in _INTEGERS)}{'!' * (name in _REQUIRED)}" for name in COLUMNS),
    "seq",
    indexes=(
        *(
            f"CREATE INDEX audit_{column} ON audit ({column}, seq)"
            for column in ("channel_id", "user_id", "target_id", "request_id")
        ),
        f"CREATE INDEX audit_rare_event ON audit (event, seq) WHERE {rare_event('event')}",
    ),
)


def append(db: Tx, rows: Sequence[AuditEntry]) -> int:
    """Append `rows` to the chain. Returns the seq of the last entry of the audit log.

    Must run inside a write transaction: it reads the head there, so that no other process can add an entry between.
    """
    seq, last = db.head() or (0, ZERO_HASH)
    records: list[list[Any]] = []
    for row in rows:
        seq += 1
        values = list(_VALUES_OF(row))
        values.insert(_SEQ, seq)
        values[_EVENT] = str(row.event)
        try:
            body = (last + _canonical(values)).encode()
        except UnicodeEncodeError:
            body = _NUL  # so that it is cleaned below
        if _NUL in body:
            values = [storable(value) if isinstance(value, str) else value for value in values]
            body = (last + _canonical(values)).encode()
        digest = hashlib.sha256(body).hexdigest()
        values += (last, digest)
        records.append(values)
        last = digest
    if records:
        db.add_entries(records)
    return int(seq)


def head_of(record: Sequence[Any]) -> tuple[int, str]:
    """The sequence number and the hash of a record of `append`."""
    return record[_SEQ], record[-1]


@dataclass(frozen=True, slots=True)
class Change:
    """The unit of one statement, a compare-and-set: True, with `rows` appended, when it changed a row."""

    statement: Statement
    rows: Sequence[AuditEntry]

    def __call__(self, db: Tx) -> Any:
        return self.complete(db, self.send(db))

    def send(self, db: Tx) -> Any:
        """The first half: execute the statement."""
        return db.execute(*self.statement)

    def complete(self, db: Tx, result: Any) -> Any:
        """The second half, with the result of the first."""
        if result.rowcount <= 0:
            return False
        if self.rows:
            append(db, self.rows)
        return True


def head(db: Tx) -> str | None:
    """`SEQ:HASH` of the last entry, or None for an empty audit log."""
    last = db.head()
    return None if last is None else f"{last[0]}:{last[1]}"


def has_head(known: str, db: Tx) -> bool:
    """Whether the entry of a published `SEQ:HASH` is there."""
    seq, _, digest = known.partition(":")
    return db.execute("SELECT 1 FROM audit WHERE seq = ? AND hash = ?", (int(seq), digest)).fetchone() is not None


def _canonical(values: Sequence[Any]) -> str:
    """`core.value.canonical` of one entry at a third of the cost. `values` are in the order of `_SORTED`."""
    return "".join(_ENCODE(dict(zip(_SORTED, values, strict=True)), 0))


def operations_sql(concatenated: str) -> str:
    """The SQL of the view `operations`: one row per request, in the order of first entries, found by (request_id, seq).

    `concatenated` is the database's aggregate of `user_id` with commas.
    """

    def first(column: str, name: str = "") -> str:
        return (
            f"(SELECT e.{column} FROM audit e WHERE e.request_id = f.request_id AND e.{column} IS NOT NULL "
            f"ORDER BY e.seq LIMIT 1) AS {name or column}"
        )

    def last(expression: str, events: Sequence[str], name: str) -> str:
        listed = ", ".join(f"'{event}'" for event in events)
        return (
            f"(SELECT {expression} FROM audit e WHERE e.request_id = f.request_id AND e.event IN ({listed}) "
            f"ORDER BY e.seq DESC LIMIT 1) AS {name}"
        )

    def latest(column: str) -> str:
        return (
            f"(SELECT e.{column} FROM audit e WHERE e.request_id = f.request_id AND e.{column} IS NOT NULL "
            f"ORDER BY e.seq DESC LIMIT 1) AS {column}"
        )

    # The target is only known after it was resolved, so each value is the first one in any entry of the request.
    first_values = ("backend", "target_kind", "target_id", "target_name")
    # A form is submitted before what it asks for is known.
    verb = first("verb").replace("ORDER BY e.seq", "ORDER BY e.verb LIKE 'form %', e.seq")
    ways = {"approval_requested": "waiting", "sent": "allowed", "done": "allowed"}
    cases = " ".join(f"WHEN '{event}' THEN '{word}'" for event, word in ways.items())
    decisive = ("denied", "approval_requested", "approved", "rejected", "expired")
    decision = (
        f"coalesce((SELECT CASE e.event {cases} ELSE e.event END FROM audit e WHERE e.request_id = f.request_id "
        f"AND e.event IN ({', '.join(repr(d) for d in decisive)}) ORDER BY e.seq DESC LIMIT 1), "
        "(SELECT 'allowed' FROM audit e WHERE e.request_id = f.request_id AND e.event IN ('sent', 'done') LIMIT 1)) "
        "AS decision"
    )
    closing = ("done", "failed", "unknown", "reconciled", "abandoned", "denied", "rejected", "expired", "misread")
    # An entry before the target is resolved has no parameters.
    params = (
        "coalesce((SELECT e.params FROM audit e WHERE e.request_id = f.request_id AND e.params <> '{}' "
        "ORDER BY e.seq LIMIT 1), '{}') AS params"
    )
    approved_by = (
        f"(SELECT {concatenated} FROM (SELECT e.user_id FROM audit e WHERE e.request_id = f.request_id "
        "AND e.event = 'approved' ORDER BY e.seq) a) AS approved_by"
    )
    columns = [
        "f.request_id AS request_id",
        "f.at AS requested_at",
        *(first(name) for name in ("user_id", "channel_id", "source")),
        verb,
        *(first(name) for name in first_values),
        params,
        first("reason"),
        first("risk"),
        latest("rule"),
        decision,
        last("e.event", closing, "outcome"),
        last("e.code", closing, "code"),
        last("e.detail", closing, "detail"),
        latest("backend_ref"),
        last("coalesce(e.code, e.detail)", ("ended",), "ended_state"),
        approved_by,
        "(SELECT e.at FROM audit e WHERE e.request_id = f.request_id ORDER BY e.seq DESC LIMIT 1) AS last_at",
        "f.seq AS first_seq",
        "(SELECT max(e.seq) FROM audit e WHERE e.request_id = f.request_id) AS last_seq",
    ]
    return (
        f"SELECT {', '.join(columns)} FROM audit f "
        "WHERE NOT EXISTS (SELECT 1 FROM audit e WHERE e.request_id = f.request_id AND e.seq < f.seq)"
    )
