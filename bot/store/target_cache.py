"""The port TargetCache of core, implemented with the store and a clock."""

import logging
from collections.abc import Sequence
from datetime import datetime

from bot.core.operation import Target
from bot.core.ports.services import Clock
from bot.store.errors import StoreProblem
from bot.store.store import Store

_log = logging.getLogger("signalbox.store")


class StoreTargetCache:
    """Implements `core.ports.TargetCache` in the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def remember(self, targets: Sequence[Target]) -> None:
        """Store these, seen now. What can't be stored is found again: it must not decide the outcome of a call."""
        try:
            await self._store.remember(targets, self._clock.now())
        except StoreProblem as problem:
            _log.warning("%d targets are not remembered: %s", len(targets), problem.code)

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None:
        """A remembered target."""
        return await self._store.by_id(backend, kind, id)

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        """All remembered targets of a backend, with the time when each was last seen."""
        return await self._store.known(backend, kind)
