"""A stop that is followed to its end does not count as a run, and a later start of the same service ends the following of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.run import POLICY
from tests.scenarios.team import Team, deciding
from tests.world import labels, shown

INCIDENT = "C0INC"
SERVICE = 'infa:"eu-1/Data Integration Server"'
CALLED = "infa:eu-1/Data Integration Server"


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The demo's rules: in the incident's channel, everyone may do everything."""
    async with deciding(tmp_path, monkeypatch, POLICY, only=("infa", "itn")) as made:
        yield made


async def stop(team: Team) -> str:
    """Stop the service as U0RUI; returns the `ts` of its card."""
    ask = await team.env.does(f"stop {SERVICE} -- it hangs", "Valid for", channel=INCIDENT, user="U0RUI")
    await team.press(ask, "Run it", user="U0RUI", channel=INCIDENT)
    return str((await team.env.sees(f"stop {CALLED}", "Shutting down", channel=INCIDENT))["ts"])


async def start_before_the_next_poll(team: Team) -> None:
    """Start the service as U0ANA when it is down, but before the program has seen that."""
    plane = team.env.planes["infa"]
    await plane.set_fault({"fault": "503", "match": "GET .*/agent/details"})
    plane.clock.advance(60)
    await team.env.does(f"start {SERVICE} -- back on", f"start {CALLED}", channel=INCIDENT, user="U0ANA")
    await plane.clear_faults()
    team.later(seconds=20)


async def test_a_later_start_ends_the_following_of_a_stop_and_says_who_started_it(team: Team) -> None:
    ts = await stop(team)
    await start_before_the_next_poll(team)
    card = await team.env.sees(f"stop {CALLED}", "Started again by <@U0ANA>", channel=INCIDENT)
    assert card["ts"] == ts
    assert "Start" not in labels(card), shown(card)
    assert team.env.audit(event="ended", verb="stop")[0].code == "stopped"


async def test_a_later_stop_ends_the_following_of_a_start(team: Team) -> None:
    await stop(team)
    await start_before_the_next_poll(team)
    await stop(team)
    card = await team.env.sees(f"start {CALLED}", "Stopped by <@U0RUI>", channel=INCIDENT)
    assert "Stop" not in labels(card), shown(card)


async def test_a_stop_that_is_followed_is_not_offered_to_be_stopped(team: Team) -> None:
    await stop(team)
    answer = await team.env.does("stop everything -- the shop is down", "being stopped already", channel=INCIDENT)
    text = shown(answer)
    assert "stop ordered by <@U0RUI>" in text, text
    assert "started by" not in text.replace("was started", ""), text
    assert labels(answer) == [], text


async def test_status_says_that_a_service_is_being_stopped(team: Team) -> None:
    await stop(team)
    await team.env.does("status", "Being stopped: shutting down", channel=INCIDENT)
