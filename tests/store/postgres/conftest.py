"""A real store on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.postgres.server import LocalServer
from tests.postgres import administrate

_NUMBERS = itertools.count(1)


@pytest.fixture
def address(postgres: LocalServer, empty_store: str) -> Iterator[StoreAddress]:
    """The address of a new, empty store."""
    name = f"own_{next(_NUMBERS)}"
    administrate(postgres, f"CREATE DATABASE {name} TEMPLATE {empty_store}")
    yield StoreAddress(postgres.url(name))
    administrate(postgres, f"DROP DATABASE {name} WITH (FORCE)")
