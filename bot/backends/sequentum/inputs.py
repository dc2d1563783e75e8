"""Input data of agents: CSV text, and files as multipart/form-data."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from bot.backends.sequentum.capabilities import CSV, UPLOADS, input_name
from bot.backends.sequentum.targets import AdapterContext
from bot.core.command.arguments import text_of
from bot.core.errors import BadRequest
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, facts_of
from bot.core.ports.services import Call, SlackFile
from bot.core.text import plural

LARGEST_CSV: Final = 16 << 20
LARGEST_UPLOAD: Final = 200 << 20
_ESCAPED: Final = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\([rnt\\])")


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
        summary=f"{operation.target.name} now has the input {name}.",
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
        summary=f"{operation.target.name} has {plural(len(parts), 'new input file')}: {names}.",
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
    return Done(summary=f"All input files of {operation.target.name} are deleted.")


async def disable(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/input/agent/ID/disable (SEED): disable all input files; the API has no way to enable them."""
    await ctx.client.disable_inputs(operation.target.id)
    return Done(summary=f"All input files of {operation.target.name} are disabled.")
