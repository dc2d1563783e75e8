"""The simulated Prefactor: both generations, idempotency keys, paging, actions, instances."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.prefactor import PrefactorPlane

Client = httpx.AsyncClient
AGENT = "/api/v1/agent"
INSTANCE = "/api/v1/agent_instance"
SEED_FIELDS = {
    "available_actions",
    "current_schema_version_id",
    "current_version_id",
    "environment_id",
    "id",
    "inserted_at",
    "instance_counts",
    "name",
    "status",
    "type",
    "updated_at",
}


@pytest.fixture
async def pre(clock: PlaneClock) -> AsyncIterator[PrefactorPlane]:
    async with PrefactorPlane("pre", clock=clock) as plane:
        yield plane


@pytest.fixture
async def call(pre: PrefactorPlane) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {pre.token}"}
    async with Client(base_url=pre.base_url, headers=headers, timeout=30.0) as client:
        yield client


async def create(call: Client, name: str = "My Agent", **body: Any) -> httpx.Response:
    return await call.post(AGENT, json={"details": {"name": name}, **body})


async def test_created_agent_has_the_fields_of_the_seed(call: Client) -> None:
    reply = (await create(call)).json()
    details = reply["details"]
    assert (reply["status"], details["status"], details["type"]) == ("success", "pending", "agent")
    assert set(details) == SEED_FIELDS
    assert len(details["id"]) == 32
    assert sorted(details["instance_counts"]) == [
        "active", "cancelled", "complete", "failed", "finished", "pending", "total"
    ]  # fmt: skip


async def test_newer_generation_moves_fields_and_lists_summaries(pre: PrefactorPlane, call: Client) -> None:
    pre.generation = "newer"
    details = (await create(call)).json()["details"]
    assert "environment_id" not in details
    assert {"description", "external_identifier", "team_id"} < set(details)
    assert details["instance_counts"]["terminated"] == 0
    listed = (await call.get(AGENT)).json()
    assert [set(row) & {"instance_counts"} for row in listed["summaries"]] == [set()]


async def test_same_key_makes_one_agent_and_no_key_makes_two(
    pre: PrefactorPlane, call: Client, clock: PlaneClock
) -> None:
    first = await create(call, idempotency_key="k1")
    again = await create(call, idempotency_key="k1")
    await create(call)
    await create(call)
    assert first.json() == again.json()
    assert len(pre.agents) == 3
    clock.advance(86_401)
    await create(call, idempotency_key="k1")
    assert len(pre.agents) == 4
    assert (await create(call, idempotency_key="x" * 65)).status_code == 422


async def test_both_error_shapes(call: Client) -> None:
    plain = await call.post(AGENT, content=b"no json")
    fields = await create(call, name=" ")
    assert plain.json().keys() == {"status", "code", "message"}
    assert fields.json()["code"] == "validation_errors"
    assert list(fields.json()["errors"]) == ["name"]


@pytest.mark.parametrize(("state", "status"), [("revoked", 401), ("suspended", 403)])
async def test_token_that_is_not_active_is_refused(pre: PrefactorPlane, call: Client, state: str, status: int) -> None:
    assert (await call.get("/api/v1/ping")).status_code == 200
    pre.token_state = state
    assert (await call.get("/api/v1/ping")).status_code == status
    wrong = await call.get("/api/v1/ping", headers={"Authorization": "Bearer wrong"})
    assert wrong.json()["code"] == "unauthorized"


async def test_list_is_paged(pre: PrefactorPlane, call: Client) -> None:
    for number in range(5):
        pre.add_agent(f"agent {number}")
    params = {"pagination[offset]": 2, "pagination[page_size]": 2}
    reply = (await call.get(AGENT, params=params)).json()
    assert [row["name"] for row in reply["details"]] == ["agent 2", "agent 1"]
    page = reply["pagination"]
    assert (page["item_count"], page["page_count"], page["next_page_offset"]) == (5, 3, 4)
    last = (await call.get(AGENT, params={"pagination[offset]": 4})).json()["pagination"]
    assert last["next_page_offset"] is None
    assert (await call.get(AGENT, params={"pagination[page_size]": 101})).status_code == 422


async def test_agent_is_shown_by_its_external_identifier(pre: PrefactorPlane, call: Client) -> None:
    agent = pre.add_agent("invoice-reader", external_identifier="inv-1")
    params = {"external_identifier": "inv-1", "include_counts": "true"}
    shown = (await call.get(f"{AGENT}/show", params=params)).json()["details"]
    assert (shown["id"], shown["instance_counts"]["total"]) == (agent.agent_id, 0)
    assert (await call.get(f"{AGENT}/show?agent_id=none")).status_code == 404


async def test_update_changes_the_name_but_not_the_external_identifier(pre: PrefactorPlane, call: Client) -> None:
    path = f"{AGENT}/{pre.add_agent('old').agent_id}"
    good = await call.put(path, json={"details": {"name": "new"}})
    bad = await call.put(path, json={"details": {"external_identifier": "x"}})
    assert (good.json()["details"]["name"], bad.status_code) == ("new", 422)


async def test_available_actions_tell_what_is_possible(pre: PrefactorPlane, call: Client) -> None:
    agent = pre.add_agent("triage")
    running = pre.add_instance(agent)
    path = f"{AGENT}/{agent.agent_id}"
    for method, action in (("POST", "/retire"), ("POST", "/reinstate"), ("DELETE", "")):
        reply = await call.request(method, path + action)
        assert (reply.status_code, reply.json()["code"]) == (409, "invalid_action")
    await call.post(f"{INSTANCE}/{running.instance_id}/terminate", json={"reason": "stuck"})
    retired = (await call.post(f"{path}/retire", json={})).json()["details"]
    assert retired["status"] == "retired"
    assert retired["available_actions"] == {
        "delete": True, "reinstate": True, "retire": False, "update": False
    }  # fmt: skip
    assert (await call.post(f"{path}/reinstate")).json()["details"]["status"] == "dormant"
    await call.post(f"{path}/retire")
    assert (await call.delete(path)).json()["details"]["id"] == agent.agent_id
    assert (await call.get(path)).status_code == 404


async def test_active_instance_is_terminated_once_with_its_reason(pre: PrefactorPlane, call: Client) -> None:
    running = pre.add_instance(pre.add_agent("triage"))
    path = f"{INSTANCE}/{running.instance_id}"
    details = (await call.post(f"{path}/terminate", json={"reason": "loop"})).json()["details"]
    assert (details["status"], details["termination_reason"]) == ("terminated", "loop")
    assert (await call.post(f"{path}/terminate", json={})).status_code == 409


async def test_instance_is_cancelled_only_while_pending(pre: PrefactorPlane, call: Client) -> None:
    agent = pre.add_agent("triage")
    codes = []
    for status in ("pending", "active"):
        path = f"{INSTANCE}/{pre.add_instance(agent, status).instance_id}/finish"
        codes.append((await call.post(path, json={"status": "cancelled"})).status_code)
    assert codes == [200, 409]


async def test_instance_begins_and_ends_by_the_clock(pre: PrefactorPlane, call: Client, clock: PlaneClock) -> None:
    agent = pre.add_agent("triage")
    pre.add_instance(agent, "pending", begins_in=10, lasts=10, ends_as="failed")
    seen = []
    for _ in range(3):
        (row,) = (await call.get(f"{INSTANCE}?agent_id={agent.agent_id}")).json()["details"]
        status = (await call.get(f"{AGENT}/{agent.agent_id}")).json()["details"]["status"]
        seen.append((row["status"], status))
        clock.advance(11)
    assert seen == [("pending", "dormant"), ("active", "active"), ("failed", "dormant")]
