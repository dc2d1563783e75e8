"""Every limit and every structural rule of Block Kit, from both sides: the most that is allowed, and one more."""

from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.playground.workspace.blocks import check_blocks, check_options, check_view, fill_ids, walk_elements

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(), **more}


def button(number: int = 0, **more: Any) -> Json:
    return {"type": "button", "text": plain(), "action_id": f"a{number}", "value": "v", **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def option(number: int = 0, **more: Any) -> Json:
    return {"text": plain(str(number)), "value": str(number), **more}


def options(count: int) -> list[Json]:
    return [option(n) for n in range(count)]


def menu(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "m", **more}


def entry(element: Json | None = None, **more: Any) -> Json:
    return {"type": "input", "label": plain(), "element": element or text_input(), **more}


def text_input(**more: Any) -> Json:
    return {"type": "plain_text_input", "action_id": "t", **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks) or [section()], **more}


def table(rows: int = 1, cells: int = 1) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}] * cells] * rows}


def confirm(**more: Any) -> Json:
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


IMAGE = {"type": "image", "image_url": "https://e.org/a.png", "alt_text": "x"}
CARD = {"type": "card", "title": mrkdwn()}
DIVIDER = {"type": "divider"}
FEEDBACK = {
    "type": "feedback_buttons",
    "positive_button": {"text": plain("Good"), "value": "+"},
    "negative_button": {"text": plain("Bad"), "value": "-"},
}
TASK = {"type": "task_card", "task_id": "1", "title": "x", "status": "complete"}

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
