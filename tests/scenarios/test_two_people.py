"""Two people who press the same button within a moment, each without knowing of the other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.operations import newer_run
from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import do
from tests.world import World, labels, world

TWICE = "start acc:shop/twice"


async def failed(env: World) -> dict[str, Any]:
    """The card of a run that has failed."""
    env.acc.add_agent("shop/twice", scripts=(Script(end="Failure", message="broke"), Script(end="Never")))
    card = await (await do(env, TWICE)).card("Failed")
    assert "Retry" in labels(card)
    return card


def retries(env: World) -> int:
    return sum(call.raw_path.endswith("/retry") for call in env.acc.requests)


async def test_two_people_on_one_retry_start_one_run_unless_they_mean_two(tmp_path: Path) -> None:
    """The second hears who was first, with a button for those who want it all the same; both presses are registered."""
    async with world(tmp_path, speed=60.0) as env:
        card = await failed(env)
        people = (env.ana, env.person("U0RUI"))
        await asyncio.gather(*(who.press_label("C0CRAWL", card["ts"], "Retry", seen=card) for who in people))
        rows = await env.until(lambda: env.audit(event="denied"))
        assert [row.code for row in rows] == ["pressed_already"]
        assert (rows[0].target_name or "").startswith("acc:")
        second = rows[0].user_id
        first = "U0RUI" if second == "U0ANA" else "U0ANA"
        answer = await env.sees(f"<@{first}> pressed Retry", "s ago", "Your press did nothing", user=second)
        asked = [row.user_id for row in env.audit(event="requested") if row.verb == "retry"]
        assert sorted(asked) == ["U0ANA", "U0RUI"]
        await env.until(lambda: retries(env) == 1)
        await asyncio.sleep(0.3)
        assert retries(env) == 1
        await env.person(second).press_label("C0CRAWL", answer["ts"], "Run it anyway")
        await env.until(lambda: retries(env) == 2)


async def test_two_retries_typed_at_the_same_moment_start_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks for an earlier one before the other is recorded. The second is asked, as for a run that was retried before."""
    look = newer_run._rerun

    async def slow(*args: Any) -> Any:
        found = await look(*args)
        await asyncio.sleep(0.5)
        return found

    async with world(tmp_path, speed=60.0) as env:
        await failed(env)
        monkeypatch.setattr(newer_run, "_rerun", slow)
        await asyncio.gather(*(env.say("retry acc:shop/twice@failed", user=user) for user in ("U0ANA", "U0RUI")))
        await env.until(lambda: len(env.audit(event="requested", verb="retry")) == 2)
        await env.quiet()
        (sent,) = env.audit(event="sent", verb="retry")
        assert retries(env) == 1
        second = "U0RUI" if sent.user_id == "U0ANA" else "U0ANA"
        await env.sees("Run it only if you still want it", f"Retried by <@{sent.user_id}>", user=second)


async def test_a_press_that_was_denied_is_in_nobodys_way(tmp_path: Path) -> None:
    """Who may not retry does not keep those from it who may."""
    async with world(tmp_path, speed=60.0) as env:
        card = await failed(env)
        await env.person("U0GUEST").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: env.audit(event="denied"))
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: retries(env) == 1)
        assert len(env.audit(event="denied")) == 1


async def test_a_button_that_may_be_pressed_twice_asks_nobody(tmp_path: Path) -> None:
    """Switching off twice is switching off, and a log may be read by everybody."""
    async with world(tmp_path, speed=60.0) as env:
        card = await failed(env)
        people = (env.ana, env.person("U0RUI"))
        await asyncio.gather(*(who.press_label("C0CRAWL", card["ts"], "Log", seen=card) for who in people))
        await env.until(lambda: env.events("logs").count("done") == 2)
        assert not env.audit(event="denied")


async def test_a_press_that_slack_delivers_again_later_is_still_the_one_that_counts(tmp_path: Path) -> None:
    """Slack repeats what it saw no ack of: it is the same press, and whoever comes after it hears of it."""
    async with world(tmp_path, speed=60.0) as env:
        card = await failed(env)
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: retries(env) == 1)
        (asked,) = [row for row in env.audit(event="requested") if row.verb == "retry"]
        request = await env.bot.store.request(asked.request_id)
        assert request is not None
        ids = env.bot.ids
        await asyncio.sleep(3.1)
        again = request.intent.model_copy(update={"request_id": ids.request()})
        await env.bot.intake.submit(again)
        await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.sees("<@U0ANA> pressed Retry", "Your press did nothing", user="U0RUI")
        assert retries(env) == 1


async def test_a_restart_between_two_presses_changes_nothing(tmp_path: Path) -> None:
    """The store, not the process, knows who pressed first."""
    async with world(tmp_path, speed=60.0) as env:
        card = await failed(env)
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: retries(env) == 1)
        await env.quiet()
        await env.restart()
        await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.sees("<@U0ANA> pressed Retry", "Your press did nothing", user="U0RUI")
        assert retries(env) == 1


async def test_a_press_on_a_state_that_a_late_update_brought_back_puts_the_current_one_back(tmp_path: Path) -> None:
    """Slack may carry out two updates in the wrong order, as when a replica was stopped in the middle of one."""
    async with world(tmp_path, speed=60.0) as env, aiohttp.ClientSession() as session:
        card = await failed(env)
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.sees("Retried by <@U0ANA>", "shop/twice")
        slack = AsyncWebClient(env.ws.bot_token, base_url=env.ws.api_url, session=session)
        await slack.chat_update(channel="C0CRAWL", ts=card["ts"], text=card["text"], blocks=card["blocks"])
        assert "Retry" in labels(message(env, card["ts"]))
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry")
        await env.until(lambda: "Retry" not in labels(message(env, card["ts"])))
        assert retries(env) == 1


def message(env: World, ts: str) -> dict[str, Any]:
    """The message as it is now."""
    return next(one for one in env.ana.messages("C0CRAWL") if one["ts"] == ts)
