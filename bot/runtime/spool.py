"""Temporary files for content that is too large for memory, in one private folder."""

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from bot.core.errors import Problem
from bot.core.ports.store import StoreAddress

_KEPT: Final = 7 * 86_400  # seconds, in a folder that other replicas use too
_OWN: Final = re.compile(r"signalbox\.(?P<host>.+?)\.(?P<pid>\d+)(\.cli)?\.spool")


def spool_folder(folder: Path, store: StoreAddress, *, terminal: bool = False) -> Path:
    """Where files wait for their upload to Slack: beside an SQLite file, in the folder that replicas share, or in a folder of
    this process, beside the configuration in `folder` if that can be written."""
    mark = ".cli.spool" if terminal else ".spool"
    if not store.shared:
        return Path(store.url).with_suffix(mark)
    if store.files and not terminal:
        return Path(store.files)
    place = folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())
    return place / f"signalbox.{socket.gethostname()}.{os.getpid()}{mark}"


class FileSpool:
    """Implements core.ports.Spool in `folder`, which is made with mode 0700 and emptied at the start.

    From a `shared` folder, only files are deleted that no replica has asked for in a week.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._folder = folder
        self._shared = shared

    def check(self) -> None:
        """Create the folder and a file in it. Raises Problem."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._folder).close()
        except OSError as error:
            raise Problem(
                f"The folder {self._folder.name} for files that wait for their upload can't be written: {error.strerror}.",
                "The bot's user must be able to make it and to write in it.",
                "spool_unusable",
            ) from error

    def prepare(self, keep: Collection[str] = ()) -> None:
        """Create the folder and delete files of an earlier run, except those (by path) that are still to be sent.

        Folders of processes of this machine that were killed are deleted too. The store has what they had to send.
        """
        self.check()
        until = time.time() - _KEPT if self._shared else float("inf")  # noqa: TID251  compared with the times of files
        for old in self._folder.iterdir():
            if old.is_file() and str(old) not in keep and old.stat().st_mtime < until:
                old.unlink()
        for other in self._folder.parent.glob("signalbox.*.spool"):
            if _is_left_over(other):
                shutil.rmtree(other, ignore_errors=True)

    @asynccontextmanager
    async def create(self, suffix: str) -> AsyncIterator[BinaryIO]:
        """A new file. It is kept when the block ends normally and deleted when it raises."""
        file = tempfile.NamedTemporaryFile(suffix=suffix, dir=self._folder, delete=False)  # noqa: SIM115  closed below
        try:
            with file:
                yield cast("BinaryIO", file)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file
            raise


def _is_left_over(folder: Path) -> bool:
    """Whether it belongs to a process of this machine that has ended."""
    found = _OWN.fullmatch(folder.name)
    if found is None or found["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # another user's
        return False
    return False
