"""Parameters that a sentence states in words: `for two hours`, `the last 50 lines`, `until Monday`, `region north`. Pure.

Each is offered to the command only if that command takes such a parameter; a button shows the whole command before it runs.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.command.params import BadParam, Param, ParamType, duration_text
from bot.core.command.ranking import Known
from bot.core.command.target_ref import quote
from bot.core.command.untargeted import QUOTES
from bot.core.command.until import MONTHS
from bot.core.command.vocabulary import CALLED, FILLERS, NUMBERS

_NUMBER: Final = rf"(?P<number>\d{{1,6}}|(?:{'|'.join(NUMBERS)})(?= ))"
_UNIT: Final = r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
_AMOUNT: Final = (
    rf"(?P<number>\d{{1,6}}(?:[.,]\d{{1,2}})?|(?:(?:a )?couple(?: of)?|half(?: an?)?|{'|'.join(NUMBERS)})(?= ))"
    r"(?P<half_of> and a half(?= ))?"
)
_MORE: Final = (
    rf"(?: and a (?P<rest>half|quarter)|(?P<more>(?:,? ?(?:and )?\d{{1,4}} ?{_UNIT.replace('P<unit>', ':')})+))?"
)
_SPAN: Final = rf"{_AMOUNT} ?{_UNIT}{_MORE}"
_SIZES: Final = MappingProxyType({"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800})
_DAYS: Final = MappingProxyType(
    {"montag": "Mon", "dienstag": "Tue", "mittwoch": "Wed", "donnerstag": "Thu", "freitag": "Fri", "samstag": "Sat"}
    | {"sonntag": "Sun", "tomorrow": "tomorrow", "morgen": "tomorrow", "today": ""}
)
_DAY: Final = rf"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|{'|'.join(_DAYS)}"
_TIMES: Final = MappingProxyType(  # of a day
    {
        "morning": "09:00",
        "noon": "12:00",
        "midday": "12:00",
        "lunch": "12:00",
        "lunchtime": "12:00",
        "midnight": "00:00",
    }
    | {"afternoon": "15:00", "evening": "18:00", "tonight": "20:00", "night": "22:00"}
)
_PART: Final = "|".join(_TIMES)
_ENDS: Final = MappingProxyType(
    {"day": "tomorrow 00:00", "today": "tomorrow 00:00", "week": "Mon 00:00", "weekend": "Mon 00:00"}
)
_STARTS: Final = MappingProxyType({"weekend": "Sat 00:00", "week": "Mon 00:00"})
_MONTHS: Final = (
    r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|tember|ember|ober)?)"
)
_DOTTED: Final = re.compile(r"(?<!\S)(\d{1,2})\.(0?[1-9]|1[0-2])\.(?:20\d\d)?(?!\S)")
_DATE: Final = r"(?P<date>\d{1,2})(?:st|nd|rd|th)?"
_TO: Final = "(?:until|till|til|bis)"
_UNTIL: Final = "(?:until|till|til|bis|before)"
_WORDS: Final = r"(?P<words>[^\s\0]+(?: [^\s\0]+){0,6})"
_HOURS: Final = "|".join(word for word, at in NUMBERS.items() if 0 < at < 13 and len(word) > 2)
_CLOCK: Final = (
    rf"(?P<hour>\d{{1,2}}|{_HOURS})(?:[:.h](?P<minute>\d\d)| (?P<spoken>fifteen|thirty))?"
    r" ?(?P<half>[ap] ?m|oclock|uhr|h)?"
)
_FREE: Final = (
    r"(?P<when>further notice|told otherwise|(?:i|we|you|someone) (?:say|tell|resume)(?: so| otherwise| it| you)?)"
)
_NO_LENGTH: Final = (
    rf"(?P<words>(?:{'|'.join(NUMBERS)}|\d+|some|several|many) (?:while|bit|moment|months?|years?|nights?|fortnights?|time)"
    r"|(?:some|several|a few|few|many) \w+|ages|\d+[a-z]+\d+)"
)
_DAY_AND_TIME: Final = (
    rf"(?:next |this )?(?P<day>{_DAY})?(?: ?(?:the )?(?P<part>{_PART}))?"
    rf"(?:(?: at)? ?{_CLOCK}(?: (?:in the |at |this )?(?P<late>{_PART}))?)?"
)
# What each pattern states; the first that fits a part of the text counts.
_PATTERNS: Final = tuple(
    (re.compile(rf"(?<!\S){pattern}(?!\S)"), names)
    for pattern, names in (
        (rf"(?:(?:in|for|over|during|within|of) )?(?:the )?(?:last|past) (?:{_AMOUNT} ?)?{_UNIT}{_MORE}", ("since",)),
        (rf"since {_SPAN}", ("since",)),
        (r"(?<!end )(?<!rest )(?:of|in|from|during) (?:this|the) (?P<unit>week)", ("since",)),
        (r"(?P<when>last night|yesterday|this morning)", ()),  # not the agent `nightly`
        (rf"{_UNTIL} (?P<stamp>\d{{4}}-\d\d-\d\d)(?: (?:at )?{_CLOCK})?", ("until",)),
        (rf"{_UNTIL} (?:the )?{_DATE}(?: of)? ?{_MONTHS}(?:(?: at)? {_CLOCK})?", ("until",)),
        (rf"{_UNTIL} {_MONTHS} {_DATE}(?:(?: at)? {_CLOCK})?", ("until",)),
        (
            rf"{_UNTIL} (?:{_CLOCK}|(?P<part>{_PART})) (?:on )?(?:next |this )?(?P<day>{_DAY})(?: (?P<late>{_PART}))?",
            ("until",),
        ),
        (rf"{_UNTIL} {_DAY_AND_TIME}", ("until",)),
        (rf"{_UNTIL} (?P<date>\d{{1,2}})\.(?P<month>\d{{1,2}})", ("until",)),
        (
            rf"{_UNTIL} (?:the )?(?:eo(?P<end>d)|(?:very )?end of (?:the |this )?(?P<ending>{'|'.join(_ENDS)}))",
            ("until",),
        ),
        (rf"{_UNTIL} (?:the |this |next )?(?P<start>{'|'.join(_STARTS)})", ("until",)),
        (r"for (?:the )?(?:rest|remainder) of (?:the |this )?(?P<ending>day|today|week|weekend)", ("until",)),
        (r"(?:for|over|during) (?:the |this )?(?:whole |next )?(?P<ending>today|weekend)", ("until",)),
        (r"(?:for )?(?P<quarters>three )?quarters?(?: of)? an hour", ("for",)),
        (rf"(?:for )?(?:the next )?{_SPAN}", ("for",)),
        (rf"for the (?:next )?{_UNIT}", ("for",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} lines?|(?:tail|head) (?P<of>\d{{1,4}})", ("tail",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} (?:runs?|jobs?|instances?|executions?)", ("count",)),
        (rf"(?:the )?(?:last |latest ){_NUMBER}", ("count", "tail")),
        (r"(?P<number>\d{1,4})$", ("tail", "count")),
        # Without an end, and times that nobody can know: those are shown as they were said, and refused as no time.
        (rf"{_TO} {_FREE}", ()),
        (rf"{_TO} (?!when\b|it (?:is |has )?(?:finish|end|done|fail|complete|succeed)){_WORDS}", ("until",)),
        (r"(?:over|during) (?:the )?(?P<words>lunch|lunchtime|night|holidays?|maintenance|christmas)", ("until",)),
        (rf"for {_NO_LENGTH}", ("until",)),
    )
)
# What a phrase is about, if no verb takes it. A bare number says too little.
_IMPLIED: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        ("tail",): ("logs",),
        ("grep",): ("logs",),
        ("count",): ("history",),
        ("count", "tail"): ("history",),
        ("since",): ("timeline",),
    }
)
_END: Final = (("for",), ("until",))  # one of them
_STOPS: Final = frozenset(  # after the words of a time
    ("please", "pls", "then", "but", "thanks", "pause", "turn", "switch", "disable", "hold", "suspend", "stop", "watch")
)
_QUOTED: Final = re.compile(rf"(?<!\S)[{QUOTES}]([^{QUOTES}]{{2,60}})[{QUOTES}](?![^\s,.?!])")
_NEAR_PARAM: Final = 72.0
_NEAR_CHOICE: Final = 60.0  # `success` is `succeeded`
_MEANS: Final = frozenset(
    {"to", "as", "is", "=", "into"}
)  # before the value of a parameter: `set the description to ...`


def with_months(text: str) -> str:
    """The text with the names of months in dates: `10 Dec` for `10.12.`, which names no time of day."""
    return _DOTTED.sub(lambda date: f"{date[1]} {MONTHS[int(date[2]) - 1]}", text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stated parameter: the names that it may have, and its value."""

    names: tuple[str, ...]
    value: str


