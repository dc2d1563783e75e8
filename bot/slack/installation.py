"""Which app this is and where it is installed, as Slack tells of its tokens; and what a request names instead.

Sources: Slack's pages of auth.test and bots.info. A slash command, a button, a modal and an event name the app they are for in
`api_app_id`, and the organization in `enterprise_id` or `enterprise.id`; a shortcut may name neither.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import TRANSPORT, read
from bot.slack.payload import text

Foreign = Literal["other_app", "other_organization"]

_log = logging.getLogger("signalbox.slack")


@dataclass(frozen=True, slots=True)
class Installation:
    """None: Slack did not tell, or there is none. `socket_app_id` is the app of the app-level token."""

    bot_user_id: str
    team_id: str
    enterprise_id: str | None = None
    app_id: str | None = None
    socket_app_id: str | None = None
    org_wide: bool = False

    def unusable(self, team: str) -> str | None:
        """Why a bot for that workspace cannot work with these tokens, None when it can."""
        if self.org_wide:
            return f"the bot token is of an installation in a whole organization: install the app in {team} alone"
        if self.team_id != team:
            return f"team is {team}, and the bot token belongs to {self.team_id}"
        if self.app_id and self.socket_app_id and self.app_id != self.socket_app_id:
            return (
                f"bot_token is of the app {self.app_id} and app_token of {self.socket_app_id}: take both from one app"
            )
        return None

    def foreign(self, body: Mapping[str, Any]) -> Foreign | None:
        """What in a payload names another app or organization than this one; None where nothing contradicts."""
        app = text(body, "api_app_id")
        if self.app_id is not None and app is not None and app != self.app_id:
            return "other_app"
        organization = text(body, "enterprise_id") or text(body, "enterprise", "id")
        if self.enterprise_id is not None and organization is not None and organization != self.enterprise_id:
            return "other_organization"
        return None


async def installation(client: AsyncWebClient, app_token: str | None) -> Installation:
    """Ask Slack. Raises what auth.test raises for the bot token; what else cannot be told is None."""
    me = await client.auth_test()
    app_id = me.get("app_id") or await _app_of_bot(client, me.get("bot_id"))
    socket_app_id = await _app_of_token(client, app_token) if app_token is not None else None
    return Installation(
        bot_user_id=str(me["user_id"]),
        team_id=str(me.get("team_id")),
        enterprise_id=me.get("enterprise_id"),
        app_id=app_id or socket_app_id,
        socket_app_id=socket_app_id,
        org_wide=me.get("is_enterprise_install") is True,
    )


async def _app_of_bot(client: AsyncWebClient, bot_id: str | None) -> str | None:
    if bot_id is None:
        return None
    try:
        bot = (await client.bots_info(bot=bot_id)).get("bot")
    except (SlackApiError, *TRANSPORT) as error:
        _log.warning("which app this is cannot be told, so requests are not checked for it: %s", read(error).code)
        return None
    return text(bot, "app_id") if isinstance(bot, Mapping) else None


async def _app_of_token(client: AsyncWebClient, app_token: str) -> str | None:
    try:
        found: str | None = (await client.auth_test(token=app_token)).get("app_id")
    except (SlackApiError, *TRANSPORT):
        return None  # a token that is no good is told when the socket is opened
    return found
