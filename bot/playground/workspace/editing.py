"""Edits and deletions of a person's own messages: what the workspace keeps, and which event the app gets.

Source: docs.slack.dev, events message/message_changed and message/message_deleted; app_mention is sent again for an edited
message that mentions the app (same channel and ts, new event_id, with `edited`), as observed with running apps.
"""

from __future__ import annotations

from .core import Core
from .errors import CannotAct
from .state import Channel, Json, Message
from .wording import rich_text


def own_message(core: Core, channel: Channel, ts: str, user_id: str) -> Message:
    """A message of this person. Raises CannotAct for others' messages, which nobody can edit."""
    message = core.state.find(channel.id, ts)
    if message is None or message.body.get("user") != user_id or message.ephemeral_for is not None:
        raise CannotAct(f"{user_id} has no message {ts} in {channel.id}")
    return message


def edit(core: Core, channel: Channel, message: Message, wire: str) -> Json | None:
    """Change the text. Returns the event for the app, or None."""
    before = dict(message.body)
    message.body |= {"text": wire, "edited": {"user": message.body["user"], "ts": core.clock.next_ts()}}
    core.state.changed("messages", channel.id)
    shown = message.body | {"blocks": rich_text(wire)}
    if channel.is_im or channel.is_mpim:
        return _hidden(core, channel, "message_changed") | {"message": shown, "previous_message": before}
    bot = core.state.bot_user
    if f"<@{bot}" not in wire or bot not in channel.members:
        return None
    return {**shown, "type": "app_mention", "channel": channel.id, "event_ts": message.ts}


def delete(core: Core, channel: Channel, message: Message) -> Json | None:
    """Remove the message (a parent with replies becomes a tombstone); returns the event for the app, or None."""
    before = dict(message.body)
    core.state.remove(message)
    if not (channel.is_im or channel.is_mpim):
        return None
    return _hidden(core, channel, "message_deleted") | {"deleted_ts": before["ts"], "previous_message": before}


def _hidden(core: Core, channel: Channel, subtype: str) -> Json:
    ts = core.clock.next_ts()
    kind = "im" if channel.is_im else "mpim"
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": kind,
        "ts": ts,
        "event_ts": ts,
    }
