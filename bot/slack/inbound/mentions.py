"""app_mention and message.im events -> Intent; None for what is not meant for the bot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse
from bot.core.intent import Command, Intent, Source
from bot.slack.payload import Stamp, dedupe, event_actor, event_place, text

_PLAIN_SUBTYPES: Final = frozenset({None, "file_share", "thread_broadcast"})


def read(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog, bot_user_id: str) -> Intent | None:
    """Edits, deletions, joins and the bot's own messages are nothing; words to the bot are a command."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("subtype") not in _PLAIN_SUBTYPES:
        return None
    if not text(event, "user") or event["user"] == bot_user_id:
        return None
    source = Source.DM if event.get("type") == "message" else Source.MENTION
    if source is Source.DM and event.get("channel_type") not in ("im", "mpim"):
        return None
    typed = without_mention(text(event, "text") or "", bot_user_id)
    files = tuple(file["id"] for file in event.get("files") or () if isinstance(file, Mapping) and text(file, "id"))
    ask = parse(typed, catalog, files) if typed.strip() else Command(verb="help")
    return stamp.intent(
        ask,
        source=source,
        actor=event_actor(body, event),
        place=event_place(body, event),
        dedupe_key=dedupe("event", body, text(body, "event_id")),
        typed=typed,
    )


def without_mention(typed: str, bot_user_id: str) -> str:
    """The words behind the bot's name, wherever in the message it stands."""
    mention = re.compile(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>")
    before, found, after = typed, mention.search(typed), ""
    if found is not None:
        before, after = typed[: found.start()], typed[found.end() :]
        return after if after.strip() else before
    return before
