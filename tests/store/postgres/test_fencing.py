"""What a replica began before it was declared dead stays refused, also when it takes part again at once."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.core.ports.store import StoreAddress
from bot.store.database import Tx
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.postgres.leadership import _SILENT
from bot.store.postgres.server import LocalServer
from bot.store.store import Store
from tests.store.postgres.proxy import Proxy
from tests.store.samples import NOW, intent, operation, row


@pytest.fixture
def address(store_url: str) -> StoreAddress:
    return StoreAddress(store_url)


@pytest.fixture
async def store(address: StoreAddress) -> AsyncIterator[Store]:
    opened = open_store(address)
    yield opened
    await opened.close()


def administrator(address: StoreAddress) -> psycopg.Connection:
    connection = psycopg.connect(address.url, autocommit=True)
    connection.execute("SET search_path = signalbox")
    return connection


def joins(connection: psycopg.Connection, epoch: int) -> None:
    sql = "INSERT INTO replicas (id, epoch, state, beat_at) VALUES (%s, %s, 'live', now())"
    connection.execute(sql, (f"r{epoch}", epoch))


async def test_what_waits_in_the_writer_is_not_written_under_the_next_epoch(
    store: Store, address: StoreAddress
) -> None:
    """The new leader has decided about it; the old one's late write must not touch it."""
    entered, go = threading.Event(), threading.Event()

    def held(_: Tx) -> None:
        entered.set()
        assert go.wait(60)

    with administrator(address) as connection:
        joins(connection, 1)
        store.fence(1, leads=True)
        await store.accept(intent("r1"), [row(request_id="r1")], begun=True)
        first = asyncio.ensure_future(store.database.write(held))
        await asyncio.get_running_loop().run_in_executor(None, entered.wait, 60)
        late = asyncio.ensure_future(store.sending("r1", operation("r1"), row(request_id="r1"), NOW))
        await asyncio.sleep(0.05)
        # Both were begun by epoch 1, which is declared dead here; it comes back as epoch 2 before they are committed.
        joins(connection, 2)
        store.fence(2)
        go.set()
        await first
        connection.execute("UPDATE replicas SET state = 'dead' WHERE epoch = 1")
        with pytest.raises(StoreProblem) as refused:
            await late
    assert refused.value.code == "store_fenced"
    found = await store.request("r1")
    assert found is not None
    assert found.state == "working"


async def test_a_replica_is_declared_dead_only_after_its_write_in_progress(store: Store, address: StoreAddress) -> None:
    """Otherwise it would commit after the new leader has read what there is. `NOWAIT` tells that the other one waits."""
    entered, go = threading.Event(), threading.Event()

    def held(db: Tx) -> None:
        db.head()
        entered.set()
        assert go.wait(60)

    with administrator(address) as connection:
        joins(connection, 1)
        store.fence(1)
        writing = asyncio.ensure_future(store.database.write(held))
        await asyncio.get_running_loop().run_in_executor(None, entered.wait, 60)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute(f"{_SILENT} NOWAIT".encode(), (1,))
        go.set()
        await writing
        assert connection.execute(f"{_SILENT} NOWAIT".encode(), (1,)).rowcount == 1


async def test_a_request_belongs_to_the_replica_as_it_takes_part_now(
    postgres: LocalServer, address: StoreAddress
) -> None:
    """The writer connects while the replica comes back under a new epoch: under the old one, anybody could claim its work."""
    connecting, go = threading.Event(), threading.Event()

    def held(direction: str, data: bytes) -> bool:
        if direction == "to" and b"signalbox/1" in data and b"idle_in_transaction" in data:
            connecting.set()
            assert go.wait(60)
        return False

    with tempfile.TemporaryDirectory(prefix="sb-px-") as front, administrator(address) as connection:
        proxy = Proxy(Path(front), postgres.folder)
        store = open_store(StoreAddress(address.url.partition("?")[0] + f"?host={front}"))
        joins(connection, 1)
        store.fence(1)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox'"
        )
        proxy.cut = held
        first = asyncio.ensure_future(store.append(row()))
        await asyncio.get_running_loop().run_in_executor(None, connecting.wait, 60)
        joins(connection, 2)
        store.fence(2)
        go.set()
        await first
        await store.accept(intent("r1"), [row(request_id="r1")], begun=True)
        assert connection.execute("SELECT owner_epoch FROM requests").fetchone() == (2,)
        await store.close()
        proxy.close()


async def test_a_replica_that_comes_back_does_not_release_what_the_leader_has_claimed(
    store: Store, address: StoreAddress
) -> None:
    """Otherwise the leader would claim it again and ask for its approval twice."""
    leader = open_store(address)
    with administrator(address) as connection:
        for epoch in (1, 2, 3):
            joins(connection, epoch)
        store.fence(1)
        await store.accept(intent("r1"), [], begun=True)
        connection.execute("UPDATE replicas SET state = 'dead' WHERE epoch = 1")
        leader.fence(2, leads=True)
        assert [one.request_id for one in await leader.claim_unfinished()] == ["r1"]
        store.fence(3)
        assert not await store.release("r1", NOW)
        assert await leader.claim_unfinished() == []
    await leader.close()


