"""All 31 operations of the ACC, from the words that Ana types in Slack to the bytes on the control plane's wire."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from bot.playground.planes.acc_jobs import Input
from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import Asked, ask, do, mention
from tests.world import World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
KEY = "server-key-not-a-secret"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One world for the whole table; every case has an agent of its own in it."""
    async with world(tmp_path_factory.mktemp("acc")) as made:
        made.acc.world.speed = 60.0
        yield made


class Place(NamedTuple):
    """An agent with something in everything: ids as the control plane knows them."""

    path: str
    agent: str
    run: str
    job: str
    schedule: str
    other: str

    def __str__(self) -> str:
        return f"acc:{self.path}"


def place(here: World) -> Place:
    """A new agent with a failed run, a job run of two, two schedules and two input files."""
    acc, number = here.acc, len(here.acc.world.agents)
    path = f"shop/case{number}"
    run, job, schedule, other = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what}{number}")) for what in "rjso")
    agent = acc.add_agent(path, sessions=3, backup=True, data_files=("a.csv", "b.csv"))
    acc.add_run(path, ago=900, run_id=run, script=Script(end="Failure", errors=2, message="2 pages failed"))
    acc.add_job(path, ago=1_800, job_id=job)
    for key in (schedule, other):
        acc.add_schedule(
            path,
            scheduleId=key,
            cron="0 0 0 1",
            startTime="2026-01-05T06:30:00",
            timeZoneId="AUS Eastern Standard Time",
            isWindowless=True,
            isEnabled=True,
        )
    for name in ("input1.csv", "input2.csv"):
        acc.world.inputs[agent.agent_id][name] = Input(name, b"URL\r\n")
    return Place(path, agent.agent_id, run, job, schedule, other)


class Case(NamedTuple):
    """`text`, `path` and `card` may name the ids of a Place. `body` None: there is none; bytes: exactly these; else JSON."""

    name: str
    text: str
    method: str
    path: str
    query: str = ""
    body: Any = None
    card: tuple[str, ...] = ()
    danger: bool = False


START = "/api/agent/{agent}/cluster/start"
METHODS = ("Restart", "Continue", "ContinueRefreshAgent", "ContinueAndRetryErrors", "New")
MARKS = (
    ("never-run", "Never Run"),
    ("in-progress", "In Progress"),
    ("in-progress-with-failure", "In Progress With Failure"),
    ("succeeded", "Succeeded"),
    ("failure", "Failure"),
    ("failed", "Failed"),
)
CHECK = {"key": KEY, "ipAddress": "10.20.0.11", "port": 8004, "useSsl": False, "serverRefresh": True}

