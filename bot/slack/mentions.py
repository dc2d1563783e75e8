"""app_mention and message.im events -> Intent; None for messages that are not for the bot.

Only the person's own words count; quoted lines, forwarded messages and link previews (attachments) don't. A command only
counts when the message starts with the mention. Slack sends an edited message again under a new event id, with the same
channel and ts, so these identify a message.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bot.core.command.catalog import Catalog
from bot.core.command.lexer import EDGES, MARKERS, unwrap
from bot.core.command.parser import is_command, parse, several, struck_out
from bot.core.intent import Command, Doubt, Intent, Payload, Source
from bot.slack.payload import Stamp, dedupe, event_actor, event_place, file_ids, text

_PLAIN_SUBTYPES: Final = frozenset({None, "file_share", "thread_broadcast"})
_AROUND: Final = "".join(MARKERS) + EDGES
_BEFORE_REASON: Final = re.compile(r"\s(?:--|[\u2013\u2014]|because)\s", re.IGNORECASE)
_GREETING: Final = re.compile(r"\s*(?:hi|hey|hello|please|good (?:morning|evening))[\s,!.:]*", re.IGNORECASE)
_QUOTE: Final = re.compile(rf"[\s{EDGES}]*(?:&gt;|>)")
_REST_IS_QUOTE: Final = re.compile(rf"[\s{EDGES}]*(?:&gt;|>){{3}}")


class _Words(NamedTuple):
    """The request in a message, as typed and as parsed. `doubt` is why it is not run directly."""

    typed: str
    payload: Payload
    doubt: Doubt | None = None


def read(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog, bot_user_id: str) -> Intent | None:
    """The command in text to the bot; None for deletions, joins, previews and the bot's own messages."""
    event = body.get("event")
    message = _message(event) if isinstance(event, Mapping) else None
    if message is None or not text(message, "user") or message["user"] == bot_user_id:
        return None
    source = Source.DM if message.get("type") == "message" else Source.MENTION
    if source is Source.DM and message.get("channel_type") not in ("im", "mpim"):
        return None
    files = file_ids(message)
    alone = source is Source.DM and message.get("channel_type") == "im"
    words = None if _only_quoted(message, bot_user_id) else _words(message, catalog, bot_user_id, files, alone=alone)
    if words is None:
        return None
    return stamp.intent(
        words.payload,
        source=source,
        actor=event_actor(body, message),
        place=event_place(body, message),
        dedupe_key=dedupe("message", body, text(body, "team_id"), text(message, "channel"), text(message, "ts")),
        typed=words.typed,
        times=(message.get("ts"), body.get("event_time")),
        edits=(text(message, "edited", "ts"), body.get("event_time")) if message.get("edited") else None,
        doubt=words.doubt or (Doubt.BY_APP if text(message, "bot_id") else None),
    )


