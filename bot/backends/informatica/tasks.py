"""Tasks: start, stop, status and history of their jobs."""

import re
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from bot.backends import logs, nothing_to, of_run
from bot.backends.informatica.models import Entry, Running
from bot.backends.informatica.presentation import ROWS_WRITTEN, ended_view, is_of, running_text, running_view
from bot.backends.informatica.states import ENDED, RUNNING, named
from bot.backends.informatica.targets import AdapterContext, TaskKey
from bot.core.command.params import flag_of, number_of, text_of
from bot.core.errors import NoSuchTarget
from bot.core.log_diff import NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import (
    IDLE,
    NOT_FOUND,
    NOT_LISTED,
    WORK,
    Done,
    Fact,
    Level,
    LookBack,
    Phase,
    RecentRun,
    Refused,
    RunView,
    State,
    numbered,
)
from bot.core.ports.services import Call
from bot.core.runs import run_history
from bot.core.text import plural, suggest, utc_text
from bot.core.value import Json
from bot.core.vendor_json import unread

SKEW: Final = timedelta(seconds=5)
# GUESS: it may take a while until an accepted job is listed.
UNLISTED: Final = timedelta(minutes=15)
_LIMITS: Final = logs.Limits("session log", members=500, unpacked=1 << 30)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def body_of(task: Target) -> dict[str, Json]:
    """taskType and the id by which the task is known."""
    key = TaskKey.of(task.group)
    field = "taskId" if key.v2 == task.id else "taskFederatedId"
    return {field: task.id, "taskType": key.type}