CASES = (
    Case(
        "1 agent details",
        "status acc:{place}",
        "GET",
        "/api/agent",
        "agentPath={place}",
        card=("Failure", "2 pages failed", "2 of 2 on"),
    ),
    Case("2 start", "run acc:{place}", "POST", START, body={}, card=("start acc:{place}",)),
    Case(
        "2 start with every field",
        'start acc:{place} session="s 1" log_level=3 production=false input.region=north input.name2="a \\"b\\" ü" '
        "files=input1.csv,input2.csv delete_files=true -- the monthly check",
        "POST",
        START,
        body={
            "sessionId": "s 1",
            "logLevel": 3,
            "isProductionRun": False,
            "inputParameters": '{"region":"north","name2":"a \\"b\\" ü"}',
            "inputFiles": ["input1.csv", "input2.csv"],
            "isDeleteInputFilesOnCompleted": True,
        },
        card=("start acc:{place}", "the monthly check", "north"),
    ),
    Case(
        "2 start in several sessions, waiting",
        "start acc:{place} sessions=true sync=true timeout=30s",
        "POST",
        START,
        body={"useMultipleSessions": True, "isSynchronous": True, "synchronousTimeout": 30},
        card=("start acc:{place}",),
    ),
    Case(
        "2 start for plain data",
        "start acc:{place} sync=true timeout=1m delivery=plain",
        "POST",
        START,
        body={"isSynchronous": True, "synchronousTimeout": 60, "synchronousDataDelivery": "Plain"},
        card=("start acc:{place}", "its data is here"),
    ),
    Case(
        "2 start for zipped data",
        "start acc:{place} sync=true delivery=zip",
        "POST",
        START,
        body={"isSynchronous": True, "synchronousTimeout": 60, "synchronousDataDelivery": "Zip"},
        card=("start acc:{place}", "its data is here"),
    ),
    Case("3 restart", "restart acc:run/{run}", "POST", "/api/run/{run}/restart", card=("restart acc:{place}",)),
    Case(
        "4 retry",
        "rerun acc:run/{run}",
        "POST",
        "/api/run/{run}/retry",
        "RunMethod=ContinueAndRetryErrorsRefreshAgent",
        card=("retry acc:{place}",),
    ),
    *(
        Case(
            f"4 retry {method}",
            f"retry acc:{{place}}@failed method={method}",
            "POST",
            "/api/run/{run}/retry",
            f"RunMethod={method}",
            card=("retry acc:{place}", method),
        )
        for method in METHODS
    ),
    Case("5 run details", "status acc:run/{run}", "GET", "/api/run/{run}", card=("Failure", "2 pages failed")),
    Case(
        "6 run history",
        "history acc:{place} count=7",
        "GET",
        "/api/agent/{agent}/history",
        "count=7",
        card=("the latest 2 runs, 1 of them failed", "run/{run}"),
    ),
    Case(
        "7 start job",
        "start acc:{place} as=job session=s1 log_level=0 production=false input.a=1 files=input1.csv delete_files=true",
        "POST",
        "/api/job/{agent}/start",
        body={
            "sessionId": "s1",
            "logLevel": 0,
            "isProductionRun": False,
            "inputParameters": '{"a":"1"}',
            "inputFiles": ["input1.csv"],
            "isDeleteInputFilesOnCompleted": True,
        },
        card=("start acc:{place}",),
    ),
    Case("8 job run details", "status acc:jobrun/{job}", "GET", "/api/job/run/{job}", card=("Succeeded", "Job run")),
    Case(
        "9 job run history",
        "history acc:{place} as=job count=2",
        "GET",
        "/api/job/{agent}/history",
        "count=2",
        card=("the latest 1 job run, none of them failed", "jobrun/{job}"),
    ),
    Case(
        "10 runs of a job run",
        "history acc:jobrun/{job} count=3",
        "GET",
        "/api/agent/{agent}/run/1/history",
        "count=3",
        card=("Job run 1 of {place}: the latest 1 run",),
    ),
    Case(
        "11 schedules",
        "schedules acc:{place}",
        "GET",
        "/api/job/{agent}/schedules",
        card=("2 schedules, 2 of them on", "schedule/{schedule}", "AUS Eastern Standard Time"),
    ),
    Case(
        "12 update a schedule",
        'schedule set acc:{place} id={schedule} cron="0 0 7 * * 1-5" start=2026-07-16T11:21:20 zone=Europe/Berlin '
        "session=s1 input.par1=2000 log_level=2 windowless=false enabled=false",
        "POST",
        "/api/job/{agent}/schedule",
        body={
            "scheduleId": "{schedule}",
            "cron": "0 0 7 * * 1-5",
            "sessionId": "s1",
            "startTime": "2026-07-16T11:21:20",
            "timeZoneId": "W. Europe Standard Time",
            "inputParameters": '{"par1":"2000"}',
            "logLevel": 2,
            "isWindowless": False,
            "isEnabled": False,
        },
        card=("A schedule of {place} was changed",),
    ),
    Case(
        "13 delete a schedule",
        "schedule delete acc:schedule/{schedule}",
        "DELETE",
        "/api/job/schedule/{schedule}",
        card=("The schedule {schedule} is deleted",),
        danger=True,
    ),
    Case(
        "14 delete all schedules",
        "schedule delete acc:{place}",
        "DELETE",
        "/api/job/{agent}/schedules",
        card=("All schedules of {place} are deleted",),
        danger=True,
    ),
    Case(
        "15 start a schedule",
        "schedule start acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/start",
        card=("schedule start acc:{place}",),
    ),
    Case(
        "16 switch a schedule off",
        "disable acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/off",
        card=("is off",),
    ),
    Case(
        "17 switch all off",
        "schedule off acc:{place}",
        "POST",
        "/api/job/{agent}/schedules/off",
        card=("All schedules of {place} are off",),
    ),
    Case(
        "18 switch a schedule on",
        "enable acc:schedule/{schedule}",
        "POST",
        "/api/job/schedule/{schedule}/on",
        card=("is on",),
    ),
    Case(
        "19 switch all on",
        "schedule on acc:{place}",
        "POST",
        "/api/job/{agent}/schedules/on",
        card=("All schedules of {place} are on",),
    ),
    *(
        Case(
            f"20 mark as {word}",
            f"mark acc:{{place}} as={word}",
            "POST",
            "/api/job/{agent}/status",
            body={"status": number},
            card=(f"is marked as {state}.",),
        )
        for number, (word, state) in enumerate(MARKS)
    ),
    Case("21 log of a run", "logs acc:run/{run}", "GET", "/api/run/{run}/log", card=("Log of {place}", "[redacted]")),
    Case(
        "22 logs of a job run",
        "log acc:jobrun/{job}",
        "GET",
        "/api/job/run/{job}/logs",
        card=("Log of {place}", "[redacted]"),
    ),
    Case(
        "23 data of a job run",
        "data acc:jobrun/{job}",
        "GET",
        "/api/job/run/{job}/backup",
        card=("Data of {place} is here",),
    ),
    Case("24 data of a run", "data acc:run/{run}", "GET", "/api/run/{run}/backup", card=("Data of {place} is here",)),
    Case(
        "25 CSV input",
        'input put acc:{place} name="in put&1.csv" text="URL,ü\nhttp://www.example.com?a=1&b=<2>"',
        "POST",
        "/api/input/agent/{agent}/csv",
        "name=in%20put%261.csv",
        body="URL,ü\nhttp://www.example.com?a=1&b=<2>".encode(),
        card=("has the input in put&amp;1.csv",),
    ),
    Case(
        "27 delete inputs",
        "input clear acc:{place}",
        "DELETE",
        "/api/input/agent/{agent}",
        card=("All input files of {place} are deleted",),
        danger=True,
    ),
    Case(
        "28 disable inputs",
        "input disable acc:{place}",
        "POST",
        "/api/input/agent/{agent}/disable",
        card=("All input files of {place} are disabled",),
        danger=True,
    ),
    Case(
        "29 server check",
        "health acc:server/server-1",
        "POST",
        "/api/server/check",
        body=CHECK,
        card=("Server server-1 answers", "2 % average"),
    ),
    Case(
        "30 disapprove",
        'agent disapprove acc:{place} because breaks the site\'s "terms"',
        "POST",
        "/api/agent/{agent}/toggleAgentApproval/True",
        body='breaks the site\'s "terms"',
        card=("{place} is no longer approved",),
        danger=True,
    ),
    Case(
        "31 approve",
        "agent approve acc:{place} -- reviewed by Lee",
        "POST",
        "/api/agent/{agent}/toggleAgentApproval/False",
        body="reviewed by Lee",
        card=("{place} is approved", "reviewed by Lee"),
    ),
)
READS = ("status", "history", "schedules", "log", "data", "health")


