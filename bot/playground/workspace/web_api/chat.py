"""chat.*: posting, updating, ephemeral messages, deleting, permalinks (slack.md, Messages)."""

from __future__ import annotations

from collections import deque

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.posting import content, metadata, post_as_app, thread_for
from bot.playground.workspace.state import Channel, Json, Message

from .common import Caller, Method, flag, joined_channel, required, visible_channel, writable_channel

UPDATE_TEXT = 4_000


def _post_message(core: Core, args: Json, caller: Caller) -> Json:
    channel = writable_channel(core, required(args, "channel"))
    made = content(args)
    thread_ts = thread_for(channel, args.get("thread_ts"))
    _hold_to_rate(core, channel)
    if thread_ts and flag(args, "reply_broadcast"):
        made["subtype"] = "thread_broadcast"
    message = post_as_app(core, channel, made, thread_ts=thread_ts, function=caller.execution)
    return {"channel": channel.id, "ts": message.ts, "message": message.body}


def _hold_to_rate(core: Core, channel: Channel) -> None:
    """If a posting rate is set, more messages per second in one channel are rate limited."""
    if core.faults.posts_per_second is None:
        return
    since = core.clock.now() - 1.0
    recent = deque((m for m in channel.messages if "bot_id" in m.body and float(m.ts) > since), maxlen=100)
    if len(recent) >= core.faults.posts_per_second:
        raise ApiError("ratelimited", status=429)


def _post_ephemeral(core: Core, args: Json, caller: Caller) -> Json:
    channel = joined_channel(core, required(args, "channel"))
    user = str(required(args, "user"))
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    made = content(args)
    thread_ts = thread_for(channel, args.get("thread_ts"))
    message = post_as_app(core, channel, made, thread_ts=thread_ts, ephemeral_for=user, function=caller.execution)
    return {"message_ts": message.ts}


def _own_message(core: Core, args: Json, code: str) -> Message:
    channel = visible_channel(core, required(args, "channel"))
    message = core.state.find(channel.id, str(required(args, "ts")))
    if message is None or message.ephemeral_for is not None:
        raise ApiError("message_not_found")
    if message.body.get("bot_id") != core.seed.app.bot_id:
        raise ApiError(code)
    return message


def _update(core: Core, args: Json, _caller: Caller) -> Json:
    """Text without blocks deletes the blocks; blocks alone keep the text and add no "edited" mark."""
    message = _own_message(core, args, "cant_update_message")
    before = dict(message.body)
    if len(str(args.get("text") or args.get("markdown_text") or "")) > UPDATE_TEXT:
        raise ApiError("msg_too_long")
    if args.get("metadata") is not None and not any(args.get(k) for k in ("text", "blocks", "attachments")):
        _set_metadata(message, args["metadata"])
        return _updated(core, message, before)
    made = content(args)
    if not (args.get("text") or args.get("markdown_text")):
        made["text"] = message.body.get("text", made["text"])
    else:
        message.body["edited"] = {"user": core.state.bot_user, "ts": core.clock.next_ts()}
    given = made.pop("metadata", None)
    for name in ("blocks", "attachments"):
        message.body.pop(name, None)
    message.body |= made
    if given is not None:
        _set_metadata(message, given)
    return _updated(core, message, before)


def _updated(core: Core, message: Message, before: Json) -> Json:
    core.own_message(message, before)
    core.state.changed("messages", message.channel)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.body.get("text", ""),
        "message": message.body,
    }


def _set_metadata(message: Message, given: object) -> None:
    checked = metadata(given)
    message.body.pop("metadata", None)
    if checked:
        message.body["metadata"] = checked


def _delete(core: Core, args: Json, _caller: Caller) -> Json:
    message = _own_message(core, args, "cant_delete_message")
    core.state.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def _permalink(core: Core, args: Json, _caller: Caller) -> Json:
    channel = visible_channel(core, required(args, "channel"))
    message = core.state.find(channel.id, str(required(args, "message_ts")))
    if message is None or message.ephemeral_for is not None:
        raise ApiError("message_not_found")
    link = f"{core.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(_post_message, ("chat:write",)),
    "chat.postEphemeral": Method(_post_ephemeral, ("chat:write",)),
    "chat.update": Method(_update, ("chat:write",)),
    "chat.delete": Method(_delete, ("chat:write",)),
    "chat.getPermalink": Method(_permalink),
}
