"""Who pressed a button last, for the moment in which that matters. A restart forgets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Pressed:
    """Who pressed, when, and under which request."""

    user_id: str
    at: datetime
    request_id: str


class Presses:
    """The last press of each button that must not be meant twice. Buttons are told apart by card and meaning, for an update
    of the card gives them new ids."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Pressed] = {}

    def last(self, card: str, command: str, since: datetime) -> Pressed | None:
        """The press of it that is not older, None without one."""
        found = self._last.get((card, command))
        return found if found is not None and found.at >= since else None

    def note(self, card: str, command: str, pressed: Pressed) -> None:
        """Remember this press."""
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[card, command] = pressed
