"""Block Kit's structure as data: one row per type, one entry per key.

A key ending in "!" is required. A value says what it must be:
"str" "bool" "int" "num" "url" | "plain" "mrkdwn" "text" (either) | "=a|b" one of these words | "[X]" a list of X |
"#row" an object of that row without a type of its own | "@group" an object whose `type` picks the row from a group.
Every row named in a group also has "type"; every block has "block_id", every interactive element "action_id".

Sources: the published TypeScript types and reference pages of Block Kit; newer keys from the official Python models.
"""

Row = dict[str, str]

_FOCUS: Row = {"focus_on_load": "bool"}
_CONFIRM: Row = {"confirm": "#confirm"}
_HOLD: Row = {"placeholder": "plain"}
_MENU: Row = _CONFIRM | _FOCUS | _HOLD
_MULTI: Row = _MENU | {"max_selected_items": "int"}
_TYPED: Row = _FOCUS | _HOLD | {"dispatch_action_config": "#dispatch_action_config", "initial_value": "str"}
_STYLE: Row = {"style": "#rich_text_style"}
_CELLS = "[[@cell]]"

OBJECTS: dict[str, Row] = {
    "plain_text": {"text!": "str", "emoji": "bool"},
    "mrkdwn": {"text!": "str", "verbatim": "bool"},
    "confirm": {"title": "plain", "text!": "text", "confirm": "plain", "deny": "plain", "style": "=primary|danger"},
    "option": {"text!": "plain", "value": "str", "description": "plain", "url": "url"},
    "option_any": {"text!": "text", "value": "str", "description": "plain", "url": "url"},
    "option_group": {"label!": "plain", "options!": "[#option]"},
    "dispatch_action_config": {"trigger_actions_on": "[=on_enter_pressed|on_character_entered]"},
    "filter": {
        "include": "[=im|mpim|private|public]",
        "exclude_external_shared_channels": "bool",
        "exclude_bot_users": "bool",
    },
    "slack_file": {"id": "str", "url": "str"},
    "workflow": {"trigger!": "#trigger"},
    "trigger": {"url!": "url", "customizable_input_parameters": "[#trigger_parameter]"},
    "trigger_parameter": {"name!": "str", "value!": "str"},
    "feedback_button": {"text!": "plain", "value!": "str", "accessibility_label": "str"},
    "column_setting": {"align": "=left|center|right", "is_wrapped": "bool"},
    "axis_config": {"categories!": "[str]", "x_label": "str", "y_label": "str"},
    "data_series": {"name!": "str", "data!": "[#data_point]"},
    "data_point": {"label!": "str", "value!": "num"},
    "segment": {"label!": "str", "value!": "num"},
    "rich_text_style": {"bold": "bool", "italic": "bool", "strike": "bool", "code": "bool", "underline": "bool"},
}

ELEMENTS: dict[str, Row] = {
    "button": {
        "text!": "plain",
        "value": "str",
        "url": "url",
        "style": "=primary|danger",
        "accessibility_label": "str",
        "agent_prompt": "str",
        **_CONFIRM,
    },
    "workflow_button": {
        "text!": "plain",
        "workflow!": "#workflow",
        "style": "=primary|danger",
        "accessibility_label": "str",
        **_CONFIRM,
    },
    "icon_button": {
        "icon!": "str",
        "text!": "plain",
        "value": "str",
        "accessibility_label": "str",
        "visible_to_user_ids": "[str]",
        **_CONFIRM,
    },
    "feedback_buttons": {"positive_button!": "#feedback_button", "negative_button!": "#feedback_button"},
    "overflow": {"options!": "[#option]", **_CONFIRM},
    "checkboxes": {"options!": "[#option_any]", "initial_options": "[#option_any]", **_CONFIRM, **_FOCUS},
    "radio_buttons": {"options!": "[#option_any]", "initial_option": "#option_any", **_CONFIRM, **_FOCUS},
    "static_select": {
        "options": "[#option]",
        "option_groups": "[#option_group]",
        "initial_option": "#option",
        **_MENU,
    },
    "multi_static_select": {
        "options": "[#option]",
        "option_groups": "[#option_group]",
        "initial_options": "[#option]",
        **_MULTI,
    },
    "external_select": {"initial_option": "#option", "min_query_length": "int", **_MENU},
    "multi_external_select": {"initial_options": "[#option]", "min_query_length": "int", **_MULTI},
    "users_select": {"initial_user": "str", **_MENU},
    "multi_users_select": {"initial_users": "[str]", **_MULTI},
    "conversations_select": {
        "initial_conversation": "str",
        "default_to_current_conversation": "bool",
        "response_url_enabled": "bool",
        "filter": "#filter",
        **_MENU,
    },
    "multi_conversations_select": {
        "initial_conversations": "[str]",
        "default_to_current_conversation": "bool",
        "filter": "#filter",
        **_MULTI,
    },
    "channels_select": {"initial_channel": "str", "response_url_enabled": "bool", **_MENU},
    "multi_channels_select": {"initial_channels": "[str]", **_MULTI},
    "datepicker": {"initial_date": "str", **_MENU},
    "timepicker": {"initial_time": "str", "timezone": "str", **_MENU},
    "datetimepicker": {"initial_date_time": "int", **_CONFIRM, **_FOCUS},
    "plain_text_input": {"multiline": "bool", "min_length": "int", "max_length": "int", **_TYPED},
    "email_text_input": _TYPED,
    "url_text_input": _TYPED,
    "number_input": {"is_decimal_allowed!": "bool", "min_value": "str", "max_value": "str", **_TYPED},
    "rich_text_input": {**_TYPED, "initial_value": "@rich_text", "min_lines": "int", "max_lines": "int"},
    "file_input": {"filetypes": "[str]", "max_files": "int"},
}

