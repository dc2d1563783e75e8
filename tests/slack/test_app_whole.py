"""The Slack listeners with the whole program: no ack is lost, and the person is told what was not taken."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path

import aiohttp
import pytest

from bot.store.errors import StoreProblem
from tests.slack.support import command_body, http_world, post, signed
from tests.world import World, labels, world


async def test_work_that_breaks_behind_the_ack_takes_no_ack_away(env: World) -> None:
    """The handler fails at once in every listener, and Slack still has its 200."""
    env.ws.faults.fail("users.info", status=500)
    env.ws.faults.fail("conversations.info", drop=True)
    receipts = await asyncio.gather(
        *(env.ana.command("C0CRAWL", "/ops start acc:shop/prices") for _ in range(20)),
        env.ana.post("C0CRAWL", "<@U0BOT> status acc:shop/prices"),
        env.ana.open_home(),
    )
    assert all(receipt.acked for receipt in receipts)
    await env.until(lambda: env.events("start").count("denied") == 20)


async def test_when_the_audit_log_cannot_be_written_everybody_who_asks_is_told(env: World) -> None:
    """A full disk: nothing is sent anywhere, and command, mention and button say so."""
    await env.say("start acc:shop/prices")
    card = await env.until(lambda: next((m for m in env.ana.messages("C0CRAWL") if "Log" in labels(m)), None))
    runs = len(env.acc.runs)

    async def full(*_: object, **__: object) -> bool:
        raise StoreProblem("The disk is full.", code="store_full")

    working, env.bot.store.accept = env.bot.store.accept, full  # type: ignore[method-assign,assignment]
    heard = await env.ana.command("C0CRAWL", "/ops start acc:shop/prices")
    assert "nothing was done" in json.dumps(heard.body)
    for act in (
        env.ana.post("C0CRAWL", "<@U0BOT> start acc:shop/prices"),
        env.ana.press_label("C0CRAWL", card["ts"], "Log"),
    ):
        before = len(env.ana.messages("C0CRAWL"))
        assert (await act).acked
        await env.sees("nothing was done", "The disk is full.")
        await env.until(lambda before=before: len(env.ana.messages("C0CRAWL")) > before)
    assert len(env.acc.runs) == runs
    env.bot.store.accept = working  # type: ignore[method-assign]


async def test_a_program_that_stops_first_acks_what_its_sockets_have_brought(env: World) -> None:
    """Otherwise Slack shows an error for a command that is stored, and that the next replica executes."""
    entered, go = threading.Event(), threading.Event()

    def busy(_: object) -> None:
        entered.set()
        assert go.wait(60)

    writing = asyncio.ensure_future(env.bot.store.database.write(busy))
    await asyncio.to_thread(entered.wait, 60)
    command = asyncio.ensure_future(env.ana.command("C0CRAWL", "/ops status acc:shop/prices"))
    await env.until(env.bot.connections._acking.total)
    closing = asyncio.ensure_future(env.bot.connections.close())
    await asyncio.sleep(0.2)
    go.set()
    assert (await command).acked
    await asyncio.gather(writing, closing)


async def test_an_app_token_that_is_revoked_while_it_runs_stops_the_program(env: World) -> None:
    """The SDK would ask for a new connection for ever."""
    env.ws.faults.fail("apps.connections.open", error="token_revoked")
    await env.ws.disconnect_sockets("refresh_requested")
    await env.until(env.bot.stopping.is_set)


async def test_a_request_of_another_workspace_is_acked_refused_and_recorded(tmp_path: Path) -> None:
    async with http_world(tmp_path) as env:
        body = command_body("start acc:shop/prices", team_id="T0EVIL", trigger_id="7.7.7")
        async with aiohttp.ClientSession() as http:
            url = "http://{}:{}/slack/events".format(*env.bot.connections.address)
            answer = await post(http, url, body, signed(body, secret=env.ws.signing_secret))
        assert answer.status == 200
        assert "another workspace" in answer.body
        rows = [entry for entry in env.audit() if entry.verb == "start" or entry.event == "denied"]
        assert [str(entry.event) for entry in rows] == ["requested", "denied"]
        assert {entry.team_id for entry in rows} == {"T0EVIL"}
        assert rows[1].code == "other_workspace"
        assert len(env.acc.runs) == 0 or not env.events("sent")


async def test_oauth_settings_in_the_environment_do_not_change_who_the_bot_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLACK_CLIENT_ID and SLACK_CLIENT_SECRET would make Bolt look for an installation that nobody made."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "client-not-a-secret")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another-not-a-secret")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "another-not-a-secret")
    async with world(tmp_path) as env:
        await env.does("whoami", "U0ANA")


async def test_the_ack_waits_for_no_call_to_slack(env: World) -> None:
    """Not even the first one: who the bot is was asked at the start."""

    def asked() -> int:
        return len([call for call in env.ws.calls if call.method in ("auth.test", "bots.info")])

    before = asked()
    env.ws.faults.fail("auth.test", status=500)
    await env.does("whoami", "U0ANA")
    assert asked() == before
    assert re.fullmatch(r"r-[0-9a-z]{14}", env.audit(verb="whoami")[-1].request_id)
