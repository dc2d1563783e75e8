"""Slash command -> Intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse
from bot.core.intent import Intent, Open, Source
from bot.slack.payload import Stamp, command_actor, command_place, dedupe, text


def read(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog) -> Intent:
    """An empty command opens the launcher; the grammar reads any other."""
    typed = text(body, "text") or ""
    ask = parse(typed, catalog) if typed.strip() else Open(what="launcher")
    return stamp.intent(
        ask,
        source=Source.COMMAND,
        actor=command_actor(body),
        place=command_place(body),
        dedupe_key=dedupe("command", body, text(body, "trigger_id")),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        typed=typed,
    )
