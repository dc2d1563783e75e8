"""A real store on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.core.ports.store import StoreAddress
from bot.intents import intake
from bot.playground.workspace import transport
from bot.store.postgres.server import LocalServer
from tests.postgres import new_database


@pytest.fixture
def address(postgres: LocalServer, empty_store: str) -> Iterator[StoreAddress]:
    """The address of a new, empty store."""
    with new_database(postgres, f"TEMPLATE {empty_store}") as name:
        yield StoreAddress(postgres.url(name))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack and the intake wait for the database, which is another process and answers late on a busy machine.
    What happens to late requests has tests of its own."""
    monkeypatch.setattr(intake, "IN_TIME", timedelta(minutes=1))
    monkeypatch.setattr(intake, "PATIENCE", timedelta(minutes=1))
    monkeypatch.setattr(transport, "ACK_SECONDS", 60.0)
