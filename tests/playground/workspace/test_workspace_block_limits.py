"""Every limit of Block Kit from both sides: the most that is allowed, and one more."""

from typing import Any

import pytest
from workspace_shapes import (
    CARD,
    DIVIDER,
    FEEDBACK,
    IMAGE,
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
    section,
    table,
    text_input,
)

from bot.playground.workspace.blocks import check_blocks, check_view

Json = dict[str, Any]

# (what, the most that is allowed, one too many)
MESSAGE_LIMITS: list[tuple[str, list[Json], list[Json]]] = [
    ("50 blocks", [DIVIDER] * 50, [DIVIDER] * 51),
    ("block_id", [section(block_id="b" * 255)], [section(block_id="b" * 256)]),
    ("action_id", [actions(button(action_id="a" * 255))], [actions(button(action_id="a" * 256))]),
    ("section text", [section(text=mrkdwn("x" * 3000))], [section(text=mrkdwn("x" * 3001))]),
    ("fields", [section(fields=[plain()] * 10)], [section(fields=[plain()] * 11)]),
    ("field text", [section(fields=[plain("x" * 2000)])], [section(fields=[plain("x" * 2001)])]),
    ("header", [{"type": "header", "text": plain("x" * 150)}], [{"type": "header", "text": plain("x" * 151)}]),
    (
        "context",
        [{"type": "context", "elements": [plain()] * 10}],
        [{"type": "context", "elements": [plain()] * 11}],
    ),
    (
        "context_actions",
        [{"type": "context_actions", "elements": [{**FEEDBACK, "action_id": str(n)} for n in range(5)]}],
        [{"type": "context_actions", "elements": [{**FEEDBACK, "action_id": str(n)} for n in range(6)]}],
    ),
    ("actions", [actions(*map(button, range(25)))], [actions(*map(button, range(26)))]),
    ("button text", [actions(button(text=plain("x" * 75)))], [actions(button(text=plain("x" * 76)))]),
    ("button value", [actions(button(value="x" * 2000))], [actions(button(value="x" * 2001))]),
    (
        "button url",
        [actions(button(url="https://e.org/" + "x" * 2986))],
        [actions(button(url="https://e.org/" + "x" * 2987))],
    ),
    (
        "accessibility_label",
        [actions(button(accessibility_label="x" * 75))],
        [actions(button(accessibility_label="x" * 76))],
    ),
    ("agent_prompt", [actions(button(agent_prompt="x" * 4000))], [actions(button(agent_prompt="x" * 4001))]),
    (
        "option text",
        [actions(menu(options=[option(text=plain("x" * 75))]))],
        [actions(menu(options=[option(text=plain("x" * 76))]))],
    ),
    (
        "option value",
        [actions(menu(options=[option(value="x" * 150)]))],
        [actions(menu(options=[option(value="x" * 151)]))],
    ),
    (
        "option description",
        [actions(menu(options=[option(description=plain("x" * 75))]))],
        [actions(menu(options=[option(description=plain("x" * 76))]))],
    ),
    ("options", [actions(menu(options=options(100)))], [actions(menu(options=options(101)))]),
    (
        "option groups",
        [actions(menu(option_groups=[{"label": plain(), "options": options(1)}] * 100))],
        [actions(menu(option_groups=[{"label": plain(), "options": options(1)}] * 101))],
    ),
    (
        "option group label",
        [actions(menu(option_groups=[{"label": plain("x" * 75), "options": options(1)}]))],
        [actions(menu(option_groups=[{"label": plain("x" * 76), "options": options(1)}]))],
    ),
    (
        "overflow",
        [actions({"type": "overflow", "options": options(5)})],
        [actions({"type": "overflow", "options": options(6)})],
    ),
    (
        "radio buttons",
        [actions({"type": "radio_buttons", "options": options(10)})],
        [actions({"type": "radio_buttons", "options": options(11)})],
    ),
    (
        "checkboxes",
        [actions({"type": "checkboxes", "options": options(10)})],
        [actions({"type": "checkboxes", "options": options(11)})],
    ),
    (
        "placeholder",
        [actions(menu(options=options(1), placeholder=plain("x" * 150)))],
        [actions(menu(options=options(1), placeholder=plain("x" * 151)))],
    ),
    (
        "confirm title",
        [actions(button(confirm=confirm(title=plain("x" * 100))))],
        [actions(button(confirm=confirm(title=plain("x" * 101))))],
    ),
    (
        "confirm text",
        [actions(button(confirm=confirm(text=plain("x" * 300))))],
        [actions(button(confirm=confirm(text=plain("x" * 301))))],
    ),
    (
        "confirm button",
        [actions(button(confirm=confirm(confirm=plain("x" * 30))))],
        [actions(button(confirm=confirm(confirm=plain("x" * 31))))],
    ),
    (
        "confirm deny",
        [actions(button(confirm=confirm(deny=plain("x" * 30))))],
        [actions(button(confirm=confirm(deny=plain("x" * 31))))],
    ),
    ("label", [entry(label=plain("x" * 2000))], [entry(label=plain("x" * 2001))]),
    ("hint", [entry(hint=plain("x" * 2000))], [entry(hint=plain("x" * 2001))]),
    ("max_length", [entry(text_input(max_length=3000))], [entry(text_input(max_length=3001))]),
    (
        "image url",
        [{**IMAGE, "image_url": "https://e.org/" + "x" * 2986}],
        [{**IMAGE, "image_url": "https://e.org/" + "x" * 2987}],
    ),
    ("image alt", [{**IMAGE, "alt_text": "x" * 2000}], [{**IMAGE, "alt_text": "x" * 2001}]),
    ("image title", [{**IMAGE, "title": plain("x" * 2000)}], [{**IMAGE, "title": plain("x" * 2001)}]),
    ("markdown", [{"type": "markdown", "text": "x" * 12_000}], [{"type": "markdown", "text": "x" * 12_001}]),
    ("markdown in all", [{"type": "markdown", "text": "x" * 6000}] * 2, [{"type": "markdown", "text": "x" * 6001}] * 2),
    ("table rows", [table(rows=100)], [table(rows=101)]),
    ("table cells", [table(cells=20)], [table(cells=21)]),
    (
        "column settings",
        [{**table(), "column_settings": [{"align": "left"}] * 20}],
        [{**table(), "column_settings": [{"align": "left"}] * 21}],
    ),
    ("tables", [table()], [table(), table()]),
    ("card title", [{**CARD, "title": mrkdwn("x" * 150)}], [{**CARD, "title": mrkdwn("x" * 151)}]),
    ("card subtitle", [{**CARD, "subtitle": mrkdwn("x" * 150)}], [{**CARD, "subtitle": mrkdwn("x" * 151)}]),
    ("card body", [{**CARD, "body": mrkdwn("x" * 200)}], [{**CARD, "body": mrkdwn("x" * 201)}]),
    (
        "carousel",
        [{"type": "carousel", "elements": [CARD] * 10}],
        [{"type": "carousel", "elements": [CARD] * 11}],
    ),
    (
        "container",
        [{"type": "container", "title": plain("x" * 150), "child_blocks": [DIVIDER] * 10}],
        [{"type": "container", "title": plain("x" * 150), "child_blocks": [DIVIDER] * 11}],
    ),
    (
        "container title",
        [{"type": "container", "title": plain("x" * 150), "child_blocks": [DIVIDER]}],
        [{"type": "container", "title": plain("x" * 151), "child_blocks": [DIVIDER]}],
    ),
    ("data table rows", [data_table(101)], [data_table(102)]),
    ("data table columns", [data_table(2, 20)], [data_table(2, 21)]),
    ("data table page", [data_table(page_size=100)], [data_table(page_size=101)]),
    ("data table cells", [data_table(2, 10, "x" * 500)], [data_table(2, 10, "x" * 501)]),
    ("cells of a message", [data_table(2, 5, "x" * 500)] * 2, [data_table(2, 5, "x" * 501)] * 2),
    ("charts of a message", [bar_chart()] * 2, [bar_chart()] * 3),
    ("chart title", [bar_chart(title="x" * 50)], [bar_chart(title="x" * 51)]),
    ("chart points", [bar_chart(20)], [bar_chart(21)]),
    ("chart series", [bar_chart(2, 6)], [bar_chart(2, 7)]),
    ("chart label", [bar_chart(2, label="x" * 19)], [bar_chart(2, label="x" * 20)]),
    ("chart axis", [bar_chart(2, y_label="x" * 50)], [bar_chart(2, y_label="x" * 51)]),
    ("pie segments", [pie_chart(6)], [pie_chart(7)]),
]


