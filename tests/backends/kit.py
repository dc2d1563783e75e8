"""What the tests of a backend share: a typed command goes through the program's own grammar and rows to the backend."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.build import secrets_in
from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.parser import parse, parse_target
from bot.core.command.target_ref import TargetRef
from bot.core.command.until import ends_at
from bot.core.intent import Command
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Refused, RunView, Unknown
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from tests.backends.fakes import CountingIds, FolderSpool, Memory, NoSpool, OneCall
from tests.http_client.support import FakeClock, Seen, Server, serving

Outcome = Done | Refused | Failed | Unknown


@dataclass
class Joined:
    """A backend that is joined to something, and words for what a person would type. `clock` is the backend's own."""

    name: str
    backend: Any
    catalog: Catalog
    clock: Any
    target_cache: Memory
    call: OneCall

    async def at(self, path: str) -> Target:
        """The target of a path as the backend gets it, with no grammar before."""
        kind, rest = self.catalog.split_path(self.name, path)
        return await self._resolved(TargetRef(backend=self.name, path=rest), kind)

    async def target(self, text: str) -> Target:
        """The target of `pre:...`, by the grammar and the backend."""
        ref = parse_target(text, self.catalog)
        assert not isinstance(ref, str), ref
        kind, path = self.catalog.split_path(ref.backend, ref.path)
        return await self._resolved(ref.model_copy(update={"path": path}), kind)

    async def _resolved(self, ref: TargetRef, kind: str | None) -> Target:
        target: Target = await self.backend.resolve(ref, kind)
        return target

    async def operation(self, text: str, request_id: str = "r-1", files: tuple[str, ...] = ()) -> Operation:
        """What the program makes of a command."""
        command = parse(text, self.catalog)
        assert isinstance(command, Command), command
        assert command.target is not None
        target = await self.target(command.target)
        row = self.row(command.verb, target.kind)
        return Operation.of(
            row,
            request_id=request_id,
            target=target,
            given=check_params(row.params, command.params),
            reason=command.reason,
            files=files,
            words=command.params,
        )

    def row(self, verb: str, kind: str) -> Capability:
        """The capability of this verb."""
        row = self.catalog.capability(self.name, verb, kind)
        assert row is not None, f"{verb} on {kind}"
        return row

    async def outcome(self, text: str, request_id: str = "r-1") -> Any:
        """Type it, whatever comes of it."""
        return await self.run(await self.operation(text, request_id))

    async def run(self, operation: Operation) -> Any:
        """Have the backend do it."""
        self.call.ends = ends_at(operation, self.clock.now(), self.clock.now(), "UTC")
        async with asyncio.timeout(60):
            return await self.backend.run(operation, self.call)

    async def do(self, text: str, request_id: str = "r-1") -> Done:
        """Type it; it must be done."""
        result = await self.outcome(text, request_id)
        assert isinstance(result, Done), result
        return result

    async def view(self, run: Target | None) -> RunView:
        """How a followed run stands now."""
        assert run is not None
        views: Mapping[str, RunView] = await self.backend.poll(run.group or run.id, [run])
        return views[run.id]

    async def follow(self, run: Target | None, seconds: float = 2.0) -> list[RunView]:
        """Poll until the end, at most 400 times."""
        seen: list[RunView] = []
        for _ in range(400):
            seen.append(await self.view(run))
            if seen[-1].phase.ended:
                return seen
            await self.clock.sleep(seconds)
        raise AssertionError(seen[-1])


def facts_of(result: Outcome) -> dict[str, Any]:
    """The facts and details of an outcome, those of its view included, by label."""
    view = result.view.facts if isinstance(result, Done) and result.view else ()
    details = result.details if isinstance(result, Done) else ()
    return {fact.label: fact.value for fact in (*details, *view, *result.facts)}


@asynccontextmanager
async def joined(
    plugin: Plugin, name: str, clock: FakeClock | None = None, folder: Path | None = None, **settings: Any
) -> AsyncIterator[Joined]:
    """The plugin's backend with these settings, closed again. Without a folder it may make no file."""
    clock, ids = clock or FakeClock(), CountingIds()
    target_cache = Memory(clock)
    spool = FolderSpool(folder) if folder else NoSpool()
    checked = plugin.settings.model_validate({"name": name, "kind": plugin.spec.kind, **settings})
    backend = plugin.build(checked, BackendParts(name, clock, ids, target_cache, SecretList(secrets_in(checked))))
    try:
        yield Joined(name, backend, Catalog({name: plugin.spec}), clock, target_cache, OneCall(clock, ids, spool))
    finally:
        await backend.close()


Answer = Callable[[web.BaseRequest], web.StreamResponse]


def said(value: object, status: int = 200) -> Answer:
    """Answer with JSON."""
    return lambda request: web.json_response(value, status=status)


@dataclass
class Recorder:
    """A server that answers by method and raw path, and keeps what it was sent."""

    answers: dict[str, Answer]
    server: Server | None = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self.answers.get(f"{request.method} {request.raw_path.partition('?')[0]}")
        return answer(request) if answer else web.json_response({"message": "no such path"}, status=404)

    @property
    def base_url(self) -> str:
        assert self.server is not None
        return self.server.base_url

    @property
    def seen(self) -> list[Seen]:
        assert self.server is not None
        return self.server.seen

    def wire(self) -> list[str]:
        """Each request as `METHOD RAW-PATH?RAW-QUERY BODY`."""
        return [f"{one.method} {one.raw_path} {one.body.decode()}".rstrip() for one in self.seen]


@asynccontextmanager
async def recording(answers: dict[str, Answer]) -> AsyncIterator[Recorder]:
    recorder = Recorder(answers)
    async with serving(recorder.handle) as server:
        recorder.server = server
        yield recorder


def body_of(seen: Seen) -> Any:
    """A JSON body as it was sent."""
    return json.loads(seen.body)


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """Every log line of the block, at every level, with its traceback."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter().format(record))

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(keep)
