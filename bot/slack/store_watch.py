"""Checks every few seconds that the store's file still exists. The alarm doesn't need the store."""

import asyncio
import logging

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import Problem
from bot.core.ports.store import Store
from bot.slack.errors import TRANSPORT, read

_log = logging.getLogger("signalbox.store")


class StoreWatch:
    """Raises one alarm: in the log, and in the security channel if there is one."""

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
        _log.critical("%s", text)
        if self._channel is None:
            return
        try:
            await self._client.chat_postMessage(channel=self._channel, text=f"Every request is refused. {text}")
        except (SlackApiError, *TRANSPORT) as error:
            self._alarmed = False  # tried again at the next check
            _log.warning("the alarm could not be posted to the security channel: %s", read(error).code)
