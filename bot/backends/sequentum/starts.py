"""The calls that must never be made twice, and how to find out what became of one whose answer was lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.backends.sequentum.desk import Desk, agent_of
from bot.backends.sequentum.labels import discard, label_of
from bot.backends.sequentum.parameters import DEFAULT_METHOD, DEFAULT_SYNC
from bot.backends.sequentum.rows import JOB_RUN, RUN
from bot.backends.sequentum.states import RUN as RUN_STATES
from bot.backends.sequentum.states import named
from bot.backends.sequentum.times import moment, utc_text
from bot.backends.sequentum.views import written
from bot.backends.sequentum.wire import Run
from bot.core.asked import flag_of, map_of, number_of, text_of
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, FileOut, LookBack, Phase, Suggestion
from bot.core.ports import Call
from bot.core.problems import CallProblem, NoSuchTarget
from bot.core.value import Json

SKEW: Final = timedelta(seconds=5)
_LOOKED_AT: Final = 50
# What a synchronous call may take beyond the run itself: queueing, and sending the data.
_SYNC_MARGIN: Final = 60.0
_DELIVERY: Final = {"plain": "Plain", "zip": "Zip"}


def body_of(operation: Operation) -> dict[str, Json]:
    """The body of cluster/start and job start: what was written or differs from the vendor's default.

    Input parameters are JSON text inside the JSON, as the vendor wants them.
    """
    given, params = operation.given, operation.params
    plain: tuple[tuple[str, str, Json], ...] = (
        ("session", "sessionId", ""),
        ("log_level", "logLevel", 1),
        ("production", "isProductionRun", True),
        ("delete_files", "isDeleteInputFilesOnCompleted", False),
    )
    body: dict[str, Json] = {
        field: params[name]
        for name, field, usual in plain
        if params.get(name) is not None and (name in given or params[name] != usual)
    }
    inputs = map_of(operation, "input")
    if inputs:
        body["inputParameters"] = json.dumps(inputs, ensure_ascii=False, separators=(",", ":"))
    if params.get("files"):
        body["inputFiles"] = params["files"]
    if text_of(operation, "as") != "job":
        body.update(_run_only(operation))
    return body


def _run_only(operation: Operation) -> dict[str, Json]:
    body: dict[str, Json] = {}
    if flag_of(operation, "sessions"):
        body["useMultipleSessions"] = True
    if flag_of(operation, "sync"):
        body["isSynchronous"] = True
        body["synchronousTimeout"] = number_of(operation, "timeout", DEFAULT_SYNC)
        delivery = _DELIVERY.get(text_of(operation, "delivery"))
        if delivery is not None:
            body["synchronousDataDelivery"] = delivery
    return body


async def start(desk: Desk, operation: Operation, call: Call) -> Done:
    """Start the agent, or its job."""
    body, agent = body_of(operation), operation.target
    if text_of(operation, "as") == "job":
        job = await desk.client.start_job(agent.id, body)
        return await _job_done(desk, agent, job.agent_job_history_id, job.job_run_id)
    if not flag_of(operation, "sync"):
        return await _run_done(desk, operation, await desk.client.start(agent.id, body))
    seconds = number_of(operation, "timeout", DEFAULT_SYNC)
    await call.progress(f"Waiting for the run to end, {seconds} seconds at most.")
    if "synchronousDataDelivery" not in body:
        return await _run_done(desk, operation, await desk.client.start(agent.id, body, seconds + _SYNC_MARGIN))
    return await _start_for_data(desk, operation, call, body, seconds + _SYNC_MARGIN)


async def _start_for_data(desk: Desk, operation: Operation, call: Call, body: dict[str, Json], deadline: float) -> Done:
    suffix = ".zip" if text_of(operation, "delivery") == "zip" else ".csv"
    agent = operation.target
    async with call.spool.create(suffix) as file:
        got = await desk.client.start_for_data(agent.id, body, file, deadline)
        path = file.name
    if isinstance(got, list):
        discard(path)
        done = await _run_done(desk, operation, got)
        note = Fact(label="Data", value="the ACC sent none, only the run's id")
        return done.model_copy(update={"facts": (*done.facts, note)})
    label = label_of(f"{agent.name.rsplit('/', 1)[-1]}-data{suffix}")
    data = FileOut(path=path, name=label, title=f"Data of {agent.name}", size=got.size, sha256=got.sha256)
    return Done(
        summary=f"{agent.name} has run, and its data is here.",
        facts=(Fact(label="Size", value=f"{got.size:,} bytes"),),
        files=(data,),
        next=(Suggestion(label="Status", verb="status", target=written(desk.name, agent.name)),),
    )


async def _run_done(desk: Desk, operation: Operation, ids: Sequence[str]) -> Done:
    agent = agent_of(operation.target)
    runs = [desk.finder.part(RUN, run_id, agent) for run_id in ids]
    await desk.names.remember(runs)
    facts = [Fact(label="Run", value=ids[0])] if len(ids) == 1 else [Fact(label="Runs", value=", ".join(ids))]
    if operation.params.get("production") is False:
        facts.append(Fact(label="Production", value="no (nothing is delivered)"))
    many = f" in {len(ids)} sessions" if len(ids) > 1 else ""
    return Done(
        summary=f"{agent.name} was started{many}.",
        facts=tuple(facts),
        run=runs[0],
        backend_ref=ids[0],
        next=(Suggestion(label="Refresh", verb="status", target=written(desk.name, runs[0].name)),),
    )


async def _job_done(desk: Desk, agent: Target, id: str, number: int | None) -> Done:
    run = desk.finder.part(JOB_RUN, id, agent)
    await desk.names.remember([run])
    return Done(
        summary=f"The job of {agent.name} was started" + (f" as job run {number}." if number is not None else "."),
        facts=(Fact(label="Job run", value=id),),
        run=run,
        backend_ref=id,
        next=(Suggestion(label="Refresh", verb="status", target=written(desk.name, run.name)),),
    )


async def restart(desk: Desk, operation: Operation, call: Call) -> Done:
    """Begin a run again. The page shows no reply, so the run is looked for in the history."""
    sent = desk.clock.now()
    ids = await desk.client.restart(operation.target.id)
    return await _again(desk, operation, ids, sent, "restarted")


async def retry(desk: Desk, operation: Operation, call: Call) -> Done:
    """Go on with a run by one of the six methods."""
    sent, method = desk.clock.now(), text_of(operation, "method") or DEFAULT_METHOD
    ids = await desk.client.retry(operation.target.id, method)
    return await _again(desk, operation, ids, sent, f"retried ({method})")


async def _again(desk: Desk, operation: Operation, ids: Sequence[str], sent: datetime, word: str) -> Done:
    run = operation.target
    if ids:
        run = desk.finder.part(RUN, ids[0], agent_of(run))
        await desk.names.remember([run])
    else:
        run = await _seen_since(desk, operation, sent) or run
    return Done(
        summary=f"The run of {operation.target.parent_name or 'the agent'} was {word}.",
        facts=(Fact(label="Run", value=run.id),),
        run=run,
        backend_ref=run.id,
        next=(Suggestion(label="Refresh", verb="status", target=written(desk.name, run.name)),),
    )


async def start_schedule(desk: Desk, operation: Operation, call: Call) -> Done:
    """Start what the schedule would start. The page shows no reply, so the run is looked for in the history."""
    sent, schedule = desk.clock.now(), operation.target
    ids = await desk.client.start_schedule(schedule.id)
    run = desk.finder.part(RUN, ids[0], agent_of(schedule)) if ids and schedule.group else None
    run = run or await _seen_since(desk, operation, sent)
    return Done(
        summary=f"The schedule of {schedule.parent_name or 'the agent'} was started now.",
        facts=(Fact(label="Schedule", value=schedule.id), *((Fact(label="Run", value=run.id),) if run else ())),
        run=run,
        backend_ref=run.id if run else schedule.id,
    )


async def _seen_since(desk: Desk, operation: Operation, sent: datetime) -> Target | None:
    """The run that this call began, as far as the history shows it already; the call itself is known to have worked."""
    try:
        found, _ = await _runs_since(desk, operation, sent, frozenset())
    except (CallProblem, NoSuchTarget):
        return None
    if len(found) != 1:
        return None
    run = desk.finder.part(RUN, found[0].agent_run_history_id, agent_of(operation.target))
    await desk.names.remember([run])
    return run


async def look_back(desk: Desk, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether a start whose answer was lost took effect, by the history of its agent."""
    if not operation.target.group:
        return LookBack(evidence="The schedule's agent is not known, so there is no history to look at.")
    if operation.verb == "start" and text_of(operation, "as") == "job":
        return await _job_look_back(desk, operation, sent_at)
    known = await _known_before(desk, RUN, sent_at)
    found, looked = await _runs_since(desk, operation, sent_at, known)
    if not found:
        return LookBack(absent=True, evidence=f"{looked} None began at or after {utc_text(sent_at)}.")
    ids = [run.agent_run_history_id for run in found]
    if len(ids) > 1 and not flag_of(operation, "sessions"):
        return LookBack(
            evidence=f"{looked} {len(ids)} runs began since: {', '.join(ids[:5])}. Nothing tells whose they are."
        )
    began = ", ".join(f"{run.agent_run_history_id} at {utc_text(moment(run.start_time))}" for run in found[:5])
    return LookBack(
        found=await _run_done(desk, operation, ids),
        evidence=f"{looked} Found {began}; the ACC does not say who began it.",
    )


