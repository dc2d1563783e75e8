"""Which app and organization the bot is of, and requests that name another one: refused from every source, and recorded."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.app import Bot
from bot.demo.run import write_config
from bot.playground.workspace import DEMO_SEED, Seed, Workspace
from bot.playground.workspace.payloads import block_actions, event_callback, interaction, slash_command
from bot.slack.installation import Installation
from bot.slack.payload import interaction_actor, interaction_place
from tests.slack.support import http_world
from tests.world import OPEN_POLICY, World

ORG = replace(DEMO_SEED, enterprise_id="E0ACME", enterprise_name="Acme all")
OTHER_APP = {"api_app_id": "A0OTHER"}
HERE, ELSEWHERE = frozenset({"T0ACME"}), frozenset({"T0OTHER"})


def slack_app(env: World) -> dict[str, tuple[str, dict[str, Any]]]:
    """One request of Ana's for each source, as Slack sends it: the kind of delivery and the payload."""
    core = env.ws.core
    ana, channel = core.state.users["U0ANA"], core.state.channels["C0CRAWL"]
    mention = {"type": "app_mention", "user": "U0ANA", "text": "<@U0BOT> start acc:shop/prices", "channel": "C0CRAWL"}
    step = {"type": "function_executed", "function": {"app_id": env.ws.app_id}, "function_execution_id": "Fx1"}
    button = {"type": "button", "action_id": "do_start", "value": "x" * 26}
    place = {
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0CRAWL"},
        "channel": {"id": "C0CRAWL"},
    }
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "launcher",
        "private_metadata": "t",
        "state": {"values": {}},
        "blocks": [],
    }
    home = {"type": "app_home_opened", "user": "U0ANA", "tab": "home", "channel": "D0ANA"}
    inputs = {"command": "start acc:shop/prices", "channel": "C0CRAWL", "user": "U0ANA"}
    return {
        "command": ("slash_commands", slash_command(core, ana, channel, "/ops", "start acc:shop/prices")),
        "mention": ("events_api", event_callback(core, {**mention, "ts": "1.2"}, "C0CRAWL")),
        "home": ("events_api", event_callback(core, home, None)),
        "step": ("events_api", event_callback(core, {**step, "inputs": inputs}, None)),
        "button": ("interactive", block_actions(core, ana, place, button, None)),
        "modal": ("interactive", {**interaction(core, "view_submission", ana), "trigger_id": "1.3", "view": view}),
        "shortcut": (
            "interactive",
            {**interaction(core, "shortcut", ana), "trigger_id": "1.4", "callback_id": "launcher", "action_ts": "1.4"},
        ),
    }


async def test_a_request_of_another_app_is_refused_and_registered_at_every_door(env: World) -> None:
    """Nothing else of it is wrong; nothing is looked up for it and nothing is sent."""
    for source, (kind, payload) in slack_app(env).items():
        before = len(env.audit(event="denied"))
        assert (await env.ws.deliver(kind, payload | OTHER_APP)).acked
        rows = env.audit(event="denied")
        assert [(row.source, row.code) for row in rows[before:]] == [(source, "other_app")]
    assert not env.events("sent")
    assert not env.acc.effects


async def test_the_requester_is_known_whichever_teams_a_payload_names(env: World) -> None:
    """In an organization, Slack names the organization and the person's first workspace in some payloads only."""
    said = {"type": "app_mention", "user": "U0ANA", "text": "<@U0BOT> input clear acc:shop/stock", "channel": "C0CRAWL"}
    said |= {"ts": f"{time.time():.6f}", "team": "T0ACME"}
    mention = event_callback(env.ws.core, said, "C0CRAWL") | {"enterprise_id": "E0ACME"}
    assert (await env.ws.deliver("events_api", mention)).acked
    asked = await env.sees("input clear acc:shop/stock", "What happens")
    await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
    await env.until(lambda: env.events("input clear")[-1:] == ["done"])


async def test_suggestions_are_not_made_for_another_app(env: World) -> None:
    """Names of targets are told here only."""
    await env.does("status acc:shop/prices", "Succeeded")
    core = env.ws.core
    asking = interaction(core, "block_suggestion", core.state.users["U0ANA"])
    asking |= {"action_id": "suggest_target", "block_id": "b", "value": "shop", "container": {"type": "view"}}
    ours = await env.ws.deliver("interactive", asking)
    other = await env.ws.deliver("interactive", asking | OTHER_APP)
    assert "shop/prices" in str(ours.body)
    assert other.acked
    assert "shop/prices" not in str(other.body)


async def test_over_signed_http_too(tmp_path: Path) -> None:
    """A signature says that Slack sent it, not for which app."""
    async with http_world(tmp_path) as env:
        kind, payload = slack_app(env)["command"]
        receipt = await env.ws.deliver(kind, payload | OTHER_APP)
        assert "another app" in str(receipt.body)
        (row,) = env.audit(event="denied")
        assert row.code == "other_app"


