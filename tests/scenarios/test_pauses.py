"""Pauses of schedules: they end by themselves, give back only what they took, and outlive the program."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.scenarios.deciding import Deciding, deciding
from tests.scenarios.steps import do
from tests.world import OPEN_POLICY, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "d9c944df-93a7-ea77-f7b7-fa0b9c579917", "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deciding]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY) as made:
        yield made


def enabled(here: World) -> dict[str, bool]:
    """Which of the two schedules of shop/prices are on."""
    return {key: here.acc.schedules[key].enabled for key in (FIRST, SECOND)}


async def test_a_timed_pause_ends_by_itself(later: Deciding) -> None:
    """Off for two hours, then on again without anybody, said on a card and written down."""
    here = later.here
    await do(here, "schedules acc:shop/prices")
    asked = await do(here, f"schedule off acc:schedule/{FIRST} for=2h -- the shop is being moved")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(here) == {FIRST: False, SECOND: True}
    await asked.card("Paused until", "switched on again by itself")
    later.later(hours=2)
    await here.until(lambda: enabled(here)[FIRST])
    await here.sees("The pause is over: it is on again", "<@U0ANA>")
    resumed = here.register(event="resumed")
    assert [row.verb for row in resumed] == ["schedule on"]
    assert asked.request_id in str(resumed[0].detail)
    assert [row.event for row in here.register(request_id=resumed[0].request_id)][:2] == ["requested", "sent"]


async def test_a_pause_of_an_agent_switches_on_only_what_it_switched_off_even_across_a_restart(later: Deciding) -> None:
    """A schedule that was off before stays off; the pause survives a restart of the bot."""
    here = later.here
    here.acc.schedules[SECOND].enabled = False
    asked = await do(here, "schedule off acc:shop/prices for=3h")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(here) == {FIRST: False, SECOND: False}
    await here.restart()
    assert enabled(here) == {FIRST: False, SECOND: False}
    later.later(hours=3)
    await here.until(lambda: here.register(event="resumed"))
    assert enabled(here) == {FIRST: True, SECOND: False}


async def test_a_pause_that_ended_while_the_bot_was_away_is_ended_at_once(later: Deciding) -> None:
    """Time that passes while the program is stopped counts."""
    here = later.here
    await do(here, "schedules acc:shop/prices")
    await do(here, f"schedule off acc:schedule/{FIRST} for=1h")
    await here.bot.close()
    later.later(hours=1)
    assert enabled(here)[FIRST] is False
    await here.start()
    await here.until(lambda: enabled(here)[FIRST])


@pytest.mark.parametrize("words", ["for=2h until=18:30", "for=0s", "for=soon", "until=never", "for=900d"])
async def test_a_pause_that_cannot_be_meant_is_not_sent(town: World, words: str) -> None:
    """Both ends, no end, or an end that is none: refused before anything is sent."""
    asked = await do(town, f"schedule off acc:shop/prices {words}")
    assert asked.events == ["requested", "failed"]
    assert asked.changes == []