async def _job_look_back(desk: Desk, operation: Operation, sent_at: datetime) -> LookBack:
    agent = operation.target
    known = await _known_before(desk, JOB_RUN, sent_at)
    page = await desk.client.job_runs(agent.id, _LOOKED_AT)
    since = _since(desk, sent_at, page.date)
    found = [job for job in page.items if _at_or_after(job.start_time, since) and job.agent_job_history_id not in known]
    looked = _looked(agent.name, len(page.items), "job runs")
    if not found:
        return LookBack(absent=True, evidence=f"{looked} None began at or after {utc_text(sent_at)}.")
    if len(found) > 1:
        ids = ", ".join(job.agent_job_history_id for job in found[:5])
        return LookBack(evidence=f"{looked} {len(found)} began since: {ids}. Nothing tells whose they are.")
    done = await _job_done(desk, agent, found[0].agent_job_history_id, found[0].run_id)
    return LookBack(found=done, evidence=f"{looked} Found {done.backend_ref}; the ACC does not say who began it.")


async def _known_before(desk: Desk, kind: str, sent_at: datetime) -> frozenset[str]:
    return frozenset(target.id for target, seen in await desk.names.known(desk.name, kind) if seen < sent_at)


async def _runs_since(
    desk: Desk, operation: Operation, sent_at: datetime, known: frozenset[str]
) -> tuple[list[Run], str]:
    """The runs that may be this call's, and a sentence on what was looked at."""
    agent = agent_of(operation.target)
    if not agent.id:
        return [], ""
    page = await desk.client.runs(agent.id, _LOOKED_AT)
    since = _since(desk, sent_at, page.date)
    old = next((run for run in page.items if run.agent_run_history_id == operation.target.id), None)
    schedule = old.agent_job_schedule_id if old else None
    found = [run for run in page.items if _may_be(operation, run, since, known, schedule)]
    others = [run for run in found if run.agent_run_history_id != operation.target.id]
    return others or found, _looked(agent.name, len(page.items), "runs")


