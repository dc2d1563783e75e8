"""The calls that must never be made twice; `reconcile.py` finds the run of one whose answer was lost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.backends import readable
from bot.backends.logs import discard, label_of
from bot.backends.sequentum.capabilities import DEFAULT_METHOD, DEFAULT_SYNC, RUN
from bot.backends.sequentum.changes import compact
from bot.backends.sequentum.reconcile import job_done, run_done, runs_since
from bot.backends.sequentum.targets import AdapterContext, agent_of
from bot.core.command.params import flag_of, map_of, number_of, text_of
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, FileOut, Level, State
from bot.core.ports.services import Call
from bot.core.text import plural, suggest
from bot.core.value import Json

# The time that a synchronous call may need beyond the run itself: queueing, and sending the data.
_SYNC_MARGIN: Final = 60.0
_DELIVERY: Final = {"plain": "Plain", "zip": "Zip"}


def body_of(operation: Operation) -> dict[str, Json]:
    """The body of cluster/start and job start: the parameters given, and defaults that differ from the vendor's.

    Input parameters are JSON text inside the JSON, as the vendor requires.
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
        body["inputParameters"] = compact(inputs)
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


async def start(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/agent/ID/cluster/start or api/job/ID/start (SEED): start the agent, or its job."""
    body, agent = body_of(operation), operation.target
    if text_of(operation, "as") == "job":
        job = await ctx.client.start_job(agent.id, body)
        return await job_done(ctx, agent, job.id, job.job_run_id)
    if not flag_of(operation, "sync"):
        return await run_done(ctx, operation, await ctx.client.start(agent.id, body))
    seconds = number_of(operation, "timeout", DEFAULT_SYNC)
    await call.progress(f"Waiting for the run to end, {plural(seconds, 'second')} at most.")
    if "synchronousDataDelivery" not in body:
        return await run_done(ctx, operation, await ctx.client.start(agent.id, body, seconds + _SYNC_MARGIN))
    return await _start_for_data(ctx, operation, call, body, seconds + _SYNC_MARGIN)


async def _start_for_data(
    ctx: AdapterContext, operation: Operation, call: Call, body: dict[str, Json], deadline: float
) -> Done:
    suffix = ".zip" if text_of(operation, "delivery") == "zip" else ".csv"
    agent = operation.target
    async with call.spool.create(suffix) as file:
        got = await ctx.client.start_for_data(agent.id, body, file, deadline)
        path = file.name
    if isinstance(got, list):
        discard(path)
        done = await run_done(ctx, operation, got)
        note = Fact(label="Data", value="the ACC sent no data, only the run's id")
        return done.model_copy(update={"facts": (*done.facts, note)})
    label = label_of(f"{agent.name.rsplit('/', 1)[-1]}-data{suffix}")
    data = FileOut(path=path, name=label, title=f"Data of {agent.name}", size=got.size, sha256=got.sha256)
    return Done(
        summary=f"{agent.name} has run, and its data is attached.",
        state=State(text="data received", level=Level.GOOD),
        facts=(Fact(label="Size", value=f"{got.size:,} bytes"),),
        files=(data,),
        next=(suggest("Status", "status", agent),),
    )


async def restart(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/run/ID/restart (SEED): begin a run again. The page shows no reply, so the run is looked for in the history."""
    sent = ctx.clock.now()
    ids = await ctx.client.restart(operation.target.id)
    return await _again(ctx, operation, call, ids, sent, "restarted")


async def retry(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/run/ID/retry?RunMethod= (SEED): go on with a run by one of the six methods."""
    sent, method = ctx.clock.now(), text_of(operation, "method") or DEFAULT_METHOD
    ids = await ctx.client.retry(operation.target.id, method)
    return await _again(ctx, operation, call, ids, sent, f"retried ({method})")


async def _again(
    ctx: AdapterContext, operation: Operation, call: Call, ids: Sequence[str], sent: datetime, word: str
) -> Done:
    old = operation.target
    run: Target | None
    if ids:
        run = await ctx.finder.remembered(ctx.finder.part(RUN, ids[0], agent_of(old)))
    else:
        run = await _seen_since(ctx, operation, call, sent)
    summary = f"The run of {old.parent_name or 'the agent'} was {word}."
    return Done(
        # Without a newer run there is nothing to follow: the old one would still show how it ended.
        summary=summary if run else f"{summary} The history doesn't show the newer run yet.",
        run=run,
        backend_ref=(run or old).id,
        next=(suggest("Refresh", "status", run) if run else suggest("Status", "status", agent_of(old)),),
    )


async def start_schedule(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/job/schedule/ID/start (SEED): start what the schedule would start; the run is looked for in the history."""
    sent, schedule = ctx.clock.now(), operation.target
    ids = await ctx.client.start_schedule(schedule.id)
    run = ctx.finder.part(RUN, ids[0], agent_of(schedule)) if ids and schedule.group else None
    run = run or await _seen_since(ctx, operation, call, sent)
    return Done(
        summary=f"The schedule of {schedule.parent_name or 'the agent'} was started.",
        run=run,
        backend_ref=run.id if run else schedule.id,
    )


async def _seen_since(ctx: AdapterContext, operation: Operation, call: Call, sent: datetime) -> Target | None:
    """The run that this call began, if the history already shows it; the call itself succeeded."""
    since = await readable(runs_since(ctx, operation, sent, await call.claimed()))
    found = since.own if since is not None else []
    if len(found) != 1 or not found[0].id:
        return None
    return await ctx.finder.remembered(ctx.finder.part(RUN, found[0].id, agent_of(operation.target)))
