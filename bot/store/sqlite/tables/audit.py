"""The audit log: one entry per event, append-only, hash-chained. Writes; see `audit_query`, `audit_verify`."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from __future__ import annotations

import hashlib
import json.encoder
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, cast

from sqlite_utils import Database
from sqlite_utils.db import Table

from bot.core.audit import COLUMNS, HASHED_COLUMNS, VERSION, ZERO_HASH, AuditEntry


def _encoder() -> Any:
    make: Any = vars(json.encoder)["c_make_encoder"]
    return make(None, None, json.encoder.encode_basestring, None, ":", ",", False, False, False)


FTS_COLUMNS: Final = ("verb", "target_name", "target_id", "reason", "params", "detail", "code", "rule")
COMMON_EVENTS: Final = "event NOT IN ('requested', 'sent', 'done', 'ended')"

_INTEGERS: Final = frozenset({"seq", "v", "duration_ms"})
_REQUIRED: Final = ("v", "at", "request_id", "event", "params", "prev_hash", "hash")
# Values are bound and hashed in the order of the canonical JSON.
_SORTED: Final = tuple(sorted(HASHED_COLUMNS[VERSION]))
_SEQ: Final = _SORTED.index("seq")
_EVENT: Final = _SORTED.index("event")
_VALUES_OF: Final = attrgetter(*(name for name in _SORTED if name != "seq"))
_INSERT: Final = f"INSERT INTO audit ({', '.join(_SORTED)}, prev_hash, hash) VALUES ({','.join('?' * len(COLUMNS))})"
# The encoder that json.dumps would build for every call: no circle check, no indent, sorted already, no NaN.
_ENCODE: Final[Any] = _encoder()
_HEAD: Final = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"

GUARDS: Final = {
    "audit_no_update": """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "audit_no_delete": """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # Also refuses gaps, and INSERT OR REPLACE, whose deletions fire no trigger while recursive_triggers is off.
    "audit_next_only": f"""
        CREATE TRIGGER audit_next_only BEFORE INSERT ON audit
        WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM audit), 0)
          OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), '{ZERO_HASH}')
        BEGIN SELECT RAISE(ABORT, 'the audit log takes the next row of its chain only'); END""",
    "audit_search": f"""
        CREATE TRIGGER audit_search AFTER INSERT ON audit
        BEGIN INSERT INTO audit_fts (rowid, {", ".join(FTS_COLUMNS)})
              VALUES (NEW.seq, {", ".join(f"NEW.{name}" for name in FTS_COLUMNS)}); END""",
}


def create(db: Database) -> None:
    """Make the table, its indexes, its guards, its full-text index and the view `operations`."""
    table = cast(Table, db["audit"])
    types = {name: int if name in _INTEGERS else str for name in COLUMNS}
    table.create(types, pk="seq", not_null=_REQUIRED)
    for column in ("channel_id", "user_id", "target_id", "request_id"):
        table.create_index([column, "seq"], f"audit_{column}")
    db.execute(f"CREATE INDEX audit_rare_event ON audit (event, seq) WHERE {COMMON_EVENTS}")
    # No columnsize: it serves ranking only, and results are newest first.
    db.execute(
        f"CREATE VIRTUAL TABLE audit_fts USING fts5({', '.join(FTS_COLUMNS)}, "
        "content='audit', content_rowid='seq', columnsize=0)"
    )
    for sql in GUARDS.values():
        db.execute(sql)
    db.create_view("operations", operations_sql())


def append(db: Database, rows: Sequence[AuditEntry]) -> int:
    """Append `rows` to the chain. Returns the seq of the last entry of the audit log.

    Must run inside a write transaction: it reads the head there, so that no other process can insert an entry between.
    """
    head = db.conn.execute(_HEAD).fetchone()
    seq, last = head if head is not None else (0, ZERO_HASH)
    records: list[list[Any]] = []
    for row in rows:
        seq += 1
        values = list(_VALUES_OF(row))
        values.insert(_SEQ, seq)
        values[_EVENT] = str(row.event)
        digest = hashlib.sha256((last + _canonical(values)).encode()).hexdigest()
        values += (last, digest)
        records.append(values)
        last = digest
    if len(records) == 1:
        db.conn.execute(_INSERT, records[0])
    elif records:
        db.conn.executemany(_INSERT, records)
    return int(seq)


def head(db: Database) -> str | None:
    """`SEQ:HASH` of the last entry, or None for an empty audit log."""
    row = db.conn.execute(_HEAD).fetchone()
    return None if row is None else f"{row[0]}:{row[1]}"


def _canonical(values: Sequence[Any]) -> str:
    """`core.value.canonical` of one entry at a third of the cost. `values` are in the order of `_SORTED`."""
    return "".join(_ENCODE(dict(zip(_SORTED, values, strict=True)), 0))


def operations_sql() -> str:
    """The SQL of the view `operations`: one row per request, in the order of first entries, found by (request_id, seq)."""

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
    first_values = ("user_id", "channel_id", "source", "verb", "backend", "target_kind", "target_id", "target_name")
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
        "(SELECT group_concat(user_id) FROM (SELECT e.user_id FROM audit e WHERE e.request_id = f.request_id "
        "AND e.event = 'approved' ORDER BY e.seq)) AS approved_by"
    )
    columns = [
        "f.request_id AS request_id",
        "f.at AS requested_at",
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
