"""A fault of the bot while it looks whether a call took effect: the outcome is unknown, and nothing stays under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.operations import reconcile
from tests.scenarios.steps import ask
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST, SECOND, enabled
from tests.scenarios.test_pauses_end import lost_pause
from tests.world import OPEN_POLICY

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAULT = "The control plane could not be checked: The bot has a fault (KeyError)."


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, in which a look can be broken."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY) as made:
        yield made


def broken(later: Team, patch: pytest.MonkeyPatch) -> None:
    async def look_back(*_: Any) -> None:
        raise KeyError("odd")

    patch.setattr(type(later.env.bot.built.backends["acc"]), "look_back", look_back)


async def test_after_a_lost_answer(later: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause may be in force, so it has its end."""
    broken(later, monkeypatch)
    asked = await lost_pause(later.env)
    await asked.card("Unknown", FAULT, "It may be paused now. It turns on again automatically:")
    assert asked.events == ["requested", "sent", "unknown", "abandoned", "paused"]
    later.later(hours=2)
    await later.env.sees("The pause is over")
    await later.env.until(lambda: enabled(later.env) == {FIRST: True, SECOND: True})


async def test_after_a_restart(later: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request ends at this start, not at the next one."""
    env = later.env
    await env.acc.set_fault({"fault": "delay", "seconds": 90, "times": 1, "match": "POST .*/start"})
    asked = await ask(env, "start acc:shop/prices")
    await env.until(lambda: asked.changes)
    await crash(env)
    await env.acc.clear_faults()
    broken(later, monkeypatch)
    await env.start()
    await asked.card("Unknown", FAULT, but="I look again until")
    assert asked.events == ["requested", "sent", "unknown", "abandoned"]


async def test_in_another_look(later: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card doesn't stay at the look, and the next one can tell."""
    asked = await lost_pause(later.env)
    with monkeypatch.context() as patch:
        broken(later, patch)
        await asked.press("Check again")
        await asked.card("Unknown", "Checked again", FAULT, "It turns on again automatically:")
    await asked.press("Check again")
    await asked.card("Unknown", "Checked again", "It turns on again automatically:", but=FAULT)
