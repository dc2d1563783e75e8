"""Jobs: status, cancel, pause, resume, retry, their output, and how they are followed."""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from bot.all_of import all_of
from bot.backends import LOOK_FIRST, nothing_to, of_run, readable
from bot.backends.itential.capabilities import JOB, SERVICE
from bot.backends.itential.models import Job
from bot.backends.itential.presentation import job_state, job_view, output_facts, output_text
from bot.backends.itential.targets import LISTED, AdapterContext, is_of
from bot.backends.logs import LONGEST_LINE, LogRead, last_good, log_done
from bot.core.command.params import flag_of, number_of, text_of
from bot.core.errors import CallProblem, CredentialRefused, NoSuchTarget, RateLimited, Rejected
from bot.core.log_diff import COMPARED, NO_GOOD_RUN, NOT_COMPARED, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import (
    GONE,
    NOT_FOUND,
    Done,
    Fact,
    LookBack,
    Phase,
    RecentRun,
    Refused,
    RunView,
    Suggestion,
    Weighs,
)
from bot.core.ports.services import Call
from bot.core.text import plural, suggest


class _Act(NamedTuple):
    """A change of a job: the vendor's action, the statuses that show that it took effect, and its messages."""

    action: str
    after: tuple[str, ...]
    summary: str
    state: str
    phase: Phase
    already: str = ""  # the status of a job for which the vendor refuses it, and nothing is left to do


_ACTS: Final = {
    "stop": _Act("cancel", ("canceled",), "The cancel of the job was accepted.", "cancel accepted", Phase.ACTIVE),
    "pause": _Act("pause", ("paused",), "The job is paused.", "paused", Phase.WAITING, "paused"),
    "resume": _Act("resume", ("running", "complete"), "The job continues.", "running", Phase.ACTIVE, "running"),
    "retry": _Act("", ("running", "complete"), "The failed task of the job runs again.", "running again", Phase.ACTIVE),
}


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One job."""
    target = operation.target
    view = await _view(ctx, target)
    return of_run(None, f"The job{_whose(target)} is {view.state}.", view)


def _whose(target: Target) -> str:
    return f" of {target.parent_name}" if target.parent_name else ""


async def act(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Cancel, pause or resume. The end of a timed pause resumes only a job that was not paused before; a running job need not
    be resumed."""
    target, verb = operation.target, operation.verb
    if verb == "pause" and (operation.params.get("for") is not None or operation.params.get("until") is not None):
        await call.note_enabled(() if (await ctx.client.job(target.id)).status == "paused" else (target,))
    try:
        await ctx.client.job_action(_ACTS[verb].action, target.id)
    except (CredentialRefused, RateLimited):
        raise
    except Rejected:
        job = await readable(ctx.client.job(target.id), within=LOOK_FIRST)
        if job is None or job.status != _ACTS[verb].already:
            raise
        already = f"The job is {_ACTS[verb].already} already."  # a card that follows a run to its end would not keep it
        return _acted(target, verb).model_copy(update={"summary": already, "run": None})
    return _acted(target, verb)


