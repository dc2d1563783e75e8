"""The state that a person sees: messages, the top modal, the Home tab."""

from __future__ import annotations

import json
from operator import attrgetter

from .blocks import detached, walk_elements
from .core import Core
from .state import Json, Message
from .views import STATEFUL, View


def messages(core: Core, user_id: str, channel_id: str, thread_ts: str | None = None) -> list[Json]:
    """Messages that the person sees, oldest first; with `thread_ts` only that thread, its parent included.

    Slack's own fields plus ephemeral, deleted, author_name and channel. Nothing from channels that the person isn't in.
    """
    channel = core.state.channel_for(channel_id)
    if channel is None or user_id not in channel.members:
        return []
    seen = (
        m
        for m in channel.messages
        if not m.deleted
        and m.ephemeral_for in (None, user_id)
        and (thread_ts is None or thread_ts in (m.ts, m.thread_ts))
    )
    return [shown(core, m) for m in sorted(seen, key=attrgetter("ts"))]


def shown(core: Core, message: Message) -> Json:
    """One message as a person's client has it, detached from the workspace."""
    extra = {
        "ephemeral": message.ephemeral_for is not None,
        "deleted": message.body.get("subtype") == "tombstone",
        "author_name": _author(core, message),
        "channel": message.channel,
    }
    return detached(message.body) | extra


def _author(core: Core, message: Message) -> str:
    if "bot_id" in message.body:
        return core.seed.app.name
    user = core.state.users.get(message.body.get("user", ""))
    return user.real_name if user else "Slackbot"


def view_shown(view: View | None) -> Json | None:
    """A view as a person's client has it, detached from the workspace."""
    return detached(view.payload()) if view else None


def view_drawn(view: View | None) -> Json | None:
    """The same for the page: each field begins with the value that it has now, wherever the person entered it."""
    body = view_shown(view)
    if body is None:
        return None
    for block, element in walk_elements(body["blocks"]):
        value_key, initial_key = STATEFUL.get(element["type"], ("", ""))
        now = body["state"]["values"].get(block["block_id"], {}).get(element["action_id"], {}).get(value_key)
        if initial_key and now:
            element[initial_key] = now
        elif initial_key:
            element.pop(initial_key, None)
    return body


def dump(core: Core, user_id: str) -> str:
    """Everything that the person sees, and the app's last calls, for the error of a failed wait."""
    lines = [f"what {user_id} sees:"]
    for channel_id in core.state.channels:
        for message in messages(core, user_id, channel_id):
            mark = "ephemeral " if message["ephemeral"] else ""
            lines.append(f"  {channel_id} {message['ts']} {mark}{message['author_name']}: {message['text']!r}")
            lines.extend(f"      {_brief(b)}" for b in message.get("blocks", []))
    for name, view in (("modal", core.views.top(user_id)), ("home", core.views.homes.get(user_id))):
        lines.append(f"  {name}: {_brief(view.payload()) if view else None}")
    lines.append("last Web API calls:")
    lines.extend(f"  {c.method} {'ok' if c.ok else c.error}" for c in core.calls[-15:])
    return "\n".join(lines)


def _brief(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "..."
