"""app_home_opened -> Intent; None for the Messages tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Intent, Open, Place, Source
from bot.slack.payload import Stamp, dedupe, event_actor, text


def read(body: Mapping[str, Any], stamp: Stamp) -> Intent | None:
    """The Home tab was opened by its owner."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("tab") != "home":
        return None
    return stamp.intent(
        Open(what="home"),
        source=Source.HOME,
        actor=event_actor(body, event),
        place=Place(team_id=text(body, "team_id") or "", channel_id=text(event, "channel") or ""),
        dedupe_key=dedupe("event", body, text(body, "event_id")),
    )
