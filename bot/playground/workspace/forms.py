"""A client's work with input elements: entering values, choosing options, checking before it submits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .blocks import walk_elements
from .errors import CannotAct
from .state import Json
from .views import STATEFUL
from .wording import rich_text

REQUIRED = "Please complete this required field."
TEXTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
OPTION_MENUS = {"static_select", "radio_buttons", "external_select"}
OPTION_LISTS = {"multi_static_select", "checkboxes", "multi_external_select"}


def options_of(element: Json) -> list[Json]:
    """All options of an element, grouped ones included."""
    groups = element.get("option_groups") or []
    return [*element.get("options", []), *(o for g in groups for o in g["options"])]


def pick(options: Sequence[Json], wanted: str) -> Json:
    """The option with this value, otherwise with this text. Raises CannotAct."""
    for option in options:
        if option.get("value") == wanted:
            return option
    for option in options:
        if option["text"]["text"] == wanted:
            return option
    shown = ", ".join(str(o.get("value", o["text"]["text"])) for o in options)
    raise CannotAct(f"no option {wanted!r} among: {shown}")


def entry(element: Json, value: Any, options: Sequence[Json] | None = None) -> Json:
    """The element's state entry after a person enters `value` (None clears it).

    Text as str; an option by value or text; several as a list; people, channels and dates by id or text.
    """
    kind = element["type"]
    names = STATEFUL.get(kind)
    if names is None:
        raise CannotAct(f"a {kind} takes no input")
    choices = options_of(element) if options is None else options
    made: Any = value
    if kind == "rich_text_input" and isinstance(value, str):
        made = rich_text(value)[0]
    elif kind in TEXTS and value is not None:
        made = str(value) or None
    elif kind in OPTION_MENUS and isinstance(value, str):
        made = pick(choices, value)
    elif kind in OPTION_LISTS:
        made = [pick(choices, v) if isinstance(v, str) else v for v in _listed(value)]
    elif kind == "datetimepicker" and value is not None:
        made = int(value)
    elif names[0].endswith("s") and kind.startswith("multi_"):
        made = _listed(value)
    return {"type": kind, names[0]: made}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str | dict) else list(value)


def locate(blocks: list[Json], name: str) -> tuple[Json, Json]:
    """(block, element) by block_id, by the label of its input block, or by action_id. Raises CannotAct."""
    fields = [(b, e) for b, e in walk_elements(blocks) if e["type"] in STATEFUL]
    for found in fields:
        if found[0]["block_id"] == name:
            return found
    for block, element in fields:
        if block["type"] == "input" and block["label"]["text"] == name:
            return block, element
    for block, element in fields:
        if element["action_id"] == name:
            return block, element
    known = ", ".join(f"{b['block_id']} ({b['label']['text'] if 'label' in b else e['type']})" for b, e in fields)
    raise CannotAct(f"no field {name!r}; the fields are: {known or 'none'}")


def complaints(blocks: list[Json], values: dict[str, dict[str, Json]]) -> dict[str, str]:
    """The errors that the client shows before it submits: block_id -> sentence."""
    found: dict[str, str] = {}
    for block, element in walk_elements(blocks):
        if block["type"] != "input" or element["type"] not in STATEFUL:
            continue
        value = values[block["block_id"]][element["action_id"]][STATEFUL[element["type"]][0]]
        complaint = _complaint(element, value, optional=bool(block.get("optional")))
        if complaint:
            found[block["block_id"]] = complaint
    return found


def _complaint(element: Json, value: Any, *, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else REQUIRED
    kind = element["type"]
    if kind == "plain_text_input":
        return _length_complaint(element, value)
    if kind == "number_input":
        return _number_complaint(element, value)
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not re.match(r"[a-z][a-z0-9+.-]*://\S+$", value):
        return "Please enter a valid URL."
    if isinstance(value, list) and len(value) > element.get("max_selected_items", len(value)):
        return f"Please choose at most {element['max_selected_items']}."
    return None


def _length_complaint(element: Json, value: str) -> str | None:
    if len(value) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Please enter at most {element.get('max_length', 3000)} characters."
    return None


def _number_complaint(element: Json, value: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if not re.fullmatch(pattern, value):
        return "Please enter a number."
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and float(value) < float(low):
        return f"Please enter a number of at least {low}."
    if high is not None and float(value) > float(high):
        return f"Please enter a number of at most {high}."
    return None
