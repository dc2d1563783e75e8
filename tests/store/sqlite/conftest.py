"""A real store on a real file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.open import open_store
from bot.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "signalbox.db")


@pytest.fixture
async def store(path: str) -> AsyncIterator[Store]:
    opened = open_store(path)
    yield opened
    await opened.close()
