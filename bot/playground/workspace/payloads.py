"""The JSON that Slack sends an app: who, where, and the wrapper of each interaction and event."""

from __future__ import annotations

import re
import secrets
from typing import Any

from .core import Core
from .state import Channel, Json, Message, User
from .views import View


def place_name(channel: Channel) -> str:
    """The channel_name in commands and interactions."""
    if channel.is_im:
        return "directmessage"
    if channel.is_mpim:
        return channel.name
    return "privategroup" if channel.is_private else channel.name


def slash_command(core: Core, user: User, channel: Channel, command: str, text: str) -> Json:
    """The form fields of a slash command (slack.md, Slash commands); the values are strings."""
    seed = core.seed
    path = core.responses.make("commands", user.id, channel.id)
    fields = {
        "token": seed.app.verification_token,
        "team_id": seed.team_id,
        "team_domain": seed.team_domain,
        "channel_id": channel.id,
        "channel_name": place_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": seed.app.id,
        "is_enterprise_install": "false",
        "response_url": core.base_url + path,
        "trigger_id": core.triggers.make(user.id),
    }
    if seed.enterprise_id:
        fields |= {"enterprise_id": seed.enterprise_id, "enterprise_name": seed.enterprise_name or ""}
    return fields


def _team_of(core: Core, user: User) -> Json:
    """The workspace in which the person acts; for an external person, their own."""
    if user.team_id != core.seed.team_id:
        return {"id": user.team_id, "domain": user.team_id.lower()}
    team: Json = {"id": core.seed.team_id, "domain": core.seed.team_domain}
    if core.seed.enterprise_id:
        team |= {"enterprise_id": core.seed.enterprise_id, "enterprise_name": core.seed.enterprise_name}
    return team


def _person(user: User) -> Json:
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def interaction(core: Core, kind: str, user: User) -> Json:
    """The fields of every interactive payload."""
    seed = core.seed
    enterprise = {"id": seed.enterprise_id, "name": seed.enterprise_name} if seed.enterprise_id else None
    return {
        "type": kind,
        "user": _person(user),
        "api_app_id": seed.app.id,
        "token": seed.app.verification_token,
        "team": _team_of(core, user),
        "enterprise": enterprise,
        "is_enterprise_install": False,
    }


def on_message(core: Core, message: Message) -> Json:
    """container, channel and (unless ephemeral) message: where an interaction on a message happened."""
    channel = core.state.channels[message.channel]
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = message.ephemeral_for is not None
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    where: Json = {"container": container, "channel": {"id": channel.id, "name": place_name(channel)}}
    if message.ephemeral_for is None:
        where["message"] = message.body | {"text": _escaped(str(message.body.get("text", "")))}
    return where


def _escaped(text: str) -> str:
    """A message's text in interactions: with entities escaped again, and emoji by name."""
    for emoji, name in _EMOJI.items():
        text = text.replace(emoji, name)
    return re.sub(r"&(?!(?:amp|lt|gt);)", "&amp;", text)


# The emoji that the bot's cards use.
_EMOJI = {
    "✅": ":white_check_mark:",
    "❌": ":x:",
    "⚠️": ":warning:",
    "⏳": ":hourglass_flowing_sand:",
    "❔": ":grey_question:",
}


def on_view(view: View) -> Json:
    """container and view: where an interaction in a modal or on the Home tab happened."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.payload()}


def block_actions(core: Core, user: User, where: Json, action: Json, values: Json | None) -> Json:
    """A block_actions payload; on a message it has a response_url and the state, in a view neither."""
    payload = interaction(core, "block_actions", user) | where
    view = where.get("view")
    payload["trigger_id"] = core.triggers.make(user.id, view["id"] if view else None)
    if view is None:
        container = where["container"]
        path = core.responses.make("actions", user.id, container["channel_id"], container["message_ts"])
        payload |= {"response_url": core.base_url + path, "state": {"values": values or {}}}
    payload["actions"] = [action | {"action_ts": core.clock.next_ts()}]
    return payload


def event_callback(core: Core, event: Json, channel: str | None) -> Json:
    """The wrapper of an Events API event."""
    seed = core.seed
    place = core.state.channels.get(channel or "")
    authorization = {
        "enterprise_id": seed.enterprise_id,
        "team_id": seed.team_id,
        "user_id": seed.app.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    wrapper: Json = {
        "token": seed.app.verification_token,
        "team_id": seed.team_id,
        "context_team_id": seed.team_id,
        "context_enterprise_id": seed.enterprise_id,
        "api_app_id": seed.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": core.state.ids.make("Ev"),
        "event_time": int(core.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": bool(place and place.is_ext_shared),
        "event_context": "4-" + secrets.token_urlsafe(24),
    }
    if seed.enterprise_id:
        wrapper["enterprise_id"] = seed.enterprise_id
    return wrapper


def function_data(message: Message) -> dict[str, Any]:
    """The additional fields of an interaction on a message that was posted with a workflow step's token."""
    step = message.function
    if step is None:
        return {}
    return {
        "bot_access_token": step["token"],
        "function_data": {
            "execution_id": step["execution_id"],
            "function": {"callback_id": step["callback_id"]},
            "inputs": step["inputs"],
        },
    }


def own_message(message: Message, before: Json | None, event_ts: str) -> Json:
    """The message.im event of the app's own post, or message_changed if it replaces `before`."""
    place: Json = {"type": "message", "channel": message.channel, "channel_type": "im"}
    if before is None:
        return {**message.body, **place, "event_ts": message.ts}
    changed = {"subtype": "message_changed", "hidden": True, "ts": event_ts, "event_ts": event_ts}
    return {**place, **changed, "message": dict(message.body), "previous_message": before}


def sharing_changed(channel: Channel, event_ts: str) -> Json:
    """channel_shared or channel_unshared, by the channel's current state."""
    place: Json = {"channel": channel.id, "event_ts": event_ts}
    if channel.is_ext_shared:
        return {"type": "channel_shared", "connected_team_id": "T0OTHER", **place}
    return {"type": "channel_unshared", "previously_connected_team_id": "T0OTHER", "is_ext_shared": False, **place}
