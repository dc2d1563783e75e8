"""The only place that starts tasks: each is kept, counted, and waited for when the program stops.

Acks go first. While an ack is pending, only a few of the requests that were acked before are started; the others wait in a
queue, first come, first served. Nothing in it can be lost: each request is already in the store.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, TypeVar

from bot.core.errors import code_of

OF_ONE_PERSON: Final = 5_000  # half of what all may have
OF_ALL: Final = 10_000
URGENT_OF_ONE: Final = 20  # more, for commands that stop something
URGENT_OF_ALL: Final = 500  # more, for urgent requests during a flood
AGAIN_AFTER: Final = 10  # seconds
AT_ONCE: Final = 64  # queued requests that run at once
BESIDE_ACKS: Final = 4  # the same while acks are pending: one that hangs does not stop the queue
QUIET_AFTER: Final = 0.02  # seconds without an ack after which the queue runs at full speed
HELD_UP_AFTER: Final = 0.05  # seconds after which a request counts as waiting for a backend, and the next one starts
T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
Ended = Callable[[], None]
_log = logging.getLogger("signalbox.tasks")


class RateLimit:
    """Counts requests per person; "" has no limit. Requests found after a restart are not counted."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def person_is_full(self, user_id: str, *, urgent: bool) -> bool:
        """Whether this person has to wait. `urgent` for commands that stop something."""
        return user_id != "" and self._of[user_id] >= OF_ONE_PERSON + (URGENT_OF_ONE if urgent else 0)

    def all_are_full(self, under_way: int, *, urgent: bool) -> bool:
        """Whether everyone has to wait."""
        return under_way >= OF_ALL + (URGENT_OF_ALL if urgent else 0)

    def take(self, user_id: str) -> None:
        """Count one more request."""
        self._of[user_id] += 1

    def give(self, user_id: str) -> None:
        """One has ended."""
        self._of[user_id] -= 1
        if self._of[user_id] <= 0:
            del self._of[user_id]


class KeyedLock:
    """Reentrant locks by name, first come, first served. An unused name is removed."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._owners: dict[str, asyncio.Task[object] | None] = {}

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of that name."""
        task = asyncio.current_task()
        if task is not None and self._owners.get(name) is task:
            yield
            return
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                self._owners[name] = task
                try:
                    yield
                finally:
                    del self._owners[name]
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)


def _nothing() -> None:
    """Nobody has to know that it ended."""


class TaskQueue:
    """Tracked tasks. `start` returns False once the program is stopping; the caller then reports the restart.

    `ended` is called once for work that was taken: when it ended, was cancelled, or was forgotten before it began.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._services: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._queue: deque[tuple[Work, str, Ended]] = deque()
        self._begun: dict[asyncio.Task[Any], asyncio.TimerHandle] = {}
        self._acks = 0  # acks that are pending
        self._last_ack = -QUIET_AFTER * 2
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many tasks run or are queued."""
        return len(self._tasks) + len(self._queue)

    def start(self, work: Coroutine[Any, Any, object], name: str, ended: Ended = _nothing) -> bool:
        """Run it as a task. Of an exception only the code is logged."""
        if self._closed:
            work.close()
            return False
        self._began(asyncio.create_task(work, name=name), ended)
        return True

    @contextmanager
    def slow(
        self, seconds: float, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], name: str
    ) -> Iterator[None]:
        """`start` the work if the block takes longer than so many seconds. It gets an event that is set when the block ends."""
        over = asyncio.Event()
        timer = asyncio.get_running_loop().call_later(seconds, lambda: self.start(work(over), name))
        try:
            yield
        finally:
            over.set()
            timer.cancel()

    def _began(self, task: asyncio.Task[Any], ended: Ended) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        task.add_done_callback(lambda _: ended())

    async def wait(self, work: Awaitable[T], seconds: float) -> asyncio.Future[T]:
        """Run it and wait that long at most. Returns its future, which goes on when it is not done by then."""
        future = asyncio.ensure_future(work)
        await asyncio.wait({future}, timeout=seconds)
        return future

    def enqueue(self, work: Work, name: str, ended: Ended = _nothing) -> bool:
        """`start` once it is the next in the queue. `work` makes the coroutine."""
        if self._closed:
            return False
        self._queue.append((work, name, ended))
        self._begin_next()
        return True

    @contextmanager
    def acking(self) -> Iterator[None]:
        """While a person waits for an ack."""
        self._acks += 1
        try:
            yield
        finally:
            self._acks -= 1
            self._last_ack = asyncio.get_running_loop().time()

    def _begin_next(self) -> None:
        """Start as many queued requests as allowed. A timer tries again once no acks are pending."""
        loop = asyncio.get_running_loop()
        is_quiet = not self._acks and loop.time() - self._last_ack >= QUIET_AFTER
        while self._queue and len(self._begun) < (AT_ONCE if is_quiet else BESIDE_ACKS):
            work, name, ended = self._queue.popleft()
            task = asyncio.create_task(work(), name=name)
            self._begun[task] = loop.call_later(HELD_UP_AFTER, self._next_for, task)
            self._began(task, ended)
        if self._queue and not is_quiet and self._timer is None:
            since = 0.0 if self._acks else loop.time() - self._last_ack
            self._timer = loop.call_later(QUIET_AFTER - since, self._ask_again)

    def _ask_again(self) -> None:
        self._timer = None
        self._begin_next()

    def _next_for(self, task: asyncio.Task[Any]) -> None:
        """Let the next one start: this one ended, or waits for a backend and must not delay the others."""
        handle = self._begun.pop(task, None)
        if handle is not None:
            handle.cancel()
            self._begin_next()

    def serve(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run an endless loop as a task until `stop_services`."""
        task = asyncio.create_task(work, name=name)
        self._services.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop_services(self) -> None:
        """End the endless loops."""
        services = set(self._services)
        for task in services:
            task.cancel()
        await asyncio.gather(*services, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._services.discard(task)
        self._next_for(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task %s ended with %s", task.get_name(), code_of(error))

    def unqueue(self) -> list[str]:
        """Take everything out of the queue that has not begun. Returns the names."""
        queued = list(self._queue)
        self._queue.clear()
        for _, _, ended in queued:
            ended()
        return [name for _, name, _ in queued]

    async def abandon(self) -> None:
        """Forget the queue and cancel everything that runs, but go on taking new work."""
        self.unqueue()
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self, seconds: float) -> int:
        """Accept nothing new, wait that long for running tasks, then cancel the rest. Returns how many were cancelled.

        Queued requests stay in the store, where the next start finds them.
        """
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
        forgotten = len(self.unqueue())
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
        return len(left) + forgotten
