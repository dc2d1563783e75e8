"""What Slack accepts, written down again from its reference, so that the tests do not lean on the code's own constants."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View as SdkView

Json = dict[str, Any]

DATE = re.compile(
    r"<!date\^\d+\^(?:\{date_short_pretty\} )?\{time(?:_secs)?\}(?: \((?:\{ago\}|in [0-9a-z ]+)\))?"
    r"\|\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? UTC>"
)


@cache
def _validators(sort: type) -> tuple[str, ...]:
    """The names of its methods that slack_sdk marks as validators, which it looks for in each object anew."""
    return tuple(name for name in dir(sort) if hasattr(getattr(sort, name), "validator"))


def _validate(block: JsonObject) -> None:
    for name in _validators(type(block)):
        getattr(block, name)()


JsonObject.validate_json = _validate  # type: ignore[method-assign]


def size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check_alternatives(text: str, blocks: list[Json]) -> None:
    """Whoever sees no pictures and no blocks reads the same: the message has a text, a chart its title and its figures in that
    text, a table its caption and column names, a picture its alternative text, a button and a section to open a label."""
    assert text.strip()
    for block in blocks:
        kind = block["type"]
        if kind == "data_visualization":
            assert block["title"].strip()
            points = [point for one in block["chart"]["series"] for point in one["data"]]
            assert all(point["label"] in text for point in points), text
            assert all(f"{point['value']:g}" in text for point in points if point["value"]), text
        elif kind == "data_table":
            assert block["caption"].strip()
        if kind in ("data_table", "table"):
            assert any(_has_words(cell) for cell in block["rows"][0])
        elif kind == "image":
            assert block["alt_text"].strip()
        elif kind == "container":
            assert block["title"]["text"].strip()
            check_alternatives(text, block["child_blocks"])
        elif kind == "actions":
            labels = [one["text"]["text"] if "text" in one else one["accessibility_label"] for one in block["elements"]]
            assert all(label.strip() for label in labels)


def _has_words(cell: Json) -> bool:
    return any(text.strip() for text in re.findall(r'"text": "([^"]*)"', json.dumps(cell)))


def check_message(text: str, blocks: list[Json], called: Collection[str] = ()) -> None:
    """Every limit of a message, and no live token but dates and mentions of `called`."""
    assert 0 < size(text) <= 3000
    check_live(text, called)
    assert 1 <= len(blocks) <= 50
    assert len(json.dumps(blocks)) + len(json.dumps(text)) < 13_000
    assert sum(block["type"] in ("table", "data_table") for block in blocks) <= 1
    assert sum(block["type"] == "data_visualization" for block in blocks) <= 2
    check_blocks(blocks, called)


def check_view(view: Json, called: Collection[str] = ()) -> None:
    assert 1 <= len(view["blocks"]) <= 100
    assert len(json.dumps(view).encode()) < 250_000
    assert size(view.get("callback_id", "")) <= 255
    for key in ("title", "submit", "close"):
        if key in view:
            check_text(view[key], 24)
    check_blocks(view["blocks"], called)
    if any(block["type"] == "input" for block in view["blocks"]):
        assert "submit" in view
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SdkView(**view).to_dict()


def check_blocks(blocks: list[Json], called: Collection[str]) -> None:
    actions: list[str] = []
    blocks = [part for block in blocks for part in (block, *block.get("child_blocks", ()))]
    for block in blocks:
        CHECKS[block["type"]](block)
        if block["type"] == "actions":
            actions.extend(element["action_id"] for element in block["elements"])
        for item in text_objects(block):
            if item["type"] == "mrkdwn":
                assert item["verbatim"] is True
                check_live(item["text"], called)
        if block["type"] in UNKNOWN_TO_THE_SDK:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = SdkBlock.parse(block)
        assert parsed is not None
        assert parsed.to_dict()["type"] == block["type"]
    assert len(actions) == len(set(actions))
    names = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(names) == len(set(names))


def text_objects(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for item in value:
            yield from text_objects(item)
    elif isinstance(value, dict):
        if value.get("type") in ("mrkdwn", "plain_text", "raw_text"):
            yield value
        for item in value.values():
            yield from text_objects(item)


def check_live(text: str, called: Collection[str]) -> None:
    """Nothing that Slack would turn into a ping, a link or a date, but our own."""
    rest = DATE.sub("", text)
    for one in called:
        rest = rest.replace(f"<@{one}>", "").replace(f"<!subteam^{one}>", "").replace(f"<#{one}>", "")
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"&(?!(?:amp|lt|gt);)", rest)
    rest = re.sub(r"(?<!\d)\d\d:\d\d:\d\d(?![\d:])", "", rest)
    outside = re.sub(r"`[^`\n]*`", "", re.sub(r"```\n.*?\n```", "", rest, flags=re.DOTALL))
    assert "`" not in outside
    assert not re.search(r"://|:[^\s:]+:|@(?:here|channel|everyone)\b|(?m:^&gt;)", outside, re.IGNORECASE)
    # A star is ours when it stands around a whole title, heading or label.
    assert all(row.count("*") in (0, 2) for row in outside.split("\n"))
    assert not re.search(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|~", outside)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]", rest)


def check_text(item: Json, limit: int, kinds: Collection[str] = ("plain_text",)) -> None:
    assert item["type"] in kinds
    assert 0 < size(item["text"]) <= limit
    assert item["text"].strip()


def _section(block: Json) -> None:
    assert ("text" in block) != ("fields" in block)
    if "text" in block:
        check_text(block["text"], 3000, ("mrkdwn",))
    for item in block.get("fields", ()):
        check_text(item, 2000, ("mrkdwn",))
    assert "fields" not in block or 1 <= len(block["fields"]) <= 10


def _context(block: Json) -> None:
    assert 1 <= len(block["elements"]) <= 10
    for item in block["elements"]:
        check_text(item, 3000, ("mrkdwn",))


def _actions(block: Json) -> None:
    assert 1 <= len(block["elements"]) <= 25
    for element in block["elements"]:
        assert element["type"] == "button"
        check_text(element["text"], 75)
        assert 0 < size(element["action_id"]) <= 255
        assert 0 < size(element.get("value", "x")) <= 2000
        assert element.get("style", "primary") in ("primary", "danger")
        if "confirm" in element:
            dialog = element["confirm"]
            check_text(dialog["title"], 100)
            check_text(dialog["text"], 300)
            check_text(dialog["confirm"], 30)
            check_text(dialog["deny"], 30)


def _table(block: Json) -> None:
    assert 1 <= len(block["rows"]) <= 100
    _cells(block["rows"])


def _data_table(block: Json) -> None:
    assert 2 <= len(block["rows"]) <= 101
    assert block["caption"].strip()
    assert 1 <= block["page_size"] <= 100
    assert {cell["type"] for cell in block["rows"][0]} == {"raw_text"}
    _cells(block["rows"])


def _data_visualization(block: Json) -> None:
    assert 0 < size(block["title"]) <= 50
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    assert 1 <= len(categories) == len(set(categories)) <= 20
    assert all(0 < size(text) <= 20 for text in categories)
    assert all(0 < size(chart["axis_config"].get(key, "x")) <= 50 for key in ("x_label", "y_label"))
    names = [one["name"] for one in chart["series"]]
    assert 1 <= len(names) == len(set(names)) <= 6
    assert all(0 < size(name) <= 20 for name in names)
    assert all([point["label"] for point in one["data"]] == categories for one in chart["series"])


def _cells(rows: list[list[Json]]) -> None:
    assert 1 <= len(rows[0]) <= 20
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for cell in row:
            if cell["type"] == "rich_text":
                (elements,) = [part["elements"] for part in cell["elements"]]
                dated = [one for one in elements if one["type"] == "date"]
                for one in dated:  # docs.slack.dev/reference/block-kit/blocks/rich-text-block
                    assert one.keys() == {"type", "timestamp", "format", "fallback"}
                    assert isinstance(one["timestamp"], int)
                for one in elements:
                    assert one["type"] != "text" or one["text"]
                    assert one["type"] in ("text", "date") or one.keys() in (
                        {"type", "user_id"},
                        {"type", "channel_id"},
                    )
                assert any(one["type"] != "text" for one in elements)
            else:
                check_text(cell, 10_000, ("raw_text", "raw_number"))
                assert cell["type"] == "raw_text" or isinstance(cell["value"], int | float)
    assert sum(size(cell.get("text", "")) for row in rows for cell in row) <= 10_000


def _container(block: Json) -> None:
    check_text(block["title"], 150)
    assert 1 <= len(block["child_blocks"]) <= 10
    assert block["is_collapsible"] is block["default_collapsed"] is True


def _divider(block: Json) -> None:
    assert block == {"type": "divider"}


def _input(block: Json) -> None:
    assert 0 < size(block["block_id"]) <= 255
    check_text(block["label"], 2000)
    if "hint" in block:
        check_text(block["hint"], 2000)
    element = block["element"]
    assert 0 < size(element["action_id"]) <= 255
    options = element.get("options")
    if options is not None:
        assert 1 <= len(options) <= 100
        for item in options:
            check_text(item["text"], 75)
            assert 0 < size(item["value"]) <= 150
    assert size(element.get("initial_value", "x")) <= 3000


UNKNOWN_TO_THE_SDK = ("data_table", "data_visualization")
CHECKS = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "table": _table,
    "container": _container,
    "data_table": _data_table,
    "data_visualization": _data_visualization,
    "divider": _divider,
    "input": _input,
}
