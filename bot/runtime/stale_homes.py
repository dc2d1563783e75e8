"""People whose Home tab is out of date."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.ports.store import Store

OPENED: Final = "home:"  # with a user id, the key of when that person opened their tab
LOOKED_LATELY: Final = timedelta(days=1)


async def opened_lately(store: Store, now: datetime) -> Sequence[str]:
    """The users who opened their tab within a day."""
    return [key.removeprefix(OPENED) for key in await store.keys_since(OPENED, now - LOOKED_LATELY)]


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
