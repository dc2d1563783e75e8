"""The parameters of a service, by the JSON Schema that it may carry as `decorator` (DOC).

Read are type, required, enum, minimum, maximum, minLength, maxLength, items and additionalProperties; everything else is
left to the gateway (a `pattern` too: a foreign regular expression is not run here). Without a schema all values are text.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from bot.core.command.params import Param, ParamType
from bot.core.errors import BadRequest
from bot.core.value import Json

Schema = Mapping[str, Any]
_INTEGER: Final = re.compile(r"-?\d{1,18}")
_NUMBER: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?")
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MOST_TOLD: Final = 5


class _Misfit(ValueError):
    """A value that the schema does not take; the text says what it takes."""


def properties(schema: Schema | None) -> dict[str, Schema]:
    """The named parameters; empty without a usable schema."""
    found = (schema or {}).get("properties")
    return (
        {str(name): rule for name, rule in found.items() if isinstance(rule, dict)} if isinstance(found, dict) else {}
    )


def required(schema: Schema | None) -> tuple[str, ...]:
    """The names that must be given."""
    found = (schema or {}).get("required")
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def typed(schema: Schema | None, given: Mapping[str, Json]) -> dict[str, Json]:
    """What was written as `param.NAME=VALUE`, in the schema's types; raises BadRequest that names every misfit."""
    known = properties(schema)
    faults = [_missing(name, known.get(name, {})) for name in required(schema) if name not in given]
    values: dict[str, Json] = {}
    for name, text in given.items():
        if name not in known:
            if known and (schema or {}).get("additionalProperties") is False:
                faults.append(_unknown(name, known))
            values[name] = text
            continue
        try:
            values[name] = _value(known[name], str(text))
        except _Misfit as fault:
            faults.append(f"`param.{name}` {fault}")
    if faults:
        more = f"; and {len(faults) - _MOST_TOLD} more" if len(faults) > _MOST_TOLD else ""
        raise BadRequest("; ".join(faults[:_MOST_TOLD]) + more + ".", code="bad_parameter")
    return values


def _missing(name: str, rule: Schema) -> str:
    choices = rule.get("enum")
    takes = f" (one of {_listed(choices)})" if isinstance(choices, list) and choices else ""
    return f"`param.{name}=` is missing{takes}"


def _unknown(name: str, known: Mapping[str, Schema]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"`param.{name}` is no parameter of this service; did you mean `param.{near[0]}`?"
    return f"`param.{name}` is no parameter of this service; there are {_listed(sorted(known))}"


def _listed(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values[:20])


def types_of(rule: Schema) -> tuple[str, ...]:
    """The types that a rule names; none means any."""
    found = rule.get("type")
    if isinstance(found, str):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _value(rule: Schema, text: str) -> Json:
    choices = rule.get("enum")
    if isinstance(choices, list) and choices:
        return _choice(choices, text)
    fault = ""
    # The narrower types first: `3` for integer or string is a number.
    for kind in sorted(types_of(rule), key=lambda one: one == "string"):
        try:
            value = _read(kind, rule, text)
        except _Misfit as misfit:
            fault = fault or str(misfit)
            continue
        _check(rule, value)
        return value
    if fault:
        raise _Misfit(fault)
    _check(rule, text)
    return text


def _choice(choices: list[Any], text: str) -> Json:
    for choice in choices:
        if text == (choice if isinstance(choice, str) else json.dumps(choice)):
            found: Json = choice
            return found
    raise _Misfit(f"takes one of {_listed(choices)}, not `{text[:40]}`")


def _read(kind: str, rule: Schema, text: str) -> Json:
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if kind == "boolean" and text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    if kind == "null" and text in ("", "null"):
        return None
    if kind == "array":
        return _array(rule, text)
    if kind == "object":
        return _object(text)
    if kind in ("integer", "number", "boolean", "null"):
        words = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`", "null": "`null`"}
        raise _Misfit(f"takes {words[kind]}, not `{text[:40]}`")
    return text


def _object(text: str) -> Json:
    value = _json(text)
    if not isinstance(value, dict):
        raise _Misfit('takes a JSON object, like `{"a": 1}`')
    return value


def _array(rule: Schema, text: str) -> Json:
    """JSON, or words with commas between them."""
    items = rule.get("items")
    inner: Schema = items if isinstance(items, dict) else {}
    if not text.lstrip().startswith("["):
        return [_value(inner, word.strip()) for word in text.split(",") if word.strip()]
    value = _json(text)
    if not isinstance(value, list):
        raise _Misfit("takes a JSON list, like `[1, 2]`")
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Misfit(f"takes JSON, and `{text[:40]}` is none") from None


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _check(rule: Schema, value: Json) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _bounds(rule, value, ("minimum", "maximum"), "")
    elif isinstance(value, str):
        _bounds(rule, len(value), ("minLength", "maxLength"), " characters")
    elif isinstance(value, list):
        _bounds(rule, len(value), ("minItems", "maxItems"), " items")


def _bounds(rule: Schema, size: float, names: tuple[str, str], unit: str) -> None:
    low, high = (rule.get(name) for name in names)
    if isinstance(low, (int, float)) and size < low:
        raise _Misfit(f"takes at least {low:g}{unit}")
    if isinstance(high, (int, float)) and size > high:
        raise _Misfit(f"takes at most {high:g}{unit}")


def fields(schema: Schema | None) -> tuple[Param, ...]:
    """The parameters as rows, for a modal: each is `param.NAME`. Empty where the service carries no schema."""
    musts = required(schema)
    return tuple(_field(name, rule, name in musts) for name, rule in properties(schema).items())


def _field(name: str, rule: Schema, must: bool) -> Param:
    kinds = {kind for kind in types_of(rule) if kind != "null"}
    choices = rule.get("enum")
    named = tuple(c if isinstance(c, str) else json.dumps(c) for c in choices) if isinstance(choices, list) else ()
    sort = ParamType.TEXT
    if named:
        sort = ParamType.CHOICE
    elif kinds == {"integer"}:
        sort = ParamType.INTEGER
    elif kinds == {"boolean"}:
        sort = ParamType.BOOLEAN
    whole = sort is ParamType.INTEGER
    return Param(
        name=f"param.{name}",
        type=sort,
        help=str(rule.get("description") or rule.get("title") or name)[:200],
        required=must,
        choices=named,
        minimum=_whole(rule.get("minimum")) if whole else None,
        maximum=_whole(rule.get("maximum")) if whole else None,
        default=rule.get("default"),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
