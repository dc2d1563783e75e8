"""Parameters of a capability: declared, checked once, kept as plain JSON values."""

import difflib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, overload

from bot.core.value import Json, Value

INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # Unicode categories
_DURATION: Final = re.compile(  # also as cards show it: `1 h 30 min`, `2 days`
    r"(?:(\d{1,6})\s?d(?:ays?)?)?\s?(?:(\d{1,6})\s?h(?:(?:ou)?rs?)?)?\s?"
    r"(?:(\d{1,7})\s?m(?:in(?:ute)?s?)?)?\s?(?:(\d{1,9})\s?s(?:ec(?:ond)?s?)?)?"
)
_MOST_CHOICES: Final = 8  # that an error lists where one of them is near
_NEAR: Final = 0.7  # of 1: a misspelled choice
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
LONGEST_TEXT: Final = 10_000
_BACK: Final = {"today": 86_400, "yesterday": 2 * 86_400}  # how far back `since=` goes


class ParamType(StrEnum):
    """How the words of a parameter are read. A value is JSON: a duration is whole seconds."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DURATION = "duration"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"
    DATETIME = "datetime"
    UNTIL = "until"
    JSON = "json"


class BadParam(ValueError):
    """A value that can't be used. The text names what is accepted."""


class Param(Value):
    """One parameter. A MAP is written `name.KEY=VALUE`; a MAP named `*` takes every key that no other parameter has. Its values
    aren't empty, unless they `may_be_empty`: then the backend checks them. `also` are further words that are taken, apart from
    the `choices`.
    """

    name: str
    type: ParamType
    help: str
    default: Json = None
    required: bool = False
    choices: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    unit: str | None = None
    example: str | None = None
    may_be_empty: bool = False

    def check(self, words: Sequence[str]) -> Json:
        """The value of what was typed. Raises BadParam. Shapes: see ParamType."""
        if self.type is ParamType.LIST:
            return [item.strip() for word in words for item in word.split(",") if item.strip()]
        if len(words) != 1:
            raise BadParam(f"`{self.name}` is given {len(words)} times; give it once")
        return self._check_one(words[0])

    def _check_one(self, word: str) -> Json:
        if not word.strip() and self.type is not ParamType.TEXT:
            raise BadParam(f"`{self.name}=` needs a value{': ' if self.choices else ''}{', '.join(self.choices)}")
        if self.type is ParamType.INTEGER:
            return self._integer(word)
        if self.type is ParamType.BOOLEAN:
            return self._boolean(word)
        if self.type is ParamType.DURATION:
            back = _BACK.get(word.casefold()) if self.name == "since" else None
            return self._bounded(back or duration_seconds(word))
        if self.type is ParamType.CHOICE:
            return self._choice(word)
        if self.type is ParamType.DATETIME:
            return self._datetime(word)
        if self.type is ParamType.JSON:
            return self._json(word)
        if len(word) > LONGEST_TEXT:
            raise BadParam(f"`{self.name}` is longer than {LONGEST_TEXT:,} characters")
        return word

    def _integer(self, word: str) -> int:
        if not re.fullmatch(r"-?\d{1,15}", word):
            raise BadParam(f"`{self.name}` takes a whole number, not {as_typed(word)}")
        return self._bounded(int(word))

    def _bounded(self, number: int) -> int:
        if self.minimum is not None and number < self.minimum:
            raise BadParam(f"`{self.name}` takes at least {self._bound(self.minimum)}")
        if self.maximum is not None and number > self.maximum:
            raise BadParam(f"`{self.name}` takes at most {self._bound(self.maximum)}")
        return number

    def _bound(self, number: int) -> str:
        if self.type is ParamType.DURATION:
            return f"`{duration_text(number)}`"
        return f"{number:,} {self.unit}" if self.unit else f"{number:,}"

    def _boolean(self, word: str) -> bool:
        folded = word.lower()
        if folded in _TRUE:
            return True
        if folded in _FALSE:
            return False
        raise BadParam(f"`{self.name}` takes `true` or `false`, not {as_typed(word)}")

    def _choice(self, word: str) -> str:
        for choice in (*self.choices, *self.also):
            if choice.lower() == word.lower():
                return choice
        near = difflib.get_close_matches(word.lower(), (*self.choices, *self.also), n=1, cutoff=_NEAR)
        if len(self.choices) > _MOST_CHOICES and near:
            raise BadParam(f"`{self.name}` doesn't take {as_typed(word)}. Did you mean `{self.name}={near[0]}`?")
        raise BadParam(f"`{self.name}` takes one of {', '.join(self.choices)}, not {as_typed(word)}")

    def _datetime(self, word: str) -> str:
        try:
            datetime.fromisoformat(word)
        except ValueError:
            raise BadParam(
                f"`{self.name}` takes a date and time like `2026-07-16T11:21:20`, not {as_typed(word)}"
            ) from None
        return word

    def _json(self, word: str) -> Json:
        try:
            value: Json = json.loads(word)
        except (ValueError, RecursionError):
            raise BadParam(f"`{self.name}` takes JSON, and {as_typed(word, 40)} isn't JSON") from None
        if char := unseen("".join(texts_of(value))):
            raise BadParam(f"`{self.name}=` contains {char}, an invisible character")
        return value


