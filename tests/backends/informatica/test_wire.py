"""Every row on the wire: method, raw path, query, headers, body, and nothing besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backends.informatica import PLUGIN
from bot.backends.informatica.models import Agent, Entry, Running
from bot.backends.informatica.states import judge
from bot.core.command.capability import Risk
from bot.core.errors import Problem, Rejected
from bot.core.outcome import Level, Phase, State
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
            if command in ("health", "targets"):
                return await getattr(infa.backend, command)(), infa
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
    rows = {(row.verb, row.target) for row in PLUGIN.spec.capabilities}
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
    assert (done.view.state, done.view.phase) == ("starting up", Phase.ACTIVE)
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


AGENT_ID = f"GET /saas/api/v2/agent/details/{V2}"


def engine(state: str | None, sub_state: str = "0", **more: Any) -> dict[str, Any]:
    status = {**ENGINE["agentEngineStatus"], "status": state, "subState": sub_state, **more}  # type: ignore[dict-item]
    return {"@type": "AgentEngine", "agentEngineStatus": status}


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("RUNNING", "good"),
        ("STARTING", "working"),
        ("STOPPING", "working"),
        ("USER_STOPPED", "warn"),
        ("ERROR", "bad"),
        ("UNKNOWN", "unsure"),
        ("QUARANTINED", "unsure"),
        (None, "unsure"),
    ],
)
async def test_the_card_of_a_service_has_the_colour_of_its_state(state: str | None, level: str, tmp_path: Path) -> None:
    """A look at a service in ERROR or in a state that is not documented is not "Done" with a green check."""
    recording = Recording()
    recording.answers[AGENT_ID] = {**AGENT, "readyToRun": True, "agentEngines": [engine(state)]}
    done, _ = await exercised(f"status {SERVICE}", tmp_path, recording)
    assert done.state.level == level
    agent, _ = await exercised("status infa:agent/eu-1", tmp_path, recording)
    assert agent.state.level == level


async def test_an_agent_that_is_not_active_is_red(tmp_path: Path) -> None:
    """The agent's card, its services' cards, and health where no agent is active."""
    recording = Recording()
    away = {**AGENT, "active": False}
    recording.answers[AGENT_ID], recording.answers["GET /saas/api/v2/agent"] = away, [away]
    for command in ("status infa:agent/eu-1", f"status {SERVICE}"):
        done, _ = await exercised(command, tmp_path, recording)
        assert done.state.level == "bad", command
    health, _ = await exercised("health", tmp_path, recording)
    assert (health.ok, health.summary) == (False, "infa has 1 agent, none of them active.")


async def test_what_an_agent_that_is_not_active_lists_is_old(tmp_path: Path) -> None:
    """No card calls a service running on it, or offers to stop, restart or start one."""
    recording = Recording()
    record = {**AGENT, "active": False, "readyToRun": False, "agentEngines": [engine("RUNNING")]}
    recording.answers[AGENT_ID], recording.answers["GET /saas/api/v2/agent/details"] = record, [record]
    done, _ = await exercised(f"status {SERVICE}", tmp_path, recording)
    assert (done.state.level, done.next) == ("bad", ())
    assert "not known, because the agent is not active; last listed as running" in done.summary
    agent, _ = await exercised("status infa:agent/eu-1", tmp_path, recording)
    assert (agent.state.level, agent.next) == ("bad", ())
    assert agent.summary.endswith("the state of its services is not known, because the agent is not active.")
    assert agent.table.rows[0][1].startswith("last listed as running")
    listed, _ = await exercised("targets", tmp_path, recording)
    assert "the agent is not active" in next(one.state for one in listed if one.target.kind == "service")
    seen = Agent.model_validate(record)
    assert not any(judge(goal, seen, NAME, elapsed=60, limit=300).phase.ended for goal in ("start", "stop"))


@pytest.mark.parametrize("sent", [{"agentEngines": None}, {"agentEngines": {"total": 3}}, {}])
async def test_services_that_can_not_be_read_are_not_called_stopped(sent: dict[str, Any], tmp_path: Path) -> None:
    """The cards of the service and of the agent and the list of targets say it, and nothing is offered to start."""
    recording = Recording()
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"login_url": server.base_url, "username": "ops@example.com", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", TwinClock(), tmp_path, **table) as infa:
            text = next(one.text for one in await infa.backend.targets() if one.target.kind == "service")
            record = {**AGENT, "readyToRun": True, **sent}
            recording.answers[AGENT_ID], recording.answers["GET /saas/api/v2/agent/details"] = record, [record]
            service, agent = await infa.do(f"status {SERVICE}"), await infa.do("status infa:agent/eu-1")
            listed = {one.text: one.state for one in await infa.backend.targets()}
    assert (service.state.level, agent.state.level) == ("unsure", "unsure")
    assert (service.next, agent.next) == ((), ())
    assert "not known, because the services of the agent can't be read" in service.summary
    assert "not known, because the services of the agent can't be read" in agent.summary
    assert agent.table.rows[0][1] == listed[text] == "not known: the services of the agent can't be read"


ODD_ENGINES: dict[str, Any] = {
    "null": None,
    "an engine without a display name": [ENGINE, {"agentEngineStatus": {"appname": "Other", "status": "RUNNING"}}],
    "an engine that is null": [None, ENGINE],
    "an engine without a status": [ENGINE, {"@type": "AgentEngine"}],
    "a sub-state as a number": [engine("RUNNING", 0)],  # type: ignore[arg-type]
    "a version that is an object": [engine("RUNNING", appversion={"major": 70})],
}


@pytest.mark.parametrize("engines", ODD_ENGINES.values(), ids=ODD_ENGINES)
async def test_an_odd_engine_hides_no_service_and_stops_no_command(engines: Any, tmp_path: Path) -> None:
    """What can be read is shown, and a start and a stop are sent."""
    recording = Recording()
    record = {**AGENT, "agentEngines": engines}
    recording.answers[AGENT_ID], recording.answers["GET /saas/api/v2/agent/details"] = record, [None, record, {"id": 5}]
    for command in ("status infa:agent/eu-1", f"status {SERVICE}", f"start {SERVICE}", f"stop {SERVICE}"):
        done, _ = await exercised(command, tmp_path, recording)
        assert done.kind == "done", command
    listed, _ = await exercised("targets", tmp_path, recording)
    assert "infa:agent/eu-1" in [one.text for one in listed]


async def test_a_service_is_not_called_stopped_while_one_without_a_name_is_listed(tmp_path: Path) -> None:
    """It may be that one; the end of a stop is then unknown, and so is a lost one."""
    recording = Recording()
    recording.answers[AGENT_ID] = {
        **AGENT,
        "agentEngines": [{"agentEngineStatus": {"appname": "X", "status": "RUNNING"}}],
    }
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"login_url": server.base_url, "username": "ops@example.com", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", TwinClock(), tmp_path, **table) as infa:
            done = await infa.do(f"stop {SERVICE}")
            assert (await infa.view(done.run)).phase is Phase.UNREADABLE
            back = await infa.backend.look_back(await infa.operation(f"stop {SERVICE}"), infa.clock.now())
    assert (back.found, back.absent) == (None, False)


async def test_one_odd_job_hides_no_other(tmp_path: Path) -> None:
    """Rows of the log and of the monitor are read one by one, and the odd ones are marked."""
    recording = Recording()
    odd = {**ENTRY, "id": "log2", "state": {"code": 1}, "runId": "seven"}
    recording.answers["GET /saas/api/v2/activity/activityLog"] = [None, odd, ENTRY, {"objectId": 5}]
    recording.answers["GET /saas/api/v2/activity/activityMonitor"] = [None, {"taskName": 5, "executionState": []}]
    done, _ = await exercised("history infa:task/load", tmp_path, recording)
    unknown = "unknown (nothing) ⚠"
    assert [row[1] for row in done.table.rows] == [unknown, unknown, "completed", unknown]
    assert "can't be read completely" in done.table.note
    status, _ = await exercised("status infa:task/load", tmp_path, recording)
    assert status.kind == "done"


@pytest.mark.parametrize(
    "reply", [{"value": [SCHEDULE, None]}, {"schedules": [{**SCHEDULE, "frequency": "often"}]}, [SCHEDULE]]
)
async def test_schedules_come_wrapped_or_bare_and_one_by_one(reply: Any, tmp_path: Path) -> None:
    """Three forms are seen in public clients; an odd row hides no other."""
    recording = Recording()
    recording.answers["GET /saas/public/core/v3/schedule"] = reply
    done, _ = await exercised("schedules infa:", tmp_path, recording)
    assert done.table.rows[0][0] == "on"
    assert (await exercised("schedule off infa:schedule/nightly", tmp_path, recording))[0].kind == "done"


async def test_targets_without_the_right_to_see_schedules_say_what_is_missing(tmp_path: Path) -> None:
    """A 404 for the schedules leaves agents and services in the list, and one row says that schedules are missing."""
    recording = Recording()
    del recording.answers["GET /saas/public/core/v3/schedule"]
    listed, _ = await exercised("targets", tmp_path, recording)
    states = {one.text: one.state for one in listed}
    assert states["infa:agent/eu-1"] == "active"
    assert states["infa:"] == "schedules can't be read"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"code": "AgentServiceV3APIError_003", "message": "Invalid agent"}}),
        (200, {"error": {"code": "V3API_007", "message": "bad field"}}),
        (403, {"error": {"code": "X", "message": "The service is already running, but you may not see it"}}),
    ],
)
async def test_a_refusal_while_the_service_runs_is_a_refusal(status: int, body: Any, tmp_path: Path) -> None:
    """What the service does now doesn't turn a no into "is running already"."""
    recording = Recording()
    real = recording.handle

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/agent/service"):
            return web.json_response(body, status=status)
        return await real(request)

    recording.handle = handle  # type: ignore[method-assign]
    with pytest.raises(Rejected):
        await exercised(f"start {SERVICE}", tmp_path, recording)