def quoted(text: str, targets: Sequence[Known], catalog: Catalog) -> list[str]:
    """The texts in quotes that are neither a verb nor a part of a name, as values of a parameter."""
    found = _QUOTED.findall(text)
    names = "\n".join(known.name for known in targets).casefold() if found else ""
    own = [one for one in found if one.casefold() not in names and one.casefold() not in catalog.verbs]
    return [one if re.fullmatch(r"[\w.][\w.:/+-]*", one) else quote(one) for one in own]


def take_phrases(
    said: Sequence[str], names: Container[str], typed: Sequence[str] = ()
) -> tuple[list[Phrase], set[int]]:
    """The stated parameters, and the places of their words. A number in `names` is a target. What is not understood of a time is
    kept as `typed`."""
    left, found = list(said), list[Phrase]()
    for pattern, keys in _PATTERNS:
        text = " ".join(left)
        match = pattern.search(text)
        whole = _before_a_name(match, names) if match is not None else ""
        first = text[: match.start()].count(" ") if match is not None else 0
        words = " ".join((typed or said)[first : first + whole.count(" ") + 1])
        value = _value(match, words) if match is not None else ""
        ends = keys in _END and any(phrase.names in _END for phrase in found)
        if match is None or not value or whole in names or ends or any(keys == phrase.names for phrase in found):
            continue
        found.append(Phrase(keys, value))
        left[first : first + whole.count(" ") + 1] = ["\0"] * (whole.count(" ") + 1)
    return found, {at for at, word in enumerate(left) if word == "\0"}


