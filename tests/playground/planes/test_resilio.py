"""The simulated Resilio agent: token, pause with its timer, restart, runs and tags."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.resilio import ResilioPlane

Client = httpx.AsyncClient
RUN_FIELDS = [
    "down_speed", "errors", "eta", "files_completed", "files_total", "id", "last_synced", "name",
    "path", "peers_count", "peers_count_proxied", "permission", "run_id", "size_completed",
    "size_total", "status", "transferred_down", "transferred_up", "type", "up_speed",
]  # fmt: skip


@pytest.fixture
async def res(clock: PlaneClock) -> AsyncIterator[ResilioPlane]:
    plane = ResilioPlane("res", clock=clock, away=0.3)
    plane.add_transfer("FullSync", total=1_000, speed=100)
    plane.add_transfer("Release", sort="transfer", total=500, speed=100)
    async with plane:
        yield plane


@pytest.fixture
async def call(res: ResilioPlane) -> AsyncIterator[Client]:
    async with Client(base_url=f"{res.base_url}/api/v3", timeout=30.0) as client:
        token = (await client.get("/token")).json()["token"]
        assert len(token) == 26
        client.params = client.params.set("token", token)
        yield client


async def test_token_is_needed_until_it_is_switched_off(res: ResilioPlane) -> None:
    async with Client(base_url=f"{res.base_url}/api/v3", timeout=30.0) as client:
        assert (await client.get("/client")).status_code == 401
        res.token_auth = False
        assert (await client.get("/client")).status_code == 200


@pytest.mark.parametrize("status", [401, 403])
async def test_rotated_token_is_refused(res: ResilioPlane, call: Client, status: int) -> None:
    res.refusal = status
    res.rotate_token()
    assert (await call.get("/runs")).status_code == status


async def test_client_tells_its_state_and_a_needed_restart(res: ResilioPlane, call: Client) -> None:
    record = (await call.get("/client")).json()
    assert set(record) == {"deviceid", "deviceidHex", "name", "paused", "server"}
    assert record["server"]["state"] == "CONNECTED"
    res.restart_required = True
    assert (await call.get("/client")).json()["restartRequired"] == "true"


async def test_runs_move_by_the_clock_and_stand_while_paused(call: Client, clock: PlaneClock) -> None:
    clock.advance(2)
    first, release = (await call.get("/runs")).json()
    assert sorted(first) == RUN_FIELDS
    assert (first["size_completed"], first["eta"], first["status"]) == (200, 8, "syncing")
    await call.patch("/client", params={"paused": "true"})
    clock.advance(100)
    first, release = (await call.get("/runs")).json()
    assert (first["size_completed"], first["down_speed"], first["status"]) == (200, 0, "paused")
    await call.patch("/client", params={"paused": "false"})
    clock.advance(4)
    first, release = (await call.get("/runs")).json()
    assert (first["status"], release["status"]) == ("syncing", "successfully finished")


async def test_pause_ends_with_its_timer(call: Client, clock: PlaneClock) -> None:
    await call.patch("/client", params={"paused": "true", "resume_timer": "60"})
    clock.advance(59)
    assert (await call.get("/client")).json()["paused"] is True
    clock.advance(3)
    assert (await call.get("/client")).json()["paused"] is False
    assert (await call.get("/runs")).json()[0]["size_completed"] == 200


async def test_one_run_comes_as_an_array_or_an_object(res: ResilioPlane, call: Client) -> None:
    as_array = (await call.get("/runs/543")).json()
    res.one_as_array = False
    assert [(await call.get("/runs/543")).json()] == as_array
    assert (await call.get("/runs/1")).status_code == 404


async def test_restart_drops_the_connection_and_comes_back_with_another_token(res: ResilioPlane, call: Client) -> None:
    with pytest.raises(httpx.TransportError):
        await call.patch("/client", json={"restart": True})
    with pytest.raises(httpx.ConnectError):
        await call.get("/client")
    await asyncio.sleep(0.4)
    assert (await call.get("/client")).status_code == 401
    token = (await call.get("/token")).json()["token"]
    call.params = call.params.set("token", token)
    assert (await call.get("/client")).status_code == 200
    assert res.restarts == 1


@pytest.mark.parametrize("body", [b"{'restart': true}", b'{"restart": "true"}', b"[]"])
async def test_restart_wants_json(res: ResilioPlane, call: Client, body: bytes) -> None:
    assert (await call.patch("/client", content=body)).status_code == 400
    assert res.restarts == 0


@pytest.mark.parametrize("query", [{}, {"paused": "yes"}, {"paused": "true", "resume_timer": "1m"}])
async def test_bad_pause_is_refused(res: ResilioPlane, call: Client, query: dict[str, str]) -> None:
    assert (await call.patch("/client", params=query)).status_code == 400
    assert res.effects == []


async def test_tags_are_set_one_by_one_and_listed(res: ResilioPlane, call: Client) -> None:
    for value in ("a", "b"):
        body = {"tags": [{"name": "SITE", "value": value}]}
        assert (await call.patch("/tags", json=body)).json() == {}
    assert (await call.get("/tags")).json() == {"tags": [{"name": "SITE", "value": "b"}]}


@pytest.mark.parametrize("body", [{"tags": [{"name": "x"}]}, {"tags": {}}, {"SITE": "a"}])
async def test_bad_tags_are_refused(res: ResilioPlane, call: Client, body: Any) -> None:
    assert (await call.patch("/tags", json=body)).status_code == 400
    assert res.tags == {}


async def test_log_holds_no_token(res: ResilioPlane, call: Client) -> None:
    await call.get("/client")
    assert res.token not in str(await res.log())
