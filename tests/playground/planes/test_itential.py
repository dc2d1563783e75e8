"""The simulated Itential Platform: runs in both reply shapes, jobs, and the four resources."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.itential import ItentialPlane, Script
from tests.waiting import until

Client = httpx.AsyncClient
GM = "/gateway_manager/v1"
OM = "/operations-manager/jobs"
RUN = {"serviceName": "my-tofu-service", "clusterId": "cluster_1", "params": {"action": "apply"}}
SCHEMA = {
    "type": "object",
    "required": ["action"],
    "properties": {"action": {"type": "string", "enum": ["apply", "destroy"]}},
}


@pytest.fixture
async def itn(clock: PlaneClock) -> AsyncIterator[ItentialPlane]:
    plane = ItentialPlane("itn", clock=clock)
    plane.add_gateway("cluster_1")
    plane.add_gateway("cluster_2", connected=False)
    plane.add_service("my-tofu-service", sort="opentofu-plan", decorator=SCHEMA)
    failing = Script(return_code=1, stdout="", stderr="no route to host")
    plane.add_service("backup-configs", scripts=(failing, Script()))
    plane.add_service("far-away", "cluster_2")
    async with plane:
        yield plane


@pytest.fixture
async def call(itn: ItentialPlane) -> AsyncIterator[Client]:
    async with Client(base_url=itn.base_url, auth=(itn.username, itn.password), timeout=30.0) as client:
        yield client


async def started(call: Client, service: str = "my-tofu-service") -> str:
    body = {**RUN, "serviceName": service}
    reply = (await call.post(f"{GM}/services/run", json=body)).json()
    assert reply["message"] == f"Running {service} on cluster_1"
    assert [len(reply["result"][name]) for name in ("_id", "job_id", "data")] == [24, 24, 36]
    return str(reply["result"]["job_id"])


async def job(call: Client, job_id: str) -> dict[str, Any]:
    return dict((await call.get(f"{OM}/{job_id}")).json()["data"])


async def test_basic_credentials_a_login_token_or_nothing(itn: ItentialPlane, call: Client) -> None:
    user = {"user": {"username": itn.username, "password": itn.password}}
    async with Client(base_url=itn.base_url, timeout=30.0) as stranger:
        token = (await stranger.post("/login", json=user)).text
        assert (await stranger.get("/whoami")).status_code == 200
        stranger.cookies.clear()
        assert (await stranger.get(f"/whoami?token={token}")).status_code == 200
        assert (await stranger.get("/whoami", auth=("signalbox", "x"))).status_code == 401
        assert (await stranger.get(f"{GM}/health/status")).json()["result"] == "ok"
        assert (await stranger.get(f"{GM}/version")).status_code == 401
    assert (await call.get(f"{GM}/version")).json() == "2023.2.14"


async def test_a_service_account_gets_a_bearer_token_for_an_hour(itn: ItentialPlane, clock: PlaneClock) -> None:
    """The form and the reply are those of the vendor's page; a wrong secret gets none, and the log shows no secret."""
    form = {"grant_type": "client_credentials", "client_id": itn.client_id, "client_secret": itn.client_secret}
    async with Client(base_url=itn.base_url, timeout=30.0) as account:
        refused = await account.post("/oauth/token", data={**form, "client_secret": "other"})
        got = (await account.post("/oauth/token", data=form)).json()
        assert (refused.status_code, got["token_type"], got["expires_in"]) == (401, "bearer", 3600)
        bearer = {"Authorization": f"Bearer {got['access_token']}"}
        assert (await account.get("/whoami", headers=bearer)).status_code == 200
        clock.advance(3601)
        assert (await account.get("/whoami", headers=bearer)).status_code == 401
    shown = repr(await itn.log())
    assert itn.client_secret not in shown
    assert got["access_token"] not in shown


async def test_services_come_under_result_with_their_schema(call: Client) -> None:
    rows = (await call.get(f"{GM}/services?cluster_id=cluster_1")).json()["result"]
    assert [row["service_metadata"]["name"] for row in rows] == [
        "my-tofu-service",
        "backup-configs",
    ]
    one = (await call.get(f"{GM}/services/{rows[0]['_id']}")).json()["result"]
    assert one["service_metadata"]["decorator"] == SCHEMA