def _before_a_name(match: re.Match[str], names: Container[str]) -> str:
    """The text that fits, of free words only those before a target or what else the person wants."""
    words = match[0].split(" ")
    free = match.re.groupindex.get("words") and match.start("words") - match.start()
    at = match[0][:free].count(" ") if free else len(words)
    stop = (
        here for here in range(at, len(words)) if words[here] in names or words[here] in _STOPS or ":" in words[here]
    )
    return " ".join(words[: next(stop, len(words))])


def _value(match: re.Match[str], typed: str) -> str:
    parts: Mapping[str, str | None] = match.groupdict()
    if "when" in parts:
        return match[0]
    if "words" in parts:
        before = match[0][: match.start("words") - match.start()].count(" ")
        said = " ".join(typed.split(" ")[before:]).replace('"', "")
        return f'"{said}"' if said else ""
    if "quarters" in parts:
        return "45m" if parts["quarters"] else "15m"
    if ending := parts.get("ending") or ("day" if parts.get("end") else ""):
        return f'"{_ENDS[ending]}"'
    if start := parts.get("start"):
        return f'"{_STARTS[start]}"'
    if "hour" in parts or "month" in parts:
        return _moment(parts)
    if (unit := parts.get("unit")) is not None:
        return _length(parts, unit[0])
    word = parts.get("number") or parts.get("of") or "1"
    number = NUMBERS.get(word, 0) if not word.isdigit() else int(word)
    return str(number) if number else ""


