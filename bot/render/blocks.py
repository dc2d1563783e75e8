"""Parts of cards as blocks, each within its share of the size limit. Messages, forms and the Home tab use them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from bot.core.card import Button, Card, Line, Tone
from bot.core.outcome import Table
from bot.core.text import plural
from bot.render import block_kit as kit
from bot.render import pictures
from bot.render.block_kit import Block
from bot.render.text_format import BLANKS, NOTHING, aligned, numeric, shown, width
from bot.render.zones import in_zone

SYMBOLS: Final[dict[Tone, str]] = {
    Tone.PLAIN: "",
    Tone.WORKING: "⏳",
    Tone.GOOD: "✅",
    Tone.WARN: "⚠️",
    Tone.BAD: "❌",
    Tone.UNSURE: "❔",
    Tone.ASK: "✋",
}
WORDS: Final[dict[Tone, str]] = {
    Tone.PLAIN: "",
    Tone.WORKING: "Working",
    Tone.GOOD: "Done",
    Tone.WARN: "Attention",
    Tone.BAD: "Failed",
    Tone.UNSURE: "Unknown",
    Tone.ASK: "Waiting for a decision",
}

_BUTTONS_IN_ROW: Final = 5
_BUTTONS: Final = 25
_CELL: Final = 200
_CELLS: Final = (_CELL, 80, 48)  # longest cell of a table block; shorter ones when the table is too large
_TEXT_CELL: Final = 48  # widest cell of a code table, so that a row fits on a line
_LEAST_CELL: Final = 8
_LONG_CELL: Final = 24  # characters; a longer text with blanks is a sentence
_TEXT_ROW: Final = 240
_TEXT_ROWS: Final = 100  # rows of a code table; nobody reads more
_SMALL_PRINT: Final = 800  # JSON characters kept for the line below a table
_STYLES: Final = frozenset({"primary", "danger"})
OVERHEAD: Final = 120  # JSON characters that a block needs at most, without its text


@dataclass(slots=True)
class BlockBudget:
    """The space left in one message or view: `cost` in JSON characters, and `blocks`. `left_out` names what didn't fit."""

    cost: int
    blocks: int
    left_out: list[str] = field(default_factory=list)

    def share(self, part: float) -> BlockBudget:
        """A budget with a share of the cost; it shares `left_out`. Settle it with `spend`."""
        return BlockBudget(int(self.cost * part), self.blocks, self.left_out)

    def takes(self, block: Block) -> bool:
        """Count `block` if it fits."""
        price = kit.cost(block) + 2
        if self.blocks < 1 or price > self.cost:
            return False
        self.cost -= price
        self.blocks -= 1
        return True

    def spend(self, blocks: Sequence[Block]) -> None:
        """Count blocks that fit into a share."""
        self.cost -= sum(kit.cost(block) + 2 for block in blocks)
        self.blocks -= len(blocks)

    def left(self, count: int, what: str) -> None:
        """Record that `count` of `what` were left out."""
        if count > 0:
            self.left_out.append(plural(count, what))


def status_of(card: Card) -> str:
    """The status in words, because a colour alone says nothing. Empty when the title or the rows say it."""
    return card.status or ("" if card.rows or card.title.rstrip().endswith((".", "!", "?")) else WORDS[card.tone])


def lines(items: Sequence[Line], people: Collection[str], budget: BlockBudget) -> list[Block]:
    """Paragraphs and code blocks. Long ones are cut; those that don't fit are counted."""
    blocks: list[Block] = []
    for position, item in enumerate(items):
        block = _line(item, people, budget.cost - OVERHEAD)
        if block is None:
            continue
        if not block or not budget.takes(block):
            budget.left(len(items) - position, "paragraph")
            break
        blocks.append(block)
    return blocks


def _line(item: Line, people: Collection[str], cost: int) -> Block | None:
    """None when the line is empty, an empty dict when it doesn't fit."""
    heading = kit.fit(item.heading, lambda part: kit.bold(part, people), 300, 600)
    body = item.text.strip("\n") if item.code else item.text.strip(BLANKS)
    if not body:
        return kit.section(heading) if heading else None

    def whole(text: str) -> str:
        made = kit.code_block(text) if item.code else kit.prose(text, people)
        return f"{heading}\n{made}" if heading else made

    text = kit.fit(body, whole, kit.SECTION_TEXT, cost)
    return kit.section(text) if text else {}


