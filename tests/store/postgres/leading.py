"""A replica that does nothing but take part in the leadership, as a process of its own: `python -m ... URL NAME LEASE`.

It prints a line of JSON for every change, and a `sure` line every few milliseconds while it surely leads. The monotonic clock is
the same for all processes of a machine, so the lines of several replicas can be compared.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

from bot.core.ports.store import StoreAddress
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.postgres.leadership import PostgresLeadership


async def main(url: str, name: str, lease: float) -> None:
    """Take part until SIGTERM, then leave."""
    clock = SystemClock()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    def say(event: str, **more: Any) -> None:
        line = {"at": clock.monotonic(), "name": name, "event": event, "epoch": leadership.epoch, **more}
        print(json.dumps(line), flush=True)  # noqa: T201  its output is what the test reads

    async def took() -> None:
        say("took")

    async def lost() -> None:
        say("lost")

    leadership = PostgresLeadership(
        StoreAddress(url, lease=lease), clock, team="T0ACME", name=name, fence=lambda epoch, leads: None
    )
    tasks = TaskQueue()
    await leadership.join(took, lost, tasks.serve)
    say("joined")
    while not stopping.is_set():
        if leadership.leads and leadership.surely():
            say("sure")
        await clock.sleep(0.01)
    await leadership.leave()
    say("left")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
