"""A recording ACC written from the vendor's page, and what an adapter is given besides it."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.backends.sequentum import PLUGIN
from bot.backends.sequentum.adapter import SequentumBackend
from bot.build import secrets_in
from bot.core.command.target_ref import TargetRef
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.outcome import Done
from bot.core.ports.services import BackendParts
from bot.core.value import Json
from tests.backends.fakes import CountingIds, FolderSpool, Memory, OneCall
from tests.http_client.support import NOON, FakeClock, Server, serving

TOKEN = "fake-token-of-the-playground"
SERVER_KEY = "fake-server-key-0123456789abcdef"
AGENT = "a2f22850-7c88-4e05-a30a-004aa980ee6c"
RUN = "9040f86d-bbc1-4038-9868-501145cc2370"
JOB = "6ef84ec7-d5e6-4a98-bbfa-0b67355a648f"
SCHEDULE = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
PATH = "sequentum/Test2/quick"
HISTORY = ("GET", f"/api/agent/{AGENT}/history")
START = ("POST", f"/api/agent/{AGENT}/cluster/start")

AGENT_REPLY = {
    "agentId": AGENT,
    "name": "quick",
    "directoryId": "45e52cf1-b2a1-4f37-b670-4582c08a8df8",
    "description": None,
}
RUN_REPLY: dict[str, Any] = {
    "agentRunHistoryId": RUN,
    "agentId": AGENT,
    "sessionId": None,
    "runId": 0,
    "agentJobScheduleId": None,
    "serverIp": "127.0.0.1",
    "startTime": "2019-05-21T13:52:14.3020127+10:00",
    "endTime": "2019-05-21T13:52:23.6568249+10:00",
    "expectedEndTime": None,
    "runTime": "00:00:08.9677836",
    "status": 4,
    "successActionCount": 1,
    "dynamicSuccessActionCount": 1,
    "volume": 25,
    "pageLoadCount": 1,
    "requestCount": 33,
    "downloadCount": 0,
    "errors": 0,
    "dataCount": 1,
    "deliveryCount": 0,
    "statusMessage": "Completed",
    "logPath": "quick-2019_05_21-01_52_14.log",
    "inputParameters": None,
    "logLevel": 1,
    "isWindowLess": True,
    "isProductionRun": False,
    "backupDataExpiry": None,
    "lastUpdated": "2019-05-21T13:52:23.656843+10:00",
}
JOB_REPLY: dict[str, Any] = {
    "agentJobHistoryId": JOB,
    "agentId": AGENT,
    "startTime": "2019-05-19T15:55:47.4225218+10:00",
    "endTime": "2019-05-19T15:55:58.9723817+10:00",
    "totalSuccessActionCount": 1,
    "totalDynamicSuccessActionCount": 1,
    "totalPageLoadCount": 1,
    "totalRequestCount": 33,
    "totalDownloadCount": 0,
    "totalVolume": 25,
    "totalErrors": 0,
    "totalDataCount": 1,
    "totalDeliveryCount": 1,
    "completedScheduleCount": 1,
    "totalScheduleCount": 1,
    "completedRunCount": 1,
    "totalRunCount": 1,
    "runId": 3,
    "status": 3,
    "agentJobSetting": None,
}
OLDER_JOB_REPLY = {
    **JOB_REPLY,
    "agentJobHistoryId": "156aba0d-bb4f-4244-96ef-73d89aaa47ec",
    "startTime": "2019-05-16T17:30:17.6996551+10:00",
    "endTime": "2019-05-16T17:56:49.4434358+10:00",
    "totalRequestCount": 31,
    "totalDataCount": 0,
    "runId": 2,
}
SCHEDULE_REPLY: dict[str, Any] = {
    "scheduleId": SCHEDULE,
    "agentId": AGENT,
    "cron": "0 0 0 1",
    "cronDescription": "Runs every day at 3:36:00 PM (AET).",
    "sessionId": None,
    "startTime": "2019-05-30T15:36:00",
    "timeZoneId": "AUS Eastern Standard Time",
    "nextRunTime": "2019-05-30T15:36:00+10:00",
    "inputParameters": "{}",
    "logLevel": 2,
    "isWindowless": True,
    "errorMessage": None,
    "scheduleStatus": 2,
    "lastRunTime": "2019-05-21T15:26:42.967476+10:00",
    "completedTime": "2019-05-21T15:26:52.6831583+10:00",
    "isEnabled": True,
}
STARTED_REPLY = {"agentRunHistoryIds": ["a2f6782850-7c89-4e05-a30a-034aa980ee6c"]}
JOB_STARTED_REPLY = {"agentJobHistoryId": "a2f6782850-7c89-4e05-a30a-034aa980ee6c", "jobRunId": 2}
SERVER_REPLY = {
    "isError": False,
    "message": "Connection to server 127.0.0.1:8004 is successful.",
    "cpuUsages": "0%, a:2%, p:20%",
    "memoryUsages": "6%, a:13%, p: 23 % ",
    "discUsages": "C:47%",
    "cpuThreshold": 100,
    "memoryThreshold": 90,
}

Answer = Callable[[], web.StreamResponse]


def zipped(**members: bytes | str) -> bytes:
    """A zip with these members; double underscores in names stand for dots."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def said(value: object, status: int = 200) -> Answer:
    return lambda: web.json_response(value, status=status)


def file(content: bytes, content_type: str = "application/zip") -> Answer:
    return lambda: web.Response(body=content, content_type=content_type)


