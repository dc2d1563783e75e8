"""The types allowed in each place: elements in blocks, blocks on surfaces. A group maps a `type` to the name of its row."""

from .rows import ELEMENTS

Group = dict[str, str]


def _group(*names: str) -> Group:
    return {name: name for name in names}


_PICKERS = (
    "checkboxes",
    "datepicker",
    "radio_buttons",
    "timepicker",
    *(name for name in ELEMENTS if name.endswith("_select")),
)
_BUTTONS = ("button", "workflow_button")
_RICH = ("text", "link", "user", "usergroup", "channel", "team", "broadcast", "emoji", "color", "date")
_IMAGE = {"image": "image_block"}

# The surfaces of a block (slack.md: alert in modals only, container in messages only; the rest as documented).
_EVERYWHERE = ("actions", "card", "context", "divider", "header", "input", "rich_text", "section", "video")
_MESSAGE_ONLY = (
    "container",
    "context_actions",
    "data_visualization",
    "file",
    "markdown",
    "plan",
    "task_card",
)
_MESSAGE_AND_HOME = ("carousel", "data_table", "table")

GROUPS: dict[str, Group] = {
    "accessory": _group(*_BUTTONS, "image", "overflow", *_PICKERS),
    "action": _group(*_BUTTONS, "overflow", "datetimepicker", "rich_text_input", *_PICKERS),
    "button": _group("button"),
    "card": _group("card"),
    "cell": _group("raw_text", "raw_number", "rich_text"),
    "chart": _group("pie", "bar", "area", "line"),
    "child": _IMAGE
    | _group("actions", "context", "divider", "file", "header", "input", "rich_text", "section", "table", "video"),
    "context": _group("image", "plain_text", "mrkdwn"),
    "context_action": _group("feedback_buttons", "icon_button"),
    "fallback": _IMAGE | _group("actions", "context", "divider", "header", "rich_text", "section"),
    "image": _group("image"),
    "input_element": _group(
        "plain_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "rich_text_input",
        "file_input",
        "datetimepicker",
        *_PICKERS,
    ),
    "overflow": _group("overflow"),
    "rich_element": _group(*_RICH),
    "rich_part": _group("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"),
    "rich_plain": _group("text", "link"),
    "rich_section": _group("rich_text_section"),
    "rich_text": _group("rich_text"),
    "source": _group("url"),
    "task_card": _group("task_card"),
    "message_block": _IMAGE | _group(*_EVERYWHERE, *_MESSAGE_ONLY, *_MESSAGE_AND_HOME, "auth_provider"),
    "modal_block": _IMAGE | _group(*_EVERYWHERE, "alert", "auth_provider"),
    "home_block": _IMAGE | _group(*_EVERYWHERE, *_MESSAGE_AND_HOME, "auth_provider"),
}

# All block types that exist somewhere, to tell "unknown" from "not on this surface".
KNOWN_BLOCKS = {t for name in ("message_block", "modal_block", "home_block") for t in GROUPS[name]}
