"""Slack payload -> who, where, how to answer, and the key that a redelivery shares.

Payload shapes: Slack's reference for slash commands, interaction payloads and the Events API.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.core.command.lexer import sound
from bot.core.intent import LATE, LONG_AGO, Actor, Intent, Payload, Place, Reply
from bot.core.ports.services import Clock, Ids
from bot.core.value import canonical

ARRIVED: ContextVar[datetime | None] = ContextVar(
    "arrived", default=None
)  # when the HTTP server started to read the request
_TS: Final = re.compile(r"(\d{1,10})(?:\.(\d{1,6}))?")
RESPONSE_URL_LIFE: Final = timedelta(minutes=29)  # of Slack's 30; one minute is reserve


class Stamp:
    """Makes intents with a clock and ids. `held_up` returns for how many seconds the program was recently blocked."""

    def __init__(self, clock: Clock, ids: Ids, held_up: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._ids = ids
        self._held_up = held_up

    def intent(
        self,
        ask: Payload,
        *,
        response_url: str | None = None,
        trigger_id: str | None = None,
        step_id: str | None = None,
        times: Sequence[object] | None = None,
        edits: Sequence[object] | None = None,
        **known: Any,
    ) -> Intent:
        """A new request, which arrived now, or before the program was blocked. `known` are other fields of Intent.

        `times` is where Slack says when the person asked, the best first, and `edits` when they edited it; None when Slack
        never says.
        """
        now = (ARRIVED.get() or self._clock.now()) - timedelta(seconds=self._held_up())
        known |= {"sent_at": _slack_time(now, times), "edited_at": _slack_time(now, edits)}
        return Intent(
            request_id=self._ids.request(),
            at=now,
            payload=ask,
            reply=Reply(
                response_url=response_url,
                response_until=response_until(now) if response_url else None,
                trigger_id=trigger_id,
                step_id=step_id,
            ),
            **known,
        )


def _slack_time(now: datetime, stamps: Sequence[object] | None) -> datetime | None:
    """The first time that can be read of stamps like `1700000000.000100` or 1700000000; LONG_AGO without one, which counts
    as late. A time in the future can't be right; clocks may differ by some minutes."""
    if stamps is None:
        return None
    for stamp in stamps:
        parts = _TS.fullmatch(str(stamp))
        if parts is not None:
            told = datetime.fromtimestamp(int(parts[1]), UTC) + timedelta(
                microseconds=int((parts[2] or "").ljust(6, "0"))
            )
            if told <= now + LATE:
                return told
    return LONG_AGO


def storable(data: Any) -> Any:
    """A payload with storable text: surrogate halves, which JSON may contain, become U+FFFD."""
    if isinstance(data, str):
        return data if data.isascii() else sound(data)
    if isinstance(data, dict):
        return {storable(key): storable(value) for key, value in data.items()}
    return [storable(item) for item in data] if isinstance(data, list) else data


def response_until(now: datetime) -> datetime:
    """When a response_url that arrived now expires."""
    return now + RESPONSE_URL_LIFE


def text(data: Mapping[str, Any], *path: str) -> str | None:
    """The non-empty string at a path of keys, or None."""
    found: Any = data
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found if isinstance(found, str) and found else None


def file_ids(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the files of a message."""
    files = message.get("files")
    found = (text(file, "id") for file in (files if isinstance(files, list) else ()) if isinstance(file, Mapping))
    return tuple(each for each in found if each)


def dedupe(kind: str, body: Mapping[str, Any], *keys: str | None) -> str:
    """The key that a redelivery shares: Slack's id of the delivery, or a digest of the body."""
    known = [key for key in keys if key]
    if known:
        return f"{kind}:{':'.join(known)}"
    return f"{kind}:{hashlib.sha256(canonical(dict(body)).encode()).hexdigest()}"


def command_actor(body: Mapping[str, Any]) -> Actor:
    """The person of a slash command. Slack only allows people of the installing workspace."""
    return Actor(
        user_id=text(body, "user_id") or "",
        team_id=text(body, "team_id") or "",
        enterprise_id=text(body, "enterprise_id"),
    )


def command_place(body: Mapping[str, Any]) -> Place:
    """Where a slash command was typed, never in a thread."""
    return Place(team_id=text(body, "team_id") or "", channel_id=text(body, "channel_id") or "")


def _workspace(body: Mapping[str, Any]) -> str:
    """The workspace of an interaction. `team` is null for an app that is installed in a whole organization."""
    named = text(body, "team", "id") or text(body, "message", "team") or text(body, "view", "team_id")
    return named or text(body, "user", "team_id") or ""


def interaction_actor(body: Mapping[str, Any]) -> Actor:
    """The person of a button, menu, modal or shortcut; an outsider's own team is in `user.team_id`."""
    return Actor(
        user_id=text(body, "user", "id") or "",
        team_id=text(body, "user", "team_id") or _workspace(body),
        enterprise_id=text(body, "enterprise", "id"),
    )


def interaction_place(body: Mapping[str, Any]) -> Place:
    """Where it was pressed: the container's message; an empty channel for modals and the Home tab."""
    return Place(
        team_id=_workspace(body),
        channel_id=text(body, "channel", "id") or text(body, "container", "channel_id") or "",
        thread_ts=text(body, "message", "thread_ts") or text(body, "container", "thread_ts"),
        message_ts=text(body, "container", "message_ts") or text(body, "message", "ts"),
    )


def event_actor(body: Mapping[str, Any], event: Mapping[str, Any]) -> Actor:
    """The person of an event; `user_team` names an outsider's own workspace in shared channels."""
    return Actor(
        user_id=text(event, "user") or "",
        team_id=text(event, "user_team") or text(event, "team") or text(body, "team_id") or "",
        enterprise_id=text(body, "enterprise_id"),
    )


def event_place(body: Mapping[str, Any], event: Mapping[str, Any]) -> Place:
    """Where a message is. The answer goes to its thread; a top-level mention starts one."""
    ts = text(event, "ts")
    return Place(
        team_id=text(body, "team_id") or "",
        channel_id=text(event, "channel") or "",
        thread_ts=text(event, "thread_ts") or ts,
        message_ts=ts,
    )