async def test_a_refusal_that_says_already_is_checked_by_the_details(tmp_path: Path) -> None:
    """GUESS: the vendor's words are not documented. Where they say so and the details agree, nothing is wrong."""
    recording = Recording()
    real = recording.handle

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/agent/service"):
            return web.json_response({"error": {"code": "X", "message": "The service is already running."}}, status=400)
        return await real(request)

    recording.handle = handle  # type: ignore[method-assign]
    done, _ = await exercised(f"start {SERVICE}", tmp_path, recording)
    assert done.summary.startswith(f"eu-1/{NAME} is already running.")
    recording.answers[AGENT_ID] = {**AGENT, "agentEngines": [engine("ERROR")]}
    with pytest.raises(Rejected):
        await exercised(f"start {SERVICE}", tmp_path, recording)


MONITORED = {"id": "log1", "type": "MTT", "taskId": TASK_V2, "taskName": "load", "runId": 7}


@pytest.mark.parametrize(
    ("state", "words", "phase", "stops"),
    [
        ("QUEUED", "queued", Phase.WAITING, True),
        ("INITIALIZED", "initialized", Phase.WAITING, True),
        ("RUNNING", "running", Phase.ACTIVE, True),
        ("STOPPING", "stopping", Phase.ACTIVE, True),
        ("COMPLETED", "completed", Phase.SUCCEEDED, False),
        ("FAILED", "failed", Phase.FAILED, False),
        ("STARTING", "unknown (STARTING)", Phase.UNREADABLE, True),
    ],
)
async def test_the_documented_states_of_a_job_in_the_monitor(
    state: str, words: str, phase: Phase, stops: bool, tmp_path: Path
) -> None:
    """DOC activityMonitor lists six. One that has ended is ended by the monitor too, while the log doesn't show it yet."""
    recording = Recording()
    recording.answers["GET /saas/api/v2/activity/activityLog"] = []
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"login_url": server.base_url, "username": "ops@example.com", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", TwinClock(), tmp_path, **table) as infa:
            done = await infa.do("start infa:task/load")
            recording.answers["GET /saas/api/v2/activity/activityMonitor"] = [{**MONITORED, "executionState": state}]
            view = await infa.view(done.run)
    assert (view.state, view.phase) == (words, phase)
    assert ("stop" in [step.verb for step in view.next]) is stops


