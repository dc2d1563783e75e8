"""Every fault that a plane can be told to show, seen from a client."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.faults import NAMES
from bot.playground.planes.sequentum import SequentumPlane

Client = httpx.AsyncClient
LOOKUP = "/api/agent?agentPath=shop/prices"
START = "/api/agent/cluster/start?agentPath=shop/prices"


@pytest.mark.parametrize(
    ("name", "status"),
    [("401", 401), ("401_once", 401), ("429", 429), ("500", 500), ("503", 503), ("redirect", 302)],
)
async def test_status_faults_stand_in_place_of_the_thing(
    acc: SequentumPlane, call: Client, name: str, status: int
) -> None:
    await acc.set_fault({"fault": name, "times": 1, "retry_after": 7, "location": "http://x.test/"})
    assert acc.faults == [name]
    reply = await call.post(START, json={})
    again = await call.post(START, json={})
    assert (reply.status_code, again.status_code) == (status, 200)
    assert reply.headers.get("Retry-After") == ("7" if name == "429" else None)
    assert reply.headers.get("Location") == ("http://x.test/" if name == "redirect" else None)
    assert len(acc.runs) == 1


@pytest.mark.parametrize(("name", "start"), [("html", b"<!DOCTYPE html>"), ("empty", b""), ("bad_json", b'{"')])
async def test_strange_bodies_come_with_200(acc: SequentumPlane, call: Client, name: str, start: bytes) -> None:
    await acc.set_fault({"fault": name})
    reply = await call.get(LOOKUP)
    assert (reply.status_code, reply.content[: len(start)]) == (200, start)
    with pytest.raises(ValueError, match=r".*"):
        reply.json()


@pytest.mark.parametrize(("name", "runs"), [("drop_before", 0), ("drop_after", 1)])
@pytest.mark.parametrize("reset", [False, True])
async def test_dropped_connection_did_the_thing_or_not(
    acc: SequentumPlane, call: Client, name: str, runs: int, reset: bool
) -> None:
    await acc.set_fault({"fault": name, "times": 1, "reset": reset})
    with pytest.raises(httpx.TransportError):
        await call.post(START, json={})
    assert len(acc.runs) == runs
    assert (await call.get(LOOKUP)).status_code == 200
    assert [row["status"] for row in await acc.log()] == [None, 200]


async def test_error_reply_may_hide_that_the_thing_was_done(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "500", "done": True})
    assert (await call.post(START, json={})).status_code == 500
    assert len(acc.runs) == 1


async def test_an_outage_says_how_long_it_lasts_and_is_not_ended_by_the_time_of_an_earlier_one(
    acc: SequentumPlane,
) -> None:
    """Another fault replaces it, whatever was left of its time."""
    await acc.set_fault({"fault": "refuse", "seconds": 0.2})
    assert acc.away_for is not None
    assert 0 < acc.away_for <= 0.2
    await acc.clear_faults()
    assert (acc.faults, acc.away_for) == ([], None)
    await acc.set_fault({"fault": "refuse"})
    await asyncio.sleep(0.3)
    assert (acc.faults, acc.away_for) == (["refuse"], None)
    await acc.clear_faults()


async def test_refused_plane_listens_again_on_its_port(acc: SequentumPlane, call: Client) -> None:
    await call.get(LOOKUP)
    place = acc.base_url
    await acc.set_fault({"fault": "refuse"})
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            await call.get(LOOKUP)
    await acc.clear_faults()
    assert (await call.get(LOOKUP)).status_code == 200
    assert acc.base_url == place


async def test_refusal_begins_after_n_requests_and_ends_after_its_seconds(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "refuse", "after": 2, "seconds": 0.3})
    assert [(await call.get(LOOKUP)).status_code for _ in range(2)] == [200, 200]
    with pytest.raises(httpx.ConnectError):
        await call.get(LOOKUP)
    await asyncio.sleep(0.4)
    assert (await call.get(LOOKUP)).status_code == 200


async def test_fault_is_limited_by_match_after_and_times(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "503", "match": "^POST .*/start$", "after": 1, "times": 1})
    codes = [(await call.get(LOOKUP)).status_code]
    codes += [(await call.post(START, json={})).status_code for _ in range(3)]
    assert codes == [200, 200, 503, 200]


async def test_delay_adds_to_another_fault(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "delay", "seconds": 0.2})
    await acc.set_fault({"fault": "500"})
    began = time.monotonic()
    assert (await call.get(LOOKUP)).status_code == 500
    assert time.monotonic() - began >= 0.2


async def test_wrong_types_swap_every_leaf(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "wrong_types"})
    reply = (await call.get(LOOKUP)).json()
    assert set(reply.values()) == {17}


async def test_unknown_enum_changes_only_the_states(acc: SequentumPlane, call: Client) -> None:
    (run_id,) = (await call.post(START, json={})).json()["agentRunHistoryIds"]
    plain = (await call.get(f"/api/run/{run_id}")).json()
    await acc.set_fault({"fault": "unknown_enum"})
    bent = (await call.get(f"/api/run/{run_id}")).json()
    assert {**plain, "status": 99} == bent


async def test_drip_sends_a_byte_at_a_time(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "drip", "seconds": 0.05})
    with pytest.raises(httpx.ReadTimeout):
        await call.get(LOOKUP, timeout=httpx.Timeout(30.0, read=0.03))
    async with call.stream("GET", LOOKUP) as reply:
        first = await anext(reply.aiter_raw())
    assert len(first) < 5


@pytest.mark.parametrize("name", ["huge", "huge_gzip"])
async def test_huge_bodies_are_streamed(acc: SequentumPlane, call: Client, name: str) -> None:
    await acc.set_fault({"fault": name, "size": 5_000_000})
    total = 0
    async with call.stream("GET", LOOKUP) as reply:
        async for chunk in reply.aiter_bytes():
            total += len(chunk)
    assert total == 5_000_000


async def test_client_may_hang_up_on_a_huge_body(acc: SequentumPlane, call: Client) -> None:
    await acc.set_fault({"fault": "huge", "times": 1})
    async with call.stream("GET", LOOKUP) as reply:
        await anext(reply.aiter_bytes())
    assert (await call.get(LOOKUP)).status_code == 200


@pytest.mark.parametrize("spec", [{"fault": "flood"}, {"fault": "500", "often": 2}, {"fault": "500", "match": "("}, {}])
async def test_misspelt_fault_is_an_error(acc: SequentumPlane, spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown fault|regular expression"):
        await acc.set_fault(spec)
    assert "drip" in NAMES


async def test_a_fault_that_waits_is_met_by_the_request_that_follows_a_persons_act(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    """A background read before it, or long after an act, doesn't use it up."""
    await acc.set_fault({"fault": "500", "times": 1, "waits": True})
    assert (await call.get(LOOKUP)).status_code == 200
    acc.person_acts()
    clock.advance(6)
    assert (await call.get(LOOKUP)).status_code == 200
    assert acc.faults == ["500"]
    acc.person_acts()
    assert (await call.get(LOOKUP)).status_code == 500
    assert (await call.get(LOOKUP)).status_code == 200
