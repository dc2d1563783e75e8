"""Opens the store. The only place that chooses the database."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from bot.core.ports.leadership import Leadership
from bot.core.ports.services import Clock
from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.sqlite.database import SqliteDatabase
from bot.store.store import Store


def is_there(address: StoreAddress) -> bool:
    """Whether opening it wouldn't make a new file."""
    return address.shared or Path(address.url).exists()


def open_store(where: StoreAddress | str | Path, *, exclusive: bool = False, patience: float = 5.0) -> Store:
    """Open or make the store, apply migrations, and check it. Blocks. Raises StoreProblem.

    `exclusive` is for the bot: a second one with the same file gets store_locked. `patience`: seconds to wait for another writer,
    or for a database that can't be reached.
    """
    address = where if isinstance(where, StoreAddress) else StoreAddress(str(where))
    if not address.shared:
        return Store(SqliteDatabase(address.url, exclusive=exclusive, patience=patience))
    try:
        from bot.store.postgres.database import PostgresDatabase  # noqa: PLC0415  users of SQLite don't have it
    except ImportError as missing:
        raise StoreProblem(
            "The package for PostgreSQL is not installed.",
            "Run `pip install 'signalbox[postgres]'`.",
            "store_unreachable",
        ) from missing
    return Store(PostgresDatabase(address, patience=patience))


def open_leadership(store: Store, address: StoreAddress, clock: Clock, team: str) -> Leadership | None:
    """Who leads a workspace among several replicas. None when only one process can open the store."""
    if not store.shared:
        return None
    from bot.store.postgres.leadership import PostgresLeadership  # noqa: PLC0415  users of SQLite don't have it

    name = f"{socket.gethostname()}:{os.getpid()}"
    return PostgresLeadership(address, clock, team=team, name=name, fence=store.fence)
