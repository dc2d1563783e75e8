"""The Slack directory of commands that only evaluate rules (`why`, `policy replay`), which also work without a token."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import MappingProxyType
from zoneinfo import ZoneInfo

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.core.intent import Actor, Place
from bot.core.policy.match import Member, Reach, Subject, Where
from bot.core.ports.services import Clock
from bot.slack.client import web_client
from bot.slack.directory import SlackDirectory
from bot.slack.token_rotation import RotationKeys, TokenRotation
from bot.store.store import Store


async def client_of(
    slack: config.SlackSettings, session: aiohttp.ClientSession, store: Store, clock: Clock
) -> AsyncWebClient:
    """A client with the bot token, or with the current one of token rotation; without a token if none is known."""
    client = web_client(slack.token, slack.api_url, session)
    if slack.rotation is not None and slack.rotation[2].get_secret_value():
        await TokenRotation(store, clock, RotationKeys(*slack.rotation), client).begin()
    return client


def directory_of(
    slack: config.SlackSettings, client: AsyncWebClient, store: Store, clock: Clock, say: Callable[[str], None]
) -> SlackDirectory | AssumedDirectory:
    """Slack's directory. Without a bot token, one that assumes that everyone is a full member."""
    if client.token:
        return SlackDirectory(client, store, clock, slack.team)
    say("Without a bot token, Slack can't be asked: everyone counts as a full member, and user groups are unknown.")
    return AssumedDirectory(slack.team)


class AssumedDirectory:
    """Everyone is a full member of the workspace and of each channel; user groups can't be read."""

    def __init__(self, team: str) -> None:
        self._team = team

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject:
        unknown = MappingProxyType(dict.fromkeys(groups, Member.UNREADABLE))
        return Subject(user_id=actor.user_id, team_id=self._team, known=True, groups=unknown)

    async def names(self, user_ids: Collection[str]) -> dict[str, str]:
        return {}

    async def where(self, place: Place, *, max_age: float) -> Where:
        is_dm = place.channel_id.startswith("D")
        return Where(team_id=place.team_id, channel_id=place.channel_id, is_dm=is_dm, known=bool(place.channel_id))

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        return None

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        return True

    def zone(self, user_id: str | None) -> ZoneInfo | None:
        return None

    async def reach(self, channel_id: str) -> Reach:
        return Reach(trouble="Slack isn't asked", known=False)
