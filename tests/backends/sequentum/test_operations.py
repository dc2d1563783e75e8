"""Every operation of the vendor's page, from the words of a person to the bytes on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from bot.backends.sequentum import PLUGIN
from bot.core.command.capability import Risk
from bot.core.errors import BadRequest
from tests.backends.fakes import Attached

from .support import AGENT, JOB, PATH, RUN, SCHEDULE, SCHEDULE_REPLY, SERVER_KEY, TOKEN, RecordingAcc, joined, said


class Wire(NamedTuple):
    """One call: `body` None is none, bytes as they are, anything else JSON."""

    method: str
    path: str
    query: str = ""
    body: Any = None
    content_type: str | None = None


class Case(NamedTuple):
    name: str
    verb: str
    target: str
    words: dict[str, Any]
    wire: Wire


JSON = "application/json"
SAMPLE_SCHEDULE = "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"
CSV = "URL\r\nhttp://www.sequentum.com\r\nhttp://www.sequentum.com/help\r\nhttp://www.sequentum.com/account "
CASES = (
    Case("1 agent details", "status", PATH, {}, Wire("GET", "/api/agent", f"agentPath={PATH}")),
    Case(
        "2 start on cluster, every field",
        "start",
        PATH,
        {
            "session": "s 1",
            "log_level": 3,
            "production": False,
            "input": {"name1": "value1", "näme2": 'a"b'},
            "files": ["input1.csv", "input2.csv"],
            "delete_files": True,
        },
        Wire(
            "POST",
            f"/api/agent/{AGENT}/cluster/start",
            body={
                "sessionId": "s 1",
                "logLevel": 3,
                "isProductionRun": False,
                "isDeleteInputFilesOnCompleted": True,
                "inputParameters": '{"name1":"value1","näme2":"a\\"b"}',
                "inputFiles": ["input1.csv", "input2.csv"],
            },
            content_type=JSON,
        ),
    ),
    Case("2 start, nothing said", "start", PATH, {}, Wire("POST", f"/api/agent/{AGENT}/cluster/start", body={})),
    Case(
        "2 start, the vendor's sample",
        "start",
        PATH,
        {"log_level": 1, "production": True, "input": {"input1": "my input 1", "input2": "my input 2"}},
        Wire(
            "POST",
            f"/api/agent/{AGENT}/cluster/start",
            body={
                "logLevel": 1,
                "isProductionRun": True,
                "inputParameters": '{"input1":"my input 1","input2":"my input 2"}',
            },
        ),
    ),
    Case(
        "2 start, several sessions, waiting",
        "start",
        PATH,
        {"sessions": True, "sync": True, "timeout": 30},
        Wire(
            "POST",
            f"/api/agent/{AGENT}/cluster/start",
            body={"useMultipleSessions": True, "isSynchronous": True, "synchronousTimeout": 30},
        ),
    ),
    Case("3 restart", "restart", f"run/{RUN}", {}, Wire("POST", f"/api/run/{RUN}/restart")),
    *(
        Case(
            f"4 retry {method}",
            "retry",
            f"run/{RUN}",
            given,
            Wire("POST", f"/api/run/{RUN}/retry", f"RunMethod={method}"),
        )
        for method, given in [
            ("ContinueAndRetryErrorsRefreshAgent", {}),
            *(
                (m, {"method": m})
                for m in ("Restart", "Continue", "ContinueRefreshAgent", "ContinueAndRetryErrors", "New")
            ),
        ]
    ),
    Case("5 run details", "status", f"run/{RUN}", {}, Wire("GET", f"/api/run/{RUN}")),
    Case("6 history", "history", PATH, {"count": 7}, Wire("GET", f"/api/agent/{AGENT}/history", "count=7")),
    Case(
        "7 start job",
        "start",
        PATH,
        {"as_": "job", "session": "s1", "log_level": 0, "production": False, "files": ["a.csv"], "delete_files": True},
        Wire(
            "POST",
            f"/api/job/{AGENT}/start",
            body={
                "sessionId": "s1",
                "logLevel": 0,
                "isProductionRun": False,
                "isDeleteInputFilesOnCompleted": True,
                "inputFiles": ["a.csv"],
            },
        ),
    ),
    Case("8 job run details", "status", f"jobrun/{JOB}", {}, Wire("GET", f"/api/job/run/{JOB}")),
    Case(
        "9 job history",
        "history",
        PATH,
        {"as_": "job", "count": 2},
        Wire("GET", f"/api/job/{AGENT}/history", "count=2"),
    ),
    Case(
        "10 runs of a job run",
        "history",
        f"jobrun/{JOB}",
        {"count": 1},
        Wire("GET", f"/api/agent/{AGENT}/run/3/history", "count=1"),
    ),
    Case("11 schedules", "schedules", PATH, {}, Wire("GET", f"/api/job/{AGENT}/schedules")),
    Case(
        "12 set a schedule, the vendor's sample",
        "schedule set",
        PATH,
        {
            "id": SAMPLE_SCHEDULE,
            "cron": "0 0 0 1",
            "start": "2019-07-16T11:21:20",
            "zone": "AUS Eastern Standard Time",
            "input": {"par1": "2000", "par2": "5000"},
            "log_level": 1,
            "windowless": True,
            "enabled": True,
        },
        Wire(
            "POST",
            f"/api/job/{AGENT}/schedule",
            body={
                "scheduleId": SAMPLE_SCHEDULE,
                "cron": "0 0 0 1",
                "sessionId": None,
                "startTime": "2019-07-16T11:21:20",
                "timeZoneId": "AUS Eastern Standard Time",
                "inputParameters": '{"par1":"2000","par2":"5000"}',
                "logLevel": 1,
                "isWindowless": True,
                "isEnabled": True,
            },
        ),
    ),
    Case(
        "13 delete a schedule",
        "schedule delete",
        f"schedule/{SCHEDULE}",
        {},
        Wire("DELETE", f"/api/job/schedule/{SCHEDULE}"),
    ),
    Case("14 delete all schedules", "schedule delete", PATH, {}, Wire("DELETE", f"/api/job/{AGENT}/schedules")),
    Case(
        "15 start a schedule",
        "schedule start",
        f"schedule/{SCHEDULE}",
        {},
        Wire("POST", f"/api/job/schedule/{SCHEDULE}/start"),
    ),
    Case(
        "16 schedule off",
        "schedule off",
        f"schedule/{SCHEDULE}",
        {"for_": 7200},
        Wire("POST", f"/api/job/schedule/{SCHEDULE}/off"),
    ),
    Case(
        "17 all schedules off",
        "schedule off",
        PATH,
        {"until": "Mon 07:00"},
        Wire("POST", f"/api/job/{AGENT}/schedules/off"),
    ),
    Case("18 schedule on", "schedule on", f"schedule/{SCHEDULE}", {}, Wire("POST", f"/api/job/schedule/{SCHEDULE}/on")),
    Case("19 all schedules on", "schedule on", PATH, {}, Wire("POST", f"/api/job/{AGENT}/schedules/on")),
    *(
        Case(
            f"20 mark {word}",
            "mark",
            PATH,
            {"as_": word},
            Wire("POST", f"/api/job/{AGENT}/status", body={"status": number}),
        )
        for number, word in enumerate(
            ("never-run", "in-progress", "in-progress-with-failure", "succeeded", "failure", "failed")
        )
    ),
    Case("21 log of a run", "logs", f"run/{RUN}", {}, Wire("GET", f"/api/run/{RUN}/log")),
    Case("22 logs of a job run", "logs", f"jobrun/{JOB}", {}, Wire("GET", f"/api/job/run/{JOB}/logs")),
    Case("23 data of a job run", "data", f"jobrun/{JOB}", {}, Wire("GET", f"/api/job/run/{JOB}/backup")),
    Case("24 data of a run", "data", f"run/{RUN}", {}, Wire("GET", f"/api/run/{RUN}/backup")),
    Case(
        "25 CSV input",
        "input put",
        PATH,
        {"name": "in put&1.csv", "text": CSV},
        Wire("POST", f"/api/input/agent/{AGENT}/csv", "name=in%20put%261.csv", CSV.encode(), JSON),
    ),
    Case(
        "26 upload",
        "input upload",
        PATH,
        {"name": "input2.csv", "text": "a,b\r\n"},
        Wire(
            "POST",
            f"/api/input/agent/{AGENT}/files",
            body=(
                b"--signalboxB\r\n"
                b'Content-Disposition: form-data; name="filename"; filename="input2.csv"\r\n'
                b"Content-Type: text/csv\r\n\r\na,b\r\n\r\n--signalboxB--\r\n"
            ),
            content_type="multipart/form-data; boundary=signalboxB",
        ),
    ),
    Case("27 delete inputs", "input clear", PATH, {}, Wire("DELETE", f"/api/input/agent/{AGENT}")),
    Case("28 disable inputs", "input disable", PATH, {}, Wire("POST", f"/api/input/agent/{AGENT}/disable")),
    Case(
        "29 server check",
        "health",
        "server/crawl-1",
        {},
        Wire(
            "POST",
            "/api/server/check",
            body={"key": SERVER_KEY, "ipAddress": "127.0.0.1", "port": 8004, "useSsl": False, "serverRefresh": True},
        ),
    ),
    Case(
        "30 disapprove",
        "agent disapprove",
        PATH,
        {"reason": 'breaks "terms"'},
        Wire("POST", f"/api/agent/{AGENT}/toggleAgentApproval/True", body='breaks "terms"', content_type=JSON),
    ),
    Case(
        "31 approve",
        "agent approve",
        PATH,
        {"reason": "reviewed by Lee"},
        Wire("POST", f"/api/agent/{AGENT}/toggleAgentApproval/False", body="reviewed by Lee", content_type=JSON),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_an_operation_becomes_exactly_this_call(case: Case) -> None:
    """Method, raw path, query, headers and body are those of the vendor's page, and a change is made once."""
    known = [SCHEDULE_REPLY, {**SCHEDULE_REPLY, "scheduleId": SAMPLE_SCHEDULE}]
    async with joined(RecordingAcc({("GET", f"/api/job/{AGENT}/schedules"): said(known)})) as env:
        await env.do("schedules", PATH)
        boundary = f"signalbox{'00000000-0000-4000-8000-000000000001'.replace('-', '')}"
        done = await env.do(case.verb, case.target, **case.words)
        assert done.summary
        wire = case.wire
        sent = [seen for seen in env.acc.seen if (seen.method, seen.path) == (wire.method, wire.path)]
        assert sent
        seen = sent[-1]
        assert seen.query == wire.query
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        content, kind = seen.body.replace(boundary.encode(), b"signalboxB"), seen.headers.get("content-type")
        if wire.body is None:
            assert (content, kind) == (b"", None)
        elif isinstance(wire.body, bytes):
            assert content == wire.body
        else:
            assert json.loads(content) == wire.body
        if wire.content_type:
            assert kind is not None
            assert kind.replace(boundary, "signalboxB") == wire.content_type
        if wire.method != "GET":
            assert [(one.method, one.path) for one in env.acc.changes()] == [(wire.method, wire.path)]


