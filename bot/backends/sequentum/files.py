"""Logs and data: fetched to the spool; logs are masked, data is passed on unchanged."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import BinaryIO

from bot.backends.logs import (
    MOST_HITS,
    LogRead,
    discard,
    fetched,
    label_of,
    last_good,
    log_done,
    rewrite,
    sha256_of,
)
from bot.backends.sequentum.targets import AdapterContext
from bot.backends.sequentum.times import moment
from bot.core.command.arguments import flag_of, number_of, text_of
from bot.core.errors import BadReply, NoSuchTarget
from bot.core.log_diff import NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, FileOut, Level, State
from bot.core.ports.services import Call
from bot.core.text import plural
from bot.http_client import Download


async def logs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/run/ID/log or api/job/run/ID/logs (SEED): the masked archive as a file, and a preview of the last lines, of the
    lines found, or of the differences from a good run."""
    target = operation.target
    tail = number_of(operation, "tail", 20)
    hits: deque[str] = deque(maxlen=tail if "tail" in operation.given else MOST_HITS)
    read = LogRead(deque(maxlen=tail), grep=text_of(operation, "grep"), hits=hits)
    async with call.spool.create(".zip") as out:
        await _through(ctx, call, target, out, read)
        out.flush()
        path = Path(out.name)
    if not read.members:
        discard(str(path))
        why = f": {'; '.join(read.notes[:5])}" if read.notes else ", the archive is empty"
        raise BadReply(f"The log of {target.parent_name or target.name} has nothing to show{why}.")
    read.digest, read.size = await asyncio.to_thread(sha256_of, path)
    title = f"Log of {target.parent_name or target.name}"
    masked = f", {plural(read.redactions, 'secret value')} masked" if read.redactions else ""
    return log_done(
        read,
        summary=f"{title}: {plural(read.lines, 'line')} in {plural(read.members, 'file')}{masked}.",
        title=title,
        name=label_of(f"{_short(target)}-log.zip"),
        path=str(path),
        facts=tuple(Fact(label="Note", value=note) for note in read.notes[:5]),
        difference=await _difference(ctx, call, target, read) if flag_of(operation, "diff") else "",
        state=None if read.lines else State(text="The log is empty", level=Level.WARN),
    )


async def _through(ctx: AdapterContext, call: Call, target: Target, out: BinaryIO | None, read: LogRead) -> None:
    """Fetch the log, and mask it into `out`."""

    async def fetch(raw: BinaryIO) -> None:
        got = await ctx.client.log(target.kind, target.id, raw)
        _check_zip(ctx, got)
        if got.size > 8 << 20:
            await call.progress(f"The log has {got.size >> 20} MB. Masking secrets.")

    await fetched(call, fetch, lambda path, stopped: rewrite(path, out, ctx.secrets, read, stopped))


def _check_zip(ctx: AdapterContext, got: Download) -> None:
    if not got.size:
        raise NoSuchTarget(f"{ctx.name} has no stored data for this.")
    if not got.head.startswith(b"PK"):
        raise BadReply(f"{ctx.name} sent something that is not a zip archive ({got.media_type or 'no type'}).")


def _short(target: Target) -> str:
    agent = (target.parent_name or target.kind).rsplit("/", 1)[-1]
    return f"{agent}-{target.id[:8]}"


async def _difference(ctx: AdapterContext, call: Call, target: Target, read: LogRead) -> str:
    """The differences from the last successful run, ignoring times, numbers and ids; only the last lines are compared."""
    good = await _last_good(ctx, target)
    if good is None:
        return NO_GOOD_RUN
    before = LogRead(deque(maxlen=0))
    await _through(ctx, call, good, None, before)
    return difference(before.last, read.last, good.name, target.name)


async def _last_good(ctx: AdapterContext, target: Target) -> Target | None:
    """The last successful run (or job run) of the same agent that began before this one."""
    listed = (await ctx.client.history(target.kind, target.group, 100)).items
    runs = [(item.id, moment(item.start_time), item.phase, item.id) for item in listed]
    began = next((when for id_, when, _, _ in runs if id_ == target.id), None)
    id_ = last_good(runs, target.id, began)
    return target.model_copy(update={"id": id_, "name": f"{target.kind}/{id_}"}) if id_ else None


async def data(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET api/run/ID/backup or api/job/run/ID/backup (SEED): the stored data as the ACC packs it. It is not opened."""
    target = operation.target
    async with call.spool.create(".zip") as out:
        got = await ctx.client.data(target.kind, target.id, out)
        _check_zip(ctx, got)
        path = out.name
    title = f"Data of {target.parent_name or target.name}"
    file = FileOut(
        path=path, name=label_of(f"{_short(target)}-data.zip"), title=title, size=got.size, sha256=got.sha256
    )
    return Done(
        summary=f"{title} is attached.", facts=(Fact(label="Size", value=f"{got.size:,} bytes"),), files=(file,)
    )
