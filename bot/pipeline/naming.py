"""Names of targets are read again in the background, so that `find` and type-ahead answer at once."""

from __future__ import annotations

import asyncio
import logging

from bot.core.ports import Backend
from bot.core.problems import Problem
from bot.pipeline.deps import Deps

WITHIN = 30.0

_log = logging.getLogger("signalbox.names")


async def refresh_names(deps: Deps) -> None:
    """Every backend side by side; each remembers what it lists."""
    await asyncio.gather(*(_refresh(name, backend) for name, backend in deps.backends.items()))


async def _refresh(name: str, backend: Backend) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            await backend.targets()
    except (TimeoutError, Problem) as error:
        _log.info("names of %s were not read: %s", name, getattr(error, "code", "deadline"))
