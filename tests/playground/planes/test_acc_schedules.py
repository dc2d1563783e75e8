"""Schedules of the simulated ACC: upsert, switches, due times, and what they start."""

from typing import Any

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import Script, SequentumPlane

Client = httpx.AsyncClient
BODY = {
    "scheduleId": "11111111-aaaa",
    "cron": "0 0 1 0",
    "startTime": "2026-05-28T00:00:00",
    "timeZoneId": "UTC",
    "isEnabled": True,
}


@pytest.fixture
def key(acc: SequentumPlane) -> str:
    return acc.agent("shop/prices").agent_id


async def put(call: Client, key: str, **change: Any) -> httpx.Response:
    return await call.post(f"/api/job/{key}/schedule", json={**BODY, **change})


async def listed(call: Client, key: str) -> list[dict[str, Any]]:
    return list((await call.get(f"/api/job/{key}/schedules")).json())


async def test_second_write_of_an_id_changes_the_schedule(call: Client, key: str) -> None:
    await put(call, key)
    await put(call, key, cron="0 0 0 1", logLevel=3)
    (record,) = await listed(call, key)
    assert (record["cron"], record["logLevel"]) == ("0 0 0 1", 3)


async def test_unsaid_flags_are_false(call: Client, key: str) -> None:
    await call.post(f"/api/job/{key}/schedule", json={k: v for k, v in BODY.items() if k != "isEnabled"})
    (record,) = await listed(call, key)
    assert (record["isEnabled"], record["isWindowless"]) == (False, False)
    assert record["nextRunTime"] is None
    assert "isWindowLess" not in record


@pytest.mark.parametrize(
    "change",
    [
        {"startTime": "2026-05-28T00:00:00Z"},
        {"startTime": "2026-05-28 00:00"},
        {"timeZoneId": "Europe/Berlin"},
        {"cron": "* *"},
        {"cron": "0 0 0 0"},
        {"cron": "0 0 25 * * ?"},
        {"scheduleId": ""},
        {"inputParameters": {"a": 1}},
    ],
)
async def test_bad_schedule_is_refused_and_not_kept(call: Client, key: str, change: dict[str, Any]) -> None:
    assert (await put(call, key, **change)).status_code == 400
    assert await listed(call, key) == []


async def test_schedule_of_another_agent_is_not_taken_over(acc: SequentumPlane, call: Client, key: str) -> None:
    await put(call, key)
    assert (await put(call, acc.agent("shop/stock").agent_id)).status_code == 400


async def test_due_schedule_starts_a_job_run_with_its_id(
    acc: SequentumPlane, call: Client, key: str, clock: PlaneClock
) -> None:
    await put(call, key)
    clock.advance(3_610)
    (run,) = (await call.get(f"/api/agent/{key}/history")).json()
    assert (run["runId"], run["agentJobScheduleId"]) == (1, BODY["scheduleId"])
    clock.advance(20)
    (record,) = await listed(call, key)
    assert record["scheduleStatus"] == 2
    assert record["lastRunTime"] is not None
    assert len(acc.jobs) == 1


async def test_disabled_schedule_starts_nothing(acc: SequentumPlane, call: Client, key: str, clock: PlaneClock) -> None:
    await put(call, key)
    await call.post(f"/api/job/schedule/{BODY['scheduleId']}/off")
    clock.advance(7_300)
    assert acc.runs == []
    await call.post(f"/api/job/schedule/{BODY['scheduleId']}/on")
    clock.advance(3_700)
    assert len(acc.runs) == 1


async def test_failing_run_fails_the_schedule_which_goes_on(
    acc: SequentumPlane, call: Client, key: str, clock: PlaneClock
) -> None:
    acc.set_script("shop/prices", Script(end="Failed"))
    await put(call, key)
    await call.post(f"/api/job/schedule/{BODY['scheduleId']}/start")
    clock.advance(20)
    (record,) = await listed(call, key)
    assert (record["scheduleStatus"], record["isEnabled"]) == (3, True)
    assert record["nextRunTime"] is not None


async def test_schedule_start_is_refused_while_its_job_runs(call: Client, key: str) -> None:
    await put(call, key)
    path = f"/api/job/schedule/{BODY['scheduleId']}/start"
    assert [(await call.post(path)).status_code for _ in range(2)] == [200, 409]


async def test_all_schedules_are_switched_and_deleted_together(acc: SequentumPlane, call: Client, key: str) -> None:
    for number in range(3):
        await put(call, key, scheduleId=f"s{number}")
    for path, enabled in (
        (f"/api/job/{key}/schedules/off", False),
        (f"/api/job/{key}schedules/on", True),
        (f"/api/job/{key}/schedules/off", False),
        (f"/api/job/{key}/schedules/on", True),
    ):
        assert (await call.post(path)).status_code == 200
        assert [record["isEnabled"] for record in await listed(call, key)] == [enabled] * 3
    await call.delete(f"/api/job/{key}/schedules")
    assert acc.schedules == {}
