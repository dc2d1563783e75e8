"""The Slack listeners with the whole program: no ack is lost, and the person is told what was not taken."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from bot.store.sqlite.errors import StoreProblem
from tests.slack.support import command_body, http_world, post, signed
from tests.world import World, labels, world


async def test_work_that_breaks_behind_the_ack_takes_no_ack_away(here: World) -> None:
    """The handler fails at once in every listener, and Slack still has its 200."""
    here.ws.faults.fail("users.info", status=500)
    here.ws.faults.fail("conversations.info", drop=True)
    receipts = await asyncio.gather(
        *(here.ana.command("C0CRAWL", "/ops start acc:shop/prices") for _ in range(20)),
        here.ana.post("C0CRAWL", "<@U0BOT> status acc:shop/prices"),
        here.ana.open_home(),
    )
    assert all(receipt.acked for receipt in receipts)
    await here.until(lambda: here.events("start").count("denied") == 20)


async def test_when_the_audit_log_cannot_be_written_everybody_who_asks_is_told(here: World) -> None:
    """A full disk: nothing is sent anywhere, and command, mention and button say so."""
    await here.say("start acc:shop/prices")
    card = await here.until(lambda: next((m for m in here.ana.messages("C0CRAWL") if "Log" in labels(m)), None))
    runs = len(here.acc.runs)

    async def full(*_: object, **__: object) -> bool:
        raise StoreProblem("The disk is full.", code="store_full")

    working, here.bot.store.accept = here.bot.store.accept, full  # type: ignore[method-assign,assignment]
    heard = await here.ana.command("C0CRAWL", "/ops start acc:shop/prices")
    assert "nothing was done" in json.dumps(heard.body)
    for act in (
        here.ana.post("C0CRAWL", "<@U0BOT> start acc:shop/prices"),
        here.ana.press_label("C0CRAWL", card["ts"], "Log"),
    ):
        before = len(here.ana.messages("C0CRAWL"))
        assert (await act).acked
        await here.sees("nothing was done", "The disk is full.")
        await here.until(lambda before=before: len(here.ana.messages("C0CRAWL")) > before)
    assert len(here.acc.runs) == runs
    here.bot.store.accept = working  # type: ignore[method-assign]


async def test_an_app_token_that_is_revoked_while_it_runs_stops_the_program(here: World) -> None:
    """The SDK would ask for a new connection for ever."""
    here.ws.faults.fail("apps.connections.open", error="token_revoked")
    await here.ws.disconnect_sockets("refresh_requested")
    await here.until(here.bot.stopping.is_set)


async def test_a_request_of_another_workspace_is_acked_refused_and_recorded(tmp_path: Path) -> None:
    async with http_world(tmp_path) as here:
        body = command_body("start acc:shop/prices", team_id="T0EVIL", trigger_id="7.7.7")
        async with aiohttp.ClientSession() as http:
            url = "http://{}:{}/slack/events".format(*here.bot.address)
            answer = await post(http, url, body, signed(body, secret=here.ws.signing_secret))
        assert answer.status == 200
        assert "another workspace" in answer.body
        rows = [entry for entry in here.audit() if entry.verb == "start" or entry.event == "denied"]
        assert [str(entry.event) for entry in rows] == ["requested", "denied"]
        assert {entry.team_id for entry in rows} == {"T0EVIL"}
        assert rows[1].code == "other_workspace"
        assert len(here.acc.runs) == 0 or not here.events("sent")


async def test_oauth_settings_in_the_environment_do_not_change_who_the_bot_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLACK_CLIENT_ID and SLACK_CLIENT_SECRET would make Bolt look for an installation that nobody made."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "client-not-a-secret")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another-not-a-secret")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "another-not-a-secret")
    async with world(tmp_path) as here:
        await here.does("whoami", "U0ANA")


async def test_the_ack_waits_for_no_call_to_slack(here: World) -> None:
    """Not even the first one: who the bot is was asked at the start."""

    def asked() -> int:
        return len([call for call in here.ws.calls if call.method in ("auth.test", "bots.info")])

    before = asked()
    here.ws.faults.fail("auth.test", status=500)
    await here.does("whoami", "U0ANA")
    assert asked() == before
    assert re.fullmatch(r"r-[0-9a-z]{14}", here.audit()[-1].request_id)
