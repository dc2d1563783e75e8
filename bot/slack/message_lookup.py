"""Finds a card whose post got no answer: its key is in the message's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.records import Outgoing
from bot.slack.error_table import Remedy
from bot.slack.errors import TRANSPORT, read

EVENT: Final = "signalbox_card"
_LOOKED_AT: Final = 30
_ASKED: Final = 5


def metadata(key: str) -> dict[str, Any]:
    """The arguments of chat.postMessage that make a message findable."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


async def find(client: AsyncWebClient, row: Outgoing) -> str | None:
    """The `ts` of the message with this row's key among the newest of its channel or thread, or None.

    Raises the error of Slack or the transport for an unreadable history, a few times. After that, or without permission to
    read it, returns None: showing a card twice is better than losing an outcome.
    """
    try:
        if row.thread_ts is None:
            reply = await client.conversations_history(
                channel=row.channel_id or "", limit=_LOOKED_AT, include_all_metadata=True
            )
        else:
            reply = await client.conversations_replies(
                channel=row.channel_id or "", ts=row.thread_ts, limit=200, include_all_metadata=True
            )
    except (SlackApiError, *TRANSPORT) as error:
        if read(error).remedy is Remedy.RETRY and row.attempts < _ASKED:
            raise
        return None
    messages = reply.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping) and key_of(message) == row.key:
            return str(message.get("ts"))
    return None


def key_of(message: Mapping[str, Any]) -> object:
    """The key of the card that a message shows; None when it shows none."""
    found = message.get("metadata")
    payload = found.get("event_payload") if isinstance(found, Mapping) and found.get("event_type") == EVENT else None
    return payload.get("key") if isinstance(payload, Mapping) else None