@dataclass
class RecordingAcc:
    """Answers with the samples of the vendor's page; `answers` replaces one, by method and path."""

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    server: Server | None = None

    def __post_init__(self) -> None:
        history = f"/api/agent/{AGENT}"
        usual: dict[tuple[str, str], Answer] = {
            ("GET", "/api/agent"): said(AGENT_REPLY),
            ("POST", f"{history}/cluster/start"): said(STARTED_REPLY),
            ("GET", f"/api/run/{RUN}"): said(RUN_REPLY),
            ("GET", f"{history}/history"): said([RUN_REPLY]),
            ("POST", f"/api/job/{AGENT}/start"): said(JOB_STARTED_REPLY),
            ("GET", f"/api/job/run/{JOB}"): said(JOB_REPLY),
            ("GET", f"/api/job/{AGENT}/history"): said([JOB_REPLY, OLDER_JOB_REPLY]),
            ("GET", f"{history}/run/3/history"): said([RUN_REPLY]),
            ("GET", f"/api/job/{AGENT}/schedules"): said([SCHEDULE_REPLY]),
            ("GET", f"/api/run/{RUN}/log"): file(zipped(quick__log="one\ntwo\npassword=hunter2-canary\n")),
            ("GET", f"/api/job/run/{JOB}/logs"): file(zipped(quick__log="one\n")),
            ("GET", f"/api/job/run/{JOB}/backup"): file(zipped(data__csv="a,b\n")),
            ("GET", f"/api/run/{RUN}/backup"): file(zipped(data__csv="a,b\n")),
            ("POST", "/api/server/check"): said(SERVER_REPLY),
        }
        self.answers = {**usual, **self.answers}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self.answers.get((request.method, request.rel_url.raw_path))
        if answer is not None:
            return answer()
        return web.Response(status=404) if request.method == "GET" else web.Response()

    @property
    def seen(self) -> list[Any]:
        assert self.server is not None
        return self.server.seen

    def changes(self) -> list[Any]:
        """What was asked beside reads."""
        return [seen for seen in self.seen if seen.method != "GET"]


@dataclass
class Joined:
    """A backend joined to an ACC, with words for what a person would type."""

    acc: Any
    backend: SequentumBackend
    call: OneCall
    target_cache: Memory
    clock: FakeClock

    async def target(self, text: str) -> Target:
        """`run/ID`, `PATH`, `PATH@last`; the prefix is cut off as the grammar does."""
        path, _, selector = text.partition("@")
        kinds = {kind.prefix: kind.name for kind in PLUGIN.spec.targets if kind.prefix}
        head, slash, rest = path.partition("/")
        kind = kinds.get(head) if slash else None
        ref = TargetRef(backend="acc", path=rest if kind else path, selector=selector or None)
        return await self.backend.resolve(ref, kind)

    async def operation(
        self, verb: str, at: str, /, *, reason: str | None = None, attached: tuple[str, ...] = (), **given: Json
    ) -> Operation:
        """An operation as the program makes it; `as_` and `for_` stand for words that Python keeps."""
        target = await self.target(at)
        row = next(row for row in PLUGIN.spec.capabilities if (row.verb, row.target) == (verb, target.kind))
        plain = {name.rstrip("_"): value for name, value in given.items()}
        assert all(row.param(name) for name in plain)
        return Operation.of(row, request_id="r-1", target=target, given=plain, reason=reason, files=attached)

    async def do(self, verb: str, at: str, /, **words: Any) -> Done:
        done = await self.backend.run(await self.operation(verb, at, **words), self.call)
        assert isinstance(done, Done)
        return done


def settings_of(base_url: str, **more: Any) -> Any:
    server = {"name": "crawl-1", "key": SERVER_KEY, "ip_address": "127.0.0.1", "port": 8004}
    return PLUGIN.settings.model_validate(
        {"name": "acc", "kind": "sequentum", "base_url": base_url, "token": TOKEN, "servers": [server], **more}
    )


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@asynccontextmanager
async def joined_to(base_url: str, acc: Any, clock: FakeClock | None = None, **more: Any) -> AsyncIterator[Joined]:
    """A backend of the plugin, joined to whatever answers there."""
    clock, ids = clock or FakeClock(), CountingIds()
    target_cache = Memory(clock)
    with folder() as path:
        settings = settings_of(base_url, **more)
        backend = PLUGIN.build(
            settings, BackendParts("acc", clock, ids, target_cache, SecretList(secrets_in(settings)))
        )
        assert isinstance(backend, SequentumBackend)
        try:
            yield Joined(acc, backend, OneCall(clock, ids, FolderSpool(path)), target_cache, clock)
        finally:
            await backend.close()


@asynccontextmanager
async def joined(acc: RecordingAcc | None = None, **more: Any) -> AsyncIterator[Joined]:
    """A backend joined to a recording ACC."""
    acc = acc or RecordingAcc()
    async with serving(acc.handle) as server:
        acc.server = server
        async with joined_to(server.base_url, acc, **more) as made:
            yield made


def body(seen: Any) -> Any:
    return json.loads(seen.body)


def run_at(seconds: float, run: str = "new", **more: Any) -> dict[str, Any]:
    """A running run that began so many seconds after noon."""
    began = (NOON + timedelta(seconds=seconds)).isoformat()
    fresh = {"agentRunHistoryId": run, "startTime": began, "endTime": None, "status": 2, "isProductionRun": True}
    return {**RUN_REPLY, **fresh, **more}


def dated(value: object, ahead: float = 0.0) -> Any:
    """An answer whose Date header is so many seconds ahead of our clock."""
    stamp = (NOON + timedelta(seconds=ahead)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return lambda: web.json_response(value, headers={"Date": stamp})
