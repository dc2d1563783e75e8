"""The line of each value in a TOML text: tomllib keeps no positions, and an error message needs the line.

Our own code, because tomlkit keeps the layout of a file but not the line of a value either.

Only called on text that tomllib accepted, so quotes and brackets are balanced.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

Loc = tuple[str | int, ...]

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|\n"
    r"|[\[\]{}]"
    r"|[^\"'#\n\[\]{}]+"
    r"|.",
    re.DOTALL,
)
_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]")
_KEY: Final = re.compile(r"\s*((?:\"[^\"\n]*\"|'[^'\n]*'|[\w-]+)(?:\s*\.\s*(?:\"[^\"\n]*\"|'[^'\n]*'|[\w-]+))*)\s*=")
_PART: Final = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|([\w-]+)")
_QUOTES: Final = ("'", '"')


class _Statement(NamedTuple):
    line: int
    text: str
    strings: tuple[int, ...]


class Lines:
    """The line (from 1) of every table, key and list element that is written in the usual way."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Loc, int] = {}
        self._strings: dict[Loc, tuple[int, ...]] = {}
        counts: dict[Loc, int] = {}
        table: Loc = ()
        for statement in _statements(text):
            header = _HEADER.match(statement.text)
            if header is not None:
                table = self._table(header.group(2), counts, array=header.group(1) == "[[")
                self._lines.setdefault(table, statement.line)
            else:
                self._key(table, statement)

    def _table(self, name: str, counts: dict[Loc, int], *, array: bool) -> Loc:
        loc: Loc = ()
        parts = _parts(name)
        for depth, part in enumerate(parts):
            loc = (*loc, part)
            if array and depth == len(parts) - 1:
                counts[loc] = counts.get(loc, -1) + 1
            if loc in counts:
                loc = (*loc, counts[loc])
        return loc

    def _key(self, table: Loc, statement: _Statement) -> None:
        key = _KEY.match(statement.text)
        if key is None:
            return
        loc = table
        for part in _parts(key.group(1)):
            loc = (*loc, part)
            self._lines.setdefault(loc, statement.line)
        self._strings[loc] = statement.strings

    def of(self, loc: Loc) -> int:
        """The line of that value, or of the nearest table around it; 1 if there is none."""
        for length in range(len(loc), 0, -1):
            known = loc[:length]
            if known in self._lines:
                return self._element(known, loc[length:]) or self._lines[known]
            if (*known, 0) in self._lines:  # an array of tables where there should be one table
                return self._lines[(*known, 0)]
        return 1

    def _element(self, key: Loc, rest: Loc) -> int | None:
        strings = self._strings.get(key, ())
        if len(rest) != 1 or not isinstance(rest[0], int) or rest[0] >= len(strings):
            return None
        return strings[rest[0]]


def _parts(name: str) -> list[str]:
    return [next(group for group in part.groups() if group is not None) for part in _PART.finditer(name)]


def _statements(text: str) -> Iterator[_Statement]:
    line = start = 1
    depth = 0
    pieces: list[str] = []
    strings: list[int] = []
    for token in _TOKEN.finditer(text + "\n"):
        piece = token.group()
        if piece == "\n" and depth == 0:
            if "".join(pieces).strip():
                yield _Statement(start, "".join(pieces), tuple(strings))
            pieces, strings = [], []
            line += 1
            start = line
            continue
        if piece.startswith(_QUOTES):
            strings.append(line)
        depth += (piece in "[{") - (piece in "]}")
        line += piece.count("\n")
        if not piece.startswith("#"):
            pieces.append(piece)
