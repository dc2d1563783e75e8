"""How much of each person's is under way, so that nobody takes what the others need."""

from __future__ import annotations

from collections import Counter
from typing import Final

OF_ONE_PERSON: Final = 5_000  # requests that are worked on or wait for their turn: half of what all may have
FOR_WHAT_ENDS: Final = 20  # beyond that, for what stops something
AGAIN_AFTER: Final = 10  # seconds


class Shares:
    """Counts by person; "" is nobody, who never has to wait. What was picked up after a restart is not counted."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def is_full(self, user_id: str, *, ends: bool) -> bool:
        """Whether this person has to wait. `ends` for what stops something."""
        return user_id != "" and self._of[user_id] >= OF_ONE_PERSON + (FOR_WHAT_ENDS if ends else 0)

    def take(self, user_id: str) -> None:
        """One more is under way."""
        self._of[user_id] += 1

    def give(self, user_id: str) -> None:
        """One is over."""
        self._of[user_id] -= 1
        if self._of[user_id] <= 0:
            del self._of[user_id]
