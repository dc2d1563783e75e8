"""A card as a Slack message: blocks within all limits for any card, and the text of its notification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from bot.core.card import Card, Line
from bot.core.outcome import Fact, Table
from bot.render import block_kit, facts, pictures
from bot.render import blocks as parts
from bot.render.block_kit import Block
from bot.render.blocks import BlockBudget
from bot.render.text_format import BLANKS, as_of, bar, joins, one_line, progress_words, value_text

_TITLE: Final = 300
_STATUS: Final = 1_200
_BYLINE: Final = 300
_NOTE_TEXT: Final = 200
_MENTIONS: Final = 30
_NOTE: Final = 600  # JSON characters kept for the line about what was left out
_FALLBACK: Final = 1_500  # JSON characters; the notification repeats the blocks, so it is short


_Make = Callable[[BlockBudget], list[Block]]


@dataclass(frozen=True, slots=True)
class Message:
    """The arguments of chat.postMessage and chat.update. `text` is for the notification and screen readers."""

    text: str
    blocks: list[Block]


def render_card(card: Card, now: datetime | None = None, *, newer: bool = True, zone: tzinfo = UTC) -> Message:
    """The card as a message. It always keeps title, status and buttons; a last line counts what didn't fit.

    With `now`, times also say how long ago or in how long. Without `newer` it has only blocks that every workspace accepts.
    `zone` is the reader's, for listings of code.
    """
    text = _fallback(card)
    budget = BlockBudget(block_kit.PAYLOAD - block_kit.cost(text), block_kit.MESSAGE_BLOCKS)
    blocks = compose(card, budget, used=set(), native_table=True, newer=newer, zone=zone)
    if now is not None:
        longer = block_kit.add_relative(blocks, now, future=card.only_for is not None)
        blocks = list(longer) if block_kit.cost(longer) + block_kit.cost(text) < block_kit.PAYLOAD else blocks
    return Message(text, blocks)


def render_comment(card: Card) -> str:
    """The card as one mrkdwn text, for the comment of a file: without buttons and details."""
    rows = {"rows": (*card.rows, *card.facts), "facts": ()}
    plain = card.model_copy(update={"buttons": (), "details": (), "footer": (), "at": None, **rows})
    budget = BlockBudget(block_kit.MESSAGE_TEXT, block_kit.MESSAGE_BLOCKS)
    blocks = compose(plain, budget, used=set(), native_table=False)
    return "\n".join(text for block in blocks for text in _mrkdwn_of(block))


def has_newer_blocks(card: Card) -> bool:
    """Whether a workspace may refuse the card for a block that it doesn't know yet."""
    return bool(card.details or card.chart or (card.table and len(card.table.rows) > pictures.SHORT))


def compose(
    card: Card, budget: BlockBudget, *, used: set[str], native_table: bool, newer: bool = False, zone: tzinfo = UTC
) -> list[Block]:
    """The blocks of a card. Important parts get space first. The reading order is: title, status, who and why,
    progress, rows, paragraphs, facts, then code and what follows it, table, buttons, details, small print.
    """
    people = frozenset(card.mention)
    called = _called(card)
    budget.cost -= _NOTE
    budget.blocks -= 1
    head = _booked(budget, _head(card, called))
    buttons = _shared(budget, 0.55, lambda part: parts.buttons(card.buttons, part, used))
    # The time of the card is among its details where it has some.
    at, inner = (None, card.details) if card.details else (card.at, ())
    if card.details and card.at is not None:
        inner = (*card.details, Fact(label="Updated", value=card.at))
    footer = _shared(budget, 0.2, lambda part: parts.footer(card.footer, at, people, part))
    bar_text = bar(*card.progress, one_line(card.progress_note)[:_NOTE_TEXT]) if card.progress else ""
    progress = _booked(budget, block_kit.section(block_kit.prose(bar_text))) if bar_text else []
    rows = _shared(budget, 0.6, lambda part: facts.rows(card.rows, people, part))
    code = next((at for at, line in enumerate(card.lines) if line.code), len(card.lines))  # a log goes below the facts
    only_text = not (card.lines[code:] or card.facts or card.table or card.chart or card.details)
    opening = _shared(budget, 0.9 if only_text else 0.5, lambda part: parts.lines(card.lines[:code], people, part))
    columns = _shared(budget, 0.7, lambda part: facts.facts(card.facts, people, part, card.at))
    closing = _shared(budget, 0.6 if card.table else 1, lambda part: parts.lines(card.lines[code:], people, part))
    picture, item = _pictured(card, budget, newer=newer)
    caption = one_line(card.title) if newer else None
    table = (
        _shared(
            budget,
            1,
            lambda part: parts.table(
                item, part, native=native_table, live=card.only_for is not None, caption=caption, zone=zone
            ),
        )
        if item
        else []
    )
    details = _shared(budget, 0.9, lambda part: facts.details(inner, people, part, newer=newer))
    body = [*progress, *rows, *picture, *opening, *columns, *closing, *table]
    if head:
        head = [_head(card, _unnamed(called, [_head(card, ()), *body, *footer]))]
    return [*head, *body, *_left_out(budget), *buttons, *details, *footer]


