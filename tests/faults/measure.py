"""`python -m tests.faults.measure`: the time figures of several replicas, for a quiet machine.

It starts a PostgreSQL of its own with fsync on, in the temporary folder, and prints:

- hand-over: from the commit of a follower that hands a request over until the leader owns it;
- ack: what the store does before a follower acknowledges a request (check that it lives, store the request, append the audit
  entry, commit), beside a commit of one row on the same server, by turns;
- throughput: what one, then three replicas store per second while 64 requests of one workspace wait at each. `--modes` without a
  value measures only these three;
- deploy: what people see while three replicas are replaced one by one, over HTTP and in Socket Mode.

The takeovers are timed by `python -m tests.faults`.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.postgres.server import LocalServer
from bot.store.store import Store
from tests.faults.checker import cards_of, every_entry
from tests.faults.replicas import Cluster, Replica, cluster, outcomes
from tests.fork_server import ForkServer
from tests.store.samples import NOW, intent, row

COMMAND = "status acc:shop/prices"
WARM_UP = 20


def share(seconds: Sequence[float], part: float) -> float:
    """The value that this part of them does not exceed."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * part))]


def figures(seconds: Sequence[float]) -> str:
    """Number, median, 99th percentile and maximum in milliseconds."""
    middle, p99, most = (1000 * one for one in (median(seconds), share(seconds, 0.99), max(seconds)))
    return f"n {len(seconds)}, median {middle:.2f} ms, p99 {p99:.2f} ms, max {most:.2f} ms"


def against(seconds: Sequence[float], bare: Sequence[float]) -> str:
    """How often a bare commit fits in: by the medians, and by the quickest quarters, which other programs disturb less."""
    quick = share(seconds, 0.25) / share(bare, 0.25)
    return f"{median(seconds) / median(bare):.2f} times a bare commit ({quick:.2f} by the quickest quarters)"


def join(url: str, *epochs: int) -> None:
    """Register replicas with these epochs."""
    with psycopg.connect(url, autocommit=True) as connection:
        for epoch in epochs:
            connection.execute(
                "INSERT INTO signalbox.replicas (id, epoch, state, beat_at, name) VALUES (%s, %s, 'live', now(), '')",
                (f"r{epoch}", epoch),
            )


# From the follower to the leader


async def notified(url: str, number: int) -> list[float]:
    """Seconds from the commit of a follower, which hands a request over, until the leader owns it."""
    follower, leader = [await asyncio.to_thread(open_store, StoreAddress(url)) for _ in range(2)]
    join(url, 1, 2)
    follower.fence(1)
    leader.fence(2, leads=True)
    woken, loop = asyncio.Event(), asyncio.get_running_loop()
    leader.wake(lambda: loop.call_soon_threadsafe(woken.set))
    await asyncio.sleep(0.5)
    found = [await _one(follower, leader, woken, f"n{index}") for index in range(number)]
    await follower.close()
    await leader.close()
    return found


async def _one(follower: Store, leader: Store, woken: asyncio.Event, request_id: str) -> float:
    await follower.accept(intent(request_id), [row(request_id=request_id)], begun=True)
    await asyncio.sleep(0.01)
    woken.clear()
    handing = asyncio.ensure_future(follower.release(request_id, NOW))
    handing.add_done_callback(lambda _: times.append(time.perf_counter()))
    times: list[float] = []
    async with asyncio.timeout(5):
        while True:
            await woken.wait()
            woken.clear()
            if any(one.request_id == request_id for one in await leader.claim_unfinished()):
                break
    ended = time.perf_counter()
    await handing
    return max(0.0, ended - times[0]) if times else 0.0


# An ack and a bare commit, by turns