def test_every_operation_has_a_case() -> None:
    """The table covers all 31 operations of the vendor's page, and every row of the plugin."""
    assert {int(case.name.split()[0]) for case in CASES} == set(range(1, 32))
    kinds = {"run": "run", "jobrun": "jobrun", "schedule": "schedule", "server": "server"}
    covered = {(case.verb, kinds.get(case.target.split("/")[0], "agent")) for case in CASES}
    assert covered == {(row.verb, row.target) for row in PLUGIN.spec.capabilities}


def test_risk_and_repeat_safety_are_those_of_the_plan() -> None:
    """What starts something, or is about whatever is there when it is sent, is never repeated; what destroys is danger; logs and
    data are their own verbs."""
    rows = {(row.verb, row.target): row for row in PLUGIN.spec.capabilities}
    unsafe = {key for key, row in rows.items() if not row.idempotent}
    starts = {("start", "agent"), ("restart", "run"), ("retry", "run"), ("schedule start", "schedule")}
    assert {key for key, row in rows.items() if row.starts_run} == starts
    assert unsafe - starts == {
        ("mark", "agent"),
        ("input clear", "agent"),
        ("input disable", "agent"),
        ("schedule delete", "agent"),
        ("schedule delete", "schedule"),
    }
    assert {key for key, row in rows.items() if row.risk is Risk.DANGER} == {
        ("schedule delete", "schedule"),
        ("schedule delete", "agent"),
        ("input clear", "agent"),
        ("input disable", "agent"),
        ("agent disapprove", "agent"),
    }
    assert {key[0] for key, row in rows.items() if row.own_verb} == {"logs", "data"}
    assert {key for key, row in rows.items() if row.pausable} == {
        ("schedule off", "schedule"),
        ("schedule off", "agent"),
    }
    assert all(row.resumes == "schedule on" for row in rows.values() if row.pausable)
    assert {key[0] for key, row in rows.items() if row.reason_required} == {"agent approve", "agent disapprove"}
    assert {key[0] for key, row in rows.items() if row.risk is not Risk.READ and not row.effect} == set()


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("corrected", [f"/api/job/{AGENT}/schedules/on"]),
        ("printed", [f"/api/job/{AGENT}schedules/on"]),
        ("auto", [f"/api/job/{AGENT}/schedules/on", f"/api/job/{AGENT}schedules/on"]),
    ],
)
async def test_the_misprinted_path_is_tried_second(setting: str, paths: list[str]) -> None:
    """Where the sample's path is not found, `auto` uses the printed one, once."""
    from aiohttp import web  # noqa: PLC0415

    acc = RecordingAcc({("POST", f"/api/job/{AGENT}/schedules/on"): lambda: web.Response(status=404)})
    async with joined(acc, schedules_on_path=setting) as env:
        if setting == "corrected":
            with pytest.raises(Exception, match="has no agent"):
                await env.do("schedule on", PATH)
        else:
            assert (await env.do("schedule on", PATH)).summary == f"All schedules of {PATH} are on."
        assert [seen.path for seen in acc.changes()] == paths


