"""Several awaitables at a time: after an error, nothing of them goes on unattended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.all_of import all_of, both
from bot.core.errors import NoSuchTarget


async def test_an_error_is_raised_when_the_others_have_ended() -> None:
    ended: list[str] = []

    async def slow() -> str:
        await asyncio.sleep(0.02)
        ended.append("slow")
        return "read"

    async def gone() -> str:
        raise NoSuchTarget("It is gone.")

    assert await all_of([slow(), slow()]) == ["read", "read"]
    with pytest.raises(NoSuchTarget):
        await both(gone(), slow())
    assert len(ended) == 3
    assert len(asyncio.all_tasks()) == 1


def test_no_gather_of_the_program_leaves_others_running() -> None:
    """Only `all_of` and code that takes the errors as results may call it."""
    for file in Path("bot").rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert "asyncio.gather(" not in line or "return_exceptions=True" in line, file
