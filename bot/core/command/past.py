"""Times of the past in words, as how far back they reach: `this week`, `since yesterday`, `last 24h`. Pure."""

import re
from typing import Final

from bot.core.command.ends import AMOUNT, MORE, SPAN, UNIT, length

_DAY: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?"
_PART: Final = r"(?:morning|noon|afternoon|evening|night)"
_AT: Final = r"(?:(?:of|in|from|during|for|over|since|on|at|within|until|till) )"
# How far back each certainly reaches. A day alone may be a name.
_REACHES: Final = tuple(
    (re.compile(rf"(?<!\S){words}(?!\S)"), reach)
    for words, reach in (
        (rf"{_AT}?last month", "62d"),
        (rf"{_AT}?this month", "31d"),
        (rf"{_AT}?last weekend", "14d"),
        (rf"{_AT}?this week(?:end)?|{_AT}the week(?:end)?", "7d"),
        (rf"(?:{_AT}(?:last )?|last ){_DAY}(?: {_PART})?", "7d"),
        (rf"{_AT}?(?:yesterday(?: {_PART})?|last night)", "2d"),
        (rf"{_AT}?(?:today|tonight|this {_PART})", "24h"),
    )
)
# `last week`, `in the past 2 hours`, `since 3 days`
LENGTHS: Final = (
    rf"(?:(?:in|for|over|during|within|of|from|since) )?(?:the )?(?:last|past) (?:{AMOUNT} ?)?{UNIT}{MORE}",
    rf"since {SPAN}",
)
_LENGTHS: Final = tuple(re.compile(rf"(?<!\S){pattern}(?!\S)") for pattern in LENGTHS)


def past_in(text: str) -> tuple[re.Match[str], str] | None:
    """The first time of the past that a text in small letters states, and how far back it reaches as a duration."""
    for pattern, reach in _REACHES:
        if found := pattern.search(text):
            return found, reach
    for pattern in _LENGTHS:
        if (found := pattern.search(text)) and (value := length(found.groupdict())):
            return found, value
    return None
