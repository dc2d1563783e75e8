"""The only place that starts tasks: each is kept, counted, and waited for when the program stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger("signalbox.drain")


class Drain:
    """Tracked tasks. `start` answers False once the stop began: the caller then says that it is restarting."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._services: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, object], name: str) -> bool:
        """Run it beside everything else. An exception that it lets out is logged by its type alone."""
        if self._closed:
            work.close()
            return False
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    def serve(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run an endless loop beside everything else, until `stop_services`."""
        task = asyncio.create_task(work, name=name)
        self._services.add(task)
        task.add_done_callback(self._ended)

    async def stop_services(self) -> None:
        """End the endless loops."""
        services = set(self._services)
        for task in services:
            task.cancel()
        await asyncio.gather(*services, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._services.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task %s ended with %s", task.get_name(), type(error).__name__)

    async def close(self, seconds: float) -> int:
        """Take nothing new, wait that long for what is under way, then cancel the rest; how many were cancelled."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
        return len(left)
