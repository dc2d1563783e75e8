"""How a target is written in a command, and how names are found by any part of them."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from bot.core.command.lexer import DOUBLE
from bot.core.value import Value

BACKEND_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
SHORT_ID: Final = re.compile(r"[0-9A-Fa-f]{6,12}")  # the beginning of an id, as cards and lists show it
SELECTORS: Final = ("last", "failed", "running")
_SELECTOR_SUFFIX: Final = re.compile(r"@(last|failed|running)$")
_BARE: Final = re.compile(r"[A-Za-z0-9._/@+-]*")
_STARTS: Final = re.compile(r"[^\W_]+")


class TargetRef(Value):
    """A target as a person wrote it. `path` is unquoted and may be empty (the backend itself)."""

    backend: str
    path: str = ""
    selector: str | None = None

    def __str__(self) -> str:
        path = self.path
        looks_selected = _SELECTOR_SUFFIX.search(path) is not None
        if not _BARE.fullmatch(path) or looks_selected:
            path = quote(path)
        suffix = f"@{self.selector}" if self.selector else ""
        return f"{self.backend}:{path}{suffix}"


def quote(text: str) -> str:
    """`text` in double quotes, as the grammar reads it back. Quotes and backslashes in it are escaped."""
    escaped = "".join(f"\\{char}" if char == "\\" or char in DOUBLE else char for char in text)
    return f'"{escaped}"'


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
