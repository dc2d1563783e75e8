"""Every row on the wire: method, raw path, query, headers, body, and nothing besides."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backends.itential import PLUGIN
from bot.core.command.capability import Risk
from bot.core.errors import BadReply, BadRequest
from bot.core.outcome import Failed, Phase
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined
from tests.http_client.support import Server, serving

from .conftest import PEM

GM, OM = "/gateway_manager/v1", "/operations-manager/jobs"
JOB = "20ae2dd7cf1c43aab817556a"
# The sample of the vendor's page (SEED), word for word.
SEED_REPLY = {
    "state": "Success",
    "message": "Running my-tofu-service on cluster_1",
    "result": {"_id": "671289cc62db5c56f3f799b8", "job_id": JOB, "data": "debe9024-52ee-4b39-8c49-96567ff925e4"},
}
RUN_RESULT = {"return_code": 0, "stdout": "fine\n", "stderr": "", "job_id": JOB}
SERVICE = {
    "_id": "s1",
    "active": True,
    "service_metadata": {"name": "my-tofu-service", "location": "cluster_1", "type": "opentofu-plan"},
    "last_run": 1_730_000_000,
}
GATEWAY = {
    "_id": "g1",
    "cluster_id": "cluster_1",
    "enabled": True,
    "readonly": False,
    "groups": ["a"],
    "certificates": [],
}
GROUP = {
    "_id": "p1",
    "name": "nightly",
    "cluster_id": "cluster_1",
    "services": [{"id": "s1", "name": "x"}],
    "groups": [],
}
CERT = {
    "_id": "c1",
    "alias": "edge",
    "certificate": PEM,
    "contract_id": "k",
    "validity": {"notAfter": "2030-01-01T00:00:00Z"},
}
JOB_RECORD = {
    "_id": JOB,
    "status": "error",
    "error": [{"task": "7f", "message": "no"}],
    "variables": {"serviceName": "my-tofu-service", "result": RUN_RESULT},
    "metrics": {"start_time": 1_780_000_000_000},
}


class Recording:
    """A platform with one of everything; `answers` by method and path without `/gateway_manager/v1`."""

    def __init__(self, **answers: Any) -> None:
        self.server: Server | None = None
        self.answers: dict[str, Any] = {
            f"GET {GM}/services": {"state": "Success", "result": [SERVICE]},
            f"GET {GM}/services/s1": {"state": "Success", "result": SERVICE},
            f"POST {GM}/services/run": SEED_REPLY,
            f"GET {GM}/gateways": {"results": [GATEWAY]},
            f"POST {GM}/gateways": {"state": "Success", "message": "", "id": "g9"},
            f"GET {GM}/gateways/g1": {"results": [GATEWAY]},
            f"PUT {GM}/gateways/g1": {"state": "Success", "result": {"value": GATEWAY}},
            f"DELETE {GM}/gateways/g1": {"state": "Success", "result": {}},
            f"GET {GM}/connections": {"cluster_1": "connected"},
            f"GET {GM}/connections/cluster_1": {
                "id": "1",
                "jsonrpc": "2.0",
                "result": {"reply": "pong"},
                "status": "completed",
            },
            f"GET {GM}/service-groups": {"results": [GROUP]},
            f"POST {GM}/service-groups": {"state": "Success", "id": "p9"},
            f"GET {GM}/service-groups/p1": {"results": [GROUP]},
            f"PATCH {GM}/service-groups/p1": None,
            f"DELETE {GM}/service-groups/p1": None,
            f"GET {GM}/certificates": {"results": [CERT]},
            f"POST {GM}/certificates": {"results": [CERT]},
            f"GET {GM}/certificates/c1": {"results": [CERT]},
            f"PUT {GM}/certificates/c1": {"results": [CERT]},
            f"DELETE {GM}/certificates/c1": {"results": [CERT]},
            f"GET {GM}/health/status": {"status": "Success", "result": "ok"},
            f"GET {GM}/version": "2023.2.14",
            f"GET {OM}": {"message": "", "data": [JOB_RECORD], "metadata": {}},
            f"GET {OM}/{JOB}": {"message": "", "data": JOB_RECORD, "metadata": {}},
            **{f"POST {OM}/{action}": {"message": "", "data": None} for action in ("pause", "resume", "cancel")},
            f"POST {OM}/{JOB}/tasks/7f/retry": {"message": "", "data": None},
            **answers,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        key = f"{request.method} {request.rel_url.raw_path}"
        if key not in self.answers:
            return web.json_response({"message": "Internal Server Error"}, status=500)
        answer = self.answers[key]
        return web.Response() if answer is None else web.json_response(answer)

    def asked(self) -> list[tuple[str, str, Any]]:
        assert self.server is not None
        return [(one.method, one.raw_path, json.loads(one.body) if one.body else None) for one in self.server.seen]


def get(path: str) -> tuple[str, str, Any]:
    return ("GET", f"{GM}{path}", None)


def sent(method: str, path: str, body: Any = None) -> tuple[str, str, Any]:
    return (method, f"{GM}{path}", body)


def job(method: str, path: str, body: Any = None) -> tuple[str, str, Any]:
    return (method, f"{OM}{path}", body)


ONE_JOB = job("GET", f"/{JOB}")
IDS = {"jobIds": [JOB]}
NEWEST_JOBS = job("GET", "?limit=100&skip=0&sort=metrics.start_time&order=-1")
LISTED = "?limit=20&skip=0&sort=metrics.start_time&order=-1"
RUN = {"serviceName": "my-tofu-service", "clusterId": "cluster_1", "params": {}}
NEW_GATEWAY = {"cluster_id": "cluster_9", "enabled": False, "readonly": False, "groups": []}
WHOLE_GATEWAY = {
    "cluster_id": "cluster_1", "enabled": True, "readonly": True, "description": "", "certificates": [], "groups": ["a"]
}  # fmt: skip
WHOLE_CERT = {"raw_certificate": PEM, "contract_id": "k2", "alias": "edge"}
ROWS: list[tuple[tuple[str, str], str, list[tuple[str, str, Any]]]] = [
    (("services", "platform"), "services itn:", [get("/services")]),
    (("services", "platform"), "services itn: cluster_id=a&b", [get("/services?cluster_id=a%26b")]),
    (("gateways", "platform"), "gateways itn:", [get("/gateways"), get("/connections")]),
    (("connections", "platform"), "connections itn:", [get("/connections")]),
    (("groups", "platform"), "groups itn: cluster_id=c", [get("/service-groups?cluster_id=c")]),
    (("certs", "platform"), "certs itn:", [get("/certificates")]),
    (("jobs", "platform"), "jobs itn:", [job("GET", LISTED)]),
    (("jobs", "platform"), "jobs itn: status=error", [job("GET", f"{LISTED}&equals%5Bstatus%5D=error")]),
    (("version", "platform"), "version itn:", [get("/version")]),
    (("status", "service"), "status itn:my-tofu-service", [get("/services"), get("/services/s1"), NEWEST_JOBS]),
    (
        ("logs", "service"),
        "logs itn:my-tofu-service",
        [get("/services"), job("GET", LISTED.replace("20", "100"))],
    ),
    (
        ("start", "service"),
        "start itn:my-tofu-service inventory=dc1/r1,lab,dc1/r2",
        [
            get("/services"),
            get("/services/s1"),
            sent(
                "POST",
                "/services/run",
                {**RUN, "inventory": [{"inventory": "dc1", "nodeNames": ["r1", "r2"]}, {"inventory": "lab"}]},
            ),
        ],
    ),
    (
        ("start", "service"),
        "start itn:my-tofu-service",
        [get("/services"), get("/services/s1"), sent("POST", "/services/run", RUN)],
    ),
    (
        ("destroy", "service"),
        "destroy itn:my-tofu-service",
        [
            get("/services"),
            get("/services/s1"),
            sent("POST", "/services/run", {**RUN, "params": {"action": "destroy"}}),
        ],
    ),
    (
        ("status", "gateway"),
        "status itn:gateway/cluster_1",
        [get("/gateways"), get("/gateways/g1"), get("/connections")],
    ),
    (("health", "gateway"), "health itn:gateway/g1", [get("/gateways"), get("/connections/cluster_1")]),
    (
        ("gateway create", "gateway"),
        "gateway create itn:gateway/cluster_9",
        [get("/gateways"), sent("POST", "/gateways", {"gateway": NEW_GATEWAY})],
    ),
    (
        ("gateway set", "gateway"),
        "gateway set itn:gateway/cluster_1 readonly=true",
        [
            get("/gateways"),
            get("/gateways/g1"),
            sent("PUT", "/gateways/g1", {"payload": WHOLE_GATEWAY}),
            get("/gateways/g1"),
        ],
    ),
    (
        ("gateway delete", "gateway"),
        "gateway delete itn:gateway/cluster_1",
        [get("/gateways"), sent("DELETE", "/gateways/g1")],
    ),
    (("status", "group"), "status itn:group/nightly", [get("/service-groups"), get("/service-groups/p1")]),
    (
        ("group create", "group"),
        "group create itn:group/new cluster_id=c services=s1,s2",
        [
            get("/service-groups"),
            sent(
                "POST",
                "/service-groups",
                {"serviceGroup": {"name": "new", "cluster_id": "c", "services": ["s1", "s2"]}},
            ),
        ],
    ),
    (
        ("group set", "group"),
        "group set itn:group/nightly name=late",
        [
            get("/service-groups"),
            sent("PATCH", "/service-groups/p1", {"patches": {"name": "late"}}),
            get("/service-groups/p1"),
        ],
    ),
    (
        ("group delete", "group"),
        "group delete itn:group/nightly",
        [get("/service-groups"), sent("DELETE", "/service-groups/p1")],
    ),
    (("status", "cert"), "status itn:cert/edge", [get("/certificates"), get("/certificates/c1")]),
    (
        ("cert add", "cert"),
        f'cert add itn:cert/new contract_id=k raw_certificate="{PEM}"',
        [
            get("/certificates"),
            sent("POST", "/certificates", {"raw_certificate": PEM, "contract_id": "k", "alias": "new"}),
        ],
    ),
    (
        ("cert set", "cert"),
        "cert set itn:cert/edge contract_id=k2",
        [
            get("/certificates"),
            get("/certificates/c1"),
            sent("PUT", "/certificates/c1", WHOLE_CERT),
            get("/certificates/c1"),
        ],
    ),
    (("cert delete", "cert"), "cert delete itn:cert/c1", [get("/certificates"), sent("DELETE", "/certificates/c1")]),
    (("status", "job"), f"status itn:job/{JOB}", [ONE_JOB, ONE_JOB]),
    (("logs", "job"), f"logs itn:job/{JOB}", [ONE_JOB, ONE_JOB]),
    (("stop", "job"), f"stop itn:job/{JOB}", [ONE_JOB, job("POST", "/cancel", IDS)]),
    (("pause", "job"), f"pause itn:job/{JOB}", [ONE_JOB, job("POST", "/pause", IDS)]),
    (("resume", "job"), f"resume itn:job/{JOB}", [ONE_JOB, job("POST", "/resume", IDS)]),
    (("retry", "job"), f"retry itn:job/{JOB}", [ONE_JOB, ONE_JOB, job("POST", f"/{JOB}/tasks/7f/retry")]),
    (("retry", "job"), f"retry itn:job/{JOB} task=7f", [ONE_JOB, job("POST", f"/{JOB}/tasks/7f/retry")]),
]


async def exercised(command: str, tmp_path: Path, recording: Recording, **more: Any) -> tuple[Any, Joined]:
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"base_url": server.base_url, "username": "ops", "password": "p-not-a-secret", **more}
        async with joined(PLUGIN, "itn", TwinClock(), tmp_path, **table) as itn:
            if command == "health":
                return await itn.backend.health(), itn
            return await itn.outcome(command), itn


@pytest.mark.parametrize(("row", "command", "wanted"), ROWS, ids=[command[:60] for _, command, _ in ROWS])
async def test_each_row_asks_exactly_this(row: Any, command: str, wanted: list[Any], tmp_path: Path) -> None:
    """A command is these calls in this order, each with the Basic credential."""
    recording = Recording()
    done, _ = await exercised(command, tmp_path, recording)
    assert done.kind == "done"
    assert recording.asked() == wanted
    assert recording.server is not None
    basic = "Basic " + base64.b64encode(b"ops:p-not-a-secret").decode()
    assert {one.headers["authorization"] for one in recording.server.seen} == {basic}
    for one in recording.server.seen:
        assert ("content-type" in one.headers) == bool(one.body)


def test_every_row_is_exercised() -> None:
    """No verb on no kind of target is left out above."""
    assert {row for row, _, _ in ROWS} == {(row.verb, row.target) for row in PLUGIN.spec.capabilities}


async def test_the_simple_health_check_sends_no_credential(tmp_path: Path) -> None:
    """Health, version and connections are asked; the first one without the password."""
    recording = Recording()
    health, _ = await exercised("health", tmp_path, recording)
    assert health.ok
    assert recording.asked() == [get("/health/status"), get("/version"), get("/connections")]
    assert recording.server is not None
    assert ["authorization" in one.headers for one in recording.server.seen] == [False, True, True]


async def test_the_sample_of_the_page_is_understood(tmp_path: Path) -> None:
    """The reply of the page names the job that is followed; all its parts are told."""
    done, _ = await exercised("start itn:my-tofu-service", tmp_path, Recording())
    assert done.run.id == JOB
    facts, details = ({fact.label: fact.value for fact in of} for of in (done.view.facts, done.view.details))
    assert facts == {"Itential says": "Running my-tofu-service on cluster_1"}
    assert details == {"Data": "debe9024-52ee-4b39-8c49-96567ff925e4"}


SYNC = {"id": "1", "jsonrpc": "2.0", "status": "completed"}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({**SYNC, "result": {"return_code": 0, "stdout": {"a": 1}}}, "done"),
        ({**SYNC, "result": {"return_code": 2, "stderr": "no"}}, "failed"),
        ({**SYNC, "status": "error", "result": {"return_code": 0}}, "failed"),
        ({"jsonrpc": "2.0", "error": {"code": -1, "message": "m", "data": "d"}}, "failed"),
        ({"state": "Something", "result": {"job_id": JOB}}, "done"),
    ],
)
async def test_the_form_of_a_reply_is_told_by_its_shape(reply: Any, kind: str, tmp_path: Path) -> None:
    """Both documented forms, and never a success where a part says otherwise."""
    recording = Recording(**{f"POST {GM}/services/run": reply})
    done, _ = await exercised("start itn:my-tofu-service", tmp_path, recording)
    assert done.kind == kind
    if kind == "failed":
        assert isinstance(done, Failed)


@pytest.mark.parametrize("reply", [{}, [], "ok", {"result": {}}, {"jsonrpc": "2.0", "result": {"stdout": "x"}}])
async def test_a_reply_of_no_known_form_is_unreadable(reply: Any, tmp_path: Path) -> None:
    """Nobody knows then whether it runs, and nothing is made up."""
    with pytest.raises(BadReply):
        await exercised("start itn:my-tofu-service", tmp_path, Recording(**{f"POST {GM}/services/run": reply}))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ({"state": "Error", "message": "not allowed", "result": {"job_id": JOB}}, "not allowed"),
        ({"state": "Error", "result": {}}, "its state is Error"),
        ({**SYNC, "status": "error", "result": {"stderr": "no route"}}, "no route"),
    ],
)
async def test_an_error_state_in_a_success_is_failed(reply: Any, told: str, tmp_path: Path) -> None:
    """A state that says Error under 200 is not a start, and not an unknown one either."""
    failed, _ = await exercised("start itn:my-tofu-service", tmp_path, Recording(**{f"POST {GM}/services/run": reply}))
    assert (failed.kind, failed.code) == ("failed", "run_failed")
    assert told in failed.summary


def nodes(*success: bool | None) -> dict[str, Any]:
    rows = [
        {"name": f"r{number}", "success": good, "command": "show version", "output": f"v{number}"}
        for number, good in enumerate(success)
    ]
    return {**SYNC, "result": {"results": rows}}


async def test_a_service_with_an_inventory_is_judged_by_its_nodes(tmp_path: Path) -> None:
    """CODE: such a reply has no return code but a success for each node; one failed node fails the run."""
    good, _ = await exercised(
        "start itn:my-tofu-service inventory=lab", tmp_path, Recording(**{f"POST {GM}/services/run": nodes(True, True)})
    )
    assert (good.kind, good.view.phase) == ("done", Phase.SUCCEEDED)
    assert good.summary.endswith("ended with success on 2 nodes.")
    assert "==== r1 show version ====\nv1" in good.preview
    bad, _ = await exercised(
        "start itn:my-tofu-service inventory=lab",
        tmp_path,
        Recording(**{f"POST {GM}/services/run": nodes(True, False)}),
    )
    assert bad.kind == "failed"
    assert "1 of 2 nodes failed: r1" in bad.summary
    with pytest.raises(BadReply):
        await exercised(
            "start itn:my-tofu-service", tmp_path, Recording(**{f"POST {GM}/services/run": nodes(True, None)})
        )


META = SERVICE["service_metadata"]
ODD_SERVICES: dict[str, Any] = {
    "a number as last run": {**SERVICE, "last_run": 1_730_000_000},
    "an object as last run": {**SERVICE, "last_run": RUN_RESULT},
    "tags of any type": {**SERVICE, "service_metadata": {**META, "tags": [1, {"a": 2}, None, "x"]}},
    "an empty decorator": {**SERVICE, "service_metadata": {**META, "decorator": ""}},
    "a decorator that is a list": {**SERVICE, "service_metadata": {**META, "decorator": ["a"]}},
    "a description that is an object": {**SERVICE, "service_metadata": {**META, "description": {"a": 1}}},
    "an active flag in words": {**SERVICE, "active": "perhaps"},
}


@pytest.mark.parametrize("odd", ODD_SERVICES.values(), ids=ODD_SERVICES)
async def test_an_odd_service_hides_nothing_and_can_be_run(odd: Any, tmp_path: Path) -> None:
    """One odd field or row, and lists, status and start work all the same."""
    strange = [odd, None, {"_id": 5}, {**SERVICE, "_id": "s2", "service_metadata": {**META, "name": "other"}}]
    answers = {f"GET {GM}/services": {"result": strange}, f"GET {GM}/services/s1": {"result": odd}}
    for command in (
        "services itn:",
        "status itn:my-tofu-service",
        "start itn:my-tofu-service",
        "destroy itn:my-tofu-service",
    ):
        done, _ = await exercised(command, tmp_path, Recording(**answers))
        assert done.kind == "done", command
        if command == "services itn:":
            assert done.summary == "itn has 4 services."
            assert "can't be read completely" in done.table.note


async def test_null_lists_and_missing_fields_of_a_gateway(tmp_path: Path) -> None:
    """`groups: null` is an empty list; the gateway is read, changed and deleted."""
    bare = {"_id": "g1", "cluster_id": "cluster_1", "enabled": True, "readonly": False, "groups": None}
    answers = {f"GET {GM}/gateways": {"results": [bare]}, f"GET {GM}/gateways/g1": {"results": [bare]}}
    for command in ("gateways itn:", "status itn:gateway/cluster_1", "gateway set itn:gateway/cluster_1 readonly=true"):
        done, _ = await exercised(command, tmp_path, Recording(**answers))
        assert done.kind == "done", command


async def test_a_gateway_that_is_not_read_completely_is_not_overwritten(tmp_path: Path) -> None:
    """A PUT sends the whole gateway, so that what can't be read would be lost."""
    odd = {**GATEWAY, "certificates": "c1"}
    recording = Recording(**{f"GET {GM}/gateways/g1": {"results": [odd]}})
    with pytest.raises(BadRequest, match="certificates"):
        await exercised("gateway set itn:gateway/cluster_1 readonly=true", tmp_path, recording)
    assert "PUT" not in [method for method, _, _ in recording.asked()]


