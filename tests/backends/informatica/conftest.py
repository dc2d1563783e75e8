"""A simulated organization and the backend joined to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.backends.informatica import PLUGIN
from bot.playground.planes.informatica import InformaticaPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined

SERVER = "Data Integration Server"


@pytest.fixture
def clock() -> TwinClock:
    return TwinClock()


@pytest.fixture
async def plane(clock: TwinClock) -> AsyncIterator[InformaticaPlane]:
    plane = InformaticaPlane("infa", clock=clock.plane, lock_after=3)
    eu = plane.add_agent("eu-1", SERVER, "Process Server")
    plane.add_agent("us 1", SERVER, active=False)
    plane.add_task("load_orders", eu)
    plane.add_task("sync_customers", eu, sort="DSS", ends=2)
    plane.add_schedule("nightly")
    plane.add_schedule("weekly close", "Weekly", enabled=False)
    async with plane:
        yield plane


@pytest.fixture
async def infa(plane: InformaticaPlane, clock: TwinClock, tmp_path: Path) -> AsyncIterator[Joined]:
    async with joined(
        PLUGIN,
        "infa",
        clock,
        tmp_path,
        login_url=plane.base_url,
        username=plane.username,
        password=plane.password,
    ) as made:
        yield made


def effects(plane: InformaticaPlane) -> list[tuple[str, str]]:
    return [(deed.action, deed.subject) for deed in plane.effects]


def paths(plane: InformaticaPlane) -> list[str]:
    """`METHOD raw_path?raw_query` of every request."""
    return [f"{one.method} {one.raw_path}" + (f"?{one.raw_query}" if one.raw_query else "") for one in plane.requests]
