"""Files that wait for their upload to Slack, so that another replica can upload them.

They stay on the disk with SQLite, or when all replicas share a folder.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from bot.store.part import StorePart

CHUNK: Final = 1024 * 1024
_ADD: Final = "INSERT INTO blobs (id, n, body) VALUES (?, ?, ?)"
_READ: Final = "SELECT body FROM blobs WHERE id = ? AND n = ?"
_OLD: Final = "DELETE FROM blobs WHERE made_at < now() - interval '7 days'"


class StoredFiles(StorePart):
    """A file is known by the path at which it was made, and kept in chunks of 1 MiB."""

    async def keep_file(self, path: str) -> None:
        """Store a file for the other replicas. Raises OSError when it can't be read."""
        if not self.database.keeps_files:
            return
        with await asyncio.to_thread(Path(path).open, "rb") as file:
            number = 0
            while body := await asyncio.to_thread(file.read, CHUNK):
                values = (_key(path), number, body)
                await self.database.write(lambda db: db.execute(_ADD, values))  # noqa: B023  awaited at once
                number += 1

    async def fetch_file(self, path: str) -> str | None:
        """Where the file is on this machine: at its path, or as a copy. None when nobody has it."""
        if await asyncio.to_thread(Path(path).exists):
            return path
        if not self.database.keeps_files or await self._chunk(path, 0) is None:
            return None
        number = 0
        with tempfile.NamedTemporaryFile(suffix=Path(path).suffix, delete=False) as copy:
            while (body := await self._chunk(path, number)) is not None:
                await asyncio.to_thread(copy.write, body)
                number += 1
        return copy.name

    async def drop_file(self, path: str) -> None:
        """Forget a file that was uploaded, and those that nobody has asked for in a week."""
        if self.database.keeps_files:
            await self.database.write(lambda db: db.execute("DELETE FROM blobs WHERE id = ?", (_key(path),)))
            await self.database.write(lambda db: db.execute(_OLD))

    async def _chunk(self, path: str, number: int) -> bytes | None:
        row = await self.database.glance(lambda db: db.execute(_READ, (_key(path), number)).fetchone())
        return None if row is None else bytes(row[0])


def _key(path: str) -> str:
    return Path(path).name
