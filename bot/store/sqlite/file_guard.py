"""Checks that the store's file is still the opened one, and not older than at the last run.

SQLite continues to write into a deleted or replaced file: acked requests and sent calls would then be lost. So the file and
its WAL are checked around every commit. Between two runs, `<file>.head` keeps the head of the audit log.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bot.store.errors import StoreProblem

HEAD_SUFFIX: Final = ".head"


class FileGuard:
    """Remembers the open file and WAL. Once one of them is deleted or replaced, every later check fails."""

    def __init__(self, path: str) -> None:
        self._open: dict[str, tuple[int, int] | None] = {path: _identity(path), f"{path}-wal": None}
        self._lost = False

    def check(self) -> None:
        """Raises StoreProblem (store_replaced) when a file on the disk is not the open one. Two calls of stat: 3 µs."""
        for path, known in self._open.items():
            now = _identity(path)
            if known is None:
                self._open[path] = now  # the first commit makes the WAL
            elif now != known:
                self._lost = True
        if self._lost:
            raise StoreProblem(
                "The store's file was deleted or replaced while the bot was running. Nothing was recorded.",
                "Stop the bot, put the newest copy of the file back, and start it again.",
                "store_replaced",
            )


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


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  called twice per commit, and a Path costs more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino
