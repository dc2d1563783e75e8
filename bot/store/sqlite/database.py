"""The store on one SQLite file: one connection that writes, and a few that read.

Group commit is our own: the writer commits together what arrives during a commit. With FULL, 64 writers made 19,706 entries a
second that way, and 2,187 with aiosqlite (docs/decisions/sqlite-group-commit.md).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import sqlite_utils

from bot.store.database import Database, Dialect, Job, Tx, Unit
from bot.store.errors import StoreProblem, closed, corrupt, for_everyone
from bot.store.sqlite.dialect import SqliteDialect
from bot.store.sqlite.driver import mapped, sqlite3, sqlite_warning
from bot.store.sqlite.file_guard import FileGuard, WriteGate, kept_head, rolled_back, save_head, single
from bot.store.sqlite.schema import migrate, refuse_foreign
from bot.store.tables import audit

T = TypeVar("T")

READERS: Final = 2
# Above this size only the small tables are checked at the start, which must take less than 2 seconds.
QUICK_CHECK_BYTES: Final = 128 * 1024 * 1024
_WAL_LIMIT: Final = 64 * 1024 * 1024
_WAL_PAGES: Final = 4_000  # 16 MB are written back at once: hot pages once instead of four times, and fewer slow acks


@lru_cache(maxsize=256)
def _insert(names: tuple[str, ...]) -> str:
    return f"INSERT INTO audit ({', '.join(names)}) VALUES ({','.join('?' * len(names))})"  # noqa: S608  only names


class SqliteTx:
    """Implements the port `Tx` on one connection."""

    __slots__ = ("added", "close", "connection", "execute", "executemany", "rollback")
    dialect: Dialect = SqliteDialect()

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.rollback = connection.rollback
        self.close = connection.close
        self.added: tuple[int, str] | None = None  # the last entry that was added

    def head(self) -> tuple[int, str] | None:
        """The sequence number and the hash of the last audit entry."""
        return cast("tuple[int, str] | None", self.execute(audit.HEAD).fetchone())

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows."""
        marks = ", ".join("?" * len(columns))
        self.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608  only names

    def add_entries(self, records: Sequence[Sequence[Any]]) -> None:
        """Insert audit entries. To bind a NULL takes 20 times as long as a text, so a column without a value is left out."""
        self.added = audit.head_of(records[-1])
        for record in records:
            names = tuple([name for name, value in zip(audit.ORDER, record, strict=True) if value is not None])
            self.execute(_insert(names), [value for value in record if value is not None])


