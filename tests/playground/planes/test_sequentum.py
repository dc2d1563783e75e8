"""The simulated ACC answers as seed 003 says, and keeps the state that follows."""

import asyncio
import base64
import io
import json
import re
import zipfile
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import Rules, RunStatus, Script, SequentumPlane
from tests.waiting import until

Client = httpx.AsyncClient


async def agent_id(call: Client, path: str) -> str:
    reply = await call.get("/api/agent", params={"agentPath": path})
    assert reply.status_code == 200
    return str(reply.json()["agentId"])


async def start(call: Client, path: str, **body: Any) -> list[str]:
    reply = await call.post("/api/agent/cluster/start", params={"agentPath": path}, json=body)
    assert reply.status_code == 200, reply.text
    ids: list[str] = reply.json()["agentRunHistoryIds"]
    return ids


async def run(call: Client, run_id: str) -> dict[str, Any]:
    reply = await call.get(f"/api/run/{run_id}")
    return dict(reply.json())


def unzipped(reply: httpx.Response) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_agent_is_found_by_path_with_plain_and_escaped_slashes(call: Client) -> None:
    for query in ("agentPath=shop/prices", "agentPath=shop%2Fprices"):
        reply = await call.get(f"/api/agent?{query}")
        assert set(reply.json()) == {"agentId", "name", "directoryId", "description"}
        assert reply.json()["name"] == "prices"
    assert (await call.get("/api/agent?agentPath=shop/none")).status_code == 404


async def test_token_looks_like_a_jwt_and_ends(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    body = acc.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["exp"] == int(clock.now()) + 365 * 86_400
    short = acc.issue_token(lifetime=60)
    headers = {"Authorization": f"Bearer {short}"}
    good = await call.get("/api/agent?agentPath=shop/prices", headers=headers)
    clock.advance(61)
    late = await call.get("/api/agent?agentPath=shop/prices", headers=headers)
    assert (good.status_code, late.status_code, late.content) == (200, 401, b"")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "Basic abc"])
async def test_no_operation_answers_without_the_token(acc: SequentumPlane, call: Client, value: str) -> None:
    reply = await call.post("/api/agent/x/cluster/start", headers={"Authorization": value})
    assert (reply.status_code, reply.content) == (401, b"")
    assert acc.effects == []


async def test_run_goes_from_starting_to_succeeded_by_the_clock(call: Client, clock: PlaneClock) -> None:
    (run_id,) = await start(call, "shop/prices")
    seen = [await run(call, run_id)]
    for seconds in (2, 4, 4.5, 2):
        clock.advance(seconds)
        seen.append(await run(call, run_id))
    assert [record["status"] for record in seen] == [1, 2, 2, 3, 4]
    rows = [record["dataCount"] for record in seen]
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (0, 120)
    assert seen[-1]["deliveryCount"] == 120
    assert seen[-1]["runTime"] == "00:00:12.0000000"
    assert seen[0]["endTime"] is None
    assert re.fullmatch(r"2026-05-29T\d\d:\d\d:\d\d\.\d{7}\+10:00", seen[-1]["startTime"])


@pytest.mark.parametrize(("end", "status"), [("Failed", 5), ("Stopped", 6), ("Failure", 7)])
async def test_run_ends_as_its_script_says(
    acc: SequentumPlane, call: Client, clock: PlaneClock, end: Any, status: int
) -> None:
    acc.set_script("shop/prices", Script(end=end, message="As scripted"))
    (run_id,) = await start(call, "shop/prices")
    clock.advance(10.5)
    record = await run(call, run_id)
    assert (record["status"], record["statusMessage"]) == (status, "As scripted")
    assert record["deliveryCount"] == 0


async def test_run_over_a_day_prints_days(call: Client, clock: PlaneClock) -> None:
    (run_id,) = await start(call, "labs/slow")
    clock.advance(93_784)
    assert (await run(call, run_id))["runTime"] == "1.02:03:04.0000000"


async def test_run_can_be_finished_by_hand(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    (run_id,) = await start(call, "labs/slow")
    clock.advance(50)
    acc.finish_run(run_id, "Stopped")
    clock.advance(50)
    record = await run(call, run_id)
    assert (record["status"], record["runTime"]) == (6, "00:00:50.0000000")


async def test_non_production_run_delivers_nothing(call: Client, clock: PlaneClock) -> None:
    (run_id,) = await start(call, "shop/prices", isProductionRun=False)
    clock.advance(20)
    record = await run(call, run_id)
    assert (record["status"], record["deliveryCount"], record["isProductionRun"]) == (4, 0, False)


async def test_several_sessions_give_several_runs_and_want_an_empty_session(call: Client) -> None:
    ids = await start(call, "shop/stock", useMultipleSessions=True, sessionId="")
    assert len(set(ids)) == 3
    path = "/api/agent/cluster/start?agentPath="
    both = {"useMultipleSessions": True, "sessionId": "one"}
    assert (await call.post(f"{path}shop/stock", json=both)).status_code == 400
    alone = {"useMultipleSessions": True}
    assert (await call.post(f"{path}shop/prices", json=alone)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"inputParameters": {"a": "b"}},
        {"inputParameters": "no json"},
        {"inputParameters": "[1]"},
        {"logLevel": 4},
        {"logLevel": "1"},
        {"isProductionRun": "yes"},
        {"inputFiles": ["never-uploaded.csv"]},
        {"synchronousDataDelivery": "Tar"},
        {"sessionId": "unsupported"},
        [],
    ],
)
async def test_start_with_a_bad_body_is_refused_and_starts_nothing(
    acc: SequentumPlane, call: Client, body: Any
) -> None:
    reply = await call.post("/api/agent/cluster/start?agentPath=shop/prices", json=body)
    assert (reply.status_code, list(reply.json())) == (400, ["message"])
    assert acc.runs == []


