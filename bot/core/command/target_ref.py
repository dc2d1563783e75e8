"""How a target is written in a command."""

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from bot.core.command.lexer import DOUBLE
from bot.core.value import Value

BACKEND_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
SHORT_ID: Final = re.compile(r"[0-9A-Fa-f]{6,12}")  # the beginning of an id, as cards and lists show it
SELECTORS: Final = ("last", "failed", "running")
PICKS: Final = MappingProxyType(
    {one: one for one in SELECTORS} | {"latest": "last", "newest": "last"}
)  # as they are typed
_SELECTOR_SUFFIX: Final = re.compile(rf"@({'|'.join(PICKS)})$")
_BARE: Final = re.compile(r"[A-Za-z0-9._/@+-]*")


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
