"""A file that waits for its upload is found by the replica that uploads it, whoever made it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.parts import CHUNK
from bot.store.store import Store


def content_of(path: str) -> bytes:
    """The content of a private copy, which is deleted."""
    copy = Path(path)
    assert copy.stat().st_mode & 0o077 == 0
    content = copy.read_bytes()
    copy.unlink()
    return content


async def test_a_file_is_there_as_long_as_it_waits(store: Store, tmp_path: Path) -> None:
    made = tmp_path / "run.log"
    content = os.urandom(2 * CHUNK + 7)
    made.write_bytes(content)
    await store.keep_file(str(made))
    assert await store.fetch_file(str(made)) == str(made)
    made.unlink()
    copy = await store.fetch_file(str(made))
    assert (copy is not None) is store.shared, "SQLite has one bot, which keeps its own files"
    if copy is not None:
        sizes = "SELECT octet_length(body) FROM blobs ORDER BY n"
        found = store.database.read_sync(lambda db: db.execute(sizes).fetchall())
        assert found == [(1024 * 1024,), (1024 * 1024,), (7,)]
        assert copy.endswith(".log")
        assert content_of(copy) == content
    await store.drop_file(str(made))
    assert await store.fetch_file(str(made)) is None


async def test_with_a_folder_that_all_replicas_share_a_file_is_not_in_the_database(
    address: StoreAddress, tmp_path: Path
) -> None:
    """The other replica finds it at its path, and nowhere else."""
    made = tmp_path / "run.log"
    made.write_bytes(b"x")
    one, other = (open_store(replace(address, files=str(tmp_path))) for _ in range(2))
    await one.keep_file(str(made))
    assert await other.fetch_file(str(made)) == str(made)
    made.unlink()
    assert await other.fetch_file(str(made)) is None
    await other.drop_file(str(made))
    await one.close()
    await other.close()