async def test_empty_body_of_the_sample_runs_the_first_service(itn: ItentialPlane, call: Client) -> None:
    unsaid = await call.post(f"{GM}/services/run", json={})
    itn.services[0].decorator = {}
    reply = await call.post(f"{GM}/services/run", json={})
    assert "must have required property 'action'" in unsaid.json()["message"]
    assert reply.json()["message"] == "Running my-tofu-service on cluster_1"


async def test_strict_platform_wants_all_three_fields_and_no_other(itn: ItentialPlane, call: Client) -> None:
    itn.strict = True
    bodies = [RUN, {"serviceName": "backup-configs"}, {**RUN, "extra": 1}]
    replies = [await call.post(f"{GM}/services/run", json=body) for body in bodies]
    assert [reply.status_code for reply in replies] == [200, 500, 500]


@pytest.mark.parametrize(
    "change",
    [
        {"serviceName": "none"},
        {"serviceName": "far-away", "clusterId": "cluster_2"},
        {"params": {"action": "explode"}},
        {"params": {"action": 1}},
        {"params": "apply"},
    ],
)
async def test_bad_run_is_refused_and_starts_nothing(itn: ItentialPlane, call: Client, change: dict[str, Any]) -> None:
    assert (await call.post(f"{GM}/services/run", json={**RUN, **change})).status_code == 500
    assert itn.jobs == []


async def test_read_only_gateway_runs_nothing(itn: ItentialPlane, call: Client) -> None:
    (gateway, *_) = itn.gateways
    payload = {"payload": {"readonly": True}}
    changed = await call.put(f"{GM}/gateways/{gateway}", json=payload)
    assert changed.json()["result"]["value"]["readonly"] is True
    assert (await call.post(f"{GM}/services/run", json=RUN)).status_code == 500


async def test_asynchronous_run_is_followed_as_a_job(call: Client, clock: PlaneClock) -> None:
    job_id = await started(call)
    assert (await job(call, job_id))["status"] == "running"
    clock.advance(9)
    done = await job(call, job_id)
    assert done["status"] == "complete"
    assert done["variables"]["result"]["stdout"] == '{"changed": 1}\n'


@pytest.mark.parametrize(
    ("service", "verdict"),
    [("my-tofu-service", ("completed", 0)), ("backup-configs", ("error", 1))],
)
async def test_synchronous_run_replies_with_its_result(
    itn: ItentialPlane, call: Client, clock: PlaneClock, service: str, verdict: tuple[str, int]
) -> None:
    itn.shape = "synchronous"
    body = {**RUN, "serviceName": service}
    waiting = asyncio.create_task(call.post(f"{GM}/services/run", json=body))
    await until(lambda: itn.jobs)
    assert not waiting.done()
    clock.advance(9)
    reply = (await waiting).json()
    assert reply["jsonrpc"] == "2.0"
    assert (reply["status"], reply["result"]["return_code"]) == verdict


async def test_failed_job_is_retried_by_its_task(call: Client, clock: PlaneClock) -> None:
    job_id = await started(call, "backup-configs")
    clock.advance(9)
    failed = await job(call, job_id)
    assert failed["error"][0]["message"] == "no route to host"
    (task,) = failed["tasks"]
    assert (await call.post(f"{OM}/{job_id}/tasks/{task}/retry")).status_code == 200
    clock.advance(9)
    assert (await job(call, job_id))["status"] == "complete"


async def test_a_job_keeps_the_time_at_which_it_ended(call: Client, clock: PlaneClock) -> None:
    """Whenever it is read: a job whose end moved would look like one that was run again."""
    failed, canceled = await started(call, "backup-configs"), await started(call)
    clock.advance(3)
    await call.post(f"{OM}/cancel", json={"jobIds": [canceled]})
    clock.advance(600)
    for job_id, seconds in ((failed, 8), (canceled, 3)):
        metrics = (await job(call, job_id))["metrics"]
        assert metrics["end_time"] - metrics["start_time"] == seconds * 1_000


