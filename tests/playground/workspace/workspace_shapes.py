"""Small builders of Block Kit payloads."""

from typing import Any

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
DAYS = [{"text": plain(d), "value": d.lower()} for d in ("Mon", "Tue")]


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(block_id.title()), "element": element, **more}


def form(*blocks: Json) -> Json:
    return {"type": "modal", "callback_id": "f", "title": plain("F"), "submit": plain("Go"), "blocks": list(blocks)}


def data_table(rows: int = 2, columns: int = 1, cell: str = "x", **more: Any) -> Json:
    """A data table with that many rows, the header included."""
    line = [{"type": "raw_text", "text": cell}] * columns
    return {"type": "data_table", "caption": "x", "rows": [line] * rows, **more}


def bar_chart(points: int = 2, series: int = 1, label: str = "l", title: str = "x", **axis: Any) -> Json:
    """A bar chart with that many points in each series."""
    labels = [f"{label}{n}" for n in range(points)]
    data = [{"label": one, "value": n} for n, one in enumerate(labels)]
    made = [{"name": f"s{n}", "data": data} for n in range(series)]
    chart = {"type": "bar", "series": made, "axis_config": {"categories": labels, **axis}}
    return {"type": "data_visualization", "title": title, "chart": chart}


def pie_chart(segments: int = 2, value: float = 1) -> Json:
    """A pie of equal slices."""
    made = [{"label": f"l{n}", "value": value} for n in range(segments)]
    return {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": made}}
