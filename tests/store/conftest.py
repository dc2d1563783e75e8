"""Every test of the contract runs on SQLite and on PostgreSQL, each time with a new store."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.store import Store
from tests.postgres import LocalServer, administrate

_NUMBERS = itertools.count(1)
_TEMPLATE = "empty_store"


@pytest.fixture(scope="session")
def empty_store(postgres: LocalServer) -> str:
    """The name of a database with an empty store, to copy."""
    administrate(postgres, f"CREATE DATABASE {_TEMPLATE}")
    open_store(postgres.url(_TEMPLATE)).close_sync()
    return _TEMPLATE


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Where a new, empty store is."""
    if request.param == "sqlite":
        yield StoreAddress(str(tmp_path / "signalbox.db"))
        return
    template, server = request.getfixturevalue("empty_store"), request.getfixturevalue("postgres")
    name = f"store_{next(_NUMBERS)}"
    administrate(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield StoreAddress(server.url(name))
    administrate(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(address: StoreAddress) -> AsyncIterator[Store]:
    """A new, empty store."""
    opened = open_store(address)
    yield opened
    await opened.close()
