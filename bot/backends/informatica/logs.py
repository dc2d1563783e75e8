"""The session log of a job: fetched, masked in a worker thread, and returned as one text with a preview."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import BinaryIO, Final

from bot.backends.informatica.keys import TaskKey
from bot.backends.informatica.logtext import Seen, masked_file
from bot.backends.informatica.models import Entry
from bot.backends.informatica.presentation import ended_view
from bot.backends.informatica.states import ENDED, named
from bot.backends.informatica.targets import AdapterContext
from bot.backends.informatica.tasks import ended
from bot.core.command.arguments import flag_of, number_of, text_of
from bot.core.errors import NoSuchTarget
from bot.core.log_diff import NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, FileOut, Phase
from bot.core.ports.services import Call
from bot.core.text import no_line, plural

LONGEST_PREVIEW: Final = 2_800
_SEARCHED: Final = 100
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


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
    seen = Seen(tail=number_of(operation, "tail") or 0, grep=text_of(operation, "grep"))
    async with call.spool.create(".log") as out:
        await _read(ctx, call, entry.id, seen, out)
        path = out.name
    last = task.name.rpartition("/")[2]
    number = "" if entry.run_id is None else f"-run-{entry.run_id}"
    file = FileOut(
        path=path,
        name=f"{_UNSAFE.sub('_', last).strip('._') or 'task'}{number}.log",
        title=f"Session log of {last}",
        size=seen.size,
        sha256=seen.digest,
        redactions=seen.redactions,
    )
    notes = tuple(Fact(label="Note", value=note) for note in seen.notes[:5])
    preview = [seen.preview()] if seen.hits or not flag_of(operation, "diff") else []
    if flag_of(operation, "diff"):
        preview.append(await _difference(ctx, call, task, entry, seen))
    return Done(
        summary=f"Session log of {task.name}{number.replace('-', ' ')}: {plural(seen.lines, 'line')}; the job {view.state}.",
        facts=(*view.facts, *((Fact(label="Message", value=view.message),) if view.message else ()), *notes),
        files=(file,),
        preview="\n\n".join(preview)[-LONGEST_PREVIEW:],
        remarks=(no_line(seen.grep),) if seen.grep and not seen.hits else (),
    )


async def _difference(ctx: AdapterContext, call: Call, task: Target, entry: Entry, seen: Seen) -> str:
    """The differences from the last successful run."""
    good = await _last_good(ctx, task, entry)
    if good is None:
        return NO_GOOD_RUN
    before = Seen(tail=0, grep="")
    await _read(ctx, call, good.id, before, None)
    return difference(before.compared, seen.compared, _run_name(good), _run_name(entry))


def _run_name(entry: Entry) -> str:
    return f"run {entry.run_id}" if entry.run_id is not None else f"log {entry.id}"


async def _last_good(ctx: AdapterContext, task: Target, entry: Entry) -> Entry | None:
    """The newest completed run of the same task that began before this one."""
    good = [
        (one.began, one.id, one)
        for one in await ended(ctx, task, None, _SEARCHED)
        if named(ENDED, one.state)[1] is Phase.SUCCEEDED and one.id != entry.id and one.began
        if entry.began is None or one.began < entry.began
    ]
    return max(good)[2] if good else None


async def _read(ctx: AdapterContext, call: Call, log_id: str, seen: Seen, out: BinaryIO | None) -> None:
    """Fetch the log and mask it into `out` (or only scan it) in a worker thread; the fetched file is deleted."""
    raw_path = ""
    try:
        async with call.spool.create(".raw") as raw:
            raw_path = raw.name
            got = await ctx.client.session_log(log_id, raw)
        if not got.size:
            raise NoSuchTarget(f"{ctx.name} has an empty session log for this job.")
        session = ctx.client.sign_in.current
        secrets = (*ctx.secrets, *(session.secrets if session else ()))
        await asyncio.to_thread(masked_file, Path(raw_path), out, secrets, seen)
    finally:
        if raw_path:
            await asyncio.to_thread(Path(raw_path).unlink, missing_ok=True)
