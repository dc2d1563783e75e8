"""Every structural rule of Block Kit, its surfaces, and agreement with the official models."""

from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from workspace_shapes import (
    CARD,
    DIVIDER,
    FEEDBACK,
    IMAGE,
    TASK,
    actions,
    bar_chart,
    button,
    confirm,
    data_table,
    entry,
    menu,
    modal,
    mrkdwn,
    option,
    options,
    pie_chart,
    plain,
    rich,
    section,
    table,
    text_input,
)

from bot.playground.workspace.blocks import check_blocks, check_options, check_view, fill_ids, walk_elements

Json = dict[str, Any]
CELL = {"type": "raw_text", "text": "x"}
TWINS = bar_chart(2, 2)
TWINS["chart"]["series"][1]["name"] = TWINS["chart"]["series"][0]["name"]

BAD_MESSAGES: list[tuple[str, Json, str, str]] = [
    ("unknown block", {"type": "nonsense"}, "/blocks/0", "unsupported type: nonsense"),
    ("no type", {"text": plain()}, "/blocks/0", "must provide an object with a type"),
    ("not an object", "divider", "/blocks/0", "must provide an object with a type"),  # type: ignore[list-item]
    ("typo in a block", section(acessory=button()), "/blocks/0", "invalid additional property: acessory"),
    ("typo in a button", actions(button(vaule="x")), "/blocks/0/elements/0", "invalid additional property: vaule"),
    ("mrkdwn header", {"type": "header", "text": mrkdwn()}, "/blocks/0/text", "must provide a text object of type"),
    ("mrkdwn button", actions(button(text=mrkdwn())), "/blocks/0/elements/0/text", "must provide a text object"),
    ("text as a string", section(text="x"), "/blocks/0/text", "must provide a text object"),
    ("emoji on mrkdwn", section(text={**mrkdwn(), "emoji": True}), "/blocks/0/text", "invalid additional property"),
    ("empty text", section(text=mrkdwn("")), "/blocks/0/text/text", "must be more than 0 characters"),
    ("empty context text", {"type": "context", "elements": [mrkdwn("")]}, "/blocks/0/elements/0/text", "must be more"),
    ("empty section", {"type": "section"}, "/blocks/0", "missing required field: text or fields"),
    ("no elements", actions(), "/blocks/0/elements", "no fewer than 1 items allowed"),
    ("button without text", actions({"type": "button"}), "/blocks/0/elements/0", "missing required field: text"),
    ("bad style", actions(button(style="warning")), "/blocks/0/elements/0/style", "must be one of: primary, danger"),
    ("null", section(accessory=None), "/blocks/0/accessory", "must provide an object"),
    ("number as value", actions(button(value=1)), "/blocks/0/elements/0/value", "must provide a string"),
    ("url without scheme", actions(button(url="e.org")), "/blocks/0/elements/0/url", "must provide a valid url"),
    ("input in actions", actions(text_input()), "/blocks/0/elements/0", "unsupported type: plain_text_input"),
    ("button in context", {"type": "context", "elements": [button()]}, "/blocks/0/elements/0", "unsupported type"),
    ("image without source", {"type": "image", "alt_text": "x"}, "/blocks/0", "exactly one of"),
    ("image without alt", {"type": "image", "image_url": "https://e.org"}, "/blocks/0", "missing required field"),
    ("same action_id twice", actions(button(1), button(1)), "/blocks/0/elements", 'action_id "a1" already exists'),
    ("menu without options", actions(menu()), "/blocks/0/elements/0", "exactly one of"),
    ("menu with empty options", actions(menu(options=[])), "/blocks/0/elements/0/options", "no fewer than 1"),
    (
        "menu with both",
        actions(menu(options=options(1), option_groups=[{"label": plain(), "options": options(1)}])),
        "/blocks/0/elements/0",
        "exactly one of",
    ),
    (
        "initial option elsewhere",
        actions(menu(options=options(1), initial_option=option(7))),
        "/blocks/0/elements/0/initial_option",
        "initial_option must be one of the options",
    ),
    (
        "option without value",
        actions(menu(options=[{"text": plain()}])),
        "/blocks/0/elements/0/options/0",
        "missing required field: value",
    ),
    (
        "option with a link in a menu",
        actions(menu(options=[option(url="https://e.org")])),
        "/blocks/0/elements/0/options/0",
        "invalid additional property: url",
    ),
    (
        "mrkdwn option in a menu",
        actions(menu(options=[option(text=mrkdwn())])),
        "/blocks/0/elements/0/options/0/text",
        "must provide a text object",
    ),
    (
        "datepicker",
        actions({"type": "datepicker", "initial_date": "1.2.2026"}),
        "/blocks/0/elements/0/initial_date",
        "",
    ),
    ("timepicker", actions({"type": "timepicker", "initial_time": "25:00"}), "/blocks/0/elements/0/initial_time", ""),
    (
        "number bounds",
        entry({"type": "number_input", "is_decimal_allowed": False, "min_value": "5", "max_value": "1"}),
        "/blocks/0/element",
        "min_value must not be above max_value",
    ),
    ("number without kind", entry({"type": "number_input"}), "/blocks/0/element", "missing required field"),
    ("rich text without elements", {"type": "rich_text"}, "/blocks/0", "missing required field: elements"),
    ("rich text style", rich({"type": "text", "text": "x", "style": {"blink": True}}), "/blocks/0/elements", "invalid"),
    ("task status", {**TASK, "status": "done"}, "/blocks/0/status", "must be one of"),
    ("empty card", {"type": "card"}, "/blocks/0", "missing required field"),
    (
        "collapsed container",
        {"type": "container", "title": plain(), "child_blocks": [DIVIDER], "default_collapsed": True},
        "/blocks/0",
        "default_collapsed needs is_collapsible",
    ),
    (
        "divided container",
        {
            "type": "container",
            "title": plain(),
            "child_blocks": [DIVIDER],
            "is_collapsible": True,
            "has_header_divider": True,
        },
        "/blocks/0",
        "has_header_divider cannot be set",
    ),
    ("data table without rows", data_table(1), "/blocks/0/rows", "no fewer than 2"),
    ("data table without caption", {**data_table(), "caption": ""}, "/blocks/0/caption", "must be more than 0"),
    (
        "ragged data table",
        {**data_table(), "rows": [[CELL], [CELL, CELL]]},
        "/blocks/0/rows/1",
        "all rows must have the same number",
    ),
    (
        "rich header of a data table",
        {**data_table(), "rows": [[rich({"type": "text", "text": "x"})], [CELL]]},
        "/blocks/0/rows/0/0",
        "rich_text cannot be used for header cells",
    ),
    ("row header of a data table", data_table(row_header_column_index=1), "/blocks/0/row_header", "must be a column"),
    ("chart of a type", {**bar_chart(), "chart": {"type": "radar"}}, "/blocks/0/chart", "unsupported type: radar"),
    ("pie without a slice", pie_chart(value=0), "/blocks/0/chart/segments/0/value", "must be greater than 0"),
    ("chart without categories", bar_chart(categories=[]), "/blocks/0/chart/axis_config/categories", "no fewer than 1"),
    ("chart of other labels", bar_chart(categories=["a", "b"]), "/blocks/0/chart/series/0/data", "labels must match"),
    ("twin series", TWINS, "/blocks/0/chart/series", "series names must be unique"),
    ("alert in a message", {"type": "alert", "text": plain()}, "/blocks/0", "unsupported type on this surface: alert"),
]


