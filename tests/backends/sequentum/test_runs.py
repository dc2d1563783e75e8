"""Runs: how they are shown, followed, and found again when an answer was lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.backends.sequentum.states import JOB as JOB_STATES
from bot.backends.sequentum.states import RUN as RUN_STATES
from bot.backends.sequentum.states import SCHEDULE as SCHEDULE_STATES
from bot.backends.sequentum.states import named
from bot.backends.sequentum.times import moment, span
from bot.backends.sequentum.views import usage_text
from bot.core.outcome import Done, Phase
from bot.core.problems import BadReply, BadRequest, Lost, Rejected
from tests.httpkit.support import NOON

from .support import AGENT, JOB, JOB_REPLY, PATH, RUN, RUN_REPLY, SCHEDULE, Joined, RecordingAcc, file, joined, said

HISTORY = ("GET", f"/api/agent/{AGENT}/history")
START = ("POST", f"/api/agent/{AGENT}/cluster/start")


def run_at(seconds: float, run: str = "new", **more: Any) -> dict[str, Any]:
    """A running run that began so many seconds after noon."""
    began = (NOON + timedelta(seconds=seconds)).isoformat()
    fresh = {"agentRunHistoryId": run, "startTime": began, "endTime": None, "status": 2, "isProductionRun": True}
    return {**RUN_REPLY, **fresh, **more}


def dated(value: object, ahead: float = 0.0) -> Any:
    """An answer whose Date header is so many seconds ahead of our clock."""
    stamp = (NOON + timedelta(seconds=ahead)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return lambda: web.json_response(value, headers={"Date": stamp})


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (RUN_STATES, "Never Run,Starting,Running,Delivery,Succeeded,Failed,Stopped,Failure"),
        (JOB_STATES, "Never Run,In Progress,In Progress With Failure,Succeeded,Failure,Failed"),
        (SCHEDULE_STATES, "Waiting,Running,Succeeded,Failed"),
    ],
)
def test_numbers_have_the_names_of_the_vendors_tables(table: Any, names: str) -> None:
    """Each table has its own meaning of the same number: 4 is a success for a run and a failure for a job."""
    assert [named(table, number)[0] for number in range(len(table))] == names.split(",")
    assert named(table, 9) == ("unknown (9)", Phase.UNREADABLE)
    assert named(table, "SOMETHING_NEW") == ("unknown (SOMETHING_NEW)", Phase.UNREADABLE)
    assert named(table, None)[1] is Phase.UNREADABLE


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("00:00:08.9677836", timedelta(seconds=8, microseconds=967783)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("10.00:00:00.5", timedelta(days=10, microseconds=500000)),
        ("-00:00:01", timedelta(seconds=-1)),
        ("later", None),
        (None, None),
    ],
)
def test_spans_are_read(text: str | None, length: timedelta | None) -> None:
    """.NET spans with and without days and fractions."""
    assert span(text) == length


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2019-05-21T13:52:14.3020127+10:00", datetime(2019, 5, 21, 3, 52, 14, 302012, UTC)),
        ("2019-05-30T15:36:00+10:00", datetime(2019, 5, 30, 5, 36, tzinfo=UTC)),
        ("2019-05-30T15:36:00", datetime(2019, 5, 30, 15, 36, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times_are_read(text: str, when: datetime | None) -> None:
    """Seven digits and offsets; year 1 and nonsense are no time."""
    assert moment(text) == when


def test_usages_are_read() -> None:
    """The vendor's own samples, with their uneven blanks; what is something else stays readable."""
    assert usage_text("6%, a:13%, p: 23 % ", 90) == "6 % now, 13 % average, 23 % peak (limit 90 %)"
    assert usage_text("C:47%") == "C: 47 %"
    assert usage_text("fine") == "fine"
    assert usage_text(None) == "not told"


