"""Parameters as fields of a modal, and what was filled in as `key=value` words again."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.card import FormField
from bot.core.command.capability import Capability
from bot.core.command.params import BadParam, Param, ParamType, duration_text
from bot.core.command.until import on_clock
from bot.core.text import capitalized, sentences
from bot.core.value import Json
from bot.operations.cards import value_text

Pairs = tuple[tuple[str, str], ...]
Values = Mapping[str, str | list[str]]

_TYPES: Final = {
    ParamType.CHOICE: "choice",
    ParamType.BOOLEAN: "flag",
    ParamType.INTEGER: "number",
    ParamType.JSON: "lines",
    ParamType.MAP: "lines",
}
_HINTS: Final = {
    ParamType.DURATION: "A span like 30s, 5m, 2h or 1d.",
    ParamType.DATETIME: "Like 2026-07-16T11:21:20.",
    ParamType.UNTIL: "Like Mon 07:00 or 2026-07-16 07:00, on the clock in {zone}.",
    ParamType.LIST: "Separated by commas.",
    ParamType.MAP: "NAME=VALUE, one per line.",
}


def fields_for(capability: Capability | None, own: Sequence[Param], typed: Pairs, zone: str) -> list[FormField]:
    """The fields. A parameter that the control plane describes replaces the declared `param.NAME=` that it belongs to. A time is
    on the clock of `zone`."""
    covered = {param.name.partition(".")[0] for param in own}
    params = [param for param in capability.params if param.name not in covered] if capability is not None else []
    values = dict(typed)
    found = [described(param.model_copy(update={"default": values.get(param.name, param.default)})) for param in own]
    return found + [declared(param, typed, zone) for param in params]


def described(param: Param) -> FormField:
    """The field of a parameter that the control plane describes, filled with its default."""
    return FormField(
        name=param.name,
        label=param.name.partition(".")[2] or param.name,
        type=_TYPES.get(param.type, "text"),
        hint=sentences(param.help, capitalized(range_text(param))),
        optional=not param.required,
        initial=None if param.default is None else value_text(param.default),
        choices=param.choices,
    )


def declared(param: Param, typed: Pairs, zone: str) -> FormField:
    """The field of a parameter that the capability declares, filled with the typed value. The default is only in the hint."""
    return FormField(
        name=param.name,
        label="Values" if param.name == "*" else param.name,
        type=_TYPES.get(param.type, "text"),
        hint=_hint(param, zone),
        optional=not param.required,
        initial=_initial(param, typed, zone),
        choices=param.choices,
    )


def _hint(param: Param, zone: str) -> str:
    """What it means, how it is written, its range, an example, and what it is when left empty."""
    parts = [f"{param.help.rstrip('.')}."]
    if param.type in _HINTS:
        parts.append(_HINTS[param.type].format(zone=zone))
    if limits := range_text(param):
        parts.append(f"{capitalized(limits)}.")
    example = (param.example or "").removeprefix(f"{param.name}." if param.type is ParamType.MAP else "")
    if example and not any(example in words for words in parts):
        parts.append(f"For example: {example}")
    if param.default is not None:
        parts.append(f"Default: {default_text(param)}.")
    return " ".join(parts)


def range_text(param: Param) -> str:
    """`1 to 200`, `at least 1`, `at most 9`, or an empty text."""
    low, high = (None if each is None else _number(param, each) for each in (param.minimum, param.maximum))
    if low is not None and high is not None and {low, high} <= set(re.findall(r"\w+", param.help)):
        return ""  # the help says it
    if low is None:
        return f"at most {high}" if high is not None else ""
    return f"at least {low}" if high is None else f"{low} to {high}"


def default_text(param: Param) -> str:
    """The default as a person types it."""
    if isinstance(param.default, int) and not isinstance(param.default, bool):
        return _number(param, param.default)
    return value_text(param.default)


def _number(param: Param, number: int) -> str:
    return duration_text(number) if param.type is ParamType.DURATION and number else f"{number:,}"


def _initial(param: Param, typed: Pairs, zone: str) -> Json:
    if param.type is ParamType.MAP:
        return "\n".join(f"{_line(name, param)}={value}" for name, value in typed if _belongs(name, param)) or None
    words = [value for name, value in typed if name == param.name]
    if not words:
        return None
    if param.type is ParamType.UNTIL:
        return on_clock(words[0], zone)
    if param.type not in (ParamType.BOOLEAN, ParamType.CHOICE):
        return ",".join(words)
    try:
        return value_text(param.check(words))
    except BadParam:
        return None


def _line(name: str, param: Param) -> str:
    """The name of an entry as a line shows it: without the parameter, unless it begins like that, which is left out once."""
    short = name.removeprefix(f"{param.name}.")
    return name if short.startswith(f"{param.name}.") else short


def _belongs(name: str, param: Param) -> bool:
    return param.name == "*" or name.startswith(f"{param.name}.")


def read(params: Sequence[Param], values: Values) -> tuple[Pairs, dict[str, str]]:
    """The `key=value` words of the fields, and the problem of each field. An undeclared field is taken as it is."""
    by_name = {param.name: param for param in params}
    pairs: list[tuple[str, str]] = []
    errors: dict[str, str] = {}
    for name, value in values.items():
        param, text = by_name.get(name), value if isinstance(value, str) else ",".join(value)
        if not text:
            continue
        try:
            pairs += _pairs(name, text, param)
        except BadParam as problem:
            errors[name] = f"{str(problem).replace('`', '')}."
    return tuple(pairs), errors


def _pairs(name: str, text: str, param: Param | None) -> Pairs:
    if param is None:
        return ((name, text),)
    if param.type is not ParamType.MAP:
        param.check((text,))
        return ((name, text),)
    return tuple(_entry(line, param) for line in text.splitlines() if line.strip())


def _entry(line: str, param: Param) -> tuple[str, str]:
    key, sign, value = line.strip().partition("=")
    if not sign or not key.strip():
        raise BadParam(f"{line.strip()[:60]} is not NAME=VALUE")
    name = key.strip().removeprefix(f"{param.name}.")  # as it is typed in a command
    return (name if param.name == "*" else f"{param.name}.{name}", value.strip())
