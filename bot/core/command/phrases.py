"""Parameters that a sentence states in words: `for two hours`, `the last 50 lines`, `until Monday`, `region north`. Pure.

Each is offered to the command only if that command takes such a parameter; a button shows the whole command before it runs.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.command.params import BadParam, Param, ParamType
from bot.core.command.vocabulary import CALLED, FILLERS, NUMBERS

_NUMBER: Final = rf"(?P<number>\d{{1,6}}|(?:{'|'.join(NUMBERS)})(?= ))"
_UNIT: Final = r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
_SPAN: Final = rf"{_NUMBER} ?{_UNIT}"
_DAYS: Final = MappingProxyType(
    {"montag": "Mon", "dienstag": "Tue", "mittwoch": "Wed", "donnerstag": "Thu", "freitag": "Fri", "samstag": "Sat"}
    | {"sonntag": "Sun", "tomorrow": "tomorrow", "morgen": "tomorrow"}
)
_DAY: Final = rf"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|{'|'.join(_DAYS)}"
_HOURS: Final = "|".join(word for word, at in NUMBERS.items() if 0 < at < 13 and len(word) > 2)
_CLOCK: Final = (
    rf"(?P<hour>\d{{1,2}}|{_HOURS})(?:[:.](?P<minute>\d\d)| (?P<spoken>fifteen|thirty))? ?(?P<half>[ap] ?m|oclock|uhr)?"
)
# What each pattern states; the first that fits a part of the text counts.
_PATTERNS: Final = tuple(
    (re.compile(rf"(?<!\S){pattern}(?!\S)"), names)
    for pattern, names in (
        (rf"(?:(?:in|for|over|during|within|of) )?(?:the )?(?:last|past) (?:{_NUMBER} ?)?{_UNIT}", ("since",)),
        (rf"since {_SPAN}", ("since",)),
        (r"(?:of|in|from|during) (?:this|the) (?P<unit>week)", ("since",)),
        (r"(?P<when>last night|yesterday|this morning)", ()),  # not the agent `nightly`
        (rf"(?:until|till|til|bis|before) (?P<date>\d{{4}}-\d\d-\d\d)(?: (?:at )?{_CLOCK})?", ("until",)),
        (rf"(?:until|till|til|bis|before) (?:next )?(?P<day>{_DAY})?(?:(?: at)? ?{_CLOCK})?", ("until",)),
        (r"(?:for )?(?P<part>half|quarter)(?: of)? an hour", ("for",)),
        (rf"(?:for )?(?:the next )?{_SPAN}", ("for",)),
        (rf"for the (?:next )?{_UNIT}", ("for",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} lines?|(?:tail|head) (?P<of>\d{{1,4}})", ("tail",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} (?:runs?|jobs?|instances?|executions?)", ("count",)),
        (rf"(?:the )?(?:last |latest ){_NUMBER}", ("count", "tail")),
        (r"(?P<number>\d{1,4})$", ("tail", "count")),
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
_NEAR_PARAM: Final = 72.0
_NEAR_CHOICE: Final = 60.0  # `success` is `succeeded`
_MEANS: Final = frozenset(
    {"to", "as", "is", "=", "into"}
)  # before the value of a parameter: `set the description to ...`


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stated parameter: the names that it may have, and its value."""

    names: tuple[str, ...]
    value: str


def take_phrases(said: Sequence[str], names: Container[str]) -> tuple[list[Phrase], set[int]]:
    """The stated parameters, and the places of their words. A number in `names` is a target."""
    left, found = list(said), list[Phrase]()
    for pattern, keys in _PATTERNS:
        text = " ".join(left)
        match = pattern.search(text)
        value = _value(match) if match is not None else ""
        if match is None or not value or match[0] in names or any(keys == phrase.names for phrase in found):
            continue
        found.append(Phrase(keys, value))
        first = text[: match.start()].count(" ")
        left[first : first + match[0].count(" ") + 1] = ["\0"] * (match[0].count(" ") + 1)
    return found, {at for at, word in enumerate(left) if word == "\0"}


def _value(match: re.Match[str]) -> str:
    parts: Mapping[str, str | None] = match.groupdict()
    if "when" in parts:
        return match[0]
    if "day" in parts or "date" in parts:
        clock = _clock(parts["hour"], parts["minute"] or str(NUMBERS.get(parts["spoken"] or "", "")), parts["half"])
        if date := parts.get("date"):
            return f"{date}T{clock}" if clock else date
        return f'"{_DAYS.get(day, day[:3].capitalize())} {clock or "00:00"}"' if (day := parts.get("day")) else clock
    if part := parts.get("part"):
        return "30m" if part == "half" else "15m"
    word = parts.get("number") or parts.get("of") or "1"
    number = NUMBERS.get(word, 0) if not word.isdigit() else int(word)
    unit = parts.get("unit")
    if unit is None:
        return str(number) if number else ""
    size = 7 if unit[0] == "w" else 1
    return f"{number * size}{'d' if unit[0] == 'w' else unit[0]}" if number else ""


def _clock(hour: str | None, minute: str | None, half: str | None) -> str:
    if hour is None:
        return ""
    said = int(hour) if hour.isdigit() else NUMBERS[hour]
    hours = said % 12 + (12 if half[0] == "p" else 0) if half and half[-1] == "m" else said
    return f"{hours:02}:{minute or '00'}" if hours < 24 else ""


def stated(
    params: Sequence[Param], phrases: Sequence[Phrase], words: Sequence[str], said: Sequence[str], used: Sequence[str]
) -> Iterator[str]:
    """`key=value` for each parameter that these words state. `used` are names given for the target before."""
    names = {param.name: param for param in params}
    for phrase in phrases:
        yield from [f"{name}={phrase.value}" for name in phrase.names if name in names][:1]
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
    return list(pairs) if capability is None else [corrected(pair, capability, used) for pair in pairs]


def corrected(pair: str, capability: Capability, used: Sequence[str]) -> str:
    """A typed `key=value` with the names and values that the capability takes. `used` are names given for the target before."""
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
    return f"{maps[0]}.{pair}" if maps else pair