async def test_the_vendors_sample_run_reads_well() -> None:
    """Facts have labels, the message is shown, and a good run suggests its log."""
    async with joined() as here:
        await here.target(PATH)
        done = await here.do("status", f"run/{RUN}")
        facts = {fact.label: fact.value for fact in done.facts}
        assert done.summary == f"{PATH} is Succeeded: Completed."
        assert facts["State"] == "Succeeded"
        assert facts["Run time"] == timedelta(seconds=8, microseconds=967783)
        assert (facts["Errors"], facts["Data rows"], facts["Server"]) == (0, 1, "127.0.0.1")
        assert "not delivered" in str(facts["Production"]) or "no (" in str(facts["Production"])
        assert done.view
        assert (done.view.phase, done.view.ended) == (Phase.SUCCEEDED, moment(str(RUN_REPLY["endTime"])))
        assert [step.label for step in done.next] == ["Log"]


async def test_what_makes_sense_next_depends_on_the_state() -> None:
    """A run that goes on can be looked at again, a failed one retried by its method; there is no stop."""
    async with joined() as here:
        await here.target(PATH)
        labels = {}
        for status in range(1, 8):
            here.acc.answers["GET", f"/api/run/{RUN}"] = said({**RUN_REPLY, "status": status})
            done = await here.do("status", f"run/{RUN}")
            labels[status] = [step.label for step in done.next]
            if status == 7:
                assert done.next[1].params == (("method", "ContinueAndRetryErrorsRefreshAgent"),)
                assert done.next[1].target == f"acc:run/{RUN}"
    assert labels == {
        1: ["Refresh", "Log"],
        2: ["Refresh", "Log"],
        3: ["Refresh", "Log"],
        4: ["Log"],
        5: ["Log", "Retry"],
        6: ["Log", "Retry"],
        7: ["Log", "Retry"],
    }


async def test_an_agent_tells_its_newest_run_and_its_schedules() -> None:
    """One answer with the state, the next time and the schedules in their own zone."""
    async with joined() as here:
        done = await here.do("status", PATH)
        assert done.summary == f"{PATH}: the newest run, of 2019-05-21 03:52 UTC, is Succeeded."
        assert done.table
        assert done.table.rows[0][:4] == (
            "on", "Runs every day at 3:36:00 PM (AET).", "2019-05-30 15:36 +10:00", "AUS Eastern Standard Time"
        )  # fmt: skip
        assert done.run
        assert done.run.id == RUN


async def test_a_job_run_tells_its_agent_runs() -> None:
    """Its number leads to the runs in it, and progress counts them."""
    async with joined() as here:
        await here.target(PATH)
        done = await here.do("status", f"jobrun/{JOB}")
        assert done.summary == f"{PATH}: job run 3 is Succeeded."
        assert done.view
        assert (done.view.done, done.view.total) == (1, 1)
        assert done.table
        assert done.table.rows[0][-1] == f"run/{RUN}"


async def test_many_watched_runs_cost_one_request() -> None:
    """A poll of one agent is one request for its history, however many runs are watched."""
    runs = [{**RUN_REPLY, "agentRunHistoryId": f"r{i}", "status": 2} for i in range(200)]
    async with joined(RecordingAcc({HISTORY: said(runs)})) as here:
        agent = await here.target(PATH)
        watched = [here.backend._desk.finder.part("run", f"r{i}", agent) for i in range(200)]
        before = len(here.acc.seen)
        views = await here.backend.poll(AGENT, watched)
        assert len(here.acc.seen) == before + 1
        assert here.acc.seen[-1].query == "count=250"
        assert len(views) == 200
        assert views["r7"].state == "Running"


async def test_a_run_beyond_the_page_is_asked_for_by_itself() -> None:
    """What the history no longer lists is looked up; what is gone is said to be gone; jobs have their own history."""
    async with joined(RecordingAcc({HISTORY: said([])})) as here:
        agent = await here.target(PATH)
        part = here.backend._desk.finder.part
        views = await here.backend.poll(
            AGENT, [part("run", RUN, agent), part("run", "gone", agent), part("jobrun", JOB, agent)]
        )
        assert {one: view.state for one, view in views.items()} == {
            RUN: "Succeeded",
            "gone": "not found",
            JOB: "Succeeded",
        }
        assert views["gone"].phase is Phase.UNREADABLE


