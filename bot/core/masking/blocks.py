"""Secrets that span several lines: private keys, blocks of YAML, open quotes, lists, XML elements, continued commands."""

import re
from typing import Final, NamedTuple

from bot.core.masking.patterns import NAME_HINTS
from bot.core.masking.values import NAMES, PASSWORDS, PLAIN, any_of

LONGEST_KEY: Final = 200  # lines; a header without an end must not mask the rest of a log
LONGEST_BLOCK: Final = 100
LONGEST_QUOTE: Final = 20
_MOST_COLUMNS: Final = 60

_KEY_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_NAMED: Final = rf"(?:{NAMES}|(?<![a-z])(?:pass|pw|psk|auth))[\"'`\]]{{0,2}}"
_SIGN: Final = r"[ \t]{0,20}(?:=>|->|:=|=|:)[ \t]{0,20}"
_SCALAR: Final = re.compile(_NAMED + r"[ \t]{0,20}:[ \t]{0,20}[|>][+-]?\d?[+-]?[ \t]*(?:#.*)?\r?$")
_NEXT: Final = re.compile(_NAMED + _SIGN + r"(?:![a-z]+[ \t]*)?\r?$")
_MANY: Final = re.compile(rf"(?:{PASSWORDS}s?|tokens|api[_-]?keys|secrets|passphrases)[\"']?{_SIGN}\r?$")
_LIST: Final = re.compile(rf"(?:{NAMES})s?[\"']?{_SIGN}[\[(][ \t]*\r?$")
_QUOTE: Final = re.compile(_NAMED + _SIGN + r"(?:[bu@$]{0,2})(\"\"\"|'''|\"|'|`)(?P<value>[^\"'`]*)$")
_HEREDOC: Final = re.compile(_NAMED + _SIGN + r"<<[-~]?[\"']?(?P<end>[a-z_]\w{0,40})[\"']?\r?$")
_ELEMENT: Final = re.compile(rf"<(?:[\w.-]+:)?[\w.-]*{NAMES}(?:\s[^<>]*)?>(?P<value>[^<]*)(?:<!\[cdata\[[^\]<]*)?$")
_CONTINUED: Final = re.compile(rf"(?:-|[\w-]){NAMES}(?:[ \t=]{{1,20}})(?:\\|\^|`)\r?$")
_UNFINISHED: Final = re.compile(_NAMED + r"[ \t]{0,20}[:=][ \t]{0,20}[\"']?[^\s\"'\\]{1,400}\\\r?$")
_RULED_LINE: Final = re.compile(r"[\s|+:=-]+")
_PAIR: Final = re.compile(rf"(?:name|key|id)[\"']?{_SIGN}[\"']?[\w.-]*{NAMES}[\"']?,?\r?$")
_PAIR_VALUE: Final = re.compile(r"^[\s+~-]*[\"']?(?:value|val|content|default|text)[\"']?\s*[:=]\s*[\"']?(?=[^\s\"'])")
_FOLDED: Final = re.compile(r"(?:^|[\s\"'])(?:(?:proxy-)?authorization|(?:set-)?cookie)[\"']?:[ \t]*[^\r\n\"']*$")
_LAST_SIGNS: Final = frozenset(":=>|[(\\^`,\"'+-0123456789")
_HINTED: Final = re.compile(any_of(NAME_HINTS | {"cookie"}))
_AT_THE_END: Final = (
    ("scalar", _SCALAR),
    ("list", _LIST),
    ("pair", _PAIR),
    ("next", _NEXT),
    ("many", _MANY),
    ("continued", _CONTINUED),
    ("continued", _UNFINISHED),
)
_NAME_ONLY: Final = re.compile(rf"[\s\w.\"'-]{{0,60}}{_SIGN}\r?")
_MAPPING: Final = re.compile(r"\s*-?\s*[\"']?[\w.-]+[\"']?\s*(?::(?:\s|$)|=)")
_QUOTED_LINE: Final = re.compile(r"\s*([\"'])(?P<value>(?:(?!\1)[^\\]|\\.)+)\1\s*(?:[,}\])]|$)")
_ONE_WORD: Final = re.compile(r"\s*(?:- +)?[\"']?\S+[\"']?,?\s*")