async def check(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """A retry needs a task; a job that has ended can't be stopped, paused or resumed, although the vendor cancels one in `error`:
    it would lose its retry. One whose state can't be read, or not soon, may be."""
    target, verb = operation.target, operation.verb
    if verb == "retry":
        task = await _task(ctx, operation)
        return task if isinstance(task, Refused) else None
    job = await readable(ctx.client.job(target.id), within=LOOK_FIRST) if verb in _ACTS else None
    if job is None or not job_state(job)[1].ended:
        return None
    steps, state = job_view(target, job, ctx.hidden).next, "in error" if job.status == "error" else job_state(job)[0]
    return nothing_to(verb, f"The job{_whose(target)} is {state}", *steps)


async def retry(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Refused:
    """Run the named task again, or the one with the latest error."""
    task = await _task(ctx, operation)
    if isinstance(task, Refused):
        return task
    await ctx.client.retry_task(operation.target.id, task)
    return _acted(operation.target, "retry")


async def _task(ctx: AdapterContext, operation: Operation) -> str | Refused:
    """The task to run again, or the refusal."""
    task = text_of(operation, "task")
    if task:
        return task
    job = await ctx.client.job(operation.target.id)
    failed = [one.task for one in job.error if one.task]
    return (
        failed[-1]
        if failed
        else Refused(
            code="nothing_failed",
            summary=f"The job doesn't name a failed task; it is {job_state(job)[0]}.",
            hint="Name the task with `task=`, or start the service again.",
            next=_start_of(operation.target),
        )
    )


def _start_of(job: Target) -> tuple[Suggestion, ...]:
    """A start of the service that the job is of, where that is known."""
    return (Suggestion(label="Run again", verb="start", target=job.scope),) if job.parent and job.scope else ()


def _acted(target: Target, verb: str) -> Done:
    act = _ACTS[verb]
    steps = [suggest("Refresh", "status", target)]
    steps += [suggest("Resume", "resume", target)] if verb == "pause" else []
    steps += [suggest("Stop", "stop", target)] if verb != "stop" else []
    view = RunView(state=act.state, phase=act.phase, next=tuple(steps))
    return Done(summary=act.summary, run=target, view=view, backend_ref=target.id, next=view.next)


# --- following -----------------------------------------------------------------------------------


async def views_of(ctx: AdapterContext, runs: Sequence[Target]) -> dict[str, RunView]:
    """Many jobs by one list of the newest; the rest, or a few, one by one."""
    listed = {job.id: job for job in await ctx.client.jobs(LISTED)} if len(runs) > 3 else {}
    views = {run.id: job_view(run, listed[run.id], ctx.hidden) for run in runs if run.id in listed}
    left = [run for run in runs if run.id not in views]
    found = await all_of(_view(ctx, run) for run in left)
    return views | {run.id: view for run, view in zip(left, found, strict=True)}


async def of_service(ctx: AdapterContext, service: Target) -> list[RecentRun]:
    """The runs of a service among the newest jobs (GUESS: see `is_of`), newest first."""
    mine = [job for job in await ctx.client.jobs(LISTED) if job.id and is_of(job, service)]
    mine.sort(key=lambda job: job.began.timestamp() if job.began else 0, reverse=True)
    return [RecentRun(id=job.id, view=job_view(ctx.finder.job_target(job.id, service), job, ctx.clean)) for job in mine]


async def _view(ctx: AdapterContext, target: Target) -> RunView:
    """The states of these jobs, from the operations manager."""
    try:
        return job_view(target, await ctx.client.job(target.id), ctx.hidden)
    except NoSuchTarget:
        return RunView(
            state=NOT_FOUND,
            phase=Phase.UNREADABLE,
            message="The platform has no job with this id, so its outcome is unknown.",
        )


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """The status of the job."""
    state = (await _view(ctx, target)).state
    return GONE if state == NOT_FOUND else state


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """The state and progress of the job."""
    target = operation.target
    view = await _view(ctx, target)
    pairs = (("Progress", f"{view.done} %" if view.done is not None else ""), ("Service", target.parent_name or ""))
    return [("State now", view.state), *(Weighs(label, value) for label, value in pairs if value)]


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether the job is in the state that the lost call leads to."""
    job = await ctx.client.job(operation.target.id)
    evidence = f"The job is now {job_state(job)[0]}."
    if job.status in _ACTS[operation.verb].after:
        return LookBack(found=_acted(operation.target, operation.verb), evidence=evidence)
    return LookBack(absent=job.status in ("running", "paused", "error"), evidence=evidence)


# --- output --------------------------------------------------------------------------------------


async def logs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The output of a job, or of a service's newest job that has ended, as a file and a preview, without secrets."""
    target = operation.target
    if target.kind == JOB:
        job: Job | None = await ctx.client.job(target.id)
    else:
        job = max(await _of_service(ctx, target), key=lambda one: (one.began, one.id), default=None)
    output = job.output if job is not None else None
    text = output_text(output) if output is not None else ""
    if job is None or output is None or not text:
        raise NoSuchTarget(
            f"{ctx.name} has no output for {target.owner}.",
            "A running job has no output. If the platform answers a run with its result, the card of the run shows it.",
        )
    masked, count = ctx.masked(text)
    data = f"{masked}\n".encode()
    async with call.spool.create(".log") as file:
        file.write(data)
        file.flush()
        path = file.name
    tail, grep = number_of(operation, "tail", 20), text_of(operation, "grep")
    read = LogRead(deque(maxlen=tail), grep=grep, first_hits=True, width=LONGEST_LINE)
    read.take(masked)
    read.size, read.digest, read.redactions = len(data), hashlib.sha256(data).hexdigest(), count
    return log_done(
        read,
        summary=f"Output of {target.owner}: {plural(read.lines, 'line')}.",
        title=f"Output of {target.owner}",
        name=f"job-{(job.id or target.id)[:12]}.log",
        path=path,
        facts=output_facts(output),
        details=(Fact(label="Job", value=job.id),),
        difference=await _difference(ctx, target, job, read.last) if flag_of(operation, "diff") else "",
    )


async def _of_service(ctx: AdapterContext, service: Target) -> list[Job]:
    """The listed jobs of a service that have an output and a start time."""
    if not ctx.settings.jobs:
        return []
    jobs = [job for job in await ctx.client.jobs(LISTED) if is_of(job, service) and job.began is not None]
    return [job for job in jobs if job.output is not None and output_text(job.output)]


async def _difference(ctx: AdapterContext, target: Target, job: Job, lines: Iterable[str]) -> str:
    """The differences from the last successful run of the same service; the log is shown even if that run can't be read."""
    parent = await ctx.target_cache.by_id(ctx.name, SERVICE, target.parent or "") if target.kind == JOB else target
    try:
        jobs = await _of_service(ctx, parent) if parent is not None else []
    except (CallProblem, NoSuchTarget) as trouble:
        return f"{NOT_COMPARED}the earlier runs can't be read. {trouble.summary}"
    good = last_good(((one.id, one.began, job_state(one)[1], one) for one in jobs), job.id, job.began)
    if good is None or good.output is None:
        return NO_GOOD_RUN
    before = ctx.hidden(output_text(good.output)).splitlines()
    return difference(before[-COMPARED:], lines, f"job/{good.id}", f"job/{job.id}")
