"""Which app this is and where it is installed, according to its tokens; and requests for another app or organization.

Sources: Slack's pages of auth.test, auth.teams.list and bots.info. A slash command, a button, a modal and an event name their app
in `api_app_id`, and the organization in `enterprise_id` or `enterprise.id`; a shortcut may name neither.
"""

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
    """None means unknown or absent. `socket_app_id` is the app of the app-level token. `url` is the workspace's address, with
    a slash at its end; empty when unknown.

    `granted` are the workspaces where an app of a whole organization may be used.
    """

    bot_user_id: str
    team_id: str
    enterprise_id: str | None = None
    app_id: str | None = None
    socket_app_id: str | None = None
    org_wide: bool = False
    granted: frozenset[str] | None = None
    url: str = ""

    def unusable(self, team: str) -> str | None:
        """Why a bot for that workspace can't work with these tokens, or None."""
        if self.org_wide and self.granted is not None and team not in self.granted:
            return (
                f"the app is installed in the organization {self.enterprise_id}, but not added to the workspace {team}. "
                "An organization administrator adds it there, under Integrations > Installed apps > Add to workspaces"
            )
        if not self.org_wide and self.team_id != team:
            return f"team is {team}, but the bot token belongs to {self.team_id}"
        if self.app_id and self.socket_app_id and self.app_id != self.socket_app_id:
            return f"bot_token belongs to the app {self.app_id}, but app_token to {self.socket_app_id}. Use one app's tokens"
        return None

    def foreign(self, body: Mapping[str, Any]) -> Foreign | None:
        """Whether a payload names another app or organization; None when it doesn't."""
        app = text(body, "api_app_id")
        if self.app_id is not None and app is not None and app != self.app_id:
            return "other_app"
        organization = text(body, "enterprise_id") or text(body, "enterprise", "id")
        if self.enterprise_id is not None and organization is not None and organization != self.enterprise_id:
            return "other_organization"
        return None


async def installation(client: AsyncWebClient, app_token: str | None) -> Installation:
    """The installation as Slack reports it. Raises what auth.test raises for the bot token; other missing values are None."""
    me = await client.auth_test()
    org_wide = me.get("is_enterprise_install") is True
    app_id = me.get("app_id") or await _app_of_bot(client, me.get("bot_id"))
    socket_app_id = await _app_of_token(client, app_token) if app_token is not None else None
    return Installation(
        bot_user_id=str(me["user_id"]),
        team_id=str(me.get("team_id")),
        enterprise_id=me.get("enterprise_id"),
        app_id=app_id or socket_app_id,
        socket_app_id=socket_app_id,
        org_wide=org_wide,
        granted=await _granted(client) if org_wide else None,
        url=url if (url := str(me.get("url") or "")).startswith("http") and url.endswith("/") else "",
    )


async def _granted(client: AsyncWebClient) -> frozenset[str] | None:
    """The workspaces to which an organization added the app; None when Slack doesn't list them all."""
    try:
        reply = await client.auth_teams_list(limit=1_000)
    except (SlackApiError, *TRANSPORT) as error:
        _log.warning("the workspaces of the installation can't be listed: %s", read(error).code)
        return None
    teams, more = reply.get("teams"), reply.get("response_metadata")
    if not isinstance(teams, list) or (isinstance(more, Mapping) and more.get("next_cursor")):
        return None
    return frozenset(str(team.get("id")) for team in teams if isinstance(team, Mapping))


async def _app_of_bot(client: AsyncWebClient, bot_id: str | None) -> str | None:
    if bot_id is None:
        return None
    try:
        bot = (await client.bots_info(bot=bot_id)).get("bot")
    except (SlackApiError, *TRANSPORT) as error:
        _log.warning("the bot can't read its own app id, so requests are not checked for it: %s", read(error).code)
        return None
    return text(bot, "app_id") if isinstance(bot, Mapping) else None


async def _app_of_token(client: AsyncWebClient, app_token: str) -> str | None:
    try:
        found: str | None = (await client.auth_test(token=app_token)).get("app_id")
    except (SlackApiError, *TRANSPORT):
        return None  # an app token that doesn't work is reported when the socket opens
    return found
