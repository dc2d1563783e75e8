"""Checks that the store's file is still the opened one, with what this process wrote, and not older than at the last run.

SQLite continues to write into a deleted or replaced file: acked requests and sent calls would then be lost. So the file and
its WAL are checked around every commit. A copy that overwrites the file in place keeps its identity, but not its time: only the
bot writes the file (other processes only append to the WAL), so a change between two of its commits is examined. Between two
runs, `<file>.head` keeps the head of the audit log.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bot.store.errors import StoreProblem

HEAD_SUFFIX: Final = ".head"
_WAITS: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.025)


class FileGuard:
    """Remembers the open file and WAL. Once one of them is deleted or replaced, every later check fails.

    `owned`: this process alone writes the file, so that a change by another one is found. The file is then kept open for
    reading: SQLite loses its locks when a process closes any descriptor of the file.
    """

    def __init__(self, path: str, *, owned: bool) -> None:
        self._path = path
        self._open: dict[str, tuple[int, ...]] = {path: _identity(path)[:2], f"{path}-wal": ()}
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if owned else None
        self._left: dict[str, tuple[int, ...]] = {}
        self._header = _header(self._file)
        self._lost = False

    def close(self) -> None:
        """After all connections."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def check(self) -> None:
        """Raises StoreProblem (store_replaced) when a file on the disk is not the open one. Two calls of stat: 3 µs."""
        self._now()

    def changed(self) -> list[str]:
        """`check`, and the paths of the files that another process changed since `leave`."""
        now = self._now()
        return [path for path, left in self._left.items() if left and left != now[path]]

    def leave(self) -> None:
        """`check`, and remember the files as this process's commit left them.

        The file itself can't go back: SQLite counts its changes, and it never gets smaller.
        """
        now = self._now()
        if self._file is None:
            return
        if now[self._path] != self._left.get(self._path):
            before, self._header = self._header, _header(self._file)
            if (self._header[0] - before[0]) % 2**32 >= 2**31 or self._header[1] < before[1]:
                self.lose()
        self._left = now

    def check_size(self) -> None:
        """`check`, after SQLite failed: a file or WAL that is smaller than this process left it was overwritten."""
        now = self._now()
        if any(left and now[path][2] < left[2] for path, left in self._left.items()):
            self.lose()

    def lose(self) -> None:
        """From now on every check fails. Raises StoreProblem (store_replaced)."""
        self._lost = True
        self._now()

    def is_file(self, path: str) -> bool:
        """Whether it is the file itself, not the WAL."""
        return path == self._path

    def _now(self) -> dict[str, tuple[int, ...]]:
        found = {path: _identity(path) for path in self._open}
        for path, known in self._open.items():
            if not known:
                self._open[path] = found[path][:2]  # the first commit makes the WAL
            elif found[path][:2] != known:
                self._lost = True
        if self._lost:
            raise StoreProblem(
                "The store's file was deleted, replaced or overwritten while the bot was running. Nothing was recorded.",
                "Stop the bot, put the newest copy of the file back, and start it again.",
                "store_replaced",
            )
        return found


def _header(file: int | None) -> tuple[int, int]:
    """The change counter in the header of a database, and its size."""
    return (0, 0) if file is None else (int.from_bytes(os.pread(file, 4, 24), "big"), os.fstat(file).st_size)


def save_head(path: str, head: str | None) -> None:
    """Save the head of the audit log next to the file, atomically. Raises OSError."""
    if head is None:
        return
    new = Path(f"{path}{HEAD_SUFFIX}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(f"{head}\n")
    new.replace(f"{path}{HEAD_SUFFIX}")


def kept_head(path: str) -> tuple[int, str] | None:
    """Number and hash of the last entry that the earlier run saved, or None."""
    with suppress(OSError, ValueError):
        seq, _, digest = Path(f"{path}{HEAD_SUFFIX}").read_text(encoding="ascii").strip().partition(":")
        return int(seq), digest
    return None


def rolled_back(path: str, seq: int) -> StoreProblem:
    """The audit log doesn't have the entry that an earlier run saved as its head."""
    name = Path(path).name
    return StoreProblem(
        f"{name} is not the file of the last run: entry {seq} of its audit log is missing or different.",
        f"Put the newest copy back. To continue with this file, run `signalbox audit verify`, delete {name}{HEAD_SUFFIX}, and"
        " start again.",
        "store_rolled_back",
    )


def _identity(path: str) -> tuple[int, ...]:
    """Device, inode, size and time of the last change; empty without a file."""
    try:
        found = os.stat(path)  # noqa: PTH116  called twice per commit, and a Path costs more than the call
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


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