@pytest.mark.parametrize(
    ("state", "logged", "shown"),
    [
        ("FAILED", 6, "failed"),
        ("COMPLETED", 6, "completed"),
        ("FAILED", None, "failed"),
        ("COMPLETED", 7, "completed with errors"),
        ("RUNNING", 6, "running"),
    ],
)
async def test_a_job_that_has_just_ended_is_the_newest_one(
    state: str, logged: int | None, shown: str, tmp_path: Path
) -> None:
    """The log may not list it yet: an older success there doesn't hide that the newest job failed."""
    recording = Recording()
    entry = {"id": "e1", "type": "MTT", "objectId": TASK_V2, "objectName": "load", "runId": logged, "state": 2}
    older = {**MONITORED, "runId": 5, "executionState": "COMPLETED"}
    recording.answers["GET /saas/api/v2/activity/activityLog"] = [entry] if logged else []
    recording.answers["GET /saas/api/v2/activity/activityMonitor"] = [older, {**MONITORED, "executionState": state}]
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"login_url": server.base_url, "username": "ops@example.com", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", TwinClock(), tmp_path, **table) as infa:
            done = await infa.do("status infa:task/load")
            recent = await infa.backend.recent((await infa.operation("status infa:task/load")).target, 5)
    assert done.view is not None
    assert done.view.state == shown
    assert recent[0].view.state == shown


