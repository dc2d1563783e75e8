"""Every row on the wire: method, raw path, query, headers, body, and nothing besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backends.informatica import PLUGIN
from bot.core.command.capability import Risk
from bot.core.errors import Problem
from bot.core.outcome import Phase
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined
from tests.http_client.support import Server, serving

SESSION = "fake-session-0123456789"
FEDERATED, V2 = "kiphQJoRWWJfaC3enJ1smP", "0000P108000000000001"
TASK_FED, TASK_V2 = "fedTask000000000000001", "0000P10Z000000000001"
NAME = "Data Integration Server"
# The samples of the vendor's page (SEED), word for word.
SEED_REQUEST = {"serviceName": NAME, "serviceAction": "start", "agentId": FEDERATED}
SEED_REPLY = {
    "serviceState": "STARTING",
    "message": "Successfully initiated start action. Note that only the latest version of the service will be started. "
    "Send a GET request to /v2/agent/details API to check the updated status of the service.",
}
ENGINE = {
    "@type": "AgentEngine",
    "agentEngineStatus": {
        "@type": "AgentEngineStatus",
        "appname": "DataIntegrationServer",
        "appDisplayName": NAME,
        "appversion": "70.0.1.3",
        "status": "RUNNING",
        "desiredStatus": "RUNNING",
        "subState": "0",
        "createTime": "2026-05-28T20:26:40.000Z",
        "updateTime": "2026-05-28T20:26:40.000Z",
    },
}
AGENT = {"@type": "agent", "id": V2, "name": "eu-1", "active": True, "federatedId": FEDERATED}
ENTRY = {"id": "log1", "type": "MTT", "objectId": TASK_V2, "objectName": "load", "runId": 7, "state": 1}
SCHEDULE = {"id": "s1", "name": "nightly", "status": "enabled", "interval": "Daily", "frequency": 1}


class Recording:
    """A vendor with one agent, one task and one schedule, that keeps what was asked."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.answers: dict[str, Any] = {
            "GET /saas/api/v2/agent": [AGENT],
            "GET /saas/api/v2/agent/name/eu-1": AGENT,
            f"GET /saas/api/v2/agent/details/{V2}": {**AGENT, "agentEngines": [ENGINE]},
            "GET /saas/api/v2/agent/details": [{**AGENT, "agentEngines": [ENGINE]}],
            "POST /saas/public/core/v3/agent/service": SEED_REPLY,
            "POST /saas/api/v2/job": {"@type": "job", "taskId": TASK_V2, "runId": 7},
            "POST /saas/api/v2/job/stop": {"@type": "success"},
            "GET /saas/api/v2/activity/activityMonitor": [],
            "GET /saas/api/v2/activity/activityLog": [ENTRY],
            "GET /saas/public/core/v3/schedule": {"schedules": [SCHEDULE]},
            "PATCH /saas/public/core/v3/schedule/s1": SCHEDULE,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key = f"{request.method} {request.rel_url.raw_path}"
        if key.endswith("/login"):
            assert self.server is not None
            base = f"{self.server.base_url}/saas"
            products = [
                {"name": "Other", "baseApiUrl": "https://no.example"},
                {"name": "Integration Cloud", "baseApiUrl": base},
            ]
            return web.json_response({"products": products, "userInfo": {"sessionId": SESSION, "orgName": "Acme"}})
        if key.endswith("/logout"):
            return web.Response()
        if key.endswith("/sessionLog"):
            return web.Response(body=b"one\ntwo\n", content_type="text/plain")
        if key.endswith("/lookup"):
            return self._lookup(json.loads(await request.read()))
        if key in self.answers:
            return web.json_response(self.answers[key])
        return web.json_response(
            {"@type": "error", "code": "UI_1", "description": "No.", "statusCode": 404}, status=404
        )

    def _lookup(self, body: Any) -> web.StreamResponse:
        (wanted,) = body["objects"]
        known = {("eu-1", "Agent"): FEDERATED, ("load", "MTT"): TASK_FED}
        found = known.get((wanted.get("path"), wanted.get("type")))
        objects = [{"id": found, **wanted}] if found else []
        return web.json_response({"objects": objects})

    def asked(self) -> list[tuple[str, str, Any]]:
        """Method, raw path with query, and body, of everything but the login and logout."""
        assert self.server is not None
        return [
            (seen.method, seen.raw_path, json.loads(seen.body) if seen.body else None)
            for seen in self.server.seen
            if not seen.path.endswith(("/login", "/logout"))
        ]


