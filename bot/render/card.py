"""A card as a Slack message: blocks within all limits for any card, and the text of its notification."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from bot.core.card import Card, Line
from bot.core.outcome import Fact, Table
from bot.render import block_kit, pictures
from bot.render import blocks as parts
from bot.render.block_kit import Block
from bot.render.blocks import OVERHEAD, BlockBudget
from bot.render.text_format import (
    BLANKS,
    NOTHING,
    FactValue,
    as_of,
    aware,
    bar,
    joins,
    one_line,
    progress_words,
    value_text,
)

_SAME_MOMENT: Final = timedelta(minutes=1)  # a fact read this close to the card's own time doesn't repeat the day
_SHORT_VALUE: Final = 120  # characters; a longer fact gets the full width
_TITLE: Final = 300
_STATUS: Final = 1_200
_BYLINE: Final = 300
_NOTE_TEXT: Final = 200
_MENTIONS: Final = 30
_NOTE: Final = 600  # JSON characters kept for the line about what was left out
_LISTED: Final = 3  # lines of a listing in the notification
_FALLBACK: Final = 1_500  # JSON characters; the notification repeats the blocks, so it is short
_Make = Callable[[BlockBudget], list[Block]]


def value_mrkdwn(value: FactValue, people: Collection[str]) -> str:
    """A fact's value as mrkdwn, a time in the viewer's zone."""
    if isinstance(value, datetime):
        return block_kit.date(value)
    if isinstance(value, str):
        return block_kit.prose(value.strip(BLANKS), people) or NOTHING
    return block_kit.prose(value_text(value))


def fact_columns(
    items: Sequence[Fact], people: Collection[str], budget: BlockBudget, made: datetime | None = None
) -> list[Block]:
    """Labelled values: short ones in two columns, long ones in full width. `made` is the time of the card, shown at its end."""
    blocks: list[Block] = []
    shown_facts = 0
    for group in _groups(items):
        block = (
            _fields(group, people, made)
            if len(group) > 1 or _short(group[0])
            else _wide(group[0], people, budget, made)
        )
        if not block or not budget.takes(block):
            break
        blocks.append(block)
        shown_facts += len(group)
    budget.left(len(items) - shown_facts, "fact")
    return blocks


def fact_rows(items: Sequence[Fact], people: Collection[str], budget: BlockBudget) -> list[Block]:
    """Facts on one line each, in one paragraph. A time is shown in the viewer's zone and relative to now."""
    texts: list[str] = []
    cost, length = budget.cost - OVERHEAD, block_kit.SECTION_TEXT
    for item in items:
        text = _row(item, people, length, cost // 2)
        cost, length = cost - block_kit.cost(text), length - block_kit.units(text) - 1
        if not text or cost < 0 or length < 0:
            budget.left(len(items) - len(texts), "fact")
            break
        texts.append(text)
    block = block_kit.section("\n".join(texts)) if texts else {}
    return [block] if block and budget.takes(block) else []


def _row(item: Fact, people: Collection[str], length: int, cost: int) -> str:
    label = block_kit.fit(one_line(item.label), lambda part: block_kit.bold(f"{part}:"), length // 4, cost // 4)
    if isinstance(item.value, datetime):
        return f"{label} {block_kit.date(item.value)}".lstrip()
    value = one_line(value_text(item.value)) or NOTHING
    return block_kit.fit(value, lambda part: f"{label} {block_kit.line(part, people)}".lstrip(), length, cost)


def fact_details(items: Sequence[Fact], people: Collection[str], budget: BlockBudget, *, newer: bool) -> list[Block]:
    """A collapsed section with these facts, or small print where the workspace refuses such a section."""
    if not items:
        return []
    if not newer:
        texts = [f"{item.label}: {value_text(item.value)}" for item in items]
        text = block_kit.fit(
            "\n".join(map(one_line, texts)), lambda part: block_kit.prose(part, people), 2_000, budget.cost - OVERHEAD
        )
        block = block_kit.context([text]) if text else {}
    else:
        inner = BlockBudget(budget.cost - 2 * OVERHEAD, block_kit.CONTAINER_BLOCKS, budget.left_out)
        children = fact_columns(items, people, inner)
        block = block_kit.container("Details", children) if children else {}
    return [block] if block and budget.takes(block) else []


def _short(fact: Fact) -> bool:
    long = isinstance(fact.value, str) and (len(fact.value) > _SHORT_VALUE or "\n" in fact.value.strip(BLANKS))
    return not long and len(fact.label) <= _SHORT_VALUE


def _groups(items: Sequence[Fact]) -> Iterator[list[Fact]]:
    group: list[Fact] = []
    for fact in items:
        if not _short(fact):
            if group:
                yield group
            yield [fact]
            group = []
            continue
        group.append(fact)
        if len(group) == block_kit.SECTION_FIELDS:
            yield group
            group = []
    if group:
        yield group


def _fields(group: Sequence[Fact], people: Collection[str], made: datetime | None) -> Block:
    return block_kit.fields([_fact(fact, people, made) for fact in group])


def _fact(fact: Fact, people: Collection[str], made: datetime | None) -> str:
    label = _label(fact, made, block_kit.FIELD_TEXT // 3, block_kit.FIELD_TEXT)
    value = value_mrkdwn(fact.value, people)
    if isinstance(fact.value, str):
        value = block_kit.fit(
            fact.value, lambda part: value_mrkdwn(part, people), block_kit.FIELD_TEXT // 2, block_kit.FIELD_TEXT
        )
    return f"{label}\n{value}" if label else value


def _label(fact: Fact, made: datetime | None, longest: int, cost: int) -> str:
    label = block_kit.fit(fact.label, block_kit.bold, longest, cost)
    if fact.at is None:
        return label
    known = made is not None and abs(aware(fact.at) - aware(made)) <= _SAME_MOMENT
    return f"{label} as of {block_kit.date(fact.at, day=not known)}"


def _wide(fact: Fact, people: Collection[str], budget: BlockBudget, made: datetime | None) -> Block:
    label = _label(fact, made, 300, 600)
    cost = budget.cost - OVERHEAD
    if not isinstance(fact.value, str):
        return block_kit.section(f"{label}\n{value_mrkdwn(fact.value, people)}")
    text = block_kit.fit(
        fact.value.strip(BLANKS) or NOTHING,
        lambda part: f"{label}\n{block_kit.prose(part, people)}",
        block_kit.SECTION_TEXT,
        cost,
    )
    return block_kit.section(text) if text else {}


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
    buttons = _shared(budget, 0.55, lambda part: parts.buttons(card.buttons, part, used, zone))
    # The time of the card is among its details where it has some.
    at, inner = (None, card.details) if card.details else (card.at, ())
    if card.details and card.at is not None:
        inner = (*card.details, Fact(label="Updated", value=card.at))
    footer = _shared(budget, 0.2, lambda part: parts.footer(card.footer, at, people, part))
    bar_text = bar(*card.progress, one_line(card.progress_note)[:_NOTE_TEXT]) if card.progress else ""
    progress = _booked(budget, block_kit.section(block_kit.prose(bar_text))) if bar_text else []
    rows = _shared(budget, 0.6, lambda part: fact_rows(card.rows, people, part))
    code = next((at for at, line in enumerate(card.lines) if line.code), len(card.lines))  # a log goes below the facts
    more = card.lines[code:] or card.facts or card.table or card.details
    opening = _shared(
        budget, 0.5 if more else 0.7 if card.chart else 0.9, lambda part: parts.lines(card.lines[:code], people, part)
    )
    columns = _shared(budget, 0.7, lambda part: fact_columns(card.facts, people, part, card.at))
    closing = _shared(budget, 0.6 if card.table else 1, lambda part: parts.lines(card.lines[code:], people, part))
    picture, item = _pictured(card, budget, newer=newer)
    table = (
        _shared(
            budget,
            1,
            lambda part: parts.table(
                item, part, native=native_table, live=card.only_for is not None, sortable=newer, zone=zone
            ),
        )
        if item
        else []
    )
    details = _shared(budget, 0.9, lambda part: fact_details(inner, people, part, newer=newer))
    body = [*progress, *rows, *picture, *opening, *columns, *closing, *table]
    if head:
        unnamed = _unnamed(called, [_head(card, ()), *body, *footer])
        if card.only_for:  # nobody else is notified, so a name among the details is enough
            unnamed = [one for one in unnamed if block_kit.mention(one) not in str(details)]
        head = [_head(card, unnamed)]
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


def _listed(text: str) -> Sequence[str]:
    """A text for a notification: of a listing, such as the audit log, only the first lines."""
    rows = text.split("\n")
    return (text,) if len(rows) <= _LISTED else (*rows[:_LISTED], "…")


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
    figures = pictures.words(card.chart) if card.chart else ""  # early: a long text is cut at its end
    rows = [
        first,
        card.byline,
        progress,
        figures,
        *(row for line in card.lines if not line.code for row in _listed(line.text)),
    ]
    values = [(fact, fact.value) for fact in (*card.rows, *card.facts)]
    rows += [
        f"{fact.label}: {value if isinstance(value, str) else value_text(value)}{as_of(fact.at)}"
        for fact, value in values
    ]
    words = "\n".join(row for raw in rows if (row := raw.replace("\n", " ").strip(BLANKS)))
    text = block_kit.fit(words, lambda part: block_kit.prose(part, people), block_kit.MESSAGE_TEXT // 2, _FALLBACK)
    calls = _calls([one for one in _called(card) if block_kit.mention(one) not in text])
    return f"{text}\n{calls}" if calls else text
