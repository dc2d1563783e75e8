"""What the control planes list: asked side by side, one request at a time for each, and remembered."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.core.errors import Problem
from bot.core.outcome import Named
from bot.core.ports.services import Backend, Clock
from bot.runtime.task_queue import TaskQueue

WITHIN: Final = 30.0  # seconds for one list
FRESH: Final = timedelta(minutes=15)  # the age up to which a list is not asked for again
NOW: Final = timedelta(seconds=10)  # the age up to which the states in a list count as those of now
RETRY_AFTER: Final = timedelta(seconds=10)

_log = logging.getLogger("signalbox.targets")


class Listing(NamedTuple):
    """The last list of a backend. `at` is when it was asked for, None when none came yet. `problem` says why the last try failed.
    `changed_at` is when something was last changed on the backend from here."""

    named: tuple[Named, ...] = ()
    at: datetime | None = None
    problem: str = "It has not answered yet."
    tried_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def outdated(self) -> bool:
        """Whether something was changed from here since: the states in it may be over."""
        return self.at is not None and self.changed_at is not None and self.at <= self.changed_at


class Listings:
    """The last list of every backend. Each adapter stores in the target cache what it lists."""

    def __init__(self, backends: Mapping[str, Backend], clock: Clock, tasks: TaskQueue) -> None:
        self._backends = backends
        self._clock = clock
        self._tasks = tasks
        self._last: dict[str, Listing] = {}
        self._asked: dict[str, asyncio.Future[None]] = {}

    async def refresh(self, *names: str, within: float = WITHIN + 1) -> None:
        """Ask these backends, or all of them."""
        await self._wait(names or tuple(self._backends), within)

    async def read(self, names: Collection[str], within: float) -> Mapping[str, Listing]:
        """The lists of these backends. Asks for those that are old or missing, and waits at most `within` seconds for them."""
        now = self._clock.now()
        await self._wait([name for name in names if self._is_old(name, now)], within)
        return {name: self._last.get(name, Listing()) for name in names}

    def changed(self, name: str) -> None:
        """Remember that something was changed on this backend, or may have been."""
        self._last[name] = self._last.get(name, Listing())._replace(changed_at=self._clock.now())

    def _is_old(self, name: str, now: datetime) -> bool:
        last = self._last.get(name)
        if last is None or last.tried_at is None:
            return True
        return now - last.tried_at > (RETRY_AFTER if last.problem or last.outdated else FRESH)

    async def _wait(self, names: Collection[str], within: float) -> None:
        asked = [self._ask(name) for name in names]
        if asked:
            await asyncio.wait(asked, timeout=within)

    def _ask(self, name: str) -> asyncio.Future[None]:
        running = self._asked.get(name)
        if running is None:
            running = self._asked[name] = asyncio.get_running_loop().create_future()
            if not self._tasks.start(self._list(name, running), f"targets of {name}"):
                self._done(name, running)
        return running

    async def _list(self, name: str, asked: asyncio.Future[None]) -> None:
        try:
            self._last[name] = await self._listed(name)
        finally:
            self._done(name, asked)

    def _done(self, name: str, asked: asyncio.Future[None]) -> None:
        self._asked.pop(name, None)
        if not asked.done():
            asked.set_result(None)

    async def _listed(self, name: str) -> Listing:
        asked_at, problem, named = self._clock.now(), "", tuple[Named, ...]()
        try:
            async with asyncio.timeout(WITHIN):
                named = tuple(await self._backends[name].targets())
        except (TimeoutError, Problem) as error:
            problem = error.summary if isinstance(error, Problem) else f"No answer within {WITHIN:g} s."
            _log.info("%s could not be listed: %s", name, getattr(error, "code", "timeout"))
        last = self._last.get(name, Listing())._replace(problem=problem, tried_at=self._clock.now())
        return last if problem else last._replace(named=named, at=asked_at)
