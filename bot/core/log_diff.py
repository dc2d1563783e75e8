"""The differences between two logs, without those that any two runs have."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

from bot.core.command.params import Param, ParamType
from bot.core.operation import brief_id
from bot.core.text import plural

DIFF: Final = Param(
    name="diff", type=ParamType.BOOLEAN, default=False, help="Compare with the log of the last successful run"
)
# How many last lines of each log are compared.
COMPARED: Final = 1_500
NOT_COMPARED: Final = "Not compared with a successful run: "
NO_GOOD_RUN: Final = f"{NOT_COMPARED}there is none before this one."
_LONGEST_LINE: Final = 240
_MOST_DIFFERENCES: Final = 60
_VARYING: Final = (
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "<id>"),
    (
        re.compile(r"\d{4}[-/_]\d{2}[-/_]\d{2}[T _-]?\d{2}[:_]\d{2}[:_]\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?"),
        "<time>",
    ),
    (re.compile(r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?[AP]M)?"), "<time>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
)


def difference(good: Iterable[str], now: Iterable[str], good_name: str, now_name: str) -> str:
    """The different lines of two logs in unified form, at most 60, or a sentence that there are none. A run has a short id."""
    good_name, now_name = map(_short, (good_name, now_name))
    lines = difflib.unified_diff(
        [plain(line) for line in good],
        [plain(line) for line in now],
        fromfile=f"last successful {good_name}",
        tofile=now_name,
        lineterm="",
        n=1,
    )
    shown: list[str] = []
    for line in lines:
        if len(shown) == _MOST_DIFFERENCES:
            shown.append(f"... and {plural(1 + sum(1 for _ in lines), 'more line', 'more lines')}")
            break
        shown.append(line[:_LONGEST_LINE])
    return (
        "\n".join(shown)
        if shown
        else f"No differences from the last successful run ({good_name}), apart from times and numbers."
    )


def _short(name: str) -> str:
    kind, slash, id_ = name.rpartition("/")
    return f"{kind} {brief_id(id_)}" if slash else name


def plain(line: str) -> str:
    """A line without what differs between any two runs."""
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line
