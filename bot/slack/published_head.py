"""Whether the store still has what was stored.

The newest head of the audit log that the bot has posted shows whether the database has lost entries since.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import HEAD_KEY
from bot.core.errors import Problem
from bot.core.ports.store import Store
from bot.slack.errors import TRANSPORT, read
from bot.slack.message_delivery import key_of

WITHIN: Final = 3.0  # seconds that a start waits for Slack
_LOOKED_AT: Final = 200
_PAGES: Final = 3
_HEAD: Final = re.compile(r"\b\d+:[0-9a-f]{64}\b")

_log = logging.getLogger("signalbox.slack")
_store_log = logging.getLogger("signalbox.store")


async def published_head(client: AsyncWebClient, channel: str | None) -> str | None:
    """`SEQ:HASH` from the security channel. None when there is none, or when Slack doesn't show it in time."""
    if channel is None:
        return None
    try:
        async with asyncio.timeout(WITHIN):
            return await _newest(client, channel)
    except (SlackApiError, TimeoutError, *TRANSPORT) as error:
        code = "timeout" if isinstance(error, TimeoutError) else read(error).code
        _log.warning("the published head of the audit log can't be read: %s", code)
        return None


async def _newest(client: AsyncWebClient, channel: str) -> str | None:
    cursor = ""
    for _ in range(_PAGES):
        reply = await client.conversations_history(
            channel=channel, limit=_LOOKED_AT, cursor=cursor or None, include_all_metadata=True
        )
        messages = reply.get("messages")
        for message in messages if isinstance(messages, list) else ():
            key = key_of(message) if isinstance(message, Mapping) else None
            found = _HEAD.search(json.dumps(message)) if isinstance(key, str) and key.startswith(HEAD_KEY) else None
            if found is not None:
                return found.group()
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return None


class StoreWatch:
    """Checks every few seconds that the store's file still exists. Otherwise it raises one alarm, without the store: in the log,
    and in the security channel if there is one."""

    def __init__(self, store: Store, client: AsyncWebClient, security_channel: str | None) -> None:
        self._store = store
        self._client = client
        self._channel = security_channel
        self._alarmed = False

    async def look(self) -> None:
        """Save the head of the audit log for the next start, or raise the alarm."""
        try:
            self._store.check_file()
            await asyncio.to_thread(self._store.save_head_sync)
        except Problem as problem:
            if not self._alarmed:
                self._alarmed = True
                await self._alarm(f"{problem.summary} {problem.hint}".strip())

    async def _alarm(self, text: str) -> None:
        _store_log.critical("%s", text)
        if self._channel is None:
            return
        try:
            await self._client.chat_postMessage(channel=self._channel, text=f"Every request is refused. {text}")
        except (SlackApiError, *TRANSPORT) as error:
            self._alarmed = False  # tried again at the next check
            _store_log.warning("the alarm could not be posted to the security channel: %s", read(error).code)
