"""A pressed button or a chosen menu entry -> Intent; None for links and type-ahead menus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Intent, Press, Source
from bot.render.blocks import action_of
from bot.slack.payload import Stamp, dedupe, interaction_actor, interaction_place, slack_time, text


def read(body: Mapping[str, Any], stamp: Stamp) -> Intent | None:
    """The intent, with a button's value or the chosen option's value as the opaque id."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, Mapping):
        return None
    button = text(first, "value") or text(first, "selected_option", "value")
    if button is None:
        return None
    source = Source.HOME if text(body, "view", "type") == "home" else Source.BUTTON
    return stamp.intent(
        Press(action=action_of(text(first, "action_id") or ""), button=button),
        source=source,
        actor=interaction_actor(body),
        place=interaction_place(body),
        dedupe_key=dedupe("action", body, *_identity(body, first)),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        sent_at=slack_time(text(first, "action_ts")),
    )


def _identity(body: Mapping[str, Any], action: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The key of one press: who pressed what, where and when (or Slack's trigger when it has no time)."""
    pressed_at = text(action, "action_ts")
    if pressed_at is None:
        return (text(body, "trigger_id"),)
    place = interaction_place(body)
    where = (place.team_id, place.channel_id, place.message_ts or text(body, "view", "id"))
    return (*where, text(body, "user", "id"), text(action, "block_id"), text(action, "action_id"), pressed_at)
