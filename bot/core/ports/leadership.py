"""Which of several replicas works for the workspace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

Change = Callable[[], Awaitable[None]]

MOST_SOCKETS: Final = 10  # that Slack allows an app


class Serve(Protocol):
    """Runs an endless loop, or a long step, as a task."""

    def __call__(self, work: Coroutine[Any, Any, None], name: str, /) -> Stoppable: ...


class Stoppable(Protocol):
    """A task that can be stopped."""

    def cancel(self) -> object: ...


class Leadership(Protocol):
    """Every replica takes requests; one of them leads: it executes them. A replica that can't be reached is replaced."""

    @property
    def leads(self) -> bool:
        """Whether this replica is the leader. True does not mean that nobody has replaced it since: see `surely`."""
        ...

    def surely(self) -> bool:
        """Whether no other replica can have taken over the work of this one yet. Asked before a request leaves."""
        ...

    async def join(self, took: Change, lost: Change, serve: Serve) -> None:
        """Take part; when nobody leads, lead. `took` is called when this replica becomes the leader, `lost` when it was declared
        dead: whatever it has begun must be stopped then. Raises a Problem when it can't take part."""
        ...

    async def claim_sockets(self, most: int) -> int:
        """How many connections to Slack this replica may open, at most `most`. Slack allows ten for all together."""
        ...

    async def resign(self, hand_over: Change) -> None:
        """Lead no more: after `hand_over` another replica may lead, while this one finishes its calls in progress."""
        ...

    async def leave(self) -> None:
        """Take no more part."""
        ...

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        """Seconds in which a lost replica may still send or finish a call. `silent`: seconds since it was last heard."""
        ...