class SqliteDatabase(Database):
    """The open file. Every method raises StoreProblem for errors of SQLite and the disk.

    `patience` is how many seconds a writer waits for another process. `exclusive` is for the bot: a second one gets
    store_locked.
    """

    def __init__(self, path: str, *, exclusive: bool = False, patience: float = 5.0, readers: int = READERS) -> None:
        super().__init__(readers)
        self.path = path
        self._patience = patience
        self._last: tuple[int, str] | None = None  # the last entry that this process committed
        self._lock = single(path) if exclusive else None
        try:
            _make_private(path)
            self._gate = WriteGate(path, patience)
            try:
                self._tx = self._connect_writer()
            except BaseException:
                self._gate.close()
                raise
        except BaseException:
            self._unlock()
            raise
        self.guard = FileGuard(path, owned=exclusive)
        self._thread.start()
        try:
            self.write_sync(self._prepare)
            self.read_sync(_check)
            if exclusive:
                self._check_head()
        except BaseException:
            super().close_sync()
            raise

    async def glance(self, unit: Unit[T]) -> T:
        """`read` for one indexed statement, on the caller's thread: another thread would cost five times as much.

        One statement sees one state without a transaction, which would cost two more statements.
        """
        # The lock stops `close` from closing the connection meanwhile.
        with self._closing:
            if self._closed:
                raise closed()
            try:
                return unit(self._reader())
            except sqlite3.Error as error:
                raise self._problem(error) from error

    def close_sync(self) -> None:
        """Finish the waiting units, write the WAL back into the file, and close. A second call does nothing."""
        with suppress(StoreProblem):
            if self._lock is not None:
                self.check()
                self.save_head()
        super().close_sync()

    def check(self) -> None:
        """Raises StoreProblem (store_replaced) when the file on the disk is not the open one."""
        self.guard.check()

    def check_all(self) -> None:
        """SQLite's own check of the whole file, and of the head. Raises StoreProblem. Blocks for some seconds per gigabyte."""
        self.read_sync(_check_all)
        self._check_head()

    def findings(self) -> list[tuple[bool, str]]:
        """The warning about this version of SQLite, if there is one."""
        warning = sqlite_warning()
        return [] if warning is None else [(False, warning)]

    def save_head(self) -> None:
        """Save the head of the audit log next to the file, for the check at the next start."""
        with suppress(OSError):  # a full disk: the earlier head stays
            save_head(self.path, self.read_sync(audit.head))

    def _prepare(self, db: Tx) -> None:
        """Migrate in the writer's open transaction."""
        plain = sqlite_utils.Database(self._tx.connection, execute_plugins=False)
        refuse_foreign(plain)
        migrate(plain)

    def _check_head(self) -> None:
        """Check that the audit log still has the entry that the last run saved. Raises StoreProblem (store_rolled_back)."""
        kept = kept_head(self.path)
        if kept is None:
            return
        row = self.read_sync(lambda db: db.execute("SELECT hash FROM audit WHERE seq = ?", (kept[0],)).fetchone())
        if row is None or row[0] != kept[1]:
            raise rolled_back(self.path, kept[0])

    def _release(self) -> None:
        self.guard.close()
        self._gate.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _connect_writer(self) -> SqliteTx:
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
                # Beside a bot, only the bot writes the file itself. The last connection to close always does.
                connection.execute(f"PRAGMA wal_autocheckpoint={0 if self._lock is None else _WAL_PAGES}")
                connection.execute("PRAGMA cache_size=-32768")
            return SqliteTx(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise mapped(error) from error
            raise

    def _connect_reader(self) -> SqliteTx:
        connection = sqlite3.connect(
            f"file:{quote(str(Path(self.path).absolute()))}?mode=ro",
            uri=True,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA cache_size=-16384")
        return SqliteTx(connection)

    def _read(self, unit: Unit[T]) -> T:
        try:
            reader = self._reader()
            reader.execute("BEGIN")
            try:
                return unit(reader)
            finally:
                reader.rollback()
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _problem(self, error: sqlite3.Error) -> StoreProblem:
        """What the error means: the disk is well when a file was overwritten with a smaller one."""
        try:
            self.guard.check_size()
        except StoreProblem as lost:
            return lost
        return mapped(error)

    def _run(self, batch: list[Job]) -> None:
        try:
            with self._gate.held():
                self._tx.rollback()
                for changed in self.guard.changed():
                    self._examine(whole=self.guard.is_file(changed))
                if not self._all_at_once(batch):
                    self._one_by_one(batch)
                self._last = self._tx.added or self._last
                self.guard.leave()  # a commit to a deleted file counts as not recorded
        except Exception as error:  # noqa: BLE001 - the callers must get any error and the thread must continue
            for job in batch:
                if job.error is None:
                    job.error = self._problem(error) if isinstance(error, sqlite3.Error) else for_everyone(error)

    def _examine(self, *, whole: bool) -> None:
        """Another process changed a file. Refuse it when it lacks this process's last entry, or is a mixture of two files.

        A new connection reads it: those that are open may still have the earlier content in memory.
        """
        fresh: SqliteTx | None = None
        try:
            fresh = self._connect_reader()
            if whole:
                _check(fresh)
            if self._last is not None:
                row = fresh.execute("SELECT hash FROM audit WHERE seq = ?", (self._last[0],)).fetchone()
                if row is None or row[0] != self._last[1]:
                    self.guard.lose()
        except (sqlite3.DatabaseError, StoreProblem):
            self.guard.lose()
        finally:
            if fresh is not None:
                fresh.close()

    def _all_at_once(self, batch: list[Job]) -> bool:
        """Run without savepoints, which cost two statements per unit. False, with nothing written, when one of several fails."""
        execute = self._tx.execute
        self._tx.added = None
        execute("BEGIN IMMEDIATE")
        try:
            for job in batch:
                try:
                    job.result = job.unit(self._tx)
                except Exception as error:  # noqa: BLE001 - its caller gets the error, or it is raised again one by one
                    self._tx.rollback()
                    self._tx.added = None
                    if len(batch) == 1:
                        job.error = self._problem(error) if isinstance(error, sqlite3.Error) else error
                    return len(batch) == 1
            execute("COMMIT")
        except BaseException:
            self._tx.rollback()
            raise
        return True

    def _one_by_one(self, batch: list[Job]) -> None:
        """Run each unit with its own savepoint, so that a failed one doesn't affect the others."""
        self._tx.execute("BEGIN IMMEDIATE")
        try:
            for job in batch:
                self._run_unit(job)
            self._tx.execute("COMMIT")
        except BaseException:
            self._tx.rollback()
            raise

    def _run_unit(self, job: Job) -> None:
        execute = self._tx.execute
        execute("SAVEPOINT unit")
        before = self._tx.added
        try:
            job.result = job.unit(self._tx)
        except Exception as error:
            self._tx.added = before
            job.error = self._problem(error) if isinstance(error, sqlite3.Error) else error
            if not self._tx.connection.in_transaction:
                # A full disk can end the whole transaction: then nothing in this batch was written.
                raise
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _finish(self) -> None:
        with suppress(sqlite3.Error, StoreProblem), self._gate.held():
            self._tx.rollback()
            # Never wait for another process's readers here, because its writer waits at the gate.
            self._tx.execute("PRAGMA busy_timeout=0")
            if self._lock is not None:
                self._tx.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # Without the gate another process is writing, so this is not the last connection and closing writes nothing.
        self._tx.connection.close()


def _make_private(path: str) -> None:
    """Make the file, or set its mode to 0600. An existing file is not opened: closing it would drop SQLite's locks."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        # Another user's file: SQLite reports whether it can be written.
        with suppress(PermissionError):
            if Path(path).stat().st_mode & 0o077:
                Path(path).chmod(0o600)
    except OSError as error:
        raise StoreProblem(
            f"The store's file can't be made: {error.strerror}.", "Check `[store] url`.", "store_unreachable"
        ) from error


def _check(db: Tx) -> None:
    pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if pages * size <= QUICK_CHECK_BYTES:
        _check_all(db)
        return
    for name in ("requests", "messages", "buttons", "pending_decisions", "watches", "pauses", "grants"):
        _expect_ok(db, f"PRAGMA quick_check({name})")


def _check_all(db: Tx) -> None:
    _expect_ok(db, "PRAGMA quick_check(1)")


def _expect_ok(db: Tx, sql: str) -> None:
    answer = db.execute(sql).fetchone()[0]
    if answer != "ok":
        raise corrupt(str(answer))
