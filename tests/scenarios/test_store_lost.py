"""The database is deleted under the running bot."""

from __future__ import annotations

import aiohttp

from tests.world import World, shown


async def _ready(env: World) -> int:
    host, port = env.bot.connections.address
    async with aiohttp.ClientSession() as http, http.get(f"http://{host}:{port}/readyz") as reply:
        return reply.status


async def test_a_deleted_database_stops_every_request_and_is_told(env: World) -> None:
    """Nothing is sent, the person is told why, the security channel hears of it once, and a load balancer sends no more."""
    await env.does("status acc:shop/prices", "shop/prices")
    assert await _ready(env) == 200
    (env.folder / "signalbox.db").unlink()
    before = len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")])
    await env.say("start acc:shop/prices -- after the loss")
    await env.sees("deleted, replaced or overwritten", "nothing was done")

    def alarms() -> list[str]:
        texts = [shown(message) for message in env.ana.messages("C0SEC")]
        return [text for text in texts if "Every request is refused" in text]

    assert await env.until(alarms)
    assert len(alarms()) == 1
    assert await _ready(env) == 503
    assert len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")]) == before
