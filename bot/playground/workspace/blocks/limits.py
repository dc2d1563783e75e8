"""Block Kit's lengths and counts as data (slack.md, Block Kit limits; the other limits as documented).

"row.key" -> (least, most): characters of a string or text object, entries of a list, or the value of a number.
"row.key[]" limits every entry of a list. A text object is never empty and never above 3,000.
"""

Limit = tuple[int, int]

TEXT: Limit = (1, 3000)
ID: Limit = (1, 255)
PLACEHOLDER: Limit = (1, 150)

# Keys with the same meaning everywhere.
COMMON: dict[str, Limit] = {
    "block_id": ID,
    "action_id": ID,
    "placeholder": PLACEHOLDER,
    "image_url": (1, 3000),
    "accessibility_label": (1, 75),
    "max_selected_items": (1, 100),
    "min_query_length": (0, 3000),
}

LIMITS: dict[str, Limit] = {
    "confirm.title": (1, 100),
    "confirm.text": (1, 300),
    "confirm.confirm": (1, 30),
    "confirm.deny": (1, 30),
    "option.text": (1, 75),
    "option.value": (1, 150),
    "option.description": (1, 75),
    "option.url": (1, 3000),
    "option_any.text": (1, 75),
    "option_any.value": (1, 150),
    "option_any.description": (1, 75),
    "option_group.label": (1, 75),
    "option_group.options": (1, 100),
    "dispatch_action_config.trigger_actions_on": (1, 2),
    "filter.include": (1, 4),
    "feedback_button.text": (1, 75),
    "feedback_button.value": (1, 2000),
    "button.text": (1, 75),
    "button.value": (1, 2000),
    "button.url": (1, 3000),
    "button.agent_prompt": (1, 4000),
    "workflow_button.text": (1, 75),
    "icon_button.value": (1, 2000),
    "icon_button.visible_to_user_ids": (1, 10),
    "overflow.options": (1, 5),
    "checkboxes.options": (1, 10),
    "radio_buttons.options": (1, 10),
    "static_select.options": (1, 100),
    "static_select.option_groups": (1, 100),
    "multi_static_select.options": (1, 100),
    "multi_static_select.option_groups": (1, 100),
    "plain_text_input.min_length": (0, 3000),
    "plain_text_input.max_length": (1, 3000),
    "plain_text_input.initial_value": (0, 3000),
    "rich_text_input.min_lines": (1, 100),
    "rich_text_input.max_lines": (1, 100),
    "file_input.max_files": (1, 10),
    "image.alt_text": (1, 2000),
    "image_block.alt_text": (1, 2000),
    "image_block.title": (1, 2000),
    "raw_text.text": (1, 3000),
    "rich_text_list.indent": (0, 8),
    "rich_text_list.offset": (0, 1_000_000),
    "text.text": (1, 12_000),
    "actions.elements": (1, 25),
    "alert.text": (1, 200),
    "auth_provider.value": (1, 150),
    "auth_provider.name": (1, 75),
    "auth_provider.description": (1, 150),
    "auth_provider.connected_identity": (1, 75),
    "auth_provider.connected_context": (1, 75),
    "auth_provider.icon_url": (1, 3000),
    "auth_provider.auth_url": (1, 3000),
    "auth_provider.disconnect_url": (1, 3000),
    "card.title": (1, 150),
    "card.subtitle": (1, 150),
    "card.body": (1, 200),
    "card.actions": (1, 3),
    "carousel.elements": (1, 10),
    "container.child_blocks": (1, 10),
    "container.title": (1, 150),
    "container.subtitle": (1, 150),
    "context.elements": (1, 10),
    "context_actions.elements": (1, 5),
    "data_table.rows": (2, 101),
    "data_table.rows[]": (1, 20),
    "data_table.caption": (1, 3000),
    "data_table.page_size": (1, 100),
    "data_table.row_header_column_index": (0, 19),
    "data_visualization.title": (1, 50),
    "pie.segments": (1, 6),
    "bar.series": (1, 6),
    "area.series": (1, 6),
    "line.series": (1, 6),
    "segment.label": (1, 20),
    "data_series.name": (1, 20),
    "data_series.data": (1, 20),
    "data_point.label": (1, 20),
    "axis_config.categories": (1, 20),
    "axis_config.categories[]": (1, 20),
    "axis_config.x_label": (1, 50),
    "axis_config.y_label": (1, 50),
    "header.text": (1, 150),
    "input.label": (1, 2000),
    "input.hint": (1, 2000),
    "markdown.text": (1, 12_000),
    "plan.tasks": (1, 50),
    "section.text": TEXT,
    "section.fields": (1, 10),
    "section.fields[]": (1, 2000),
    "table.rows": (1, 100),
    "table.rows[]": (1, 20),
    "table.column_settings": (1, 20),
    "video.alt_text": (1, 2000),
    "video.title": (1, 200),
    "video.description": (1, 200),
    "video.author_name": (1, 50),
    "video.provider_name": (1, 50),
    "video.thumbnail_url": (1, 3000),
    "video.video_url": (1, 3000),
    "modal.title": (1, 24),
    "modal.submit": (1, 24),
    "modal.close": (1, 24),
    "modal.blocks": (1, 100),
    "modal.private_metadata": (0, 3000),
    "modal.callback_id": (0, 255),
    "modal.external_id": (0, 255),
    "home.blocks": (1, 100),
    "home.private_metadata": (0, 3000),
    "home.callback_id": (0, 255),
    "home.external_id": (0, 255),
}

MESSAGE_BLOCKS: Limit = (0, 50)
MARKDOWN_TOTAL = 12_000
TABLES_PER_MESSAGE = 1
CHARTS_PER_MESSAGE = 2
CELLS = 10_000  # characters in all table cells of a message
OPTIONS_ANSWERED: Limit = (0, 100)


def limit_of(row: str, key: str) -> Limit | None:
    """The limit of a key in a row, if it has one."""
    return LIMITS.get(f"{row}.{key}") or (None if key.endswith("[]") else COMMON.get(key))
