"""conversations.*: channels, members, history, threads, DMs."""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.objects import channel_json
from bot.playground.workspace.state import Channel, Json, Message

from .common import Caller, Method, flag, joined_channel, page, required, visible_channel, words

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def _info(core: Core, args: Json, _caller: Caller) -> Json:
    return {"channel": channel_json(core.state, visible_channel(core, required(args, "channel")))}


def _kind(channel: Channel) -> str:
    if channel.is_im or channel.is_mpim:
        return "im" if channel.is_im else "mpim"
    return "private_channel" if channel.is_private else "public_channel"


def _list_all(core: Core, args: Json, _caller: Caller) -> Json:
    kinds = set(words(args.get("types"))) or {"public_channel"}
    bot = core.state.bot_user
    rows = []
    for channel in core.state.channels.values():
        kind = _kind(channel)
        hidden = kind != "public_channel" and bot not in channel.members
        left_out = flag(args, "exclude_archived") and channel.is_archived
        if kind in kinds and not hidden and not left_out:
            rows.append(channel_json(core.state, channel))
    shown, rest = page(rows, args)
    return {"channels": shown, "response_metadata": rest}


def _members(core: Core, args: Json, _caller: Caller) -> Json:
    channel = visible_channel(core, required(args, "channel"))
    shown, rest = page(channel.members, args)
    return {"members": shown, "response_metadata": rest}


def _shown(message: Message, args: Json) -> Json:
    if flag(args, "include_all_metadata"):
        return message.body
    return {k: v for k, v in message.body.items() if k != "metadata"}


def _time(args: Json, name: str, default: float) -> float:
    """A timestamp argument. Raises invalid_ts_oldest or invalid_ts_latest."""
    try:
        return float(args.get(name) or default)
    except (TypeError, ValueError):
        raise ApiError(f"invalid_ts_{name}") from None


def _within(args: Json) -> Callable[[Message], bool]:
    """Whether a message lies between `oldest` and `latest`."""
    oldest, latest, inclusive = _time(args, "oldest", 0.0), _time(args, "latest", float("inf")), flag(args, "inclusive")

    def within(message: Message) -> bool:
        ts = float(message.ts)
        return oldest <= ts <= latest if inclusive else oldest < ts < latest

    return within


def _history(core: Core, args: Json, _caller: Caller) -> Json:
    """Newest first; replies only if they were also sent to the channel."""
    channel = joined_channel(core, required(args, "channel"))
    within = _within(args)
    rows = [
        _shown(m, args)
        for m in reversed(channel.messages)
        if not m.deleted
        and m.ephemeral_for is None
        and (not m.is_reply or m.body.get("subtype") == "thread_broadcast")
        and within(m)
    ]
    shown, rest = page(rows, args)
    more = bool(rest["next_cursor"])
    reply: Json = {"messages": shown, "has_more": more, "pin_count": 0}
    return reply | ({"response_metadata": rest} if more else {})


def _replies(core: Core, args: Json, _caller: Caller) -> Json:
    """The thread's parent, then its replies, oldest first."""
    channel = joined_channel(core, required(args, "channel"))
    asked = core.state.find(channel.id, str(required(args, "ts")))
    if asked is None or asked.ephemeral_for is not None:
        raise ApiError("thread_not_found")
    root = core.state.find(channel.id, asked.thread_ts or asked.ts) or asked
    thread = list(filter(_within(args), core.state.replies(channel, root.ts)))
    shown, rest = page([_shown(m, args) for m in (root, *thread)], args, default=1000)
    more = bool(rest["next_cursor"])
    reply: Json = {"messages": shown, "has_more": more}
    return reply | ({"response_metadata": rest} if more else {})


def _check_reachable(core: Core, user: str) -> None:
    person = core.state.users.get(user)
    if person is None:
        raise ApiError("user_not_found")
    if person.deleted:
        raise ApiError("user_disabled")
    if person.is_bot:
        raise ApiError("cannot_dm_bot")


def _open(core: Core, args: Json, _caller: Caller) -> Json:
    if args.get("channel"):
        channel = visible_channel(core, args["channel"])
    else:
        users = words(required(args, "users"))
        if not 1 <= len(users) <= 8:
            raise ApiError("too_many_users" if users else "not_enough_users")
        for user in users:
            _check_reachable(core, user)
        channel = core.state.open_im(users[0]) if len(users) == 1 else core.state.open_mpim(users)
    full = channel_json(core.state, channel)
    return {"channel": full if flag(args, "return_im") else {"id": channel.id}}


def _join(core: Core, args: Json, _caller: Caller) -> Json:
    channel = visible_channel(core, required(args, "channel"))
    if channel.is_im or channel.is_private:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    already = core.state.bot_user in channel.members
    if not already:
        channel.members.append(core.state.bot_user)
    reply: Json = {"channel": channel_json(core.state, channel)}
    return reply | ({"warning": "already_in_channel"} if already else {})


METHODS = {
    "conversations.info": Method(_info, READ),
    "conversations.list": Method(_list_all, READ),
    "conversations.members": Method(_members, READ),
    "conversations.history": Method(_history, HISTORY),
    "conversations.replies": Method(_replies, HISTORY),
    "conversations.open": Method(_open, ("channels:manage", "groups:write", "im:write", "mpim:write")),
    "conversations.join": Method(_join, ("channels:join",)),
}
