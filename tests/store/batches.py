"""Units of work that are committed in one batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from bot.store.database import Tx
from bot.store.store import Store
from tests.waiting import until


class Blocker:
    """Holds the writer inside a unit until it is let go, so that everything behind it forms one batch."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    def unit(self, db: Tx) -> None:
        self.entered.set()
        assert self.go.wait(60)


async def batch_behind(store: Store, *calls: Callable[[], Awaitable[object]]) -> list[object]:
    """What the calls answer when they are committed together. Each is one write."""
    blocker = Blocker()
    first = asyncio.ensure_future(store.database.write(blocker.unit))
    await asyncio.get_running_loop().run_in_executor(None, blocker.entered.wait, 60)
    waiting = asyncio.gather(*(call() for call in calls), return_exceptions=True)
    await until(lambda: store.database._jobs.qsize() == len(calls))
    blocker.go.set()
    await first
    return list(await waiting)
