"""One replica leads, whatever happens to the others: real processes on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.postgres.heartbeat import CRASHED, SURE, is_dead
from bot.store.postgres.server import LocalServer
from tests.faults.link import FROM, TO, Link
from tests.store.postgres.proxy import Proxy

LEASE = 1.5
LONG = 60.0  # longer than a test waits: whoever takes over sooner didn't wait for the lease


@dataclass
class Replica:
    """One process and what it said."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        """Keep every line."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)

    def reports(self, event: str) -> list[dict[str, Any]]:
        """Its lines of one event."""
        return [line for line in self.lines if line["event"] == event]


@dataclass
class Group:
    """Replicas of one database."""

    url: str
    lease: float = LEASE
    replicas: list[Replica] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, url: str | None = None) -> Replica:
        """One more, at that address of the database; returns when it has joined."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.store.postgres.leading",
            url or self.url,
            f"r{len(self.replicas)}",
            str(self.lease),
            stdout=asyncio.subprocess.PIPE,
        )
        replica = Replica(process)
        self.replicas.append(replica)
        self.tasks.append(asyncio.create_task(replica.listen()))
        await until(lambda: replica.reports("joined"))
        return replica

    def sure(self) -> list[tuple[float, int]]:
        """Every moment at which a replica surely led, and its epoch, in the order of time."""
        return sorted((line["at"], line["epoch"]) for replica in self.replicas for line in replica.reports("sure"))


async def until(condition: Any, within: float = 60.0) -> Any:
    """The first truthy value."""
    async with asyncio.timeout(within):
        while not (found := condition()):  # noqa: ASYNC110  another process tells nobody
            await asyncio.sleep(0.02)
    return found


def one_leads_after_the_other(group: Group) -> list[int]:
    """Check that no replica surely led again after the next one had begun. Returns the epochs in their order."""
    epochs: list[int] = []
    for _, epoch in group.sure():
        if not epochs or epochs[-1] != epoch:
            epochs.append(epoch)
    assert len(epochs) == len(set(epochs)), f"two led at once: {epochs}"
    return epochs


@asynccontextmanager
async def replicas(url: str, number: int, lease: float = LEASE) -> AsyncIterator[Group]:
    """That many replicas, the first of which leads."""
    open_store(StoreAddress(url)).close_sync()
    group = Group(url, lease)
    try:
        for _ in range(number):
            await group.start()
        await until(lambda: group.replicas[0].reports("sure"))
        yield group
    finally:
        for replica in group.replicas:
            if replica.process.returncode is None:
                replica.process.kill()
                await replica.process.wait()
        await asyncio.gather(*group.tasks)


async def test_the_next_replica_leads_soon_after_the_leader_is_killed(database_url: str) -> None:
    async with replicas(database_url, 3, LONG) as group:
        first, *others = group.replicas
        first.send(signal.SIGKILL)
        await until(lambda: any(other.reports("sure") for other in others))
        assert len(one_leads_after_the_other(group)) == 2


async def test_a_stopped_leader_is_replaced_and_wakes_up_as_a_follower(database_url: str) -> None:
    """It is not sure when it wakes up, finds out that it was declared dead, and takes part again under a new epoch."""
    async with replicas(database_url, 2) as group:
        first, second = group.replicas
        first.send(signal.SIGSTOP)
        await until(lambda: second.reports("sure"))
        first.send(signal.SIGCONT)
        await until(lambda: first.reports("lost"))
        second.send(signal.SIGTERM)
        await until(lambda: any(line["epoch"] != first.lines[0]["epoch"] for line in first.reports("sure")))
        assert len(one_leads_after_the_other(group)) == 3


async def test_a_leader_that_leaves_is_replaced_at_once(database_url: str) -> None:
    async with replicas(database_url, 2, LONG) as group:
        first, second = group.replicas
        first.send(signal.SIGTERM)
        await until(lambda: second.reports("sure"))
        await until(lambda: first.reports("left"))  # it gives up the lead before it has left
        assert len(one_leads_after_the_other(group)) == 2


async def test_leaders_that_are_stopped_and_killed_in_turn_never_lead_together(database_url: str) -> None:
    async with replicas(database_url, 3) as group:
        for seconds in (0.5 * LEASE, 1.2 * LEASE, 0.7 * LEASE):
            leader = await until(lambda: leading(group))
            leader.send(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            leader.send(signal.SIGCONT)
            await asyncio.sleep(0.3)
        leader = await until(lambda: leading(group))
        leader.send(signal.SIGKILL)
        await until(lambda: (now := leading(group)) is not None and now is not leader)
        one_leads_after_the_other(group)


async def test_a_replica_leads_also_when_the_answer_to_its_takeover_is_lost(
    database_url: str, postgres: LocalServer
) -> None:
    """The database names it as the leader, so no other replica would ever take over."""
    open_store(StoreAddress(database_url)).close_sync()
    with tempfile.TemporaryDirectory(prefix="sb-px-") as folder:
        proxy = Proxy(Path(folder), postgres.folder)
        state = {"taken": False, "cut": False}

        def cut(direction: str, data: bytes) -> bool:
            state["taken"] |= direction == "to" and b"UPDATE leaders SET epoch" in data
            state["cut"] |= direction == "to" and state["taken"] and b"COMMIT" in data
            return state["cut"] and direction == "from"

        async with replicas(database_url, 1) as group:
            proxy.cut = cut
            url = f"{database_url.partition('?')[0]}?host={folder}"
            second = await group.start(url)
            group.replicas[0].send(signal.SIGKILL)
            await until(lambda: state["cut"])
            proxy.cut = lambda _direction, _data: False
            await until(lambda: second.reports("sure"))
            assert len(one_leads_after_the_other(group)) == 2
        proxy.close()


async def test_a_replica_goes_on_through_the_second_server_when_the_first_one_vanishes(
    database_url: str, postgres: LocalServer
) -> None:
    """Nothing comes back from the first one, not even a refusal."""
    open_store(StoreAddress(database_url)).close_sync()
    first, second = [await Link(postgres.folder).open() for _ in range(2)]
    name = database_url.partition("?")[0].rpartition("/")[2]
    group = Group(f"postgresql://postgres@127.0.0.1:{first.port},127.0.0.1:{second.port}/{name}")
    try:
        replica = await group.start()
        await until(lambda: replica.reports("sure"))
        first.swallowed = frozenset((TO, FROM))
        await asyncio.sleep(LEASE)
        before = len(replica.reports("sure"))
        await until(lambda: len(replica.reports("sure")) > before)
    finally:
        for one in group.replicas:
            one.process.kill()
            await one.process.wait()
        await asyncio.gather(*group.tasks)
        await asyncio.gather(first.close(), second.close())


def leading(group: Group) -> Replica | None:
    """The replica that was sure last."""
    last = max(
        (replica.reports("sure")[-1]["at"], index)
        for index, replica in enumerate(group.replicas)
        if replica.reports("sure")
    )
    return group.replicas[last[1]]


@pytest.mark.parametrize(
    ("silent", "has_session", "settled", "dead"),
    [
        (CRASHED - 0.1, False, True, False),  # it may only be connecting again
        (CRASHED + 0.1, False, True, True),  # killed
        (CRASHED + 0.1, False, False, False),  # the database was restarted: everybody connects again
        (5.9, True, True, False),  # slow or stopped
        (6.1, True, True, True),  # stopped for longer than the lease
        (6.1, True, False, True),
    ],
)
def test_who_is_dead(silent: float, has_session: bool, settled: bool, dead: bool) -> None:
    assert is_dead(silent, 6.0, has_session=has_session, settled=settled) is dead


def test_a_replica_is_unsure_before_another_one_may_take_over() -> None:
    """The margin between the two is for the time that a request needs to leave."""
    assert SURE <= 0.6
