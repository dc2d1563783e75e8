"""The end that a sentence states for a pause, a watch or a grant: `until 9 am tomorrow`, `for two hours`. Pure.

A time is understood as a whole or not at all. What is not, such as `until noon or 1 pm` or `for 2-3 hours`, stays as it was
typed, which a press refuses with what to write instead: an end that was said is neither left out nor guessed.
"""

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final, NamedTuple

from bot.core.command.later import MONTH
from bot.core.command.params import BadParam, duration_seconds, duration_text
from bot.core.command.until import MONTHS
from bot.core.command.vocabulary import GRAMMAR, GREETINGS, NUMBERS, POLITE

UNIT: Final = r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
AMOUNT: Final = (
    rf"(?P<number>\d{{1,6}}(?:[.,]\d{{1,2}})?|(?:(?:a )?couple(?: of)?|half(?: an?)?|{'|'.join(NUMBERS)})(?= ))"
    r"(?P<half_of> and a half(?= ))?"
)
MORE: Final = (
    r"(?: and a (?P<rest>half|quarter)|(?<=[hrs])(?P<minutes> [0-5]\d)(?= please$|$)"
    rf"|(?P<more>(?:,? ?(?:and )?\d{{1,4}} ?{UNIT.replace('P<unit>', ':')}(?![^\W\d]))+))?"
)
SPAN: Final = rf"{AMOUNT} ?{UNIT}{MORE}"
_SIZES: Final = MappingProxyType({"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800})
_DAYS: Final = MappingProxyType(
    {"montag": "Mon", "dienstag": "Tue", "mittwoch": "Wed", "donnerstag": "Thu", "freitag": "Fri", "samstag": "Sat"}
    | {"sonntag": "Sun", "tomorrow": "tomorrow", "morgen": "tomorrow", "today": ""}
)
# Words of other languages that an end is stated with.
_FOREIGN: Final = MappingProxyType(
    {"fur": "for", "für": "for", "jusqua": "until", "jusqu'à": "until", "minuten": "minutes", "tage": "days"}
    | {"stunde": "hour", "stunden": "hours", "woche": "week", "wochen": "weeks"}
)
_AROUND: Final = ".,;:!?()-\u2013"  # a word of a length of time
_NIGHT: Final = (*range(18, 24), *range(4))
# Parts of a day: the time that one alone means, and the hours that may stand beside it.
_PARTS: Final[Mapping[str, tuple[str, Collection[int]]]] = MappingProxyType(
    {"morning": ("09:00", range(1, 12)), "afternoon": ("15:00", range(12, 19)), "evening": ("18:00", range(16, 24))}
    | {"tonight": ("20:00", (17, *_NIGHT)), "night": ("22:00", _NIGHT), "midnight": ("00:00", (0,))}
    | dict.fromkeys(("noon", "midday"), ("12:00", (12,)))
    | dict.fromkeys(("lunch", "lunchtime"), ("12:00", range(11, 15)))
)
_ENDINGS: Final = MappingProxyType(
    {"day": "tomorrow 00:00", "today": "tomorrow 00:00", "week": "Mon 00:00", "weekend": "Mon 00:00"}
)
_WHOLE: Final = MappingProxyType(
    {f"end {of}": at for of, at in _ENDINGS.items()}
    | {"eod": "tomorrow 00:00", "weekend": "Sat 00:00", "week": "Mon 00:00", "next week": "Mon 00:00"}
)
_HOURS: Final = "|".join(word for word, at in NUMBERS.items() if 0 < at < 13 and len(word) > 2)
_DATE: Final = r"(\d{1,2})(?:st|nd|rd|th)?"
_MONTH_FIRST: Final = re.compile(rf"(?<!\d )(?<!st )(?<!nd )(?<!rd )(?<!th )\b({MONTH}) {_DATE}(?= |$)")
# One part of a time of any day. Each part may be said once, in any order.
_PIECE: Final = re.compile(
    r"(?:(?P<stamp>\d{4}-\d\d-\d\d(?:t\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)?)?)"
    rf"|{_DATE.replace('(', '(?P<date>', 1)} (?P<month>{MONTH})(?: (?P<year>20\d\d))?"
    r"|(?P<numeric>(?:2[4-9]|3[01])\.(?:0?[1-9]|1[0-2]))"
    rf"|(?:next )?(?P<day>(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|{'|'.join(_DAYS)})"
    rf"|(?P<part>{'|'.join(_PARTS)})"
    rf"|(?P<hour>\d{{1,2}}|{_HOURS})(?:[:.h](?P<minute>[0-5]\d)(?::00)?| (?P<spoken>fifteen|thirty))?"
    r" ?(?P<half>[ap][ .]?m|oclock|uhr|h)?)(?: |$)"
)
_SMALL: Final = frozenset({"the", "this", "very", "on", "at", "um", "of", "in"})  # inside a time
_OFTEN_AFTER: Final = frozenset(
    word
    for word in (
        *POLITE,
        *GRAMMAR,
        *GREETINGS,
        "off",
        "sharp",
        "latest",
        "instead",
        "rather",
    )  # after a time, they change nothing
    if _PIECE.match(word) is None
)
_STOPS: Final = frozenset({  # what comes after the words of a time
    "please", "pls", "thx", "thanks", "then", "but", "for", "so", "because", "since", "as", "while", "due", "off", "pause",
    "turn", "switch", "disable", "hold", "suspend", "stop", "watch", "ausschalten", "abschalten", "pausieren", "anhalten",
    "stoppen",
})  # fmt: skip
_AFTER_NOUNS: Final = {*POLITE, *GRAMMAR, *_STOPS, "\0"}
_GOES_ON: Final = re.compile(rf"[ap]\.?m|\d\d|{MONTH}")  # after `until 5,`
_LONGEST: Final = 7  # words of what is not understood
_FREE: Final = re.compile(
    r"(?:further notice|told otherwise|(?:i|we|you|someone) (?:say|tell|resume)(?: so| otherwise| it| you)?)(?!\S)"
)
_EVENT: Final = re.compile(r"when\b|it (?:is |has )?(?:finish|end|done|fail|complete|succeed)")
_OF_A_NAME: Final = re.compile(r"is |has |are |was |(?:finish|end|done|complete|succeed|fail|run)\b")
_SOME: Final = rf"(?:\d{{1,6}}(?:[.,]\d+)?|{'|'.join(NUMBERS)}|half|couple|few|several|some|many|more|less|longer)"
_ANY_UNIT: Final = UNIT.replace("P<unit>", ":")
_OF_DAY: Final = r"\d{1,2}(?:[:.]\d\d)?(?: ?[ap]m)?"
_TO: Final = r"(?: ?[-\u2013] ?| (?:to|or|bis) )"
_FULL: Final = "whole|entire|most|rest"
_SIZE: Final = rf"the|this|next|{_FULL}|of|quarters?"
_SPANS: Final = (
    "seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|nights?|weekends?|mornings?|afternoons?"
    "|evenings?|fortnights?|while|bit|moment|time|lunch|lunchtime|holidays?|christmas"
)
_HOW: Final = rf"(?:(?:{_SIZE}|{_SOME}) )*(?:(?!first|last)[^\s\0]+ )?"
# Before a length of time that is none of a pause.
_NOT_IN: Final = (
    "".join(f"(?<!{word} )" for word in ("in", "every", "each", "once", "twice", "time", "times", "after", "half"))
    + "(?:(?<!of )|(?<=duration of )|(?<=period of )|(?<=total of ))"
)
# Other ends; the first that fits counts. Those that nobody can know have `words`, and what is without end has no group.
_OTHERS: Final = tuple(
    re.compile(rf"(?<!\S){pattern}(?!\S)")
    for pattern in (
        r"for (?:the )?(?:rest|remainder) of (?:the |this )?(?P<ending>day|today|week|weekend)",
        r"(?:for|over|during) (?:the |this )?(?:whole )?(?P<ending>today)",
        r"(?:for (?:ever|now|good|the time being|the moment)|indefinitely)",
        rf"(?:for |the next )*(?P<words>{_SOME} ?{_ANY_UNIT}{_TO}{_SOME}(?: ?{_ANY_UNIT})?|{_SOME}{_TO}{_SOME} ?{_ANY_UNIT})",
        rf"(?:from|between) (?P<words>{_OF_DAY}(?:{_TO}| and ){_OF_DAY})",
        rf"(?P<words>{_OF_DAY}{_TO}\d{{1,2}}(?:[:.]\d\d)? ?[ap]m)",
        r"(?<!\d )(?<!two )(?:for )?(?:(?P<quarters>three|3) |a |one )?quarters? (?:of )?an hour",
        rf"for (?:the next )?(?>{SPAN}) from now",
        rf"{_NOT_IN}(?:for )?(?:the next )?(?>{SPAN})(?! (?:later|ago|old|from now))",
        rf"for the (?:next )?{UNIT}",
        rf"(?:over|during|for(?= (?:the )?(?:{_FULL}) )) (?P<words>{_HOW}(?:{_SPANS}|maintenance))",
        rf"for(?= (?:(?:{_SIZE}) )*{_SOME} ) (?P<words>{_HOW}(?:{_SPANS}))",
        rf"for (?P<words>{_HOW}(?:{_SPANS}))(?P<noun>)",  # and not of another one: `for the night shift`
        r"for (?P<words>ages|\d+[a-z]+\d+)",
        r"(?P<words>overnight)",
        r"(?P<ending>today)",
    )
)

# Before a reason: a length of time; words that make it another one, or a part of a sentence; and other times.
_LEAD: Final = r"(?:(?:for|about|around|up to|at most|max|the|next|only|just) )*"
_LENGTH_FIRST: Final = re.compile(rf"{_LEAD}(?>{SPAN})(?!\S)")
_MORE_OF_IT: Final = re.compile(
    rf"(?:and|or|to|until|till|from|of|plus|more|longer|less|later|old|after|before|without|at most|half|\d\d)(?!\S)"
    rf"|[-\u2013] ?\d|{_SOME} ?{_ANY_UNIT}(?!\S)"
)
_TIME_FIRST: Final = re.compile(
    rf"{_LEAD}(?:(?:until|till)(?!\S)|(?:{_SOME}{_TO})?(?:a )?{_SOME} ?(?:{_ANY_UNIT}(?!\S)|min[iu]|hou)|half past(?!\S)"
    r"|(?:a |three |3 )?quarters? (?:of )?an hour|a (?:while|moment|quarter)(?!\S)|\d{1,2}(?:[:.]\d\d| ?[ap]m)(?!\S)"
    r"|\d+(?! (?:of|out|%)(?!\S)| (?!(?:the|all|our) )(?:\S+ )?(?!(?:is|was|has)(?!\S))\S+s(?!\S)|\S)(?<!\b1))"
)


class End(NamedTuple):
    """A stated end: the parameter, its value, and the places of its words. Without a parameter, it is to have no end. An
    `unclear` one is kept as it was typed."""

    names: tuple[str, ...]
    value: str
    places: range
    unclear: bool = False


def stated_ends(
    said: Sequence[str], typed: Sequence[str], names: Container[str], breaks: Container[int] = ()
) -> Iterator[End]:
    """The ends that the words state: `until`, and a length. A clause begins at each of the `breaks`."""
    said = [_FOREIGN.get(word, word) for word in said]
    until = next((end for at in range(len(said)) if (end := _until(said, typed, at, names, breaks))), None)
    if until is not None:
        yield until
    text = " ".join("\0" if until and at in until.places else word for at, word in enumerate(said))
    for pattern in _OTHERS:
        match = pattern.search(text)
        if match is None or match[0] in names or (until is not None and "number" not in match.groupdict()):
            continue
        first = text[: match.start()].count(" ")
        places = range(
            first, first if match[0] == "today" else first + match[0].count(" ") + 1
        )  # `start it today` is no end
        after = said[places.stop] if places.stop < len(said) and places.stop not in breaks else "\0"
        if "noun" in match.groupdict() and not (after in _AFTER_NOUNS or _is_name(after, names)):
            yield End((), match[0], places)
            return
        if "words" in match.groupdict():
            free = text[: match.start("words")].count(" ")
            value = "" if _named(match["words"].split(), names) else _as_said(typed[free : places.stop])
            parameter: tuple[str, ...] = ("until",)
        elif ending := match.groupdict().get("ending"):
            parameter, value = ("until",), f'"{_ENDINGS[ending]}"'
        else:
            parameter, value = (("for",), _length(match.groupdict())) if match.groupdict() else ((), match[0])
        if value:
            yield End(parameter, value, places, "words" in match.groupdict())
            return


def _named(words: Sequence[str], names: Container[str]) -> bool:
    return any(word in names and not word.isdigit() for word in words)


def _as_said(typed: Sequence[str]) -> str:
    said = " ".join(typed).replace('"', "")
    return f'"{said}"' if said else ""


def _until(
    said: Sequence[str], typed: Sequence[str], at: int, names: Container[str], breaks: Container[int]
) -> End | None:
    """The end that `until` or another such word at this place states. `before` may say something else."""
    if said[at] not in ("until", "till", "til", "bis", "before"):
        return None
    others = (word for word in said[:at] if word == "it" or _is_name(word, names))
    event = "watch" not in said and _OF_A_NAME.match(" ".join(said[at + 2 :])) is not None
    named = event and any(others)  # `pause prices until stock is done`
    ends = (here for here in range(at + (2 if named else 1), len(said)) if _is_past(said, here, names))
    last = next(ends, len(said))
    stop = next(
        (here for here in range(at + 2, last) if here in breaks and not _goes_on(said, here, last, breaks)), last
    )
    words = [typed[here] if "'" in typed[here][-2:] else said[here] for here in range(at + 1, stop)]  # `monday's run`
    if read := _understood(words):
        return End(("until",), read[1], range(at, at + 1 + read[0]))
    free = " ".join(words)
    told = said[at] != "before" or any(moment(words[:count]) for count in range(1, len(words)))
    if not words or _EVENT.match(free) or not told:
        return None
    if endless := _FREE.match(free):
        return End((), endless[0], range(at, at + 2 + endless[0].count(" ")))
    places = range(at, min(stop, at + 1 + _LONGEST))
    return End(("until",), _as_said(typed[at + 1 : places.stop]), places, unclear=True)


def _is_past(said: Sequence[str], at: int, names: Container[str]) -> bool:
    """Whether a word after `until` is not of the time: the target, or what else is said."""
    other = said[at] == "and" and _PIECE.match("".join(said[at + 1 : at + 2])) is None
    return said[at] == "\0" or _is_name(said[at], names) or other or said[at] in _STOPS


def _is_name(word: str, names: Container[str]) -> bool:
    return _named([word], names) or bool({":", "/"} & {*word} and not word[0].isdigit())


def _goes_on(said: Sequence[str], at: int, last: int, breaks: Container[int]) -> bool:
    """Whether the clause that begins here is more of the time: `until friday, at 6 pm`."""
    words = said[at : next((here for here in range(at + 1, last) if here in breaks), last)]
    return _understood(words) is not None or (
        _GOES_ON.fullmatch(words[0]) is not None and _OFTEN_AFTER.issuperset(words[1:])
    )


def _understood(words: Sequence[str]) -> tuple[int, str] | None:
    """How many of the words are a time, and its value, if the others change nothing about it."""
    read = ((count, moment(words[:count])) for count in range(len(words), 0, -1))
    return next(((count, at) for count, at in read if at and _OFTEN_AFTER.issuperset(words[count:])), None)


def moment(words: Sequence[str]) -> str:
    """The value of `until=` that these words surely mean; otherwise empty."""
    said = _MONTH_FIRST.sub(r"\2 \1", " ".join(word.casefold() for word in words if word not in _SMALL))
    if whole := _WHOLE.get(said):
        return f'"{whole}"' if words[0] != "this" else ""
    parts, at = dict[str, str](), 0
    while at < len(said):
        piece = _PIECE.match(said, at)
        new = {name: text for name, text in piece.groupdict().items() if text} if piece is not None else {}
        if piece is None or parts.keys() & new.keys():
            return ""
        parts |= new
        at = piece.end()
    return _value(parts)


def _value(parts: Mapping[str, str]) -> str:
    """The value of `until=` for the parts of a time."""
    days = [name for name in ("stamp", "date", "numeric", "day") if name in parts]
    clock = _clock(parts)
    # `friday 4 dec` may be no Friday, and the midnight of a day may be either of two.
    at_night = clock < "04:00" and parts.get("part") in ("night", "tonight", "midnight")
    if clock == "?" or len(days) > 1 or (days and at_night):
        return ""
    if stamp := parts.get("stamp"):
        return f"{stamp}T{clock}" if clock and "t" not in stamp else "" if clock else stamp.upper()
    if "numeric" in parts or "month" in parts:
        date, month = parts["numeric"].split(".") if "numeric" in parts else (parts["date"], parts["month"])
        number = int(month) if month.isdigit() else [name.lower() for name in MONTHS].index(month[:3]) + 1
        if year := parts.get("year"):
            return f"{year}-{number:02}-{int(date):02}{f'T{clock}' if clock else ''}"
        return f'"{date} {MONTHS[number - 1]} {clock or "00:00"}"'
    day = parts.get("day", "")
    name_of_day = _DAYS.get(day, day[:3].capitalize())
    return f'"{name_of_day} {clock or "00:00"}"' if name_of_day else clock


def _clock(parts: Mapping[str, str]) -> str:
    """The time of day; empty if none is said, `?` if it is unclear."""
    alone, fitting = _PARTS.get(parts.get("part", ""), ("", range(24)))
    if (said := parts.get("hour")) is None:
        return alone
    hour, half = int(said) if said.isdigit() else NUMBERS[said], parts.get("half", "")
    own = {hour % 12, hour % 12 + 12} if 0 < hour < 13 and (alone or half[-1:] == "m") else {hour}
    if half[-1:] == "m":
        own &= {*range(12)} if half[0] == "a" else {*range(12, 24)}
    own &= {*fitting}
    minute = parts.get("minute") or f"{NUMBERS.get(parts.get('spoken', ''), 0):02}"
    return f"{own.pop():02}:{minute}" if len(own) == 1 else "?"


def _length(parts: Mapping[str, str | None]) -> str:
    """The value of `for=`."""
    if "quarters" in parts:
        return "45m" if parts["quarters"] else "15m"
    return length(parts)


def length(parts: Mapping[str, str | None]) -> str:
    """A length of time as a duration: `90m`, `2h30m`."""
    unit = (parts["unit"] or "")[0]
    word = (parts.get("number") or "1").replace(",", ".")
    first = word.split()[0]
    number = float(word) if word[0].isdigit() else 2 if "couple" in word else 0.5 if first == "half" else NUMBERS[first]
    number += 0.5 if parts.get("half_of") else 0
    number += {"half": 0.5, "quarter": 0.25}.get(parts.get("rest") or "", 0)
    minutes = parts.get("minutes")  # `2h 30`
    more = re.findall(r"(\d+) ?([smhdw])", f"{minutes}m" if minutes and unit == "h" else parts.get("more") or "")
    if not more and number == int(number):
        size = 7 if unit == "w" else 1
        return f"{int(number) * size}{'d' if unit == 'w' else unit}" if number else ""
    return duration_text(number * _SIZES[unit] + sum(int(count) * _SIZES[size] for count, size in more))


def length_before(text: str) -> tuple[str, str] | None:
    """The length of time that a text begins with as a duration, empty without one, and the reason after it. None where it begins
    with another time, or where it isn't sure that the time ends before the reason."""
    typed = text.split()
    said = [word.casefold().strip(_AROUND) or word for word in typed]
    whole = " ".join(said)
    if (match := _LENGTH_FIRST.match(whole)) is None:
        return ("", text) if _TIME_FIRST.match(whole) is None else None
    count = match[0].count(" ") + 1
    if said[count : count + 1] == ["ago"]:  # `10 minutes ago the shop went down`
        return "", text
    with suppress(BadParam):  # longer than a duration may be
        value = duration_text(duration_seconds(length(match.groupdict())))
        if _MORE_OF_IT.match(" ".join(said[count:])) is None:
            return value, " ".join(typed[count:]).lstrip(_AROUND + " ")
    return None
