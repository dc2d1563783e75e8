"""The synchronous standby of PostgreSQL becomes the primary: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from bot.store.postgres.leadership import BEAT
from tests.faults.link import FROM, TO
from tests.faults.replicas import Cluster, cluster, outcomes
from tests.faults.standby import Pair
from tests.fork_server import ForkServer

START = "start acc:shop/prices input.region={}"


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
