"""Splits text into the words of the full-text search, the same for every database.

As FTS5's `unicode61` does: a word is a run of letters and digits, without case and without the accents of Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_ASCII: Final = re.compile(r"[0-9a-z]+")
_FIRST_MARK, _LAST_MARK = 0x300, 0x331
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # letters in the tables of FTS5


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    lower = text.lower()
    if lower.isascii():
        return _ASCII.findall(lower)
    return "".join(_folded(letter) for letter in lower).split()


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    """A letter without its accent, nothing for a combining accent, and a blank for what separates words."""
    if _is_mark(letter):
        return ""
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and _is_mark(parts[1]):
        letter = parts[0]
    category = unicodedata.category(letter)
    if category[0] not in "LN" and category != "Co" and letter not in _SKIN_TONES:
        return " "
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter


def _is_mark(letter: str) -> bool:
    return _FIRST_MARK <= ord(letter) <= _LAST_MARK
