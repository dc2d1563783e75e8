"""Charts and sortable tables as blocks, and what stands for them where Slack refuses those blocks.

Slack rolls `data_visualization` and `data_table` out in phases: a workspace without them answers `invalid_blocks`. Facts are
from docs.slack.dev/reference/block-kit/blocks: data-visualization-block and data-table-block.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.core.command.params import duration_seconds
from bot.core.errors import BadRequest
from bot.core.outcome import MOST_POINTS, MOST_SERIES, Chart, Table
from bot.render import block_kit as kit
from bot.render.block_kit import Block
from bot.render.text_format import NOTHING, aligned, number_text

TITLE: Final = 50
LABEL: Final = 20
AXIS: Final = 50
DATA_ROWS: Final = 101  # the header included
SHORT: Final = 10  # rows that need no paging and no sorting
PAGE: Final = 10
CAPTION: Final = 150
NO_TIME: Final = "0s"
_BAR: Final = 10  # characters of the longest bar
_NUMBER: Final = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def chart(item: Chart) -> Block | None:
    """A data_visualization block. None when two labels or two series would look the same."""
    labels = [kit.clip(label, LABEL, counted=False) for label in item.labels[-MOST_POINTS:]]
    series = {kit.clip(one.name, LABEL, counted=False): one.values[-MOST_POINTS:] for one in item.series[:MOST_SERIES]}
    if not all(labels) or len(set(labels)) < len(labels) or not all(series) or len(series) < len(item.series):
        return None
    named = {"x_label": kit.clip(item.about, AXIS), "y_label": kit.clip(item.unit, AXIS)}
    axis = {"categories": labels, **{key: text for key, text in named.items() if text}}
    data = {
        name: [{"label": label, "value": round(value, 2)} for label, value in zip(labels, values, strict=True)]
        for name, values in series.items()
    }
    return {
        "type": "data_visualization",
        "title": kit.clip(item.title, TITLE) or "Chart",
        "chart": {
            "type": "bar",
            "series": [{"name": name, "data": points} for name, points in data.items()],
            "axis_config": axis,
        },
    }


def bars(item: Chart) -> list[str]:
    """The chart as aligned lines: label, bar, figures."""
    totals = item.totals
    most = max(totals.values(), default=0)
    rows = [(label, _bar(total, most), _figures(item, at)) for at, (label, total) in enumerate(totals.items())]
    return aligned(rows)


def _figures(item: Chart, at: int) -> str:
    """`12 done, 3 failed`; for a chart of one series only the number and its unit."""
    found = [(one.name, number_text(round(one.values[at], 2))) for one in item.series if one.values[at]]
    if len(item.series) == 1 or not found:
        return f"{found[0][1] if found else 0} {item.unit}".strip()
    return ", ".join(f"{value} {name}" for name, value in found)


def _bar(value: float, most: float) -> str:
    return "█" * max(1, round(value / most * _BAR)) if value > 0 else ""


def with_bars(table: Table | None, item: Chart) -> Table | None:
    """The table with a bar after each number of the chart; None when it doesn't have those numbers."""
    if table is None or item.beside not in table.columns:
        return None
    at = table.columns.index(item.beside)
    totals = item.totals
    most = max(totals.values(), default=0)

    def drawn(row: tuple[str, ...]) -> tuple[str, ...]:
        if at >= len(row):
            return row
        return (*row[:at], f"{row[at]} {_bar(totals.get(row[0], 0), most)}".strip(), *row[at + 1 :])

    return table.model_copy(update={"rows": tuple(map(drawn, table.rows))})


def words(item: Chart) -> str:
    """The text alternative: what the chart shows, and its figures."""
    figures = "; ".join(f"{label}: {_figures(item, at)}" for at, label in enumerate(item.labels))
    return f"{item.words or f'{item.title}.'} {figures}"


def data_table(rows: Sequence[Sequence[str]], *, live: bool) -> Block | None:
    """A table that people sort and page through; the first row is its header. None when it is too short or too long for one.

    The message shows the title, so the caption for screen readers names the columns. A column of numbers or durations sorts by
    its value, not by its text.
    """
    if not SHORT < len(rows) - 1 < DATA_ROWS:
        return None
    values = [_values(column[1:]) for column in zip(*rows, strict=True)]
    body = [
        [
            kit.cell(text, live=live) if found is None else {"type": "raw_number", "value": found[at], "text": text}
            for text, found in zip(row, values, strict=True)
        ]
        for at, row in enumerate(rows[1:])
    ]
    return {
        "type": "data_table",
        "caption": kit.clip(", ".join(rows[0]), CAPTION) or "Table",
        "page_size": PAGE,
        "rows": [[{"type": "raw_text", "text": kit.unmentioned(text)} for text in rows[0]], *body],
    }


def _values(cells: Sequence[str]) -> list[float] | None:
    """The numbers or seconds of a column, -1 for an empty cell; None when it has other text."""
    try:
        found = [-1.0 if cell == NOTHING else _value(cell) for cell in cells]
    except ValueError:
        return None
    return found if any(cell != NOTHING for cell in cells) else None


def _value(cell: str) -> float:
    if _NUMBER.fullmatch(cell):
        return float(cell.replace(",", ""))
    if cell == NO_TIME:
        return 0.0
    try:
        return float(duration_seconds(cell))
    except BadRequest as error:
        raise ValueError(cell) from error
