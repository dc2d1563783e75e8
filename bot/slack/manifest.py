"""The app manifest (major version 2), made from the listeners. A test compares manifest.yml with it.

Rules: Slack's app manifest reference; lengths are in its schema.
"""

from typing import Any, Final

import yaml

from bot.slack.app import LAUNCHER, RUN_OPERATION, WORK_ON_MESSAGE

# Scopes and their reasons: every method and event that the program uses needs one of these.
SCOPES: Final = {
    "app_mentions:read": "mentions",
    "channels:history": "finding a card whose post got no answer, in public channels",
    "channels:read": "conversations.info and .members of public channels, shared or not",
    "chat:write": "cards",
    "commands": "the slash command and shortcuts",
    "files:read": "attached input files",
    "files:write": "logs and data into threads",
    "groups:history": "the same in private channels",
    "groups:read": "conversations.info and .members of private channels",
    "im:history": "direct messages, and the same there",
    "im:read": "conversations.info of direct messages",
    "im:write": "direct messages to people who can't see the channel's message",
    "mpim:read": "telling group messages apart, which are denied",
    "usergroups:read": "user groups in rules",
    "users:read": "guests, outsiders, bots, deactivated people; which app the bot is",
}
EVENTS: Final = (
    "app_home_opened", "app_mention", "channel_id_changed", "channel_shared", "channel_unshared", "function_executed",
    "message.im",
)  # fmt: skip


def manifest(*, command: str = "/ops", url: str | None = None, rotates: bool = False) -> dict[str, Any]:
    """The manifest as plain data. `url` is the public address of /slack/events; without it the app uses Socket Mode.

    `rotates` turns token rotation on, which can't be turned off again.
    """
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Signalbox",
            "description": "Operate your automation control planes from a channel, with rules, approvals and an audit log.",
            "background_color": "#1b3a4b",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "signalbox", "always_online": True},
            "shortcuts": [
                {
                    "name": "Operate a control plane",
                    "type": "global",
                    "callback_id": LAUNCHER,
                    "description": "Start, stop, retry, schedule: opens a form",
                },
                {
                    "name": "Run from this message",
                    "type": "message",
                    "callback_id": WORK_ON_MESSAGE,
                    "description": "Opens the form with the text and files of this message",
                },
            ],
            "slash_commands": [
                {
                    "command": command,
                    "description": "Operate the control planes",
                    "usage_hint": "help, find NAME, status NAME, start NAME -- REASON, or say it in your words",
                    "should_escape": True,
                    **({"url": url} if url else {}),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**({"request_url": url} if url else {}), "bot_events": list(EVENTS)},
            "interactivity": {
                "is_enabled": True,
                **({"request_url": url, "message_menu_options_url": url} if url else {}),
            },
            "org_deploy_enabled": True,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": rotates,
            "function_runtime": "remote",
        },
        "functions": {
            RUN_OPERATION: {
                "title": "Run an operation",
                "description": "Runs one command as the app, under the channel's rules for the app's id",
                "input_parameters": {
                    "properties": {
                        "command": {
                            "type": "string",
                            "title": "Command",
                            "description": "As typed after the slash command",
                        },
                        "channel": {
                            "type": "slack#/types/channel_id",
                            "title": "Channel",
                            "description": "The channel whose rules apply",
                        },
                        "user": {
                            "type": "slack#/types/user_id",
                            "title": "Started by",
                            "description": "Recorded, not verified",
                        },
                    },
                    "required": ["command", "channel"],
                },
                "output_parameters": {
                    "properties": {"outcome": {"type": "string", "title": "Outcome", "description": "One sentence"}},
                    "required": ["outcome"],
                },
            }
        },
    }


def manifest_text(*, command: str = "/ops", url: str | None = None, rotates: bool = False) -> str:
    """The manifest as YAML."""
    text: str = yaml.safe_dump(manifest(command=command, url=url, rotates=rotates), sort_keys=False, width=120)
    return text
