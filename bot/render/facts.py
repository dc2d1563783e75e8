"""Labelled values as blocks: in columns, on one line each, or in a collapsed section."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.outcome import Fact
from bot.render import block_kit as kit
from bot.render.block_kit import Block
from bot.render.blocks import OVERHEAD, BlockBudget
from bot.render.text_format import BLANKS, NOTHING, FactValue, aware, one_line, value_text

_SAME_MOMENT: Final = timedelta(minutes=1)  # a fact read this close to the card's own time doesn't repeat the day
_SHORT_VALUE: Final = 120  # characters; a longer fact gets the full width


def value_mrkdwn(value: FactValue, people: Collection[str]) -> str:
    """A fact's value as mrkdwn, a time in the viewer's zone."""
    if isinstance(value, datetime):
        return kit.date(value)
    if isinstance(value, str):
        return kit.prose(value.strip(BLANKS), people) or NOTHING
    return kit.prose(value_text(value))


def facts(
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


def rows(items: Sequence[Fact], people: Collection[str], budget: BlockBudget) -> list[Block]:
    """Facts on one line each, in one paragraph. A time is shown in the viewer's zone and relative to now."""
    texts: list[str] = []
    cost, length = budget.cost - OVERHEAD, kit.SECTION_TEXT
    for item in items:
        text = _row(item, people, length, cost // 2)
        cost, length = cost - kit.cost(text), length - kit.units(text) - 1
        if not text or cost < 0 or length < 0:
            budget.left(len(items) - len(texts), "fact")
            break
        texts.append(text)
    block = kit.section("\n".join(texts)) if texts else {}
    return [block] if block and budget.takes(block) else []


def _row(item: Fact, people: Collection[str], length: int, cost: int) -> str:
    label = kit.fit(one_line(item.label), lambda part: kit.bold(f"{part}:"), length // 4, cost // 4)
    if isinstance(item.value, datetime):
        return f"{label} {kit.date(item.value)}".lstrip()
    value = one_line(value_text(item.value)) or NOTHING
    return kit.fit(value, lambda part: f"{label} {kit.line(part, people)}".lstrip(), length, cost)


def details(items: Sequence[Fact], people: Collection[str], budget: BlockBudget, *, newer: bool) -> list[Block]:
    """A collapsed section with these facts, or small print where the workspace refuses such a section."""
    if not items:
        return []
    if not newer:
        texts = [f"{item.label}: {value_text(item.value)}" for item in items]
        text = kit.fit(
            "\n".join(map(one_line, texts)), lambda part: kit.prose(part, people), 2_000, budget.cost - OVERHEAD
        )
        block = kit.context([text]) if text else {}
    else:
        inner = BlockBudget(budget.cost - 2 * OVERHEAD, kit.CONTAINER_BLOCKS, budget.left_out)
        children = facts(items, people, inner)
        block = kit.container("Details", children) if children else {}
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
        if len(group) == kit.SECTION_FIELDS:
            yield group
            group = []
    if group:
        yield group


def _fields(group: Sequence[Fact], people: Collection[str], made: datetime | None) -> Block:
    return kit.fields([_fact(fact, people, made) for fact in group])


def _fact(fact: Fact, people: Collection[str], made: datetime | None) -> str:
    label = _label(fact, made, kit.FIELD_TEXT // 3, kit.FIELD_TEXT)
    value = value_mrkdwn(fact.value, people)
    if isinstance(fact.value, str):
        value = kit.fit(fact.value, lambda part: value_mrkdwn(part, people), kit.FIELD_TEXT // 2, kit.FIELD_TEXT)
    return f"{label}\n{value}" if label else value


def _label(fact: Fact, made: datetime | None, longest: int, cost: int) -> str:
    label = kit.fit(fact.label, kit.bold, longest, cost)
    if fact.at is None:
        return label
    known = made is not None and abs(aware(fact.at) - aware(made)) <= _SAME_MOMENT
    return f"{label} {kit.date(fact.at, day=not known)}"


def _wide(fact: Fact, people: Collection[str], budget: BlockBudget, made: datetime | None) -> Block:
    label = _label(fact, made, 300, 600)
    cost = budget.cost - OVERHEAD
    if not isinstance(fact.value, str):
        return kit.section(f"{label}\n{value_mrkdwn(fact.value, people)}")
    text = kit.fit(
        fact.value.strip(BLANKS) or NOTHING, lambda part: f"{label}\n{kit.prose(part, people)}", kit.SECTION_TEXT, cost
    )
    return kit.section(text) if text else {}