def _moment(parts: Mapping[str, str | None]) -> str:
    """The value of `until=`."""
    part = parts.get("late") or parts.get("part") or ""
    minute = parts.get("minute") or str(NUMBERS.get(parts.get("spoken") or "", ""))
    clock = _clock(parts.get("hour"), minute, parts.get("half") or ("pm" if _TIMES.get(part, "") > "12:00" else None))
    if parts.get("hour") and not clock:
        return ""
    clock = clock or _TIMES.get(part, "")
    if stamp := parts.get("stamp"):
        return f"{stamp}T{clock}" if clock else stamp
    if month := parts.get("month"):
        name = MONTHS[int(month) - 1 : int(month)] if month.isdigit() else (month[:3].capitalize(),)
        return f'"{parts["date"]} {name[0]} {clock or "00:00"}"' if name else ""
    day = parts.get("day")
    name_of_day = _DAYS.get(day, day[:3].capitalize()) if day else ""
    return f'"{name_of_day} {clock or "00:00"}"' if name_of_day else clock


def _length(parts: Mapping[str, str | None], unit: str) -> str:
    """A length of time as a duration: `90m`, `2h30m`."""
    word = (parts.get("number") or "1").replace(",", ".")
    first = word.split()[0]
    number = float(word) if word[0].isdigit() else 2 if "couple" in word else 0.5 if first == "half" else NUMBERS[first]
    number += 0.5 if parts.get("half_of") else 0
    number += {"half": 0.5, "quarter": 0.25}.get(parts.get("rest") or "", 0)
    more = re.findall(r"(\d+) ?([smhdw])", parts.get("more") or "")
    if not more and number == int(number):
        size = 7 if unit == "w" else 1
        return f"{int(number) * size}{'d' if unit == 'w' else unit}" if number else ""
    return duration_text(number * _SIZES[unit] + sum(int(count) * _SIZES[size] for count, size in more))


def _clock(hour: str | None, minute: str | None, half: str | None) -> str:
    if hour is None:
        return ""
    said = int(hour) if hour.isdigit() else NUMBERS[hour]
    hours = said % 12 + (12 if half[0] == "p" else 0) if half and half[-1] == "m" and said < 13 else said
    return f"{hours:02}:{minute or '00'}" if hours < 24 else ""


def stated(
    params: Sequence[Param], phrases: Sequence[Phrase], words: Sequence[str], said: Sequence[str], used: Sequence[str]
) -> Iterator[str]:
    """`key=value` for each parameter that these words state. `used` are names given for the target before."""
    names = {param.name: param for param in params}
    for phrase in phrases:
        wanted = (*phrase.names, "for") if phrase.names == ("until",) else phrase.names  # which then says what it takes
        yield from [f"{name}={phrase.value}" for name in wanted if name in names][:1]
    for param in params:
        if param.type is ParamType.CHOICE:
            fit = (one for one in param.choices if one.casefold() in said and one.casefold() not in FILLERS)
            yield from [f"{param.name}={one}" for one in fit][:1]
            continue
        called = {param.name.casefold(), *CALLED.get(param.name, ())}
        at = next((at for at, word in enumerate(said) if word.replace("-", "") in called), None)
        if at is not None and param.type is ParamType.BOOLEAN:
            yield f"{param.name}={'false' if said[at - 1 : at] in (['not'], ['no']) else 'true'}"
        elif at is not None and param.type in (ParamType.TEXT, ParamType.INTEGER):
            after = next(
                (here for here in range(at, len(said)) if said[here] in _MEANS), at if param.name in CALLED else None
            )
            word = "".join(words[after + 1 : after + 2]) if after is not None else ""
            if word and (param.type is ParamType.TEXT or word.isdigit()):
                yield f"{param.name}={word}"
    own = [name for name in used if "*" in names or name in names or name.partition(".")[0] in names]  # of this verb
    short = {name.rpartition(".")[2].casefold(): name for name in own}
    for at, word in enumerate(said[:-1]):
        if word in short and said[at + 1] not in short and _takes(names.get(short[word]), words[at + 1]):
            yield f"{short[word]}={words[at + 1]}"


