"""A real store on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.postgres.server import LocalServer
from tests.postgres import new_database


@pytest.fixture
def address(postgres: LocalServer, empty_store: str) -> Iterator[StoreAddress]:
    """The address of a new, empty store."""
    with new_database(postgres, f"TEMPLATE {empty_store}") as name:
        yield StoreAddress(postgres.url(name))
