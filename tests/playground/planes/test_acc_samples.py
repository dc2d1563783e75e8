"""Every sample request that the ACC's own page prints is accepted, the odd ones too.

The ids are the page's, malformed ones included; the token is the plane's own.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import Script, SequentumPlane, Server

QUICK = "a2f22850-7c88-4e05-a30a-004aa980ee6c"
CUT = "a2f22850-7c88-4e05-a30a-004aa"
DAILY = "0041d691-49d1-4c48-8c21-654b8e248c11"
HOURLY = "0041d691-49d1-4c48-8c21-654b8e248c12"
MARKED = "324046fc-375e-444d-87b7-ea2354c10932"
RUN = "9040f86d-bbc1-4038-9868-501145cc2370"
FAILED_RUN = "e93d698f-2bca-c6b4-0ac9-39f5e9f71653"
JOB = "6ef84ec7-d5e6-4a98-bbfa-0b67355a648f"
SCHEDULES = {
    "d9c944df-93a7-ea77-f7b7-fa0b9c579917": "sequentum/Test2/quick",
    "3a8cc967-1158-e0ca-b1aa-d0f0eecd8d63": "hourly",
}
JSON = {"Content-Type": "application/json"}
PARAMETERS = '{"input1":"my input 1","input2":"my input 2"}'
START = {"logLevel": 1, "isProductionRun": True, "inputParameters": PARAMETERS}
SCHEDULE = {
    "scheduleId": "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95",
    "cron": "0 0 0 1",
    "sessionId": None,
    "startTime": "2019-07-16T11:21:20",
    "timeZoneId": "AUS Eastern Standard Time",
    "inputParameters": '{"par1":"2000","par2":"5000"}',
    "logLevel": 1,
    "isWindowless": True,
    "isEnabled": True,
}
SERVER = {
    "key": "server-key-not-a-secret",
    "ipAddress": "127.0.0.1",
    "port": 8004,
    "useSsl": False,
    "serverRefresh": True,
}
CSV = b"URL\r\nhttp://www.sequentum.com\r\nhttp://www.sequentum.com/help\r\nhttp://www.sequentum.com/account "
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
OPEN_FORM = (
    f"{BOUNDARY}\r\nContent-Disposition: form-data; "
    'name="filename"; filename="input2.csv.csv"\r\nContent-Type: text/csv\r\n'
).encode()
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

RUN_FIELDS = [
    "agentRunHistoryId",
    "agentId",
    "sessionId",
    "runId",
    "agentJobScheduleId",
    "serverIp",
    "startTime",
    "endTime",
    "expectedEndTime",
    "runTime",
    "status",
    "successActionCount",
    "dynamicSuccessActionCount",
    "volume",
    "pageLoadCount",
    "requestCount",
    "downloadCount",
    "errors",
    "dataCount",
    "deliveryCount",
    "statusMessage",
    "logPath",
    "inputParameters",
    "logLevel",
    "isWindowLess",
    "isProductionRun",
    "backupDataExpiry",
    "lastUpdated",
]
JOB_FIELDS = [
    "agentJobHistoryId",
    "agentId",
    "startTime",
    "endTime",
    "totalSuccessActionCount",
    "totalDynamicSuccessActionCount",
    "totalPageLoadCount",
    "totalRequestCount",
    "totalDownloadCount",
    "totalVolume",
    "totalErrors",
    "totalDataCount",
    "totalDeliveryCount",
    "completedScheduleCount",
    "totalScheduleCount",
    "completedRunCount",
    "totalRunCount",
    "runId",
    "status",
    "agentJobSetting",
]
SCHEDULE_FIELDS = [
    "scheduleId",
    "agentId",
    "cron",
    "cronDescription",
    "sessionId",
    "startTime",
    "timeZoneId",
    "nextRunTime",
    "inputParameters",
    "logLevel",
    "isWindowless",
    "errorMessage",
    "scheduleStatus",
    "lastRunTime",
    "completedTime",
    "isEnabled",
]

# (method, path as printed, headers, body)
SAMPLES: list[tuple[str, str, dict[str, str], bytes | dict[str, Any] | str | None]] = [
    ("GET", "/api/agent?agentPath=sequentum/Test2/quick", {}, None),
    ("POST", f"/api/agent/{CUT}/cluster/start", JSON, START),
    ("POST", "/api/agent/cluster/start?agentPath=sequentum/Test2/quick", JSON, START),
    ("POST", f"/api/run/{RUN}/restart", {}, None),
    (
        "POST",
        f"/api/run/{FAILED_RUN}/retry?RunMethod=ContinueAndRetryErrorsRefreshAgent",
        {},
        None,
    ),
    ("GET", f"/api/run/{RUN}", {}, None),
    ("GET", f"/api/agent/{QUICK}/history?count=1", {}, None),
    ("POST", f"/api/job/{QUICK}/start", JSON, START),
    ("GET", f"/api/job/run/{JOB}", {}, None),
    ("GET", f"/api/job/run/{QUICK}", {}, None),
    ("GET", f"/api/job/{QUICK}/history?count=2", {}, None),
    ("GET", f"/api/agent/{QUICK}/run/5/history?count=1", {}, None),
    ("GET", f"/api/job/{QUICK}/schedules", {}, None),
    ("POST", f"/api/job/{DAILY}/schedule", JSON, SCHEDULE),
    ("DELETE", "/api/job/schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917", {}, None),
    ("DELETE", f"/api/job/{HOURLY}/schedules", {}, None),
    ("POST", "/api/job/schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917/start", {}, None),
    ("POST", "/api/job/schedule/3a8cc967-1158-e0ca-b1aa-d0f0eecd8d63/off", {}, None),
    ("POST", f"/api/job/{HOURLY}/schedules/off", {}, None),
    ("POST", "/api/job/schedule/3a8cc967-1158-e0ca-b1aa-d0f0eecd8d63/on", {}, None),
    ("POST", f"/api/job/{HOURLY}/schedules/on", {}, None),
    ("POST", f"/api/job/{HOURLY}schedules/on", {}, None),
    ("POST", f"/api/job/{MARKED}/status", JSON, {"status": 5}),
    ("GET", f"/api/run/{RUN}/log", {}, None),
    ("GET", f"/api/job/run/{JOB}/logs", {}, None),
    ("GET", f"/api/job/run/{JOB}/backup", {}, None),
    ("GET", f"/api/run/{RUN}/backup", {}, None),
    ("POST", f"/api/input/agent/{QUICK}/csv?name=input.csv", JSON, CSV),
    ("POST", f"/api/input/agent/{QUICK}/files", FORM, OPEN_FORM),
    ("DELETE", f"/api/input/agent/{RUN}", {}, None),
    ("POST", f"/api/input/agent/{RUN}/disable", {}, None),
    ("POST", "/api/server/check", JSON, SERVER),
    ("POST", f"/api/agent/{QUICK}/toggleAgentApproval/True", JSON, "Seen in the File Logs"),
    ("POST", f"/api/agent/{QUICK}/toggleAgentApproval/False", JSON, "Seen in the File Logs"),
]


@pytest.fixture
async def plane(clock: PlaneClock) -> AsyncIterator[SequentumPlane]:
    made = SequentumPlane("acc", clock=clock, servers=[Server(str(SERVER["key"]), "127.0.0.1")])
    quick = "sequentum/Test2/quick"
    made.add_agent(quick, agent_id=QUICK, backup=True)
    for path, key in (("cut", CUT), ("daily", DAILY), ("hourly", HOURLY), ("marked", MARKED)):
        made.add_agent(path, agent_id=key)
    # Two samples pass a run's id where an agent's id belongs.
    made.add_agent("misnamed", agent_id=RUN)
    made.add_run(quick, run_id=RUN, script=Script(starting=0.5, running=8, delivery=0.4677836))
    made.add_run(quick, run_id=FAILED_RUN, script=Script(end="Failure", errors=2))
    made.add_job(quick, job_id=JOB)
    made.add_job(quick, job_id=QUICK)
    made.add_job("marked")
    for schedule_id, path in SCHEDULES.items():
        made.add_schedule(path, **{**SCHEDULE, "scheduleId": schedule_id})
    async with made:
        yield made


async def send(plane: SequentumPlane, sample: Any) -> httpx.Response:
    method, path, headers, body = sample
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {**headers, "Authorization": f"Bearer {plane.token}"}
    async with httpx.AsyncClient(base_url=plane.base_url, timeout=30.0) as client:
        return await client.request(method, path, headers=headers, content=content)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample[0]} {sample[1]}")
async def test_sample_is_accepted(plane: SequentumPlane, sample: Any) -> None:
    reply = await send(plane, sample)
    assert reply.status_code == 200, reply.text
    assert plane.surprises == []
    received = plane.requests[-1]
    assert f"{received.method} {received.raw_path}" == f"{sample[0]} {sample[1].partition('?')[0]}"


async def test_records_have_exactly_the_fields_of_the_samples(plane: SequentumPlane) -> None:
    run = (await send(plane, SAMPLES[5])).json()
    job = (await send(plane, SAMPLES[8])).json()
    (schedule,) = (await send(plane, SAMPLES[12])).json()
    assert sorted(run) == sorted(RUN_FIELDS)
    assert sorted(job) == sorted(JOB_FIELDS)
    assert sorted(schedule) == sorted(SCHEDULE_FIELDS)
    assert run["runTime"].startswith("00:00:08.96778")
    assert (run["runId"], run["agentJobScheduleId"]) == (0, None)


async def test_uploaded_sample_keeps_its_odd_name(plane: SequentumPlane) -> None:
    await send(plane, next(sample for sample in SAMPLES if sample[1].endswith("/files")))
    assert list(plane.inputs["sequentum/Test2/quick"]) == ["input2.csv.csv"]


async def test_there_are_thirty_one_operations(plane: SequentumPlane) -> None:
    """The start and the enabling of all schedules have two forms each."""
    assert len(plane.routes()) == 33