def _takes(param: Param | None, word: str) -> bool:
    """Whether this can be the value after the name of the parameter. A name of a map takes any; `until` takes phrases only."""
    if param is None or param.type is ParamType.UNTIL:
        return param is None
    try:
        param.check([word])
    except BadParam:
        return False
    return True


def params_of(catalog: Catalog, verb: str, backend: str | None) -> list[Param]:
    """The parameters of a verb on a backend, or on any; else those of the built-in verb."""
    builtin = catalog.builtin(verb)
    found = [param for _, capability in catalog.capabilities(verb, backend) for param in capability.params]
    return found or [*(builtin.params if builtin is not None else ())]


def implied(verbs: list[str], phrases: Sequence[Phrase], catalog: Catalog, *, named: bool) -> list[str]:
    """The verbs, or what a phrase such as `the last 50 lines` is about when none of them takes it or changes anything. A
    timeline is of no target that is `named`."""
    taken = {param.name for verb in verbs for param in params_of(catalog, verb, None)}
    for phrase in phrases:
        meant = [
            verb
            for verb in _IMPLIED.get(phrase.names, ())
            if verb in catalog.verbs and not (named and verb == "timeline")
        ]
        vague = not verbs or verbs[0] == "status" or ("since" in phrase.names and not catalog.changes(verbs[0]))
        if meant and taken.isdisjoint(phrase.names) and vague:
            return meant
    return verbs


def fitting(
    pairs: Sequence[str], catalog: Catalog, verb: str, backend: str, kind: str, used: Sequence[str]
) -> list[str]:
    """The typed parameters, renamed to those of this verb: `regin=north` as `input.region=north`. A verb of runs has no
    capability of the kind of their agent."""
    of_runs = next((one for _, one in catalog.capabilities(verb, backend)), None)
    capability = catalog.capability(backend, verb, kind) or of_runs
    return list(pairs) if capability is None else [*filter(None, (corrected(pair, capability, used) for pair in pairs))]


def corrected(pair: str, capability: Capability, used: Sequence[str]) -> str:
    """A typed `key=value` with the names and values that the capability takes. `used` are names given for the target before. A
    read does without what it doesn't take."""
    key, _, value = pair.partition("=")
    choices = param.choices if (param := capability.param(key)) is not None else ()
    near = process.extractOne(value.casefold(), choices, scorer=fuzz.ratio, score_cutoff=_NEAR_CHOICE)
    if near is not None:
        return f"{key}={near[0]}"
    names = [param.name for param in capability.params if param.type is not ParamType.MAP]
    maps = [param.name for param in capability.params if param.type is ParamType.MAP and param.name != "*"]
    if key in names or any(key.startswith(f"{name}.") for name in maps):
        return pair
    candidates = {name: name for name in names} | {name.partition(".")[2] or name: name for name in used}
    if longer := [name for name in candidates if len(key) > 2 and name.startswith(key)]:
        return f"{candidates[longer[0]]}={value}"
    if exchanged := [name for name in candidates if sorted(name) == sorted(key)]:
        return f"{candidates[exchanged[0]]}={value}"
    near = process.extractOne(key, list(candidates), scorer=fuzz.ratio, score_cutoff=_NEAR_PARAM)
    if near is not None:
        return f"{candidates[near[0]]}={value}"
    return f"{maps[0]}.{pair}" if maps else "" if capability.risk is Risk.READ else pair
