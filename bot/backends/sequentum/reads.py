"""Answers that change nothing: status, history, schedules, health of a server."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TypeVar

from bot.backends import of_run
from bot.backends.sequentum import presentation
from bot.backends.sequentum.capabilities import JOB_RUN, RUN, SCHEDULE
from bot.backends.sequentum.models import JobRun, Run, Schedule, moment
from bot.backends.sequentum.targets import AdapterContext, agent_of
from bot.core.command.params import number_of, text_of
from bot.core.errors import BadReply, CallProblem, NoSuchTarget
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Phase, RecentRun, RunView, Suggestion
from bot.core.ports.services import Call
from bot.core.runs import run_history
from bot.core.text import plural, sentences, suggest, utc_text
from bot.core.vendor_json import WHOLE_ROW, unread

T = TypeVar("T")


def next_times(schedules: Sequence[Schedule]) -> list[datetime]:
    """The next time of every schedule that is on, earliest first."""
    times = (moment(schedule.next_run_time) for schedule in schedules if schedule.is_enabled is not False)
    return sorted(time for time in times if time)


async def listed(ask: Awaitable[list[T]], label: str) -> tuple[list[T], tuple[Fact, ...]]:
    """A list that completes an answer, or a fact with the reason if it can't be read."""
    try:
        return await ask, ()
    except (CallProblem, NoSuchTarget) as problem:
        return [], (Fact(label=label, value=f"can't be read: {problem.summary}"),)


async def agent_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/agent/ID/history?count=1 and api/job/ID/schedules (SEED): the newest run, and the schedules."""
    agent = operation.target
    runs = (await ctx.client.runs(agent.id, 1)).items
    schedules, facts = await listed(ctx.client.schedules(agent.id), "Schedules")
    await ctx.finder.learn(SCHEDULE, [item.id for item in schedules], agent)
    await ctx.finder.learn(RUN, [item.id for item in runs], agent)
    on = sum(schedule.is_enabled is True for schedule in schedules)
    facts = facts or (Fact(label="Schedules", value=f"{on} of {len(schedules)} on" if schedules else "none"),)
    facts += tuple(Fact(label="Next run", value=due) for due in next_times(schedules)[:1])
    start = suggest("Start", "start", agent)
    table = presentation.schedule_table(schedules, ctx.clean) if schedules else None
    if not runs:
        return Done(summary=f"{agent.name} has never run.", facts=facts, table=table, next=(start,))
    if WHOLE_ROW in runs[0].odd:
        return Done(summary=f"{agent.name}: its newest run can't be read.", facts=facts, table=table, next=(start,))
    view = presentation.run_view(ctx.name, runs[0], ctx.clean)
    ago = utc_text(view.started, seconds=True)
    return Done(
        summary=f"{agent.name}: the newest run ({ago}) is {view.state}.",
        facts=(*view.facts, *facts),
        table=table,
        run=ctx.finder.part(RUN, runs[0].id, agent) if runs[0].id else None,
        view=view,
        beside=f"The newest run began {ago}.",
        next=view.next if view.phase is Phase.ACTIVE else (*view.next, start),
    )


async def run_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/run/ID (SEED): one run, or all that were begun with it."""
    ids = operation.target.together or (operation.target.id,)
    views = {id_: presentation.run_view(ctx.name, await ctx.client.run(id_), ctx.clean, id_) for id_ in ids}
    view = presentation.together(ctx.name, views) if len(views) > 1 else views[ids[0]]
    who = operation.target.parent_name or "The run"
    message = f": {view.message}" if view.message else ""
    summary = f"{who} is {view.state}{message}.".replace("..", ".")
    return of_run(operation.target, summary, view, facts=view.facts)


