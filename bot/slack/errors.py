"""What a Slack error means for a message that has to arrive: try again, go another way, or give up. The one table."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final, NamedTuple

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError


class Remedy(StrEnum):
    """What to do about it."""

    RETRY = "retry"
    ELSEWHERE = "elsewhere"
    ANEW = "anew"
    PLAIN = "plain"
    GIVE_UP = "give_up"
    FATAL = "fatal"


class SlackTrouble(NamedTuple):
    """An error of Slack, read. `after` is seconds that Slack asks to wait."""

    code: str
    remedy: Remedy
    after: float | None = None


_TABLE: Final = {
    "ratelimited": Remedy.RETRY,
    "rate_limited": Remedy.RETRY,
    "internal_error": Remedy.RETRY,
    "fatal_error": Remedy.RETRY,
    "service_unavailable": Remedy.RETRY,
    "request_timeout": Remedy.RETRY,
    "team_added_to_org": Remedy.RETRY,
    "not_in_channel": Remedy.ELSEWHERE,
    "channel_not_found": Remedy.ELSEWHERE,
    "is_archived": Remedy.ELSEWHERE,
    "restricted_action": Remedy.ELSEWHERE,
    "restricted_action_read_only_channel": Remedy.ELSEWHERE,
    "user_not_in_channel": Remedy.ELSEWHERE,
    "thread_not_found": Remedy.ELSEWHERE,
    "cannot_reply_to_message": Remedy.ELSEWHERE,
    "message_not_found": Remedy.ANEW,
    "cant_update_message": Remedy.ANEW,
    "edit_window_closed": Remedy.ANEW,
    "invalid_blocks": Remedy.PLAIN,
    "invalid_blocks_format": Remedy.PLAIN,
    "invalid_attachments": Remedy.PLAIN,
    "msg_blocks_too_long": Remedy.PLAIN,
    "msg_too_long": Remedy.PLAIN,
    "only_one_table_allowed": Remedy.PLAIN,
    "invalid_auth": Remedy.FATAL,
    "not_authed": Remedy.FATAL,
    "account_inactive": Remedy.FATAL,
    "token_revoked": Remedy.FATAL,
    "token_expired": Remedy.FATAL,
}

TRANSPORT: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError, SlackClientError)


def read(error: BaseException) -> SlackTrouble:
    """The trouble behind an exception of slack_sdk or of the transport."""
    if isinstance(error, SlackApiError):
        return _from_reply(error)
    return SlackTrouble(type(error).__name__, Remedy.RETRY)


def _from_reply(error: SlackApiError) -> SlackTrouble:
    response = error.response
    status = getattr(response, "status_code", 200)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429:
        return SlackTrouble("ratelimited", Remedy.RETRY, _seconds(getattr(response, "headers", {})))
    if status >= 500:
        return SlackTrouble(f"http_{status}", Remedy.RETRY)
    return SlackTrouble(code or f"http_{status}", _TABLE.get(code, Remedy.GIVE_UP))


def _seconds(headers: object) -> float | None:
    if not hasattr(headers, "items"):
        return None
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            try:
                return min(max(float(value), 0.0), 300.0)
            except ValueError:
                return None
    return None
