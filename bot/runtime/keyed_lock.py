"""Locks by name, for steps that must not overlap: read what is on, switch it off, and keep its pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyedLock:
    """Reentrant locks by name, first come, first served. An unused name is removed."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._owners: dict[str, asyncio.Task[object] | None] = {}

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of that name."""
        task = asyncio.current_task()
        if task is not None and self._owners.get(name) is task:
            yield
            return
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                self._owners[name] = task
                try:
                    yield
                finally:
                    del self._owners[name]
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)
