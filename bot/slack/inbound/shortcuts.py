"""Global and message shortcuts -> Intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Intent, Open, Place, Source
from bot.slack.inbound.mentions import without_mention
from bot.slack.payload import Stamp, dedupe, file_ids, interaction_actor, interaction_place, slack_time, text


def read(body: Mapping[str, Any], stamp: Stamp, bot_user_id: str) -> Intent:
    """`launcher` from anywhere, `work_on_message` with the words and the files of a message."""
    message = body.get("message")
    message = message if isinstance(message, Mapping) else {}
    return stamp.intent(
        Open(
            what=text(body, "callback_id") or "launcher",
            text=without_mention(text(message, "text") or "", bot_user_id)[:3000],
            own=text(message, "user") == bot_user_id,
            files=file_ids(message),
        ),
        source=Source.SHORTCUT,
        actor=interaction_actor(body),
        place=_place(body, message),
        dedupe_key=dedupe("shortcut", body, text(body, "trigger_id")),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        sent_at=slack_time(text(body, "action_ts")),
    )


def _place(body: Mapping[str, Any], message: Mapping[str, Any]) -> Place:
    place = interaction_place(body)
    ts = text(message, "ts") or text(body, "message_ts")
    return place.model_copy(update={"thread_ts": text(message, "thread_ts") or ts, "message_ts": ts})
