"""Worlds that several files of this folder use. A file says `pytestmark = pytest.mark.asyncio(loop_scope="module")` for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.world import World, world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world where the crawl team may do everything, one for each file, shared by its tests that break nothing."""
    async with world(tmp_path_factory.mktemp("open"), speed=60.0) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The same for one test."""
    async with world(tmp_path_factory.mktemp("alone"), speed=60.0) as made:
        yield made
