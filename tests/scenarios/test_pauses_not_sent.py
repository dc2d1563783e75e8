"""A pause that broke or was stopped before anything was switched off: what was off stays off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.operations import reconcile
from bot.operations.backend_call import OneCall
from tests.scenarios.steps import Asked, ask, do
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST, SECOND, enabled
from tests.world import OPEN_POLICY, World, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose second schedule is off for good."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY) as made:
        await do(made.env, "status acc:shop/prices")
        made.env.acc.schedules[SECOND].enabled = False
        yield made


async def stays(later: Team, on: dict[str, bool]) -> None:
    """No pause is open, and two hours later these schedules are on."""
    assert not await later.env.bot.store.open_pauses()
    later.later(hours=2)
    await later.env.bot.leader.timers.beat()
    await later.env.quiet()
    assert enabled(later.env) == on


@pytest.mark.parametrize("fault", ["drop_after", "500", "KeyError"])
async def test_a_pause_whose_first_read_breaks_is_not_done(
    later: Team, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Nothing was sent, so it failed, and nothing is switched on at its time."""
    env = later.env
    if fault == "KeyError":

        async def broken(*_: Any) -> None:
            raise KeyError("odd")

        monkeypatch.setattr(OneCall, "note_enabled", broken)
    else:
        await env.acc.set_fault({"fault": fault, "times": 50, "match": "GET .*/schedules"})
    asked = await do(env, "schedule off acc:shop/prices for=1h")
    assert (asked.events, asked.changes) == (["requested", "sent", "failed"], [])
    assert asked.row("failed").code == "not_sent"
    await asked.card("Failed: nothing was sent", "Nothing was done: a step before the change failed")
    await env.acc.clear_faults()
    await stays(later, {FIRST: True, SECOND: False})


async def killed(env: World, words: str, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The bot is killed before it has noted what is on."""
    stuck = asyncio.Event()

    async def hang(*_: Any) -> None:
        stuck.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as patch:
        patch.setattr(OneCall, "note_enabled", hang)
        asked = await ask(env, words)
        await asyncio.wait_for(stuck.wait(), 20)
        await crash(env)
    return asked


@pytest.mark.parametrize("off", [False, True])
async def test_of_a_pause_that_was_stopped_before_its_note_a_person_looks_at_what_was_on(
    later: Team, monkeypatch: pytest.MonkeyPatch, off: bool
) -> None:
    """It is too old to be sent again. Whatever the look finds, nobody knows what was on, so nothing is switched on."""
    env = later.env
    asked = await killed(env, "schedule off acc:shop/prices for=1h", monkeypatch)
    env.acc.schedules[FIRST].enabled = not off
    later.later(minutes=10)
    await env.start()
    card = shown(await asked.card("I was stopped before I noted what was on", "run `schedule on`"))
    assert "automatically:" not in card
    await stays(later, {FIRST: not off, SECOND: False})
