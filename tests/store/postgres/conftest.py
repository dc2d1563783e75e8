"""A real store on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.ports.store import StoreAddress
from bot.intents import intake
from bot.playground.workspace import transport


@pytest.fixture
def address(store_url: str) -> StoreAddress:
    """The address of a new, empty store."""
    return StoreAddress(store_url)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack and the intake wait for the database, which is another process and answers late on a busy machine.
    What happens to late requests has tests of its own."""
    monkeypatch.setattr(intake, "IN_TIME", timedelta(minutes=1))
    monkeypatch.setattr(intake, "PATIENCE", timedelta(minutes=1))
    monkeypatch.setattr(transport, "ACK_SECONDS", 60.0)