def filled(text: str, at: Place) -> str:
    """`{agent}` and its like replaced; `{place}` is the agent's path."""
    for name in ("agent", "run", "job", "schedule", "other"):
        text = text.replace(f"{{{name}}}", getattr(at, name))
    return text.replace("{place}", at.path)


def filled_body(body: Any, at: Place) -> Any:
    """The same of a body that is no bytes."""
    return json.loads(filled(json.dumps(body), at)) if not isinstance(body, bytes) else body


async def typed(here: World, text: str, *, danger: bool) -> Asked:
    """Type it; what is dangerous is only sent once `Run it` was pressed."""
    asked = await ask(here, text)
    if danger:
        before = await asked.card("Dangerous: look, then decide")
        assert before["ephemeral"]
        await asked.press("Run it")
    assert await asked.ends() == "done"
    return asked


class Played(NamedTuple):
    """A case, the agent that it was played on, and the request that it became."""

    case: Case
    at: Place
    asked: Asked

    @property
    def calls(self) -> list[Any]:
        """What the ACC was asked about this agent; the server check names none."""
        ids = ("/server/check",) if "server/" in self.case.path else (*self.at[1:], f"agentPath={self.at.path}")
        return [call for call in self.asked.calls if any(id_ in f"{call.raw_path}?{call.raw_query}" for id_ in ids)]


async def _play(here: World, case: Case) -> Played:
    at = place(here)
    if f"{at}" not in filled(case.text, at):
        await do(here, f"schedules {at}")
    asked = await ask(here, filled(case.text, at))
    return Played(case, at, asked)


