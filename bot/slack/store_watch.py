"""Looks every few seconds whether the store's file is still there, and raises the alarm without the store when it is not."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import Problem
from bot.slack.errors import TRANSPORT, read

_log = logging.getLogger("signalbox.store")


class WatchedStore(Protocol):
    """A store in a file."""

    def check_file(self) -> None:
        """Raises a Problem when the file on the disk is not the open one."""
        ...

    def save_head_sync(self) -> None:
        """Keep the head of the audit log for the check at the next start."""
        ...


class StoreWatch:
    """One alarm: in the log, and in the security channel when there is one."""

    def __init__(self, store: WatchedStore, client: AsyncWebClient, security_channel: str | None) -> None:
        self._store = store
        self._client = client
        self._channel = security_channel
        self._alarmed = False

    async def look(self) -> None:
        """Keep the head of the audit log for the next start, or raise the alarm."""
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
            self._alarmed = False  # tried again at the next look
            _log.warning("the security channel could not be told: %s", read(error).code)
