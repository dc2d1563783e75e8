"""Locks between processes, in addition to SQLite's: one bot per file, and one writer at a time.

Both are `flock` locks, which belong to an open file: they also work between two stores in one process, end with the
process, and don't affect SQLite's POSIX locks on the database. `filelock` opens the file at each acquire, which costs 190 µs
per commit instead of 2 µs. The write gate is needed while a platform may have an SQLite with the WAL-reset bug: `pysqlite3`
has a fixed one only for Linux on x86_64.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bot.store.errors import StoreProblem

_WAITS: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.025)


class FileLock:
    """An exclusive lock on one file. The file is made (mode 0600) if it is missing, and never removed.

    If it were removed, a second process could lock a new file of the same name.
    """

    def __init__(self, path: str) -> None:
        try:
            self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            code = "store_readonly" if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else "store_unreachable"
            raise StoreProblem(
                f"The store's lock file can't be opened: {error.strerror}.",
                "Check `[store] url`; the bot's user must be able to write in that directory.",
                code,
            ) from error

    def try_take(self) -> bool:
        """Take the lock if it is free now."""
        try:
            fcntl.flock(self._open_fd(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Release the lock. No error when it is not held."""
        fcntl.flock(self._open_fd(), fcntl.LOCK_UN)

    def close(self) -> None:
        """Release the lock and close the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open_fd(self) -> int:
        if self._fd is None:
            raise StoreProblem("The store's lock is closed.", code="store_closed")
        return self._fd


class WriteGate:
    """Lets only one connection of any process commit or checkpoint at a time (see `driver.sqlite_warning`).

    After `patience` seconds it raises a StoreProblem with the code store_busy.
    """

    def __init__(self, path: str, patience: float) -> None:
        self._lock = FileLock(path + ".writing")
        self._patience = patience

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the gate for the block."""
        self._take()
        try:
            yield
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the lock file."""
        self._lock.close()

    def _take(self) -> None:
        waited = 0.0
        step = 0
        while not self._lock.try_take():
            if waited >= self._patience:
                raise StoreProblem(
                    "Another program is writing to the store. Nothing was recorded.",
                    "Find the other signalbox process, then try again.",
                    "store_busy",
                )
            pause = _WAITS[min(step, len(_WAITS) - 1)]
            time.sleep(pause)
            waited += pause
            step += 1


def single(path: str) -> FileLock:
    """The lock of a running bot on `<path>.lock`. Raises StoreProblem (store_locked) when another bot holds it."""
    lock = FileLock(path + ".lock")
    if not lock.try_take():
        lock.close()
        raise StoreProblem(
            "Another signalbox is running with this store.",
            "Stop it first. Only one bot can use a store.",
            "store_locked",
        )
    return lock
