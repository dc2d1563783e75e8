"""Logs, data and inputs of the simulated ACC."""

import io
import re
import zipfile
from typing import Any

import httpx

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import SequentumPlane

Client = httpx.AsyncClient


async def agent_id(call: Client, path: str) -> str:
    reply = await call.get("/api/agent", params={"agentPath": path})
    return str(reply.json()["agentId"])


async def start(call: Client, path: str, **body: Any) -> list[str]:
    reply = await call.post("/api/agent/cluster/start", params={"agentPath": path}, json=body)
    ids: list[str] = reply.json()["agentRunHistoryIds"]
    return ids


async def run(call: Client, run_id: str) -> dict[str, Any]:
    return dict((await call.get(f"/api/run/{run_id}")).json())


def unzipped(reply: httpx.Response) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_log_is_a_zip_that_grows_with_the_run_and_holds_a_secret_to_redact(
    call: Client, clock: PlaneClock
) -> None:
    (run_id,) = await start(call, "labs/broken", logLevel=3)
    clock.advance(6)
    ((name, early),) = unzipped(await call.get(f"/api/run/{run_id}/log")).items()
    clock.advance(20)
    late = unzipped(await call.get(f"/api/run/{run_id}/log"))[name]
    assert re.fullmatch(r"broken-2026_05_29-\d\d_\d\d_\d\d\.log", name)
    assert "password=hunter2-not-a-secret" in early
    assert late.startswith(early[:200])
    assert len(late) > len(early)
    assert late.rstrip().endswith("Run ended: Failure. Completed with errors")


async def test_run_without_logging_has_no_log(call: Client) -> None:
    (run_id,) = await start(call, "shop/prices", logLevel=0)
    assert (await call.get(f"/api/run/{run_id}/log")).status_code == 404


async def test_large_log_is_a_valid_zip_of_its_size(acc: SequentumPlane, call: Client) -> None:
    acc.agent("shop/prices").log_bytes = 3_000_000
    (run_id,) = await start(call, "shop/prices")
    ((_, text),) = unzipped(await call.get(f"/api/run/{run_id}/log")).items()
    assert len(text) == 3_000_000


async def test_data_is_kept_only_where_backups_are_configured(call: Client, clock: PlaneClock) -> None:
    (kept,) = await start(call, "shop/prices")
    (lost,) = await start(call, "shop/stock")
    clock.advance(20)
    assert list(unzipped(await call.get(f"/api/run/{kept}/backup"))) == ["data.csv"]
    assert (await call.get(f"/api/run/{lost}/backup")).status_code == 404
    assert (await run(call, kept))["backupDataExpiry"] is not None
    assert (await run(call, lost))["backupDataExpiry"] is None


async def test_job_logs_and_data_hold_every_run(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    acc.agent("shop/prices").job_runs = 2
    key = await agent_id(call, "shop/prices")
    job_id = (await call.post(f"/api/job/{key}/start", json={})).json()["agentJobHistoryId"]
    clock.advance(20)
    assert len(unzipped(await call.get(f"/api/job/run/{job_id}/logs"))) == 2
    assert list(unzipped(await call.get(f"/api/job/run/{job_id}/backup"))) == [
        "1/data.csv",
        "2/data.csv",
    ]


async def test_inputs_are_put_used_disabled_and_deleted(acc: SequentumPlane, call: Client, clock: PlaneClock) -> None:
    key = await agent_id(call, "shop/prices")
    for text in (b"URL\r\n1", b"URL\r\n2"):
        await call.post(f"/api/input/agent/{key}/csv?name=input.csv", content=text)
    assert acc.inputs["shop/prices"]["input.csv"].content == b"URL\r\n2"
    await start(call, "shop/prices", inputFiles=["input.csv"])
    await call.post(f"/api/input/agent/{key}/disable")
    path = "/api/agent/cluster/start?agentPath=shop/prices"
    refused = await call.post(path, json={"inputFiles": ["input.csv"]})
    assert refused.status_code == 400
    await call.delete(f"/api/input/agent/{key}")
    assert acc.inputs["shop/prices"] == {}


async def test_used_inputs_are_deleted_after_success_when_asked(
    acc: SequentumPlane, call: Client, clock: PlaneClock
) -> None:
    key = await agent_id(call, "shop/prices")
    await call.post(f"/api/input/agent/{key}/csv?name=a.csv", content=b"x")
    await start(call, "shop/prices", inputFiles=["a.csv"], isDeleteInputFilesOnCompleted=True)
    assert "a.csv" in acc.inputs["shop/prices"]
    clock.advance(20)
    assert acc.inputs["shop/prices"] == {}


async def test_upload_takes_any_field_name_and_opens_zips(acc: SequentumPlane, call: Client) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("b.txt", "two")
    files = [("data", ("a.csv", b"one")), ("whatever", ("pack.zip", packed.getvalue()))]
    key = await agent_id(call, "shop/prices")
    path = f"/api/input/agent/{key}/files"
    assert (await call.post(path, files=files)).status_code == 200
    stored = {name: entry.content for name, entry in acc.inputs["shop/prices"].items()}
    assert stored == {"a.csv": b"one", "b.txt": b"two"}
    wrong = await call.post(path, files=[("data", ("a.exe", b""))])
    assert wrong.status_code == 400
    assert (await call.post(path, json={})).status_code == 415