def _message(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The message of an event. Of an edited one, its new version, or None when its text is the same."""
    if event.get("subtype") != "message_changed":
        return event if event.get("subtype") in _PLAIN_SUBTYPES else None
    now, before = event.get("message"), event.get("previous_message")
    if not isinstance(now, Mapping) or now.get("subtype") not in _PLAIN_SUBTYPES or not text(now, "edited", "ts"):
        return None
    if isinstance(before, Mapping) and text(before, "text") == text(now, "text"):
        return None
    return {**now, "channel": event.get("channel"), "channel_type": event.get("channel_type"), "type": "message"}


def _words(
    message: Mapping[str, Any], catalog: Catalog, bot_user_id: str, files: tuple[str, ...], *, alone: bool
) -> _Words | None:
    """The command in a message. `alone`: a direct message, which needs no mention."""
    own = _own_words(text(message, "text") or "")
    mention = re.compile(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>")
    found = mention.search(own)
    if found is None:
        return _Words(own, parse(own, catalog, files)) if alone else None
    before, after = own[: found.start()], own[found.end() :]
    lead = before.strip().strip(EDGES)
    if lead.strip(_AROUND):
        return _in_sentence(before, after, catalog, files)
    if lead and after.startswith(lead[::-1]):
        after = f"~{after[len(lead) :].strip()}~" if "~" in lead else after[len(lead) :]
    else:
        after = lead + after
    typed = after.lstrip(" :,")
    parts = _parts(typed, mention.pattern, catalog)
    if len(parts) > 1:
        return _Words(typed, several(parts, catalog, typed))
    payload = parse(parts[0] if parts else typed, catalog, files)
    if isinstance(payload, Command) and _strikes(message.get("blocks"), typed):
        payload = struck_out(payload, typed)
    return _Words(typed, payload)


def _parts(typed: str, mention: str, catalog: Catalog) -> list[str]:
    """The text cut at each further mention that begins a line or precedes a complete command."""
    first, *others = re.split(rf"({mention})", typed)
    parts = [first]
    for name, part in zip(others[::2], others[1::2], strict=True):
        if not parts[-1].rpartition("\n")[2].strip().strip(_AROUND) or is_command(part, catalog):
            parts.append(part)
        else:
            parts[-1] += name + part
    return [part for part in parts if unwrap(part)]


def _strikes(node: Any, typed: str) -> bool:
    """Whether rich text strikes out words before the reason, outside quotes."""
    if isinstance(node, list):
        return any(_strikes(item, typed) for item in node)
    if not isinstance(node, Mapping) or node.get("type") == "rich_text_quote":
        return False
    style = node.get("style")
    if isinstance(style, Mapping) and style.get("strike"):
        words = (text(node, "text") or "").split()
        return node.get("type") == "user" or (bool(words) and words[0] in _BEFORE_REASON.split(typed)[0])
    return _strikes(node.get("elements"), typed)


def _in_sentence(before: str, after: str, catalog: Catalog, files: tuple[str, ...]) -> _Words | None:
    """A command after a mention inside a sentence, or before a mention at its end. After a greeting, any words count as said to
    the bot. Otherwise None."""
    typed = after.partition("\n")[0] if unwrap(after) else before
    payload = parse(typed, catalog, files)
    if isinstance(payload, Command):
        return _Words(typed, payload, Doubt.IN_SENTENCE)
    greeted = _GREETING.fullmatch(before) is not None and bool(unwrap(after))
    return _Words(after.lstrip(" :,"), parse(after.lstrip(" :,"), catalog, files)) if greeted else None


def _own_words(typed: str) -> str:
    """The text without the lines that quote another message."""
    kept: list[str] = []
    for line in typed.split("\n"):
        if _REST_IS_QUOTE.match(line):
            break
        if not _QUOTE.match(line):
            kept.append(line)
    return "\n".join(kept)


def _only_quoted(message: Mapping[str, Any], bot_user_id: str) -> bool:
    """Whether a message only mentions the bot inside quotes."""
    places = set(_mentions(message.get("blocks"), bot_user_id, quoted=False))
    return places == {True}


def _mentions(node: Any, bot_user_id: str, *, quoted: bool) -> list[bool]:
    """For each mention of the bot in rich text, whether it is in a quote."""
    if isinstance(node, list):
        return [found for item in node for found in _mentions(item, bot_user_id, quoted=quoted)]
    if not isinstance(node, Mapping):
        return []
    if node.get("type") == "user" and node.get("user_id") == bot_user_id:
        return [quoted]
    return _mentions(node.get("elements"), bot_user_id, quoted=quoted or node.get("type") == "rich_text_quote")


def without_mention(typed: str, bot_user_id: str) -> str:
    """The words after the bot's name, or before it when none follow."""
    before, _, after = re.sub(rf"<@{re.escape(bot_user_id)}(?:\|[^>]*)?>", "\0", typed, count=1).partition("\0")
    return after if after.strip() else before
