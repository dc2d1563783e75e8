"""Parameters that a sentence states in words: `for two hours`, `the last 50 lines`, `until Monday`, `region north`. Pure.

Each is offered to the command only if that command takes such a parameter; a button shows the whole command before it runs.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.core.command.catalog import Catalog
from bot.core.command.params import Param, ParamType

_NUMBERS: Final = MappingProxyType(
    {
        word: number
        for number, words in enumerate(
            (
                "zero",
                "a an one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
            )
        )
        for word in words.split()
    }
    | {"fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100}
)
_NUMBER: Final = rf"(?P<number>\d{{1,6}}|{'|'.join(_NUMBERS)})"
_UNIT: Final = r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)"
_SPAN: Final = rf"{_NUMBER} ?{_UNIT}"
_DAY: Final = r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?"
# What each pattern states; the first that fits a part of the text counts.
_PATTERNS: Final = tuple(
    (re.compile(rf"(?<!\S){pattern}(?!\S)"), names)
    for pattern, names in (
        (rf"(?:(?:in|for|over|during|within|of) )?(?:the )?(?:last|past) (?:{_NUMBER} ?)?{_UNIT}", ("since",)),
        (rf"since {_SPAN}", ("since",)),
        (rf"(?:for )?(?:the next )?{_SPAN}", ("for",)),
        (rf"(?:until|till) (?P<day>{_DAY})?(?: at)? ?(?P<clock>\d{{1,2}}:\d\d)?", ("until",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} lines?", ("tail",)),
        (rf"(?:the )?(?:last |latest )?{_NUMBER} (?:runs?|jobs?)", ("count",)),
        (rf"(?:the )?(?:last |latest ){_NUMBER}", ("count", "tail")),
        (r"(?P<number>\d{1,4})", ("tail", "count")),
    )
)
# What a phrase is about, if no verb takes it. A bare number says too little.
_IMPLIED: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {("tail",): ("logs",), ("count",): ("history",), ("since",): ("timeline",)}
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stated parameter: the names that it may have, and its value."""

    names: tuple[str, ...]
    value: str


def take_phrases(words: Sequence[str], names: Container[str]) -> tuple[list[Phrase], list[str]]:
    """The stated parameters, and the words without them. A number in `names` is a target."""
    text, found = " ".join(words), list[Phrase]()
    for pattern, keys in _PATTERNS:
        match = pattern.search(text.casefold())
        value = _value(match) if match is not None else ""
        if match is None or not value or match[0] in names or any(keys == phrase.names for phrase in found):
            continue
        found.append(Phrase(keys, value))
        text = f"{text[: match.start()]} {text[match.end() :]}"
    return found, text.split()


def _value(match: re.Match[str]) -> str:
    parts: Mapping[str, str | None] = match.groupdict()
    if "day" in parts:
        day, clock = parts["day"], parts["clock"]
        return f'"{day[:3].capitalize()} {clock or "00:00"}"' if day else clock or ""
    word = parts["number"] or "1"
    number = _NUMBERS.get(word, 0) if not word.isdigit() else int(word)
    unit = parts.get("unit")
    if unit is None:
        return str(number) if number else ""
    size = 7 if unit[0] == "w" else 1
    return f"{number * size}{'d' if unit[0] == 'w' else unit[0]}" if number else ""


def stated(
    params: Sequence[Param], phrases: Sequence[Phrase], words: Sequence[str], used: Sequence[str]
) -> Iterator[str]:
    """`key=value` for each parameter that these words state. `used` are names that were given for the target before."""
    names = {param.name for param in params}
    for phrase in phrases:
        yield from [f"{name}={phrase.value}" for name in phrase.names if name in names][:1]
    folded = [word.casefold() for word in words]
    for param in params:
        if param.type is ParamType.CHOICE and param.required:
            yield from [f"{param.name}={choice}" for choice in param.choices if choice.casefold() in folded][:1]
    short = {name.rpartition(".")[2].casefold(): name for name in used}
    for at, word in enumerate(folded[:-1]):
        if word in short and folded[at + 1] not in short:
            yield f"{short[word]}={words[at + 1]}"


def params_of(catalog: Catalog, verb: str, backend: str | None) -> list[Param]:
    """The parameters of a verb on a backend, or on any; else those of the built-in verb."""
    builtin = catalog.builtin(verb)
    found = [param for _, row in catalog.rows(verb, backend) for param in row.params]
    return found or [*(builtin.params if builtin is not None else ())]


def implied(verbs: list[str], phrases: Sequence[Phrase], catalog: Catalog) -> list[str]:
    """The verbs, or what a phrase such as `the last 50 lines` is about when none of them takes it."""
    taken = {param.name for verb in verbs for param in params_of(catalog, verb, None)}
    for phrase in phrases:
        meant = [verb for verb in _IMPLIED.get(phrase.names, ()) if verb in catalog.verbs]
        if meant and taken.isdisjoint(phrase.names) and (not verbs or verbs[0] == "status" or "since" in phrase.names):
            return meant
    return verbs