async def acks(url: str, number: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of a bare commit of one row, of the store's part of an ack of a follower, and of a write that nobody waits for.

    The first few are left out: statements are planned then.
    """
    store = await asyncio.to_thread(open_store, StoreAddress(url))
    join(url, 1)
    store.fence(1)
    bare, accepted, small = list[float](), list[float](), list[float]()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id bigint PRIMARY KEY, body text)")
        body = intent("x").model_dump_json()
        for index in range(number + WARM_UP):
            began = time.perf_counter()
            connection.execute("INSERT INTO bare VALUES (%s, %s)", (index, body))
            bare.append(time.perf_counter() - began)
            began = time.perf_counter()
            await store.accept(intent(f"a{index}"), [row(request_id=f"a{index}")], begun=True)
            accepted.append(time.perf_counter() - began)
            began = time.perf_counter()
            await store.set_value(f"v{index}", index, NOW)
            small.append(time.perf_counter() - began)
    await store.close()
    return bare[WARM_UP:], accepted[WARM_UP:], small[WARM_UP:]


# What one cell carries


async def stored(url: str, number: int, replicas: int) -> float:
    """Requests per second that the stores of so many replicas accept together, 64 waiting at each, on one chain."""
    stores = [await asyncio.to_thread(open_store, StoreAddress(url)) for _ in range(replicas)]
    join(url, *range(1, replicas + 1))
    for epoch, store in enumerate(stores, 1):
        store.fence(epoch)
    numbers = iter(range(number + 64 * replicas))

    async def accept(store: Store, stop: int) -> None:
        while (index := next(numbers, stop)) < stop:
            await store.accept(intent(f"s{index}"), [row(request_id=f"s{index}")], begun=True)

    async def crowd(stop: int) -> None:
        await asyncio.gather(*(accept(store, stop) for store in stores for _ in range(64)))

    await crowd(64 * replicas)  # statements are planned
    began = time.perf_counter()
    numbers = iter(range(64 * replicas, number + 64 * replicas))
    await crowd(number + 64 * replicas)
    spent = time.perf_counter() - began
    for store in stores:
        await store.close()
    return number / spent


# A rolling deploy


@dataclass
class Deploy:
    """What people and Slack saw."""

    acks: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    typed: int = 0
    ended: int = 0
    lost: list[str] = field(default_factory=list)  # requests without a card
    seconds: float = 0.0

    def line(self) -> str:
        """For people."""
        return (
            f"{self.typed} commands in {self.seconds:.0f} s, {len(self.refused)} refused {self.refused[:2] or ''}; "
            f"ack {figures(self.acks)}; {self.ended} answered, {len(self.lost)} without a card"
        )


async def deploy(group: Cluster, rate: float, *, socket_mode: bool) -> Deploy:
    """Replace each replica by a new one, the leader last, while people type. A load balancer knows who is ready."""
    seen, targets = Deploy(), list[Replica](group.replicas)
    typing: set[asyncio.Task[None]] = set()
    turn, over = count(), asyncio.Event()

    async def type_one() -> None:
        receipt: Any = await group.says(COMMAND)
        seen.acks.append(receipt.ack_ms / 1000)
        if not receipt.acked or receipt.body:
            seen.refused.append(str(receipt.error or receipt.body))

    async def types() -> None:
        while not over.is_set():
            if not socket_mode:
                group.through(targets[next(turn) % len(targets)])
            seen.typed += 1
            typing.add(asyncio.ensure_future(type_one()))
            await asyncio.sleep(1 / rate)

    began = time.monotonic()
    people = asyncio.ensure_future(types())
    leader = await group.leader()
    for old in sorted(group.replicas, key=lambda one: one is leader):
        targets.append(await group.start())
        targets.remove(old)
        await asyncio.sleep(0.5)  # for requests that are on their way to it
        assert await group.end(old, signal.SIGTERM) == 0
        await asyncio.sleep(1.0)
    over.set()
    await people
    await asyncio.gather(*typing)
    seen.seconds = time.monotonic() - began

    def all_ended() -> bool:
        seen.ended = sum(bool(outcomes(entries)) for entries in every(group).values())
        return seen.ended >= seen.typed

    with suppress(TimeoutError):  # what was refused has no end
        await group.until(all_ended, 30)
    return seen


def every(group: Cluster) -> dict[str, list[Any]]:
    """The entries of each status request."""
    found: dict[str, list[Any]] = {}
    for entry in every_entry(group):
        if entry.verb == "status" or entry.request_id in found:
            found.setdefault(entry.request_id, []).append(entry)
    return found


async def deployed(folder: Path, fork_server: ForkServer, url: str, rate: float, *, socket_mode: bool) -> Deploy:
    """A cluster of three, deployed once."""
    async with cluster(folder, fork_server, url, 3, socket_mode=socket_mode) as group:
        if socket_mode:
            await group.ws.wait_connected(3)
        seen = await deploy(group, rate, socket_mode=socket_mode)
        await group.until(lambda: _all_delivered(group), 300)
        cards = cards_of(group)
        seen.lost = [request_id for request_id in every(group) if not cards[request_id]]
        return seen


async def _all_delivered(group: Cluster) -> bool:
    return await group.store.next_due() is None


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What these arguments ask for; without any, those of the program."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.measure", description=__doc__)
    parser.add_argument("--number", type=int, default=500, help="how often each thing is measured")
    parser.add_argument("--modes", nargs="*", default=["http", "socket"], help="in which a deploy is measured")
    parser.add_argument("--rate", type=float, default=20.0, help="commands per second during a deploy")
    return parser.parse_args(arguments)


def main(given: argparse.Namespace, fork_server: ForkServer) -> int:
    """Measure and print; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="sb-measure-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's user has to get to its own folder
        server = LocalServer(folder / "pg")
        server.start()
        try:
            return _measured(folder, server, fork_server, given)
        finally:
            server.stop()


def _measured(folder: Path, server: LocalServer, fork_server: ForkServer, given: argparse.Namespace) -> int:
    def new(name: str) -> str:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return server.url(name)

    say, number, rate = print, given.number, given.rate
    handed_over = asyncio.run(notified(new("n"), number))
    say(f"from the commit of a follower until the leader has the request: {figures(handed_over)}")
    bare, accepted, small = asyncio.run(acks(new("a"), number))
    say(f"a bare commit of one row: {figures(bare)}")
    say(f"the store's part of an ack: {figures(accepted)}, {against(accepted, bare)}")
    say(f"a write that waits for others to join its commit: {figures(small)}, {against(small, bare)}")
    for replicas in (1, 3):
        rate_of_all = asyncio.run(stored(new(f"s{replicas}"), 20 * number, replicas))
        say(f"requests stored per second, {replicas} at once: {rate_of_all:,.0f}")
    good = True
    for mode in given.modes:
        (folder / mode).mkdir()
        seen = asyncio.run(deployed(folder / mode, fork_server, new(mode), rate, socket_mode=mode == "socket"))
        say(f"rolling deploy of three replicas, {mode} mode, {rate:g} commands per second: {seen.line()}")
        good = good and not (seen.refused or seen.lost) and max(seen.acks) < 3 and seen.ended == seen.typed
    return 0 if good else 1


if __name__ == "__main__":
    with closing(ForkServer()) as processes:
        sys.exit(main(asked(), processes))
