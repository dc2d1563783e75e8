"""How the bot stands in a channel: whether it can be written to there, and if not, what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.policy.match import Reach
from bot.slack.error_table import Remedy
from bot.slack.errors import TRANSPORT, read

_WITHIN: Final = 4.0


async def reach(client: AsyncWebClient, channel_id: str) -> Reach:
    """As Slack says now, within 4 s."""
    try:
        async with asyncio.timeout(_WITHIN):
            info: Any = (await client.conversations_info(channel=channel_id)).get("channel")
    except (SlackApiError, TimeoutError, *TRANSPORT) as error:
        trouble = read(error)
        if trouble.remedy is Remedy.RETRY:
            return Reach(known=False, trouble=f"Slack could not be asked ({trouble.code}); try again")
        return Reach(trouble=f"{trouble.code}: it does not exist, or is private and the bot not in it; {_FIX}")
    if not isinstance(info, Mapping):
        return Reach(known=False, trouble="Slack's answer cannot be read; try again")
    name = str(info.get("name") or "direct message")
    shared = info.get("is_ext_shared") is True
    if info.get("is_archived") is True:
        return Reach(name, shared, "it is archived; unarchive it, or name another one")
    if info.get("is_member", True) is not True:
        return Reach(name, shared, "the bot is not a member; invite it there")
    return Reach(name, shared)


_FIX: Final = "correct the id, or invite the bot there"