_MAIL_DIALOG: Final = "334 ugfzc3dvcmq6"  # a mail server asks for the password, in base64


class Cut(NamedTuple):
    """What to mask of a line: from `start` to `end`. `shows`: put the mask there. `counts`: the number of values.

    `again`: the line is not part of the value and is checked like any other.
    """

    start: int
    end: int
    goes_on: bool
    shows: bool = True
    counts: int = 0
    again: bool = False


def _past(goes_on: bool = False) -> Cut:
    return Cut(0, 0, goes_on, again=True)


class Open:
    """A value that continues in the next lines. `cut`: where it begins in its first line; None: after that line."""

    def __init__(
        self, kind: str, longest: int, *, indent: int = 0, end: str = "", cut: int | None = None, column: int = -1
    ) -> None:
        self._kind = kind
        self._left = longest
        self._indent = indent
        self._end = end
        self._column = column
        self._first = True
        self.cut = cut

    def next(self, line: str) -> Cut:
        """The part of the next line to mask."""
        self._left -= 1
        first, self._first = self._first, False
        goes_on = self._left > 0
        if self._kind == "reply":
            end = len(line.rstrip())
            return Cut(line.rfind(" ", 0, end) + 1, end, goes_on=False, counts=1)
        if self._kind == "key":
            return self._until(line, _KEY_END.search(line), goes_on)
        if self._kind == "quote":
            at = line.find(self._end)
            new = first and self.cut is None
            return Cut(0, len(line) if at < 0 else at, at < 0 and goes_on, shows=new, counts=int(new))
        if self._kind == "element":
            at = line.find("</")
            return Cut(
                _indent(line), len(line) if at < 0 else max(at, _indent(line)), at < 0 and goes_on, counts=int(first)
            )
        if self._kind == "column":
            return self._cell(line, goes_on)
        if self._kind == "heredoc":
            ended = line.strip().lower() == self._end
            return _past() if ended else Cut(_indent(line), len(line.rstrip("\r")), goes_on, counts=int(first))
        return self._indented(line, first, goes_on)

    def _until(self, line: str, end: re.Match[str] | None, goes_on: bool) -> Cut:
        if end is None:
            return Cut(0, len(line), goes_on, shows=False)
        return Cut(0, end.end(), goes_on=False, shows=False)

    def _indented(self, line: str, first: bool, goes_on: bool) -> Cut:
        start = _indent(line)
        body = line[start:].rstrip("\r")
        end = start + len(body)
        if not body:
            return Cut(0, 0, goes_on and not first)
        if self._kind == "list":
            if body[0] in "])":
                return _past()
            return Cut(start, end, goes_on, counts=1)
        if self._kind == "scalar":
            return Cut(start, end, goes_on, counts=int(first)) if start > self._indent else _past()
        if self._kind == "pair":
            value = _PAIR_VALUE.match(line)
            return Cut(value.end(), end, goes_on=False, counts=1) if value else _past(goes_on)
        if self._kind == "folded":
            wrapped = start > self._indent and " " not in body and ":" not in body
            return Cut(start, end, goes_on, counts=int(first)) if wrapped else _past()
        return self._next_line(line, start, end, first, goes_on)

    def _next_line(self, line: str, start: int, end: int, first: bool, goes_on: bool) -> Cut:
        body = line[start:end]
        item = body.startswith("- ") and start >= self._indent
        deeper = start > self._indent
        if self._kind == "many":
            # Names of secrets occur in such lists too. A list of mappings is checked line by line.
            return Cut(start + 2, end, goes_on, counts=1) if item and not _MAPPING.match(body[2:]) else _past()
        if self._kind == "continued":
            return Cut(start, end, goes_on and bool(re.search(r"\S\\$", body)), counts=int(first))
        if item and not _MAPPING.match(body[2:]):
            return Cut(start + 2, end, goes_on, counts=1)
        quoted = _QUOTED_LINE.match(line) if first else None
        if quoted is not None and not PLAIN.fullmatch(quoted["value"]):
            return Cut(quoted.start("value"), quoted.end("value"), goes_on=False, counts=1)
        alone = first and self._column == 0 and bool(_ONE_WORD.fullmatch(line))
        if first and (deeper or alone) and not _MAPPING.match(line) and not PLAIN.fullmatch(body.strip("\"',")):
            return Cut(start, end, goes_on=False, counts=1)
        return _past()

    def _cell(self, line: str, goes_on: bool) -> Cut:
        if self._end == "|" and _RULED_LINE.fullmatch(line):
            return Cut(0, 0, goes_on)
        cells = _cells(line, self._end)
        if len(cells) != self._indent:
            return _past()
        start, end = cells[self._column]
        start, end = end - len(line[start:end].lstrip()), start + len(line[start:end].rstrip())
        return Cut(start, end, goes_on, counts=1) if end > start else Cut(0, 0, goes_on, again=True)