async def test_the_misprinted_path_is_tried_after_a_lost_answer_too() -> None:
    """Not found is what the repeat of the lost call says: then the other path is the right one."""
    from aiohttp import web  # noqa: PLC0415

    statuses = [503]
    answer = lambda: web.Response(status=statuses.pop() if statuses else 404)  # noqa: E731
    acc = RecordingAcc({("POST", f"/api/job/{AGENT}/schedules/on"): answer})
    async with joined(acc, schedules_on_path="auto") as env:
        assert (await env.do("schedule on", PATH)).summary == f"All schedules of {PATH} are on."


async def test_attached_files_are_uploaded_in_one_call() -> None:
    """Every file of the message becomes one part, whole and under its own name."""
    async with joined() as env:
        env.call.files = {"F1": Attached("a.csv", b"x" * 1000), "F2": Attached("b.zip", b"PK" + b"y" * 3000)}
        done = await env.do("input upload", PATH, attached=("F1", "F2"))
        seen = env.acc.changes()[-1]
        assert done.facts[0].value == "a.csv, b.zip"
        assert seen.body.count(b"Content-Disposition") == 2
        assert b"x" * 1000 + b"\r\n--" in seen.body
        assert b"PK" + b"y" * 3000 + b"\r\n--" in seen.body


async def test_an_upload_tells_its_length() -> None:
    """As every sample of the vendor's page does; not in chunks of unknown number."""
    async with joined() as env:
        env.call.files = {"F1": Attached("a.csv", b"x" * 1000)}
        await env.do("input upload", PATH, attached=("F1",))
        seen = env.acc.changes()[-1]
        assert seen.headers["content-length"] == str(len(seen.body))
        assert "transfer-encoding" not in seen.headers


