"""A card as plain text for the terminal: the same words, only table cells cut, no control characters from data."""

from collections.abc import Sequence
from typing import Final

from bot.core.card import Button, Card, Line
from bot.core.outcome import Fact, Table
from bot.core.text import utc_text
from bot.render import blocks as parts
from bot.render import pictures
from bot.render.block_kit import mention
from bot.render.text_format import NOTHING, aligned, as_of, bar, joins, one_line, shown, value_text, width
from bot.render.zones import INDENT

_CELL: Final = 400


def render_text(card: Card, *, verbose: bool = False) -> str:
    """The card as lines, without a final newline; its details only when `verbose`. Tabs in data become blanks; times are UTC."""
    blocks = [
        _head(card),
        bar(*card.progress, one_line(card.progress_note)) if card.progress else "",
        _facts(card.rows),
        *(_line(line) for line in card.lines),
        _facts(card.facts),
        _chart(card),
        _table(card.table) if card.table else "",
        _buttons(card.buttons),
        _facts(card.details) if verbose else "",
        _footer(card),
    ]
    return "\n\n".join(block for block in blocks if block)


def _head(card: Card) -> str:
    first = [parts.SYMBOLS[card.tone], one_line(card.title) or "Signalbox"]
    status = one_line(parts.status_of(card))
    called = " ".join(one for one in card.mention if one != card.only_for and mention(one) not in card.byline)
    title = " ".join(part for part in first if part)
    if joins(card.title, status):
        title, status = f"{title} - {status}", ""
    rows = [title, status, one_line(card.byline), f"For: {called}" if called else ""]
    return "\n".join(row for row in rows if row)


def _visible(text: str) -> str:
    return "\n".join(row.rstrip() for row in shown(text).expandtabs(4).strip("\n").split("\n"))


def _line(line: Line) -> str:
    body = _visible(line.text)
    if line.code and body:
        body = "\n".join(f"{INDENT}{row}".rstrip() for row in body.split("\n"))
    return "\n".join(part for part in (one_line(line.heading), body) if part)


def _facts(facts: Sequence[Fact]) -> str:
    labels = [one_line(fact.label) for fact in facts]
    size = max((width(label) for label in labels), default=0)
    rows: list[str] = []
    for label, fact in zip(labels, facts, strict=True):
        first, *more = _visible(value_text(fact.value) + as_of(fact.at)).split("\n")
        rows.append(f"{label}{' ' * (size - width(label))}  {first}".rstrip())
        rows += [f"{' ' * size}  {row}".rstrip() for row in more]
    return "\n".join(rows)


def _chart(card: Card) -> str:
    """The chart as lines of bars, unless all is zero."""
    if card.chart is None or not any(card.chart.totals.values()):
        return ""
    return "\n".join([one_line(card.chart.title), *(one_line(row) for row in pictures.bars(card.chart))])


def _table(table: Table) -> str:
    columns = max((len(row) for row in (table.columns, *table.rows)), default=0)
    rows = parts.square(table, columns, _CELL)
    total = max(table.total or 0, len(table.rows))
    notes = [f"Showing {len(table.rows):,} of {total:,}." if total > len(table.rows) else "", one_line(table.note)]
    listing = aligned(rows) if table.rows and columns else [] if any(notes) else ["Nothing to show."]
    return "\n".join([*listing, *(note for note in notes if note)])


def _buttons(buttons: Sequence[Button]) -> str:
    """The buttons that Slack would show; the terminal has none."""
    labels = "  ".join(f"[{one_line(button.label) or NOTHING}]" for button in buttons)
    return f"In Slack: {labels}" if labels else ""


def _footer(card: Card) -> str:
    rows = [one_line(row) for row in card.footer]
    if card.at:
        rows.append(utc_text(card.at, seconds=True))
    return "\n".join(row for row in rows if row)
