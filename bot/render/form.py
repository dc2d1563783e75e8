"""Modals: a form as a Slack view, and the typed values as text.

`block_id` is the field's name. `action_id` is `value`, or the id of its type-ahead.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bot.core.card import Choices, FormField, FormView
from bot.core.value import Json
from bot.render import block_kit
from bot.render import blocks as parts
from bot.render.block_kit import Block
from bot.render.text_format import one_line

VALUE_ACTION: Final = "value"
MENUS: Final = {"verb": "suggest_verb", "target": "suggest_target"}  # type of a field -> its action_id

_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_LATEST: Final = 9_999_999_999  # datetimepicker takes ten digits of seconds


def render_form(form: FormView, now: datetime | None = None) -> Block:
    """The view for views.open, views.push and views.update. `form.token` may have at most VIEW_METADATA characters,
    `form.form` at most ID. Choices longer than OPTION_VALUE characters are left out.

    With `now`, times also say how long ago or in how long: a form is not read later."""
    blocks = _inputs(form)
    has_inputs = bool(blocks)
    budget = parts.BlockBudget(block_kit.VIEW_PAYLOAD, block_kit.VIEW_BLOCKS - len(blocks) - 1)
    lead = parts.lines(form.lines, form.mention, budget)
    if budget.left_out:
        lead.append(block_kit.context([block_kit.prose(f"Too long to show: {', '.join(budget.left_out)}.")]))
    live = {field.name for field in form.fields if field.live}
    after = max((at for at, block in enumerate(blocks, 1) if block["block_id"] in live), default=len(blocks))
    outlook = parts.lines(form.outlook, form.mention, budget)
    view: Block = {
        "type": "modal",
        "callback_id": form.form,
        "private_metadata": form.token,
        "title": block_kit.plain(form.title, block_kit.VIEW_TITLE, counted=False),
        "close": block_kit.plain("Cancel", block_kit.VIEW_TITLE),
        "blocks": [*lead, *blocks[:after], *outlook, *blocks[after:]] or [block_kit.section("Nothing to fill in.")],
    }
    if now is not None:
        view["blocks"] = block_kit.add_relative(view["blocks"], now, future=True)
    if has_inputs or form.submit:
        view["submit"] = block_kit.plain(form.submit or "Send", block_kit.VIEW_TITLE, counted=False)
    return view


def _inputs(form: FormView) -> list[Block]:
    """One input per field. A field whose name can't be a new block id is skipped, because its value could not be read back."""
    blocks: dict[str, Block] = {}
    for field in form.fields:
        if 0 < len(field.name) <= block_kit.ID and field.name not in blocks and len(blocks) < block_kit.VIEW_BLOCKS - 2:
            blocks[field.name] = _input(field)
    return list(blocks.values())


def _input(field: FormField) -> Block:
    block: Block = {
        "type": "input",
        "block_id": field.name,
        "label": block_kit.plain(field.label or field.name, 150),
        "element": _ELEMENTS.get(field.type, _text)(field),
        "optional": field.optional,
    }
    if field.live:
        block["dispatch_action"] = True
    if one_line(field.hint):
        block["hint"] = block_kit.plain(field.hint.replace("`", ""), 500)  # plain text: Slack shows marks as they are
    return block


def _text(field: FormField) -> Block:
    return _typed(field, multiline=False)


def _lines(field: FormField) -> Block:
    return _typed(field, multiline=True)


def _typed(field: FormField, *, multiline: bool) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": VALUE_ACTION,
        "multiline": multiline,
        "max_length": block_kit.INPUT_TEXT,
    }
    # An initial value that doesn't fit is not set: a cut one would be submitted as if it were meant.
    if (initial := _words(field.initial)) and block_kit.units(initial) <= block_kit.INPUT_TEXT:
        element["initial_value"] = initial
    return element


def _words(initial: Json) -> str:
    if isinstance(initial, list):
        return "\n".join(_words(item) for item in initial)
    if isinstance(initial, bool):
        return "true" if initial else "false"
    return "" if initial is None or isinstance(initial, dict) else str(initial)


def _options(choices: tuple[str, ...]) -> list[Block]:
    usable = [choice for choice in dict.fromkeys(choices) if 0 < block_kit.units(choice) <= block_kit.OPTION_VALUE]
    return [block_kit.option(choice, choice) for choice in usable[: block_kit.OPTIONS]]


def _choice(field: FormField) -> Block:
    return _select(field, _options(field.choices))


def _flag(field: FormField) -> Block:
    # Two choices instead of a checkbox: an empty checkbox would mean `false` when nothing was chosen.
    return _select(field, [block_kit.option("Yes", "true"), block_kit.option("No", "false")])


