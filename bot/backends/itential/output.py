"""stdout and stderr of a run as a file and a preview, without secrets."""

from __future__ import annotations

import hashlib
from datetime import datetime

from bot.backends.itential.capabilities import JOB
from bot.backends.itential.context import AdapterContext
from bot.backends.itential.jobs import last_run
from bot.backends.itential.models import Job, Output, moment
from bot.backends.itential.presentation import output_facts, output_text
from bot.backends.itential.runs import is_of
from bot.backends.itential.states import job_state
from bot.core.command.arguments import flag_of, number_of, text_of
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.log_diff import COMPARED, NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, FileOut, Phase
from bot.core.ports.services import Call
from bot.core.text import no_line, plural

_LONGEST_PREVIEW = 2_800
_LONGEST_LINE = 240
_MOST_HITS = 50
_SEARCHED = 100


async def logs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The output of a job, or of the last run of a service."""
    target = operation.target
    output = await (_of_job(ctx, target) if target.kind == JOB else _of_service(ctx, target))
    text = output_text(output) if output is not None else ""
    if output is None or not text:
        raise NoSuchTarget(
            f"{ctx.name} keeps no output of {target.name}.",
            "A run that goes on has none yet; of one that has ended, its own card shows what the platform told.",
        )
    masked, count = ctx.masked(text)
    data = f"{masked}\n".encode()
    async with call.spool.create(".log") as file:
        file.write(data)
        file.flush()
        path = file.name
    label = f"job-{target.id[:12]}" if target.kind == JOB else "last-run"
    out = FileOut(
        path=path,
        name=f"{label}.log",
        title=f"Output of {target.name}",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        redactions=count,
    )
    lines = masked.splitlines()
    diff, grep = flag_of(operation, "diff"), text_of(operation, "grep")
    hits = [line for line in lines if grep.casefold() in line.casefold()] if grep else []
    preview = [_found(hits, grep)] if hits else []
    if diff:
        preview.append(await _difference(ctx, target, output, lines))
    elif not grep:
        preview.append(_last(lines, number_of(operation, "tail", 20)))
    return Done(
        summary=f"Output of {target.name}: {plural(len(lines), 'line')}.",
        facts=tuple(output_facts(output)),
        files=(out,),
        preview="\n\n".join(preview)[:_LONGEST_PREVIEW],
        remarks=(no_line(grep),) if grep and not hits else (),
    )


async def _of_service(ctx: AdapterContext, target: Target) -> Output | None:
    return (await ctx.client.service(target.id)).last_run


async def _of_job(ctx: AdapterContext, target: Target) -> Output | None:
    """GUESS: in the job's variables; else in the last run of its service, if that was this job."""
    try:
        output = (await ctx.client.job(target.id)).output
    except NoSuchTarget:
        output = None
    return output if output is not None and output_text(output) else await last_run(ctx, target)


async def _difference(ctx: AdapterContext, target: Target, output: Output, lines: list[str]) -> str:
    """What changed since the last good run of the same service; trouble with that one does not take the log away."""
    service_id = target.parent if target.kind == JOB else target.id
    if not ctx.settings.jobs or service_id is None:
        return NO_GOOD_RUN
    this = target.id if target.kind == JOB else output.job_id
    try:
        good = await _last_good(ctx, service_id, this, moment(output.start_time))
    except (CallProblem, NoSuchTarget) as trouble:
        return f"The earlier runs could not be read: {trouble.summary}"
    if good is None or good.output is None:
        return NO_GOOD_RUN
    before = ctx.masked(output_text(good.output))[0].splitlines()
    now = f"job/{this}" if this else target.name
    return difference(before[-COMPARED:], lines[-COMPARED:], f"job/{good.id}", now)


async def _last_good(ctx: AdapterContext, service_id: str, this: str | None, began: datetime | None) -> Job | None:
    """The newest listed job of the service that completed with return code 0, began before this one, and kept its output."""
    service = await ctx.client.service(service_id)
    jobs = await ctx.client.jobs(_SEARCHED)
    began = next((job.began for job in jobs if job.id == this), None) or began
    good = [
        (job.began, job.id, job)
        for job in jobs
        if job.id != this and is_of(job, service) and job_state(job)[1] is Phase.SUCCEEDED
        if job.output is not None and output_text(job.output)
        if job.began is not None and (began is None or job.began < began)
    ]
    return max(good)[2] if good else None


def _last(lines: list[str], tail: int) -> str:
    return "\n".join(line[:_LONGEST_LINE] for line in lines[len(lines) - min(tail, len(lines)) :])[-_LONGEST_PREVIEW:]


def _found(hits: list[str], grep: str) -> str:
    more = f" (the first {_MOST_HITS})" if len(hits) > _MOST_HITS else ""
    shown = [line[:_LONGEST_LINE] for line in hits[:_MOST_HITS]]
    return "\n".join([f"Lines with “{grep}”: {len(hits)}{more}", *shown])[:_LONGEST_PREVIEW]
