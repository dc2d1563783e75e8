"""The synchronous standby of PostgreSQL becomes the primary: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from tests.faults.link import FROM, TO
from tests.faults.replicas import cluster, outcomes
from tests.faults.standby import Pair
from tests.fork_server import ForkServer


async def test_after_a_failover_what_was_acked_has_one_outcome_and_new_requests_are_executed(
    tmp_path: Path, fork_server: ForkServer
) -> None:
    """The old primary vanishes without a word: each replica has to find the new one by itself."""
    pair = Pair(tmp_path / "pg", durable=False)
    await asyncio.to_thread(pair.start)
    try:
        with psycopg.connect(pair.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE faults")
        (tmp_path / "bot").mkdir()
        url, servers = pair.url("faults"), pair.socket_folders
        async with cluster(tmp_path / "bot", fork_server, url, 2, servers=servers) as group:
            group.through((await group.followers())[0])
            assert (await group.says("start acc:shop/prices input.region=before")).acked
            old = servers.index(pair.primary.folder)
            for replica in group.replicas:
                replica.links[old].swallowed = frozenset((TO, FROM))

            async def nobody_is_ready() -> bool:
                return not any([await group.ready(replica) for replica in group.replicas])

            await group.until(nobody_is_ready)
            await asyncio.to_thread(pair.promote, alone=True)
            group.moved(pair.primary.url("faults"))
            group.through((await group.followers())[0])

            async def is_executed() -> bool:
                """What was accepted before the leader saw the failover is given up: the old primary may have lost it."""
                receipt = await group.says("start acc:shop/prices input.region=after")
                if receipt.acked and not receipt.body:
                    await group.until(lambda: all(outcomes(one) for one in group.requests("start").values()))
                return "done" in outcomes(list(group.requests("start").values())[-1])

            await group.until(is_executed)
            before, *_, after = (outcomes(entries) for entries in group.requests("start").values())
            assert len(before) == 1
            assert after == ["done"]
            assert group.store.verify_sync(group.store.head_sync()).ok
    finally:
        await asyncio.to_thread(pair.stop)