async def _finish(played: Played) -> None:
    if played.case.danger:
        before = await played.asked.card("Dangerous: look, then decide")
        assert before["ephemeral"]
        assert [call.method for call in played.calls if call.method != "GET"] == []
        await played.asked.press("Run it")
    await played.asked.ends()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def table(town: World) -> dict[str, Played]:
    """Every case typed one after the other, and all worked on side by side; what went wrong shows in the case's own test."""
    played = [await _play(town, case) for case in CASES]
    await asyncio.gather(*(_finish(one) for one in played), return_exceptions=True)
    return {one.case.name: one for one in played}


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_an_operation_goes_from_slack_to_the_wire_and_back(
    town: World, table: dict[str, Played], name: str
) -> None:
    """Words in, exactly one call out as the vendor's page has it, its outcome on the card and in the register."""
    case, at, asked = table[name]
    path = filled(case.path, at)
    calls = [call for call in table[name].calls if (call.method, call.raw_path) == (case.method, path)]
    call = next(call for call in calls if call.raw_query == filled(case.query, at))
    assert call.headers["Authorization"] == f"Bearer {town.acc.token}"
    kind, body = call.headers.get("Content-Type"), filled_body(case.body, at)
    if body is None:
        assert (call.body, kind) == (b"", None)
    else:
        assert (call.body if isinstance(body, bytes) else call.json(), kind) == (body, JSON)
    if case.method != "GET":
        changes = [(call.method, call.raw_path) for call in table[name].calls if call.method != "GET"]
        assert changes == [(case.method, path)], "a change is sent once, and nothing else is"
    events = ["requested", "done"] if case.text.startswith(READS) else ["requested", "sent", "done"]
    assert asked.events[: len(events)] == events
    done = asked.row("done")
    assert (done.user_id, done.channel_id, done.backend, done.rule) == ("U0ANA", "C0CRAWL", "acc", "C0CRAWL allow 1")
    await asked.card(*(filled(part, at) for part in case.card))


async def test_the_plane_knew_every_field(town: World, table: dict[str, Played]) -> None:
    """No body of the table had a field that the vendor's page does not name."""
    assert len(table) == len(CASES)
    assert town.acc.surprises == []


async def test_every_operation_of_the_seed_is_in_this_file() -> None:
    """The table has 30 of the 31 operations; the multipart upload, number 26, has tests of its own below."""
    assert {int(case.name.split()[0]) for case in CASES} | {26} == set(range(1, 32))


def change_of(asked: Asked, at: Place) -> Any:
    """The one change that the agent's ACC was asked for."""
    (call,) = [call for call in asked.calls if call.method != "GET" and at.agent in call.raw_path]
    return call


def parts_of(body: bytes, content_type: str) -> dict[str, bytes]:
    """The files of a multipart body by name; the closing boundary must be there."""
    boundary = content_type.partition("boundary=")[2].encode()
    head, *parts, tail = body.split(b"--" + boundary)
    assert (head, tail) == (b"", b"--\r\n")
    files = {}
    for part in parts:
        headers, _, content = part.partition(b"\r\n\r\n")
        assert content.endswith(b"\r\n")
        files[headers.partition(b'filename="')[2].partition(b'"')[0].decode()] = content[:-2]
    return files


async def test_files_attached_to_a_mention_are_uploaded(town: World) -> None:
    """26: every file of the message becomes one part of one multipart call, whole and under its own name."""
    at = place(town)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", "a,b\r\n")
    files = (("urls.csv", b"URL\r\n--not-a-boundary\r\n" * 5_000), ("many.zip", packed.getvalue()))
    asked = await mention(town, f"input upload {at}", files=files)
    assert await asked.ends() == "done"
    call = change_of(asked, at)
    assert (call.raw_path, call.raw_query) == (f"/api/input/agent/{at.agent}/files", "")
    assert call.headers["Authorization"] == f"Bearer {town.acc.token}"
    assert call.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert parts_of(call.body, call.headers["Content-Type"]) == dict(files)
    card = await asked.card(f"{at.path} has 2 new input files")
    assert card["thread_ts"], "the answer stands in the thread of the mention"
    assert {"urls.csv", "inner.csv"} <= set(town.acc.inputs[at.path])
    assert asked.events == ["requested", "sent", "done"]


async def test_text_can_be_uploaded_without_a_file(town: World) -> None:
    """26: `name=` and `text=` make the one part."""
    at = place(town)
    asked = await typed(town, f'input upload {at} name=more.txt text="one line"', danger=False)
    call = change_of(asked, at)
    assert parts_of(call.body, call.headers["Content-Type"]) == {"more.txt": b"one line"}


