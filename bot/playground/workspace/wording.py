"""Typed text as Slack puts it on the wire: mentions, channels, links and escaped characters."""

from __future__ import annotations

import re

from .state import Json, State

_TOKEN = re.compile(r"<(?:[@#!][^<>\s]*|https?://[^<>\s]+|mailto:[^<>\s]+)>")
_TYPED = re.compile(
    _TOKEN.pattern + r"|https?://[^\s<>]+|(?<![\w@#/:.])@[\w.-]*\w|(?<![\w@#/&])#[\w-]+|&(?:amp|lt|gt);|[&<>]"
)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(state: State, text: str, *, labels: bool) -> str:
    """@name, #channel and URLs become Slack's <...> forms, & < > entities; what is in <...> already stays.

    `labels` puts the name behind a person's id, as a slash command with should_escape gets it.
    """

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        if word in _ESCAPES:
            return _ESCAPES[word]
        if word[0] == "@":
            return _mention(state, word, labels=labels)
        if word[0] == "#":
            return _channel(state, word)
        if word[0] == "h":
            link = word.rstrip(".,;:!?)\"'")
            return f"<{link}>{word[len(link) :]}"
        return word

    return _TYPED.sub(swap, text)


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
    """The same the other way: how a command without should_escape gets picked mentions, channels and links."""

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
        return "@" + body[1:] if body.startswith("!") else body

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
