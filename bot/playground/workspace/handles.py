"""Short-lived handles that Slack gives an app with an interaction: trigger ids and response URLs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from .clock import PlaygroundClock
from .errors import ApiError

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5
KEPT_HANDLES = 20_000


@dataclass(slots=True)
class Trigger:
    """A trigger id: its person, the view of the act, and the time until which it opens a modal."""

    user: str
    view_id: str | None
    expires: float
    used: bool = False


class Triggers:
    """Trigger ids: 3 seconds, one use (slack.md, Timing)."""

    def __init__(self, clock: PlaygroundClock) -> None:
        self._clock = clock
        self._made: dict[str, Trigger] = {}

    def make(self, user: str, view_id: str | None = None) -> str:
        _prune(self._made)
        handle = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._made[handle] = Trigger(user, view_id, self._clock.now() + TRIGGER_SECONDS)
        return handle

    def use(self, handle: object) -> Trigger:
        """Spend a trigger; raises invalid_trigger_id, exchanged_trigger_id or expired_trigger_id."""
        trigger = self._made.get(handle) if isinstance(handle, str) else None
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self._clock.now() > trigger.expires:
            raise ApiError("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass(slots=True)
class ResponseUrl:
    """A response_url: its channel and person, and the message of the press."""

    user: str
    channel: str
    message_ts: str | None
    expires: float
    uses_left: int = RESPONSE_USES


class ResponseUrls:
    """Response URLs: 5 uses within 30 minutes (slack.md, Timing)."""

    def __init__(self, clock: PlaygroundClock, team_id: str) -> None:
        self._clock = clock
        self._team = team_id
        self._made: dict[str, ResponseUrl] = {}

    def make(
        self,
        kind: str,
        user: str,
        channel: str,
        message_ts: str | None = None,
    ) -> str:
        """A path under the base URL; `kind` is commands, actions or app (shortcuts and modals)."""
        _prune(self._made)
        path = f"/{kind}/{self._team}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        expires = self._clock.now() + RESPONSE_SECONDS
        self._made[path] = ResponseUrl(user, channel, message_ts, expires)
        return path

    def use(self, path: str) -> ResponseUrl:
        """Count one use; raises not_found, expired_url or used_url (HTTP 404, as in Slack)."""
        made = self._made.get(path)
        if made is None:
            raise ApiError("not_found", status=404)
        if self._clock.now() > made.expires:
            raise ApiError("expired_url", status=404)
        if made.uses_left <= 0:
            raise ApiError("used_url", status=404)
        made.uses_left -= 1
        return made


def _prune(made: dict[str, Any]) -> None:
    """Forget the oldest half if there are too many, so that a long demo doesn't keep growing."""
    if len(made) >= KEPT_HANDLES:
        for handle in list(made)[: KEPT_HANDLES // 2]:
            del made[handle]