@pytest.mark.parametrize(
    ("most", "too_many"), [(m, t) for _, m, t in MESSAGE_LIMITS], ids=[i for i, *_ in MESSAGE_LIMITS]
)
def test_a_message_limit_holds_to_the_character(most: list[Json], too_many: list[Json]) -> None:
    assert check_blocks(most) == []
    assert check_blocks(too_many)


VIEW_LIMITS: list[tuple[str, Json, Json]] = [
    ("100 blocks", modal(*[DIVIDER] * 100), modal(*[DIVIDER] * 101)),
    ("title", modal(title=plain("x" * 24)), modal(title=plain("x" * 25))),
    ("submit", modal(submit=plain("x" * 24)), modal(submit=plain("x" * 25))),
    ("close", modal(close=plain("x" * 24)), modal(close=plain("x" * 25))),
    ("private_metadata", modal(private_metadata="x" * 3000), modal(private_metadata="x" * 3001)),
    ("callback_id", modal(callback_id="x" * 255), modal(callback_id="x" * 256)),
    ("external_id", modal(external_id="x" * 255), modal(external_id="x" * 256)),
    ("at least one block", modal(DIVIDER), {**modal(), "blocks": []}),
]


@pytest.mark.parametrize(("most", "too_many"), [(m, t) for _, m, t in VIEW_LIMITS], ids=[i for i, *_ in VIEW_LIMITS])
def test_a_view_limit_holds_to_the_character(most: Json, too_many: Json) -> None:
    assert check_view(most, "modal") == []
    assert check_view(too_many, "modal")
