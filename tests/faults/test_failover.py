"""The synchronous standby of PostgreSQL becomes the primary: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bot.core.ports.store import StoreAddress
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.open import open_store, prepare_database
from bot.store.postgres.check import findings
from bot.store.postgres.heartbeat import BEAT
from bot.store.postgres.leadership import PostgresLeadership
from bot.store.postgres.session import connect
from tests.faults.link import FROM, TO, Link
from tests.faults.replicas import Cluster, cluster, outcomes
from tests.faults.standby import Pair
from tests.fork_server import ForkServer
from tests.postgres import administrate

START = "start acc:shop/prices input.region={}"
BEATS = "SELECT beat_at FROM signalbox.replicas ORDER BY name"
GRANT = "`GRANT pg_read_all_stats TO bot`"
LOSSY = "commits don't wait until the standby has them on its disk; set it to on"
TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"


async def test_what_waits_during_a_failover_is_executed_only_when_it_is_proved_that_nothing_was_lost(
    tmp_path: Path, fork_server: ForkServer
) -> None:
    """The old primary vanishes without a word. After the failover to a standby for which no commit had waited, what was accepted
    before may have run already, so it is given up. What is asked afterwards is executed."""
    pair = Pair(tmp_path / "pg", durable=False)
    await asyncio.to_thread(pair.start)
    try:
        with psycopg.connect(pair.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE faults")
        (tmp_path / "bot").mkdir()
        async with cluster(tmp_path / "bot", fork_server, pair.url("faults"), 2, servers=pair.socket_folders) as group:
            first = await around_failover(group, pair, "first")
            await asyncio.to_thread(pair.repair)
            for replica in group.replicas:
                for link in replica.links:
                    link.heal()
            await asyncio.to_thread(pair.wait_for_standbys, "")
            await group.until(lambda: group.ready(group.replicas[0]))
            await asyncio.sleep(2 * BEAT)
            second = await around_failover(group, pair, "second")
            details = [str(row.detail) for row in group.rows() if row.event == "restored"]
            proved = ["nothing is missing" in detail for detail in details]
            # On a busy machine a heartbeat may get lost, and then there is no proof.
            assert [first, second] == [["done"] if one else ["abandoned"] for one in proved], details
            assert not proved[1]

            async def is_executed() -> bool:
                receipt = await group.says(START.format("after"))
                if receipt.acked and not receipt.body:
                    await group.until(lambda: all(outcomes(one) for one in group.requests("start").values()))
                return "done" in newest(group)

            await group.until(is_executed)
            assert group.store.verify_sync(group.store.head_sync()).ok
    finally:
        await asyncio.to_thread(pair.stop)


async def test_a_failover_is_proved_by_the_last_heartbeat_also_under_a_new_epoch(tmp_path: Path) -> None:
    """Two replicas come back under new epochs. The new primary has the last heartbeat of one, and not that of the other."""
    pair = Pair(tmp_path / "pg", durable=False)
    await asyncio.to_thread(pair.start)
    links = [await Link(folder).open() for folder in pair.socket_folders]
    hosts = ",".join(f"127.0.0.1:{link.port}" for link in links)
    address = StoreAddress(f"postgresql://postgres@{hosts}/postgres", lease=3)
    tasks = TaskQueue()
    try:
        (await asyncio.to_thread(open_store, address)).close_sync()
        kept, lost = [
            PostgresLeadership(address, SystemClock(), team=name, name=name, fence=lambda epoch, leads: None)
            for name in ("kept", "lost")
        ]
        for one in (kept, lost):
            await one.join(nothing, nothing, tasks.serve)
        first, epochs = asked(pair, BEATS), (kept.epoch, lost.epoch)
        await until(lambda: all(now > then for now, then in zip(asked(pair, BEATS), first, strict=True)))
        (before,) = asked(pair, TIMELINE)
        for link in links:
            link.cut()
        await asyncio.to_thread(pair.promote, alone=True)
        asked(pair, "UPDATE signalbox.replicas SET state = 'dead' WHERE name = 'kept' RETURNING 1")
        asked(pair, "DELETE FROM signalbox.replicas WHERE name = 'lost' RETURNING 1")
        (after,) = asked(pair, TIMELINE)
        links[pair.servers.index(pair.primary)].heal()
        for one, epoch in zip((kept, lost), epochs, strict=True):
            await until(lambda: one.leads and one.surely() and one.epoch not in (None, epoch))  # noqa: B023  at once
        proved = [one.kept_all(f"1/{before}/1", f"1/{after}/1") for one in (kept, lost)]
        assert (before != after, proved) == (True, [True, False])
    finally:
        await tasks.stop_services()
        for one in (kept, lost):
            await one.leave()
        for link in links:
            await link.close()
        await asyncio.to_thread(pair.stop)


async def test_check_says_what_a_commit_waits_for(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "pg")
    await asyncio.to_thread(pair.start)
    owner, bot = StoreAddress(pair.primary.url()), StoreAddress(pair.primary.url(user="bot"))

    def says(sql: str = "SELECT 1") -> list[tuple[bool, str]]:
        administrate(pair.primary, sql)
        with connect(bot) as connection:
            return [one for one in findings(connection, bot) if "synchronous_commit" in one[1] or "standby" in one[1]]

    try:
        administrate(pair.primary, "CREATE ROLE bot LOGIN")
        prepare_database(owner, bot)
        waits, on = "commits wait for a standby (*)", (True, "synchronous_commit is on")
        assert says() == [on, (False, f"{waits}, but the user can't see it, so a failover voids approvals; {GRANT}")]
        assert says("GRANT pg_read_all_stats TO bot") == [on, (True, waits)]
        (_, lossy) = says("ALTER ROLE bot SET synchronous_commit = remote_write")
        assert lossy == (False, f"synchronous_commit is remote_write, so {LOSSY}")
        replaced = (True, "synchronous_commit is on (the server's off is replaced)")
        assert says("ALTER ROLE bot SET synchronous_commit = off") == [replaced, (True, waits)]
        says("ALTER ROLE bot RESET ALL")
        await asyncio.to_thread(pair.standby.kill)
        alone = (False, f"{waits}, but none is connected: no request is stored until one is")
        await until(lambda: says() == [on, alone])
        pair.wait_for_standbys("")
        await until(lambda: says()[1][1].startswith("no synchronous standby"))
    finally:
        await asyncio.to_thread(pair.stop)


async def nothing() -> None:
    """A change that needs no work."""


def asked(pair: Pair, sql: str) -> list[Any]:
    """The first column of what the primary answers."""
    with psycopg.connect(pair.primary.url(), autocommit=True) as connection:
        return [row[0] for row in connection.execute(sql.encode())]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.05)


async def around_failover(group: Cluster, pair: Pair, region: str) -> list[str]:
    """The outcome of a request that is acknowledged before a failover and not sent yet."""
    (follower,) = await group.followers()
    group.through(follower)
    await group.acc.set_fault({"fault": "delay", "seconds": 60})

    async def is_begun() -> bool:
        """On a busy machine an ack may be too late, so that the request is set aside."""
        seen = len(group.acc.requests)
        await group.says(START.format(region))
        await group.until(lambda: newest(group) or len(group.acc.requests) > seen)
        return not newest(group)

    await group.until(is_begun)
    for replica in group.replicas:
        replica.links[pair.socket_folders.index(pair.primary.folder)].swallowed = frozenset((TO, FROM))

    async def nobody_is_ready() -> bool:
        return not any([await group.ready(replica) for replica in group.replicas])

    await group.until(nobody_is_ready)
    await group.acc.clear_faults()
    await asyncio.to_thread(pair.promote, alone=True)
    group.moved(pair.primary.url("faults"))
    await group.until(lambda: all(outcomes(one) for one in group.requests("start").values()))
    return newest(group)


def newest(group: Cluster) -> list[str]:
    """The outcomes of the newest start."""
    return outcomes(list(group.requests("start").values())[-1])