def _select(field: FormField, options: list[Block]) -> Block:
    if not options:
        return _text(field)
    element: Block = {"type": "static_select", "action_id": VALUE_ACTION, "options": options}
    wanted = _words(field.initial)
    if initial := next((one for one in options if one["value"] == wanted), None):
        element["initial_option"] = initial
    return element


def _choices(field: FormField) -> Block:
    options = _options(field.choices)
    if not options:
        return _lines(field)
    element: Block = {"type": "multi_static_select", "action_id": VALUE_ACTION, "options": options}
    wanted = field.initial if isinstance(field.initial, list) else [field.initial]
    if initial := [one for one in options if one["value"] in wanted]:
        element["initial_options"] = initial
    return element


def _number(field: FormField) -> Block:
    decimal = isinstance(field.initial, float) and not field.initial.is_integer()
    element: Block = {"type": "number_input", "action_id": VALUE_ACTION, "is_decimal_allowed": decimal}
    initial = field.initial
    if isinstance(initial, float) and initial.is_integer():
        initial = int(initial)
    if not isinstance(initial, bool) and _NUMBER.fullmatch(_words(initial)):
        element["initial_value"] = _words(initial)
    return element


def _menu(field: FormField) -> Block:
    element: Block = {"type": "external_select", "action_id": MENUS[field.type], "min_query_length": 0}
    initial = _words(field.initial)
    if 0 < block_kit.units(initial) <= block_kit.OPTION_VALUE:
        element["initial_option"] = block_kit.option(initial, initial)
    return element


def _user(field: FormField) -> Block:
    element: Block = {"type": "users_select", "action_id": VALUE_ACTION}
    if block_kit.USER_ID.fullmatch(_words(field.initial)):
        element["initial_user"] = field.initial
    return element


def _channel(field: FormField) -> Block:
    element: Block = {"type": "conversations_select", "action_id": VALUE_ACTION}
    if block_kit.CHANNEL_ID.fullmatch(_words(field.initial)):
        element["initial_conversation"] = field.initial
    return element


def _datetime(field: FormField) -> Block:
    element: Block = {"type": "datetimepicker", "action_id": VALUE_ACTION}
    stamp = _stamp(field.initial)
    if stamp is not None and 10**9 <= stamp <= _LATEST:
        element["initial_date_time"] = stamp
    return element


def _stamp(initial: Json) -> int | None:
    """Seconds since 1970 of a whole number or an ISO 8601 text (UTC without a zone)."""
    if isinstance(initial, int) and not isinstance(initial, bool):
        return initial
    try:
        at = datetime.fromisoformat(_words(initial))
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


_ELEMENTS: Final[Mapping[str, Callable[[FormField], Block]]] = {
    "text": _text,
    "lines": _lines,
    "choice": _choice,
    "choices": _choices,
    "flag": _flag,
    "number": _number,
    "verb": _menu,
    "target": _menu,
    "user": _user,
    "channel": _channel,
    "datetime": _datetime,
}


def render_choices(groups: Sequence[Choices]) -> Block:
    """The answer to a block_suggestion. Values longer than OPTION_VALUE characters are left out."""
    left = block_kit.OPTIONS
    rendered: list[tuple[str, list[Block]]] = []
    for group in groups:
        options = [
            block_kit.option(one.text or one.value, one.value, one.note)
            for one in group.choices
            if 0 < block_kit.units(one.value) <= block_kit.OPTION_VALUE
        ]
        if options[:left]:
            rendered.append((group.label, options[:left]))
            left -= len(options[:left])
    if not any(label for label, _ in rendered):
        return {"options": [option for _, options in rendered for option in options]}
    return {
        "option_groups": [
            {"label": block_kit.plain(label or "Others", block_kit.OPTION_TEXT), "options": options}
            for label, options in rendered
        ]
    }


def read_form(values: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The filled-in values by field name, from `view.state.values` of a view_submission. Empty fields are absent.

    A date and time is ISO 8601 in UTC, a flag `true` or `false`, several choices a list.
    """
    found: dict[str, str | list[str]] = {}
    for name, elements in values.items():
        for state in elements.values() if isinstance(elements, Mapping) else ():
            if isinstance(state, Mapping) and (value := _read(state)):
                found[name] = value
    return found


def _read(state: Mapping[str, Any]) -> str | list[str] | None:
    several = state.get("selected_options")
    if isinstance(several, list):
        return [value for option in several if (value := _value(option))]
    at = state.get("selected_date_time")
    if isinstance(at, int) and 0 < at < 2**32:
        return datetime.fromtimestamp(at, UTC).isoformat()
    one = _value(state.get("selected_option"))
    keys = ("value", "selected_user", "selected_conversation", "selected_channel")
    return one or next((str(state[key]) for key in keys if state.get(key)), None)


def _value(option: Any) -> str | None:
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) and value else None
