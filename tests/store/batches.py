"""Units of work that are committed in one batch."""

from __future__ import annotations

import asyncio
import threading

from bot.store.database import Tx
from bot.store.store import Store


class Blocker:
    """Holds the writer inside a unit until it is let go, so that everything behind it forms one batch."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    def unit(self, db: Tx) -> None:
        self.entered.set()
        assert self.go.wait(60)


async def batch_behind(store: Store, *calls: object) -> list[object]:
    """What the calls answer when they are committed together."""
    blocker = Blocker()
    first = asyncio.ensure_future(store.database.write(blocker.unit))
    await asyncio.get_running_loop().run_in_executor(None, blocker.entered.wait, 60)
    waiting = asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload]
    await asyncio.sleep(0.05)
    blocker.go.set()
    await first
    return list(await waiting)
