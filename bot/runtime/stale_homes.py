"""Whose Home tab no longer shows how things are."""

from __future__ import annotations


class StaleHomes:
    """People in the order in which something of theirs changed, each once however often. A restart forgets them: it begins
    with everybody who has looked lately."""

    def __init__(self) -> None:
        self._stale: dict[str, None] = {}

    def stale(self, *users: str | None) -> None:
        """What their tab shows has changed."""
        self._stale.update(dict.fromkeys(user for user in users if user))

    def take(self) -> str | None:
        """Whoever has waited longest, None without one."""
        user = next(iter(self._stale), None)
        if user is not None:
            del self._stale[user]
        return user
