"""The store's port to a database: what a unit of work sees, and the thread that commits many units together.

A unit of work is a function of an open transaction (`Tx`). The writer takes all waiting units (at most `BATCH`), runs them in one
transaction, commits once, and wakes every caller. When one unit fails, all are rolled back and run again, each on its own. So
a unit may run twice and must change nothing but the database.

Our own code, because aiosqlite and a thread for each write commit every unit alone: one durable commit for all that wait stores
about seven times as many entries per second (docs/decisions/sqlite-group-commit.md).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeVar

from bot.store.errors import StoreProblem, closed

T = TypeVar("T")

BATCH: Final = 128
PATIENCE: Final = 0.004  # seconds that non-urgent units wait for others to join the commit
ANSWERS_WITHIN: Final = 1.5  # seconds; an ack that waits longer is too late
_AWAY: Final = frozenset({"store_unreachable", "store_in_doubt", "store_busy", "store_full", "store_readonly"})


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int: ...
    @property
    def description(self) -> Sequence[Sequence[Any]] | None: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True, slots=True)
class Term:
    """Words in a row that an entry must contain. `prefix`: the last one is a beginning. `verb`: in the entry's verb."""

    words: tuple[str, ...]
    prefix: bool = False
    verb: bool = False


class Dialect(ABC):
    """SQL in which the databases differ.

    `json_list` is a query for the texts of a bound JSON list, as the column `value`. `no_index` before a column stops the
    planner from using its index. `searched` is the source, the column of the sequence number and the condition of a search by
    text, for which `search_query` makes the value.
    """

    json_list: ClassVar[str]
    no_index: ClassVar[str]
    searched: ClassVar[tuple[str, str, str]]

    @abstractmethod
    def json_text(self, column: str, *path: str) -> str:
        """An expression for the text at a path in a JSON column; NULL if there is none."""

    @abstractmethod
    def search_query(self, terms: Sequence[Term]) -> str:
        """The value of a search for entries that contain all terms."""

    @abstractmethod
    def chained(self, tx: Tx, after: int, limit: int) -> Iterable[tuple[int, str, str, bytes | None]]:
        """Sequence number, hashes and hashed bytes of the next entries, in order. No bytes for an unknown version."""

    @abstractmethod
    def missing_guards(self, tx: Tx) -> list[str]:
        """Names of the triggers of the audit log that are missing or different from those of this program."""


class Tx(Protocol):
    """An open transaction. Values are bound with `?`. The head is the sequence number and hash of the last audit entry."""

    dialect: Dialect

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows: ...
    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> object: ...
    def head(self) -> tuple[int, str] | None: ...
    def add_entries(self, records: Sequence[Sequence[Any]]) -> None: ...
    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...


Unit = Callable[[Tx], T]
Statement = tuple[str, Sequence[Any]]


