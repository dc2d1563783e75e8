"""How long the event loop was blocked recently, by the system or by a long step. Requests that Slack delivered meanwhile
waited as long before their arrival was noticed."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.core.ports.services import Clock

BEAT: Final = 0.25  # seconds between two measurements
NOTICED: Final = 1.0  # seconds that count as blocked
AFTERWARDS: Final = 1.0  # seconds in which delayed requests may still arrive


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
