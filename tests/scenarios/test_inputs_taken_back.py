"""Clearing the inputs of an agent can't be undone: its pre-flight names everything that was or may have been sent from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.steps import ask, do
from tests.scenarios.test_crash_in_a_call import crash
from tests.waiting import held
from tests.world import OPEN_POLICY, World, shown, world

PUT = 'input put acc:news/feed name=old.csv text="a"'
NOTHING = "Nothing was sent through Signalbox."


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world without approvals."""
    async with world(tmp_path, policy=OPEN_POLICY) as made:
        yield made


@pytest.mark.parametrize("verb", ["input clear", "input disable"])
async def test_what_was_sent_again_after_a_restart_is_named(env: World, verb: str) -> None:
    with held(env.acc, "/csv"):
        asked = await ask(env, PUT)
        await env.until(lambda: asked.changes)
        await crash(env)
    await env.start()
    await asked.ends()
    assert asked.events[-1] == "reconciled"
    await env.does(f"{verb} acc:news/feed", "Sent through Signalbox: ", "old.csv")


async def test_what_may_have_been_sent_is_named_as_such(env: World) -> None:
    """Every answer is lost, so nobody knows."""
    await env.acc.set_fault({"fault": "drop_after", "match": "/csv", "times": 9})
    await do(env, PUT)
    look = await env.does("input clear acc:news/feed", "May have been sent: input put", "name=old.csv")
    assert NOTHING not in shown(look)


async def test_a_failure_that_may_have_done_a_part_is_named_as_such(env: World) -> None:
    await env.acc.set_fault({"fault": "500", "match": "/csv", "times": 9})
    await do(env, PUT)
    await env.does("input clear acc:news/feed", "May have been sent: input put", "name=old.csv")


async def test_what_is_being_sent_is_named_as_such(env: World) -> None:
    with held(env.acc, "/csv"):
        asked = await ask(env, PUT)
        await env.until(lambda: asked.changes)
        await env.does("input clear acc:news/feed", "May have been sent: input put", "name=old.csv")
    await asked.ends()


async def test_what_was_refused_is_not_named(env: World) -> None:
    await env.acc.set_fault({"fault": "401", "match": "/csv", "times": 9})
    await do(env, PUT)
    await env.does("input clear acc:news/feed", NOTHING)


async def test_a_clearing_whose_answer_was_lost_takes_nothing_off_the_list(env: World) -> None:
    await do(env, PUT)
    await env.acc.set_fault({"fault": "drop_after", "match": "DELETE .*/input/agent", "times": 9})
    asked = await ask(env, "input clear acc:news/feed")
    await asked.press("Run it")
    await asked.ends()
    assert asked.events[-1] == "abandoned"
    await env.does("input clear acc:news/feed", "Sent through Signalbox: ", "old.csv")
