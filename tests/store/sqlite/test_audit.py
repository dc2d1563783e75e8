"""The audit log: a chain that core can compute too, guards that hold from outside, and search newest first."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.audit import COLUMNS, HASHED_COLUMNS, ZERO_HASH, AuditEntry, Event, chain
from bot.core.records import Filters, StoredEntry, stamp
from bot.store.open import open_store
from bot.store.sqlite.database import SqliteTx
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.schema import migrate
from bot.store.store import Store
from bot.store.tables import audit, audit_query, audit_verify
from bot.store.tables.sql import found as found_rows
from tests.store.sqlite.samples import NOW, after, row

TEXTS = st.none() | st.text(max_size=12)


def in_memory() -> SqliteTx:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(sqlite_utils.Database(connection))
    return SqliteTx(connection)


def columns_of(entry: StoredEntry) -> dict[str, Any]:
    return entry.model_dump(mode="json")


def chained(entries: list[StoredEntry]) -> bool:
    last = ZERO_HASH
    for number, entry in enumerate(entries, 1):
        if (entry.seq, entry.prev_hash, entry.hash) != (number, last, chain(last, columns_of(entry))):
            return False
        last = entry.hash
    return True


async def everything(store: Store) -> list[StoredEntry]:
    return list(reversed(await store.search(Filters(), limit=500)))


async def test_rows_are_chained_as_core_says(store: Store) -> None:
    rows = [
        row(Event.REQUESTED, reason='"quoted" \\ \n é 🚂', params='{"a":1}'),
        row(Event.DONE, duration_ms=12, code="x"),
    ]
    assert await store.append(*rows) == 2
    entries = await everything(store)
    assert [AuditEntry.model_validate(columns_of(entry), extra="ignore") for entry in entries] == rows
    assert chained(entries)
    assert await store.head() == f"2:{entries[-1].hash}"


async def test_the_hash_is_what_the_documents_say(store: Store) -> None:
    await store.append(
        AuditEntry(at="2026-11-22T02:23:37.000000Z", request_id="r1", event=Event.DONE, duration_ms=5, verb="é")
    )
    text = (
        '{"approval_id":null,"at":"2026-11-22T02:23:37.000000Z","backend":null,"backend_ref":null,"channel_id":null,'
        '"code":null,"detail":null,"digest":null,"duration_ms":5,"event":"done","incident":null,"params":"{}",'
        '"policy_version":null,"reason":null,"request_id":"r1","risk":null,"rule":null,"seq":1,"source":null,"target_id":null,'
        '"target_kind":null,"target_name":null,"team_id":null,"user_id":null,"v":1,"verb":"é"}'
    )
    expected = hashlib.sha256(("0" * 64 + text).encode()).hexdigest()
    assert await store.head() == f"1:{expected}"


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


async def test_a_request_is_folded_into_one_row_of_operations(store: Store) -> None:
    await store.append(
        row(Event.REQUESTED, "r1", reason="late prices"),
        row(Event.REQUESTED, "r2", user_id="U0BOB"),
        row(
            Event.APPROVAL_REQUESTED,
            "r1",
            target_id="7",
            target_name="shop/prices",
            params='{"as":"run"}',
            risk="change",
        ),
        row(Event.DENIED, "r2", user_id="U0BOB", code="no_rule", rule="none"),
        row(Event.APPROVED, "r1", user_id="U0LEA", at=after(5)),
        row(Event.APPROVED, "r1", user_id="U0MAX", at=after(6)),
        row(Event.SENT, "r1", at=after(7)),
        row(Event.DONE, "r1", backend_ref="99", at=after(8)),
        row(Event.ENDED, "r1", code="Completed", at=after(90)),
    )
    found = await store.database.read(lambda db: found_rows(db, "SELECT * FROM operations ORDER BY first_seq"))
    assert [record["request_id"] for record in found] == ["r1", "r2"]
    expected = {
        "requested_at": stamp(NOW),
        "user_id": "U0ANA",
        "reason": "late prices",
        "params": '{"as":"run"}',
        "target_id": "7",
        "target_name": "shop/prices",
        "risk": "change",
        "decision": "approved",
        "approved_by": "U0LEA,U0MAX",
        "outcome": "done",
        "backend_ref": "99",
        "ended_state": "Completed",
        "first_seq": 1,
        "last_seq": 9,
        "last_at": after(90),
    }
    assert {name: found[0][name] for name in expected} == expected
    assert (found[1]["decision"], found[1]["outcome"], found[1]["code"]) == ("denied", "denied", "no_rule")


async def test_each_filter_finds_its_rows_newest_first(store: Store) -> None:
    for number in range(40):
        await store.append(
            row(
                [Event.REQUESTED, Event.SENT, Event.DONE, Event.FAILED][number % 4],
                f"r{number // 4}",
                at=after(number * 3600),
                channel_id=f"C{number % 2}",
                user_id=f"U{number % 3}",
                target_id=f"T{number % 5}",
                verb="start" if number % 7 else "schedule off",
                backend="acc" if number % 3 else "infa",
            )
        )
    entries = await everything(store)

    async def agree(**wanted: str) -> int:
        found = await store.search(Filters(**wanted), limit=500)
        kept = [
            entry
            for entry in reversed(entries)
            if all(
                str(getattr(entry, name)) == value for name, value in wanted.items() if name not in ("since", "until")
            )
            and wanted.get("since", "") <= entry.at <= wanted.get("until", "9")
        ]
        assert list(found) == kept
        return len(kept)

    assert await agree(channel_id="C1") == 20
    assert await agree(user_id="U2") == 13
    assert await agree(target_id="T4") == 8
    assert await agree(request_id="r3") == 4
    assert await agree(event="failed") == 10
    assert await agree(event="sent", channel_id="C1") == 10
    assert await agree(verb="schedule off") == 6
    assert await agree(verb="schedule off", channel_id="C0") == 3
    assert await agree(backend="infa") == 14
    assert await agree(since=after(10 * 3600)) == 30
    assert await agree(until=after(9 * 3600)) == 10
    assert await agree(since=after(5 * 3600), until=after(9 * 3600), channel_id="C0") == 2
    assert await agree(channel_id="nowhere") == 0


async def test_text_is_found_newest_first_and_in_every_named_column(store: Store) -> None:
    for column in ("verb", "target_name", "target_id", "reason", "params", "detail", "code", "rule"):
        text = '{"needle":1}' if column == "params" else "a needle here"
        await store.append(row(request_id=column, **{"verb": "stop"} | {column: text}))
    found = await store.search(Filters(text="needle"))
    assert [entry.seq for entry in found] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [entry.seq for entry in await store.search(Filters(text="NEEDLE here"), limit=2)] == [8, 7]
    assert [entry.seq for entry in await store.search(Filters(text="needle"), before_seq=3)] == [2, 1]
    assert [entry.seq for entry in await store.search(Filters(text="needle", request_id="reason"))] == [4]
    assert [entry.seq for entry in await store.search(Filters(text="need*"))] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert await store.search(Filters(text="need")) == []


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "shop/prices",
        "a AND",
        "NOT",
        "verb:",
        "^x",
        "*",
        "-",
        "NEAR(",
        "(",
        "\0",
        "'",
        "--",
        "{a b}",
        "",
        "  ",
        "é*",
    ],
)
async def test_no_words_break_the_text_search(store: Store, text: str) -> None:
    await store.append(row(target_name="shop/prices"))
    found = await store.search(Filters(text=text))
    assert len(found) == (1 if text == "shop/prices" else 0)


async def test_paging_gives_every_row_once(store: Store) -> None:
    await store.append(*(row(request_id=f"r{number}") for number in range(25)))
    seen: list[int] = []
    page = await store.search(Filters(channel_id="C0CRAWL"), limit=10)
    while page:
        seen += [entry.seq for entry in page]
        page = await store.search(Filters(channel_id="C0CRAWL"), before_seq=page[-1].seq, limit=10)
    assert seen == list(range(25, 0, -1))


async def test_rows_of_a_clock_that_was_set_back_are_found_by_their_time(store: Store) -> None:
    for minutes in (0, 30, 31, 2, 3, 60):
        await store.append(row(at=stamp(NOW + timedelta(minutes=minutes))))
    found = await store.search(Filters(since=after(120), until=after(1800)))
    assert [entry.seq for entry in found] == [5, 4, 2]


async def test_appends_from_many_tasks_make_one_chain(store: Store) -> None:
    last = await asyncio.gather(*(store.append(row(request_id=f"r{n}"), row(Event.DONE, f"r{n}")) for n in range(200)))
    assert sorted(last) == list(range(2, 401, 2))
    assert store.verify_sync(await store.head()).rows == 400
    assert chained(await everything(store))


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
        audit_query.search(db, filters, None, 50)
        db.connection.set_trace_callback(None)
        searched = [statement for statement in statements if statement.startswith("SELECT r.seq")][-1]
        lines = [step[3] for step in db.execute("EXPLAIN QUERY PLAN " + searched)]
        return "; ".join(lines)

    told = store.database.read_sync(plan)
    assert "TEMP B-TREE" not in told
    walks = [step for step in told.split("; ") if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert bool(walks) is (filters == Filters()), told
    if filters.text is None and filters.channel_id and not filters.user_id:
        assert "audit_channel_id" in told
