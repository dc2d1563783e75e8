"""The audit log in SQLite: its own JSON and guards, and searches that come out of an index."""

from __future__ import annotations

from typing import Any

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.audit import COLUMNS, HASHED_COLUMNS, AuditEntry, Event
from bot.core.records import Filters, StoredEntry, stamp
from bot.store.open import open_store
from bot.store.sqlite.database import SqliteTx
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.schema import migrate
from bot.store.store import Store
from bot.store.tables import audit, audit_query, audit_verify
from tests.store.samples import NOW, after, row
from tests.store.test_audit import chained

TEXTS = st.none() | st.text(max_size=12)


def in_memory() -> SqliteTx:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(sqlite_utils.Database(connection))
    return SqliteTx(connection)


@settings(deadline=None, max_examples=150)
@given(
    fields=st.lists(
        st.fixed_dictionaries(
            {"verb": TEXTS, "reason": TEXTS, "detail": TEXTS, "target_id": TEXTS, "code": TEXTS},
            optional={"duration_ms": st.none() | st.integers(-(2**63), 2**63 - 1)},
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_text_is_chained_as_core_says_and_verifies(fields: list[dict[str, Any]]) -> None:
    """Python's canonical JSON, the fast one of the store and SQLite's own agree on every text."""
    db = in_memory()
    audit.append(db, [AuditEntry(at=stamp(NOW), request_id="r", event=Event.SENT, **each) for each in fields])
    found = db.execute(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY seq")
    entries = [StoredEntry.model_validate(dict(zip(COLUMNS, record, strict=True))) for record in found]
    assert chained(entries)
    verdict = audit_verify.verify(lambda unit: unit(db))
    assert verdict.ok, verdict.why
    db.connection.close()


def test_the_columns_are_those_of_the_design() -> None:
    db = in_memory()
    assert tuple(name for _, name, *_ in db.execute("PRAGMA table_info(audit)")) == COLUMNS
    assert set(COLUMNS) - set(HASHED_COLUMNS[1]) == {"prev_hash", "hash"}
    db.connection.close()


ATTACKS = [
    "UPDATE audit SET reason = 'other' WHERE seq = 2",
    "UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2",
    "DELETE FROM audit WHERE seq = 2",
    "DELETE FROM audit",
    "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
    "REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
    "INSERT OR IGNORE INTO audit SELECT * FROM audit WHERE seq = 3",
    "INSERT INTO audit SELECT * FROM audit WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET reason = 'other'",
    "INSERT INTO audit (at, request_id, event, params, prev_hash, hash) VALUES ('a', 'b', 'c', '{}', '', '')",
    "INSERT INTO audit (seq, at, request_id, event, params, prev_hash, hash) VALUES (9, 'a', 'b', 'c', '{}', '', '')",
    "INSERT INTO audit (seq, at, request_id, event, params, prev_hash, hash) VALUES (4, 'a', 'b', 'c', '{}', '', '')",
    "INSERT INTO audit (seq, at, request_id, event, params, prev_hash, hash) VALUES (-1, 'a', 'b', 'c', '{}', '', '')",
]


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("sql", ATTACKS)
async def test_a_plain_connection_cannot_change_the_audit_log(path: str, sql: str, recursive: str) -> None:
    opened = open_store(path)
    await opened.append(*(row(request_id=f"r{number}") for number in range(3)))
    head = await opened.head()
    await opened.close()
    plain = sqlite3.connect(path)
    plain.execute(f"PRAGMA recursive_triggers = {recursive}")
    with pytest.raises(sqlite3.IntegrityError, match="audit log"):
        plain.execute(sql)
    plain.close()
    opened = open_store(path)
    assert opened.verify_sync(head).ok
    assert await opened.head() == head
    await opened.close()


SEARCHES = [
    Filters(),
    Filters(channel_id="C1"),
    Filters(user_id="U1"),
    Filters(target_id="T1"),
    Filters(request_id="r1"),
    Filters(channel_id="C1", user_id="U1", event="done", verb="start", backend="acc"),
    Filters(event="breakglass"),
    Filters(verb="start"),
    Filters(text="late prices"),
    Filters(text="late", channel_id="C1", since=after(0), until=after(60)),
    Filters(since=after(0), channel_id="C1"),
]


@pytest.mark.parametrize("filters", SEARCHES)
async def test_no_search_sorts_and_none_walks_more_than_its_index(store: Store, filters: Filters) -> None:
    """What makes reads as fast at five million rows: each comes out of an index in its order."""
    await store.append(row())

    def plan(db: SqliteTx) -> str:
        statements: list[str] = []
        db.connection.set_trace_callback(statements.append)
        audit_query.search(db, filters)
        db.connection.set_trace_callback(None)
        searched = [statement for statement in statements if statement.startswith("SELECT r.seq")][-1]
        lines = [step[3] for step in db.execute("EXPLAIN QUERY PLAN " + searched)]
        return "; ".join(lines)

    steps = store.database.read_sync(plan)
    assert "TEMP B-TREE" not in steps
    walks = [step for step in steps.split("; ") if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert bool(walks) is (filters == Filters()), steps
    if filters.text is None and filters.channel_id and not filters.user_id:
        assert "audit_channel_id" in steps
