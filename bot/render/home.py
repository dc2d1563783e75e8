"""The Home tab as a Slack view."""

from __future__ import annotations

from typing import Final

from bot.core.card import HomeView
from bot.core.text import plural
from bot.render import block_kit
from bot.render.block_kit import Block
from bot.render.blocks import BlockBudget
from bot.render.card import compose

HOME: Final = "home"

_LARGEST: Final = 13_000  # JSON characters of one section, to leave space for the next ones
_LEAST: Final = 4_000


def render_home(home: HomeView) -> Block:
    """The view for views.publish: the sections in order. A last line counts those that don't fit."""
    budget = BlockBudget(block_kit.VIEW_PAYLOAD, block_kit.VIEW_BLOCKS - 1)
    used: set[str] = set()
    blocks: list[Block] = []
    for position, card in enumerate(home.sections):
        share = BlockBudget(min(_LARGEST, budget.cost - 100), budget.blocks - 1)
        # A section needs at least a title, a line about what is missing, buttons and small print.
        if share.cost < _LEAST or share.blocks < 8:
            more = plural(len(home.sections) - position, "more section")
            blocks.append(block_kit.context([block_kit.prose(f"{more} not shown, because the tab is full.")]))
            break
        part = [block_kit.divider()] if blocks else []
        part += compose(card, share, used=used, native_table=False)
        budget.spend(part)
        blocks += part
    return {"type": "home", "callback_id": HOME, "blocks": blocks or [block_kit.section("Nothing here yet.")]}