def opened(line: str, lowered: str) -> Open | None:
    """The value that begins in this line and continues; None for most lines. `lowered` is the line in lower case."""
    if "-----begin" in lowered:
        key = _KEY_BEGIN.search(line)
        if key is not None and not _KEY_END.search(line, key.end()):
            return Open("key", LONGEST_KEY, cut=key.start())
    if lowered.endswith(_MAIL_DIALOG):
        return Open("reply", 1)
    last = lowered.rstrip()[-1:]
    hinted = bool(_HINTED.search(lowered))
    if hinted and (last in _LAST_SIGNS or "#" in lowered or "name" in lowered or "key" in lowered):
        indent = _indent(line)
        for kind, pattern in _AT_THE_END:
            if pattern.search(lowered):
                name_only = kind == "next" and _NAME_ONLY.fullmatch(lowered)
                return Open(kind, LONGEST_BLOCK if kind != "pair" else 3, indent=indent, column=0 if name_only else -1)
    return _opened_inline(line, lowered) if hinted else None


def _opened_inline(line: str, lowered: str) -> Open | None:
    if lowered.count('"') % 2 or lowered.count("'") % 2 or lowered.count("`") % 2:
        quote = _QUOTE.search(lowered)
        if quote is not None and not quote["value"].strip().startswith("[redacted"):
            return Open("quote", LONGEST_QUOTE, end=quote[1], cut=quote.start("value") if quote["value"] else None)
    heredoc = _HEREDOC.search(lowered) if "<<" in lowered else None
    if heredoc is not None:
        return Open("heredoc", LONGEST_BLOCK, end=heredoc["end"])
    element = _ELEMENT.search(lowered) if "<" in lowered else None
    if element is not None:
        return Open("element", LONGEST_QUOTE, cut=element.start("value") if element["value"].strip() else None)
    if ("auth" in lowered or "cookie" in lowered) and _FOLDED.search(lowered):
        return Open("folded", LONGEST_QUOTE, indent=_indent(line))
    return _header_row(line) if ":" not in line and "=" not in line else None


def _header_row(line: str) -> Open | None:
    """The header of a CSV or Markdown table: columns named like a secret are masked in the lines with as many columns."""
    for separator in (",", ";", "\t", "|"):
        names = [name.strip(" \"'\r") for name in line.split(separator)]
        titles = names[1:-1] if separator == "|" and not names[0] and not names[-1] else names
        if separator == "|" and len(titles) < (2 if len(titles) < len(names) else 3):
            continue
        if not 1 < len(names) <= _MOST_COLUMNS or not all(
            re.fullmatch(r"[A-Za-z][\w .-]{0,40}", name) for name in titles
        ):
            continue
        for column, name in enumerate(names):
            if re.fullmatch(rf"[\w.-]{{0,40}}{NAMES}", name.lower()):
                return Open("column", 10_000, indent=len(names), end=separator, column=column)
    return None


def _cells(line: str, separator: str) -> list[tuple[int, int]]:
    """The positions of the cells of a CSV line, without their quotes."""
    cells, start, quoted = list[tuple[int, int]](), 0, False
    text = line.rstrip("\r")
    for at, letter in enumerate([*text, separator]):
        if letter == '"':
            quoted = not quoted
        elif letter == separator and not (quoted and at < len(text)):
            inner = int(at - start > 1 and text[start] == '"')
            cells.append((start + inner, at - inner))
            start = at + 1
    return cells


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