async def start(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Run the task."""
    task = operation.target
    started = await ctx.client.start_job(body_of(task))
    if started.task_id:
        task = await ctx.finder.learn_task(task, started.task_id)
    if started.run_id is None:
        steps = (suggest("Refresh", "status", task),)
        return Done(summary=f"{task.name} was started. The run number (`runId`) can't be read.", next=steps)
    return _started(ctx, task, started.run_id, ctx.clock.now())


def _started(ctx: AdapterContext, task: Target, run_id: int, since: datetime) -> Done:
    key = TaskKey.of(task.group)
    part = {"parent": task.id, "parent_name": task.name}  # the API has no id for a run: it is its task's, with a number
    run = task.model_copy(update={"group": TaskKey(key.type, key.v2, run_id, since).group, **part})
    view = RunView(
        state="accepted",
        phase=Phase.WAITING,
        details=(Fact(label="Run", value=str(run_id)),),
        next=(suggest("Refresh", "status", task), suggest("Stop", "stop", task)),
    )
    return Done(
        summary=f"{task.name} was started as run {run_id}.", run=run, view=view, backend_ref=str(run_id), next=view.next
    )


async def stop(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Stop the running job; it is followed if its number is known."""
    task = operation.target
    job = await _running(ctx, task)
    clean = operation.params.get("clean") is True
    await ctx.client.stop_job(body_of(task), clean=clean)
    how = "The job finishes cleanly, which may take a while." if clean else "The job is broken off."
    run_id = job.run_id if job is not None else None
    if job is None or run_id is None:
        return Done(
            summary=f"The stop of {task.name} was accepted. {how}",
            state=State(text="stop accepted", level=Level.GOOD),
            next=(suggest("Refresh", "status", task),),
        )
    done = _started(ctx, task, run_id, ctx.clock.now())
    view = running_view(task, job).model_copy(
        update={"state": "stopping", "next": (suggest("Refresh", "status", task),)}
    )
    return done.model_copy(
        update={
            "summary": f"The stop of {task.name}, run {run_id}, was accepted. {how}",
            "view": view,
            "next": view.next,
        }
    )


async def check(ctx: AdapterContext, task: Target) -> Refused | None:
    """Refuses a stop when no job of the task runs, or not the one that is meant. A job that was accepted and is not listed yet
    may be stopped, and so may one that can't be told apart from another task's."""
    jobs, key = await ctx.client.running(), TaskKey.of(task.group)
    job = _of(jobs, task)
    if job is not None and not named(RUNNING, job.execution_state)[1].ended:
        return None
    if any(one.odd or (one.task_id is None and key.v2) for one in jobs):
        return None
    entries = await ended(ctx, task, key.run, 1)
    if key.run is not None and job is None and not entries:
        return None
    last = (
        f"The newest one: {named(ENDED, entries[0].state)[0]} {utc_text(entries[0].ended, seconds=True)}"
        if entries
        else ""
    )
    steps = (*((suggest("Log", "logs", task),) if entries else ()), suggest("Start", "start", task))
    other = _of(jobs, task.model_copy(update={"group": TaskKey(key.type, key.v2).group}))
    if other is not None and not named(RUNNING, other.execution_state)[1].ended:
        other_runs = f"Run {other.run_id} is running now"
        stop_it = suggest("Stop", "stop", task)
        return nothing_to("stop", f"Run {key.run} of {task.name} has ended", stop_it, last=other_runs)
    hint = "A job that has just started may not be listed yet: then run the command again."
    return nothing_to("stop", f"{task.name} has no running job", *steps, last=last, hint=hint, code=NOT_LISTED)


async def with_run(ctx: AdapterContext, task: Target) -> Target:
    """The task with the number of its running job; as it is without one."""
    key, job = TaskKey.of(task.group), await _running(ctx, task)
    if job is None or job.run_id is None:
        return task
    return task.model_copy(update={"group": TaskKey(key.type, key.v2, job.run_id, ctx.clock.now()).group})


async def _running(ctx: AdapterContext, task: Target) -> Running | None:
    """The running job of the task. The monitor also lists jobs that have just ended."""
    job = _of(await ctx.client.running(), task)
    return None if job is None or named(RUNNING, job.execution_state)[1].ended else job


def _of(jobs: Sequence[Running], task: Target) -> Running | None:
    """The newest job of the task in the monitor; a running job is preferred to one that has ended."""
    key = TaskKey.of(task.group)
    mine = [job for job in jobs if is_of(task, key, job.task_id, job.task_name, job.type)]
    mine = [job for job in mine if key.run in (None, job.run_id)]
    return min(mine, key=lambda job: (named(RUNNING, job.execution_state)[1].ended, -(job.run_id or 0)), default=None)


async def ended(ctx: AdapterContext, task: Target, run_id: int | None, count: int) -> list[Entry]:
    """Ended jobs of a task, newest first. Without its v2 id, the newest jobs of all tasks are searched."""
    key = TaskKey.of(task.group)
    if key.v2:
        found = await ctx.client.ended(task_id=key.v2, run_id=run_id, rows=count)
    else:
        found = await ctx.client.ended(rows=200)
    mine = [
        entry
        for entry in found
        if is_of(task, key, entry.object_id, entry.object_name, entry.type)
        or (entry.object_id is None and bool(entry.odd or key.v2))
    ]
    return [entry for entry in mine if run_id in (None, entry.run_id)][:count]


def _logged(job: Running, entries: Sequence[Entry]) -> bool:
    """Whether the log has this job, or a newer one. It may not list a job yet that has just ended."""
    return any(job.run_id is None or (entry.run_id or 0) >= job.run_id for entry in entries)


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The running job, else the newest that ended. On the card of a run, that run."""
    task = operation.target
    run_id = TaskKey.of(task.group).run
    job = _of(await ctx.client.running(), task)
    over = job is not None and named(RUNNING, job.execution_state)[1].ended
    entries = await ended(ctx, task, run_id, 1) if job is None or over else []
    if job is not None and not _logged(job, entries):
        view = running_view(task, job)
        return of_run(None, f"{running_text(job)}.", view)
    if not entries:
        return Done(
            summary=f"{task.name} has no running job, and none in the log.", next=(suggest("Start", "start", task),)
        )
    view = ended_view(task, entries[0], ctx.clean)
    run = f"run {entries[0].run_id}" if entries[0].run_id is not None else "the newest run"
    when = utc_text(view.ended, seconds=True)
    beside = "The newest run that ended." if run_id is None else ""
    return of_run(None, f"{task.name}: {run} ended as {view.state} at {when}.", view, beside=beside)


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest ended jobs."""
    task = operation.target
    entries = await ended(ctx, task, None, number_of(operation, "count") or 10)
    if not entries:
        return Done(summary=f"{task.name} has no jobs in the log.")
    numbers = ["" if entry.run_id is None else str(entry.run_id) for entry in entries]
    views = [ended_view(task, entry, ctx.clean) for entry in entries]
    runs = [RecentRun(id=number, view=view) for number, view in zip(numbers, views, strict=True)]
    start = suggest("Start", "start", task)
    return run_history(task.name, runs, what="job", show=(ROWS_WRITTEN,), note=unread(entries), start=start)


async def recent(ctx: AdapterContext, task: Target, count: int) -> list[RecentRun]:
    """The running job and the latest ended ones that have a number, newest first."""
    job = _of(await ctx.client.running(), task)
    entries = await ended(ctx, task, None, count)
    found = [(job.run_id, running_view(task, job))] if job is not None and not _logged(job, entries) else []
    found += [(entry.run_id, ended_view(task, entry, ctx.clean)) for entry in entries]
    views = {run_id: view for run_id, view in reversed(found) if run_id is not None}
    return [RecentRun(id=str(run_id), view=view) for run_id, view in reversed(views.items())]


async def views_of(ctx: AdapterContext, group: str, runs: Sequence[Target]) -> dict[str, RunView]:
    """The state of one run: from the monitor while it runs, from the log when it has ended."""
    key = TaskKey.of(group)
    views: dict[str, RunView] = {}
    for run in runs:
        job = _of(await ctx.client.running_lately(), run)
        over = job is None or named(RUNNING, job.execution_state)[1].ended
        entries = await ended(ctx, run, key.run, 1) if over else []
        if entries:
            views[run.id] = ended_view(run, entries[0], ctx.clean)
        else:
            views[run.id] = running_view(run, job) if job is not None else _unlisted(ctx, key)
    return views


def _unlisted(ctx: AdapterContext, key: TaskKey) -> RunView:
    late = key.since is not None and ctx.clock.now() - key.since > UNLISTED
    if not late:
        return RunView(state="accepted, not listed yet", phase=Phase.WAITING)
    return RunView(
        state=NOT_FOUND,
        phase=Phase.UNREADABLE,
        message="Informatica lists this run neither as a running nor as an ended job.",
    )


async def state_of(ctx: AdapterContext, task: Target) -> str:
    """The running job."""
    job = await _running(ctx, task)
    return WORK.join(("", IDLE if job is None else str(job.run_id or "unknown")))


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """The running job, and the outcomes of the last jobs."""
    task = operation.target
    job = await _running(ctx, task)
    entries = await ended(ctx, task, None, 5)
    last = "; ".join(f"{named(ENDED, entry.state)[0]} {utc_text(entry.ended, seconds=True)}" for entry in entries)
    return [("Running job", running_text(job) if job else "none"), ("Last outcomes", last or "none")]


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    """Whether a start or stop whose answer was lost took effect."""
    if operation.verb == "stop":
        job = await _running(ctx, operation.target)
        if job is None:
            evidence = f"No job of {operation.target.name} is running now. The stop or its own end may be the reason."
        else:
            evidence = f"Still running: {running_text(job)}."
        return LookBack(
            absent=job is not None and job.execution_state in ("QUEUED", "INITIALIZED", "RUNNING"), evidence=evidence
        )
    return await _start_look_back(ctx, operation.target, sent_at, claimed)


async def _start_look_back(ctx: AdapterContext, task: Target, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    key = TaskKey.of(task.group)
    runs: dict[int, str] = {}
    # The server's clock may differ from ours: the difference comes from the Date header of its answers.
    jobs = [
        job
        for job in await ctx.client.running()
        if is_of(task, key, job.task_id, job.task_name, job.type) or (job.odd and job.task_id is None)
    ]
    entries = await ended(ctx, task, None, 20)
    since = sent_at + timedelta(seconds=ctx.client.server_ahead) - SKEW
    listed: list[Running | Entry] = [*jobs, *entries]
    listed = [one for one in listed if numbered(task, one.run_id) not in claimed]
    for one in listed:
        if one.run_id is not None and one.began is not None and one.began >= since:
            runs[one.run_id] = utc_text(one.began, seconds=True)
    looked = f"Checked {len(jobs)} running and {len(entries)} ended jobs of {task.name}."
    if not runs:
        unsure = any(one.odd or one.began is None or one.run_id is None for one in listed)
        more = " Not all of them could be read." if unsure else ""
        return LookBack(absent=not unsure, evidence=f"{looked} None that can be this one started since then.{more}")
    if len(runs) > 1:
        told = ", ".join(map(str, runs))
        return LookBack(
            evidence=f"{looked} {len(runs)} started since then: runs {told}. Which is this one is unknown.",
            fits=tuple(_started(ctx, task, run_id, sent_at) for run_id in sorted(runs)),
        )
    run_id, began = next(iter(runs.items()))
    found = _started(ctx, task, run_id, sent_at)
    return LookBack(found=found, evidence=f"{looked} Run {run_id} started {began}; who started it is unknown.")


async def session_log(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The log of the named run, of the card's run, or of the newest run that has ended."""
    task = operation.target
    run_id = number_of(operation, "run")
    run_id = TaskKey.of(task.group).run if run_id is None else run_id
    entries = await ended(ctx, task, run_id, 1)
    if not entries:
        which = f"run {run_id} of {task.name}" if run_id is not None else f"job of {task.name}"
        raise NoSuchTarget(
            f"{ctx.name} has no ended {which} in its log.",
            "A running job has no session log yet. Check it with `status`.",
        )
    entry = entries[0]
    if not entry.id:
        raise NoSuchTarget(f"{ctx.name} doesn't show the job's `id` in its log, so the session log can't be fetched.")
    view = ended_view(task, entry, ctx.clean)
    grep, tail = text_of(operation, "grep"), number_of(operation, "tail") or 0
    read = logs.LogRead(deque(maxlen=tail), grep=grep, first_hits=True, width=logs.LONGEST_LINE)
    async with call.spool.create(".log") as out:
        await _read(ctx, call, entry.id, read, out)
        path = out.name
    last = task.name.rpartition("/")[2]
    number = "" if entry.run_id is None else f"-run-{entry.run_id}"
    message = (Fact(label="Message", value=view.message),) if view.message else ()
    return logs.log_done(
        read,
        summary=f"Session log of {task.name}{number.replace('-', ' ')}: {plural(read.lines, 'line')}; the job {view.state}.",
        title=f"Session log of {last}",
        name=f"{_UNSAFE.sub('_', last).strip('._') or 'task'}{number}.log",
        path=path,
        facts=(*view.facts, *message, *(Fact(label="Note", value=note) for note in read.notes[:5])),
        difference=await _difference(ctx, call, task, entry, read) if flag_of(operation, "diff") else "",
    )


async def _difference(ctx: AdapterContext, call: Call, task: Target, entry: Entry, read: logs.LogRead) -> str:
    """The differences from the last successful run."""
    good = await _last_good(ctx, task, entry)
    if good is None:
        return NO_GOOD_RUN
    before = logs.LogRead(deque(maxlen=0), width=logs.LONGEST_LINE)
    await _read(ctx, call, good.id, before, None)
    return difference(before.last, read.last, _run_name(good), _run_name(entry))


def _run_name(entry: Entry) -> str:
    return f"run {entry.run_id}" if entry.run_id is not None else f"log {entry.id}"


async def _last_good(ctx: AdapterContext, task: Target, entry: Entry) -> Entry | None:
    """The last successful run of the same task that began before this one."""
    jobs = await ended(ctx, task, None, 100)
    return logs.last_good(((one.id, one.began, named(ENDED, one.state)[1], one) for one in jobs), entry.id, entry.began)


async def _read(ctx: AdapterContext, call: Call, log_id: str, read: logs.LogRead, out: BinaryIO | None) -> None:
    """Fetch the log, and mask it into `out`, or only scan it."""

    async def fetch(raw: BinaryIO) -> None:
        if not (await ctx.client.session_log(log_id, raw)).size:
            raise NoSuchTarget(f"{ctx.name} has an empty session log for this job.")

    def mask(path: Path, stopped: Callable[[], bool]) -> None:
        session = ctx.client.sign_in.current  # the fetch may have renewed it
        secrets = (*ctx.secrets, *(session.secrets if session else ()))
        logs.write_text(path, out, logs.Masking(secrets, read, stopped, _LIMITS))

    await logs.fetched(call, fetch, mask)
