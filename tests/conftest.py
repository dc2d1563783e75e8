"""Fixtures that every room may use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.world import World, world

# No seconds are asserted anywhere, by Hypothesis neither: a slow machine is no fault of the code. The examples are the same in
# every run, so that a change is judged by what it changed; SIGNALBOX_RANDOM=1 draws new ones.
settings.register_profile("signalbox", deadline=None, derandomize=os.environ.get("SIGNALBOX_RANDOM") != "1")
settings.load_profile("signalbox")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    """A running world with one simulated ACC and rules that let the crawl team do everything in #crawl-ops."""
    async with world(tmp_path) as made:
        yield made
