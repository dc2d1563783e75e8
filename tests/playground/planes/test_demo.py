"""The planes of the demo start together and hold what the demo speaks of."""

from contextlib import AsyncExitStack
from typing import Any, cast

import httpx

from bot.playground.planes import SequentumPlane, demo_planes
from bot.playground.planes.clock import PlaneClock


async def test_five_planes_serve_side_by_side(clock: PlaneClock) -> None:
    planes = demo_planes(clock)
    async with AsyncExitStack() as stack:
        for plane in planes:
            await stack.enter_async_context(plane)
        async with httpx.AsyncClient(timeout=30.0) as client:
            for plane in planes:
                await client.get(f"{plane.base_url}/nothing")
        logs: list[list[dict[str, Any]]] = [await plane.log() for plane in planes]
    assert [(plane.name, plane.kind) for plane in planes] == [
        ("acc", "sequentum"),
        ("infa", "informatica"),
        ("itn", "itential"),
        ("pre", "prefactor"),
        ("res", "resilio"),
    ]
    assert len({plane.base_url for plane in planes}) == 5
    assert [[row["status"] for row in log] for log in logs] == [[404]] * 5


async def test_broken_agent_of_the_demo_fails_once_and_then_succeeds(clock: PlaneClock) -> None:
    acc = cast(SequentumPlane, demo_planes(clock)[0])
    headers = {"Authorization": f"Bearer {acc.token}"}
    async with acc, httpx.AsyncClient(base_url=acc.base_url, headers=headers, timeout=30.0) as client:
        path = "/api/agent/cluster/start?agentPath=labs/broken"
        (run_id,) = (await client.post(path, json={})).json()["agentRunHistoryIds"]
        clock.advance(20)
        first = (await client.get(f"/api/run/{run_id}")).json()
        await client.post(f"/api/run/{run_id}/retry")
        clock.advance(20)
        history = (await client.get(f"/api/agent/{first['agentId']}/history?count=1")).json()
    assert (first["status"], history[0]["status"]) == (7, 4)