def folded(text: str) -> str:
    """`text` without case and compatibility forms (fullwidth letters, ligatures): equal for names that look alike."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def trimmed(name: str) -> str:
    """The name of a parameter without blanks around its parts: `input.mode` for `input. mode `."""
    return ".".join(part.strip() for part in name.split("."))


def unseen(text: str) -> str:
    """`U+202E` for the first invisible character of the text, or an empty text. Line breaks and tabs count as visible."""
    found = (char for char in text if unicodedata.category(char) in INVISIBLE and char not in "\n\r\t")
    return next((f"U+{ord(char):04X}" for char in found), "")


def texts_of(value: object) -> Iterator[str]:
    """Every text in a JSON value, the names in it included."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from texts_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, str):
        yield value


def as_typed(text: str, longest: int = 60) -> str:
    """A typed text as code in a sentence, on one line and cut. An empty one is in quotes; a backtick can't be in code."""
    line = " ".join(text.split()).replace("`", "'")
    return f"`{line if len(line) <= longest else f'{line[:longest]}…'}`" if line else '`""`'


def duration_seconds(word: str) -> int:
    """Seconds of `30s`, `5m`, `2h`, `1d`, a sum like `1h30m`, or words like `1 h 30 min`, `2 days`; raises BadParam."""
    match = _DURATION.fullmatch(word.strip().lower())
    if not word.strip() or match is None:
        raise BadParam(f"{as_typed(word)} is not a duration; write `30s`, `5m`, `2h` or `1d`")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 86_400 + hours * 3_600 + minutes * 60 + seconds
    if total <= 0 or total > 366 * 86_400:
        raise BadParam(f"{as_typed(word)} is not between one second and 366 days")
    return total


def duration_text(seconds: float) -> str:
    """`5400` as `1h30m`: what duration_seconds reads back."""
    left = int(timedelta(seconds=seconds).total_seconds())
    parts = []
    for size, letter in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


class HasParams(Protocol):
    """An operation, or the arguments that it is made from."""

    @property
    def params(self) -> Mapping[str, Json]:
        """All parameters by name, defaults included."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The input of a capability's `check`. Nothing in it needs I/O.

    `given` are the parameters that were typed, `params` the same with defaults, `files` the ids of attached files.
    """

    params: dict[str, Json]
    given: dict[str, Json]
    reason: str | None = None
    files: tuple[str, ...] = ()


def text_of(asked: HasParams, name: str) -> str:
    """A text parameter, stripped; empty when absent."""
    value = asked.params.get(name)
    return value.strip() if isinstance(value, str) else ""


@overload
def number_of(asked: HasParams, name: str) -> int | None: ...


@overload
def number_of(asked: HasParams, name: str, default: int) -> int: ...


def number_of(asked: HasParams, name: str, default: int | None = None) -> int | None:
    """A whole number or a duration in seconds."""
    value = asked.params.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag_of(asked: HasParams, name: str) -> bool:
    """A boolean parameter; absent is false."""
    return asked.params.get(name) is True


def map_of(asked: HasParams, name: str) -> dict[str, str]:
    """A map parameter as text by name."""
    value = asked.params.get(name)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def text(
    name: str, help: str, example: str | None = None, *, default: str | None = None, required: bool = False
) -> Param:
    """A text."""
    return Param(name=name, type=ParamType.TEXT, help=help, example=example, default=default, required=required)


def items(name: str, help: str, example: str = "a,b") -> Param:
    """A list of texts."""
    return Param(name=name, type=ParamType.LIST, help=help, example=example)


def mapping(name: str, help: str, example: str, *, may_be_empty: bool = False) -> Param:
    """Texts by key."""
    return Param(name=name, type=ParamType.MAP, help=help, example=example, may_be_empty=may_be_empty)


def flag(name: str, help: str, default: bool | None = None) -> Param:
    """True or false."""
    return Param(name=name, type=ParamType.BOOLEAN, help=help, default=default)


def choice(
    name: str,
    choices: tuple[str, ...],
    help: str,
    default: str | None = None,
    *,
    required: bool = False,
    also: tuple[str, ...] = (),
) -> Param:
    """One of the given words."""
    return Param(
        name=name, type=ParamType.CHOICE, choices=choices, also=also, help=help, default=default, required=required
    )


def number(
    name: str, help: str, minimum: int, maximum: int | None = None, default: int | None = None, unit: str | None = None
) -> Param:
    """A whole number between the bounds."""
    return Param(
        name=name, type=ParamType.INTEGER, help=help, minimum=minimum, maximum=maximum, default=default, unit=unit
    )


def duration(name: str, help: str, example: str | None = None, *, unit: str = "s", **more: Any) -> Param:
    """A length of time in seconds. `more` are other fields of Param."""
    return Param(name=name, type=ParamType.DURATION, help=help, example=example, unit=unit, **more)


def count(unit: str, default: int, most: int = 100, help: str = "How many of the latest to show") -> Param:
    """How many rows of a list to show."""
    return number("count", help, 1, most, default, unit)


TAIL: Final = number("tail", "How many of the last lines to show", 0, 200, 20, "lines")
GREP: Final = text("grep", "Show the lines that contain this text")


def pause(again: str) -> tuple[Param, Param]:
    """`for=` and `until=` of a pause. `again` is what happens at its end: `Resume`."""
    return (
        duration("for", f"{again} automatically after this time", "2h"),
        Param(name="until", type=ParamType.UNTIL, help=f"{again} automatically at this time", example="Mon 07:00"),
    )