@pytest.mark.parametrize(
    ("gateway", "connections", "level"),
    [
        ({}, {"cluster_1": "connected"}, "good"),
        ({}, {"cluster_1": "disconnected"}, "bad"),
        ({}, {}, "bad"),
        ({"readonly": True}, {"cluster_1": "connected"}, "warn"),
        ({"enabled": False}, {"cluster_1": "connected"}, "warn"),
        ({"enabled": None}, {"cluster_1": "connected"}, "unsure"),
        ({}, "no", "unsure"),
    ],
)
async def test_the_card_of_a_gateway_has_the_colour_of_its_state(
    gateway: dict[str, Any], connections: Any, level: str, tmp_path: Path
) -> None:
    """A look at a gateway that is not connected worked, and is bad news."""
    one = {"results": [{**GATEWAY, **gateway}]}
    recording = Recording(**{f"GET {GM}/gateways/g1": one, f"GET {GM}/connections": connections})
    done, _ = await exercised("status itn:gateway/cluster_1", tmp_path, recording)
    assert done.state.level == level


@pytest.mark.parametrize(
    ("connections", "ok", "level"),
    [
        ({"a": "disconnected"}, False, "bad"),
        ({"a": "connected", "b": "disconnected"}, True, "warn"),
        ({"a": "connected"}, True, "good"),
        ({}, True, None),
    ],
)
async def test_a_platform_without_a_connected_gateway_is_not_well(
    connections: Any, ok: bool, level: str | None, tmp_path: Path
) -> None:
    """`health itn` and `connections itn:` with 0 of 1 gateways connected are red."""
    recording = Recording(**{f"GET {GM}/connections": connections})
    health, _ = await exercised("health", tmp_path, recording)
    assert health.ok is ok
    done, _ = await exercised("connections itn:", tmp_path, recording)
    assert (done.state.level if done.state else None) == level


