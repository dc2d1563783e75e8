"""Finds names by any part of them: in any case, with or without accents, words in any order. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from bot.core.command.lexer import DOUBLE

_STARTS: Final = re.compile(r"[^\W_]+")


@lru_cache(maxsize=32_768)  # the same names are compared at each keystroke
def plain(text: str) -> str:
    """The text for comparing: lower case, without accents and quotes."""
    bare = "".join(char for char in text.strip() if char not in DOUBLE) if not text.isalnum() else text
    if bare.isascii():
        return bare.lower()
    parts = unicodedata.normalize("NFKD", bare)
    return "".join(char for char in parts if not unicodedata.combining(char)).casefold()


def words_of(typed: str) -> tuple[str, ...]:
    """The parts of a name that were typed, for `fit`."""
    return tuple(plain(typed).split())


def fit(words: Sequence[str], name: str) -> int | None:
    """How well a plain name (`acc:shop/prices`) fits: 0 is the name itself, 1 its last part, 2 beginnings of its words, 3 any
    parts; None when a word is missing."""
    if not words:
        return 3
    if not all(word in name for word in words):
        return None
    whole = " ".join(words)
    path = name.partition(":")[2]
    if whole in (name, path):
        return 0
    if whole == path.rpartition("/")[2]:
        return 1
    starts = {match.start() for match in _STARTS.finditer(name)}
    return 2 if all(any(name.startswith(word, at) for at in starts) for word in words) else 3
