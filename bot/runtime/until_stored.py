"""What must not be lost because the store is away for a while, such as the outcome of a call."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.core.errors import Problem
from bot.core.ports.services import Clock

T = TypeVar("T")

AGAIN: Final = 1.0  # seconds between two tries
IN_DOUBT: Final = "store_in_doubt"
_PASSING: Final = frozenset(
    {IN_DOUBT, "store_unreachable", "store_busy", "store_full", "store_readonly", "store_io", "store_replaced"}
)

_log = logging.getLogger("signalbox.store")


async def until_stored(clock: Clock, name: str, work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, which is tried every second while the store can't be used. It may be run again after it was done.

    Raises the Problem when trying again is of no use: another replica has taken over, or the store is closed or refuses it.
    """
    while True:
        try:
            return await work()
        except Problem as problem:
            if problem.code not in _PASSING:
                raise
            _log.error("%s waits for the store: %s", name, problem.code)
            await clock.sleep(AGAIN)


async def sure(
    clock: Clock, name: str, write: Callable[[], Awaitable[object]], look: Callable[[], Awaitable[object]]
) -> None:
    """Do `write` once; `look` finds what it stored when its answer is lost. Raises the Problem when it is not stored."""
    try:
        await write()
    except Problem as problem:
        if problem.code != IN_DOUBT or not await until_stored(clock, name, look):
            raise
