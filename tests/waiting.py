"""Waiting for a state instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], within: float = 30.0) -> Any:
    """The condition's first truthy value."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        if value := condition():
            return value
        assert loop.time() < deadline, f"not within {within} s"
        await asyncio.sleep(0.01)
