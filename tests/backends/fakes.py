"""What any backend is given in tests: clocks, names in memory, ids in order, a spool, attached files, a call."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from bot.core.operation import Target
from bot.core.ports.services import Clock
from bot.playground.planes.clock import PlaneClock
from tests.http_client.support import FakeClock

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


class QuickClock(FakeClock):
    """A second of it takes five real milliseconds to sleep, so that the outside world can move meanwhile."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds / 200)
        self.advance(seconds)


class Memory:
    """Names in memory, with when each was seen."""

    def __init__(self, clock: Clock) -> None:
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

    def left(self) -> list[str]:
        """The kinds of the files that are there."""
        return sorted(path.suffix for path in self.folder.iterdir())


class NoSpool:
    """No file is needed here."""

    def create(self, suffix: str) -> Any:
        raise AssertionError("no file was expected")


@dataclass(frozen=True)
class Attached:
    """A file on a Slack message, which comes in pieces."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 7):
            yield self.content[at : at + 7]


@dataclass
class OneCall:
    """What goes with an operation."""

    clock: FakeClock
    ids: CountingIds
    spool: Any
    told: list[str] = field(default_factory=list)
    files: dict[str, Attached] = field(default_factory=dict)
    ends: datetime | None = None
    noted: list[Any] = field(default_factory=list)

    async def progress(self, text: str) -> None:
        self.told.append(text)

    async def file(self, file_id: str) -> Any:
        return self.files[file_id]

    async def claimed(self) -> frozenset[str]:
        """Nobody else made anything."""
        return frozenset()

    async def note_enabled(self, targets: Any) -> None:
        self.noted.append(tuple(targets))
