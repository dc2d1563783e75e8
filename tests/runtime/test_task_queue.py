"""Tasks are kept, counted, waited for, and refused once the stop began."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
from contextlib import ExitStack

import pytest

from bot.runtime.task_queue import QUIET_AFTER, TURN_LASTS, TURNS, TURNS_BESIDE_THE_DOOR, TURNS_IN_A_FLOOD, TaskQueue


async def test_a_task_is_kept_until_it_ends_though_nobody_else_holds_it() -> None:
    tasks, done = TaskQueue(), []

    async def work(number: int) -> None:
        await asyncio.sleep(0.01)
        done.append(number)

    for number in range(100):
        assert tasks.start(work(number), "work")
    assert len(tasks) == 100
    gc.collect()
    assert await tasks.close(5.0) == 0
    assert sorted(done) == list(range(100))
    assert len(tasks) == 0


async def test_after_the_stop_began_nothing_is_taken_and_nothing_is_left_unawaited() -> None:
    tasks, ran = TaskQueue(), []

    async def work() -> None:
        ran.append(1)

    await tasks.close(0.0)
    assert not tasks.start(work(), "late")
    gc.collect()
    await asyncio.sleep(0)
    assert ran == []


async def test_what_takes_too_long_is_cancelled_and_counted() -> None:
    tasks, cleaned = TaskQueue(), []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(1)

    tasks.start(slow(), "slow")
    tasks.start(slow(), "slow")
    await asyncio.sleep(0)
    assert await tasks.close(0.02) == 2
    assert cleaned == [1, 1]


async def test_work_that_starts_work_while_stopping_is_told_no() -> None:
    tasks, told = TaskQueue(), []

    async def nothing() -> None: ...

    async def work() -> None:
        await asyncio.sleep(0.02)
        told.append(tasks.start(nothing(), "child"))

    tasks.start(work(), "parent")
    await tasks.close(1.0)
    assert told == [False]


async def test_an_exception_is_logged_by_its_type_alone_and_hurts_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = TaskQueue()

    async def breaks() -> None:
        raise RuntimeError("xoxb-canary-not-a-secret")

    tasks.start(breaks(), "breaks")
    with caplog.at_level(logging.DEBUG):
        await tasks.close(1.0)
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


async def test_endless_loops_are_no_work_and_end_when_they_are_told_to() -> None:
    tasks, beats = TaskQueue(), []

    async def loop() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0.001)

    tasks.serve(loop(), "loop")
    await asyncio.sleep(0.02)
    assert len(tasks) == 0
    assert await tasks.close(0.01) == 0
    count = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) > count
    await tasks.stop_services()
    count = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) == count


class World:
    """Works that wait until they are let go; who began and who ended, in that order."""

    def __init__(self, tasks: TaskQueue) -> None:
        self.tasks = tasks
        self.began: list[int] = []
        self.ended: list[int] = []
        self.go = asyncio.Event()

    def line_up(self, count: int, *, outside: bool = False) -> None:
        for number in range(len(self.tasks), len(self.tasks) + count):
            assert self.tasks.line_up(functools.partial(self._work, number, outside), str(number))

    async def _work(self, number: int, outside: bool) -> None:
        self.began.append(number)
        if outside:
            with self.tasks.outside():
                await self.go.wait()
        await self.go.wait()
        self.ended.append(number)


async def test_the_line_is_worked_off_in_its_order_and_nothing_in_it_is_lost() -> None:
    yard = World(TaskQueue())
    yard.line_up(200)
    assert len(yard.tasks) == 200
    yard.go.set()
    assert await yard.tasks.close(5.0) == 0
    assert yard.began == list(range(200))
    assert sorted(yard.ended) == list(range(200))


async def test_while_somebody_is_at_the_door_little_is_begun_and_the_rest_soon_after() -> None:
    yard = World(TaskQueue())
    with yard.tasks.at_the_door():
        yard.line_up(100)
        await asyncio.sleep(0)
        assert len(yard.began) == TURNS_BESIDE_THE_DOOR
    await asyncio.sleep(0)
    assert len(yard.began) == TURNS_BESIDE_THE_DOOR, "the next ack may come at any moment"
    await asyncio.sleep(QUIET_AFTER * 2)
    assert len(yard.began) == TURNS
    yard.go.set()
    assert await yard.tasks.close(5.0) == 0
    assert yard.ended == list(range(100))


@pytest.mark.parametrize(("crowd", "begun"), [(2, TURNS_BESIDE_THE_DOOR // 2), (100, TURNS_IN_A_FLOOD)])
async def test_the_more_are_at_the_door_the_less_is_begun(crowd: int, begun: int) -> None:
    yard = World(TaskQueue())
    with ExitStack() as stack:
        for _ in range(crowd):
            stack.enter_context(yard.tasks.at_the_door())
        yard.line_up(100)
        await asyncio.sleep(0)
        assert len(yard.began) == begun
    yard.line_up(1)
    await asyncio.sleep(0)
    assert len(yard.began) == begun, "they went together, and are back in a moment"
    yard.go.set()
    assert await yard.tasks.close(5.0) == 0
    assert yard.ended == list(range(101))


async def test_a_flood_at_the_door_does_not_stop_the_line() -> None:
    yard = World(TaskQueue())
    yard.go.set()
    with yard.tasks.at_the_door():
        yard.line_up(100)
        async with asyncio.timeout(5.0):
            while len(yard.tasks):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.001)
    assert yard.ended == list(range(100))


async def test_works_that_wait_for_an_answer_from_outside_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.task_queue.TURN_LASTS", 3_600.0)
    yard = World(TaskQueue())
    yard.line_up(TURNS * 4, outside=True)
    async with asyncio.timeout(5.0):
        while len(yard.began) < TURNS * 4:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)
    yard.go.set()
    assert await yard.tasks.close(5.0) == 0


async def test_a_work_that_waits_for_whatever_loses_its_turn_in_the_end() -> None:
    yard = World(TaskQueue())
    yard.line_up(TURNS + 1)
    await asyncio.sleep(0)
    assert len(yard.began) == TURNS
    async with asyncio.timeout(TURN_LASTS * 50):
        while len(yard.began) < TURNS + 1:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)
    yard.go.set()
    assert await yard.tasks.close(5.0) == 0


async def test_what_still_waits_in_the_line_at_the_stop_is_counted_and_not_begun() -> None:
    yard = World(TaskQueue())
    yard.line_up(TURNS + 10)
    await asyncio.sleep(0)
    assert await yard.tasks.close(0.01) == TURNS + 10
    assert len(yard.began) == TURNS
    assert not yard.tasks.line_up(functools.partial(yard._work, 0, False), "late")
    assert len(yard.tasks) == 0