def table(
    item: Table,
    budget: BlockBudget,
    *,
    native: bool,
    live: bool = False,
    sortable: bool = False,
    zone: tzinfo = UTC,
) -> list[Block]:
    """A listing: a table block when `native` and every row fits, else as many aligned lines of code as fit.

    `live` shows people and channels by name in a table block; lines of code show their ids. When `sortable`, a long
    listing is a table that people can sort. Times in code are in the `zone`, because Slack adapts none there.

    A message may have only one table block, with a limit for all its cells together, and each cell costs some 35 characters
    of JSON. So short listings use the block and long ones use code.
    """
    columns = max((len(row) for row in (item.columns, *item.rows)), default=0)
    budget.left(columns - kit.TABLE_COLUMNS, "column")
    columns = min(columns, kit.TABLE_COLUMNS)
    total = max(item.total or 0, len(item.rows))
    if not item.rows or not columns:
        return _noted([], [item.note.strip() or "Nothing to show."], budget)
    if native and len(item.rows) <= kit.TABLE_ROWS - (not sortable):
        for size in _CELLS:
            sizes = [
                _CELL if item.columns[at : at + 1] and item.columns[at] in item.exact else size for at in range(columns)
            ]
            block = _native(item, sizes, live=live, sortable=sortable)
            if _native_fits(block) and kit.cost(block) < budget.cost - _SMALL_PRINT and budget.takes(block):
                return _noted([block], [_showing(len(item.rows), total), item.note], budget)
    code_room = BlockBudget(budget.cost - _SMALL_PRINT, budget.blocks - 1, budget.left_out)
    here = item.model_copy(update={"rows": tuple(tuple(in_zone(cell, zone) for cell in row) for row in item.rows)})
    blocks, count = _code_table(_narrow(here, columns)[: _TEXT_ROWS + 1], code_room)
    budget.spend(blocks)
    return _noted(blocks, [_showing(count, total), item.note], budget)


def _native(item: Table, sizes: Sequence[int], *, live: bool, sortable: bool) -> Block:
    rows = _squared(item, sizes)
    if sortable and (block := pictures.data_table(rows, live=live)) is not None:
        return block
    whole = list(zip(*rows, strict=True))
    return kit.table(rows, [numeric(cells[1:]) for cells in whole], [_wraps(cells) for cells in whole], live=live)


def _wraps(cells: Sequence[str]) -> bool:
    """Whether a column has sentences or times, which would push the next column out of a phone. Ids, which people copy, stay on
    one line."""
    return any((len(cell) > _LONG_CELL and " " in cell) or kit.TIME.fullmatch(cell) for cell in cells)


def _showing(count: int, total: int) -> str:
    return f"Showing {count:,} of {total:,}." if total > count else ""


def _native_fits(block: Block) -> bool:
    rows: list[list[Block]] = block["rows"]
    cells = sum(kit.units(kit.cell_text(cell)) for row in rows for cell in row)
    return len(rows) <= kit.TABLE_ROWS + (block["type"] == "data_table") and cells <= kit.TABLE_CELLS


def _noted(blocks: list[Block], notes: Sequence[str], budget: BlockBudget) -> list[Block]:
    text = kit.fit(" ".join(note for note in notes if note), kit.line, 600, budget.cost - OVERHEAD)
    block = kit.context([text]) if text else {}
    return [*blocks, block] if block and budget.takes(block) else blocks


def square(item: Table, columns: int, size: int) -> list[list[str]]:
    """Header and rows of `columns` cells each. Each cell is a visible line of at most `size` characters, a mention a plain id."""
    return [[kit.unmentioned(cell) for cell in row] for row in _squared(item, [size] * columns)]


def _squared(item: Table, sizes: Sequence[int]) -> list[list[str]]:
    rows = [
        [kit.clip(cell, size, counted=size > 20) or NOTHING for cell, size in zip(row, sizes, strict=False)]
        for row in (item.columns, *item.rows)
    ]
    return [row + [NOTHING] * (len(sizes) - len(row)) for row in rows]


