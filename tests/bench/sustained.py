"""A steady rate of commands for minutes, what follows included: nothing may be lost, doubled or refused, and acks stay quick."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from bot.runtime import event_loop
from tests.bench.ack import requested, sending
from tests.bench.bars import Measure, percentile
from tests.bench.memory import Most
from tests.station import station

RATE: Final = 500
CONNECTIONS: Final = 16


async def run(minutes: float) -> list[Measure]:
    """Send that long. What is refused for too much being under way is told so, and is not in the audit log."""
    with tempfile.TemporaryDirectory() as folder:
        async with sending() as load, station(Path(folder)) as env:
            await load.send(env.port, CONNECTIONS * 4, connections=CONNECTIONS)
            await env.rest()
            event_loop.settle()
            before = env.store.head_sync()
            count = int(RATE * 60 * minutes) // CONNECTIONS * CONNECTIONS
            spent = time.process_time()
            with Most() as memory:
                found = await load.send(env.port, count, rate=RATE, connections=CONNECTIONS)
                left = len(env.tasks)
                await env.rest()
            spent = time.process_time() - spent
            lost = abs(count - found.told - requested(env, before))
    return [
        (f"{RATE} a second for {minutes:g} minutes, median", percentile(found.times, 50) * 1000, "ms", ""),
        ("the same, p99", percentile(found.times, 99) * 1000, "ms", "< 50"),
        ("the same, the longest", max(found.times) * 1000, "ms", ""),
        ("lost or doubled", lost, "commands", "< 1"),
        ("refused, because too much was under way", found.told, "commands", "< 1"),
        ("acked and not yet done when the last one was acked", left, "commands", ""),
        ("processor, until all of it was done", spent / count * 1000, "ms a command", ""),
        ("memory, at most", memory.megabytes, "MB", ""),
    ]