async def _lost_start(here: Joined, **words: Any) -> Any:
    operation = await here.operation("start", PATH, **words)
    with pytest.raises(Lost):
        await here.backend.run(operation, here.call)
    return operation


async def test_a_start_is_sent_once_and_a_lost_answer_is_lost() -> None:
    """A reply that never comes is Lost, and nothing is sent again."""
    async with joined() as here:

        async def drop(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "POST":
                assert request.transport
                request.transport.abort()
            return await RecordingAcc.handle(here.acc, request)

        here.acc.server.handler = drop
        await _lost_start(here)
        assert len(here.acc.changes()) == 1


FRENCH, GERMAN = '{"country": "fr"}', '{"city":"Bonn","country":"de"}'


@pytest.mark.parametrize(
    ("runs", "found", "candidates"),
    [
        ([run_at(1)], "new", []),
        ([run_at(-2)], None, []),
        ([run_at(-60)], None, []),
        ([], None, []),
        ([run_at(1, "seen-before")], None, []),
        ([run_at(1), run_at(2, "other")], None, ["new", "other"]),
        ([run_at(1, agentJobScheduleId=SCHEDULE)], None, []),
        ([run_at(1, runId=4)], None, []),
        ([run_at(1, isProductionRun=False)], None, []),
        ([run_at(1, inputParameters="{}")], "new", []),
        ([run_at(1, inputParameters='{"input_file_1":"c:/a.csv"}')], "new", []),
        ([run_at(1, inputParameters=FRENCH)], None, ["new"]),
        ([run_at(1), run_at(2, "other", inputParameters=FRENCH)], "new", []),
    ],
)
async def test_a_lost_start_is_looked_for_in_the_history(
    runs: list[Any], found: str | None, candidates: list[str]
) -> None:
    """Found is one new run since then; what cannot be told is shown; none is ever sure to be absent: it may be queued."""
    async with joined(RecordingAcc({HISTORY: dated(runs)})) as here:
        operation = await here.operation("start", PATH)
        part = here.backend._desk.finder.part("run", "seen-before", operation.target)
        await here.names.remember([part])
        here.clock.advance(0.5)
        back = await here.backend.look_back(operation, here.clock.now())
        assert (back.found.backend_ref if back.found else None, back.absent) == (found, False)
        assert back.again is (found is None)
        assert all(f"{one} at 2026" in back.evidence for one in candidates)
        assert ("may be it" in back.evidence) is bool(candidates)
        assert not here.acc.changes()


@pytest.mark.parametrize(
    ("told", "found", "may_be"),
    [
        (GERMAN, True, False),
        ('{ "country": "de", "city": "Bonn" }', True, False),
        ({"country": "de", "city": "Bonn"}, True, False),
        (FRENCH, False, False),
        ("{}", False, False),
        ('{"country":"de"}', False, False),
        (None, False, True),
        ("no JSON", False, True),
        ('{"country":"de","city":"Bonn","depth":3}', False, True),
    ],
)
async def test_a_run_with_other_inputs_is_somebody_elses(told: Any, found: bool, may_be: bool) -> None:
    """Inputs are compared by what they mean; a run that shows none, or more, is only a candidate."""
    async with joined(RecordingAcc({HISTORY: dated([run_at(1, inputParameters=told)])})) as here:
        operation = await here.operation("start", PATH, input={"country": "de", "city": "Bonn"})
        back = await here.backend.look_back(operation, here.clock.now())
        assert (back.found is not None, "may be it" in back.evidence) == (found, may_be)
        assert f"history acc:{PATH}" in back.hint or found


async def test_without_a_clock_to_compare_a_run_of_a_moment_before_is_a_candidate() -> None:
    """No Date header: clocks may differ by 5 s, which the answer says; what began in that gap is never taken for ours."""

    def undated(value: Any) -> Any:
        return lambda: web.json_response(value, headers={"Date": "never"})

    for began, found in ((-2, False), (2, True)):
        async with joined(RecordingAcc({HISTORY: undated([run_at(began)])})) as here:
            back = await here.backend.look_back(await here.operation("start", PATH), here.clock.now())
            assert "5 s" in back.evidence
            assert (back.found is not None, "may be it" in back.evidence) == (found, not found)


@pytest.mark.parametrize(
    ("runs", "found", "may_be"),
    [
        ([{"inputParameters": GERMAN}], True, False),
        ([{"inputParameters": FRENCH}], False, False),
        ([{"inputParameters": GERMAN, "agentJobScheduleId": SCHEDULE}], False, False),
        ([], False, True),
    ],
)
async def test_a_lost_job_start_is_told_by_the_inputs_of_its_runs(
    runs: list[dict[str, Any]], found: bool, may_be: bool
) -> None:
    """A job run shows no inputs itself, the agent runs in it do, and none of them was begun by a schedule."""
    new = {**JOB_REPLY, "agentJobHistoryId": "j9", "startTime": run_at(1)["startTime"], "status": 1, "runId": 9}
    answers = {
        ("GET", f"/api/job/{AGENT}/history"): dated([new]),
        ("GET", f"/api/agent/{AGENT}/run/9/history"): dated([run_at(1, runId=9, **more) for more in runs]),
    }
    async with joined(RecordingAcc(answers)) as here:
        operation = await here.operation("start", PATH, as_="job", input={"country": "de", "city": "Bonn"})
        back = await here.backend.look_back(operation, here.clock.now())
        assert (back.found is not None, "may be it" in back.evidence) == (found, may_be)


async def test_a_clock_that_differs_does_not_hide_a_run() -> None:
    """The ACC's clock is read off its answer: a run that seems ten minutes old may be the one."""
    async with joined(RecordingAcc({HISTORY: dated([run_at(-599)], ahead=-600)})) as here:
        back = await here.backend.look_back(await here.operation("start", PATH), here.clock.now())
        assert back.found
    async with joined(RecordingAcc({HISTORY: dated([run_at(500)], ahead=600)})) as here:
        assert not (await here.backend.look_back(await here.operation("start", PATH), here.clock.now())).found


async def test_lost_restarts_jobs_and_schedules_are_looked_for_too() -> None:
    """A retry that goes on under its own id, a job run, and a schedule's run each have their sign."""
    async with joined() as here:
        await here.do("schedules", PATH)
        here.acc.answers[HISTORY] = dated([run_at(-3600, RUN)])
        retry = await here.operation("retry", f"run/{RUN}")
        assert (await here.backend.look_back(retry, here.clock.now())).found
        restart = await here.operation("restart", f"run/{RUN}")
        assert not (await here.backend.look_back(restart, here.clock.now())).found
        here.acc.answers[HISTORY] = dated([run_at(1, "by-schedule", agentJobScheduleId=SCHEDULE), run_at(1, "other")])
        schedule = await here.operation("schedule start", f"schedule/{SCHEDULE}")
        back = await here.backend.look_back(schedule, here.clock.now())
        assert back.found
        assert back.found.backend_ref == "by-schedule"
        new = {**JOB_REPLY, "agentJobHistoryId": "j9", "startTime": run_at(1)["startTime"], "status": 1, "runId": 9}
        here.acc.answers["GET", f"/api/job/{AGENT}/history"] = dated([new, JOB_REPLY])
        here.acc.answers["GET", f"/api/agent/{AGENT}/run/9/history"] = dated([])
        back = await here.backend.look_back(await here.operation("start", PATH, as_="job"), here.clock.now())
        assert back.found
        assert back.found.run
        assert (back.found.run.kind, back.found.backend_ref) == ("jobrun", "j9")


async def test_a_retry_finds_the_run_that_it_began() -> None:
    """The page shows no reply; a new run in the history is followed, else the run itself."""
    async with joined() as here:
        await here.target(PATH)
        here.acc.answers[HISTORY] = dated([run_at(0, "again"), RUN_REPLY])
        done = await here.do("retry", f"run/{RUN}")
        assert (done.backend_ref, done.summary) == (
            "again", f"The run of {PATH} was retried (ContinueAndRetryErrorsRefreshAgent)."
        )  # fmt: skip
        here.acc.answers[HISTORY] = said({"broken": True})
        assert (await here.do("restart", f"run/{RUN}")).backend_ref == RUN


@pytest.mark.parametrize(
    "words",
    [
        {"sessions": True, "session": "s1"},
        {"as_": "job", "sync": True},
        {"as_": "job", "sessions": True},
        {"delivery": "zip"},
        {"timeout": 30},
    ],
)
async def test_contradictions_are_refused_before_approval_and_unsent(words: dict[str, Any]) -> None:
    """Parameters that exclude each other make no operation."""
    async with joined() as here:
        with pytest.raises(BadRequest):
            await here.operation("start", PATH, **words)
        assert not here.acc.changes()


@pytest.mark.parametrize(("delivery", "content"), [("plain", b"a,b\n1,2\n"), ("zip", b"PK\x05\x06" + bytes(18))])
async def test_a_synchronous_start_brings_its_data(delivery: str, content: bytes) -> None:
    """The data comes back as a file with its hash, under a harmless name."""
    async with joined(RecordingAcc({START: file(content, "text/plain")})) as here:
        done = await here.do("start", PATH, sync=True, timeout=30, delivery=delivery)
        assert done.files[0].size == len(content)
        assert done.files[0].name == f"quick-data.{'zip' if delivery == 'zip' else 'csv'}"
        assert here.acc.changes()[0].body.decode().count(delivery.title()) == 1
        assert done.run is None
        assert here.call.told


async def test_a_synchronous_start_may_bring_ids_all_the_same() -> None:
    """Ids where data was asked for are a started run, and no file is left."""
    async with joined() as here:
        done = await here.do("start", PATH, sync=True, delivery="zip")
        assert done.run
        assert not done.files
        assert here.call.spool.left() == []


async def test_several_sessions_are_several_runs() -> None:
    """Every id is told, and all are followed as one."""
    async with joined(RecordingAcc({START: said({"agentRunHistoryIds": ["a", "b"]})})) as here:
        done = await here.do("start", PATH, sessions=True)
        assert done.summary == f"{PATH} was started in 2 sessions."
        assert done.facts[0].value == "a, b"
        assert done.run
        assert done.run.together == ("a", "b")
        assert (await here.names.by_id("acc", "run", "b")) is not None


@pytest.mark.parametrize(
    ("states", "state", "phase", "labels"),
    [
        ((4, 4), "Succeeded", Phase.SUCCEEDED, ["Log run 1", "Log run 2"]),
        ((4, 7), "Failure", Phase.FAILED, ["Log", "Retry"]),
        ((7, 4), "Failure", Phase.FAILED, ["Log", "Retry"]),
        ((6, 4), "Stopped", Phase.STOPPED, ["Log", "Retry"]),
        ((5, 7), "Failed", Phase.FAILED, ["Log run 1", "Retry run 1", "Log run 2", "Retry run 2"]),
        ((7, 2), "Running", Phase.ACTIVE, ["Log", "Retry"]),
        ((9, 4), "unknown (9)", Phase.UNREADABLE, ["Refresh run 1", "Log run 1", "Log run 2"]),
    ],
)
async def test_runs_of_one_start_end_together_as_the_worst_of_them(
    states: tuple[int, int], state: str, phase: Phase, labels: list[str]
) -> None:
    """One poll for all; they go on while one does; each is named with its state, and steps lead to those that went wrong."""
    runs = [{**RUN_REPLY, "agentRunHistoryId": f"r{at}", "status": status} for at, status in enumerate(states)]
    answers = {START: said({"agentRunHistoryIds": ["r0", "r1"]}), HISTORY: said(runs)}
    for run in runs:
        answers["GET", f"/api/run/{run['agentRunHistoryId']}"] = said(run)
    async with joined(RecordingAcc(answers)) as here:
        done = await here.do("start", PATH, sessions=True)
        assert done.run
        seen = len(here.acc.seen)
        view = (await here.backend.poll(AGENT, [done.run]))["r0"]
        assert len(here.acc.seen) == seen + 1
        assert (view.state, view.phase) == (state, phase)
        assert [step.label for step in view.next] == labels
        assert all(f"r{at}" in str(view.facts[at].value) for at in (0, 1))
        assert phase not in (Phase.FAILED, Phase.SUCCEEDED) or all(f"run r{at} " in view.message for at in (0, 1))
        status = await here.operation("status", f"run/{RUN}")
        again = await here.backend.run(status.model_copy(update={"target": done.run}), here.call)
        assert isinstance(again, Done)
        assert again.view == view


async def test_a_started_run_counts_as_its_agent_later() -> None:
    """The run's target carries the agent's scope, and the memory keeps it."""
    async with joined() as here:
        done = await here.do("start", PATH)
        assert done.run
        assert (done.run.scope, done.run.parent_name, done.run.group) == (f"acc:{PATH}", PATH, AGENT)
        assert await here.names.by_id("acc", "run", done.run.id) == done.run


async def test_a_second_job_is_refused_in_the_vendors_words() -> None:
    """What the ACC says reaches the person."""
    busy = lambda: web.Response(text="Job is already running.", status=409)  # noqa: E731
    async with joined(RecordingAcc({("POST", f"/api/job/{AGENT}/start"): busy})) as here:
        with pytest.raises(Rejected, match=r"acc said no \(409\): Job is already running\."):
            await here.do("start", PATH, as_="job")


@pytest.mark.parametrize("reply", [{}, {"agentRunHistoryIds": []}, {"agentRunHistoryIds": [7]}, [], "ok"])
async def test_a_start_without_an_id_is_a_bad_reply(reply: object) -> None:
    """Success without the promised ids is not told as a started run."""
    async with joined(RecordingAcc({START: said(reply)})) as here:
        with pytest.raises(BadReply):
            await here.do("start", PATH)


async def test_an_approver_sees_what_goes_on() -> None:
    """Active runs, the last outcomes and the next time stand before a decision."""
    runs = [run_at(-60), *({**RUN_REPLY, "agentRunHistoryId": f"r{i}", "status": 4 + i % 2} for i in range(9))]
    async with joined(RecordingAcc({HISTORY: said(runs)})) as here:
        facts = dict(await here.backend.preflight(await here.operation("start", PATH, as_="job")))
        assert facts["Active runs"] == "Running since 2026-11-22 11:59 UTC"
        assert facts["Last outcomes"].count(";") == 4
        assert facts["Next scheduled runs"] == "2019-05-30 05:36 UTC"
        assert facts["Newest job run"].startswith("number 3, Succeeded")
        assert await here.backend.state_of(await here.target(PATH)) == "1 run active"
        assert await here.backend.state_of(await here.target(f"run/{RUN}")) == "Succeeded"
        assert await here.backend.state_of(await here.target("server/crawl-1")) == ""


async def test_requests_of_one_backend_do_not_all_go_at_once() -> None:
    """However many look at once, the ACC sees at most eight requests at the same time."""
    now = most = 0
    async with joined() as here:

        async def slow(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal now, most
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0.01)
            now -= 1
            return await RecordingAcc.handle(here.acc, request)

        here.acc.server.handler = slow
        await asyncio.gather(*(here.target(PATH) for _ in range(40)))
    assert most <= 8
