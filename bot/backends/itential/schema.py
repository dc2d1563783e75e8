"""The parameters of a service, from its optional JSON Schema `decorator` (DOC get-service-by-id).

`jsonschema` validates; this module turns its errors into messages and converts text to the schema's types.
The gateway checks patterns, because a foreign regular expression may never end. Without a schema all values are text.
"""

import difflib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from bot.core.command.params import Param, ParamType
from bot.core.errors import BadRequest
from bot.core.text import first_of, sentences
from bot.core.value import Json

Schema = Mapping[str, Any]
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_TYPES: Final = {
    "integer": "a whole number", "number": "a number", "boolean": "`true` or `false`", "null": "`null`",
    "array": "a JSON list, like `[1, 2]`", "object": 'a JSON object, like `{"a": 1}`', "string": "a text",
}  # fmt: skip
_BOUNDS: Final = {
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "minItems": "at least {} items", "maxItems": "at most {} items",
}  # fmt: skip


def _left_out(*_: Any) -> Iterator[ValidationError]:
    return iter(())


def _unknown_names(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, value, instance, schema)


_Validator: Final = validators.extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    Draft202012Validator, {"pattern": _left_out, "patternProperties": _left_out, "additionalProperties": _unknown_names}
)


def properties(schema: Schema | None) -> dict[str, Schema]:
    """The named parameters; empty without a usable schema."""
    found = (schema or {}).get("properties")
    return (
        {str(name): rule for name, rule in found.items() if isinstance(rule, dict)} if isinstance(found, dict) else {}
    )


def required(schema: Schema | None) -> tuple[str, ...]:
    """The names of the required parameters."""
    found = (schema or {}).get("required")
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def typed(schema: Schema | None, given: Mapping[str, Json]) -> dict[str, Json]:
    """The values of `param.NAME=VALUE` in the schema's types; raises BadRequest that names every value that doesn't fit."""
    known = properties(schema)
    values = {name: _typed(known.get(name, {}), str(text)) for name, text in given.items()}
    faults = dict.fromkeys(_sentence(error, known, given) for error in _errors(schema, values))
    if faults:
        raise BadRequest(sentences(first_of(faults, 5)), code="bad_parameter")
    return values


def _errors(schema: Schema | None, values: dict[str, Json]) -> list[ValidationError]:
    """The errors. An invalid schema, or one that refers to another document, is left to the gateway."""
    try:
        _Validator.check_schema(schema or {})
        found = _Validator(schema or {}, registry=Registry()).iter_errors(values)
        return sorted(found, key=lambda error: (error.validator != "required", [str(part) for part in error.path]))
    except (SchemaError, Unresolvable, RecursionError):
        return []


def _sentence(error: ValidationError, known: Mapping[str, Schema], given: Mapping[str, Json]) -> str:
    if error.validator == "required" and not error.path:
        musts: Any = error.validator_value
        name = next((name for name in musts if name not in given and f"'{name}'" in error.message), "")
        choices = known.get(name, {}).get("enum")
        takes = f" (one of {_listed(choices)})" if isinstance(choices, list) and choices else ""
        return f"`param.{name}=` is missing{takes}"
    if error.validator == "additionalProperties" and not error.path:
        name = next(name for name in given if name not in known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        more = f"did you mean `param.{near[0]}`?" if near else f"it takes {_listed(sorted(known)) or 'none'}"
        return f"`param.{name}` is not a parameter of this service; {more}"
    name = ".".join(str(part) for part in error.absolute_path)
    return f"`param.{name}` {_misfit(error)}" if name else error.message[:200]


def _misfit(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    shown = str(error.instance)[:40]
    if error.validator == "enum":
        return f"takes one of {_listed(wanted)}, not `{shown}`"
    if error.validator == "type":
        return f"takes {' or '.join(_TYPES.get(kind, kind) for kind in types_of({'type': wanted}))}, not `{shown}`"
    if error.validator in _BOUNDS:
        return f"takes {_BOUNDS[str(error.validator)].format(wanted)}"
    return f"doesn't fit: {error.message[:200]}"


def _listed(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values[:20])


def types_of(rule: Schema) -> tuple[str, ...]:
    """The types that a rule names; empty means any type."""
    found = rule.get("type")
    if isinstance(found, str):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _typed(rule: Schema, text: str) -> Json:
    """The text converted to one of the rule's types; the text itself if it fits none, so that the validator reports it."""
    choices = rule.get("enum")
    for choice in choices if isinstance(choices, list) else ():
        if text == _named(choice):
            found: Json = choice
            return found
    types = types_of(rule)
    if "boolean" in types and text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    if "array" in types and not text.lstrip().startswith("["):
        items = rule.get("items")
        return [
            _typed(items if isinstance(items, dict) else {}, word.strip()) for word in text.split(",") if word.strip()
        ]
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return text
    checker = Draft202012Validator.TYPE_CHECKER
    fits = any(kind in _TYPES and kind != "string" and checker.is_type(value, kind) for kind in types)
    return value if fits else text


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _named(choice: Any) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice)


def fields(schema: Schema | None) -> tuple[Param, ...]:
    """The parameters as fields for a modal: each is `param.NAME`. Empty if the service has no schema."""
    musts = required(schema)
    return tuple(_field(name, rule, name in musts) for name, rule in properties(schema).items())


def _field(name: str, rule: Schema, must: bool) -> Param:
    kinds = {kind for kind in types_of(rule) if kind != "null"}
    choices = rule.get("enum")
    named = tuple(_named(choice) for choice in choices) if isinstance(choices, list) else ()
    whole = not named and kinds == {"integer"}
    plain = ParamType.BOOLEAN if kinds == {"boolean"} else ParamType.TEXT
    return Param(
        name=f"param.{name}",
        type=ParamType.CHOICE if named else ParamType.INTEGER if whole else plain,
        help=str(rule.get("description") or rule.get("title") or name)[:200],
        required=must,
        choices=named,
        minimum=_whole(rule.get("minimum")) if whole else None,
        maximum=_whole(rule.get("maximum")) if whole else None,
        default=rule.get("default"),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
