"""Decoding of text: control sequences, escapes, entities, percent-encoding, unusual letters.

A terminal, a JSON encoder or a web server between a program and its log may write `password="x"` as `password=\\"x\\"`,
`password=&quot;x&quot;`, `password%3D%22x%22` or with a colour around each word. `shown` removes what does not
belong in text for people. `views` decodes one line, layer by layer, and remembers where each character came from, so that
a secret found in a decoded line can be masked in the line itself.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from bot.core.masking.values import ANY_NAME

DEEPEST: Final = 6  # layers of encoding to decode

# Terminal sequences as bytes, and as programs write them in text: \x1b[, \u001b[, \033[, ^[[, and #033[ of syslog.
_ESC: Final = r"(?:\x1b|\\{1,8}(?:x1[bB]|u001[bB]|0?33|e)|\^\[|#033)"
_SEQUENCE: Final = re.compile(
    rf"(?:{_ESC}\[|\x9b)[0-?]{{0,64}}[ -/]{{0,8}}[@-~]"
    rf"|(?:{_ESC}\]|\x9d)(?:(?!{_ESC}\])[^\x07\x1b\x9c\r\n]){{0,2000}}(?:\x07|\x1b\\|\x9c|\\{{1,8}}(?:a|x07|u0007))"
    r"|\x1b[PX^_][^\x1b\x9c\r\n]{0,2000}(?:\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,4}[0-~]|\x1b[0-~]"
)
_SEQUENCE_HINT: Final = re.compile(
    r"[\x1b\x9b\x9d]|\\(?:x1[bB]|u001[bB]|0?33|e)\[|\\(?:x1[bB]|u001[bB]|0?33|e)\]|\^\[\[|#033\["
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_OVERSTRUCK: Final = re.compile(r"[^\r\n\x08]\x08")

# Soft hyphen, zero-width blanks and joiners, marks of direction, byte order mark, variation selectors, invisible tags.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e007f]"
)
_TOKEN: Final = re.compile(
    r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\"'\\/`ntr=:&])"
    r"|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|quot|apos|amp|lt|gt|nbsp|equals|colon);"
    r"|%[0-9a-fA-F]{2}"
    r"|[^\x00-\x7f]"
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


class View(NamedTuple):
    """A line with some layers of encoding removed. Character `i` is at `origin[i]` of the line itself.

    `origin` has one number more than the text has characters; None means that no position changed.
    """

    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The position of a part of this view in the line itself."""
        return (start, end) if self.origin is None else (self.origin[start], self.origin[end])


def shown(text: str) -> str:
    """The text without terminal sequences, overstruck letters and control characters. Keeps lines and tabs."""
    if _SEQUENCE_HINT.search(text):
        text = _SEQUENCE.sub("", text)
    if _CONTROL.search(text):
        if "\b" in text:
            text = "\n".join(map(_struck, text.split("\n")))
        text = _CONTROL.sub("", text)
    return text


def _struck(line: str) -> str:
    """The line as a terminal shows it, or all its letters if only they contain the name of a secret."""
    plain = line.replace("\b", "")
    while (once := _OVERSTRUCK.sub("", line)) != line:
        line = once
    return plain if len(ANY_NAME.findall(plain.lower())) > len(ANY_NAME.findall(line.lower())) else line


def folded(text: str) -> str:
    """The text in its simplest letters: full-width letters become ordinary ones, invisible characters are removed."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def encoded(line: str) -> bool:
    """True when the line may contain encoded characters."""
    return _TOKEN.search(line) is not None


def views(line: str) -> Iterator[View]:
    """The line itself, then the line with one, two and more layers of encoding removed."""
    view = View(line, None)
    yield view
    for _ in range(DEEPEST):
        inner = _peeled(view)
        if inner is None:
            return
        view = inner
        yield view


def _peeled(view: View) -> View | None:
    """The view without its outermost layer of encoding, or None."""
    text, pieces, origin, at = view.text, list[str](), list[int](), 0
    for token in _TOKEN.finditer(text):
        plain = _plain(token[0])
        if plain == token[0]:
            continue
        pieces += [text[at : token.start()], plain]
        origin += [*range(at, token.start()), *[token.start()] * len(plain)]
        at = token.end()
    if not pieces:
        return None
    pieces.append(text[at:])
    origin += range(at, len(text) + 1)
    if view.origin is not None:
        outer = view.origin
        origin = [outer[i] for i in origin]
    return View("".join(pieces), origin)


def _plain(token: str) -> str:
    """The character that an encoded one means; the token itself when decoding would be wrong."""
    first = token[0]
    if first == "\\":
        if token[1] in "ux":
            letter = chr(int(token[2:], 16))  # noqa: FURB166  `\\u` is no prefix of Python's
            return token if unicodedata.category(letter) == "Cs" else letter
        return _ESCAPES.get(token[1], token[1])
    if first == "&":
        return html.unescape(token)
    if first == "%":
        code = int(token[1:], 16)
        return chr(code) if code < 0x80 else token
    return folded(token)
