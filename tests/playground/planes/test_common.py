"""What every plane records, and what it must not record."""

import json

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import SequentumPlane

Client = httpx.AsyncClient


async def test_request_is_kept_in_full_for_tests(acc: SequentumPlane, call: Client) -> None:
    await call.get("/api/agent?agentPath=a%2Fb&x=1&x=")
    kept = acc.requests[-1]
    assert (kept.method, kept.raw_path) == ("GET", "/api/agent")
    assert kept.query == (("agentPath", "a/b"), ("x", "1"), ("x", ""))
    assert kept.headers["authorization"] == f"Bearer {acc.token}"


async def test_path_is_recorded_undecoded(acc: SequentumPlane, call: Client) -> None:
    await call.get("/api/run/a%2Fb%20c")
    assert (await acc.log())[-1]["path"] == "/api/run/a%2Fb%20c"


async def test_log_tells_tokens_apart_without_storing_them(acc: SequentumPlane, call: Client) -> None:
    body = {"key": "server-key-not-a-secret", "ipAddress": "127.0.0.1", "port": 8004}
    await call.post("/api/server/check", json=body)
    await call.post("/api/server/check", json=body, headers={"Authorization": "Bearer other"})
    await call.post("/api/server/check", json=body)
    rows = await acc.log()
    text = json.dumps(rows)
    assert acc.token not in text
    assert "server-key-not-a-secret" not in text
    tokens = [row["headers"] for row in rows]
    assert tokens[0] == tokens[2] != tokens[1]
    assert [row["status"] for row in rows] == [200, 401, 200]


async def test_log_names_the_fault_that_was_shown(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "empty", "times": 1})
    await call.get("/api/agent?agentPath=shop/prices")
    await call.get("/api/agent?agentPath=shop/prices")
    assert [row["fault"] for row in await acc.log()] == ["empty", None]


async def test_plane_takes_the_port_it_is_given(acc: SequentumPlane) -> None:
    port = int(acc.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with SequentumPlane("second", port=port):
            pass


async def test_clock_stands_follows_or_runs() -> None:
    still = PlaneClock(100.0, rate=0)
    still.advance(5)
    assert still.now() == 105.0
    assert PlaneClock(100.0, rate=1_000_000).now() > 100.1
