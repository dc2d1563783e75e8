"""Versions that run at the same time on one database, as during a rolling upgrade."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Final

import psycopg
import pytest

from bot.core.ports.store import StoreAddress
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.errors import StoreProblem
from bot.store.migrations import contracts
from bot.store.open import open_leadership, open_store
from bot.store.postgres.database import READERS
from bot.store.postgres.schema import KNOWS, MIGRATIONS, Migrations, prepare
from bot.store.postgres.session import connect
from tests.store.samples import NOW, intent, row

BREAKS: Final = re.compile(
    r"\b(DROP|RENAME|DELETE|UPDATE|TRUNCATE)\b|ALTER COLUMN|SET NOT NULL|ADD COLUMN (?!.*DEFAULT).*NOT NULL"
)
EXPANDS: Final = "m900_later"
CONTRACTS: Final = "m901_contract_later"


def expand() -> Iterable[str]:
    yield "ALTER TABLE requests ADD COLUMN later text"
    yield "CREATE TABLE later (id text)"


def contract() -> Iterable[str]:
    yield "ALTER TABLE requests DROP COLUMN sent_at"


LATER: Final = {**MIGRATIONS, EXPANDS: expand}
LAST: Final = {**LATER, CONTRACTS: contract}


async def nothing() -> None:
    """A change that needs no work."""


def live(connection: psycopg.Connection, epoch: int, knows: str | None) -> None:
    """A replica whose program knows migrations up to this one."""
    connection.execute(
        "INSERT INTO replicas (id, epoch, state, beat_at, knows) VALUES (%s, %s, 'live', now(), %s)",
        (f"r{epoch}", epoch, knows),
    )


async def test_an_older_replica_works_on_and_starts_again_after_the_newer_one_has_added_to_the_tables(
    address: StoreAddress,
) -> None:
    old = open_store(address)

    async def reads() -> list[object]:
        """With every connection, and with a statement that the server keeps."""
        return list(await asyncio.gather(*[old.request("r0") for _ in range(4 * READERS)]))

    await reads()
    await old.claim_unfinished()
    with connect(address) as connection:
        assert prepare(connection, LATER) == [EXPANDS]
    assert set(await reads()) == {None}
    assert await old.claim_unfinished() == []
    assert await old.accept(intent("r1"), [row(request_id="r1")])
    await old.close()
    again = open_store(address)
    assert [one.request_id for one in await again.claim_unfinished()] == ["r1"]
    await again.finish("r1", [row()], NOW)
    await again.close()


@pytest.mark.parametrize("knows", [KNOWS, None])
async def test_what_the_older_version_needs_is_removed_when_none_of_its_replicas_runs(
    address: StoreAddress, knows: str | None
) -> None:
    """Not at the start of the first replica of the newer version; and then the older version refuses the database."""
    with connect(address) as connection:
        live(connection, 1, knows)
        live(connection, 2, CONTRACTS)
        assert prepare(connection, LAST) == [EXPANDS]
        assert prepare(connection, LAST) == []
        connection.execute("UPDATE replicas SET state = 'left' WHERE epoch = 1")
        assert prepare(connection, LAST) == [CONTRACTS]
    with pytest.raises(StoreProblem, match=CONTRACTS) as refused:
        open_store(address)
    assert refused.value.code == "store_newer"


async def test_an_older_replica_ends_when_the_newer_one_removes_what_it_needs_before_it_takes_part(
    address: StoreAddress,
) -> None:
    """It has opened the store, but no replica of its version is registered yet."""
    old = open_store(address)
    leadership = open_leadership(old, address, SystemClock(), "T0ACME")
    assert leadership is not None
    with connect(address) as connection:
        assert prepare(connection, LAST) == [EXPANDS, CONTRACTS]
        tasks = TaskQueue()
        with pytest.raises(StoreProblem, match=CONTRACTS):
            await leadership.join(nothing, nothing, tasks.serve)
        assert connection.execute("SELECT count(*) FROM replicas").fetchone() == (0,)
    await leadership.leave()
    await old.close()


def breaking(migrations: Migrations) -> list[str]:
    """The statements after the first migration that an older version can't work with, although no name says so."""
    later = [made for name, made in list(migrations.items())[1:] if not contracts(name)]
    return [statement for made in later for statement in made() if BREAKS.search(statement)]


def test_a_migration_that_does_not_contract_only_adds() -> None:
    assert breaking(MIGRATIONS) == breaking(LAST) == []
    assert breaking({**LATER, "m901_later": contract}) == list(contract())
    assert BREAKS.search("ALTER TABLE a ADD COLUMN b text NOT NULL")


def test_a_database_from_before_the_first_release_is_refused_with_what_to_do(address: StoreAddress) -> None:
    with connect(address) as connection:
        connection.execute("DELETE FROM migrations WHERE name > 'm001_first_release'")
        connection.execute("UPDATE migrations SET name = 'm001_tables'")
    with pytest.raises(StoreProblem, match="before the first release") as refused:
        open_store(address)
    assert refused.value.code == "store_too_old"
    assert "use another database" in (refused.value.hint or "")


@pytest.mark.parametrize("added", [{}, {EXPANDS: expand}, {EXPANDS: expand, CONTRACTS: contract}])
def test_two_replicas_that_start_at_once_migrate_one_after_the_other(database_url: str, added: Migrations) -> None:
    """The second one waits for the lock, and finds nothing to do. So does the second one of a later version."""
    with connect(StoreAddress(database_url)) as first, connect(StoreAddress(database_url)) as second:
        second.execute("SET lock_timeout = 200")
        if added:
            prepare(first)
        with first.transaction():
            assert prepare(first, {**MIGRATIONS, **added}) == list(added or MIGRATIONS)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                prepare(second, {**MIGRATIONS, **added})
        assert prepare(second, {**MIGRATIONS, **added}) == []
