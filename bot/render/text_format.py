"""Values as text, for Slack and the terminal: visible characters, numbers, times, spans, bars, columns."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.core.text import span_words, utc_text

NOTHING: Final = "—"
"""Shown for an empty value; Slack refuses an empty text object."""

BLANKS: Final = " \t\r\n"
"""Blanks to strip from the ends of data. str.strip() would also remove control characters and unusual blanks."""

FactValue = str | int | float | datetime | timedelta | None

_BAR: Final = 10
_SHORT_STATUS: Final = 40  # characters of a status on the line of the title, so that both fit on a phone
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FOREIGN: Final = re.compile(r"[^\n\t\x20-\x7e]")
# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt) outside category Cf, the blank Braille cell, and the
# code points that are not characters in the first planes.
_IGNORABLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\uffa0\ufffe\uffff"
    "\U0001fffe\U0001ffff\U000e0000-\U000e0fff\U0010fffe\U0010ffff]"
)
_EMOJI_STYLE: Final = "\ufe0f"


def shown(text: str) -> str:
    """`text` with every invisible or reordering character as `<U+202E>`.

    Keeps newlines and tabs; CR LF becomes a newline. Keeps the emoji style selector after a symbol, where it hides nothing.
    """
    if text.isprintable() and (text.isascii() or not _IGNORABLE.search(text)):
        return text
    return _FOREIGN.sub(_visible, text.replace("\r\n", "\n"))


def _visible(found: re.Match[str]) -> str:
    char = found.group()
    start = found.start()
    if char == _EMOJI_STYLE and start and unicodedata.category(found.string[start - 1]) == "So":
        return char
    if unicodedata.category(char) in _HIDDEN_CATEGORIES or _IGNORABLE.match(char):
        return f"<U+{ord(char):04X}>"
    return char


def one_line(text: str) -> str:
    """`text` made visible, on one line, without blanks at its ends; empty when it only has blanks of any kind."""
    line = shown(text).replace("\n", " ").replace("\t", " ").strip(BLANKS)
    return line if line.strip() else ""


def aware(at: datetime) -> datetime:
    """The same moment in UTC."""
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first or last hours of the calendar, which have no UTC date
        return at.replace(tzinfo=UTC)


def number_text(number: float) -> str:
    """A number with separators, without exponent or trailing zeros if nothing important is lost. An id is a text instead."""
    if isinstance(number, bool):
        return "yes" if number else "no"
    if isinstance(number, int):
        return _int_text(number)
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - the test for NaN
        return str(number)
    if number and not 0.001 <= abs(number) < 1e15:
        return f"{number:g}"
    return f"{number:,.3f}".rstrip("0").rstrip(".")


def _int_text(number: int) -> str:
    # str() refuses integers beyond 4,300 digits, and nobody reads more than 60.
    return f"{number:,}" if number.bit_length() < 200 else f"a number of {number.bit_length()} bits"


def value_text(value: FactValue) -> str:
    """A fact's value as plain text, times in UTC."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, str):
        return shown(value).strip(BLANKS) or NOTHING
    if isinstance(value, datetime):
        return utc_text(aware(value), seconds=True)
    if isinstance(value, timedelta):
        return span_words(value)
    return number_text(value)


def as_of(at: datetime | None) -> str:
    """` (as of 2026-07-16 11:21:20 UTC)` for a value with a time, else empty."""
    return f" (as of {utc_text(aware(at), seconds=True)})" if at is not None else ""


def percent(done: int, total: int) -> int:
    """Whole per cent, 100 only when all is done. `total` is positive."""
    return min(max(done, 0), total) * 100 // total


def progress_words(done: int, total: int, note: str = "") -> str:
    """`60 %, about 5 s left`; a sentence when the total is unknown."""
    if total <= 0:
        return f"{_int_text(done)} done, total unknown"
    return f"{percent(done, total)} %" + (f", {note}" if note else "")


def bar(done: int, total: int, note: str = "") -> str:
    """`█████░░░░░ 50 %, 5 of 10 pages`: `progress_words` after a bar."""
    full = percent(done, total) * _BAR // 100 if total > 0 else 0
    cells = f"{'█' * full}{'░' * (_BAR - full)} " if total > 0 else ""
    return cells + progress_words(done, total, note)


def width(text: str) -> int:
    """The width of `text` in columns: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def joins(title: str, status: str) -> bool:
    """Whether the status goes on the line of the title: `start acc:shop/prices - Running`. A colon could end an emoji."""
    sentence = (".", "!", "?", ":")
    return 0 < len(status) <= _SHORT_STATUS and not status.endswith(sentence) and not title.rstrip().endswith(sentence)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines with aligned columns, numbers to the right."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    widths = [max(width(cell) for cell in column) for column in columns]
    right = [numeric(column[1:]) for column in columns]
    lines = []
    for row in rows:
        cells = [_pad(cell, widths[i], right=right[i]) for i, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines


def numeric(cells: Sequence[str]) -> bool:
    """Whether a column only has numbers and empty cells."""
    return bool(cells) and all(re.fullmatch(r"-?[\d.,]+ ?%?|—", cell) for cell in cells)


def _pad(cell: str, size: int, *, right: bool) -> str:
    blanks = " " * (size - width(cell))
    return blanks + cell if right else cell + blanks