@pytest.mark.parametrize(("block", "where", "why"), [row[1:] for row in BAD_MESSAGES], ids=[r[0] for r in BAD_MESSAGES])
def test_a_bad_block_is_refused_with_its_place(block: Json, where: str, why: str) -> None:
    faults = check_blocks([block])
    assert any(f.pointer.startswith(where) and f.message.startswith(why) for f in faults), faults


def test_a_block_id_is_used_once() -> None:
    (fault,) = check_blocks([section(block_id="b"), section(block_id="b")])
    assert fault.message == 'block_id "b" already exists'


def test_an_action_id_may_return_in_another_block() -> None:
    assert check_blocks([actions(button(1)), actions(button(1))]) == []


SURFACES = [
    ("alert", {"type": "alert", "text": plain()}, {"modal"}),
    ("container", {"type": "container", "title": plain(), "child_blocks": [DIVIDER]}, {"message"}),
    ("markdown", {"type": "markdown", "text": "x"}, {"message"}),
    ("context_actions", {"type": "context_actions", "elements": [FEEDBACK]}, {"message"}),
    ("task_card", TASK, {"message"}),
    ("plan", {"type": "plan", "title": "x", "tasks": [TASK]}, {"message"}),
    ("table", table(), {"message", "home"}),
    ("data_table", data_table(), {"message", "home"}),
    ("data_visualization", bar_chart(), {"message"}),
    ("carousel", {"type": "carousel", "elements": [CARD]}, {"message", "home"}),
    ("section", section(), {"message", "modal", "home"}),
    ("input", entry(), {"message", "modal", "home"}),
    ("card", CARD, {"message", "modal", "home"}),
]


