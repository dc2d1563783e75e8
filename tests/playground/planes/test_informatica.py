"""The simulated IICS: sessions, both ids, services in transition, jobs, schedules, errors."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.informatica import InformaticaPlane

Client = httpx.AsyncClient
SERVER = "Data Integration Server"


@pytest.fixture
async def infa(clock: PlaneClock) -> AsyncIterator[InformaticaPlane]:
    plane = InformaticaPlane("infa", clock=clock, lock_after=3)
    eu = plane.add_agent("eu-1", SERVER, "Process Server")
    plane.add_agent("us 1", SERVER, active=False)
    plane.add_task("load_orders", eu)
    plane.add_schedule("nightly")
    plane.add_schedule("weekly", "Weekly", enabled=False)
    async with plane:
        yield plane


@pytest.fixture
async def call(infa: InformaticaPlane) -> AsyncIterator[Client]:
    async with Client(timeout=30.0) as client:
        body = {"username": infa.username, "password": infa.password}
        login = await client.post(f"{infa.base_url}/saas/public/core/v3/login", json=body)
        key = login.json()["userInfo"]["sessionId"]
        base = login.json()["products"][0]["baseApiUrl"]
        client.headers.update({"INFA-SESSION-ID": key, "icSessionId": key})
        client.base_url = httpx.URL(base)
        yield client


async def eu_ids(call: Client) -> tuple[str, str]:
    body = {"objects": [{"path": "eu-1", "type": "AGENT"}]}
    found = (await call.post("/public/core/v3/lookup", json=body)).json()["objects"][0]
    record = (await call.get("/api/v2/agent/name/eu-1")).json()
    assert found["id"] == record["federatedId"]
    return found["id"], record["id"]


async def act(call: Client, action: str, agent_id: str, service: str = SERVER) -> httpx.Response:
    body = {"serviceName": service, "serviceAction": action, "agentId": agent_id}
    return await call.post("/public/core/v3/agent/service", json=body)


async def engines(call: Client) -> dict[str, tuple[str, str]]:
    _, v2_id = await eu_ids(call)
    details = (await call.get(f"/api/v2/agent/details/{v2_id}")).json()
    states = [engine["agentEngineStatus"] for engine in details["agentEngines"]]
    return {row["appDisplayName"]: (row["status"], row["subState"]) for row in states}


async def test_v2_login_opens_a_session_too(infa: InformaticaPlane) -> None:
    body = {"@type": "login", "username": infa.username, "password": infa.password}
    async with Client(timeout=30.0) as client:
        login = (await client.post(f"{infa.base_url}/ma/api/v2/user/login", json=body)).json()
        headers = {"icSessionId": login["icSessionId"]}
        reply = await client.get(f"{login['serverUrl']}/api/v2/agent", headers=headers)
    assert [agent["name"] for agent in reply.json()] == ["eu-1", "us 1"]


async def test_session_ends_after_idle_minutes_and_not_while_used(call: Client, clock: PlaneClock) -> None:
    for _ in range(3):
        clock.advance(29 * 60)
        assert (await call.get("/api/v2/agent")).status_code == 200
    clock.advance(31 * 60)
    v2 = await call.get("/api/v2/agent")
    v3 = await call.get("/public/core/v3/schedule")
    assert (v2.status_code, v2.json()["@type"], v2.json()["statusCode"]) == (401, "error", 401)
    assert (v3.status_code, v3.json()["error"]["code"]) == (401, "AUTH_01")


async def test_wrong_passwords_are_counted_and_lock_the_account(infa: InformaticaPlane) -> None:
    url = f"{infa.base_url}/saas/public/core/v3/login"
    async with Client(timeout=30.0) as client:
        wrong = {"username": infa.username, "password": "x"}
        codes = [(await client.post(url, json=wrong)).status_code for _ in range(3)]
        right = {"username": infa.username, "password": infa.password}
        locked = await client.post(url, json=right)
        infa.unlock()
        good = await client.post(url, json=right)
    assert (codes, locked.status_code, good.status_code) == ([401] * 3, 403, 200)


async def test_logout_ends_the_session(call: Client) -> None:
    assert (await call.post("/public/core/v3/logout")).status_code == 200
    assert (await call.get("/api/v2/agent")).status_code == 401


async def test_false_booleans_are_left_out(call: Client) -> None:
    record = (await call.get("/api/v2/agent/name/us%201")).json()
    assert "active" not in record
    assert record["readyToRun"] is True


async def test_v2_id_is_no_agent_id_for_a_service(infa: InformaticaPlane, call: Client) -> None:
    _, v2_id = await eu_ids(call)
    reply = await act(call, "stop", v2_id)
    assert reply.json()["error"]["code"] == "AgentServiceV3APIError_003"
    assert infa.effects == []


async def test_stopped_service_goes_through_stopping_and_vanishes(call: Client, clock: PlaneClock) -> None:
    federated, _ = await eu_ids(call)
    reply = (await act(call, "stop", federated)).json()
    assert reply["serviceState"] == "STOPPING"
    assert (await engines(call))[SERVER] == ("STOPPING", "0")
    clock.advance(5)
    assert SERVER not in await engines(call)


async def test_start_is_finished_with_running_and_sub_state_zero(call: Client, clock: PlaneClock) -> None:
    federated, _ = await eu_ids(call)
    await act(call, "stop", federated)
    clock.advance(5)
    assert (await act(call, "start", federated)).json()["serviceState"] == "STARTING"
    seen = []
    for _ in range(3):
        seen.append((await engines(call))[SERVER])
        clock.advance(3.5)
    assert seen == [("STARTING", "-1"), ("RUNNING", "-1"), ("RUNNING", "0")]


async def test_failing_start_ends_in_error(infa: InformaticaPlane, call: Client, clock: PlaneClock) -> None:
    infa.service("eu-1", SERVER).start_fails = True
    federated, _ = await eu_ids(call)
    await act(call, "stop", federated)
    clock.advance(5)
    await act(call, "start", federated)
    clock.advance(10)
    assert (await engines(call))[SERVER] == ("ERROR", "0")


async def test_start_of_a_running_and_stop_of_a_stopped_service_change_nothing(
    infa: InformaticaPlane, call: Client, clock: PlaneClock
) -> None:
    federated, _ = await eu_ids(call)
    assert (await act(call, "start", federated)).json()["serviceState"] == "RUNNING"
    await act(call, "stop", federated)
    clock.advance(5)
    assert (await act(call, "stop", federated)).json()["serviceState"] == "USER_STOPPED"
    assert [deed.action for deed in infa.effects] == ["stop"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"serviceAction": "restart"}, "AgentServiceV3APIError_001"),
        ({"serviceName": "Nothing"}, "AgentServiceV3APIError_002"),
        ({"serviceName": None}, "V3API_007"),
    ],
)
async def test_bad_service_call_is_refused(call: Client, change: dict[str, Any], code: str) -> None:
    federated, _ = await eu_ids(call)
    body = {"serviceName": SERVER, "serviceAction": "stop", "agentId": federated, **change}
    reply = await call.post("/public/core/v3/agent/service", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


async def test_errors_may_come_with_200(infa: InformaticaPlane, call: Client) -> None:
    infa.errors_as_200 = True
    reply = await call.get("/api/v2/agent/none")
    assert (reply.status_code, reply.json()["statusCode"]) == (200, 404)


async def test_job_runs_and_is_logged(infa: InformaticaPlane, call: Client, clock: PlaneClock) -> None:
    infa.tasks[0].ends = 2
    body = {"@type": "job", "taskName": "load_orders", "taskType": "MTT"}
    started = (await call.post("/api/v2/job", json=body)).json()
    clock.advance(2)
    (running,) = (await call.get("/api/v2/activity/activityMonitor?details=false")).json()
    assert (running["runId"], running["executionState"]) == (1, "RUNNING")
    clock.advance(10)
    assert (await call.get("/api/v2/activity/activityMonitor")).json() == []
    path = f"/api/v2/activity/activityLog?runId=1&taskId={started['taskId']}"
    (entry,) = (await call.get(path)).json()
    assert entry["state"] == 2
    assert (await call.get(f"/api/v2/activity/activityLog/{entry['id']}")).json() == entry
    log = await call.get(f"/api/v2/activity/activityLog/{entry['id']}/sessionLog")
    assert "password=hunter2-not-a-secret" in log.text
    assert (await call.get("/api/v2/activity/activityLog?runId=1")).status_code == 400


async def test_job_is_stopped_or_killed_with_its_service(call: Client, clock: PlaneClock) -> None:
    body = {"@type": "job", "taskName": "load_orders", "taskType": "MTT"}
    await call.post("/api/v2/job", json=body)
    assert (await call.post("/api/v2/job/stop", json=body)).json()["@type"] == "success"
    clock.advance(2)
    assert (await call.post("/api/v2/job/stop", json=body)).status_code == 400
    await call.post("/api/v2/job", json=body)
    federated, _ = await eu_ids(call)
    await act(call, "stop", federated)
    clock.advance(1)
    entries = (await call.get("/api/v2/activity/activityLog")).json()
    assert [entry["state"] for entry in entries] == [3, 3]
    assert entries[0]["errorMsg"] == f"The service {SERVER} was stopped."


async def test_schedules_are_listed_by_status_and_patched(infa: InformaticaPlane, call: Client) -> None:
    path = "/public/core/v3/schedule"
    off = (await call.get(path, params={"q": "status=='Disabled'"})).json()["schedules"]
    assert [row["name"] for row in off] == ["weekly"]
    key = off[0]["id"]
    await call.patch(f"{path}/{key}", json={"status": "enabled"})
    assert (await call.get(f"{path}/{key}")).json()["status"] == "enabled"
    infa.wrap_schedules = False
    assert len((await call.get(path)).json()) == 2
    assert (await call.patch(f"{path}/{key}", json={"status": "maybe"})).status_code == 400


async def test_minutes_left_of_a_session_are_told(infa: InformaticaPlane, call: Client, clock: PlaneClock) -> None:
    clock.advance(60)
    body = {"@type": "validatedToken", "icToken": call.headers["icSessionId"]}
    reply = (await call.post("/api/v2/user/validSessionId", json=body)).json()
    assert (reply["timeUntilExpire"], reply["isValidToken"]) == (29, True)


async def test_session_log_may_come_as_a_zip(infa: InformaticaPlane, call: Client, clock: PlaneClock) -> None:
    infa.zip_session_log = True
    body = {"@type": "job", "taskName": "load_orders", "taskType": "MTT"}
    await call.post("/api/v2/job", json=body)
    clock.advance(20)
    (entry,) = (await call.get("/api/v2/activity/activityLog")).json()
    log = await call.get(f"/api/v2/activity/activityLog/{entry['id']}/sessionLog")
    assert log.headers["Content-Type"] == "application/zip;charset=UTF-8"
    with zipfile.ZipFile(io.BytesIO(log.content)) as archive:
        assert archive.namelist() == [f"{entry['id']}.log"]