async def test_json_without_its_content_type_is_refused(call: Client) -> None:
    path = "/api/agent/cluster/start?agentPath=shop/prices"
    reply = await call.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415


async def test_synchronous_start_returns_when_the_run_has_ended(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    waiting = asyncio.create_task(start(call, "shop/prices", isSynchronous=True))
    await until(lambda: acc.runs)
    assert not waiting.done()
    clock.advance(13)
    (run_id,) = await waiting
    assert acc.state(run_id) is RunStatus.SUCCEEDED


async def test_synchronous_start_stops_the_agent_at_its_timeout(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    body = {"isSynchronous": True, "synchronousTimeout": 5}
    waiting = asyncio.create_task(start(call, "shop/prices", **body))
    await until(lambda: acc.runs)
    clock.advance(6)
    (run_id,) = await waiting
    assert acc.state(run_id) is RunStatus.STOPPED
    assert (await run(call, run_id))["runTime"] == "00:00:05.0000000"


@pytest.mark.parametrize("delivery", ["Plain", "Zip"])
async def test_synchronous_start_delivers_data(
    acc: SequentumPlane, call: Client, clock: PlaneClock, delivery: str
) -> None:
    body = {"isSynchronous": True, "synchronousDataDelivery": delivery}
    path = "/api/agent/cluster/start?agentPath=shop/stock"
    waiting = asyncio.create_task(call.post(path, json=body))
    await until(lambda: acc.runs)
    clock.advance(13)
    reply = await waiting
    if delivery == "Plain":
        assert reply.text.startswith("url,title,price\r\n")
    else:
        assert list(unzipped(reply)) == ["stock.csv", "shelves.csv"]


async def test_history_is_newest_first_and_counts(call: Client, clock: PlaneClock) -> None:
    ids = []
    for _ in range(3):
        ids += await start(call, "shop/prices")
        clock.advance(1)
    key = await agent_id(call, "shop/prices")
    records = (await call.get(f"/api/agent/{key}/history")).json()
    assert [record["agentRunHistoryId"] for record in records] == ids[::-1]
    assert len((await call.get(f"/api/agent/{key}/history?count=2")).json()) == 2
    assert (await call.get(f"/api/agent/{key}/history?count=two")).status_code == 400


async def test_retry_begins_a_new_run_by_the_method_and_knows_only_six(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    (run_id,) = await start(call, "labs/broken")
    early = await call.post(f"/api/run/{run_id}/retry")
    clock.advance(20)
    wrong = await call.post(f"/api/run/{run_id}/retry?RunMethod=continue")
    named = await call.post(f"/api/run/{run_id}/retry?RunMethod=ContinueAndRetryErrors")
    clock.advance(20)
    plain = await call.post(f"/api/run/{run_id}/retry")
    assert [reply.status_code for reply in (early, wrong, named, plain)] == [400, 400, 200, 200]
    assert [effect.action for effect in acc.effects] == [
        "start",
        "ContinueAndRetryErrors",
        "ContinueAndRetryErrorsRefreshAgent",
    ]
    assert [acc.state(entry.run_id) for entry in acc.runs[:2]] == [
        RunStatus.FAILURE,
        RunStatus.SUCCEEDED,
    ]


async def test_restart_stops_an_active_run_and_begins_anew(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    (run_id,) = await start(call, "labs/slow")
    clock.advance(5)
    assert (await call.post(f"/api/run/{run_id}/restart")).status_code == 200
    assert [acc.state(entry.run_id) for entry in acc.runs] == [
        RunStatus.STOPPED,
        RunStatus.STARTING,
    ]


async def test_second_job_is_refused_while_one_is_active(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    key = await agent_id(call, "shop/prices")
    first = await call.post(f"/api/job/{key}/start", json={})
    second = await call.post(f"/api/job/{key}/start", json={})
    clock.advance(20)
    third = await call.post(f"/api/job/{key}/start", json={})
    assert [first.status_code, second.status_code, third.status_code] == [200, 409, 200]
    assert [first.json()["jobRunId"], third.json()["jobRunId"]] == [1, 2]
    assert len(acc.jobs) == 2


async def test_job_run_adds_up_its_runs_which_are_found_by_its_number(call: Client, clock: PlaneClock) -> None:
    key = await agent_id(call, "labs/broken")
    job_id = (await call.post(f"/api/job/{key}/start", json={})).json()["agentJobHistoryId"]
    assert (await call.get(f"/api/job/run/{job_id}")).json()["status"] == 1
    clock.advance(20)
    record = (await call.get(f"/api/job/run/{job_id}")).json()
    assert (record["status"], record["totalErrors"], record["runId"]) == (4, 3, 1)
    runs = (await call.get(f"/api/agent/{key}/run/1/history")).json()
    assert [entry["runId"] for entry in runs] == [1]
    assert (await call.get(f"/api/agent/{key}/run/{job_id}/history")).status_code == 400
    assert (await call.get(f"/api/job/{key}/history?count=1")).json() == [record]


async def test_status_of_the_newest_job_run_is_set_by_hand(call: Client, clock: PlaneClock) -> None:
    key = await agent_id(call, "shop/prices")
    nothing = await call.post(f"/api/job/{key}/status", json={"status": 5})
    job_id = (await call.post(f"/api/job/{key}/start", json={})).json()["agentJobHistoryId"]
    bad = await call.post(f"/api/job/{key}/status", json={"status": 6})
    good = await call.post(f"/api/job/{key}/status", json={"status": 5})
    assert [nothing.status_code, bad.status_code, good.status_code] == [404, 400, 200]
    assert (await call.get(f"/api/job/run/{job_id}")).json()["status"] == 5


async def test_toggle_is_inverted_case_sensitive_and_keeps_the_message(acc: SequentumPlane, call: Client) -> None:
    key = await agent_id(call, "shop/prices")
    path = f"/api/agent/{key}/toggleAgentApproval"
    assert (await call.post(f"{path}/True", json="Layout changed")).status_code == 200
    assert acc.agent("shop/prices").approved is False
    assert (await call.post(f"{path}/False", json="Checked")).status_code == 200
    assert acc.agent("shop/prices").approved is True
    assert (await call.post(f"{path}/true", json="x")).status_code == 404
    assert (await call.post(f"{path}/True", content=b"no json string")).status_code == 415
    assert (await call.post(f"{path}/True", json="")).status_code == 400
    assert [(entry.approved, entry.message) for entry in acc.approvals] == [
        (False, "Layout changed"),
        (True, "Checked"),
    ]


async def test_server_check_wants_the_key(call: Client) -> None:
    body = {"key": "server-key-not-a-secret", "ipAddress": "127.0.0.1", "port": 8004}
    good = (await call.post("/api/server/check", json=body)).json()
    assert good["isError"] is False
    assert good["memoryUsages"] == "6%, a:13%, p: 23 % "
    for change in ({"key": "wrong"}, {"port": 8005}, {"useSsl": True}):
        bad = (await call.post("/api/server/check", json={**body, **change})).json()
        assert bad["isError"] is True
    assert (await call.post("/api/server/check", json={"key": "x"})).status_code == 400


@pytest.mark.parametrize(
    ("style", "status", "text"),
    [("empty", 200, ""), ("204", 204, ""), ("text", 200, "The input files have been deleted.")],
)
async def test_writes_answer_in_the_chosen_style(
    acc: SequentumPlane, call: Client, style: Any, status: int, text: str
) -> None:
    acc.write_reply = style
    key = await agent_id(call, "shop/prices")
    reply = await call.delete(f"/api/input/agent/{key}")
    assert (reply.status_code, reply.text) == (status, text)


async def test_paths_are_case_sensitive_and_methods_are_kept(call: Client) -> None:
    assert (await call.get("/API/agent?agentPath=shop/prices")).status_code == 404
    assert (await call.get("//api/agent?agentPath=shop/prices")).status_code == 404
    assert (await call.get("/api/server/check")).status_code == 405


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/run/none"),
        ("POST", "/api/run/none/restart"),
        ("GET", "/api/job/run/none"),
        ("GET", "/api/agent/none/history"),
        ("POST", "/api/job/schedule/none/on"),
        ("DELETE", "/api/job/schedule/none"),
    ],
)
async def test_unknown_ids_are_not_found(call: Client, method: str, path: str) -> None:
    assert (await call.request(method, path)).status_code == 404


async def test_unknown_body_fields_are_reported_to_tests(acc: SequentumPlane, call: Client) -> None:
    await start(call, "shop/prices", LogLevel=2)
    assert len(acc.surprises) == 1


async def test_retry_may_begin_the_same_run_anew(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    acc.world.rules = Rules(retry_makes_new_run=False)
    (run_id,) = await start(call, "labs/broken")
    clock.advance(20)
    await call.post(f"/api/run/{run_id}/retry")
    assert (await run(call, run_id))["status"] == 1
    clock.advance(20)
    assert (await run(call, run_id))["status"] == 4
    assert len(acc.runs) == 1


async def test_the_date_of_an_answer_is_the_planes_own_time(call: Client, clock: PlaneClock) -> None:
    clock.advance(86_400)
    before = int(clock.now())
    reply = await call.get("/api/agent?agentPath=shop/prices")
    assert before <= parsedate_to_datetime(reply.headers["Date"]).timestamp() <= clock.now()
    assert len(reply.headers.get_list("Date")) == 1
