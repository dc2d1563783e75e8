"""Tasks are kept, counted, waited for, and refused once the stop began."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from bot.pipeline.drain import Drain


async def test_a_task_is_kept_until_it_ends_though_nobody_else_holds_it() -> None:
    drain, done = Drain(), []

    async def work(number: int) -> None:
        await asyncio.sleep(0.01)
        done.append(number)

    for number in range(100):
        assert drain.start(work(number), "work")
    assert len(drain) == 100
    gc.collect()
    assert await drain.close(5.0) == 0
    assert sorted(done) == list(range(100))
    assert len(drain) == 0


async def test_after_the_stop_began_nothing_is_taken_and_nothing_is_left_unawaited() -> None:
    drain, ran = Drain(), []

    async def work() -> None:
        ran.append(1)

    await drain.close(0.0)
    assert not drain.start(work(), "late")
    gc.collect()
    await asyncio.sleep(0)
    assert ran == []


async def test_what_takes_too_long_is_cancelled_and_counted() -> None:
    drain, cleaned = Drain(), []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(1)

    drain.start(slow(), "slow")
    drain.start(slow(), "slow")
    await asyncio.sleep(0)
    assert await drain.close(0.02) == 2
    assert cleaned == [1, 1]


async def test_work_that_starts_work_while_stopping_is_told_no() -> None:
    drain, told = Drain(), []

    async def nothing() -> None: ...

    async def work() -> None:
        await asyncio.sleep(0.02)
        told.append(drain.start(nothing(), "child"))

    drain.start(work(), "parent")
    await drain.close(1.0)
    assert told == [False]


async def test_an_exception_is_logged_by_its_type_alone_and_hurts_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    drain = Drain()

    async def breaks() -> None:
        raise RuntimeError("xoxb-canary-not-a-secret")

    drain.start(breaks(), "breaks")
    with caplog.at_level(logging.DEBUG):
        await drain.close(1.0)
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


async def test_endless_loops_are_no_work_and_end_when_they_are_told_to() -> None:
    drain, beats = Drain(), []

    async def loop() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0.001)

    drain.serve(loop(), "loop")
    await asyncio.sleep(0.02)
    assert len(drain) == 0
    assert await drain.close(0.01) == 0
    count = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) > count
    await drain.stop_services()
    count = len(beats)
    await asyncio.sleep(0.02)
    assert len(beats) == count
