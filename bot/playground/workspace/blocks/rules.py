"""Rules between keys that rows can't express: either this or that, initial values among the options, unique ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from .limits import CELLS, CHARTS_PER_MESSAGE, MARKDOWN_TOTAL, TABLES_PER_MESSAGE
from .walker import Walker, is_number

Json = dict[str, Any]
DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d$")


def _one_of(walker: Walker, pointer: str, value: Json, *names: str) -> None:
    given = [n for n in names if n in value]
    if len(given) != 1:
        walker.fault(pointer, f"exactly one of these fields is needed: {', '.join(names)}")


def _some_of(walker: Walker, pointer: str, value: Json, *names: str) -> None:
    if not any(n in value for n in names):
        walker.fault(pointer, f"missing required field: {' or '.join(names)}")


def _section(walker: Walker, pointer: str, value: Json) -> None:
    _some_of(walker, pointer, value, "text", "fields")


def _picture(walker: Walker, pointer: str, value: Json) -> None:
    _one_of(walker, pointer, value, "image_url", "slack_file")


def _slack_file(walker: Walker, pointer: str, value: Json) -> None:
    _one_of(walker, pointer, value, "id", "url")


def _card(walker: Walker, pointer: str, value: Json) -> None:
    _some_of(walker, pointer, value, "hero_image", "title", "actions", "body")


def _container(walker: Walker, pointer: str, value: Json) -> None:
    _some_of(walker, pointer, value, "title", "rich_text_title")
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        walker.fault(pointer, "default_collapsed needs is_collapsible")
    if value.get("is_collapsible") and value.get("has_header_divider"):
        walker.fault(pointer, "has_header_divider cannot be set when is_collapsible is true")


def _data_table(walker: Walker, pointer: str, value: Json) -> None:
    """The same number of cells in each row, none of them rich text in the header; the row header is one of the columns."""
    rows = [row for row in value.get("rows") or () if isinstance(row, list)]
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            walker.fault(f"{pointer}/rows/{index}", "all rows must have the same number of cells")
    for column, cell in enumerate(rows[0] if rows else ()):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            walker.fault(f"{pointer}/rows/0/{column}", "rich_text cannot be used for header cells")
    at = value.get("row_header_column_index")
    if rows and isinstance(at, int) and at >= len(rows[0]):
        walker.fault(f"{pointer}/row_header_column_index", "must be a column of the table")


def _pie(walker: Walker, pointer: str, value: Json) -> None:
    for index, segment in enumerate(_objects(value.get("segments"))):
        if is_number(segment.get("value"), whole=False) and segment["value"] <= 0:
            walker.fault(f"{pointer}/segments/{index}/value", "must be greater than 0")


def _plot(walker: Walker, pointer: str, value: Json) -> None:
    """Series with different names, each with exactly one point for each category."""
    axis = value.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    series = _objects(value.get("series"))
    names = Counter(one["name"] for one in series if isinstance(one.get("name"), str))
    if any(times > 1 for times in names.values()):
        walker.fault(f"{pointer}/series", "series names must be unique")
    for index, one in enumerate(series):
        labels = [point.get("label") for point in _objects(one.get("data"))]
        if isinstance(categories, list) and sorted(map(str, labels)) != sorted(map(str, categories)):
            walker.fault(f"{pointer}/series/{index}/data", "labels must match the categories of the axis")


def _objects(value: Any) -> list[Json]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _static_menu(walker: Walker, pointer: str, value: Json) -> None:
    _one_of(walker, pointer, value, "options", "option_groups")
    _choice(walker, pointer, value)


def _choice(walker: Walker, pointer: str, value: Json) -> None:
    """Options have values and no links; initial ones are among the options, word for word."""
    rows = [(f"{pointer}/options/{i}", o) for i, o in enumerate(_objects(value.get("options")))]
    for number, group in enumerate(_objects(value.get("option_groups"))):
        there = f"{pointer}/option_groups/{number}/options"
        rows += [(f"{there}/{i}", o) for i, o in enumerate(_objects(group.get("options")))]
    for where, option in rows:
        _option(walker, where, option)
    options = [o for _, o in rows]
    if "initial_option" in value and value["initial_option"] not in options:
        walker.fault(f"{pointer}/initial_option", "initial_option must be one of the options")
    if any(o not in options for o in _objects(value.get("initial_options"))):
        walker.fault(f"{pointer}/initial_options", "initial_options must be among the options")
    if value.get("initial_options") == []:
        walker.fault(f"{pointer}/initial_options", "no fewer than 1 items allowed")


def _option(walker: Walker, pointer: str, option: Json) -> None:
    if "value" not in option:
        walker.fault(pointer, "missing required field: value")
    if "url" in option:
        walker.fault(pointer, "invalid additional property: url")


def _overflow(walker: Walker, pointer: str, value: Json) -> None:
    """Only here may an option have a url; then it needs no value."""
    for index, option in enumerate(_objects(value.get("options"))):
        if "url" not in option and "value" not in option:
            walker.fault(f"{pointer}/options/{index}", "missing required field: value")


def _ordered(low: str, high: str) -> Callable[[Walker, str, Json], None]:
    def rule(walker: Walker, pointer: str, value: Json) -> None:
        least, most = _as_number(value.get(low)), _as_number(value.get(high))
        if least is not None and most is not None and least > most:
            walker.fault(pointer, f"{low} must not be above {high}")

    return rule


def _as_number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str) or is_number(value, whole=False) else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _number_input(walker: Walker, pointer: str, value: Json) -> None:
    for key in ("min_value", "max_value", "initial_value"):
        if isinstance(value.get(key), str) and _as_number(value[key]) is None:
            walker.fault(f"{pointer}/{key}", "must be a number")
    _ordered("min_value", "max_value")(walker, pointer, value)


def _matching(key: str, pattern: re.Pattern[str], complaint: str) -> Callable[[Walker, str, Json], None]:
    def rule(walker: Walker, pointer: str, value: Json) -> None:
        if isinstance(value.get(key), str) and not pattern.match(value[key]):
            walker.fault(f"{pointer}/{key}", complaint)

    return rule


def _epoch(walker: Walker, pointer: str, value: Json) -> None:
    given = value.get("initial_date_time")
    if is_number(given, whole=True) and len(str(given)) != 10:
        walker.fault(f"{pointer}/initial_date_time", "must be a timestamp of 10 digits")


RULES: dict[str, Callable[[Walker, str, Json], None]] = {
    "section": _section,
    "image": _picture,
    "image_block": _picture,
    "slack_file": _slack_file,
    "card": _card,
    "container": _container,
    "data_table": _data_table,
    "pie": _pie,
    "bar": _plot,
    "area": _plot,
    "line": _plot,
    "static_select": _static_menu,
    "multi_static_select": _static_menu,
    "checkboxes": _choice,
    "radio_buttons": _choice,
    "overflow": _overflow,
    "plain_text_input": _ordered("min_length", "max_length"),
    "rich_text_input": _ordered("min_lines", "max_lines"),
    "number_input": _number_input,
    "datepicker": _matching("initial_date", DATE, "must be a date as YYYY-MM-DD"),
    "timepicker": _matching("initial_time", CLOCK, "must be a time as HH:mm"),
    "datetimepicker": _epoch,
}


def apply(walker: Walker) -> None:
    """Apply all rules to everything that the walk found."""
    for pointer, row, value in list(walker.seen):
        if row in RULES:
            RULES[row](walker, pointer, value)
    _unique_block_ids(walker)
    _unique_action_ids(walker)
    _one_focus(walker)


def _unique_block_ids(walker: Walker) -> None:
    ids = Counter(v["block_id"] for _, _, v in walker.seen if isinstance(v.get("block_id"), str))
    for pointer, _, value in walker.seen:
        block_id = value.get("block_id")
        if isinstance(block_id, str) and ids[block_id] > 1:
            walker.fault(f"{pointer}/block_id", f'block_id "{block_id}" already exists')
            ids[block_id] = 0


def _unique_action_ids(walker: Walker) -> None:
    """Within one block."""
    for pointer, row, value in walker.seen:
        if row not in ("actions", "context_actions", "card"):
            continue
        key = "actions" if row == "card" else "elements"
        ids = Counter(e["action_id"] for e in _objects(value.get(key)) if isinstance(e.get("action_id"), str))
        for action_id, times in ids.items():
            if times > 1:
                walker.fault(f"{pointer}/{key}", f'action_id "{action_id}" already exists')


def _one_focus(walker: Walker) -> None:
    focused = [pointer for pointer, _, value in walker.seen if value.get("focus_on_load") is True]
    for pointer in focused[1:]:
        walker.fault(f"{pointer}/focus_on_load", "only one element may have focus_on_load")


def message_totals(walker: Walker, pointer: str) -> None:
    """Limits over a whole message: markdown text, tables and their cells, charts."""
    texts = [v["text"] for _, row, v in walker.seen if row == "markdown" and isinstance(v.get("text"), str)]
    if sum(map(len, texts)) > MARKDOWN_TOTAL:
        walker.fault(pointer, f"markdown blocks must have less than {MARKDOWN_TOTAL + 1} characters in total")
    tables = [where for where, row, _ in walker.seen if row == "table"]
    for where in tables[TABLES_PER_MESSAGE:]:
        walker.fault(where, "only_one_table_allowed")
    cells = sum(_cell_length(cell) for _, row, v in walker.seen if row == "data_table" for cell in _cells(v))
    if cells > CELLS:
        walker.fault(pointer, f"the cells of all tables must have less than {CELLS + 1} characters in total")
    charts = [where for where, row, _ in walker.seen if row == "data_visualization"]
    for where in charts[CHARTS_PER_MESSAGE:]:
        walker.fault(where, f"no more than {CHARTS_PER_MESSAGE} data_visualization blocks allowed")


def _cells(table: Json) -> Iterator[Json]:
    return (cell for row in table.get("rows") or () if isinstance(row, list) for cell in _objects(row))


def _cell_length(cell: Json) -> int:
    """The characters of a cell, those in rich text included."""
    own = len(str(cell.get("text") or cell.get("fallback") or ""))
    return own + sum(map(_cell_length, _objects(cell.get("elements"))))
