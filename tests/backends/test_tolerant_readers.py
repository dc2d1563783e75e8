"""Every reply of every operation of every kind, with each of its fields changed in turn.

An operation fails only if it needs that very field, and then says which; lists keep their other rows; nothing odd is good
news; and whatever came can be shown and stored.
"""

from __future__ import annotations

import fnmatch
import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from bot import plugins
from bot.backends.itential import schema
from bot.core.command.capability import Capability, Risk
from bot.core.command.parser import parse
from bot.core.errors import BadRequest, CallProblem, Problem
from bot.core.intent import Command
from bot.core.operation import Operation
from bot.core.outcome import Done, Failed, Refused, Unknown
from bot.operations import cards
from bot.render.card import render_card
from bot.render.terminal import render_text
from tests.backends.contract_samples import Sample
from tests.backends.contract_stand import INTENT, Stand, samples_of, standing
from tests.backends.kit import joined
from tests.backends.tape import VALUES, Bend, Tape, bends_of, with_bend
from tests.backends.tape import Path as TapePath
from tests.http_client.support import serving

KINDS: Final = ("sequentum", "informatica", "itential", "prefactor", "resilio")
NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROBES: Final = ("absent", "wrong type")
FEW: Final = (*PROBES, "half a character")
ALL: Final = tuple(VALUES)

# What an operation can't do without, by kind: patterns of `ACT FIELD`. Everything else is read around.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "sequentum": (
        "* agentId",  # of a path, and whose run it is: the rules depend on it
        "start agent agentRunHistoryIds",  # what was started
        "start agent agentJobHistoryId",
        "history jobrun runId",  # the address of the list
        "schedule off schedule isEnabled",  # what a pause has to switch on again
        "schedule off schedule scheduleId",
        "resolve schedule scheduleId",  # whether it is still there
        "resolve agent name",  # another agent than was asked for
        "resolve run agentRunHistoryId",  # another id than was asked for
        "resolve jobrun agentJobHistoryId",
    ),
    "informatica": (
        "* objects",  # the look-up of an agent or a task
        *(f"resolve {kind} {field}" for kind in ("service", "agent", "task") for field in ("objects", "id", "path")),
        "logs task objectId",  # whose job it is
        "* schedules",
        "resolve schedule id",  # the list that names it
        "resolve schedule name",
        "status schedule id",
        "schedule off schedule id",
        "preflight schedule on schedule id",
        "preflight schedule off schedule id",
        *(  # whether it is down, and up again
            f"restart service {field}"
            for field in ("agentEngines", "agentEngineStatus", "appDisplayName", "status", "subState", "active")
        ),
        "logs task id",  # the address of the log
    ),
    "itential": (
        "* result",  # the object or the list itself
        "* results",
        "* data",
        *(
            f"{act} results"
            for act in (  # the only row of a reply about one thing
                "status group",
                "status gateway",
                "status cert",
                "group set group",
                "gateway set gateway",
                "cert set cert",
                "preflight gateway delete gateway",
                "preflight group delete group",
                "preflight cert delete cert",
                "preflight gateway set gateway",
                "preflight group set group",
                "preflight cert set cert",
            )
        ),
        *(
            f"resolve {kind} {field}"
            for kind, field in (  # the list that names it
                ("service", "_id"),
                ("service", "name"),
                ("service", "location"),
                ("service", "service_metadata"),
                ("gateway", "_id"),
                ("gateway", "cluster_id"),
                ("group", "_id"),
                ("group", "name"),
                ("cert", "_id"),
                ("cert", "alias"),
                ("job", "_id"),
            )
        ),
        *(
            f"{act} service {field}"
            for act in ("start", "destroy", "check start", "check destroy", "preflight start", "preflight destroy")
            for field in ("required", "properties", "action", "workspace", "type", "enum")
        ),
        "health cluster_1",  # whether any gateway is connected
        "destroy service type",  # only plans can be destroyed
        "gateway set gateway enabled",  # a PUT sends the whole gateway
        "gateway set gateway groups",
        "gateway set gateway certificates",
        "gateway set gateway description",
        "gateway set gateway readonly",
        "gateway set gateway _id",
        "gateway set gateway cluster_id",
        "cert set cert certificate",
        "retry job task",  # what to run again
        "retry job error",
        "check retry job task",
        "check retry job error",
        "logs * variables",  # the output itself
        "logs job stdout",
        "logs service serviceName",  # whose job it is
        "logs service clusterId",
        "logs service stdout",
        "logs service name",
    ),
    "prefactor": (
        "* details",  # the object or the list itself
        "* next_page_offset",
        "resolve agent id",  # another one than was asked for, or none
        "resolve agent name",
        "resolve instance id",
        "recent instance id",
        "resolve new id",
        "resolve new name",
    ),
    "resilio": (
        "* token",
        "resolve run run_id",
        "status run run_id",  # another run than was asked for
        "recent run run_id",
        "tags agent tags",
        "look back tag agent tags",  # whether they are set
    ),
}