@pytest.mark.parametrize(("ends", "level"), [(-1, "bad"), (10, "warn"), (100, "good"), (None, "unsure")])
async def test_the_card_of_a_certificate_says_whether_it_is_valid(ends: int | None, level: str, tmp_path: Path) -> None:
    """One that has ended is red, one that ends within 30 days a warning."""
    until = None if ends is None else (TwinClock().now() + timedelta(days=ends)).isoformat()
    cert = {"results": [{**CERT, "validity": {"notAfter": until}}]}
    done, _ = await exercised("status itn:cert/edge", tmp_path, Recording(**{f"GET {GM}/certificates/c1": cert}))
    assert done.state.level == level


async def test_a_job_that_the_platform_does_not_know_is_not_called_ended(tmp_path: Path) -> None:
    """Where the reply's job is not one of the operations manager, its end is unknown."""
    recording = Recording()
    async with serving(recording.handle) as server:
        recording.server = server
        table = {"base_url": server.base_url, "username": "ops", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "itn", TwinClock(), tmp_path, **table) as itn:
            done = await itn.do("start itn:my-tofu-service")
            real = recording.handle

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                return web.Response(status=404) if "operations-manager" in request.path else await real(request)

            server.handler = handle
            view = await itn.view(done.run)
    assert (view.state, view.phase) == ("not found", Phase.UNREADABLE)