async def test_a_csv_can_come_from_an_attached_file(town: World) -> None:
    """25: the attached file's bytes are the body."""
    at = place(town)
    asked = await mention(town, f"input put {at} name=prices.csv", files=(("x.csv", b"a,b\r\n1,\xc3\xbc\r\n"),))
    assert await asked.ends() == "done"
    call = change_of(asked, at)
    assert (call.raw_query, call.body) == ("name=prices.csv", b"a,b\r\n1,\xc3\xbc\r\n")


async def test_a_new_schedule_gets_its_id_from_the_bot(town: World) -> None:
    """12: without `id=` a schedule is added under an id that the bot made and the card tells."""
    at = place(town)
    text = f'schedule set {at} cron="0 0 0 1" start=2026-07-16T11:21:20 zone="AUS Eastern Standard Time"'
    asked = await typed(town, text, danger=False)
    call = change_of(asked, at)
    made = call.json()["scheduleId"]
    assert uuid.UUID(made)
    assert made in town.acc.schedules
    assert call.json() == {
        "scheduleId": made,
        "cron": "0 0 0 1",
        "sessionId": None,
        "startTime": "2026-07-16T11:21:20",
        "timeZoneId": "AUS Eastern Standard Time",
        "inputParameters": "{}",
        "logLevel": 1,
        "isWindowless": True,
        "isEnabled": True,
    }
    await asked.card(f"A schedule of {at.path} was added", made)


async def test_approval_and_disapproval_are_not_swapped(town: World) -> None:
    """30, 31: what people mean is what the ACC ends up with, and the reason stands in its file log."""
    at = place(town)
    await typed(town, f"agent disapprove {at} -- breaks terms", danger=True)
    await typed(town, f"agent approve {at} -- fixed by Lee", danger=False)
    log = [(entry.approved, entry.message) for entry in town.acc.approvals if entry.agent_path == at.path]
    assert log == [(False, "breaks terms"), (True, "fixed by Lee")]


@pytest.mark.parametrize("verb", ["agent approve", "agent disapprove"])
async def test_an_approval_without_a_reason_is_not_sent(town: World, verb: str) -> None:
    """30, 31: the reason is required; without it nothing goes out and the answer shows how to write it."""
    at = place(town)
    asked = await do(town, f"{verb} {at}")
    assert [path for _, path in asked.changes if at.agent in path] == []
    assert asked.row("failed").code == "reason_missing"
    await asked.card("needs a reason", " -- ")


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def uploaded(here: World, asked: Asked) -> tuple[str, bytes]:
    """The file in the thread of its card."""
    card = await asked.card()

    def look() -> Any:
        return next((f for f in here.ws.files.values() if f.name and card["ts"] in str(vars_of(f))), None)

    found = await here.until(look)
    return found.name, found.bytes


def vars_of(file: Any) -> dict[str, Any]:
    return {name: getattr(file, name) for name in dir(file) if not name.startswith("_") and name != "bytes"}


@pytest.mark.parametrize("target", ["run/{run}", "jobrun/{job}"])
async def test_a_log_is_uploaded_into_the_thread_without_its_secrets(town: World, target: str) -> None:
    """21, 22: the zip arrives as a zip, its members by name, with every secret masked in it and on the card."""
    at = place(town)
    await do(town, f"status {at}")
    asked = await typed(town, f"logs acc:{filled(target, at)}", danger=False)
    path = "/api/run/{run}/log" if target.startswith("run") else "/api/job/run/{job}/logs"
    assert (("GET", filled(path, at))) in [(call.method, call.raw_path) for call in asked.calls]
    name, content = await uploaded(town, asked)
    assert name.endswith(".zip")
    texts = b"\n".join(members(content).values())
    assert b"password=[redacted]" in texts
    assert b"Run ended" in texts
    secrets = [word for word in texts.split() if word.startswith(b"password=") and word != b"password=[redacted]"]
    assert secrets == []
    assert "password=[redacted]" in shown(await asked.card())


@pytest.mark.parametrize("target", ["run/{run}", "jobrun/{job}"])
async def test_data_is_uploaded_as_the_control_plane_packed_it(town: World, target: str) -> None:
    """23, 24: stored data arrives byte by byte."""
    at = place(town)
    asked = await typed(town, f"data acc:{filled(target, at)}", danger=False)
    name, content = await uploaded(town, asked)
    assert name.endswith(".zip")
    assert {"a.csv", "b.csv"} <= {member.rsplit("/", 1)[-1] for member in members(content)}


