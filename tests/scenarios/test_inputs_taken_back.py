"""Clearing the inputs of an agent can't be undone: its pre-flight names everything that was or may have been sent from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.operations import target_facts
from tests.scenarios.steps import ask, do, private
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


async def test_attempts_that_were_refused_hide_nothing_that_was_sent(env: World) -> None:
    await do(env, PUT)
    await env.acc.set_fault({"fault": "401", "match": "/csv", "times": 99})
    for _ in range(target_facts.UNDONE):
        await do(env, PUT.replace("old", "new"))
    look = await env.does("input clear acc:news/feed", "Sent through Signalbox: ", "old.csv")
    assert "new.csv" not in shown(look)


async def test_an_attempt_that_is_refused_while_the_card_waits_changes_nothing(env: World) -> None:
    for number in range(target_facts.UNDONE):
        await do(env, PUT.replace("old", f"x{number}"))
    asked = await ask(env, "input clear acc:news/feed")
    await asked.card("x0.csv")
    await env.acc.set_fault({"fault": "401", "match": "/csv", "times": 9})
    await do(env, PUT)
    await env.acc.clear_faults()
    await asked.press("Run it")
    await env.until(lambda: "done" in env.events("input clear"))


async def test_nothing_is_called_gone_because_more_was_sent_than_is_listed(env: World) -> None:
    for number in range(target_facts.UNDONE + 1):
        await do(env, PUT.replace("old", f"x{number}"))
    asked = await ask(env, "input clear acc:news/feed")
    await asked.card("x1.csv", "and 1 more", but="x0.csv")
    await do(env, PUT)
    await asked.press("Run it")
    said = await private(env, "old.csv", "is new. Nothing was done.")
    assert "gone" not in shown(said)


async def test_the_last_clearing_is_found_however_long_ago(env: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused attempts at both since then, on many pages of the audit log."""
    monkeypatch.setattr(target_facts, "_PAGE", 2)
    await do(env, PUT)
    asked = await ask(env, "input clear acc:news/feed")
    await asked.press("Run it")
    await asked.ends()
    await do(env, PUT.replace("old", "new"))
    await env.acc.set_fault({"fault": "401", "match": "/input/", "times": 99})
    for _ in range(3):
        await do(env, PUT)
        refused = await ask(env, "input clear acc:news/feed")
        await refused.press("Run it")
        await refused.ends()
    look = await env.does("input clear acc:news/feed", "Sent through Signalbox: ", "new.csv")
    assert "old.csv" not in shown(look)
