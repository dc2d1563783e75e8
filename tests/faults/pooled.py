"""`python -m tests.faults.pooled`: the store with connections from psycopg_pool beside the store as it is.

It needs the package psycopg_pool, which the program doesn't use: docs/decisions/postgres-connections.md says why. The pools have
as many connections as the store: one that writes, and one for each reader. A connection that goes back may wait for no answer,
so the answers to NOTIFY and ROLLBACK, for which the store doesn't wait, are read first. Each store has a database of its own on
one server. They take turns at every single operation and at every burst of a crowd, so that other programs disturb all alike.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import psycopg

from bot.core.ports.store import StoreAddress
from bot.store.database import Job, Unit
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.postgres.database import READERS, PostgresDatabase
from bot.store.postgres.server import LocalServer
from bot.store.postgres.session import connect
from bot.store.store import Store
from tests.faults.measure import WARM_UP, figures, join
from tests.store.samples import intent, row

T = TypeVar("T")
POOL: Final[Any] = import_module("psycopg_pool")
CROWD: Final = 64  # requests that wait at once


class Pooled(PostgresDatabase):
    """Takes a connection from a pool for each batch and each read. `checks`: the pool tries it with a statement first."""

    def __init__(self, address: StoreAddress, *, checks: bool) -> None:
        pool: Any = POOL.ConnectionPool
        source = SimpleNamespace(connect=lambda *_, **__: connect(address))
        more = {
            "connection_class": source,
            "check": pool.check_connection if checks else None,
            "open": True,
            "timeout": 5,
        }
        self._writers, self._reading = (pool(min_size=size, max_size=size, **more) for size in (1, READERS))
        super().__init__(address)
        self._hang_up()

    def _run(self, batch: list[Job]) -> None:
        self._writer = self._writers.getconn()
        super()._run(batch)
        self._writer.sync()
        self._writers.putconn(self._writer)
        self._writer = None

    def _glance(self, unit: Unit[T]) -> T:
        return self._lent(unit, super()._glance)

    def _read(self, unit: Unit[T]) -> T:
        return self._lent(unit, super()._read)

    def _lent(self, unit: Unit[T], look: Any) -> T:
        reader = self._local.reader = self._reading.getconn()
        self._readers.append(reader)
        try:
            found: T = look(unit)
            reader.sync()
        finally:
            self._reading.putconn(reader)
        return found

    def _release(self) -> None:
        super()._release()
        for pool in (self._writers, self._reading):
            pool.close()


VARIANTS: Final[dict[str, Callable[[StoreAddress], Store]]] = {
    "own connections": open_store,
    "psycopg_pool": lambda address: Store(Pooled(address, checks=False)),
    "psycopg_pool that checks": lambda address: Store(Pooled(address, checks=True)),
}
Work = Callable[[Store, int], Awaitable[object]]


def accept(store: Store, number: int) -> Awaitable[object]:
    """What an ack waits for."""
    return store.accept(intent(f"r{number}"), [row(request_id=f"r{number}")], begun=True)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def compared(stores: dict[str, Store], bare: psycopg.AsyncConnection, number: int) -> None:
    """Measure and print."""
    numbers = iter(range(10_000_000))

    async def burst(store: Store, work: Work) -> None:
        await asyncio.gather(*(work(store, next(numbers)) for _ in range(CROWD)))

    async def by_turns(what: str, count: int, work: Work, *, crowd: bool = False, beside: bool = False) -> None:
        took: dict[str, list[float]] = {name: [] for name in (*(("bare commit",) if beside else ()), *stores)}
        for _ in range(count + WARM_UP):
            if beside:
                took["bare commit"].append(await timed(lambda: bare.execute("INSERT INTO bare VALUES (DEFAULT, 'x')")))
            for name, store in stores.items():
                one = (lambda: burst(store, work)) if crowd else (lambda: work(store, next(numbers)))  # noqa: B023  called at once
                took[name].append(await timed(one))
        for name, seconds in took.items():
            middle = median(seconds[WARM_UP:])
            more = f"{CROWD / middle:,.0f} per second by the median" if crowd else figures(seconds[WARM_UP:])
            print(f"{what}, {name}: {more}")  # noqa: T201  its output is what it is for

    for what, work in {"ack": accept, "one statement": one_statement, "transaction": in_transaction}.items():
        await by_turns(what, number, work, beside=work is accept)
        await by_turns(f"{what}, {CROWD} at once", number // 10, work, crowd=True)


def one_statement(store: Store, _: int) -> Awaitable[object]:
    """A read without a transaction."""
    return store.request("r1")


def in_transaction(store: Store, _: int) -> Awaitable[object]:
    """A read in a transaction."""
    return store.votes("p1")


async def back_again(store: Store) -> float:
    """Seconds until it can read again."""
    began = time.perf_counter()
    while True:
        try:
            await store.head()
        except (StoreProblem, psycopg.Error, POOL.PoolTimeout):
            await asyncio.sleep(0.05)
        else:
            return time.perf_counter() - began


async def measured(new: Callable[[], str], number: int, server: LocalServer, outage: float) -> None:
    """Open the stores, measure, kill and restart the server, and close them."""
    stores: dict[str, Store] = {}
    for name, opened in VARIANTS.items():
        url = new()
        stores[name] = await asyncio.to_thread(opened, StoreAddress(url))
        join(url, 1)
        stores[name].fence(1)
    async with await psycopg.AsyncConnection.connect(new(), autocommit=True) as bare:
        await bare.execute("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)")
        await compared(stores, bare, number)
    server.kill()
    away = [asyncio.ensure_future(back_again(store)) for store in stores.values()]
    await asyncio.sleep(outage)
    began = time.perf_counter()
    await asyncio.to_thread(server.start)
    lasted = outage + time.perf_counter() - began
    for name, seconds in zip(stores, await asyncio.gather(*away), strict=True):
        print(f"reads again after an outage of {lasted:.0f} s, {name}: {seconds - lasted:.1f} s later")  # noqa: T201
    for store in stores.values():
        await store.close()


def main() -> None:
    """Start a server with fsync on, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.pooled", description=__doc__)
    parser.add_argument("--number", type=int, default=1000, help="how often each operation is measured")
    parser.add_argument("--outage", type=float, default=40.0, help="seconds for which the server is away")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sb-pooled-") as name:
        Path(name).chmod(0o755)  # the database's user has to get to its own folder
        server = LocalServer(Path(name) / "pg")
        server.start()
        numbers = iter(range(100))

        def new() -> str:
            database = f"d{next(numbers)}"
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {database}".encode())
            return server.url(database)

        try:
            asyncio.run(measured(new, given.number, server, given.outage))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
