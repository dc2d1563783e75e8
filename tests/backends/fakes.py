"""What any backend is given in tests: a clock that moves the plane's clock too, names in memory, a spool, a call."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from bot.core.catalog import Catalog, check_params
from bot.core.grammar import parse
from bot.core.ids import TargetRef
from bot.core.intent import Command
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, RunView
from bot.core.plugin import Plugin
from bot.core.ports import Backend
from bot.playground.planes.clock import PlaneClock
from tests.httpkit.support import FakeClock

NOON = 1_780_000_000.0


class TwinClock(FakeClock):
    """The program's clock; the plane's clock goes with it."""

    def __init__(self, plane: PlaneClock | None = None) -> None:
        super().__init__(datetime.fromtimestamp(NOON, UTC))
        self.plane = plane or PlaneClock(NOON, rate=0)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.plane.advance(seconds)

    async def sleep(self, seconds: float) -> None:
        self.plane.advance(seconds)
        await super().sleep(seconds)


class Memory:
    """The Names port in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.kept: dict[tuple[str, str, str], tuple[Target, datetime]] = {}

    async def remember(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self.kept[target.backend, target.kind, target.id] = (target, self._clock.now())

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None:
        found = self.kept.get((backend, kind, id))
        return found[0] if found else None

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        return [item for (name, sort, _), item in self.kept.items() if name == backend and kind in (None, sort)]


class CountingIds:
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


class FolderSpool:
    """Files in one folder; those of a block that raised are deleted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @asynccontextmanager
    async def create(self, suffix: str) -> AsyncIterator[BinaryIO]:
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=suffix, delete=False) as made:
            try:
                yield made  # type: ignore[misc]
            except BaseException:
                Path(made.name).unlink()  # noqa: ASYNC240
                raise


@dataclass
class OneCall:
    """What goes with an operation."""

    clock: FakeClock
    ids: CountingIds
    spool: FolderSpool
    told: list[str] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    ends: datetime | None = None

    async def progress(self, text: str) -> None:
        self.told.append(text)

    async def file(self, file_id: str) -> Any:
        return self.files[file_id]


@dataclass(frozen=True)
class Parts:
    name: str
    clock: FakeClock
    ids: CountingIds
    names: Memory


@dataclass
class Joined:
    """A backend joined to something that answers, worked with the words that a person types."""

    plugin: Plugin
    backend: Backend
    call: OneCall
    names: Memory
    clock: TwinClock

    @property
    def catalog(self) -> Catalog:
        return Catalog({self.backend.name: self.plugin.rows})

    async def target(self, path: str) -> Target:
        kind, rest = self.catalog.split_path(self.backend.name, path)
        return await self.backend.resolve(TargetRef(backend=self.backend.name, path=rest), kind)

    async def operation(self, command: str, *, files: tuple[str, ...] = ()) -> Operation:
        """The operation behind a typed command, made as the pipeline makes it."""
        read = parse(command, self.catalog)
        assert isinstance(read, Command), read
        assert read.target is not None, command
        path = read.target.partition(":")[2]
        if path.startswith('"'):
            path = path[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        target = await self.target(path)
        row = self.catalog.row(self.backend.name, read.verb, target.kind)
        assert row is not None, (read.verb, target.kind)
        given = check_params(row.params, read.params)
        return Operation.of(row, request_id="r-1", target=target, given=given, reason=read.reason, files=files)

    async def outcome(self, command: str) -> Any:
        return await self.backend.run(await self.operation(command), self.call)  # type: ignore[arg-type]

    async def do(self, command: str) -> Done:
        """Run it and expect it to be done."""
        done = await self.outcome(command)
        assert isinstance(done, Done), done
        return done

    async def view(self, run: Target | None) -> RunView:
        """How a followed run stands now."""
        assert run is not None
        return (await self.backend.poll(run.group or run.id, [run]))[run.id]

    async def follow(self, run: Target | None, seconds: float = 2.0) -> list[RunView]:
        """Poll until the end, at most 400 times."""
        seen: list[RunView] = []
        for _ in range(400):
            seen.append(await self.view(run))
            if seen[-1].phase.ended:
                return seen
            await self.clock.sleep(seconds)
        raise AssertionError(seen[-1])


@asynccontextmanager
async def joined(plugin: Plugin, name: str, folder: Path, clock: TwinClock, **settings: Any) -> AsyncIterator[Joined]:
    """The backend that the plugin builds from these settings; closed at the end."""
    ids, names = CountingIds(), Memory(clock)
    checked = plugin.settings.model_validate({"name": name, "kind": plugin.rows.kind, **settings})
    backend = plugin.build(checked, Parts(name, clock, ids, names))  # type: ignore[arg-type]
    try:
        yield Joined(plugin, backend, OneCall(clock, ids, FolderSpool(folder)), names, clock)
    finally:
        await backend.close()


def text_of(value: object) -> str:
    """Everything that a value would show, for looking for secrets in it."""
    return repr(value)
