"""One writer thread with group commit, and a small pool of readers, on one SQLite file.

A unit of work is a function of an open `sqlite_utils.Database`. The writer takes all waiting units (at most `BATCH`), runs
them in one transaction, commits once, and wakes every caller. When one unit fails, all are rolled back and run again, each
with its own savepoint. So a unit may run twice and must change nothing but the database.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import sqlite_utils

from bot.core.audit import AuditEntry
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.errors import StoreProblem, closed, for_everyone, mapped
from bot.store.sqlite.file_guard import FileGuard
from bot.store.sqlite.lock import WriteGate
from bot.store.sqlite.tables import audit

T = TypeVar("T")
Unit = Callable[[sqlite_utils.Database], T]

BATCH: Final = 128
READERS: Final = 2
_WAL_LIMIT: Final = 64 * 1024 * 1024
_WAL_PAGES: Final = 4_000  # 16 MB are written back at once: hot pages once instead of four times, and fewer slow acks
PATIENCE: Final = 0.004  # seconds that non-urgent units wait for others to join the commit


@dataclass(slots=True)
class _Job:
    """A waiting unit, its caller, and its result. `loop` is None when a thread waits."""

    unit: Unit[Any]
    waiter: asyncio.Future[Any] | Future[Any]
    loop: asyncio.AbstractEventLoop | None
    urgent: bool = True
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


class Database:
    """The open file. Every method raises StoreProblem for errors of SQLite and the disk.

    `patience` is how many seconds a writer waits for another process.
    """

    def __init__(self, path: str, *, patience: float = 5.0, readers: int = READERS) -> None:
        self.path = path
        self._patience = patience
        self._gate = WriteGate(path, patience)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        try:
            self._db = self._connect_writer()
        except BaseException:
            self._gate.close()
            raise
        self.guard = FileGuard(path)
        self._local = threading.local()
        self._reader_connections: list[sqlite_utils.Database] = []
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, unit: Unit[T], *, urgent: bool = False) -> T:
        """Run `unit` in a transaction. Returns when its commit is on the disk.

        `urgent`: Slack waits for it. Other units wait a moment for more, because one commit can serve many.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._enqueue(_Job(unit, waiter, loop, urgent))
        return await waiter

    def write_sync(self, unit: Unit[T]) -> T:
        """`write` for a thread without an event loop."""
        waiter: Future[T] = Future()
        self._enqueue(_Job(unit, waiter, None))
        return waiter.result()

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` on a read-only connection. It sees the state of the last commit."""
        return await asyncio.wrap_future(self._submit_read(unit))

    async def glance(self, unit: Unit[T]) -> T:
        """`read` for one indexed statement, on the caller's thread: another thread would cost five times as much.

        One statement sees one state without a transaction, which would cost two more statements.
        """
        # The lock stops `close` from closing the connection meanwhile.
        with self._closing:
            if self._closed:
                raise closed()
            return self._look(unit)

    def read_sync(self, unit: Unit[T]) -> T:
        """`read` for a thread without an event loop."""
        return self._submit_read(unit).result()

    async def close(self) -> None:
        """Finish the waiting units, write the WAL back into the file, and close. A second call does nothing."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_sync)

    def close_sync(self) -> None:
        """`close` for a thread without an event loop."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._pool.shutdown(wait=True)
        for reader in self._reader_connections:
            reader.close()
        self._thread.join()
        self._gate.close()

    def _connect_writer(self) -> sqlite_utils.Database:
        try:
            connection = sqlite3.connect(
                self.path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except sqlite3.Error as error:
            raise mapped(error) from error
        try:
            with self._gate.held():
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA foreign_keys=ON")
                connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
                connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
                connection.execute("PRAGMA cache_size=-32768")
            return sqlite_utils.Database(connection, execute_plugins=False)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise mapped(error) from error
            raise

    def _connect_reader(self) -> sqlite_utils.Database:
        connection = sqlite3.connect(
            f"file:{quote(str(Path(self.path).absolute()))}?mode=ro",
            uri=True,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA cache_size=-16384")
        database = sqlite_utils.Database(connection, execute_plugins=False)
        self._reader_connections.append(database)
        return database

    def _enqueue(self, job: _Job) -> None:
        with self._closing:
            if self._closed:
                raise closed()
            self._jobs.put(job)

    def _submit_read(self, unit: Unit[T]) -> Future[T]:
        with self._closing:
            if self._closed:
                raise closed()
            return self._pool.submit(self._read, unit)

    def _read(self, unit: Unit[T]) -> T:
        return self._look(lambda reader: _in_one_state(reader, unit))

    def _look(self, unit: Unit[T]) -> T:
        """Run `unit` on this thread's reader, opened on first use."""
        try:
            reader = cast("sqlite_utils.Database | None", getattr(self._local, "reader", None))
            if reader is None:
                reader = self._local.reader = self._connect_reader()
            return unit(reader)
        except sqlite3.Error as error:
            raise mapped(error) from error

    def _serve(self) -> None:
        stop = False
        while not stop:
            batch, stop = self._gathered()
            if batch:
                self._run(batch)
                _wake(batch)
        self._finish()

    def _gathered(self) -> tuple[list[_Job], bool]:
        """The units to commit together, and whether this is the last batch."""
        batch: list[_Job] = []
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

    def _run(self, batch: list[_Job]) -> None:
        """Run the units of `batch` in one transaction. Afterwards each has a result or an error."""
        try:
            with self._gate.held():
                self._db.rollback()
                self.guard.check()
                if not self._all_at_once(batch):
                    self._one_by_one(batch)
                self.guard.check()  # a commit to a deleted file counts as not recorded
        except Exception as error:  # noqa: BLE001 - the callers must get any error and the thread must continue
            for job in batch:
                if job.error is None:
                    job.error = for_everyone(error)

    def _all_at_once(self, batch: list[_Job]) -> bool:
        """Run without savepoints, which cost two statements per unit. False, with nothing written, when one of several fails."""
        execute = self._db.conn.execute
        execute("BEGIN IMMEDIATE")
        try:
            for job in batch:
                try:
                    job.result = job.unit(self._db)
                except Exception as error:  # noqa: BLE001 - its caller gets the error, or it is raised again one by one
                    self._db.rollback()
                    if len(batch) == 1:
                        job.error = mapped(error) if isinstance(error, sqlite3.Error) else error
                    return len(batch) == 1
            execute("COMMIT")
        except BaseException:
            self._db.rollback()
            raise
        return True

    def _one_by_one(self, batch: list[_Job]) -> None:
        """Run each unit with its own savepoint, so that a failed one doesn't affect the others."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job in batch:
                self._run_unit(job)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.rollback()
            raise

    def _run_unit(self, job: _Job) -> None:
        execute = self._db.conn.execute
        execute("SAVEPOINT unit")
        try:
            job.result = job.unit(self._db)
        except Exception as error:
            job.error = mapped(error) if isinstance(error, sqlite3.Error) else error
            if not self._db.conn.in_transaction:
                # A full disk can end the whole transaction: then nothing in this batch was written.
                raise
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _finish(self) -> None:
        with suppress(sqlite3.Error, StoreProblem), self._gate.held():
            self._db.rollback()
            # Never wait for another process's readers here, because its writer waits at the gate.
            self._db.execute("PRAGMA busy_timeout=0")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # Without the gate another process is writing, so this is not the last connection and closing writes nothing.
        self._db.close()


def _in_one_state(reader: sqlite_utils.Database, unit: Unit[T]) -> T:
    """Run `unit` in a read transaction: all its statements see the same state."""
    reader.conn.execute("BEGIN")
    try:
        return unit(reader)
    finally:
        reader.rollback()


def _wake(batch: list[_Job]) -> None:
    """Settle every job, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        if job.loop is None:
            job.settle()
        else:
            loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        # A closed loop has no waiting callers.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, jobs)


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


class StorePart:
    """Base of the store's parts. A method that writes is one transaction and raises StoreProblem when it fails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _change(
        self, change: Callable[[sqlite_utils.Database], bool], rows: Sequence[AuditEntry], *, urgent: bool = False
    ) -> bool:
        """Run a compare-and-set and append `rows` with it. If it fails, nothing is written."""

        def unit(db: sqlite_utils.Database) -> bool:
            if not change(db):
                return False
            audit.append(db, rows)
            return True

        return await self.database.write(unit, urgent=urgent)
