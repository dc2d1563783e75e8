"""A clock that stands still, an ACC with a few agents, and a client that knows its token."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import Rules, Script, SequentumPlane, Server

NOON = 1_780_000_000.0


@pytest.fixture
def clock() -> PlaneClock:
    return PlaneClock(NOON, rate=0)


@pytest.fixture
async def acc(clock: PlaneClock) -> AsyncIterator[SequentumPlane]:
    server = Server("server-key-not-a-secret", "127.0.0.1")
    plane = SequentumPlane("acc", clock=clock, servers=[server], rules=Rules())
    plane.add_agent("shop/prices", description="Prices of the shop", backup=True)
    plane.add_agent("shop/stock", sessions=3, data_files=("stock.csv", "shelves.csv"))
    plane.add_agent("labs/broken", scripts=(Script(end="Failure", errors=3), Script()))
    plane.add_agent("labs/slow", scripts=(Script(end="Never"),))
    async with plane:
        yield plane


@pytest.fixture
async def call(acc: SequentumPlane) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {acc.token}"}
    # Patient: a busy machine is no fault of the plane.
    async with httpx.AsyncClient(base_url=acc.base_url, headers=headers, timeout=30.0) as client:
        yield client
