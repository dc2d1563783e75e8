"""How much memory this process has, and the most it had while something ran."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_STATM: Final = Path("/proc/self/statm")
_LOOK_EVERY: Final = 0.02  # seconds


def resident() -> float:
    """Megabytes in memory now; where the system does not tell (all but Linux), the most that there were so far."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


class Most:
    """While the block runs a thread looks again and again; `megabytes` is the most that it saw."""

    def __init__(self) -> None:
        self.megabytes = resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.megabytes = max(self.megabytes, resident())

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            self.megabytes = max(self.megabytes, resident())