async def test_taking_the_lead_again_listens_once(store: Store) -> None:
    for _ in range(3):
        store.wake(lambda: None)
    assert sum(thread.name == "store-listener" for thread in threading.enumerate()) == 1


@contextmanager
def crashing_at_a_commit() -> Iterator[tuple[Store, dict[str, bool]]]:
    """A store whose server crashes, once `armed`, when a COMMIT arrives. The numbers of its transactions are then used again."""
    state = {"armed": False, "crashed": False, "away": False}
    with tempfile.TemporaryDirectory(prefix="sb-xid-") as folder, tempfile.TemporaryDirectory(prefix="sb-px-") as front:
        server = LocalServer(Path(folder), durable=False)
        server.start()
        proxy = Proxy(Path(front), server.folder)
        store = open_store(StoreAddress(server.url().partition("?")[0] + f"?host={front}"), patience=10)

        def cut(direction: str, data: bytes) -> bool:
            if state["armed"] and not state["crashed"] and direction == "to" and b"COMMIT" in data:
                state["crashed"] = state["away"] = True
                server.kill()
                server.start()
                with psycopg.connect(server.url(), autocommit=True) as other:
                    for _ in range(300):
                        other.execute("SELECT pg_current_xact_id()")
                state["away"] = False
                return True
            return state["away"]

        proxy.cut = cut
        yield store, state
        store.close_sync()
        proxy.close()
        server.stop()


async def test_a_transaction_lost_in_a_crash_does_not_count_as_committed_when_its_number_is_used_again() -> None:
    """A number that was not on the disk yet is given to another transaction after the crash, such as a heartbeat's."""
    with crashing_at_a_commit() as (store, state):
        await store.append(row())
        state["armed"] = True
        assert await store.accept(intent("once"), [row(request_id="once")])
        assert state["crashed"]
        assert await store.request("once") is not None
        assert store.verify_sync(await store.head()).rows == 2


async def test_a_lost_transaction_without_an_audit_entry_is_not_believed_either() -> None:
    """Such as the card of a request, for the outbox."""
    with crashing_at_a_commit() as (store, state):
        await store.append(row())
        state["armed"] = True
        await store.set_value("kept", "by its own row", NOW)
        assert state["crashed"]
        assert await store.value("kept") == "by its own row"


def count_one(db: Tx) -> None:
    """Shows how often it was committed."""
    db.execute(
        "INSERT INTO key_values (key, value, at) VALUES ('n', '1', '') "
        "ON CONFLICT (key) DO UPDATE SET value = key_values.value || '1'"
    )


async def test_a_commit_without_an_audit_entry_counts_once_when_its_answer_is_lost(
    postgres: LocalServer, address: StoreAddress
) -> None:
    with tempfile.TemporaryDirectory(prefix="sb-px-") as front:
        proxy = Proxy(Path(front), postgres.folder)
        store = open_store(StoreAddress(address.url.partition("?")[0] + f"?host={front}"))
        state = {"seen": False, "cut": False}

        def cut(direction: str, data: bytes) -> bool:
            state["seen"] = state["seen"] or (direction == "to" and b"COMMIT" in data)
            cuts = state["seen"] and direction == "from" and not state["cut"]
            state["cut"] = state["cut"] or cuts
            return cuts

        proxy.cut = cut
        await store.database.write(count_one)
        assert state["cut"]
        assert await store.value("n") == 1
        await store.close()
        proxy.close()


async def test_a_notification_that_fails_loses_and_repeats_nothing(
    postgres: LocalServer, address: StoreAddress
) -> None:
    """PostgreSQL's queue of notifications may be full: `NOTIFY` then ends with an error. The leader looks every second anyway."""
    with tempfile.TemporaryDirectory(prefix="sb-px-") as front:
        proxy = Proxy(Path(front), postgres.folder)
        store = open_store(StoreAddress(address.url.partition("?")[0] + f"?host={front}"))
        failed: list[bool] = []

        def fails(sent: bytes) -> bytes:
            failed.append(b"NOTIFY signalbox" in sent)
            return sent.replace(b"NOTIFY signalbox", b"NOTIFY 1ignalbox")

        proxy.alter = fails
        await store.database.write(count_one)
        assert await store.accept(intent("r1"), [row(request_id="r1")])
        assert await store.value("n") == 1
        assert sum(failed) == 2
        assert store.verify_sync(await store.head()).rows == 1
        assert [one.request_id for one in await store.claim_unfinished()] == ["r1"]
        await store.close()
        proxy.close()
