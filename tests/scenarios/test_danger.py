"""What is dangerous is looked at first: by who asked alone, once, and not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import ask, do, everything_seen, private
from tests.scenarios.team import deciding
from tests.world import OPEN_POLICY, World, labels, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_only_the_asker_sees_a_pre_flight_and_only_the_asker_may_press(team: World) -> None:
    """Lee sees nothing of it; a press in his name does nothing and is registered."""
    asked = await ask(team, "input disable acc:shop/stock")
    card = await asked.card("What happens", "Active runs", "Last outcomes", "Next scheduled runs")
    assert labels(card) == ["Run it", "Cancel"]
    assert asked.request_id not in everything_seen(team, "U0LEE")
    button = next(block for block in card["blocks"] if block["type"] == "actions")["elements"][0]
    payload = forged(team, "U0LEE", card, button)
    receipt = await team.ws.deliver("interactive", payload)
    assert receipt.acked
    await private(team, "Only the requester can press this", user="U0LEE")
    assert asked.changes == []
    await asked.press("Cancel")
    assert await asked.ends() == "abandoned"
    assert asked.row("abandoned").code == "cancelled"
    assert asked.changes == []


def forged(env: World, user: str, message: dict[str, Any], button: dict[str, Any]) -> dict[str, Any]:
    """A press as Slack would send it, by somebody who never saw the message."""
    place = {"type": "message", "message_ts": message["ts"], "channel_id": "C0CRAWL", "is_ephemeral": True}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "x", "name": "x", "team_id": env.ws.team_id},
        "api_app_id": env.ws.app_id,
        "token": "playground-verification-not-a-secret",
        "team": {"id": env.ws.team_id, "domain": "acme"},
        "container": place,
        "channel": {"id": "C0CRAWL", "name": "crawl-ops"},
        "trigger_id": f"1.2.{user}",
        "actions": [
            {
                "type": "button",
                "action_id": button["action_id"],
                "block_id": "b",
                "value": button["value"],
                "action_ts": env.ws.clock.next_ts(),
                "text": button["text"],
            }
        ],
    }


async def test_a_double_click_on_run_it_has_one_effect(team: World) -> None:
    """Two presses of the same button are one call, and the second is told so."""
    asked = await ask(team, "input clear acc:shop/stock")
    await asked.card("Dangerous")
    await asyncio.gather(asked.press("Run it"), asked.press("Run it"), asked.press("Run it"))
    assert await asked.ends() == "done"
    await team.quiet()
    assert len(asked.changes) == 1
    assert asked.events.count("sent") == 1


async def test_a_double_click_on_retry_starts_one_run(team: World) -> None:
    """A retry is never sent twice for one decision: an impatient second click of the same button does nothing more."""
    team.acc.add_agent("shop/twice", scripts=(Script(end="Failure", message="broke"), Script(end="Never")))
    asked = await do(team, "start acc:shop/twice")
    card = await asked.card("Failed")
    assert "Retry" in labels(card)
    calls = len(team.acc.requests)
    await asyncio.gather(*(team.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card) for _ in range(2)))
    await team.until(lambda: sum(call.raw_path.endswith("/retry") for call in team.acc.requests[calls:]) >= 1)
    await team.quiet()
    assert sum(call.raw_path.endswith("/retry") for call in team.acc.requests[calls:]) == 1


async def test_a_pre_flight_is_over_after_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A press after ten minutes runs nothing, and the audit log says that it expired."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as later:
        asked = await ask(later.env, "input clear acc:shop/stock")
        await asked.card("Dangerous", "Valid for 10 minutes")
        later.later(minutes=10, seconds=1)
        await asked.press("Run it")
        assert await asked.ends() == "expired"
        await later.env.quiet()
        assert asked.changes == []
        assert "sent" not in asked.events


async def test_run_it_goes_on_when_runs_ended_since(tmp_path: Path) -> None:
    """Both runs that the pre-flight counted, or one of them."""
    async with world(tmp_path, speed=0.001) as env:
        first, second = (env.acc.add_run("shop/stock", ago=ago) for ago in (2, 1))
        for number, run in enumerate((first, second), start=1):
            asked = await ask(env, "input clear acc:shop/stock")
            await asked.card("Dangerous")
            env.acc.finish_run(run.run_id)
            await asked.press("Run it")
            assert await asked.ends() == "done"
            assert len([call for call in env.acc.requests if call.method == "DELETE"]) == number


async def test_run_it_asks_again_when_another_run_is_active(tmp_path: Path) -> None:
    """As many as the pre-flight counted, but not the same."""
    async with world(tmp_path, speed=0.001) as env:
        run = env.acc.add_run("shop/stock", ago=2)
        asked = await ask(env, "input clear acc:shop/stock")
        await asked.card("Dangerous")
        env.acc.finish_run(run.run_id)
        env.acc.add_run("shop/stock", ago=1)
        await asked.press("Run it")
        await env.sees("The state changed from 1 run active: run ", " to 1 run active: run ", "Type the command again")
        assert await asked.ends() == "abandoned"
        assert asked.changes == []


async def test_a_press_on_a_pre_flight_is_recorded_with_what_it_is_about(team: World) -> None:
    """`cancel` alone would not say what was cancelled."""
    asked = await ask(team, "input disable acc:shop/stock")
    await asked.card("What happens")
    await asked.press("Cancel")
    await asked.ends()
    pressed = [row for row in team.audit(event="requested") if row.verb == "cancel"][-1]
    assert (pressed.target_name, pressed.detail) == ("acc:shop/stock", "input disable")
