"""How a program that answers people uses Python itself: who gets its lock, and when it looks for garbage."""

from __future__ import annotations

import gc
import sys
from typing import Final

_TURN: Final = 0.0005  # seconds
_NEW_OBJECTS: Final = 10_000


def share() -> None:
    """For a program whose loop works beside the store's writer, once, at its start.

    Every statement of the writer lets Python's lock go and has to win it back; a busy loop keeps it for 5 ms by default, so
    that a commit of six statements could take 30 ms.
    """
    sys.setswitchinterval(_TURN)


def settle() -> None:
    """Once everything stands that stays: never look through it for garbage again, and look less often through what is new.

    By default everything is looked through again and again. With the libraries, a large policy and many verbs that takes up to
    0.1 s, in which nobody is answered. Takes that long itself, once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
