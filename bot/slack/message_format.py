"""A stored message in Slack's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bot.core.card import Card
from bot.core.intent import Reply
from bot.core.records import Outgoing
from bot.render import block_kit
from bot.render.card import render_card

_STEP_TEXT: Final = 1_000


def usable(reply: Reply | None, now: datetime) -> str | None:
    """The response_url of a request, None when there is none or its half hour is over."""
    if reply is None or reply.response_url is None or reply.response_until is None or now >= reply.response_until:
        return None
    return reply.response_url


def without_buttons(message: dict[str, Any]) -> dict[str, Any]:
    """A copy for a place in which a button would not count: it belongs to the message that was meant."""
    return {**message, "blocks": [block for block in message["blocks"] if block.get("type") != "actions"]}


def words_of(card: Card) -> str:
    """A card in one short text, for a place that takes nothing else."""
    rows = [card.title, card.status, *(line.text for line in card.lines)]
    return block_kit.clip(". ".join(row.rstrip(".") for row in rows if row), _STEP_TEXT)


def message_of(row: Outgoing) -> dict[str, Any]:
    """`text` and `blocks` as chat.postMessage takes them; raises ValidationError for a row of another version."""
    message = render_card(Card.model_validate(row.body))
    return {"text": message.text, "blocks": list(message.blocks)}


def instead(row: Outgoing, code: str) -> dict[str, Any]:
    """The message for who asked, with why it is not where it belongs; `code` is Slack's."""
    invite = " Invite me there." if code == "not_in_channel" else ""
    message = without_buttons(message_of(row))
    message["text"] = f"I cannot write in <#{row.channel_id}> ({code}).{invite} {message['text']}"
    message["blocks"].insert(0, {"type": "section", "text": {"type": "mrkdwn", "text": message["text"][:300]}})
    return message


def is_question(row: Outgoing) -> bool:
    """A question that others can still decide, and that Slack does not have: worth nothing in a message to who asked it."""
    buttons = row.body.get("buttons") if isinstance(row.body, dict) else None
    return row.key.startswith("approval:") and row.ts is None and bool(buttons)