def _pictured(card: Card, budget: BlockBudget, *, newer: bool) -> tuple[list[Block], Table | None]:
    """The chart, and the table below it. Without `newer`, the table gets a column of bars, or lines of bars are the chart."""
    item = card.chart
    if item is None or not any(item.totals.values()):
        return [], card.table
    block = pictures.chart(item) if newer else None
    if block is not None and budget.takes(block):
        return [block], card.table
    if (table := pictures.with_bars(card.table, item)) is not None:
        return [], table
    lines = [Line(text="\n".join(pictures.bars(item)), heading=item.title, code=True)]
    return _shared(budget, 0.5, lambda part: parts.lines(lines, (), part)), card.table


def _called(card: Card) -> list[str]:
    """The people to mention; not the only reader of a card."""
    return [one for one in card.mention if one != card.only_for]


def _unnamed(ids: Sequence[str], blocks: Sequence[Block]) -> list[str]:
    """The `ids` without a live mention in `blocks`, so that nobody is mentioned twice."""
    live = "\n".join(text for block in blocks for text in _mrkdwn_of(block))
    return [one for one in ids if block_kit.mention(one) not in live]


def _mrkdwn_of(block: Block) -> list[str]:
    objects = [block.get("text", {}), *block.get("fields", ()), *block.get("elements", ())]
    return [item["text"] for item in objects if item.get("type") == "mrkdwn"]


def _booked(budget: BlockBudget, block: Block) -> list[Block]:
    return [block] if budget.takes(block) else []


def _shared(budget: BlockBudget, part: float, make: _Make) -> list[Block]:
    blocks = make(budget.share(part))
    budget.spend(blocks)
    return blocks


def _left_out(budget: BlockBudget) -> list[Block]:
    if not budget.left_out:
        return []
    return [block_kit.context([block_kit.prose(f"Too long to show: {', '.join(budget.left_out)}.")])]


def _head(card: Card, called: Sequence[str]) -> Block:
    symbol = parts.SYMBOLS[card.tone]
    people = frozenset(card.mention)
    title = block_kit.fit(one_line(card.title) or "Signalbox", lambda part: block_kit.bold(part, people), _TITLE, 1_200)
    status = one_line(parts.status_of(card))
    status = block_kit.fit(status, lambda part: block_kit.prose(part, people), _STATUS, 2_500)
    if card.link is not None:
        link = block_kit.link(*card.link)
        title, status = (title, f"{status} {link}") if status else (f"{title} {link}", "")
    title = f"{symbol} {title}" if symbol else title
    if joins(card.title, parts.status_of(card)):
        title, status = f"{title} - {status}", ""
    byline = block_kit.fit(one_line(card.byline), lambda part: block_kit.prose(part, people), _BYLINE, 1_200)
    rows = [title, status, byline, _calls(called)]
    return block_kit.section("\n".join(row for row in rows if row))


def _calls(called: Sequence[str]) -> str:
    live = [token for one in dict.fromkeys(called) if (token := block_kit.mention(one))]
    more = f" and {len(live) - _MENTIONS} more" if len(live) > _MENTIONS else ""
    return " ".join(live[:_MENTIONS]) + more


def _fallback(card: Card) -> str:
    """Title, status, text, facts and the figures of a chart on short lines, for notifications and screen readers."""
    people = frozenset(card.mention)
    title = one_line(card.title) or "Signalbox"
    status = one_line(parts.status_of(card))
    first = f"{parts.SYMBOLS[card.tone]} {title}{f' - {status}' if status else ''}".strip()
    progress = progress_words(*card.progress, one_line(card.progress_note)) if card.progress else ""
    rows = [first, card.byline, progress, *(line.text for line in card.lines if not line.code)]
    facts = [(fact, fact.value) for fact in (*card.rows, *card.facts)]
    rows += [
        f"{fact.label}: {value if isinstance(value, str) else value_text(value)}{as_of(fact.at)}"
        for fact, value in facts
    ]
    rows += [pictures.words(card.chart)] if card.chart else []
    words = "\n".join(row for raw in rows if (row := raw.replace("\n", " ").strip(BLANKS)))
    text = block_kit.fit(words, lambda part: block_kit.prose(part, people), block_kit.MESSAGE_TEXT // 2, _FALLBACK)
    calls = _calls([one for one in _called(card) if block_kit.mention(one) not in text])
    return f"{text}\n{calls}" if calls else text