@pytest.mark.parametrize(("block", "surfaces"), [row[1:] for row in SURFACES], ids=[r[0] for r in SURFACES])
def test_a_block_stands_only_on_its_surfaces(block: Json, surfaces: set[str]) -> None:
    assert {s for s in ("message", "modal", "home") if not check_blocks([block], s)} == surfaces


def test_a_form_needs_a_submit_button() -> None:
    form = modal(entry())
    assert check_view(form, "modal") == []
    del form["submit"]
    assert [f.message for f in check_view(form, "modal")] == ["missing required field: submit"]


def test_a_home_tab_has_neither_title_nor_submit() -> None:
    assert check_view({"type": "home", "blocks": [section(), entry()]}, "home") == []
    faults = check_view({"type": "home", "blocks": [section()], "submit": plain(), "title": plain()}, "home")
    assert [f.message for f in faults] == ["invalid additional property: submit", "invalid additional property: title"]


def test_only_one_field_gets_the_focus() -> None:
    focused = text_input(focus_on_load=True)
    assert check_view(modal(entry(focused)), "modal") == []
    assert check_view(modal(entry(focused), entry(focused)), "modal")


def test_an_external_menu_gets_at_most_100_options() -> None:
    assert check_options({"options": options(100)}) == []
    assert check_options({"options": options(101)})
    assert check_options({"option_groups": [{"label": plain(), "options": options(100)}]}) == []
    assert check_options({"options": [], "option_groups": []})
    assert check_options(None)


def test_ids_are_invented_where_none_were_given() -> None:
    given = [actions({"type": "button", "text": plain()}), section(accessory=button())]
    filled = fill_ids(given)
    assert all(b["block_id"] for b in filled)
    assert [e["action_id"] for _, e in walk_elements(filled)][1] == "a0"
    assert "block_id" not in given[0]


GOOD: list[Json] = [
    section(accessory=button(confirm=confirm()), fields=[plain()]),
    section(accessory=IMAGE, expand=True),
    section(accessory=menu(option_groups=[{"label": plain(), "options": options(2)}], initial_option=option(1))),
    actions({"type": "overflow", "options": [option(0, url="https://e.org"), option(1)]}, button(style="danger")),
    actions({"type": "checkboxes", "options": [option(text=mrkdwn())], "initial_options": [option(text=mrkdwn())]}),
    actions({"type": "users_select", "initial_user": "U0ANA"}, {"type": "datepicker", "initial_date": "2026-07-16"}),
    actions(
        {"type": "external_select", "min_query_length": 0}, {"type": "datetimepicker", "initial_date_time": 1 * 10**9}
    ),
    {"type": "context", "elements": [IMAGE, plain(), mrkdwn()]},
    {"type": "header", "text": plain()},
    {**IMAGE, "title": plain()},
    entry(text_input(multiline=True, min_length=1, max_length=10), hint=plain(), optional=True),
    entry({"type": "number_input", "is_decimal_allowed": True, "min_value": "-1", "max_value": "2.5"}),
    entry({"type": "multi_conversations_select", "filter": {"include": ["im", "public"]}, "max_selected_items": 2}),
    rich({"type": "text", "text": "x", "style": {"bold": True}}, {"type": "link", "url": "https://e.org"}),
    {"type": "markdown", "text": "**x**"},
    table(2, 3),
    DIVIDER,
    TASK,
    {"type": "plan", "title": "x", "tasks": [{**TASK, "status": "pending"}]},
    {"type": "context_actions", "elements": [FEEDBACK]},
    CARD,
]


@pytest.mark.parametrize("block", GOOD, ids=[f"{n}-{b['type']}" for n, b in enumerate(GOOD)])
def test_what_the_official_models_accept_is_accepted(block: Json) -> None:
    parsed = Block.parse(block)
    assert parsed is not None
    assert parsed.to_dict()
    assert check_blocks([block]) == []


def test_the_official_view_model_agrees_on_a_form() -> None:
    form = modal(entry(), section(), callback_id="c", private_metadata="{}", notify_on_close=True)
    assert check_view(View(**form).to_dict(), "modal") == []
