"""The event loop: how long it was blocked, and settings of the interpreter that keep that short."""

import asyncio
import gc
import sys
from typing import Final

from bot.core.ports.services import Clock

BEAT: Final = 0.25  # seconds between two measurements
NOTICED: Final = 1.0  # seconds that count as blocked
AFTERWARDS: Final = 1.0  # seconds in which delayed requests may still arrive
_TURN: Final = 0.0005  # seconds
_NEW_OBJECTS: Final = 10_000


class Stalls:
    """Measured by the event loop's own time, which no change of the wall clock moves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: float | None = None
        self._stood = 0.0
        self._until = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._seen = loop.time()
            await self._clock.sleep(BEAT)
            stood = loop.time() - self._seen - BEAT
            if stood > NOTICED:
                self._stood, self._until = stood, loop.time() + AFTERWARDS

    def held_up(self) -> float:
        """Seconds for which a request that is seen now may have waited already; 0 as a rule."""
        now = asyncio.get_running_loop().time()
        stood = now - self._seen - BEAT if self._seen is not None else 0.0
        return max(self._stood if now < self._until else 0.0, stood if stood > NOTICED else 0.0)


def share() -> None:
    """Shorten the thread switch interval, once at the start.

    Every statement of the writer lets Python's lock go and has to win it back; a busy loop keeps it for 5 ms by default, so
    that a commit of six statements could take 30 ms.
    """
    sys.setswitchinterval(_TURN)


def settle() -> None:
    """Exclude the current objects from garbage collection, and collect new ones less often. Call once after the start.

    By default all objects are scanned again and again. With the libraries, a large policy and many verbs that blocks the loop
    for up to 0.1 s. This call takes that long once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
