"""Jobs: status, cancel, pause, resume, retry, and how they are followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.backends.itential.context import AdapterContext
from bot.backends.itential.models import Job, Output
from bot.backends.itential.presentation import job_view, last_run_view
from bot.backends.itential.states import job_state
from bot.core.command.arguments import text_of
from bot.core.errors import CallProblem, CredentialRefused, NoSuchTarget, RateLimited, Rejected
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Done, Fact, LookBack, Phase, Refused, RunView
from bot.core.ports.services import Call
from bot.core.text import suggest

_LISTED: Final = 100
_FEW: Final = 3
_NOT_FOUND: Final = "not found"
_AFTER: Final = {
    "stop": ("canceled",),
    "pause": ("paused",),
    "resume": ("running", "complete"),
    "retry": ("running", "complete"),
}
_ACTION: Final = {"stop": "cancel", "pause": "pause", "resume": "resume"}
_TOLD: Final = {
    "stop": "The cancel of {} was accepted.",
    "pause": "{} is paused.",
    "resume": "{} goes on.",
    "retry": "The failed task of {} runs again.",
}


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One job."""
    target = operation.target
    view = await _view(ctx, target)
    who = f" of {target.parent_name}" if target.parent_name else ""
    return Done(summary=f"The job{who} is {view.state}.", view=view, beside="", next=view.next)


async def act(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Cancel, pause or resume. A pause with an end gives back only a job that was not paused before; a job that runs need not
    be resumed."""
    target, verb = operation.target, operation.verb
    restore: tuple[Target, ...] | None = None
    if verb == "pause" and (operation.params.get("for") is not None or operation.params.get("until") is not None):
        restore = () if (await ctx.client.job(target.id)).status == "paused" else (target,)
        await call.note_enabled(restore)
    try:
        await ctx.client.job_action(_ACTION[verb], [target.id])
    except (CredentialRefused, RateLimited):
        raise
    except Rejected:
        if verb != "resume" or (await ctx.client.job(target.id)).status != "running":
            raise
    return _acted(target, verb).model_copy(update={"restore": restore})


async def check(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """A retry needs a task."""
    task = await _task(ctx, operation) if operation.verb == "retry" else None
    return task if isinstance(task, Refused) else None


async def retry(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Refused:
    """Run the named task again, or the one whose error came last."""
    task = await _task(ctx, operation)
    if isinstance(task, Refused):
        return task
    await ctx.client.retry_task(operation.target.id, task)
    return _acted(operation.target, "retry")


async def _task(ctx: AdapterContext, operation: Operation) -> str | Refused:
    """What to run again, or why nothing can be."""
    target, task = operation.target, text_of(operation, "task")
    if task:
        return task
    job = await ctx.client.job(target.id)
    failed = [one.task for one in job.error or () if one.task]
    if failed:
        return failed[-1]
    return Refused(
        code="nothing_failed",
        summary=f"{target.name} names no task that failed; it is {job_state(job)[0]}.",
        hint="Name the task with `task=`, or start the service again.",
    )


def _acted(target: Target, verb: str) -> Done:
    state, phase = {
        "stop": ("cancel accepted", Phase.ACTIVE),
        "pause": ("paused", Phase.WAITING),
        "resume": ("running", Phase.ACTIVE),
        "retry": ("running again", Phase.ACTIVE),
    }[verb]
    steps = [suggest("Refresh", "status", target)]
    if verb == "pause":
        steps.append(suggest("Resume", "resume", target))
    if verb != "stop":
        steps.append(suggest("Stop", "stop", target))
    view = RunView(state=state, phase=phase, facts=(Fact(label="Job", value=target.id),), next=tuple(steps))
    summary = _TOLD[verb].format(target.name)
    return Done(summary=summary, run=target, view=view, backend_ref=target.id, next=view.next)


# --- following -----------------------------------------------------------------------------------


async def views_of(ctx: AdapterContext, runs: Sequence[Target]) -> dict[str, RunView]:
    """Many by one list of the newest jobs, the rest and a few one by one."""
    views: dict[str, RunView] = {}
    if len(runs) > _FEW:
        listed = {job.id: job for job in await ctx.client.jobs(_LISTED)}
        views = {run.id: job_view(run, listed[run.id], ctx.clean) for run in runs if run.id in listed}
    left = [run for run in runs if run.id not in views]
    found = await asyncio.gather(*(_view(ctx, run) for run in left))
    return views | {run.id: view for run, view in zip(left, found, strict=True)}


async def _view(ctx: AdapterContext, target: Target) -> RunView:
    """By the operations manager; where it does not know the job, by the last run of its service."""
    try:
        return job_view(target, await ctx.client.job(target.id), ctx.clean)
    except NoSuchTarget:
        pass
    output = await last_run(ctx, target)
    if output is not None:
        return last_run_view(target, output, ctx.clean)
    return RunView(
        state=_NOT_FOUND,
        phase=Phase.UNREADABLE,
        message="The platform knows no job of this id, so its end cannot be told here.",
    )


async def last_run(ctx: AdapterContext, job: Target) -> Output | None:
    """What the job's service tells of its last run, if that was this job."""
    if job.parent is None:
        return None
    try:
        output = (await ctx.client.service(job.parent)).last_run
    except CallProblem:
        return None
    return output if output is not None and output.job_id == job.id else None


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """The status of the job."""
    state = (await _view(ctx, target)).state
    return GONE if state == _NOT_FOUND else state


async def preflight(ctx: AdapterContext, target: Target) -> list[tuple[str, str]]:
    """How the job stands."""
    view = await _view(ctx, target)
    facts = [("State now", view.state)]
    if view.done is not None:
        facts.append(("Progress", f"{view.done} %"))
    if target.parent_name:
        facts.append(("Service", target.parent_name))
    return facts


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether the job is where the lost call would have brought it."""
    target, verb = operation.target, operation.verb
    job: Job = await ctx.client.job(target.id)
    evidence = f"The job is {job_state(job)[0]} now."
    if job.status in _AFTER[verb]:
        return LookBack(found=_acted(target, verb), evidence=evidence)
    return LookBack(absent=job.status in ("running", "paused", "error"), evidence=evidence)
