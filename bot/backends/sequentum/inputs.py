"""Input data of agents: CSV text, and files as multipart/form-data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bot.backends.sequentum.checks import CSV, UPLOADS
from bot.backends.sequentum.context import AdapterContext
from bot.backends.sequentum.file_names import input_name
from bot.core.command.arguments import text_of
from bot.core.errors import BadRequest
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact
from bot.core.ports.services import Call, SlackFile

LARGEST_CSV: Final = 16 << 20
LARGEST_UPLOAD: Final = 200 << 20


async def put(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One CSV, from `text=` or from the one attached file; data of the same name is replaced."""
    name = input_name(text_of(operation, "name"), CSV)
    content = await _csv(operation, call)
    await ctx.client.put_csv(operation.target.id, name, content)
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    return Done(
        summary=f"{operation.target.name} has the input {name}.",
        facts=(
            Fact(label="Input", value=name),
            Fact(label="Lines", value=lines),
            Fact(label="Bytes", value=len(content)),
        ),
    )


async def _csv(operation: Operation, call: Call) -> bytes:
    text = operation.params.get("text")
    if isinstance(text, str) and text:
        return text.encode()
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
    """The attached files, or `text=` under `name=`, in one multipart call."""
    parts = await _parts(operation, call)
    boundary = f"signalbox{call.ids.guid().replace('-', '')}"

    async def body() -> AsyncIterator[bytes]:
        for name, source in parts:
            yield _part_head(boundary, name)
            async for chunk in _limited(source):
                yield chunk
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    await ctx.client.upload(operation.target.id, boundary, body)
    names = ", ".join(name for name, _ in parts)
    return Done(
        summary=f"{operation.target.name} has {len(parts)} new input file{'s' if len(parts) > 1 else ''}.",
        facts=(Fact(label="Files", value=names),),
    )


async def _parts(operation: Operation, call: Call) -> list[tuple[str, SlackFile | bytes]]:
    text = operation.params.get("text")
    if isinstance(text, str) and text:
        return [(input_name(text_of(operation, "name"), UPLOADS), text.encode())]
    files = [await call.file(file_id) for file_id in operation.files]
    _check_size(sum(file.size for file in files), LARGEST_UPLOAD)
    names = [input_name(file.name, UPLOADS) for file in files]
    if len({name.casefold() for name in names}) != len(names):
        raise BadRequest("Two of the files have the same name.")
    return list(zip(names, files, strict=True))


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise BadRequest(f"That is more than {most >> 20} MB.")


async def _limited(source: SlackFile | bytes) -> AsyncIterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    size = 0
    async for chunk in source.chunks():
        size += len(chunk)
        _check_size(size, LARGEST_UPLOAD)
        yield chunk


def _part_head(boundary: str, name: str) -> bytes:
    # The vendor's samples call the field `filename`, `data` and `input2`, so its name does not matter.
    kind = {"csv": "text/csv", "txt": "text/plain"}.get(name.rsplit(".", 1)[-1].lower(), "application/zip")
    return (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="filename"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


async def clear(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Delete all input files."""
    await ctx.client.clear_inputs(operation.target.id)
    return Done(summary=f"All input files of {operation.target.name} are deleted.")


async def disable(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Disable all input files; the API has no way to enable them."""
    await ctx.client.disable_inputs(operation.target.id)
    return Done(summary=f"All input files of {operation.target.name} are disabled.")