@pytest.mark.parametrize("version", ["2023.2.14", {"version": "2023.2.14"}, {"result": "2023.2.14"}])
async def test_the_version_may_be_a_word_or_an_object(version: Any, tmp_path: Path) -> None:
    """Both forms are read."""
    done, _ = await exercised("version itn:", tmp_path, Recording(**{f"GET {GM}/version": version}))
    assert done.facts[0].value == "2023.2.14"


def test_rows_are_complete() -> None:
    """Help, example, effect, endpoint with its source, deadline; danger where nothing brings it back."""
    for row in PLUGIN.spec.capabilities:
        assert row.help
        assert row.example.startswith(f"{row.verb} itn:")
        assert row.effect
        assert any(mark in row.endpoint for mark in ("SEED", "DOC", "CODE", "GUESS"))
        assert row.timeout > 0
    danger = {(row.verb, row.target) for row in PLUGIN.spec.capabilities if row.risk is Risk.DANGER}
    deletes = {(f"{kind} delete", kind) for kind in ("gateway", "group", "cert")}
    assert danger == deletes | {("destroy", "service"), ("stop", "job")}


def test_settings_show_no_password() -> None:
    """In no repr; and plain http to another machine is refused."""
    table = {"name": "itn", "kind": "itential", "username": "u", "password": "p-not-a-secret"}
    made = PLUGIN.settings.model_validate({**table, "base_url": "https://itential.example.com"})
    assert "p-not-a-secret" not in repr(made) + str(made)
    with pytest.raises(ValueError, match="plain http"):
        PLUGIN.settings.model_validate({**table, "base_url": "http://itential.example.com"})
