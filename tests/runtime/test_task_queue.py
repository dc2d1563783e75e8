"""Tasks are kept, counted, waited for, and refused once the stop began."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging

import pytest

from bot.runtime.task_queue import AT_ONCE, BESIDE_ACKS, TaskQueue
from tests.waiting import until


async def test_a_task_is_kept_until_it_ends_though_nobody_else_holds_it() -> None:
    tasks, done = TaskQueue(), []

    async def work(number: int) -> None:
        await asyncio.sleep(0.01)
        done.append(number)

    for number in range(100):
        assert tasks.start(work(number), "work")
    assert len(tasks) == 100
    gc.collect()
    assert await tasks.close(30.0) == 0
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
    tasks, started = TaskQueue(), []

    async def nothing() -> None: ...

    async def work() -> None:
        await asyncio.sleep(0.02)
        started.append(tasks.start(nothing(), "child"))

    tasks.start(work(), "parent")
    await tasks.close(30.0)
    assert started == [False]


async def test_an_exception_is_logged_by_its_type_alone_and_hurts_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = TaskQueue()

    async def breaks() -> None:
        raise RuntimeError("xoxb-canary-not-a-secret")

    tasks.start(breaks(), "breaks")
    with caplog.at_level(logging.DEBUG):
        await tasks.close(30.0)
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


async def test_endless_loops_are_no_work_and_end_when_they_are_told_to() -> None:
    tasks, beats = TaskQueue(), []

    async def loop() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0.001)

    tasks.serve(loop(), "loop")
    await until(lambda: beats)
    assert len(tasks) == 0
    assert await tasks.close(0.01) == 0
    count = len(beats)
    await until(lambda: len(beats) > count)
    await tasks.stop_services()
    count = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) == count


class Queued:
    """Works that wait until they are let go; who began and who ended, in that order."""

    def __init__(self, tasks: TaskQueue) -> None:
        self.tasks = tasks
        self.began: list[int] = []
        self.ended: list[int] = []
        self.go = asyncio.Event()

    def enqueue(self, count: int) -> None:
        for number in range(len(self.tasks), len(self.tasks) + count):
            assert self.tasks.enqueue(functools.partial(self._work, number), str(number))

    async def _work(self, number: int) -> None:
        self.began.append(number)
        await self.go.wait()
        self.ended.append(number)


async def test_the_queue_is_worked_off_in_order_and_nothing_in_it_is_lost() -> None:
    queued = Queued(TaskQueue())
    queued.enqueue(200)
    assert len(queued.tasks) == 200
    queued.go.set()
    assert await queued.tasks.close(30.0) == 0
    assert queued.began == list(range(200))
    assert sorted(queued.ended) == list(range(200))


async def test_while_acks_are_given_little_is_begun_and_the_rest_soon_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.task_queue.HELD_UP_AFTER", 3_600.0)
    monkeypatch.setattr("bot.runtime.task_queue.QUIET_AFTER", 0.5)
    queued = Queued(TaskQueue())
    with queued.tasks.acking():
        queued.enqueue(100)
        await asyncio.sleep(0)
        assert len(queued.began) == BESIDE_ACKS
    await asyncio.sleep(0)
    assert len(queued.began) == BESIDE_ACKS, "the next ack may come at any moment"
    await until(lambda: len(queued.began) >= AT_ONCE)
    assert len(queued.began) == AT_ONCE
    queued.go.set()
    assert await queued.tasks.close(30.0) == 0
    assert queued.ended == list(range(100))


async def test_a_flood_of_acks_does_not_stop_the_queue() -> None:
    queued = Queued(TaskQueue())
    queued.go.set()
    with queued.tasks.acking():
        queued.enqueue(100)
        await until(lambda: not len(queued.tasks))
    assert queued.ended == list(range(100))


async def test_work_that_is_held_up_lets_the_next_one_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.task_queue.HELD_UP_AFTER", 0.5)
    queued = Queued(TaskQueue())
    queued.enqueue(AT_ONCE + 1)
    await asyncio.sleep(0)
    assert len(queued.began) == AT_ONCE
    await until(lambda: len(queued.began) == AT_ONCE + 1)
    queued.go.set()
    assert await queued.tasks.close(30.0) == 0


async def test_what_is_still_queued_at_the_stop_is_counted_and_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.task_queue.HELD_UP_AFTER", 3_600.0)
    queued = Queued(TaskQueue())
    queued.enqueue(AT_ONCE + 10)
    await asyncio.sleep(0)
    assert await queued.tasks.close(0.01) == AT_ONCE + 10
    assert len(queued.began) == AT_ONCE
    assert not queued.tasks.enqueue(functools.partial(queued._work, 0), "late")
    assert len(queued.tasks) == 0


async def test_each_work_that_was_taken_is_counted_as_ended_once_also_when_it_never_began() -> None:
    """Otherwise a person's share would be full for ever after another replica has taken over."""
    tasks, ended, go = TaskQueue(), list[str](), asyncio.Event()

    async def wait() -> None:
        await go.wait()

    def note(name: str) -> functools.partial[None]:
        return functools.partial(ended.append, name)

    with tasks.acking():
        tasks.start(wait(), "not begun yet", note("not begun yet"))
        for number in range(BESIDE_ACKS + 3):
            tasks.enqueue(wait, str(number), note(str(number)))
        await tasks.abandon()
    await asyncio.sleep(0)
    assert sorted(ended) == sorted(["not begun yet", *map(str, range(BESIDE_ACKS + 3))])
    ended.clear()
    with tasks.acking():
        for number in range(BESIDE_ACKS + 2):
            tasks.enqueue(wait, str(number), note(str(number)))
        assert len(tasks.unqueue()) == 2
    go.set()
    assert await tasks.close(30.0) == 0
    assert len(ended) == BESIDE_ACKS + 2
    assert not tasks.start(wait(), "late", note("late"))
    assert "late" not in ended
