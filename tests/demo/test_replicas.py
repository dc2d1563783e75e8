"""`make demo REPLICAS=3`: the page shows the replicas, and work goes on when the one that leads is killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from bot.demo.run import running_replicas
from tests.world import shown


async def test_the_page_kills_the_leader_and_the_next_one_executes(tmp_path: Path) -> None:
    async with running_replicas(tmp_path / "demo", 3) as here, aiohttp.ClientSession() as session:
        url = f"{here.workspace.base_url}/playground/processes"

        async def rows() -> list[dict[str, Any]]:
            async with session.get(url) as reply:
                return list((await reply.json())["processes"])

        async def ready(number: int) -> str:
            """The name of the leader, once that many replicas are ready."""
            async with asyncio.timeout(40):
                while True:
                    found = await rows()
                    leader = next((row["name"] for row in found if row["leads"]), None)
                    if leader and sum(row["state"] == "ready" for row in found) >= number:
                        return str(leader)
                    await asyncio.sleep(0.1)

        leader = await ready(3)
        assert (await session.post(f"{url}/nobody/kill")).status == 400
        assert (await session.post(f"{url}/{leader}/kill")).status == 200
        assert await ready(2) != leader
        ana = here.workspace.person("U0ANA")
        assert (await ana.command("C0CRAWL", "/ops start acc:shop/prices")).acked
        await ana.wait_for(
            lambda person: any("shop/prices" in shown(message) for message in person.messages("C0CRAWL")), timeout=30
        )
        await ready(3)
