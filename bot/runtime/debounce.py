"""Who pressed a button last, for the moments in which that matters. A restart forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from bot.core.records import StoredButton
from bot.core.value import Json, canonical

DOUBLE_CLICK: Final = timedelta(seconds=3)  # within it one person's second press is the first one again
_COMMANDS: Final = ("command1", "say1")
_MOST: Final = 1_000
_NONE: Final = ("", "")


@dataclass(frozen=True, slots=True)
class Pressed:
    """Who pressed, when, and under which request."""

    user_id: str
    at: datetime
    request_id: str


class Presses:
    """The last press of each person on each button that stands for a command, the earliest first. Buttons are told apart by card
    and meaning, for an update of the card gives them new ids. What is no such button is never in anybody's way."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], dict[str, Pressed]] = {}

    def note(self, row: StoredButton | None, pressed: Pressed) -> bool:
        """Remember this press; False when it repeats the person's own of a moment ago, which stays the one that counts."""
        key = _key(row)
        if key is None:
            return True
        if len(self._last) >= _MOST and key not in self._last:
            self._last.clear()
        of_all = self._last.setdefault(key, {})
        before = of_all.get(pressed.user_id)
        if before is not None and pressed.at - before.at < DOUBLE_CLICK:
            of_all[pressed.user_id] = replace(before, at=pressed.at)
            return False
        of_all.pop(pressed.user_id, None)  # to the end, behind those who came before
        of_all[pressed.user_id] = pressed
        return True

    def last(self, row: StoredButton | None, user_id: str) -> Pressed | None:
        """This person's press of it, None without one."""
        return self._last.get(_key(row) or _NONE, {}).get(user_id)

    def put_back(self, row: StoredButton | None, pressed: Pressed, before: Pressed | None) -> None:
        """It was not taken after all: what was there before counts again."""
        of_all = self._last.get(_key(row) or _NONE, {})
        if of_all.get(pressed.user_id) == pressed:
            of_all.pop(pressed.user_id)
            of_all.update({pressed.user_id: before} if before is not None else {})

    def before(self, row: StoredButton | None, user_id: str, since: datetime) -> Sequence[Pressed]:
        """The presses of other people that came before this person's, none older than `since`."""
        of_all = self._last.get(_key(row) or _NONE, {}).values()
        return [pressed for pressed in takewhile(lambda one: one.user_id != user_id, of_all) if pressed.at >= since]


def _key(row: StoredButton | None) -> tuple[str, str] | None:
    """The card and what pressing means; None for a button that stands for no command."""
    means: Json = row.payload if row is not None else None
    if row is None or not isinstance(means, dict) or means.get("tag") not in _COMMANDS:
        return None
    return row.message_key, canonical(means)
