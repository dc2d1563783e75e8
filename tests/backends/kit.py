"""What the tests of a backend share: a typed command goes through the program's own grammar and rows to the backend."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.core.capability import Capability
from bot.core.catalog import Catalog, check_params
from bot.core.grammar import parse, parse_target
from bot.core.intent import Command
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Refused, Unknown
from bot.core.plugin import Plugin
from bot.pipeline.pauses import ends_at
from tests.httpkit.support import FakeClock, Seen, Server, serving

Outcome = Done | Refused | Failed | Unknown


class QuickClock(FakeClock):
    """A second of it takes five real milliseconds to sleep, so that the outside world can move meanwhile."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds / 200)
        self.advance(seconds)


class Memory:
    """Names in memory, with when each was seen."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str, str], tuple[Target, datetime]] = {}

    async def remember(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._kept[target.backend, target.kind, target.id] = (target, self._clock.now())

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None:
        found = self._kept.get((backend, kind, id))
        return found[0] if found else None

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        return [item for (name, sort, _), item in self._kept.items() if name == backend and kind in (None, sort)]


class FakeIds:
    """Ids in order."""

    def __init__(self) -> None:
        self._count = 0

    def request(self) -> str:
        return f"r-{self._next()}"

    def secret(self) -> str:
        return f"secret-{self._next()}"

    def guid(self) -> str:
        return f"00000000-0000-4000-8000-{self._next():012}"

    def _next(self) -> int:
        self._count += 1
        return self._count


class NoSpool:
    """No file is needed here."""

    def create(self, suffix: str) -> Any:
        raise AssertionError("no file was expected")


@dataclass(frozen=True)
class Parts:
    name: str
    clock: FakeClock
    ids: FakeIds
    names: Memory


@dataclass
class FakeCall:
    clock: FakeClock
    ids: FakeIds = field(default_factory=FakeIds)
    spool: NoSpool = field(default_factory=NoSpool)
    told: list[str] = field(default_factory=list)
    ends: datetime | None = None

    async def progress(self, text: str) -> None:
        self.told.append(text)

    async def file(self, file_id: str) -> Any:
        raise AssertionError("no file was expected")


@dataclass
class Joined:
    """A backend that is joined to something, and words for what a person would type."""

    name: str
    backend: Any
    catalog: Catalog
    clock: FakeClock
    names: Memory
    call: FakeCall

    async def target(self, text: str) -> Target:
        """The target of `pre:...`, by the grammar and the backend."""
        ref = parse_target(text, self.catalog)
        assert not isinstance(ref, str), ref
        kind, path = self.catalog.split_path(ref.backend, ref.path)
        resolved: Target = await self.backend.resolve(ref.model_copy(update={"path": path}), kind)
        return resolved

    async def operation(self, text: str, request_id: str = "r-1") -> Operation:
        """What the pipeline makes of a command."""
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
            words=command.params,
        )

    def row(self, verb: str, kind: str) -> Capability:
        row = self.catalog.row(self.name, verb, kind)
        assert row is not None, f"{verb} on {kind}"
        return row

    async def outcome(self, text: str, request_id: str = "r-1") -> Outcome:
        """Type it, whatever comes of it."""
        return await self.run(await self.operation(text, request_id))

    async def run(self, operation: Operation) -> Outcome:
        self.call.ends = ends_at(operation, self.clock.now(), "UTC")
        async with asyncio.timeout(20):
            result: Outcome = await self.backend.run(operation, self.call)
        return result

    async def do(self, text: str, request_id: str = "r-1") -> Done:
        """Type it; it must be done."""
        result = await self.outcome(text, request_id)
        assert isinstance(result, Done), result
        return result


def facts_of(result: Outcome) -> dict[str, Any]:
    """The facts of an outcome, those of its view included, by label."""
    view = result.view.facts if isinstance(result, Done) and result.view else ()
    return {fact.label: fact.value for fact in (*view, *result.facts)}


@asynccontextmanager
async def joined(plugin: Plugin, name: str, clock: FakeClock | None = None, **settings: Any) -> AsyncIterator[Joined]:
    """The plugin's backend with these settings, closed again."""
    clock = clock or FakeClock()
    names = Memory(clock)
    checked = plugin.settings.model_validate({"name": name, "kind": plugin.rows.kind, **settings})
    backend = plugin.build(checked, Parts(name, clock, FakeIds(), names))
    try:
        yield Joined(name, backend, Catalog({name: plugin.rows}), clock, names, FakeCall(clock))
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
