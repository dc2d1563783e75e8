"""People whose Home tab is out of date."""

from __future__ import annotations


class StaleHomes:
    """A queue of people whose tab is out of date, each once. A restart empties it and then adds everyone who opened their tab
    recently."""

    def __init__(self) -> None:
        self._stale: dict[str, None] = {}

    def stale(self, *users: str | None) -> None:
        """Mark the tabs of these users as out of date."""
        self._stale.update(dict.fromkeys(user for user in users if user))

    def take(self) -> str | None:
        """The user who has waited longest, None when there is none."""
        user = next(iter(self._stale), None)
        if user is not None:
            del self._stale[user]
        return user