def lookup(path: str, kind: str) -> tuple[str, str, Any]:
    return ("POST", "/saas/public/core/v3/lookup", {"objects": [{"path": path, "type": kind}]})


def get(path: str) -> tuple[str, str, Any]:
    return ("GET", f"/saas{path}", None)


BY_NAME = get("/api/v2/agent/name/eu-1")
DETAILS = get(f"/api/v2/agent/details/{V2}")
MONITOR = get("/api/v2/activity/activityMonitor?details=false")
SCHEDULES = get("/public/core/v3/schedule")
RESOLVED = [lookup("eu-1", "Agent"), BY_NAME, DETAILS]
TASK = [lookup("load", "MTT")]
SERVICE = f'infa:eu-1/"{NAME}"'


def service(action: str) -> tuple[str, str, Any]:
    return ("POST", "/saas/public/core/v3/agent/service", {**SEED_REQUEST, "serviceAction": action})


def log(rows: int) -> tuple[str, str, Any]:
    return get(f"/api/v2/activity/activityLog?rowLimit={rows}")


JOB = {"@type": "job", "taskFederatedId": TASK_FED, "taskType": "MTT"}
ROWS: list[tuple[str, list[tuple[str, str, Any]]]] = [
    (f"status {SERVICE}", [*RESOLVED, DETAILS]),
    ("status infa:agent/eu-1", [lookup("eu-1", "Agent"), BY_NAME, DETAILS]),
    ("history infa:agent/eu-1", [lookup("eu-1", "Agent"), BY_NAME, log(1000)]),
    (f"start {SERVICE}", [*RESOLVED, service("start")]),
    (f"stop {SERVICE}", [*RESOLVED, service("stop")]),
    ("status infa:task/load", [*TASK, MONITOR, log(200)]),
    ("history infa:task/load count=3", [*TASK, log(200)]),
    ("start infa:task/load", [*TASK, ("POST", "/saas/api/v2/job", JOB)]),
    ("stop infa:task/load", [*TASK, MONITOR, ("POST", "/saas/api/v2/job/stop", JOB)]),
    ("stop infa:task/load clean=true", [*TASK, MONITOR, ("POST", "/saas/api/v2/job/stop?cleanStop=true", JOB)]),
    ("logs infa:task/load run=7", [*TASK, log(200), get("/api/v2/activity/activityLog/log1/sessionLog")]),
    ("schedules infa:", [SCHEDULES]),
    ("status infa:schedule/nightly", [SCHEDULES, SCHEDULES]),
    (
        "schedule on infa:schedule/nightly",
        [SCHEDULES, ("PATCH", "/saas/public/core/v3/schedule/s1", {"status": "enabled"})],
    ),
    (
        "schedule off infa:schedule/nightly",
        [SCHEDULES, ("PATCH", "/saas/public/core/v3/schedule/s1", {"status": "disabled"})],
    ),
]


async def exercised(command: str, tmp_path: Path, recording: Recording) -> tuple[Any, Joined]:
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"login_url": server.base_url, "username": "ops@example.com", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", TwinClock(), tmp_path, **table) as infa:
            return await infa.do(command), infa


@pytest.mark.parametrize(("command", "wanted"), ROWS, ids=[command for command, _ in ROWS])
async def test_each_row_asks_exactly_this(command: str, wanted: list[Any], tmp_path: Path) -> None:
    """A command is these calls in this order."""
    recording = Recording()
    await exercised(command, tmp_path, recording)
    assert recording.asked() == wanted