@dataclass(frozen=True)
class Grown(Attached):
    """A file of which Slack told another size."""

    announced: int = 0

    @property
    def size(self) -> int:
        return self.announced


@pytest.mark.parametrize("announced", [999, 1001])
async def test_a_file_of_another_size_than_announced_is_not_uploaded(announced: int) -> None:
    """The length is sent first, so the rest has to fit it."""
    async with joined() as env:
        env.call.files = {"F1": Grown("a.csv", b"x" * 1000, announced)}
        with pytest.raises(BadRequest, match="a size other than announced"):
            await env.do("input upload", PATH, attached=("F1",))


@pytest.mark.parametrize("verb", ["input put", "input upload"])
async def test_typed_line_breaks_are_line_breaks(verb: str) -> None:
    r"""`text="a\r\nb"` is two lines; a backslash is written twice."""
    async with joined() as env:
        await env.do(verb, PATH, name="a.csv", text=r"a\r\nb\tC:\\new")
        assert b"a\r\nb\tC:\\new" in env.acc.changes()[-1].body


async def test_one_attached_file_can_be_the_csv() -> None:
    """`input put` takes its text from the attached file too."""
    async with joined() as env:
        env.call.files = {"F1": Attached("whatever.csv", b"a,b\n1,2\n")}
        done = await env.do("input put", PATH, name="prices.csv", attached=("F1",))
        seen = env.acc.changes()[-1]
        assert (seen.query, seen.body) == ("name=prices.csv", b"a,b\n1,2\n")
        assert done.summary == f"{PATH} now has the input prices.csv."
