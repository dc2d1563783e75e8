"""Time as the tests count it: it passes while this process computes or waits, not while the machine is busy with something else.

So a limit of the program or of the simulated Slack means nearly the same on a slow machine as on a fast one. Of five seconds in
which the process gets no processor, one has passed: none at all would make a wait endless on a machine that is busy all the time.
What it computes counts half, because one processor may be slower than another. A call that blocks the event loop counts as time
without a processor; `stand_still` is for a test that wants the whole program to stop.

A test whose world is all in this process hurries: a wait in which nothing happens takes a hundredth of its time. What another
thread does for the event loop takes as long as it takes. As soon as another process takes part, time passes as for that one.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

MONOTONIC, WALL = time.monotonic, time.time
COMPUTED = 0.5  # how much a second counts in which the process computes
HELD_UP = 0.2  # the same for a second in which it gets no processor
FRESH = 0.001  # seconds for which a reading of what was computed counts: the system adds all threads up, which takes a while
HURRY = 100  # by how much a wait is shortened in which nothing happens, for tests that hurry
P, T = ParamSpec("P"), TypeVar("T")


def computed() -> float:
    """Seconds that count as computed by this process since it began."""
    return COMPUTED * time.process_time()


class _Selector(selectors.DefaultSelector):
    """Counts a wait up to what was asked for, and what lies between two waits up to what was computed."""

    def __init__(self) -> None:
        super().__init__()
        self._read = (MONOTONIC(), computed())
        self._before = (0.0, *self._read)
        self._waiting: float | None = None
        self.elsewhere = 0  # how many calls other threads are at work on

    def time(self) -> float:
        """Seconds since it was made; ahead of the machine's only if it hurries."""
        passed, since, before = self._before
        at = MONOTONIC()
        real = at - since
        if self._waiting is None and at - self._read[0] > FRESH:
            self._read = (at, computed())
        own = min(real, self._read[1] - before if self._waiting is None else self._waiting)
        return passed + own + HELD_UP * (real - own)

    def _count_anew(self) -> None:
        """From this moment on, exactly."""
        self._read = (float("-inf"), self._read[1])
        passed = self.time()
        if self._waiting is not None:
            self._read = (MONOTONIC(), computed())
        self._before = (passed, *self._read)

    def skip(self, seconds: float) -> None:
        """Let that many seconds have passed."""
        passed, *since = self._before
        self._before = (passed + seconds, since[0], since[1])

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As any selector."""
        if timeout is not None and timeout <= 0:  # a look, not a wait
            return super().select(timeout)
        self._count_anew()
        asked = float("inf") if timeout is None else timeout
        self._waiting = asked / HURRY if OwnTimeLoop.hurries and not self.elsewhere else asked
        try:
            found = super().select(None if timeout is None else self._waiting)
            if timeout is not None and not found:
                self.skip(asked - self._waiting)
            return found
        finally:
            self._count_anew()
            self._waiting = None


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go by the time of this process."""

    not_closed: ClassVar[list[OwnTimeLoop]] = []
    hurries: ClassVar[bool] = False  # whether no other process takes part

    def __init__(self) -> None:
        self._own = _Selector()
        self.began_wall, self.began_monotonic = WALL(), MONOTONIC()
        super().__init__(self._own)
        self.not_closed.append(self)

    def time(self) -> float:
        """Seconds; only differences mean anything."""
        return self._own.time()

    def run_in_executor(self, *call: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As any loop."""
        return self.elsewhere(super().run_in_executor(*call))

    def elsewhere(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        """The same; another thread is at work on it until it is done."""

        def ended(_: asyncio.Future[T]) -> None:
            self._own.elsewhere -= 1

        self._own.elsewhere += 1
        future.add_done_callback(ended)
        return future

    def close(self) -> None:
        """As any loop; the machine's time counts again."""
        if not self.is_closed():
            self.not_closed.remove(self)
        super().close()

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing of the program runs, as when the system stops it."""
        self._own.skip(seconds)


def keep_pace() -> None:
    """Another process takes part in this test from now on."""
    OwnTimeLoop.hurries = False


def stand_still(seconds: float) -> None:
    """The running loop and with it the whole program stops for that long; it takes no time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, OwnTimeLoop)
    loop.stand_still(seconds)


def wall() -> float:
    """Epoch seconds, from the newest loop of the tests if one is open."""
    loop = OwnTimeLoop.not_closed[-1] if OwnTimeLoop.not_closed else None
    return WALL() if loop is None else loop.began_wall + loop.time()


def now() -> datetime:
    """The wall time, aware, UTC."""
    return datetime.fromtimestamp(wall(), UTC)


def monotonic() -> float:
    """Seconds that never go back."""
    loop = OwnTimeLoop.not_closed[-1] if OwnTimeLoop.not_closed else None
    return MONOTONIC() if loop is None else loop.began_monotonic + loop.time()


def elsewhere(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The same call, of a method that waits for another thread. It begins when the method does."""

    @wraps(call)
    def counted(*args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        loop, waits = asyncio.get_running_loop(), call(*args, **kwargs)
        return loop.elsewhere(asyncio.ensure_future(waits)) if isinstance(loop, OwnTimeLoop) else waits

    return counted
