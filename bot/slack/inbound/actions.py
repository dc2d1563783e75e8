"""A pressed button or a chosen menu entry -> Intent; None for what carries nothing (links, type-ahead menus)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Intent, Press, Source
from bot.render.blocks import action_of
from bot.slack.payload import Stamp, dedupe, interaction_actor, interaction_place, text


def read(body: Mapping[str, Any], stamp: Stamp) -> Intent | None:
    """The opaque id stands in a button's value or in the value of the chosen option."""
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
        dedupe_key=dedupe("action", body, text(body, "trigger_id"), text(first, "action_ts")),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
    )
