"""Every test of the contract runs on SQLite and on PostgreSQL, each time with a new store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.store import Store
from tests.postgres import LocalServer, new_database


@pytest.fixture(scope="session")
def empty_store(postgres: LocalServer) -> Iterator[str]:
    """The name of a database with an empty store, to copy."""
    with new_database(postgres) as name:
        open_store(postgres.url(name)).close_sync()
        yield name


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Where a new, empty store is."""
    if request.param == "sqlite":
        yield StoreAddress(str(tmp_path / "signalbox.db"))
        return
    template, server = request.getfixturevalue("empty_store"), request.getfixturevalue("postgres")
    with new_database(server, f"TEMPLATE {template}") as name:
        yield StoreAddress(server.url(name))


@pytest.fixture
async def store(address: StoreAddress) -> AsyncIterator[Store]:
    """A new, empty store."""
    opened = open_store(address)
    yield opened
    await opened.close()
