"""The manifest is valid, is the file in the repository, and names what the listeners subscribe to and the program calls."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import bot.slack
from bot.runtime.clock import SystemClock
from bot.slack import app as slack_app_module
from bot.slack.app import SlackApp
from bot.slack.installation import Installation
from bot.slack.manifest import EVENTS, SCOPES, manifest, manifest_text
from bot.slack.payload import Stamp
from tests.slack.support import CountedIds, Inside

ROOT = Path(__file__).parents[2]
URL = "https://ops.example.com/slack/events"


def test_the_file_in_the_repository_is_what_the_program_prints() -> None:
    assert (ROOT / "manifest.yml").read_text(encoding="utf-8") == manifest_text()
    assert yaml.safe_load(manifest_text()) == manifest()


@pytest.mark.parametrize("url", [None, URL])
def test_slacks_lengths_and_names_are_kept(url: str | None) -> None:
    made = manifest(command="/" + "o" * 31, url=url)
    info, features = made["display_information"], made["features"]
    assert len(info["name"]) <= 35
    assert len(info["description"]) <= 140
    assert 174 < len(info.get("long_description", "x" * 175)) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", info["background_color"])
    assert len(features["bot_user"]["display_name"]) <= 80
    assert len(features["shortcuts"]) <= 10
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert len(shortcut["callback_id"]) <= 255
        assert shortcut["type"] in ("global", "message")
    for command in features["slash_commands"]:
        assert re.fullmatch(r"/.{1,31}", command["command"])
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
        assert command["should_escape"] is True
    assert len(made["oauth_config"]["scopes"]["bot"]) <= 255
    assert len(made["settings"]["event_subscriptions"]["bot_events"]) <= 100


def test_socket_mode_and_http_mode_exclude_each_other() -> None:
    socket, http = manifest(), manifest(url=URL)
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "http" not in yaml.safe_dump(socket)
    assert http["settings"]["socket_mode_enabled"] is False
    assert http["settings"]["event_subscriptions"]["request_url"] == URL
    assert http["settings"]["interactivity"]["message_menu_options_url"] == URL
    assert http["features"]["slash_commands"][0]["url"] == URL


def test_a_step_belongs_to_an_app_that_org_deployment_and_a_remote_runtime_allow() -> None:
    made = manifest()
    assert made["settings"]["org_deploy_enabled"] is True
    assert made["settings"]["function_runtime"] == "remote"
    for function in made["functions"].values():
        for side in ("input_parameters", "output_parameters"):
            assert set(function[side]["required"]) <= set(function[side]["properties"])


def listeners() -> AsyncApp:
    async def nothing(_: Any) -> None: ...

    slack_app = SlackApp(
        Inside(),
        Stamp(SystemClock(), CountedIds()),
        command="/ops",
        installation=Installation(bot_user_id="U0BOT", team_id="T0ACME"),
        channel_event=nothing,
        tell=lambda intent, text: None,
    )
    return slack_app.build(AsyncWebClient("xoxb-playground-not-a-secret"))


def test_there_are_few_listeners() -> None:
    assert len(listeners()._async_listeners) <= 20


def test_what_the_doors_register_is_what_the_manifest_subscribes_to() -> None:
    made = manifest()
    assert {row["callback_id"] for row in made["features"]["shortcuts"]} == {
        slack_app_module.LAUNCHER,
        slack_app_module.WORK_ON_MESSAGE,
    }
    assert set(made["functions"]) == {slack_app_module.RUN_OPERATION}
    source = inspect.getsource(SlackApp.build)
    registered = set(re.findall(r'app\.event\("([a-z_]+)"\)', source)) | set(slack_app_module.CHANNEL_EVENTS)
    assert {event.partition(".")[0] for event in EVENTS} == registered


# Slack's reference: the scope that each method of the Web API needs; None needs none.
NEEDED = {
    "auth_test": None,
    "oauth_v2_access": None,
    "blocks_validate": None,
    "auth_teams_list": None,
    "chat_postMessage": "chat:write",
    "chat_postEphemeral": "chat:write",
    "chat_delete": "chat:write",
    "chat_update": "chat:write",
    "views_open": None,
    "views_update": None,
    "views_publish": None,
    "functions_completeSuccess": None,
    "functions_completeError": None,
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
    "files_info": "files:read",
    "users_info": "users:read",
    "bots_info": "users:read",
    "usergroups_list": "usergroups:read",
    "conversations_info": "channels:read groups:read im:read mpim:read",
    "conversations_open": "im:write",
    "conversations_members": "channels:read groups:read im:read mpim:read",
    "conversations_history": "channels:history groups:history im:history",
    "conversations_replies": "channels:history groups:history im:history",
}
# Scopes that events and commands need, and no method.
BESIDE = {"app_mentions:read", "commands"}


def called() -> Iterator[str]:
    folder = Path(bot.slack.__path__[0])
    for path in [*folder.rglob("*.py"), folder.parent / "app.py", folder.parent / "cli" / "check.py"]:
        source = path.read_text(encoding="utf-8")
        yield from re.findall(r"client\.((?!api_call)[a-z]+_[A-Za-z_]+)\(", source)
        named = r"(?:base_url}|client\.api_call\(\")([a-z][A-Za-z0-9.]+)"
        yield from (name.replace(".", "_") for name in re.findall(named, source))


def test_every_method_that_is_called_has_its_scope_and_no_scope_is_asked_for_in_vain() -> None:
    methods = set(called())
    assert methods <= set(NEEDED), methods - set(NEEDED)
    scopes = {scope for method in methods for scope in (NEEDED[method] or "").split()}
    assert scopes | BESIDE == set(SCOPES)
    assert all(SCOPES.values())
