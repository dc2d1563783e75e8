"""A credential that is about to end is told of in time: where the security people look, and to whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from tests.scenarios.steps import private
from tests.scenarios.team import SECURITY, Team, deciding
from tests.world import OPEN_POLICY, labels, shown, world

ENDS_SOON = "The credential of acc expires soon"
HAS_ENDED = "The credential of acc has expired"


@asynccontextmanager
async def with_token(folder: Path, patch: pytest.MonkeyPatch, **valid: float) -> AsyncIterator[Team]:
    """A world whose ACC gave the bot a token that is valid for so long."""

    def planes(clock: Any) -> tuple[Plane, ...]:
        made = demo_planes(clock)
        for plane in made:
            if plane.name == "acc":
                plane.token = plane.issue_token(lifetime=timedelta(**valid).total_seconds())  # type: ignore[attr-defined]
        return made

    async with deciding(folder, patch, OPEN_POLICY, planes=planes) as made:
        yield made


def warnings(team: Team) -> list[str]:
    """What the security channel was told of credentials, oldest first."""
    words = [shown(message) for message in team.env.person("U0ROOT").messages(SECURITY)]
    return [text for text in words if "The credential of" in text]


async def checked(team: Team) -> None:
    """Wait until the bot's own round of health checks has asked the ACC once more, and has said what it had to."""
    acc = team.env.acc
    before = len(acc.requests)
    team.later(minutes=2)
    await team.env.until(lambda: len(acc.requests) > before)
    await team.env.quiet()


async def test_a_token_that_ends_within_a_week_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning in the security channel with the day of the end and what to do; `backends` has the same day."""
    async with with_token(tmp_path, monkeypatch, days=6, hours=12) as team:
        env = team.env
        ends = team.now() + timedelta(days=6, hours=12)
        card = shown(await env.sees(ENDS_SOON, user="U0ROOT", channel=SECURITY))
        assert "Create a new one on the control plane, update the configured value, and restart the bot." in card
        assert f"{int(ends.timestamp()) // 100}" in card, "the moment of the end, for the reader's own clock"
        await env.say("backends")
        await private(env, f"The token expires on {ends:%Y-%m-%d}, in 6 days.", f"ends {ends:%Y-%m-%d} (6 days)")
        await checked(team)
        assert len(warnings(team)) == 1, "once a day"


async def test_a_token_with_more_than_a_week_is_not_warned_of_until_the_week_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven days and an hour: nothing but its day in `backends`. An hour later the warning, daily, and then that it ended."""
    async with with_token(tmp_path, monkeypatch, days=7, hours=1) as team:
        env = team.env
        ends = team.now() + timedelta(days=7, hours=1)
        await checked(team)
        await env.say("backends")
        table = shown(await private(env, "acc answers and accepts the token.", f"ends {ends:%Y-%m-%d} (7 days)"))
        assert "The token ends" not in table
        assert warnings(team) == []
        team.later(hours=1)
        await env.until(lambda: len(warnings(team)) == 1)
        team.later(days=1)
        await env.until(lambda: len(warnings(team)) == 2)
        assert all(ENDS_SOON in text for text in warnings(team))
        team.later(days=6)
        await env.sees(HAS_ENDED, user="U0ROOT", channel=SECURITY)


async def test_an_agent_that_is_not_ready_is_not_a_problem_of_the_credential(tmp_path: Path) -> None:
    """Informatica refuses the start with 403: the card has its reason, and offers no new sign-in."""
    async with world(tmp_path, only=("infa",)) as env:
        env.planes["infa"].agents[0].active = False
        card = await env.does(
            "start infa:task/load_orders", "Refused", "The agent is not ready to run jobs. (UI_10004)"
        )
        assert "credential" not in shown(card)
        assert not [label for label in labels(card) if "health" in label]
        (refused,) = [entry for entry in env.audit() if entry.event == "failed"]
        assert refused.code == "forbidden"
