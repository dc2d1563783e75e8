"""stdout and stderr of a run as a file and a preview, without secrets."""

from __future__ import annotations

import hashlib

from bot.backends.itential.desk import Desk, number_of, text_of
from bot.backends.itential.jobs import last_run
from bot.backends.itential.rows import JOB
from bot.backends.itential.views import output_facts, output_text
from bot.backends.itential.wire import Output
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, FileOut
from bot.core.ports import Call
from bot.core.problems import NoSuchTarget
from bot.core.wording import plural

_LONGEST_PREVIEW = 2_800
_LONGEST_LINE = 240
_MOST_HITS = 50


async def logs(desk: Desk, operation: Operation, call: Call) -> Done:
    """The output of a job, or of the last run of a service."""
    target = operation.target
    output = await (_of_job(desk, target) if target.kind == JOB else _of_service(desk, target))
    text = output_text(output) if output is not None else ""
    if output is None or not text:
        raise NoSuchTarget(
            f"{desk.name} keeps no output of {target.name}.", "A run that goes on shows its output when it has ended."
        )
    masked, count = desk.masked(text)
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
    return Done(
        summary=f"Output of {target.name}: {plural(len(lines), 'line')}.",
        facts=tuple(output_facts(output)),
        files=(out,),
        preview=_preview(lines, number_of(operation, "tail", 20), text_of(operation, "grep")),
    )


async def _of_service(desk: Desk, target: Target) -> Output | None:
    return (await desk.client.service(target.id)).last_run


async def _of_job(desk: Desk, target: Target) -> Output | None:
    """GUESS: in the job's variables; else in the last run of its service, if that was this job."""
    try:
        output = (await desk.client.job(target.id)).output
    except NoSuchTarget:
        output = None
    return output if output is not None and output_text(output) else await last_run(desk, target)


def _preview(lines: list[str], tail: int, grep: str) -> str:
    if not grep:
        return "\n".join(line[:_LONGEST_LINE] for line in lines[len(lines) - min(tail, len(lines)) :])[
            -_LONGEST_PREVIEW:
        ]
    hits = [line[:_LONGEST_LINE] for line in lines if grep.casefold() in line.casefold()]
    if not hits:
        return f"No line contains “{grep}”."
    more = f" (the first {_MOST_HITS})" if len(hits) > _MOST_HITS else ""
    return "\n".join([f"Lines with “{grep}”: {len(hits)}{more}", *hits[:_MOST_HITS]])[:_LONGEST_PREVIEW]