async def test_a_stop_of_a_job_without_a_number_is_accepted_and_not_started(tmp_path: Path) -> None:
    recording = Recording()
    recording.answers["GET /saas/api/v2/activity/activityMonitor"] = []
    recording.answers["POST /saas/api/v2/job/stop"] = {"@type": "success"}
    done, _ = await exercised("stop infa:task/load", tmp_path, recording)
    assert done.state == State(text="stop accepted", level=Level.GOOD)


@pytest.mark.parametrize(
    ("entry", "began"),
    [
        ({"startTime": "2026-07-01T09:00:00.000Z"}, "2026-07-01T13:00:00+00:00"),
        ({"startTime": "2026-01-15T09:00:00.000Z"}, "2026-01-15T14:00:00+00:00"),
        (
            {"startTime": "2015-11-24T14:19:54.000Z", "startTimeUtc": "2015-11-24T19:19:54.000Z"},
            "2015-11-24T19:19:54+00:00",
        ),
        ({"startTime": "2026-11-01T01:30:00.000Z"}, "2026-11-01T06:30:00+00:00"),
        ({"startTime": "2026-07-01T09:00:00.000Z", "startTimeUtc": "x"}, "2026-07-01T13:00:00+00:00"),
        ({"startTime": "2026-07-01T09:00:00.000Z", "startTimeUtc": ""}, "2026-07-01T13:00:00+00:00"),
        ({"startTime": "2026-07-01T09:00:00+02:00"}, "2026-07-01T09:00:00+02:00"),
    ],
)
def test_times_without_a_field_in_utc_are_eastern(entry: dict[str, str], began: str) -> None:
    """DOC activityLog and activityMonitor, in summer and in winter; the third row is a published reply. A field in UTC that is
    no time counts as missing."""
    for model in (Entry, Running):
        found = model.model_validate(entry).began
        assert found is not None
        assert found.isoformat() == began


def test_rows_are_complete() -> None:
    """Help, example, effect, endpoint with its source, deadline; danger where jobs die."""
    for row in PLUGIN.spec.capabilities:
        assert row.help
        assert row.example.startswith(f"{row.verb} infa:")
        assert row.effect
        assert any(mark in row.endpoint for mark in ("SEED", "DOC", "CODE", "GUESS"))
        assert row.timeout > 0
    danger = {(row.verb, row.target) for row in PLUGIN.spec.capabilities if row.risk is Risk.DANGER}
    assert danger == {("stop", "service"), ("restart", "service"), ("stop", "task")}
