"""Files: logs and data, fetched to the spool (logs are masked, data is passed on unchanged), and input data, which is sent."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

from bot.backends.logs import MOST_HITS, LogRead, discard, fetched, label_of, last_good, log_done, rewrite, sha256_of
from bot.backends.sequentum.capabilities import CSV, UPLOADS, input_name
from bot.backends.sequentum.models import moment
from bot.backends.sequentum.targets import AdapterContext
from bot.core.command.params import flag_of, number_of, text_of
from bot.core.errors import BadReply, BadRequest, NoSuchTarget
from bot.core.log_diff import NO_GOOD_RUN, difference
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, FileOut, Level, State, facts_of
from bot.core.ports.services import Call, SlackFile
from bot.core.text import plural
from bot.http_client import Download

LARGEST_CSV: Final = 16 << 20
LARGEST_UPLOAD: Final = 200 << 20
_ESCAPED: Final = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\([rnt\\])")


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
        raise BadReply(f"The log of {target.owner} has nothing to show{why}.")
    read.digest, read.size = await asyncio.to_thread(sha256_of, path)
    title = f"Log of {target.owner}"
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
    title = f"Data of {target.owner}"
    file = FileOut(
        path=path, name=label_of(f"{_short(target)}-data.zip"), title=title, size=got.size, sha256=got.sha256
    )
    return Done(
        summary=f"{title} is attached.", facts=(Fact(label="Size", value=f"{got.size:,} bytes"),), files=(file,)
    )


def typed(text: str) -> bytes:
    r"""The content of `text=`: `\r`, `\n` and `\t` mean line breaks and tabs, two backslashes mean one."""
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text).encode()


async def put(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/input/agent/ID/csv (SEED): a CSV, from `text=` or the one attached file; data of the same name is replaced."""
    name = input_name(text_of(operation, "name"), CSV)
    content = await _csv(operation, call)
    await ctx.client.put_csv(operation.target.id, name, content)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    return Done(
        summary=f"{operation.target.owner} now has the input {name}.",
        facts=facts_of((("Input", name), ("Lines", lines), ("Bytes", len(content)))),
    )


async def _csv(operation: Operation, call: Call) -> bytes:
    text = operation.params.get("text")
    if isinstance(text, str) and text:
        return typed(text)
    file = await call.file(operation.files[0])
    _check_size(file.size, LARGEST_CSV)
    content = b""
    async for chunk in file.chunks():
        content += chunk
        _check_size(len(content), LARGEST_CSV)
    if not content:
        raise BadRequest("The attached file is empty.")
    return content


async def upload(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/input/agent/ID/files (SEED): the attached files, or `text=` under `name=`, in one multipart call."""
    parts = await _parts(operation, call)
    boundary = f"signalbox{call.ids.guid().replace('-', '')}"
    heads = [_part_head(boundary, name) for name, _ in parts]
    end = f"--{boundary}--\r\n".encode()
    sizes = [len(source) if isinstance(source, bytes) else source.size for _, source in parts]

    async def body() -> AsyncIterator[bytes]:
        for head, (_, source) in zip(heads, parts, strict=True):
            yield head
            async for chunk in _whole(source):
                yield chunk
            yield b"\r\n"
        yield end

    size = sum(map(len, heads)) + sum(sizes) + 2 * len(parts) + len(end)
    await ctx.client.upload(operation.target.id, boundary, size, body)
    names = ", ".join(name for name, _ in parts)
    return Done(
        summary=f"{operation.target.owner} has {plural(len(parts), 'new input file')}: {names}.",
        facts=(Fact(label="Files", value=names),),
    )


async def _parts(operation: Operation, call: Call) -> list[tuple[str, SlackFile | bytes]]:
    text = operation.params.get("text")
    if isinstance(text, str) and text:
        return [(input_name(text_of(operation, "name"), UPLOADS), typed(text))]
    files = [await call.file(file_id) for file_id in operation.files]
    _check_size(sum(file.size for file in files), LARGEST_UPLOAD)
    names = [input_name(file.name, UPLOADS) for file in files]
    if len({name.casefold() for name in names}) != len(names):
        raise BadRequest("Two of the files have the same name.")
    return list(zip(names, files, strict=True))


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise BadRequest(f"The input is larger than {most >> 20} MB.")


async def _whole(source: SlackFile | bytes) -> AsyncIterator[bytes]:
    """The content, exactly as long as announced, because the length is sent first."""
    if isinstance(source, bytes):
        yield source
        return
    size = 0
    async for chunk in source.chunks():
        size += len(chunk)
        if size > source.size:
            break
        yield chunk
    if size != source.size:
        raise BadRequest(f"Slack sent {source.name} with a size other than announced.", "Attach the file again.")


def _part_head(boundary: str, name: str) -> bytes:
    # The vendor's samples call the field `filename`, `data` and `input2`, so its name doesn't matter.
    kind = {"csv": "text/csv", "txt": "text/plain"}.get(name.rsplit(".", 1)[-1].lower(), "application/zip")
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="filename"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


async def clear(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """DELETE api/input/agent/ID (SEED): delete all input files."""
    await ctx.client.clear_inputs(operation.target.id)
    return Done(summary=f"All input files of {operation.target.owner} are deleted.")


async def disable(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/input/agent/ID/disable (SEED): disable all input files; the API has no way to enable them."""
    await ctx.client.disable_inputs(operation.target.id)
    return Done(summary=f"All input files of {operation.target.owner} are disabled.")
