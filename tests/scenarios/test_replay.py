"""`signalbox policy replay` with the rules in force: whatever people did about a request, nobody gains and nobody loses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cli import main
from tests.scenarios.team import CRAWL, Team, deciding


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals, with its secrets in the environment of the command line."""
    async with deciding(tmp_path, monkeypatch) as made:
        for name, value in made.env.environ.items():
            monkeypatch.setenv(name, value)
        yield made


async def replayed(team: Team, capsys: pytest.CaptureFixture[str]) -> str:
    """What a replay of the file in force prints."""
    folder = team.env.folder
    words = [
        "policy",
        "replay",
        str(folder / "policy.toml"),
        "--config",
        str(folder / "signalbox.toml"),
        "--since",
        "1h",
    ]
    capsys.readouterr()
    code = await asyncio.to_thread(main.main, words)
    output = capsys.readouterr().out
    assert code == 0, output
    return output


async def test_the_same_rules_change_nothing(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    """Approved after the asker pressed it, unapprovable, asked for and rejected, looked at and cancelled, plainly denied."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve", user="U0ANA")
    await env.sees("your own request", channel="C0APPR")
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    await env.does("schedule off acc:shop/prices -- quiet", "Denied", "Nobody can approve it now")
    no = await env.does("start acc:news/feed", "Denied", "start acc:news/feed")
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await env.ana.wait_for(lambda p: p.modal())
    await env.ana.submit("modal", {"lasts": "once", "reason": "please"})
    card = await team.card("start acc:news/feed", channel=CRAWL)
    await team.deny(card, "no", user="U0ROOT", channel=CRAWL)
    await team.event("rejected")
    look = await env.does("schedule delete acc:news/feed", "Dangerous", "schedule delete acc:news/feed")
    await team.press(look, "Cancel", user="U0ANA", channel=CRAWL)
    await team.event("abandoned")
    output = await replayed(team, capsys)
    assert "0 gain, 0 lose, 0 unclear." in output, output
    assert "4 requests" in output, output


async def test_a_request_that_was_refused_before_anyone_was_asked_was_not_allowed(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its run has the mark already, so nobody was asked to approve it: the rules that demand approval take nothing away."""
    env = team.env
    await env.does("mark acc:shop/prices as=succeeded", "Refused: nothing was done", "is Succeeded already")
    output = await replayed(team, capsys)
    assert "0 gain, 0 lose, 0 unclear." in output, output


async def test_a_user_group_that_cannot_be_read_makes_nobody_lose(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would come out otherwise only for that is said to be unclear, with the group."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    env.ws.faults.fail("usergroups.list", status=500)
    output = await replayed(team, capsys)
    assert "0 gain, 0 lose, 1 unclear." in output, output
    assert "Slack doesn't say who is in S0CRAWL" in output, output
