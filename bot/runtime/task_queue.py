"""The only place that starts tasks: each is kept, counted, and waited for when the program stops.

What Slack waits for goes first. While a request is being taken in at the door, little of the work on earlier ones is begun;
they wait in a line, first come first served, and nothing in it is lost: every one of them is in the store already.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

TURNS: Final = 64  # works of the line that are begun together
TURNS_BESIDE_THE_DOOR: Final = 8  # the same while acks are given one by one
TURNS_IN_A_FLOOD: Final = 2  # at least these, however many come: one that hangs does not stop the line
QUIET_AFTER: Final = 0.02  # seconds without anybody at the door after which it counts as quiet
PATIENCE: Final = 0.005  # seconds that a work may wait for somebody outside before the next one has its turn
TURN_LASTS: Final = 0.2  # seconds after which a work counts as one that waits, whatever for

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]

_log = logging.getLogger("signalbox.drain")


class TaskQueue:
    """Tracked tasks. `start` answers False once the stop began: the caller then says that it is restarting."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._services: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._line: deque[tuple[Work, str]] = deque()
        self._turns: dict[asyncio.Task[Any], asyncio.TimerHandle] = {}
        self._at_the_door = 0
        self._crowd = 0  # the most that were there together of late
        self._visits = 0
        self._is_quiet = True

    def __len__(self) -> int:
        """What is under way and what waits in the line."""
        return len(self._tasks) + len(self._line)

    def start(self, work: Coroutine[Any, Any, object], name: str) -> bool:
        """Run it beside everything else. An exception that it lets out is logged by its type alone."""
        if self._closed:
            work.close()
            return False
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    async def wait(self, work: Coroutine[Any, Any, T], seconds: float) -> asyncio.Task[T]:
        """Run it and wait that long at most. Returns its task, which goes on when it is not done by then."""
        task = asyncio.create_task(work)
        await asyncio.wait({task}, timeout=seconds)
        return task

    def line_up(self, work: Work, name: str) -> bool:
        """`start` in its turn: at once when few are at it, else behind those that came before. `work` makes the coroutine."""
        if self._closed:
            return False
        self._line.append((work, name))
        self._begin_next()
        return True

    @contextmanager
    def at_the_door(self) -> Iterator[None]:
        """While somebody waits for an ack."""
        self._at_the_door += 1
        self._crowd = max(self._crowd, self._at_the_door)
        self._visits += 1
        if self._is_quiet:
            self._is_quiet = False
            self._look_again()
        try:
            yield
        finally:
            self._at_the_door -= 1

    @contextmanager
    def outside(self) -> Iterator[None]:
        """While a work waits for an answer from outside: when that takes long, the next one has its turn."""
        task = asyncio.current_task()
        if task is None or task not in self._turns:
            yield
            return
        handle = asyncio.get_running_loop().call_later(PATIENCE, self._turn_is_over, task)
        try:
            yield
        finally:
            handle.cancel()

    def _look_again(self) -> None:
        """One timer for all visits: they come by the hundred a second."""
        asyncio.get_running_loop().call_later(QUIET_AFTER, self._listen, self._visits)

    def _listen(self, visits: int) -> None:
        """Quiet is when nobody came since and nobody is there."""
        self._crowd = self._at_the_door
        if self._at_the_door or visits != self._visits:
            self._look_again()
            return
        self._is_quiet = True
        self._begin_next()

    def _begin_next(self) -> None:
        """Begin as many of the line as may be under way. Whoever is in the line has at least one before it that is."""
        most = self._most()
        while self._line and len(self._turns) < most:
            work, name = self._line.popleft()
            task = asyncio.create_task(work(), name=name)
            self._tasks.add(task)
            self._turns[task] = asyncio.get_running_loop().call_later(TURN_LASTS, self._turn_is_over, task)
            task.add_done_callback(self._ended)

    def _most(self) -> int:
        """How many may be under way together: the more came to the door of late, the fewer.

        Who is there now would not do: one commit lets all of them go at once, and they are back at once.
        """
        if self._is_quiet:
            return TURNS
        return max(TURNS_IN_A_FLOOD, TURNS_BESIDE_THE_DOOR // max(1, self._crowd))

    def _turn_is_over(self, task: asyncio.Task[Any]) -> None:
        """A control plane that does not answer must not keep the others waiting."""
        handle = self._turns.pop(task, None)
        if handle is not None:
            handle.cancel()
            self._begin_next()

    def serve(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run an endless loop beside everything else, until `stop_services`."""
        task = asyncio.create_task(work, name=name)
        self._services.add(task)
        task.add_done_callback(self._ended)

    async def stop_services(self) -> None:
        """End the endless loops."""
        services = set(self._services)
        for task in services:
            task.cancel()
        await asyncio.gather(*services, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._services.discard(task)
        self._turn_is_over(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task %s ended with %s", task.get_name(), type(error).__name__)

    async def close(self, seconds: float) -> int:
        """Take nothing new, wait that long for what is under way, then cancel the rest; how many were cancelled.

        What still waits in the line then is forgotten here; the store knows of it.
        """
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        forgotten = len(self._line)
        self._line.clear()
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
        return len(left) + forgotten
