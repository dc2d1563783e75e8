"""Every test of the contract runs on SQLite and on PostgreSQL, each time with a new store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.open import open_store
from bot.store.store import Store


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Where a new, empty store is."""
    if request.param == "sqlite":
        yield StoreAddress(str(tmp_path / "signalbox.db"))
        return
    yield StoreAddress(request.getfixturevalue("store_url"))


@pytest.fixture
async def store(address: StoreAddress) -> AsyncIterator[Store]:
    """A new, empty store."""
    opened = open_store(address)
    yield opened
    await opened.close()
