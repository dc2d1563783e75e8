"""The leadership of a program without replicas, and of a command in the terminal."""

from bot.core.ports.store import Change, Leadership, Serve


class AlwaysLeader:
    """Implements core.ports.store.Leadership for a store that only one process may open."""

    leads = True

    def surely(self) -> bool:
        return True

    def kept_all(self, before: str, now: str) -> bool:
        return False

    async def join(self, took: Change, lost: Change, serve: Serve) -> None:
        await took()

    async def claim_sockets(self, most: int) -> int:
        return most

    async def resign(self, hand_over: Change) -> None: ...

    async def leave(self) -> None: ...

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        return 0.0  # the lock of the store's file was free, so the last process has ended


class OwnRequests(AlwaysLeader):
    """The leadership of a command in the terminal, beside the replicas of the bot: it executes its own request.

    It takes part as a replica that never leads. So the leader leaves its request alone while it runs, and looks the request up
    when it was killed; and it sends nothing once it may have been replaced.
    """

    def __init__(self, replica: Leadership) -> None:
        self._replica = replica

    def surely(self) -> bool:
        """Whether the leader can't have taken over its request yet."""
        return self._replica.surely()

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        """As for any replica."""
        return self._replica.may_be_sending(silent, timeout)
