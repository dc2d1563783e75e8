"""Limits on requests in progress: per person, so that one can't block the others, and for all together."""

from __future__ import annotations

from collections import Counter
from typing import Final

OF_ONE_PERSON: Final = 5_000  # half of what all may have
OF_ALL: Final = 10_000
URGENT_OF_ONE: Final = 20  # more, for commands that stop something
URGENT_OF_ALL: Final = 500  # more, for urgent requests during a flood
AGAIN_AFTER: Final = 10  # seconds


class RateLimit:
    """Counts requests per person; "" has no limit. Requests found after a restart are not counted."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def person_is_full(self, user_id: str, *, urgent: bool) -> bool:
        """Whether this person has to wait. `urgent` for commands that stop something."""
        return user_id != "" and self._of[user_id] >= OF_ONE_PERSON + (URGENT_OF_ONE if urgent else 0)

    def all_are_full(self, under_way: int, *, urgent: bool) -> bool:
        """Whether everyone has to wait."""
        return under_way >= OF_ALL + (URGENT_OF_ALL if urgent else 0)

    def take(self, user_id: str) -> None:
        """Count one more request."""
        self._of[user_id] += 1

    def give(self, user_id: str) -> None:
        """One has ended."""
        self._of[user_id] -= 1
        if self._of[user_id] <= 0:
            del self._of[user_id]
