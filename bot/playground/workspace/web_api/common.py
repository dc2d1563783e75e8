"""Shared by the method families: the caller, argument readers, pagination, channel look-up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.state import Channel, Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token this is: kind "bot", "app" (app-level) or "function" (a step's own token)."""

    kind: str
    execution: Json | None = None


Handler = Callable[[Core, Json, Caller], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: its handler, its scopes (one is needed), and whose token ("any" for all, "none" for no token)."""

    handler: Handler
    scopes: tuple[str, ...] = ()
    caller: str = "bot"


def required(args: Json, name: str) -> Any:
    """A required argument."""
    if args.get(name) in (None, ""):
        message = f"[ERROR] missing required field: {name}"
        raise ApiError("invalid_arguments", response_metadata={"messages": [message]})
    return args[name]


def flag(args: Json, name: str) -> bool:
    """A boolean in any spelling that clients send."""
    return args.get(name) in (True, 1, "1", "true", "True")


def number(args: Json, name: str, default: int) -> int:
    """An integer argument. Raises invalid_arguments."""
    try:
        return int(args.get(name) or default)
    except (TypeError, ValueError):
        raise ApiError("invalid_arguments") from None


def words(value: object) -> list[str]:
    """A list argument: JSON array or comma-separated."""
    if isinstance(value, str):
        return [w.strip() for w in value.split(",") if w.strip()]
    return [str(v) for v in value] if isinstance(value, list) else []


def page(rows: Sequence[T], args: Json, default: int = 100) -> tuple[Sequence[T], Json]:
    """One page of rows and the `response_metadata` with the next cursor ("" at the end)."""
    limit = max(1, min(number(args, "limit", default), 1000))
    start = 0
    if args.get("cursor"):
        try:
            start = int(base64.b64decode(str(args["cursor"]), validate=True).decode().removeprefix("offset:"))
        except (ValueError, binascii.Error):
            raise ApiError("invalid_cursor") from None
    end = start + limit
    cursor = base64.b64encode(f"offset:{end}".encode()).decode() if end < len(rows) else ""
    return rows[start:end], {"next_cursor": cursor}


def visible_channel(core: Core, channel_id: object) -> Channel:
    """A channel that the bot can see: a public one, or one that it is in. Raises channel_not_found."""
    channel = core.state.channels.get(str(channel_id))
    hidden = channel is not None and (channel.is_private or channel.is_im)
    if channel is None or (hidden and core.state.bot_user not in channel.members):
        raise ApiError("channel_not_found")
    return channel


def joined_channel(core: Core, channel_id: object) -> Channel:
    """A channel that the bot is in. Raises channel_not_found or not_in_channel."""
    channel = visible_channel(core, channel_id)
    if core.state.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def writable_channel(core: Core, given: object) -> Channel:
    """A channel to write to: also by #name; a person's id means the DM. Also raises is_archived."""
    target = str(given)
    if target in core.state.users:
        person = core.state.users[target]
        if person.is_bot or person.deleted:
            raise ApiError("channel_not_found")
        return core.state.open_im(target)
    named = next((c for c in core.state.channels.values() if not c.is_im and c.name == target.lstrip("#")), None)
    channel = joined_channel(core, named.id if named else target)
    if channel.is_archived:
        raise ApiError("is_archived")
    return channel
