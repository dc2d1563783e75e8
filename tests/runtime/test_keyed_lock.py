"""Locks by name: one task at a time, and a task may take again what it holds."""

from __future__ import annotations

import asyncio

from bot.runtime.task_queue import KeyedLock


async def test_a_task_takes_again_what_it_holds_and_others_wait() -> None:
    locks, order = KeyedLock(), []

    async def work(name: str) -> None:
        async with locks.of("acc:shop"), locks.of("acc:shop"):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(work("first"), work("second"))
    assert order == ["first in", "first out", "second in", "second out"]


async def test_another_name_is_not_waited_for() -> None:
    locks = KeyedLock()
    async with locks.of("acc:shop"), asyncio.timeout(1.0), asyncio.TaskGroup() as group:
        group.create_task(_take(locks, "acc:news"))


async def _take(locks: KeyedLock, name: str) -> None:
    async with locks.of(name):
        await asyncio.sleep(0)
