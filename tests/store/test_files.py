"""A file that waits for its upload is found by the replica that uploads it, whoever made it."""

from __future__ import annotations

import os
from pathlib import Path

from bot.store.files import CHUNK
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
        assert copy.endswith(".log")
        assert content_of(copy) == content
    await store.drop_file(str(made))
    assert await store.fetch_file(str(made)) is None
