"""Starts whose answers were lost, looked for in the history: found, somebody else's, or not to be told."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from bot.core.errors import Lost

from .support import (
    AGENT,
    HISTORY,
    JOB_REPLY,
    PATH,
    RUN,
    RUN_REPLY,
    SCHEDULE,
    Joined,
    RecordingAcc,
    dated,
    joined,
    run_at,
    said,
)


async def _lost_start(env: Joined, **words: Any) -> Any:
    operation = await env.operation("start", PATH, **words)
    with pytest.raises(Lost):
        await env.backend.run(operation, env.call)
    return operation


async def test_a_start_is_sent_once_and_a_lost_answer_is_lost() -> None:
    """A reply that never comes is Lost, and nothing is sent again."""
    async with joined() as env:

        async def drop(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "POST":
                assert request.transport
                request.transport.abort()
            return await RecordingAcc.handle(env.acc, request)

        env.acc.server.handler = drop
        await _lost_start(env)
        assert len(env.acc.changes()) == 1


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
    async with joined(RecordingAcc({HISTORY: dated(runs)})) as env:
        operation = await env.operation("start", PATH)
        part = env.backend._ctx.finder.part("run", "seen-before", operation.target)
        await env.target_cache.remember([part])
        env.clock.advance(0.5)
        back = await env.backend.look_back(operation, env.clock.now())
        assert (back.found.backend_ref if back.found else None, back.absent) == (found, False)
        assert back.again is (found is None)
        assert all(f"{one} (started 2026" in back.evidence for one in candidates)
        assert ("may belong to this start" in back.evidence) is bool(candidates)
        assert not env.acc.changes()


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
    async with joined(RecordingAcc({HISTORY: dated([run_at(1, inputParameters=told)])})) as env:
        operation = await env.operation("start", PATH, input={"country": "de", "city": "Bonn"})
        back = await env.backend.look_back(operation, env.clock.now())
        assert (back.found is not None, "may belong to this start" in back.evidence) == (found, may_be)
        assert f"history acc:{PATH}" in back.hint or found


async def test_without_a_clock_to_compare_a_run_of_a_moment_before_is_a_candidate() -> None:
    """No Date header: clocks may differ by 5 s, which the answer says; what began in that gap is never taken for ours."""

    def undated(value: Any) -> Any:
        return lambda: web.json_response(value, headers={"Date": "never"})

    for began, found in ((-2, False), (2, True)):
        async with joined(RecordingAcc({HISTORY: undated([run_at(began)])})) as env:
            back = await env.backend.look_back(await env.operation("start", PATH), env.clock.now())
            assert "5 s" in back.evidence
            assert (back.found is not None, "may belong to this start" in back.evidence) == (found, not found)


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
    async with joined(RecordingAcc(answers)) as env:
        operation = await env.operation("start", PATH, as_="job", input={"country": "de", "city": "Bonn"})
        back = await env.backend.look_back(operation, env.clock.now())
        assert (back.found is not None, "may belong to this start" in back.evidence) == (found, may_be)


async def test_a_clock_that_differs_does_not_hide_a_run() -> None:
    """The ACC's clock is read off its answer: a run that seems ten minutes old may be the one."""
    async with joined(RecordingAcc({HISTORY: dated([run_at(-599)], ahead=-600)})) as env:
        back = await env.backend.look_back(await env.operation("start", PATH), env.clock.now())
        assert back.found
    async with joined(RecordingAcc({HISTORY: dated([run_at(500)], ahead=600)})) as env:
        assert not (await env.backend.look_back(await env.operation("start", PATH), env.clock.now())).found


async def test_lost_restarts_jobs_and_schedules_are_looked_for_too() -> None:
    """A retry that goes on under its own id, a job run, and a schedule's run each have their sign."""
    async with joined() as env:
        await env.do("schedules", PATH)
        env.acc.answers[HISTORY] = dated([run_at(-3600, RUN)])
        retry = await env.operation("retry", f"run/{RUN}")
        assert (await env.backend.look_back(retry, env.clock.now())).found
        restart = await env.operation("restart", f"run/{RUN}")
        assert not (await env.backend.look_back(restart, env.clock.now())).found
        env.acc.answers[HISTORY] = dated([run_at(1, "by-schedule", agentJobScheduleId=SCHEDULE), run_at(1, "other")])
        schedule = await env.operation("schedule start", f"schedule/{SCHEDULE}")
        back = await env.backend.look_back(schedule, env.clock.now())
        assert back.found
        assert back.found.backend_ref == "by-schedule"
        new = {**JOB_REPLY, "agentJobHistoryId": "j9", "startTime": run_at(1)["startTime"], "status": 1, "runId": 9}
        env.acc.answers["GET", f"/api/job/{AGENT}/history"] = dated([new, JOB_REPLY])
        env.acc.answers["GET", f"/api/agent/{AGENT}/run/9/history"] = dated([])
        back = await env.backend.look_back(await env.operation("start", PATH, as_="job"), env.clock.now())
        assert back.found
        assert back.found.run
        assert (back.found.run.kind, back.found.backend_ref) == ("jobrun", "j9")


async def test_a_retry_finds_the_run_that_it_began() -> None:
    """The page shows no reply; a new run in the history is followed, else the run itself."""
    async with joined() as env:
        await env.target(PATH)
        env.acc.answers[HISTORY] = dated([run_at(0, "again"), RUN_REPLY])
        done = await env.do("retry", f"run/{RUN}")
        assert (done.backend_ref, done.summary) == (
            "again", f"The run of {PATH} was retried (ContinueAndRetryErrorsRefreshAgent)."
        )  # fmt: skip
        env.acc.answers[HISTORY] = said({"broken": True})
        assert (await env.do("restart", f"run/{RUN}")).backend_ref == RUN
