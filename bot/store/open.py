"""Opens the store. The only place that chooses the database."""

from __future__ import annotations

from pathlib import Path

from bot.store.sqlite.database import SqliteDatabase
from bot.store.store import Store


def open_store(where: str | Path, *, exclusive: bool = False, patience: float = 5.0) -> Store:
    """Open or make the store, apply migrations, and check it. Blocks. Raises StoreProblem.

    `exclusive` is for the bot: a second one with the same file gets store_locked. `patience`: seconds to wait for another writer.
    """
    return Store(SqliteDatabase(str(where), exclusive=exclusive, patience=patience))