PASSIVE: dict[str, Row] = {
    "image": {"alt_text!": "str", "image_url": "url", "slack_file": "#slack_file"},
    "raw_text": {"text!": "str"},
    "raw_number": {"text!": "str", "value!": "num"},
    "url": {"text!": "str", "url!": "url"},
    "rich_text_section": {"elements!": "[@rich_element]"},
    "rich_text_list": {
        "elements!": "[@rich_section]",
        "style!": "=bullet|ordered",
        "indent": "int",
        "offset": "int",
        "border": "=0|1",
    },
    "rich_text_quote": {"elements!": "[@rich_element]", "border": "=0|1"},
    "rich_text_preformatted": {"elements!": "[@rich_plain]", "border": "=0|1"},
    "text": {"text!": "str", **_STYLE},
    "link": {"url!": "str", "text": "str", "unsafe": "bool", **_STYLE},
    "user": {"user_id!": "str", **_STYLE},
    "usergroup": {"usergroup_id!": "str", **_STYLE},
    "channel": {"channel_id!": "str", **_STYLE},
    "team": {"team_id!": "str", **_STYLE},
    "broadcast": {"range!": "=here|channel|everyone", **_STYLE},
    "emoji": {"name!": "str", "unicode": "str", "url": "str", **_STYLE},
    "color": {"value!": "str", **_STYLE},
    "date": {"timestamp!": "num", "format!": "str", "url": "str", "fallback": "str", **_STYLE},
}

_PLOT: Row = {"series!": "[#data_series]", "axis_config!": "#axis_config"}
CHARTS: dict[str, Row] = {"pie": {"segments!": "[#segment]"}, "bar": _PLOT, "area": _PLOT, "line": _PLOT}

BLOCKS: dict[str, Row] = {
    "actions": {"elements!": "[@action]"},
    "alert": {"text!": "text", "level": "=default|info|warning|error|success"},
    "auth_provider": {
        "value!": "str",
        "name!": "plain",
        "is_connected!": "bool",
        "description": "plain",
        "icon_url": "url",
        "auth_url": "url",
        "disconnect_url": "url",
        "connected_identity": "plain",
        "connected_context": "plain",
        "accessory": "@overflow",
        "fallback": "[@fallback]",
    },
    "card": {
        "hero_image": "@image",
        "icon": "@image",
        "title": "mrkdwn",
        "subtitle": "mrkdwn",
        "body": "mrkdwn",
        "actions": "[@button]",
    },
    "carousel": {"elements!": "[@card]"},
    "container": {
        "child_blocks!": "[@child]",
        "title": "plain",
        "rich_text_title": "@rich_text",
        "subtitle": "text",
        "icon": "@image",
        "width": "=narrow|standard|wide|full",
        "is_collapsible": "bool",
        "default_collapsed": "bool",
        "has_header_divider": "bool",
    },
    "context": {"elements!": "[@context]"},
    "context_actions": {"elements!": "[@context_action]"},
    "data_table": {
        "caption!": "str",
        "rows!": _CELLS,
        "page_size": "int",
        "row_header_column_index": "int",
    },
    "data_visualization": {"title!": "str", "chart!": "@chart"},
    "divider": {},
    "file": {"external_id!": "str", "source!": "str"},
    "header": {"text!": "plain"},
    "image_block": {"alt_text!": "str", "image_url": "url", "slack_file": "#slack_file", "title": "plain"},
    "input": {
        "label!": "plain",
        "element!": "@input_element",
        "hint": "plain",
        "optional": "bool",
        "dispatch_action": "bool",
    },
    "markdown": {"text!": "str"},
    "plan": {"title!": "str", "tasks": "[@task_card]"},
    "rich_text": {"elements!": "[@rich_part]"},
    "section": {"text": "text", "fields": "[text]", "accessory": "@accessory", "expand": "bool"},
    "table": {"rows!": _CELLS, "column_settings": "[#column_setting]"},
    "task_card": {
        "task_id!": "str",
        "title!": "str",
        "status!": "=pending|in_progress|complete|error",
        "details": "@rich_text",
        "output": "@rich_text",
        "sources": "[@source]",
    },
    "video": {
        "alt_text!": "str",
        "title!": "plain",
        "thumbnail_url!": "url",
        "video_url!": "url",
        "title_url": "url",
        "description": "plain",
        "author_name": "str",
        "provider_name": "str",
        "provider_icon_url": "url",
    },
}

VIEWS: dict[str, Row] = {
    "modal": {
        "title!": "plain",
        "blocks!": "[@modal_block]",
        "submit": "plain",
        "close": "plain",
        "private_metadata": "str",
        "callback_id": "str",
        "external_id": "str",
        "clear_on_close": "bool",
        "notify_on_close": "bool",
    },
    "home": {
        "blocks!": "[@home_block]",
        "private_metadata": "str",
        "callback_id": "str",
        "external_id": "str",
    },
}

ROWS: dict[str, Row] = {
    **OBJECTS,
    **{name: {"action_id": "str", **row} for name, row in ELEMENTS.items()},
    **PASSIVE,
    **CHARTS,
    **{name: {"block_id": "str", **row} for name, row in BLOCKS.items()},
    **VIEWS,
}