# Fields of which another value, or none, is a valid answer about something else: a failure by them need not name them.
ANOTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "sequentum": ("resolve agent name", "resolve schedule scheduleId"),
    "informatica": (
        "resolve schedule name",
        "resolve schedule schedules",  # null is an empty list
        "resolve * objects",
        "* schedule id",
        "restart service *",
        "resolve * id",
        "resolve * path",
        "logs task *",
    ),
    "prefactor": ("recent instance *",),
    "resilio": ("recent run *",),
    "itential": (
        "resolve * name",
        "*start service *",  # another schema
        "*destroy service *",
        "health cluster_1",
        "retry job task",
        "check retry job task",
        "logs job *",
        "logs service *",
    ),
}

Act = Callable[[], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _each_schema_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most changes leave the schema of a service as it is, and the check of one takes longer than the call."""
    check, valid = schema._Validator.check_schema, set[str]()

    def once(found: Any) -> None:
        if (text := repr(found)) not in valid:
            check(found)
            valid.add(text)

    monkeypatch.setattr(schema._Validator, "check_schema", once)


def is_needed(kind: str, act: str, bend: Bend) -> bool:
    """Whether the act may fail by this field, or by a whole row of which it needs a field."""
    if isinstance(bend.path[-1], int):
        return any(pattern.startswith(f"{act} ") for pattern in NEEDED[kind])
    return any(fnmatch.fnmatchcase(f"{act} {bend.field}", pattern) for pattern in NEEDED[kind])


def problem_of(result: Any) -> str:
    """What went wrong, in words; empty when nothing did."""
    if isinstance(result, Problem):
        return f"{result.summary} {result.hint}"
    return f"{result.summary} {result.hint}" if isinstance(result, Refused | Failed | Unknown) else ""


async def tried(act: Act) -> Any:
    try:
        return await act()
    except Problem as problem:
        return problem


def check_shown(operation: Operation, result: Any) -> None:
    """It can be shown in Slack and on a terminal."""
    if isinstance(result, Done | Refused | Failed | Unknown):
        card = cards.outcome(operation, INTENT, result, (), NOW)
        render_card(card)
        render_text(card).encode()


def check_rows(good: Any, result: Any, bend: Bend) -> None:
    """A list whose row is odd, as a whole or in a field, is at least as long as before."""
    in_row = any(isinstance(part, int) for part in bend.path)
    # A service under another name, or a job of another task, is another thing.
    in_row = in_row and (
        bend.field not in ("appDisplayName", "objectId") or bend.name in ("absent", "null", "wrong type")
    )
    if isinstance(good, Done) and isinstance(result, Done) and good.table and in_row:
        assert result.table, bend
        assert len(result.table.rows) >= len(good.table.rows), bend
    if isinstance(good, list) and isinstance(result, list) and any(isinstance(part, int) for part in bend.path):
        assert len(result) >= len(good) - 1, bend


class Unread:
    """The fields that an act doesn't read: it says the same without them and with nonsense in them.

    Another value in them can only spoil the whole reply, so each is tried in one of them, and a number that is too large for a
    time in all: those are read even where nothing comes of it.
    """

    def __init__(self) -> None:
        self._same: set[tuple[str, TapePath, str]] = set()
        self._tried: set[tuple[str, str]] = set()

    def note(self, bend: Bend, *, same: bool) -> None:
        """The outcome was the `same` as without the change."""
        if same:
            self._same.add((bend.key, bend.path, bend.name))

    def is_enough(self, bend: Bend) -> bool:
        """Whether this change needs no try."""
        if bend.name in (*PROBES, "large") or not all((bend.key, bend.path, name) in self._same for name in PROBES):
            return False
        known = (bend.key, bend.name) in self._tried
        self._tried.add((bend.key, bend.name))
        return known


async def check_all(stand: Stand, name: str, tape: Tape, operation: Operation, act: Act, names: tuple[str, ...]) -> int:
    """Record the act, then play it with every change; how many there were."""
    tape.erase()
    kind, stand.given.clock.pace = stand.plugin.spec.kind, 200.0
    good = await tried(act)
    assert not problem_of(good), (name, problem_of(good))
    tape.play(None)
    stand.given.clock.pace = math.inf  # a tape makes nobody wait
    plain = await tried(act)
    assert not problem_of(plain), f"{name} can't be played again"
    count, shown, unread, as_recorded = 0, set[bytes](), Unread(), repr(plain)
    for bend in tape.bends(names):
        if unread.is_enough(bend):
            continue
        tape.play(bend)
        result = await tried(act)
        wrong = problem_of(result)
        if wrong:
            assert is_needed(kind, name, bend), f"{name} fails on {bend}: {wrong}"
            another = any(fnmatch.fnmatchcase(f"{name} {bend.field}", pattern) for pattern in ANOTHER.get(kind, ()))
            assert isinstance(bend.path[-1], int) or another or bend.field in wrong, (
                f"{name} does not name the field of {bend}: {wrong}"
            )
        stored = result.model_dump_json().encode() if hasattr(result, "model_dump_json") else b""
        if stored not in shown:  # the same outcome makes the same card
            shown.add(stored)
            check_shown(operation, result)
        check_rows(good, result, bend)
        unread.note(bend, same=repr(result) == as_recorded)
        count += 1
    return count


ROWS = [pytest.param(kind, key, id=f"{kind}-{key[0]} {key[1]}") for kind in KINDS for key in samples_of(kind).rows]


@pytest.mark.parametrize(("kind", "key"), ROWS)
async def test_an_operation_fails_only_by_a_field_that_it_needs(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """The call itself, with every change of every field of every reply that it reads."""
    tape, name = Tape(), " ".join(key)
    async with standing(kind, tmp_path, tape=tape, more=slow_restart) as stand:
        sample = samples_of(kind).rows[key]
        operation = await stand.prepared(sample)
        names = FEW if sample.progress else ALL  # what waits on the way takes its time with every change
        assert await check_all(stand, name, tape, operation, lambda: stand.call(operation), names) >= 0


def row_of(kind: str, key: tuple[str, str]) -> Capability:
    return next(row for row in plugins.load(kind).spec.capabilities if (row.verb, row.target) == key)


def first_of_each_target(rows: Iterable[tuple[str, tuple[str, str]]]) -> frozenset[tuple[str, tuple[str, str]]]:
    """One row for each target as it is typed: what is read of the target alone is the same for every verb."""
    found: dict[tuple[str, str, str], tuple[str, tuple[str, str]]] = {}
    for kind, key in rows:
        target = next(word for word in samples_of(kind).rows[key].typed.split() if ":" in word)
        found.setdefault((kind, key[1], target), (kind, key))
    return frozenset(found.values())


KEYS = [(kind, key) for kind in KINDS for key in samples_of(kind).rows]
CHANGES = [(kind, key) for kind, key in KEYS if row_of(kind, key).risk is not Risk.READ]
RESOLVES, LOOKS = first_of_each_target(KEYS), first_of_each_target(CHANGES)
AROUND = [
    pytest.param(kind, key, id=f"{kind}-{key[0]} {key[1]}")
    for kind, key in KEYS
    if (kind, key) in RESOLVES or (kind, key) in CHANGES or row_of(kind, key).starts_run
]


@pytest.mark.parametrize(("kind", "key"), AROUND)
async def test_what_stands_around_a_call_is_read_as_tolerantly(kind: str, key: tuple[str, str], tmp_path: Path) -> None:
    """What an approver sees, the state that is compared, how a run is followed, and what a lost answer is looked up by."""
    tape, name, sample = Tape(), " ".join(key), samples_of(kind).rows[key]
    row = row_of(kind, key)
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.prepared(sample)
        sent_at = stand.given.clock.now()
        if (kind, key) in RESOLVES:
            await check_all(
                stand, f"resolve {key[1]}", tape, operation, lambda: stand.target(typed_target(stand, sample)), ALL
            )
        acts: dict[str, Act] = {}
        if (kind, key) in LOOKS:
            acts["state"] = lambda: stand.backend.state_of(operation.target)
        if row.risk is not Risk.READ:
            acts |= {
                "preflight": lambda: stand.backend.preflight(operation),
                "check": lambda: stand.backend.check(operation),
            }
        for word, act in acts.items():
            await check_all(stand, f"{word} {name}", tape, operation, act, ALL)
        acts.clear()
        if not sample.refused and row.starts_run:
            tape.erase()
            result = await stand.call(operation)
            run = result.run if isinstance(result, Done) else None
            assert run is not None
            acts["poll"] = lambda: stand.backend.poll(run.group or run.id, [run])
        if row.risk is not Risk.READ:
            acts["look back"] = lambda: stand.backend.look_back(operation, sent_at)
        for word, act in acts.items():
            await check_all(stand, f"{word} {name}", tape, operation, act, ALL)


TARGETS = [
    pytest.param(kind, target, id=f"{kind}-{target}")
    for kind in KINDS
    for target in dict.fromkeys(key[1] for key in samples_of(kind).rows)
]


@pytest.mark.parametrize(("kind", "target_kind"), TARGETS)
async def test_the_newest_runs_and_the_form_of_a_target_are_read_as_tolerantly(
    kind: str, target_kind: str, tmp_path: Path
) -> None:
    """What `watch` polls, and the fields of the modal."""
    tape = Tape()
    sample = next(sample for key, sample in samples_of(kind).rows.items() if key[1] == target_kind)
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.prepared(sample)
        acts: dict[str, Act] = {
            "recent": lambda: stand.backend.recent(operation.target, 5),
            "form": lambda: stand.backend.form(operation.target),
        }
        for word, act in acts.items():
            if isinstance(await tried(act), BadRequest):  # this kind of target has no runs
                continue
            await check_all(stand, f"{word} {target_kind}", tape, operation, act, ALL)


# Commands that a capability sends to another address than its sample does.
OTHER_FORMS = (("sequentum", "start acc:shop/prices as=job"), ("sequentum", "history acc:shop/prices as=job"))


@pytest.mark.parametrize(("kind", "typed"), OTHER_FORMS)
async def test_the_other_forms_of_an_operation_are_read_as_tolerantly(kind: str, typed: str, tmp_path: Path) -> None:
    """As its sample."""
    tape = Tape()
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.operation(typed)
        name = f"{operation.verb} {operation.target.kind}"
        await check_all(stand, name, tape, operation, lambda: stand.call(operation), ALL)


# Kind, settings beside the address, the reply of the sign-in, and the fields that it needs.
SIGN_INS: Final = {
    "itential client": (
        "itential", {"client_id": "c", "client_secret": "s-not-a-secret"},
        {"access_token": "t-not-a-secret", "token_type": "Bearer", "expires_in": 3600}, {"access_token"},
    ),
    "informatica password": (
        "informatica", {"username": "u", "password": "p-not-a-secret"},
        {"products": [{"name": "Integration Cloud", "baseApiUrl": "{url}/saas"}],
         "userInfo": {"sessionId": "s-not-a-secret", "id": "1", "name": "u", "orgId": "o", "orgName": "Acme"}},
        {"products", "baseApiUrl", "userInfo", "sessionId"},
    ),
    "informatica token": (
        "informatica", {"org_id": "o", "oauth_token": "t-not-a-secret"},
        {"icSessionId": "s-not-a-secret", "serverUrl": "{url}/saas", "orgId": "o", "name": "u"},
        {"icSessionId", "serverUrl"},
    ),
    "resilio": ("resilio", {}, {"token": "t-not-a-secret", "valid": 60}, {"token"}),
}  # fmt: skip


@pytest.mark.parametrize("way", SIGN_INS)
async def test_the_reply_of_a_sign_in_is_read_as_tolerantly(way: str) -> None:
    """It fails only by a field that it needs, and says which; the call itself is not sent then."""
    kind, table, reply, needed = SIGN_INS[way]
    bends: list[Bend | None] = [None]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/health/status"):  # needs no credential
            return web.json_response({"result": "ok"})
        if "token" in request.path or "login" in request.path:
            made = json.dumps(reply).replace("{url}", server.base_url)
            return web.Response(body=with_bend(json.loads(made), bends[0]), content_type="application/json")
        return web.json_response({"message": "no such thing"}, status=404)

    address = "login_url" if kind == "informatica" else "base_url"
    async with serving(answer) as server:
        for bend in bends_of(reply, ALL):
            bends[0], called = bend, len(server.seen)
            async with joined(plugins.load(kind), "one", **{address: server.base_url}, **table) as backend:
                health = await backend.backend.health()
            paths = [seen.path for seen in server.seen[called:]]
            signed_in = any("token" not in path and "login" not in path and "health" not in path for path in paths)
            assert signed_in or bend.field in needed, f"{way} fails on {bend}: {health.summary}"
            named = any(field in health.summary for field in needed)
            assert signed_in or named, f"{way} does not name the field of {bend}: {health.summary}"


@pytest.mark.parametrize("kind", KINDS)
async def test_health_and_targets_are_read_as_tolerantly(kind: str, tmp_path: Path) -> None:
    """One odd row never hides the other targets, and no odd field makes a healthy backend look ill without its name."""
    tape, samples = Tape(), samples_of(kind)
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.prepared(samples.rows[samples.read])
        await check_all(stand, "targets", tape, operation, stand.backend.targets, ALL)
        await check_all(stand, "health", tape, operation, lambda: healthy(stand), ALL)


def slow_restart(plane: Any) -> None:
    """An agent that restarts is away for so long that it is seen to be away, however busy the machine is."""
    if hasattr(plane, "away"):
        plane.away = 0.15


async def healthy(stand: Stand) -> Any:
    """The health, as a problem where it is bad."""
    found = await stand.backend.health()
    return found if found.ok else CallProblem(found.summary)


def typed_target(stand: Stand, sample: Sample) -> str:
    command = parse(sample.typed.format(**stand.words), stand.catalog)
    assert isinstance(command, Command)
    assert command.target is not None
    return command.target


async def test_the_details_of_a_token_make_no_backend_look_ill() -> None:
    """`GET /api_token/ID` of Prefactor only tells when the token expires."""
    reply = {"status": "success", "details": {"id": "t1", "status": "active", "expires_at": "2027-01-01T00:00:00Z"}}
    agents = {"status": "success", "summaries": [], "pagination": {"next_page_offset": None}}
    bends: list[Bend | None] = [None]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = with_bend(reply, bends[0]) if "api_token" in request.path else json.dumps(agents).encode()
        return web.Response(body=body, content_type="application/json")

    async with serving(answer) as server:
        table = {"base_url": server.base_url, "token": "t-not-a-secret", "token_id": "t1"}
        for bend in (None, *bends_of(reply, ALL)):
            bends[0] = bend
            async with joined(plugins.load("prefactor"), "one", **table) as backend:
                health = await backend.backend.health()
            assert health.ok, f"{bend}: {health.summary}"
        assert any("/api_token/t1" in seen.path for seen in server.seen)


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        *((body, True) for body in (b"abc-1", b'"abc-1"', b" abc-1\n")),
        *((body, False) for body in (b"", b'""', b"{}", b"null; x", b'{"token": "abc-1"}', b"<html>", b"a b", b"\xff")),
    ],
)
async def test_the_token_of_a_login_is_text_or_json_and_anything_else_is_named(body: bytes, taken: bool) -> None:
    """`POST /login` of Itential: without a token that can be sent, the call itself is not sent."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/login":
            return web.Response(body=body, content_type="text/plain")
        return web.json_response({"result": "ok"} if "health" in request.path else [])

    async with serving(answer) as server:
        table = {"base_url": server.base_url, "username": "u", "password": "p-not-a-secret", "sign_in": "token"}
        async with joined(plugins.load("itential"), "one", **table) as backend:
            health = await backend.backend.health()
        called = any(seen.path.endswith("/connections") for seen in server.seen)
        assert called is taken, health.summary
        assert taken or "sent no token" in health.summary or "answered 200 with a web page" in health.summary
