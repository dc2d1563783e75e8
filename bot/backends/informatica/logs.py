"""The session log of a job: fetched, masked in a worker thread, and returned as one text with a preview."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from bot.backends.informatica.models import Entry
from bot.backends.informatica.presentation import ended_view
from bot.backends.informatica.states import ENDED, named
from bot.backends.informatica.targets import AdapterContext, TaskKey
from bot.backends.informatica.tasks import ended
from bot.backends.logs import (
    LONGEST_LINE,
    Budget,
    Limits,
    LogRead,
    fetched,
    last_good,
    log_done,
    write_text,
)
from bot.core.command.params import flag_of, number_of, text_of
from bot.core.errors import NoSuchTarget
from bot.core.log_diff import NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact
from bot.core.ports.services import Call
from bot.core.text import plural

_LIMITS: Final = Limits("session log", members=500, unpacked=1 << 30)
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
    grep, tail = text_of(operation, "grep"), number_of(operation, "tail") or 0
    read = LogRead(deque(maxlen=tail), grep=grep, first_hits=True, width=LONGEST_LINE)
    async with call.spool.create(".log") as out:
        await _read(ctx, call, entry.id, read, out)
        path = out.name
    last = task.name.rpartition("/")[2]
    number = "" if entry.run_id is None else f"-run-{entry.run_id}"
    message = (Fact(label="Message", value=view.message),) if view.message else ()
    return log_done(
        read,
        summary=f"Session log of {task.name}{number.replace('-', ' ')}: {plural(read.lines, 'line')}; the job {view.state}.",
        title=f"Session log of {last}",
        name=f"{_UNSAFE.sub('_', last).strip('._') or 'task'}{number}.log",
        path=path,
        facts=(*view.facts, *message, *(Fact(label="Note", value=note) for note in read.notes[:5])),
        difference=await _difference(ctx, call, task, entry, read) if flag_of(operation, "diff") else "",
    )


async def _difference(ctx: AdapterContext, call: Call, task: Target, entry: Entry, read: LogRead) -> str:
    """The differences from the last successful run."""
    good = await _last_good(ctx, task, entry)
    if good is None:
        return NO_GOOD_RUN
    before = LogRead(deque(maxlen=0), width=LONGEST_LINE)
    await _read(ctx, call, good.id, before, None)
    return difference(before.last, read.last, _run_name(good), _run_name(entry))


def _run_name(entry: Entry) -> str:
    return f"run {entry.run_id}" if entry.run_id is not None else f"log {entry.id}"


async def _last_good(ctx: AdapterContext, task: Target, entry: Entry) -> Entry | None:
    """The last successful run of the same task that began before this one."""
    jobs = await ended(ctx, task, None, 100)
    return last_good(((one.id, one.began, named(ENDED, one.state)[1], one) for one in jobs), entry.id, entry.began)


async def _read(ctx: AdapterContext, call: Call, log_id: str, read: LogRead, out: BinaryIO | None) -> None:
    """Fetch the log, and mask it into `out`, or only scan it."""

    async def fetch(raw: BinaryIO) -> None:
        if not (await ctx.client.session_log(log_id, raw)).size:
            raise NoSuchTarget(f"{ctx.name} has an empty session log for this job.")

    def mask(path: Path, stopped: Callable[[], bool]) -> None:
        session = ctx.client.sign_in.current  # the fetch may have renewed it
        write_text(path, out, (*ctx.secrets, *(session.secrets if session else ())), read, Budget(stopped, _LIMITS))

    await fetched(call, fetch, mask)
