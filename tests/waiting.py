"""Waiting for a state instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any


async def until(condition: Callable[[], Any], within: float = 30.0) -> Any:
    """The condition's first truthy value."""
    time = asyncio.get_running_loop().time
    began = time()
    while True:
        if value := condition():
            return value
        waited = time() - began
        assert waited < within, f"not within {within} s"
        await asyncio.sleep(min(0.05, max(0.01, waited / 20)))


async def heard(act: Callable[[], Awaitable[Any]], within: float = 30.0) -> bool:
    """Whether the act is acked, at once or when it is repeated, as Slack does. For the time after the end of a connection:
    slack_sdk's client then reads nothing for up to two of its ping intervals, which may be longer than Slack waits for an ack."""
    deadline = asyncio.get_running_loop().time() + within
    while not (acked := (await act()).acked) and asyncio.get_running_loop().time() < deadline:
        pass
    return bool(acked)


@contextmanager
def held(plane: Any, ending: str) -> Iterator[None]:
    """Until the block ends, the simulated control plane begins no call whose path ends like this."""
    free, begin = asyncio.Event(), plane._do

    async def do(received: Any) -> Any:
        if received.raw_path.endswith(ending):
            await free.wait()
        return await begin(received)

    plane._do = do
    try:
        yield
    finally:
        free.set()
        del plane._do