async def test_time_spent_paused_does_not_count(call: Client, clock: PlaneClock) -> None:
    job_id = await started(call)
    body = {"jobIds": [job_id]}
    await call.post(f"{OM}/pause", json=body)
    clock.advance(100)
    assert (await job(call, job_id))["status"] == "paused"
    assert (await call.post(f"{OM}/pause", json=body)).status_code == 400
    await call.post(f"{OM}/resume", json=body)
    clock.advance(7)
    assert (await job(call, job_id))["status"] == "running"
    clock.advance(2)
    assert (await job(call, job_id))["status"] == "complete"


async def test_canceled_job_stays_canceled(call: Client, clock: PlaneClock) -> None:
    job_id = await started(call)
    await call.post(f"{OM}/cancel", json={"jobIds": [job_id]})
    clock.advance(9)
    assert (await job(call, job_id))["status"] == "canceled"
    assert (await call.post(f"{OM}/cancel", json={"jobIds": ["none"]})).status_code == 404


async def test_jobs_are_paged_and_wrong_filters_ignored(call: Client, clock: PlaneClock) -> None:
    for _ in range(3):
        await started(call)
    clock.advance(9)
    await started(call)
    running = (await call.get(OM, params={"equals[status]": "running"})).json()
    ignored = (await call.get(OM, params={"equals[state]": "running"})).json()
    paged = (await call.get(OM, params={"limit": 2, "skip": 3})).json()
    assert [answer["metadata"]["total"] for answer in (running, ignored, paged)] == [1, 4, 4]
    assert len(paged["data"]) == 1


async def test_gateways_are_created_listed_and_deleted(call: Client) -> None:
    inner = {"cluster_id": "cluster_9", "enabled": False, "readonly": False, "groups": []}
    assert (await call.post(f"{GM}/gateways", json=inner)).status_code == 500
    made = (await call.post(f"{GM}/gateways", json={"gateway": inner})).json()
    again = await call.post(f"{GM}/gateways", json={"gateway": inner})
    (found,) = (await call.get(f"{GM}/gateways/{made['id']}")).json()["results"]
    assert (found["enabled"], again.status_code) == (False, 500)
    connections = (await call.get(f"{GM}/connections")).json()
    assert connections["cluster_9"] == "disconnected"
    await call.delete(f"{GM}/gateways/{made['id']}")
    assert len((await call.get(f"{GM}/gateways")).json()["results"]) == 2


async def test_connection_answers_a_ping_or_fails(call: Client) -> None:
    good = await call.get(f"{GM}/connections/cluster_1")
    bad = await call.get(f"{GM}/connections/cluster_2")
    assert (good.json()["status"], bad.status_code) == ("completed", 500)


async def test_service_groups_are_patched(call: Client) -> None:
    inner = {"name": "night", "cluster_id": "cluster_1"}
    made = (await call.post(f"{GM}/service-groups", json={"serviceGroup": inner})).json()
    path = f"{GM}/service-groups/{made['id']}"
    await call.patch(path, json={"patches": {"description": "at night"}})
    rows = (await call.get(f"{GM}/service-groups?cluster_id=cluster_1")).json()["results"]
    assert [row["description"] for row in rows] == ["at night"]
    await call.delete(path)
    assert (await call.get(path)).status_code == 500


async def test_certificates_are_added_replaced_and_deleted(call: Client) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    body = {"raw_certificate": pem, "contract_id": "c1", "alias": "edge"}
    (made,) = (await call.post(f"{GM}/certificates", json=body)).json()["results"]
    path = f"{GM}/certificates/{made['_id']}"
    (changed,) = (await call.put(path, json={**body, "alias": "core"})).json()["results"]
    assert changed["alias"] == "core"
    assert (await call.post(f"{GM}/certificates", json={"raw_certificate": "x"})).status_code == 500
    await call.delete(path)
    assert (await call.get(f"{GM}/certificates")).json()["results"] == []
