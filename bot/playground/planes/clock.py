"""The clock of the simulated control planes: epoch seconds that a test can move by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """The clock interface of a simulated control plane; the workspace's clock implements it too."""

    def now(self) -> float:
        """Epoch seconds."""

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""


class PlaneClock:
    """Epoch seconds. `rate` 1 follows the machine, 10 runs tenfold, 0 doesn't move by itself."""

    def __init__(self, start: float | None = None, rate: float = 1.0) -> None:
        self._origin = time.time() if start is None else start
        self._began = time.monotonic()
        self._rate = rate
        self._moved = 0.0

    def now(self) -> float:
        """Epoch seconds."""
        return self._origin + self._moved + (time.monotonic() - self._began) * self._rate

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._moved += seconds
