"""The Home tab as a Slack view."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.card import Card, HomeRow, HomeSection, HomeView
from bot.core.text import plural
from bot.render import block_kit
from bot.render import blocks as parts
from bot.render.block_kit import Block
from bot.render.blocks import BlockBudget
from bot.render.card import compose

HOME: Final = "home"

_LARGEST: Final = 13_000  # JSON characters of one section, to leave space for the next ones
_LEAST: Final = 4_000
_ROW: Final = 300  # characters of a title
_TEXT: Final = 600  # of what follows it: a problem of a control plane with its next step


def render_home(home: HomeView, now: datetime | None = None) -> Block:
    """The view for views.publish: the sections in order. A last line counts those that don't fit.

    With `now`, past times also say how long ago they are.
    """
    budget = BlockBudget(block_kit.VIEW_PAYLOAD, block_kit.VIEW_BLOCKS - 1)
    used: set[str] = set()
    blocks: list[Block] = []
    for position, part in enumerate(home.sections):
        share = BlockBudget(min(_LARGEST, budget.cost - 100), budget.blocks - 1)
        made: list[Block] | None = None
        # A card needs at least a title, a line about what is missing, buttons and small print.
        if share.cost >= _LEAST and share.blocks >= 8:
            made = _section(part, used) if isinstance(part, HomeSection) else _card(part, share, used)
        if made is None or len(made) > share.blocks:
            more = plural(len(home.sections) - position, "more section")
            blocks.append(block_kit.context([block_kit.prose(f"{more} not shown, because the tab is full.")]))
            break
        made = [*([block_kit.divider()] if blocks else []), *made]
        budget.spend(made)
        blocks += made
    if now is not None:
        blocks = list(block_kit.add_relative(blocks, now, future=False))
    return {"type": "home", "callback_id": HOME, "blocks": blocks or [block_kit.section("Nothing here yet.")]}


def _card(card: Card, budget: BlockBudget, used: set[str]) -> list[Block]:
    return compose(card, budget, used=used, native_table=False)


def _section(section: HomeSection, used: set[str]) -> list[Block]:
    """The title with the rows that have no button in one block, each other row in its own, buttons, and what was left out."""
    people = frozenset(section.mention)
    title = block_kit.fit(section.title, block_kit.bold, _ROW, _LARGEST)
    texts = _joined([title, *(_row(row, people) for row in section.rows if row.button is None)])
    blocks = [block_kit.section(text) for text in texts]
    blocks += [
        {**block_kit.section(_row(row, people)), "accessory": parts.button(row.button, used)}
        for row in section.rows
        if row.button is not None
    ]
    if section.note:
        blocks.append(block_kit.context([block_kit.fit(section.note, block_kit.prose, _ROW, _LARGEST)]))
    return [*blocks, *parts.buttons(section.buttons, BlockBudget(_LARGEST, 5), used)]


def _joined(lines: Sequence[str]) -> list[str]:
    """The lines in as few texts as fit into sections."""
    texts: list[str] = []
    for line in lines:
        longer = f"{texts[-1]}\n{line}" if texts else line
        if texts and block_kit.units(longer) <= block_kit.SECTION_TEXT:
            texts[-1] = longer
        else:
            texts.append(line)
    return texts


def _row(row: HomeRow, people: frozenset[str]) -> str:
    title = block_kit.fit(row.title, block_kit.bold, _ROW, _LARGEST)
    text = block_kit.fit(row.text, lambda part: block_kit.line(part, people), _TEXT, _LARGEST)
    return f"• {title} {text}".rstrip() if title and row.button is None else f"{title} {text}".strip()