@asynccontextmanager
async def bot_of(folder: Path, seed: Seed = DEMO_SEED, *, team: str = "", **fault: Any) -> AsyncIterator[World]:
    """A bot in a workspace of its own, whose bots.info fails in that way; `team` is what the configuration names instead."""
    async with Workspace(seed, port=0) as ws:
        if fault:
            ws.faults.fail("bots.info", **fault)
        environ = write_config(folder, ws, (), OPEN_POLICY)
        if team:
            path = folder / "signalbox.toml"
            path.write_text(path.read_text().replace(seed.team_id, team))
        bot = Bot(config.load(folder / "signalbox.toml", environ), environ)
        try:
            await bot.start()
            yield World(ws, {}, folder, environ, bot)
        finally:
            await bot.close()


async def test_in_socket_mode_the_app_token_tells_when_the_bot_token_does_not(tmp_path: Path) -> None:
    async with bot_of(tmp_path, error="missing_scope") as env:
        kind, payload = slack_app(env)["command"]
        assert "another app" in str((await env.ws.deliver(kind, payload | OTHER_APP)).body)
        await env.does("whoami", "U0ANA")


def test_what_the_bot_cannot_know_of_itself_refuses_nobody() -> None:
    """Nor does a payload that says nothing, or nothing readable."""
    installed = Installation(bot_user_id="U0BOT", team_id="T0ACME")
    assert installed.foreign({"api_app_id": "A0ANY", "enterprise_id": "E0ANY"}) is None
    known = replace(installed, app_id="A0MINE", enterprise_id="E0MINE")
    assert known.foreign({}) is None
    assert known.foreign({"api_app_id": 5, "enterprise": None}) is None
    assert known.foreign({"api_app_id": "A0MINE", "enterprise": {"id": "E0MINE"}}) is None
    assert known.foreign({"api_app_id": "A0ANY"}) == "other_app"
    assert known.foreign({"enterprise": {"id": "E0ANY"}}) == "other_organization"


async def test_a_request_of_another_organization_is_refused_and_registered_at_every_door(tmp_path: Path) -> None:
    """The workspace's own id under another organization; and the bot's own organization is let in."""
    async with bot_of(tmp_path, ORG) as env:
        await env.does("whoami", "U0ANA")
        for source, (kind, payload) in slack_app(env).items():
            before = len(env.audit(event="denied"))
            wrong = {"enterprise_id": "E0OTHER"} if kind != "interactive" else {"enterprise": {"id": "E0OTHER"}}
            assert (await env.ws.deliver(kind, payload | wrong)).acked
            rows = env.audit(event="denied")
            assert [(row.source, row.code) for row in rows[before:]] == [(source, "other_organization")]


@pytest.mark.parametrize(
    ("installed", "problem"),
    [
        (Installation("U0BOT", "T0OTHER"), "the bot token belongs to T0OTHER"),
        (
            Installation("U0BOT", "E0ACME", "E0ACME", org_wide=True, granted=ELSEWHERE),
            "not added to the workspace T0ACME",
        ),
        (Installation("U0BOT", "E0ACME", "E0ACME", org_wide=True, granted=HERE), None),
        (Installation("U0BOT", "E0ACME", "E0ACME", org_wide=True), None),
        (Installation("U0BOT", "T0ACME", app_id="A0ONE", socket_app_id="A0TWO"), "A0ONE, but app_token to A0TWO"),
        (Installation("U0BOT", "T0ACME", "E0ACME", app_id="A0ONE", socket_app_id="A0ONE"), None),
        (Installation("U0BOT", "T0ACME"), None),
    ],
)
def test_tokens_that_cannot_work_are_told_in_one_sentence(installed: Installation, problem: str | None) -> None:
    """Of another workspace, of a whole organization, of two apps."""
    found = installed.unusable("T0ACME")
    assert found is None if problem is None else problem in str(found)


async def test_an_app_that_is_installed_in_the_whole_organization_serves_its_workspace(tmp_path: Path) -> None:
    """The token belongs to the organization; `team` names the workspace that the bot works for."""
    async with bot_of(tmp_path, replace(ORG, org_wide=True)) as env:
        await env.does("whoami", "U0ANA")
        groups = [call for call in env.ws.calls if call.method == "usergroups.list"]
        assert [(call.args["team_id"], call.ok) for call in groups] == [("T0ACME", True)]


@pytest.mark.parametrize("part", [{"message": {"team": "T0ACME"}}, {"view": {"team_id": "T0ACME"}}])
def test_an_org_wide_press_happens_in_the_workspace_of_its_message_or_view(part: dict[str, Any]) -> None:
    """Slack sends no team then, and the person's first workspace may be another one."""
    body = {"team": None, "user": {"id": "U0ANA", "team_id": "T0OTHER"}, "enterprise": {"id": "E0ACME"}, **part}
    assert (interaction_place(body).team_id, interaction_actor(body).team_id) == ("T0ACME", "T0OTHER")


async def test_an_app_that_the_organization_did_not_add_to_the_workspace_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    other = replace(ORG, org_wide=True, team_id="T0OTHER")
    with pytest.raises(config.ConfigProblem, match="not added to the workspace T0ACME"):
        async with bot_of(tmp_path, other, team="T0ACME"):
            pass
