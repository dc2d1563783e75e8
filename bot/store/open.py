"""Opens the store. The only place that chooses the database."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.ports.services import Clock
from bot.core.ports.store import Leadership, StoreAddress
from bot.store.copy import refuse_moved
from bot.store.database import Database
from bot.store.errors import StoreProblem
from bot.store.sqlite.database import SqliteDatabase
from bot.store.store import Store

if TYPE_CHECKING:
    from bot.store.postgres.server import LocalServer


def is_there(address: StoreAddress) -> bool:
    """Whether opening it wouldn't make a new file."""
    return address.shared or Path(address.url).exists()


def open_store(where: StoreAddress | str | Path, *, exclusive: bool = False, patience: float = 5.0) -> Store:
    """Open or make the store, apply migrations, and check it. Blocks. Raises StoreProblem.

    `exclusive` is for the bot: a second one with the same file gets store_locked, and one with a store that was moved gets
    store_moved. `patience`: seconds to wait for another writer, or for a database that can't be reached.
    """
    address = where if isinstance(where, StoreAddress) else StoreAddress(str(where))
    store = Store(_database(address, exclusive=exclusive, patience=patience))
    if exclusive:
        try:
            refuse_moved(store)
        except BaseException:
            store.close_sync()
            raise
    return store


def prepare_database(owner: StoreAddress, address: StoreAddress) -> str:
    """Make the tables of PostgreSQL as another user, who owns them, and give the user of `address` the rights that it needs.

    Returns that user's name. Blocks. Raises StoreProblem.
    """
    _need_psycopg()
    from bot.store.postgres.check import prepare_as  # noqa: PLC0415  users of SQLite don't have it

    return prepare_as(owner, address)


def _database(address: StoreAddress, *, exclusive: bool, patience: float) -> Database:
    if not address.shared:
        return SqliteDatabase(address.url, exclusive=exclusive, patience=patience)
    _need_psycopg()
    from bot.store.postgres.database import PostgresDatabase  # noqa: PLC0415  users of SQLite don't have it

    return PostgresDatabase(address, patience=patience)


def _need_psycopg() -> None:
    if find_spec("psycopg") is None:
        raise StoreProblem(
            "The package for PostgreSQL is not installed.",
            "Run `pip install '.[postgres]'` in the folder with the program's source.",
            "store_unreachable",
        )


def open_leadership(
    store: Store, address: StoreAddress, clock: Clock, team: str, *, may_lead: bool = True
) -> Leadership | None:
    """Who leads a workspace among several replicas. None when only one process can open the store."""
    if not store.shared:
        return None
    from bot.store.postgres.leadership import PostgresLeadership  # noqa: PLC0415  users of SQLite don't have it

    name = f"{socket.gethostname()}:{os.getpid()}"
    return PostgresLeadership(
        address, clock, team=team, name=name, fence=store.fence, doubt=store.doubt, may_lead=may_lead
    )


def local_server(folder: Path) -> LocalServer:
    """A PostgreSQL of this machine with its data in `folder`, for the demo. Raises Problem when none is installed."""
    from bot.store.postgres.server import LocalServer  # noqa: PLC0415  users of SQLite don't have it

    return LocalServer(folder)
