"""Several awaitables at a time, with nothing left running afterwards."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar, cast

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def all_of(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """The results in order. Raises the first error in that order, after all have ended.

    `asyncio.gather` alone raises at the first error and leaves the others running, whose calls and errors nobody awaits.
    """
    found = await asyncio.gather(*awaitables, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return cast("list[T]", found)


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """`all_of` for two results of different types."""
    results: list[object] = await all_of((first, second))
    return cast("tuple[A, B]", tuple(results))
