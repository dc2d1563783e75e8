"""The leadership of a program without replicas: it always leads."""

from __future__ import annotations

from bot.core.ports.leadership import Change, Serve


class AlwaysLeader:
    """Implements core.ports.leadership.Leadership for a store that only one process may open."""

    leads = True

    def surely(self) -> bool:
        """Always."""
        return True

    async def join(self, took: Change, lost: Change, serve: Serve) -> None:
        """Lead at once."""
        await took()

    async def claim_sockets(self, most: int) -> int:
        """All: only this replica runs."""
        return most

    async def resign(self, hand_over: Change) -> None:
        """Nobody else could lead."""

    async def leave(self) -> None:
        """Nobody has to know."""

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        """Nothing: the lock of the store's file was free, so the last process has ended."""
        return 0.0