def _narrow(item: Table, columns: int) -> list[list[str]]:
    """`square` for lines of text: what people copy stays whole, the other columns share the rest of the line."""
    whole = square(item, columns, _CELL)
    needs = [max(width(cell) for cell in column) for column in zip(*whole, strict=True)]
    exact = [_is_exact(item, whole, position) for position in range(columns)]
    sizes = [_CELL] * columns
    left = _TEXT_ROW - sum(need for need, kept in zip(needs, exact, strict=True) if kept)
    others = sorted((position for position in range(columns) if not exact[position]), key=needs.__getitem__)
    for done, position in enumerate(others):
        sizes[position] = max(_LEAST_CELL, min(_TEXT_CELL, left // (len(others) - done)))
        left -= min(needs[position], sizes[position])
    return [[kit.unmentioned(cell) for cell in row] for row in _squared(item, sizes)]


def _is_exact(item: Table, rows: Sequence[Sequence[str]], position: int) -> bool:
    named = position < len(item.columns) and item.columns[position] in item.exact
    return named or all(" " not in row[position] for row in rows[1:])


def _code_table(rows: Sequence[Sequence[str]], budget: BlockBudget) -> tuple[list[Block], int]:
    """Aligned rows in code blocks with the header on top, and the number of rows that fit."""
    header, *texts = aligned([[kit.unfenced(cell) for cell in row] for row in rows])
    blocks: list[Block] = []
    done = 0
    while done < len(texts):
        top = [] if blocks else [header]
        count = _most(top, texts[done:], budget)
        block = kit.section(kit.code_block("\n".join(top + texts[done : done + count])))
        if count == 0 or not budget.takes(block):
            break
        blocks.append(block)
        done += count
    return blocks, done


def _most(top: Sequence[str], texts: Sequence[str], budget: BlockBudget) -> int:
    """How many of `texts` fit below `top` into one section and the budget."""
    left = kit.SECTION_TEXT - 8
    cost = budget.cost - OVERHEAD
    count = 0
    for text in [*top, *texts]:
        escaped = kit.escape(text)
        left -= kit.units(escaped) + 1
        cost -= kit.cost(escaped)
        if left < 0 or cost < 0:
            break
        count += 1
    return max(0, count - len(top))


def buttons(items: Sequence[Button], budget: BlockBudget, used: set[str], zone: tzinfo = UTC) -> list[Block]:
    """Rows of buttons. `used` are the action ids already on this surface; new ones are added. A value is never cut.
    Times in labels and questions are in the `zone`, because Slack adapts none there."""
    elements: list[Block] = []
    cost = budget.cost
    for item in items[:_BUTTONS]:
        words = {"label": in_zone(item.label, zone), "confirm": in_zone(item.confirm or "", zone)}
        element = button(item.model_copy(update=words), used)
        cost -= kit.cost(element) + 30
        if kit.units(item.id) > kit.BUTTON_VALUE or cost < 0 or len(elements) >= budget.blocks * _BUTTONS_IN_ROW:
            used.discard(element["action_id"])
            break
        elements.append(element)
    budget.left(len(items) - len(elements), "button")
    blocks = [
        {"type": "actions", "elements": elements[start : start + _BUTTONS_IN_ROW]}
        for start in range(0, len(elements), _BUTTONS_IN_ROW)
    ]
    budget.spend(blocks)
    return blocks


def button(item: Button, used: set[str]) -> Block:
    """One button. Its action id is added to `used`."""
    element: Block = {
        "type": "button",
        "text": kit.plain(item.label, kit.BUTTON_LABEL),
        "action_id": _action_id(item.action, used),
    }
    if item.id:
        element["value"] = item.id
    if item.url:
        element["url"] = item.url
    if item.style in _STYLES:
        element["style"] = item.style
    if item.confirm:
        element["confirm"] = _confirm(item, item.confirm)
    used.add(element["action_id"])
    return element


def _confirm(item: Button, question: str) -> Block:
    dialog: Block = {
        "title": kit.plain("Are you sure?", kit.CONFIRM_TITLE),
        "text": kit.plain(question, kit.CONFIRM_TEXT),
        "confirm": kit.plain(item.label, kit.CONFIRM_BUTTON, counted=False),
        "deny": kit.plain("Go back", kit.CONFIRM_BUTTON, counted=False),
    }
    if item.style == "danger":
        dialog["style"] = "danger"
    return dialog


def _action_id(action: str, used: Collection[str]) -> str:
    base = action[: kit.ID - 10] or "press"
    number = 1
    while (made := base if number == 1 else f"{base}#{number}") in used:
        number += 1
    return made


def action_of(action_id: str) -> str:
    """The `Button.action` of an action id, without the `#2` that makes it unique on its message."""
    base, mark, number = action_id.rpartition("#")
    return base if mark and number.isdigit() else action_id


def footer(items: Sequence[str], at: datetime | None, people: Collection[str], budget: BlockBudget) -> list[Block]:
    """Small print, and the time of the card."""
    places = kit.CONTEXT_ELEMENTS - (1 if at else 0)
    kept = [item for item in items if shown(item).strip()]
    budget.left(len(kept) - places, "remark")
    texts = [
        kit.fit(item, lambda part: kit.line(part, people), 400, budget.cost // (places + 1)) for item in kept[:places]
    ]
    texts = [text for text in texts if text]
    if at:
        texts.append(kit.date(at))
    block = kit.context(texts) if texts else {}
    return [block] if block and budget.takes(block) else []