def test_every_row_is_exercised() -> None:
    """No verb on no kind of target is left out above (restart has its own test)."""
    kinds = {"agent": "agent", "task": "task", "schedule": "schedule", "": "org"}
    done = set()
    for command, _ in ROWS:
        head, _, path = command.partition(" infa:")
        first = path.partition("/")[0]
        done.add((head, kinds.get(first, "service")))
    rows = {(row.verb, row.target) for row in PLUGIN.rows.capabilities}
    assert rows - done == {("restart", "service")}


async def test_restart_is_stop_and_start_on_the_wire(tmp_path: Path) -> None:
    """The two calls, and readings of the details between and after them."""
    recording = Recording()
    details = f"GET /saas/api/v2/agent/details/{V2}"
    real = recording.handle

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/agent/service"):
            action = json.loads(await request.read())["serviceAction"]
            recording.answers[details] = {**AGENT, "agentEngines": [ENGINE] if action == "start" else []}
        return await real(request)

    recording.handle = handle  # type: ignore[method-assign]
    done, _ = await exercised(f"restart {SERVICE}", tmp_path, recording)
    assert recording.asked() == [*RESOLVED, service("stop"), DETAILS, service("start"), DETAILS]
    assert done.summary.startswith(f"eu-1/{NAME} was restarted")


async def test_the_samples_of_the_page(tmp_path: Path) -> None:
    """The page's request is what is sent, with its headers, and the page's reply is understood."""
    recording = Recording()
    done, _ = await exercised(f"start {SERVICE}", tmp_path, recording)
    assert recording.server is not None
    (seen,) = [one for one in recording.server.seen if one.path.endswith("/agent/service")]
    assert json.loads(seen.body) == SEED_REQUEST
    wanted = {"content-type": "application/json", "accept": "application/json", "infa-session-id": SESSION}
    assert {name: seen.headers[name] for name in wanted} == wanted
    assert (done.view.state, done.view.phase) == ("starting up (STARTING)", Phase.ACTIVE)
    assert done.view.facts[0].value == SEED_REPLY["message"]


async def test_the_login_carries_name_and_password_and_no_session(tmp_path: Path) -> None:
    """DOC Login_2: body of two fields; the base comes from the product of that name."""
    recording = Recording()
    await exercised("schedules infa:", tmp_path, recording)
    assert recording.server is not None
    first = recording.server.seen[0]
    assert (first.method, first.raw_path) == ("POST", "/saas/public/core/v3/login")
    assert json.loads(first.body) == {"username": "ops@example.com", "password": "p-not-a-secret"}
    assert not {"infa-session-id", "icsessionid"} & set(first.headers)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"@type": "error", "code": "UI_10000", "description": "Not so.", "statusCode": 400}, "Not so. (UI_10000)"),
        (
            {"error": {"code": "V3API_007", "message": "Bad field.", "requestId": "x", "details": None}},
            "Bad field. (V3API_007)",
        ),
    ],
)
async def test_both_error_shapes_on_any_status(status: int, error: Any, sentence: str, tmp_path: Path) -> None:
    """One clear sentence with the code, whatever the HTTP status."""
    recording = Recording()
    real = recording.handle

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/api/v2/job"):
            return web.json_response(error, status=status)
        return await real(request)

    recording.handle = handle  # type: ignore[method-assign]
    with pytest.raises(Problem) as caught:
        await exercised("start infa:task/load", tmp_path, recording)
    assert sentence in caught.value.summary
    assert [path for _, path, _ in recording.asked()].count("/saas/api/v2/job") == 1


def test_rows_are_complete() -> None:
    """Help, example, effect, endpoint with its source, deadline; danger where jobs die."""
    for row in PLUGIN.rows.capabilities:
        assert row.help
        assert row.example.startswith(f"{row.verb} infa:")
        assert row.effect
        assert any(mark in row.endpoint for mark in ("SEED", "DOC", "CODE", "GUESS"))
        assert row.deadline > 0
    danger = {(row.verb, row.target) for row in PLUGIN.rows.capabilities if row.risk is Risk.DANGER}
    assert danger == {("stop", "service"), ("restart", "service"), ("stop", "task")}
