"""The audit log: a chain that core can compute too, guards that hold from outside, and search newest first."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from bot.core.audit import ZERO_HASH, AuditEntry, Event, chain
from bot.core.records import Filters, StoredEntry, stamp
from bot.store.store import Store
from bot.store.tables.sql import found as found_rows
from tests.store.samples import NOW, after, row


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


async def test_a_request_from_a_form_has_the_verb_that_it_asked_for(store: Store) -> None:
    """The form is submitted before that is known. A form that asks for nothing keeps its name."""
    await store.append(
        row(Event.REQUESTED, "r1", verb="form launcher"),
        row(Event.SENT, "r1", verb="mark"),
        row(Event.DONE, "r1", verb="mark"),
        row(Event.REQUESTED, "r2", verb="form deny"),
    )
    found = await store.database.read(lambda db: found_rows(db, "SELECT verb FROM operations ORDER BY first_seq"))
    assert [record["verb"] for record in found] == ["mark", "form deny"]


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


WORDS = {
    "shop/prices-77 are late": ["prices", "shop/prices", "prices-77", "SHOP late", "lat*", "shop/pri*"],
    "Äpfel & Birnen für Zoë": ["apfel", "BIRNEN", "fur zoe", "äp*"],
    "крановщик устал": ["КРАНОВЩИК", "кран*"],
    "東京 2026-11": ["東京", "2026-11", "東*"],
    "a_b\0c": ["a_b", "c"],
}


async def test_words_of_many_scripts_are_found_and_phrases_stay_together(store: Store) -> None:
    for reason in WORDS:
        await store.append(row(reason=reason, detail="the end"))
    for number, looks in enumerate(WORDS.values(), 1):
        for look in looks:
            assert [entry.seq for entry in await store.search(Filters(text=look))] == [number], look
    for nothing in ("prices/shop", "late/the", "birnen-apfel", "tokyo", "77-are-the"):
        assert await store.search(Filters(text=nothing)) == [], nothing
    assert len(await store.search(Filters(text="the-end", verb="start"))) == len(WORDS)
    assert await store.search(Filters(text="the end", verb="stop")) == []


async def test_text_that_a_database_refuses_is_kept_without_what_it_refuses(store: Store) -> None:
    await store.append(row(reason="x\0y \udc00z"))
    (entry,) = await store.search(Filters())
    assert entry.reason == "x\ufffdy \ufffdz"
    assert store.verify_sync(await store.head()).ok


async def test_a_batch_of_many_megabytes_is_stored(store: Store) -> None:
    """More than fits into the buffers between the program and a server."""
    await store.append(*(row(request_id=f"r{n}", detail="x" * 40_000) for n in range(100)))
    await asyncio.gather(*(store.set_value(f"key{n}", "y" * 60_000, NOW) for n in range(60)))
    assert await store.value("key59") == "y" * 60_000
    assert store.verify_sync(await store.head()).rows == 100


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
