"""Runs: how they are shown and followed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.backends.sequentum.models import moment, span
from bot.backends.sequentum.presentation import usage_text
from bot.backends.sequentum.states import JOB as JOB_STATES
from bot.backends.sequentum.states import RUN as RUN_STATES
from bot.backends.sequentum.states import SCHEDULE as SCHEDULE_STATES
from bot.backends.sequentum.states import named
from bot.core.errors import BadReply, BadRequest, Rejected
from bot.core.outcome import Done, Phase

from .support import AGENT, HISTORY, JOB, PATH, RUN, RUN_REPLY, START, RecordingAcc, file, joined, run_at, said


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (RUN_STATES, "Never Run,Starting,Running,Delivering data,Succeeded,Failed,Stopped,Failed"),
        (JOB_STATES, "Never Run,In Progress,In Progress With Failure,Succeeded,Failed,Failed"),
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
    assert usage_text(None) == "not reported"


async def test_the_vendors_sample_run_reads_well() -> None:
    """Facts have labels, the message is shown, and a good run suggests its log."""
    async with joined() as env:
        await env.target(PATH)
        done = await env.do("status", f"run/{RUN}")
        assert done.view
        facts = {fact.label: fact.value for fact in (*done.view.facts, *done.view.details)}
        assert done.summary == f"{PATH} is Succeeded: Completed."
        assert done.view.state == "Succeeded"
        assert facts["Run time"] == timedelta(seconds=8, microseconds=967783)
        assert (facts["Data rows"], facts["Server"]) == (1, "127.0.0.1")
        assert "Errors" not in facts
        assert "not delivered" in str(facts["Production"]) or "no (" in str(facts["Production"])
        assert done.view
        assert (done.view.phase, done.view.ended) == (Phase.SUCCEEDED, moment(str(RUN_REPLY["endTime"])))
        assert [step.label for step in done.next] == ["Log"]


async def test_what_makes_sense_next_depends_on_the_state() -> None:
    """A run that goes on can be looked at again, a failed one retried by its method; there is no stop."""
    async with joined() as env:
        await env.target(PATH)
        labels = {}
        for status in range(1, 8):
            env.acc.answers["GET", f"/api/run/{RUN}"] = said({**RUN_REPLY, "status": status})
            done = await env.do("status", f"run/{RUN}")
            labels[status] = [step.label for step in done.next]
            if status == 7:
                assert done.next[1].params == (), "the usual method is the default"
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
    """One answer with the state, the next time and the schedules."""
    async with joined() as env:
        done = await env.do("status", PATH)
        assert done.summary == f"{PATH}: the newest run (2019-05-21 03:52:14 UTC) is Succeeded."
        assert done.table
        assert done.table.rows[0][:4] == (
            "on", "Runs every day at 3:36:00 PM (AET).", "2019-05-30 05:36 UTC", "AUS Eastern Standard Time"
        )  # fmt: skip
        assert done.run
        assert done.run.id == RUN


async def test_a_newest_run_that_cannot_be_read_hides_nothing_else() -> None:
    """A history of `[null]`: the schedules are still shown, and the run is not called by a state that nobody read."""
    async with joined() as env:
        env.acc.answers[HISTORY] = said([None])
        done = await env.do("status", PATH)
        assert done.summary == f"{PATH}: its newest run can't be read."
        assert done.run is None
        assert any(fact.label == "Schedules" for fact in done.facts)


async def test_a_job_run_tells_its_agent_runs() -> None:
    """Its number leads to the runs in it, and progress counts them."""
    async with joined() as env:
        await env.target(PATH)
        done = await env.do("status", f"jobrun/{JOB}")
        assert done.summary == f"{PATH}: job run 3 is Succeeded."
        assert done.view
        assert (done.view.done, done.view.total) == (1, 1)
        assert done.table
        assert done.table.rows[0][0] == "1"
        assert (done.details[0].label, done.details[0].value) == ("Run 1", f"run/{RUN}")


async def test_many_watched_runs_cost_one_request() -> None:
    """A poll of one agent is one request for its history, however many runs are watched."""
    runs = [{**RUN_REPLY, "agentRunHistoryId": f"r{i}", "status": 2} for i in range(200)]
    async with joined(RecordingAcc({HISTORY: said(runs)})) as env:
        agent = await env.target(PATH)
        watched = [env.backend._ctx.finder.part("run", f"r{i}", agent) for i in range(200)]
        before = len(env.acc.seen)
        views = await env.backend.poll(AGENT, watched)
        assert len(env.acc.seen) == before + 1
        assert env.acc.seen[-1].query == "count=250"
        assert len(views) == 200
        assert views["r7"].state == "Running"


async def test_a_run_beyond_the_page_is_asked_for_by_itself() -> None:
    """What the history no longer lists is looked up; what is gone is said to be gone; jobs have their own history."""
    async with joined(RecordingAcc({HISTORY: said([])})) as env:
        agent = await env.target(PATH)
        part = env.backend._ctx.finder.part
        views = await env.backend.poll(
            AGENT, [part("run", RUN, agent), part("run", "gone", agent), part("jobrun", JOB, agent)]
        )
        assert {one: view.state for one, view in views.items()} == {
            RUN: "Succeeded",
            "gone": "not found",
            JOB: "Succeeded",
        }
        assert views["gone"].phase is Phase.UNREADABLE


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
    async with joined() as env:
        with pytest.raises(BadRequest):
            await env.operation("start", PATH, **words)
        assert not env.acc.changes()


@pytest.mark.parametrize(("delivery", "content"), [("plain", b"a,b\n1,2\n"), ("zip", b"PK\x05\x06" + bytes(18))])
async def test_a_synchronous_start_brings_its_data(delivery: str, content: bytes) -> None:
    """The data comes back as a file with its hash, under a harmless name."""
    async with joined(RecordingAcc({START: file(content, "text/plain")})) as env:
        done = await env.do("start", PATH, sync=True, timeout=30, delivery=delivery)
        assert done.files[0].size == len(content)
        assert done.files[0].name == f"quick-data.{'zip' if delivery == 'zip' else 'csv'}"
        assert env.acc.changes()[0].body.decode().count(delivery.title()) == 1
        assert done.run is None
        assert env.call.told


async def test_a_synchronous_start_may_bring_ids_all_the_same() -> None:
    """Ids where data was asked for are a started run, and no file is left."""
    async with joined() as env:
        done = await env.do("start", PATH, sync=True, delivery="zip")
        assert done.run
        assert not done.files
        assert env.call.spool.left() == []


async def test_several_sessions_are_several_runs() -> None:
    """Every id is told, and all are followed as one."""
    async with joined(RecordingAcc({START: said({"agentRunHistoryIds": ["a", "b"]})})) as env:
        done = await env.do("start", PATH, sessions=True)
        assert done.summary == f"{PATH} was started in 2 sessions."
        assert done.run
        assert done.run.together == ("a", "b")
        assert (await env.target_cache.by_id("acc", "run", "b")) is not None


@pytest.mark.parametrize(
    ("states", "state", "phase", "labels"),
    [
        ((4, 4), "Succeeded", Phase.SUCCEEDED, ["Log run 1", "Log run 2"]),
        ((4, 7), "Failed", Phase.FAILED, ["Log", "Retry"]),
        ((7, 4), "Failed", Phase.FAILED, ["Log", "Retry"]),
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
    async with joined(RecordingAcc(answers)) as env:
        done = await env.do("start", PATH, sessions=True)
        assert done.run
        seen = len(env.acc.seen)
        view = (await env.backend.poll(AGENT, [done.run]))["r0"]
        assert len(env.acc.seen) == seen + 1
        assert (view.state, view.phase) == (state, phase)
        assert [step.label for step in view.next] == labels
        assert [fact.value for fact in view.details] == ["r0", "r1"]
        assert [fact.label for fact in view.facts] == ["Run 1", "Run 2"]
        assert phase not in (Phase.FAILED, Phase.SUCCEEDED) or all(f"run {at} " in view.message for at in (1, 2))
        status = await env.operation("status", f"run/{RUN}")
        again = await env.backend.run(status.model_copy(update={"target": done.run}), env.call)
        assert isinstance(again, Done)
        assert again.view == view


async def test_a_started_run_counts_as_its_agent_later() -> None:
    """The run's target carries the agent's scope, and the memory keeps it."""
    async with joined() as env:
        done = await env.do("start", PATH)
        assert done.run
        assert (done.run.scope, done.run.parent_name, done.run.group) == (f"acc:{PATH}", PATH, AGENT)
        assert await env.target_cache.by_id("acc", "run", done.run.id) == done.run


async def test_a_second_job_is_refused_in_the_vendors_words() -> None:
    """What the ACC says reaches the person."""
    busy = lambda: web.Response(text="Job is already running.", status=409)  # noqa: E731
    async with joined(RecordingAcc({("POST", f"/api/job/{AGENT}/start"): busy})) as env:
        with pytest.raises(Rejected, match=r"acc refused the request \(409\): Job is already running\."):
            await env.do("start", PATH, as_="job")


@pytest.mark.parametrize("reply", [{}, {"agentRunHistoryIds": []}, {"agentRunHistoryIds": [7]}, [], "ok"])
async def test_a_start_without_an_id_is_a_bad_reply(reply: object) -> None:
    """Success without the promised ids is not told as a started run."""
    async with joined(RecordingAcc({START: said(reply)})) as env:
        with pytest.raises(BadReply):
            await env.do("start", PATH)


async def test_an_approver_sees_what_goes_on() -> None:
    """Active runs, the last outcomes and the next time stand before a decision."""
    runs = [run_at(-60), *({**RUN_REPLY, "agentRunHistoryId": f"r{i}", "status": 4 + i % 2} for i in range(9))]
    async with joined(RecordingAcc({HISTORY: said(runs)})) as env:
        facts = dict(await env.backend.preflight(await env.operation("start", PATH, as_="job")))
        assert facts["Active runs"] == "Running since 2026-11-22 11:59:00 UTC"
        assert facts["Last outcomes"].count(";") == 4
        assert facts["Next scheduled runs"] == "2019-05-30 05:36 UTC"
        assert facts["Newest job run"].startswith("number 3, Succeeded")
        assert await env.backend.state_of(await env.target(PATH)) == " · new"
        assert await env.backend.state_of(await env.target(f"run/{RUN}")) == "Succeeded"
        assert await env.backend.state_of(await env.target("server/crawl-1")) == ""


async def test_an_approver_sees_how_many_more_runs_are_active() -> None:
    """Those that don't fit are counted."""
    async with joined(RecordingAcc({HISTORY: said([run_at(-60 - number) for number in range(8)])})) as env:
        facts = dict(await env.backend.preflight(await env.operation("start", PATH, as_="job")))
    assert facts["Active runs"].count("Running since") == 5
    assert facts["Active runs"].endswith("; and 3 more")


async def test_requests_of_one_backend_do_not_all_go_at_once() -> None:
    """However many look at once, the ACC sees at most eight requests at the same time."""
    now = most = 0
    async with joined() as env:

        async def slow(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal now, most
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0.01)
            now -= 1
            return await RecordingAcc.handle(env.acc, request)

        env.acc.server.handler = slow
        await asyncio.gather(*(env.target(PATH) for _ in range(40)))
    assert most <= 8