async def job_run_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/job/run/ID and api/agent/ID/run/NUMBER/history (SEED): one job run, with the agent runs in it."""
    job = await ctx.client.job_run(operation.target.id)
    view = presentation.job_view(ctx.name, job, operation.target.id)
    runs: list[Run] = []
    facts: tuple[Fact, ...] = ()
    if job.run_id is not None and (agent_id := operation.target.group or job.agent_id):
        runs, facts = await listed(ctx.client.runs_of_job(agent_id, job.run_id, 20), "Runs")
        await ctx.finder.learn(RUN, [item.id for item in runs], agent_of(operation.target))
    who = operation.target.parent_name or "The job run"
    number = f"job run {job.run_id}" if job.run_id is not None else "the job run"
    inner = _history(ctx, who, runs)
    more = {"facts": (*view.facts, *facts), "table": inner.table, "details": inner.details}
    return of_run(operation.target, f"{who}: {number} is {view.state}.", view, **more)


async def agent_history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/agent/ID/history or api/job/ID/history (SEED): the latest runs or job runs of an agent."""
    agent, count = operation.target, number_of(operation, "count", 10)
    kind, what = (JOB_RUN, "job run") if text_of(operation, "as") == "job" else (RUN, "run")
    found = (await ctx.client.history(kind, agent.id, count)).items[:count]
    await ctx.finder.learn(kind, [item.id for item in found], agent)
    start = suggest("Start", "start", agent)
    return _history(ctx, agent.name, found, what, start)


async def job_run_history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/agent/ID/run/NUMBER/history (SEED): the agent runs of a job run."""
    job = await ctx.client.job_run(operation.target.id)
    agent_id = operation.target.group or job.agent_id
    if job.run_id is None or not agent_id:
        raise BadReply("The `runId` or `agentId` of this job run can't be read, so Signalbox can't list its runs.")
    count = number_of(operation, "count", 10)
    runs = (await ctx.client.runs_of_job(agent_id, job.run_id, count))[:count]
    await ctx.finder.learn(RUN, [item.id for item in runs], agent_of(operation.target))
    who = f"job run {job.run_id}" + (f" of {name}" if (name := operation.target.parent_name) else "")
    return _history(ctx, who, runs)


def _history(
    ctx: AdapterContext,
    who: str,
    runs: Sequence[Run] | Sequence[JobRun],
    what: str = "run",
    start: Suggestion | None = None,
) -> Done:
    """The answer for these runs or job runs, in the ACC's order: newest first."""
    kinds = {Run: RUN, JobRun: JOB_RUN}
    found = [RecentRun(id=run.id and f"{kinds[type(run)]}/{run.id}", view=_counted(ctx, run)) for run in runs]
    return run_history(who, found, what=what, show=("Runs", "Data rows", "Errors"), note=unread(runs), start=start)


def _counted(ctx: AdapterContext, run: Run | JobRun) -> RunView:
    """Its state; of a job run also how many of its runs have ended."""
    view = presentation.view_of(ctx.name, run, ctx.clean)
    runs = (Fact(label="Runs", value=f"{view.done or 0}/{view.total}"),) if view.total else ()
    return view.model_copy(update={"facts": (*view.facts, *runs)})


async def agent_schedules(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/job/ID/schedules (SEED): all schedules of an agent."""
    agent = operation.target
    schedules = await ctx.client.schedules(agent.id)
    await ctx.finder.learn(SCHEDULE, [item.id for item in schedules], agent)
    if not schedules:
        return Done(summary=f"{agent.name} has no schedules.")
    on = sum(schedule.is_enabled is True for schedule in schedules)
    word = "off" if on else "on"
    switch = suggest(f"Switch all {word}", f"schedule {word}", agent)
    return Done(
        summary=f"{agent.name} has {plural(len(schedules), 'schedule')}, {on or 'none'} of them on.",
        facts=(Fact(label="Next run", value=next(iter(next_times(schedules)), None)),),
        table=presentation.schedule_table(schedules, ctx.clean),
        next=(switch,),
    )


async def server_health(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/server/check (SEED): the ACC's view of one of its servers, with the key of the configuration."""
    server = next((item for item in ctx.settings.servers if item.name == operation.target.id), None)
    if server is None:
        raise NoSuchTarget(f"{ctx.name} has no server `{operation.target.id}` in its configuration.")
    status = await ctx.client.check_server(server)
    says = ctx.clean(status.message or "")
    bad = f"has an error: {says}" if says else "has an error"
    found = {True: bad, False: "answers", None: "is in an unknown state"}[status.is_error]
    return Done(
        summary=sentences(f"Server {server.name} {found}"),
        state=presentation.server_state(status),
        facts=presentation.server_facts(status, ctx.clean),
        next=(suggest("Refresh", "health", operation.target),),
    )
