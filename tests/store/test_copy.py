"""A store is copied into another database and back, entry by entry, and then used in one place only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from bot.core.audit import Event
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters
from bot.store.copy import copy_store
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.store import Store
from bot.store.tables import TABLES
from bot.store.tables.sql import found
from tests.postgres import LocalServer, new_database
from tests.store.samples import (
    NOW,
    TARGET,
    after,
    ballot,
    button,
    grant,
    intent,
    operation,
    outgoing,
    pause,
    pending,
    row,
    watch,
)
from tests.waiting import until


async def filled(store: Store) -> None:
    """Something in every table."""
    for number in range(3):
        name = f"r{number}"
        await store.accept(intent(name), [row(request_id=name, reason='été \\ "x" 東京')])
    await store.append(*(row(request_id=f"many{number}", reason="tab\t\\N \\. line\nend") for number in range(150)))
    await store.wait("r0", pending(request_id="r0"), [row(Event.APPROVAL_REQUESTED, "r0")], NOW)
    await store.vote("h1", ballot(), lambda _: [row(Event.APPROVED, "r0")], needed=2, now=NOW)
    await store.begin("r1", NOW)
    await store.sending("r1", operation("r1"), row(Event.SENT, "r1", duration_ms=7), NOW)
    await store.finish("r2", [row(Event.DONE, "r2")], NOW, watch=watch(), pauses=[pause()], run=TARGET)
    await store.add_grant(grant(), [row(Event.GRANTED)])
    await store.show(outgoing(), [button("b1")])
    await store.show(outgoing("m2"))
    await store.remember([TARGET], NOW)


def everything(store: Store) -> dict[str, list[dict[str, object]]]:
    def read(tx: object) -> dict[str, list[dict[str, object]]]:
        return {
            table.name: found(tx, f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {table.key}")  # type: ignore[arg-type]
            for table in TABLES
        }

    return store.database.read_sync(read)


async def test_everything_is_copied_in_both_directions(
    address: StoreAddress, database_url: str, tmp_path: Path
) -> None:
    other = StoreAddress(str(tmp_path / "copied.db") if address.shared else database_url)
    source, target = open_store(address), open_store(other)
    await filled(source)
    before = everything(source)
    rehearsed = copy_store(source, target, "there", NOW, rehearse=True)
    assert await target.head() is None
    copied = copy_store(source, target, "there", NOW)
    assert copied == rehearsed
    assert copied.head == await target.head() == await source.head()
    assert everything(target) == before
    assert all(before[name] for name in before if name not in ("subscriptions", "watched_targets"))
    assert [entry.seq for entry in await target.search(Filters(text="ete"))] == [3, 2, 1]
    assert await target.append(row()) == len(before["audit"]) + 1
    assert [request.request_id for request in await target.unfinished()] == ["r1"]
    with pytest.raises(StoreProblem) as problem:
        copy_store(source, target, "there", NOW)
    assert problem.value.code == "store_moved"
    await source.close()
    await target.close()
    with pytest.raises(StoreProblem) as problem:
        open_store(address, exclusive=True)
    assert (problem.value.code, problem.value.summary) == ("store_moved", "This store was moved to there.")
    open_store(address).close_sync()


async def test_a_filled_target_and_a_damaged_source_are_refused(store: Store, tmp_path: Path) -> None:
    await store.set_value("x", 1, after(0))
    other = open_store(tmp_path / "other.db")
    with pytest.raises(StoreProblem, match="isn't empty"):
        copy_store(other, store, "there", NOW)
    await other.append(row(), row())
    await other.database.write(lambda db: db.execute("DROP TRIGGER audit_no_update"))
    await other.database.write(lambda db: db.execute("UPDATE audit SET reason = 'x' WHERE seq = 1"))
    third = open_store(tmp_path / "third.db")
    with pytest.raises(StoreProblem, match="source isn't intact"):
        copy_store(other, third, "there", NOW)
    await other.close()
    await third.close()


async def test_a_database_that_a_bot_uses_is_not_copied(address: StoreAddress, tmp_path: Path) -> None:
    store = open_store(address, exclusive=not address.shared)
    target = open_store(tmp_path / "other.db")
    with pytest.raises(StoreProblem) as problem:
        copy_store(open_store(address, exclusive=not address.shared), target, "there", NOW)
    assert problem.value.code == "store_locked"
    await store.close()
    await target.close()


async def test_a_bot_that_starts_during_the_copy_ends_it(postgres: LocalServer, database_url: str) -> None:
    """It would go on with the source, while the copy already counts as the store."""
    with new_database(postgres) as name:
        await a_bot_starts_during_the_copy(database_url, postgres.url(name))


async def a_bot_starts_during_the_copy(here: str, there: str) -> None:
    source, target = open_store(here), open_store(there)
    await filled(source)
    with psycopg.connect(there) as other:
        other.execute("SELECT 1 FROM signalbox.chain FOR UPDATE")  # the copy waits in its first write
        copying = asyncio.create_task(asyncio.to_thread(copy_store, source, target, "there", NOW))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        await until(lambda: other.execute(waiting).fetchone()[0])  # type: ignore[index]
        bot = open_store(here, exclusive=True)
    with pytest.raises(StoreProblem) as problem:
        await copying
    assert problem.value.code == "store_locked"
    assert await target.head() is None
    await bot.close()
    open_store(here, exclusive=True).close_sync()
    await source.close()
    await target.close()


async def test_text_that_postgresql_refuses_is_copied_without_what_it_refuses(
    tmp_path: Path, database_url: str
) -> None:
    """SQLite keeps NUL in a text that isn't a document."""
    source, target = open_store(tmp_path / "s.db"), open_store(database_url)
    await source.set_value("key\0", 7, NOW)
    await asyncio.to_thread(copy_store, source, target, "there", NOW)
    assert await target.value("key\ufffd") == 7
    await source.close()
    await target.close()