@dataclass(slots=True)
class Job:
    """A waiting unit, its caller, and its result. `loop` is None when a thread waits. `epoch` is the replica's at that time."""

    unit: Unit[Any]
    waiter: asyncio.Future[Any] | Future[Any]
    loop: asyncio.AbstractEventLoop | None
    urgent: bool = True
    epoch: int | None = None
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Pass the result to the caller. Must run on the loop when there is one."""
        if self.waiter.done():
            return
        if self.error is not None:
            self.waiter.set_exception(self.error)
        else:
            self.waiter.set_result(self.result)


class Database(ABC):
    """An open database: one writer thread and a small pool of readers. Every method raises StoreProblem."""

    shared: ClassVar[bool] = False  # whether several replicas may use it at once
    keeps_files = False  # whether it has the files that wait for their upload

    def __init__(self, readers: int) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._batch_since: float | None = None
        self._failing = False  # the last batch, because of the database
        self._local = threading.local()
        self._readers: list[Any] = []
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)

    def write(self, unit: Unit[T], *, urgent: bool = False) -> asyncio.Future[T]:
        """Run `unit` in a transaction, from now on. The future is done when its commit is on the disk.

        `urgent`: Slack waits for it. Other units wait a moment for more, because one commit can serve many.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._enqueue(Job(unit, waiter, loop, urgent))
        return waiter

    def write_sync(self, unit: Unit[T]) -> T:
        """`write` for a thread without an event loop, for any replica."""
        waiter: Future[T] = Future()
        self._enqueue(Job(unit, waiter, None))
        return waiter.result()

    def load_sync(self, unit: Unit[T]) -> T:
        """`write_sync` for a unit that fills an empty database, which nobody else uses."""
        return self.write_sync(unit)

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` in a read-only transaction. It sees the state of the last commit."""
        return await self._in_pool(self._read, unit)

    async def glance(self, unit: Unit[T]) -> T:
        """`read` for one indexed statement."""
        return await self.read(unit)

    def read_sync(self, unit: Unit[T]) -> T:
        """`read` for a thread without an event loop."""
        return self._submit(self._read, unit).result()

    async def close(self) -> None:
        """Finish the waiting units and close. A second call does nothing."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_sync)

    def close_sync(self) -> None:
        """`close` for a thread without an event loop."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._pool.shutdown(wait=True)
        for reader in self._readers:
            reader.close()
        self._jobs.put(None)
        self._thread.join()
        self._release()

    def fence(self, epoch: int | None, *, leads: bool = False) -> None:  # noqa: B027  one bot has nothing to do
        """From now on nothing is committed once the replica `epoch` was declared dead. Others notify the one that leads."""

    def doubt(self) -> None:  # noqa: B027  a file has no connections
        """Give up every connection, because the database did not answer another one."""

    def wake(self, callback: Callable[[], None]) -> None:  # noqa: B027  one bot has nothing to do
        """Call `callback` when another replica has committed something for the leader. Never, when one bot uses it."""

    def cluster(self, tx: Tx) -> str | None:
        """Which server's and timeline's database it is, where restored and promoted ones can be told apart."""
        return None

    def seen_head(self) -> tuple[int, str] | None:
        """The head of the audit log at the last commit of this process, where the database may become older meanwhile."""
        return None

    def check(self) -> None:  # noqa: B027  a server has no file
        """Raises StoreProblem when the open database is not the configured one anymore."""

    def able(self) -> bool:
        """Whether the database answers writes. After a failure this tries one, so that a later call knows."""
        since = self._batch_since
        if since is not None:
            return not self._failing and time.monotonic() - since < ANSWERS_WITHIN  # noqa: TID251  see `_serve`
        if self._failing:
            self._enqueue(Job(lambda tx: None, Future(), None))
        return not self._failing

    def must_be_alone(self) -> None:  # noqa: B027  an exclusive file is alone
        """Raises StoreProblem (store_locked) when another program uses the database."""

    @abstractmethod
    def check_all(self) -> None:
        """The database's own check of everything. Blocks. Raises StoreProblem (store_corrupt)."""

    @abstractmethod
    def findings(self) -> list[tuple[bool, str]]:
        """What an administrator should know about the database: whether it is good, and a sentence. Blocks."""

    @abstractmethod
    def save_head(self) -> None:
        """Remember the head of the audit log for the check at the next start."""

    @abstractmethod
    def _run(self, batch: list[Job]) -> None:
        """Run the units of `batch` in one transaction. Afterwards each has a result or an error."""

    @abstractmethod
    def _read(self, unit: Unit[T]) -> T:
        """Run `unit` on this thread's reader, in one read transaction."""

    @abstractmethod
    def _connect_reader(self) -> Any:
        """A connection that only reads."""

    def _reader(self) -> Any:
        """This thread's reader, opened on first use."""
        reader = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._connect_reader()
            self._readers.append(reader)
        return reader

    @abstractmethod
    def _release(self) -> None:
        """Close what is still open, after the last unit."""

    def _finish(self) -> None:  # noqa: B027  optional
        """The last thing that the writer thread does."""

    def _enqueue(self, job: Job) -> None:
        with self._closing:
            if self._closed:
                raise closed()
            self._jobs.put(job)

    async def _in_pool(self, look: Callable[[Unit[T]], T], unit: Unit[T]) -> T:
        return await asyncio.wrap_future(self._submit(look, unit))

    def _submit(self, look: Callable[[Unit[T]], T], unit: Unit[T]) -> Future[T]:
        with self._closing:
            if self._closed:
                raise closed()
            return self._pool.submit(look, unit)

    def _serve(self) -> None:
        stop = False
        while not stop:
            batch, stop = self._gathered()
            if batch:
                self._batch_since = time.monotonic()  # noqa: TID251  how long a thread waits for a server
                self._run(batch)
                self._failing = all(isinstance(job.error, StoreProblem) and job.error.code in _AWAY for job in batch)
                self._batch_since = None
                _wake(batch)
        self._finish()

    def _gathered(self) -> tuple[list[Job], bool]:
        """The units to commit together, and whether this is the last batch."""
        batch: list[Job] = []
        hurry = False
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            hurry = hurry or job.urgent
            if len(batch) == BATCH:
                return batch, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                if hurry:
                    return batch, False
                hurry = True
                try:
                    job = self._jobs.get(timeout=PATIENCE)
                except queue.Empty:
                    return batch, False
        return batch, True


def _wake(batch: list[Job]) -> None:
    """Settle every job, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in batch:
        if job.loop is None:
            job.settle()
        else:
            loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        # A closed loop has no waiting callers.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, jobs)


def _settle_all(jobs: list[Job]) -> None:
    for job in jobs:
        job.settle()
