"""Typed text as Slack puts it on the wire: mentions, channels, links and escaped characters."""

from __future__ import annotations

import re

from .state import Json, State

_TOKEN = re.compile(r"<(?:[@#!][^<>\s]*|https?://[^<>\s]+|mailto:[^<>\s]+)>")
# Clients link a bare domain only if its last label is a known top-level domain; these are enough for the playground.
_DOMAIN = r"(?<![\w@./:=-])(?:[a-zA-Z0-9-]+\.)+(?:com|org|net|io|dev|de|fr|eu|co|uk|app)\b(?:/[^\s<>]*)?(?![\w@-])"
_MAIL = r"(?<![\w.@/:-])[\w.+-]+@(?:[\w-]+\.)+[a-zA-Z]{2,}\b"
_TYPED = re.compile(
    f"{_TOKEN.pattern}|(?P<url>https?://[^\\s<>]+)|(?P<mail>{_MAIL})|(?P<domain>{_DOMAIN})"
    r"|(?<![\w@#/:.])@[\w.-]*\w|(?<![\w@#/&])#[\w-]+|&(?:amp|lt|gt);|[&<>]"
)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(state: State, text: str, *, labels: bool) -> str:
    """@name, #channel, URLs, bare domains and mail addresses become Slack's <...> forms, & < > entities; <...> stays.

    `labels` adds the name after a person's id, as in a slash command with should_escape.
    """

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        if word in _ESCAPES:
            return _ESCAPES[word]
        if match["mail"]:
            return f"<mailto:{word}|{word}>"
        if match["url"] or match["domain"]:
            return _link(word)
        if word[0] == "@":
            return _mention(state, word, labels=labels)
        return _channel(state, word) if word[0] == "#" else word

    return _TYPED.sub(swap, text)


def _link(word: str) -> str:
    """An address as a client sends it: with `&` as an entity; a bare domain gets `http://` and keeps its label."""
    link = word.rstrip(".,;:!?)\"'")
    wire = link.replace("&amp;", "&").replace("&", "&amp;")
    shown = f"<{wire}>" if re.match("https?://", link) else f"<http://{wire}|{wire}>"
    return shown + word[len(link) :]


def _mention(state: State, word: str, *, labels: bool) -> str:
    name = word[1:].lower()
    for user in state.users.values():
        if user.name == name:
            return f"<@{user.id}|{user.name}>" if labels else f"<@{user.id}>"
    for group in state.groups.values():
        if group.handle == name:
            return f"<!subteam^{group.id}|@{group.handle}>" if labels else f"<!subteam^{group.id}>"
    return word


def _channel(state: State, word: str) -> str:
    for channel in state.channels.values():
        if not channel.is_im and channel.name == word[1:]:
            return f"<#{channel.id}|{'' if channel.is_private else channel.name}>"
    return word


def plain(state: State, text: str) -> str:
    """The reverse: mentions, channels and links as a command without should_escape gets them."""

    def swap(match: re.Match[str]) -> str:
        body, _, label = match.group()[1:-1].partition("|")
        if body.startswith("@"):
            user = state.users.get(body[1:])
            return "@" + (user.name if user else label or body[1:])
        if body.startswith("#"):
            channel = state.channels.get(body[1:])
            return "#" + (channel.name if channel else label or body[1:])
        if body.startswith("!subteam^"):
            group = state.groups.get(body.removeprefix("!subteam^"))
            return "@" + (group.handle if group else label.lstrip("@"))
        if body.startswith("!"):
            return "@" + body[1:]
        return label or body

    return _TOKEN.sub(swap, text)


def rich_text(text: str) -> list[Json]:
    """The rich_text block that a client sends along with a person's message."""
    elements: list[Json] = []
    position = 0
    for match in _TOKEN.finditer(text):
        _append_text(elements, text[position : match.start()])
        elements.append(_element(match.group()[1:-1]))
        position = match.end()
    _append_text(elements, text[position:])
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]


def _append_text(elements: list[Json], text: str) -> None:
    if text:
        shown = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        elements.append({"type": "text", "text": shown})


def _element(body: str) -> Json:
    body = body.partition("|")[0]
    if body.startswith("@"):
        return {"type": "user", "user_id": body[1:]}
    if body.startswith("#"):
        return {"type": "channel", "channel_id": body[1:]}
    if body.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": body.removeprefix("!subteam^")}
    if body.startswith("!"):
        return {"type": "broadcast", "range": body[1:]}
    return {"type": "link", "url": body}
