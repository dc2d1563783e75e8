"""Errors of Slack and of the network, mapped in one place."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.error_table import ADVICE, EXCEPTIONS, REMEDIES, Remedy

LONGEST_ASKED: Final = 300.0  # seconds; Slack asks for less, and a wrong header must not block a channel
MESSAGE_LIMIT: Final = 60.0  # seconds until the next try in a workspace over its message limit

TRANSPORT: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError, SlackClientError)


class SlackTrouble(NamedTuple):
    """An error of Slack. `after` is the wait in seconds that Slack asks for, or None."""

    code: str
    remedy: Remedy
    after: float | None = None

    @property
    def refused(self) -> bool:
        """Whether Slack refused the call for certain, so that a retry can't do it twice."""
        return self.after is not None or self.remedy is not Remedy.RETRY

    @property
    def advice(self) -> str:
        """What a person can do about it; empty when unknown."""
        return ADVICE.get(self.code, "")


def read(error: BaseException) -> SlackTrouble:
    """The meaning of an exception of slack_sdk or of the transport."""
    if not isinstance(error, SlackApiError):
        return SlackTrouble(type(error).__name__, Remedy.RETRY)
    response = error.response
    status = getattr(response, "status_code", 200)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429:
        return SlackTrouble("ratelimited", Remedy.RETRY, _seconds(getattr(response, "headers", {})))
    if status >= 500:
        return SlackTrouble(f"http_{status}", Remedy.RETRY)
    method = str(getattr(response, "api_url", "")).rpartition("/")[2]
    remedy = EXCEPTIONS.get((method, code)) or REMEDIES.get(code, Remedy.UNKNOWN)
    return SlackTrouble(code or f"http_{status}", remedy, MESSAGE_LIMIT if remedy is Remedy.WAIT else None)


def _seconds(headers: object) -> float | None:
    if not hasattr(headers, "items"):
        return None
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            try:
                return min(max(float(value), 0.0), LONGEST_ASKED)
            except ValueError:
                return None
    return None
