"""A Resilio agent from Slack's side: typed in a channel, shown on a card, written in the audit log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store.tables.pauses import opened
from tests.scenarios.team import deciding
from tests.world import OPEN_POLICY, labels, shown, world


async def test_the_backend_alone_is_worked_from_a_channel(tmp_path: Path) -> None:
    """Status with and without the colon, progress of a run, a pause, and a tag behind its warning."""
    async with world(tmp_path, only=("res",)) as env:
        plane = env.planes["res"]
        card = await env.does("status res", "Connected to its Management Console", "warehouse-7")
        assert "Pause" in labels(card)
        await env.does("status res:run/543", "FullSync", "Syncing", " %, about ", "of 144.9 MB")
        paused = await env.does("pause res: for=10m", "resumes automatically after 10 min")
        assert plane.paused
        await env.ana.press_label("C0CRAWL", paused["ts"], "Resume")
        await env.sees("The agent is resumed")
        look = await env.does(
            "tag res: SITE=berlin -- moved", "move the agent to other groups", "warehouse-7 becomes berlin"
        )
        assert plane.tags["SITE"] == "warehouse-7"
        await env.ana.press_label("C0CRAWL", look["ts"], "Run it")
        await env.sees("Set: SITE=berlin")
        assert plane.tags["SITE"] == "berlin"
        written = "".join(entry.model_dump_json() for entry in env.audit())
        assert plane.token not in written + shown(card) + shown(paused) + shown(look)


async def test_a_lookup_that_finds_something_broken_is_red(tmp_path: Path) -> None:
    """The card has the colour and the words of the agent's state, not a green "Done"."""
    async with world(tmp_path, only=("res",)) as env:
        plane = env.planes["res"]
        for state, sign in (("CONNECTED", "✅"), ("CONNECTION_FAILED", "❌"), ("SOMETHING_NEW", "❔")):
            plane.server_state = state
            words = "Connected to its" if state == "CONNECTED" else f"Unknown ({state})"
            await env.does("status res:", words, sign)


async def test_a_restart_is_followed_from_the_preflight_to_the_agents_return(tmp_path: Path) -> None:
    """Danger, one call, and a card that says how the return was seen."""
    async with world(tmp_path, only=("res",)) as env:
        plane = env.planes["res"]
        plane.away = 0.3
        plane.restart_required = True
        look = await env.does("restart res: -- hangs", "Restart required", "yes", "All transfers are interrupted")
        await env.ana.press_label("C0CRAWL", look["ts"], "Run it")
        await env.sees("It answers again, with a new token", timeout=30)
        assert plane.restarts == 1
        assert env.events("restart")[-1] == "done"


async def test_a_pause_until_a_time_becomes_the_agents_timer(tmp_path: Path) -> None:
    """The time is meant in the bot's zone; the agent is told in how many seconds that is, and a time that is over is refused."""
    async with world(tmp_path, only=("res",)) as env:
        plane = env.planes["res"]
        await env.does("pause res: until=banana", "`2026-11-23T07:00`.")
        await env.does("pause res: until=2020-01-01T07:00", "<!date^1577862000^", "is in the past")
        await env.does("pause res: for=1h until=18:30", "not both")
        assert not plane.paused
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=20)
        await env.does(f"pause res: until={ends:%Y-%m-%dT%H:%M:%S}", "resumes automatically after")
        assert abs(plane.resumes_at - ends.timestamp()) < 5
        assert env.events("pause")[-3:] == ["sent", "done", "paused"]


async def test_the_card_of_a_pause_says_when_the_agent_has_resumed_by_its_timer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot sends nothing at the end, and the card no longer offers to resume; a pause that was ended by hand is over too."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, only=("res",)) as team:
        env, plane = team.env, team.env.planes["res"]
        paused = await env.does("pause res: for=10m", "It resumes automatically", "Resume")
        team.later(minutes=10, seconds=2)
        over = await env.sees("This pause is over: it has resumed by its own timer.")
        assert over["ts"] == paused["ts"]
        assert "Resume" not in labels(over)
        assert not plane.paused
        assert not [call for call in plane.requests if "paused=false" in str(call.raw_path)]
        assert [row.code for row in env.audit(event="resumed")] == ["own_timer"]
        await env.does("pause res: for=20m", "It resumes automatically")
        await env.does("resume res:", "The agent is resumed", "Ends the pause until")
        await env.sees("This pause is over: resumed by <@U0ANA>")
        assert await env.bot.store.open_pauses() == []


@pytest.mark.parametrize("paused", [True, False])
async def test_an_agent_whose_timer_is_over_is_read_before_it_is_called_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paused: bool
) -> None:
    """It is still paused, or does not answer: it is read again, then the card and the audit log say what is known."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, only=("res",)) as team:
        env, plane = team.env, team.env.planes["res"]
        await env.does("pause res: for=10m", "It resumes automatically", "Resume")
        plane.resumes_at = plane.clock.now() + 36_000
        if not paused:
            await plane.set_fault({"fault": "503"})
        team.later(minutes=10, seconds=2)
        for tries in (1, 2):
            await env.until(
                lambda tries=tries: [one.tries for one in env.bot.store.database.read_sync(opened)] == [tries]
            )
            team.later(minutes=1, seconds=1)
        said = (
            "but the control plane says that it is still paused" if paused else "whether it has resumed can't be read"
        )
        over = await env.sees("This pause is over: its timer is over", said)
        assert "Resume" not in labels(over)
        (row,) = env.audit(event="abandoned")
        assert (row.code, row.target_name) == ("still_paused" if paused else "own_timer", "res:")
        assert not env.audit(event="resumed")


async def test_what_has_succeeded_shows_no_bar_that_stops_halfway(tmp_path: Path) -> None:
    """A control plane may leave the last share standing; a run that goes on shows it, one that succeeded does not."""
    async with world(tmp_path, only=("res",)) as env:
        (run, *_) = env.planes["res"].transfers
        run.done, run.status = run.total // 2, "syncing"
        assert "░░░ " in shown(await env.does(f"status res:run/{run.run_id}", "Syncing"))
        run.status = "synced"
        assert "░░░" not in shown(await env.does(f"status res:run/{run.run_id}", "Synced"))