@pytest.mark.parametrize(("delivery", "suffix"), [("plain", ".csv"), ("zip", ".zip")])
async def test_a_synchronous_start_brings_its_data_into_the_thread(town: World, delivery: str, suffix: str) -> None:
    """2: `delivery=` uploads what the control plane answers with, the first file as text or all as a zip."""
    at = place(town)
    asked = await typed(town, f"start {at} sync=true delivery={delivery}", danger=False)
    name, content = await uploaded(town, asked)
    assert name.endswith(suffix)
    assert (content[:2] == b"PK") is (suffix == ".zip")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("as=job sync=true", "A job takes neither"),
        ("sessions=true session=s1", "`session=` must be left out"),
        ("delivery=zip", "need `sync=true`"),
        ("log_level=4", "at most 3"),
        ("production=perhaps", "takes `true` or `false`"),
        ("sync=true timeout=2h", "at most"),
        ("colour=red", "is not a parameter here"),
    ],
)
async def test_a_start_that_contradicts_itself_is_not_sent(town: World, words: str, said: str) -> None:
    """2, 7: what cannot be meant is refused with what would be accepted, and the control plane hears nothing."""
    at = place(town)
    asked = await do(town, f"start {at} {words}")
    assert [path for _, path in asked.changes if at.agent in path] == []
    assert asked.events[-1] == "failed"
    await asked.card(said)


@pytest.mark.parametrize("reply", ["empty", "204", "text"])
async def test_a_write_may_answer_with_nothing_or_with_words(town: World, reply: str) -> None:
    """Write replies are not documented: an empty body, 204 and plain text all mean that it was done."""
    at = place(town)
    usual, town.acc.write_reply = town.acc.write_reply, reply
    try:
        asked = await typed(town, f"schedule off {at}", danger=False)
        retried = await typed(town, f"retry acc:run/{at.run}", danger=False)
    finally:
        town.acc.write_reply = usual
    assert [schedule.enabled for schedule in town.acc.schedules.values() if schedule.agent.path == at.path] == [
        False,
        False,
    ]
    await asked.card("are off")
    newest = town.acc.world.runs_of[at.agent][-1].run_id
    assert retried.row("done").backend_ref == newest, "the new run is found in the history"


async def test_a_started_job_is_followed_to_its_end(town: World) -> None:
    """7, 8: the card of a job start ends in the job's own state, and the register has the end."""
    at = place(town)
    asked = await typed(town, f"start {at} as=job", danger=False)
    assert asked.row("done").backend_ref == town.acc.jobs[-1].job_id
    await town.until(lambda: "ended" in asked.events)
    card = await asked.card("Succeeded")
    assert "Log" in labels(card)
    assert asked.row("ended").code == "succeeded"


async def test_the_key_of_a_server_appears_nowhere(town: World) -> None:
    """29: the key goes to the control plane and to no message, no file, no row and no byte of the database."""
    asked = await typed(town, "health acc:server/server-2", danger=False)
    (call,) = [call for call in asked.calls if call.raw_path == "/api/server/check"]
    assert call.json() == {**CHECK, "ipAddress": "10.20.0.12", "port": 8005, "useSsl": True}
    await asked.card("Server server-2 answers")
    hidden = (KEY, town.acc.token)
    said = json.dumps([call.args for call in town.ws.calls], default=str)
    assert [secret for secret in hidden if secret in said] == []
    for path in town.folder.rglob("*"):
        if path.is_file() and path.name.startswith("signalbox.db"):
            content = path.read_bytes()
            assert [secret for secret in hidden if secret.encode() in content] == [], path.name
    rows = json.dumps([row.model_dump(mode="json") for row in town.register()])
    assert [secret for secret in hidden if secret in rows] == []


async def test_the_register_of_the_whole_table_verifies(town: World, table: dict[str, Played]) -> None:
    """The chain over everything that was done here is whole, and no call is without its row."""
    assert table
    assert town.bot.store.verify_sync(town.bot.store.head_sync()).ok
    done = [row for row in town.register(event="done") if row.verb == "start"]
    starts = [
        call for call in town.acc.requests if call.raw_path.endswith("/start") and "schedule" not in call.raw_path
    ]
    assert len(done) == len(starts)
    requests = {row.request_id for row in town.register(event="sent")}
    assert {row.request_id for row in done} <= requests