def _may_be(operation: Operation, run: Run, since: datetime, known: frozenset[str], schedule: str | None) -> bool:
    """`schedule` is that of the run which was to go on: a run made from it may keep it."""
    if operation.target.kind == RUN and run.agent_run_history_id == operation.target.id:
        # A run that goes on under its own id may keep its old start; one that ended just before was not yet tried again.
        active = named(RUN_STATES, run.status)[1] is Phase.ACTIVE
        moved = _at_or_after(run.start_time, since + SKEW) or _at_or_after(run.end_time, since + SKEW)
        return moved or (active and operation.verb == "retry")
    began = _at_or_after(run.start_time, since)
    if not began or run.agent_run_history_id in known:
        return False
    if operation.verb == "schedule start":
        return run.agent_job_schedule_id == operation.target.id
    if run.agent_job_schedule_id not in (None, schedule):
        return False
    if operation.verb != "start":
        return True
    production = operation.params.get("production")
    session = text_of(operation, "session")
    return (
        not run.run_id
        and run.is_production_run in (None, production)
        and (not session or run.session_id in (None, session))
    )


def _since(desk: Desk, sent_at: datetime, server_now: datetime | None) -> datetime:
    """The earliest start that counts, on the ACC's clock: its distance to ours is read off its Date header."""
    ahead = server_now - desk.clock.now() if server_now is not None else timedelta(0)
    return sent_at + ahead - SKEW


def _at_or_after(text: str | None, since: datetime) -> bool:
    when = moment(text)
    return when is not None and when >= since


def _looked(name: str, count: int, what: str) -> str:
    return f"Looked at the latest {count} {what} of {name}, allowing the clocks to differ by {SKEW.seconds} s."
