"""Temporary files for content that is too large for memory, in one private folder."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, cast


class FileSpool:
    """Implements core.ports.Spool in `folder`, which is made with mode 0700 and emptied at the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, keep: Collection[str] = ()) -> None:
        """Create the folder and delete files of an earlier run, except those (by path) that are still to be sent."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            if old.is_file() and str(old) not in keep:
                old.unlink()

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
