"""The workspace's own time: wall-clock time that a test can move forward, and ids made from counters."""

import asyncio
import time
from contextlib import suppress


class PlaygroundClock:
    """Epoch seconds that follow the wall clock and can be moved forward by a test."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._moved = asyncio.Event()
        self._deadlines: list[float] = []
        self.last_ts = 0  # microseconds of the newest message

    def now(self) -> float:
        """Epoch seconds, including every advance."""
        return self.wall() + self._ahead

    def wall(self) -> float:
        """Epoch seconds without the advances: the timestamp of signatures."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Move time forward and wake everything that waits for a time."""
        self._ahead += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def next_ts(self) -> str:
        """A message timestamp ("1700000000.000100"), unique and increasing."""
        self.last_ts = max(int(self.now() * 1_000_000), self.last_ts + 1)
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    async def wait_until(self, deadline: float) -> None:
        """Return once now() has reached the deadline (epoch seconds)."""
        self._deadlines.append(deadline)
        try:
            while (left := deadline - self.now()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), timeout=left)
        finally:
            self._deadlines.remove(deadline)

    def waits(self, seconds: float) -> bool:
        """Whether something waits for about that long, so that a test may advance."""
        now = self.now()
        return any(0.8 * seconds < deadline - now <= seconds for deadline in self._deadlines)

    async def wait(self, seconds: float) -> None:
        await self.wait_until(self.now() + seconds)


class Ids:
    """Slack-looking ids, different in one workspace: prefix, counter in base 36, padded."""

    def __init__(self) -> None:
        self.next = 1

    def make(self, prefix: str, width: int = 9) -> str:
        number, self.next = self.next, self.next + 1
        return prefix + base36(number).rjust(width, "0")


def base36(number: int) -> str:
    """Upper-case base 36 of a number >= 0."""
    digits = ""
    while number or not digits:
        number, rest = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest] + digits
    return digits
