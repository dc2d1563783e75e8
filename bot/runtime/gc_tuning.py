"""Settings of the Python interpreter for short answer times: thread switches and garbage collection."""

from __future__ import annotations

import gc
import sys
from typing import Final

_TURN: Final = 0.0005  # seconds
_NEW_OBJECTS: Final = 10_000


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
