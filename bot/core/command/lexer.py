"""Text as Slack sends it -> words. Quotes of every shape, Slack's escapes, and where the reason starts."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

DOUBLE: Final = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb')
_SINGLE: Final = frozenset("'\u2018\u2019\u201a\u201b")
_OPENS_SINGLE_AFTER: Final = frozenset("=:/")
_DASHES: Final = frozenset({"--", "\u2014", "\u2013", "\u2014\u2014"})
_ENTITY: Final = re.compile(r"<([^<>\s|]*[^<>|]*)(?:\|([^<>]*))?>")
_RUN: Final = re.compile(rf"[^\s{''.join(sorted(DOUBLE | _SINGLE))}]+")
LONGEST: Final = 12_000


class Word(NamedTuple):
    """A word and, per character, whether it stood in quotes. `end` is the offset behind it in the text."""

    text: str
    quoted: tuple[bool, ...]
    end: int

    @property
    def bare(self) -> bool:
        """True when no character stood in quotes."""
        return not any(self.quoted)


class Unreadable(ValueError):
    """The words cannot be split; the text says why."""


def unescape(text: str) -> str:
    """Undo Slack's escaping: links become their address or label, mentions stay as `<@U..>`, `<#C..>`, `<!subteam^S..>`."""
    plain = _ENTITY.sub(_entity, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _entity(match: re.Match[str]) -> str:
    body, label = match.group(1), match.group(2)
    if body[:1] in ("@", "#"):
        return f"<{body}>"
    if body.startswith("!"):
        return f"<{body}>"
    if label and body.endswith(label):
        return label
    if body.startswith(("http://", "https://", "mailto:", "tel:")):
        return body.removeprefix("mailto:").removeprefix("tel:")
    return match.group(0)


def split(text: str) -> tuple[list[Word], str | None]:
    """The words before the reason, and the reason (behind a lone `--` or the word `because`), else None.

    Raises Unreadable for an open quote or a text longer than LONGEST characters.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"That is longer than {LONGEST} characters.")
    words: list[Word] = []
    at = 0
    while True:
        at = _skip_blanks(text, at)
        if at >= len(text):
            return words, None
        word = _word(text, at)
        if words and word.bare and (word.text in _DASHES or word.text.lower() == "because"):
            return words, " ".join(text[word.end :].split()) or None
        words.append(word)
        at = word.end


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _word(text: str, at: int) -> Word:
    run = _RUN.match(text, at)
    if run is not None and (run.end() == len(text) or text[run.end()].isspace()):
        return Word(run.group(), (False,) * (run.end() - at), run.end())
    out: list[str] = []
    quoted: list[bool] = []
    start = at
    while at < len(text) and not text[at].isspace():
        char = text[at]
        if char in DOUBLE or (char in _SINGLE and (at == start or text[at - 1] in _OPENS_SINGLE_AFTER)):
            inside, at = _quoted(text, at)
            out.extend(inside)
            quoted.extend([True] * max(len(inside), 0))
            continue
        out.append(char)
        quoted.append(False)
        at += 1
    return Word("".join(out), tuple(quoted), at)


def _quoted(text: str, at: int) -> tuple[str, int]:
    closers = DOUBLE if text[at] in DOUBLE else _SINGLE
    escapes = closers is DOUBLE
    out: list[str] = []
    at += 1
    while at < len(text):
        char = text[at]
        if escapes and char == "\\" and at + 1 < len(text) and (text[at + 1] in closers or text[at + 1] == "\\"):
            out.append(text[at + 1])
            at += 2
            continue
        if char in closers:
            return "".join(out), at + 1
        out.append(char)
        at += 1
    raise Unreadable('A quote is opened and not closed. Close it, or put a backslash before it: `\\"`.')
