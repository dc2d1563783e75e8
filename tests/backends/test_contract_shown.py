"""What the rows answer stays within Slack's limits, for nothing, one thing and five hundred with the worst of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot import plugins
from bot.core.card import Card
from bot.core.errors import NoSuchTarget
from bot.core.masking.redact import redact
from bot.core.operation import Operation
from bot.core.outcome import GONE, Done, Fact, Phase, Refused, RunView, Suggestion, Table
from bot.operations import cards
from bot.render.block_kit import TIME
from bot.render.card import render_card
from tests.backends.contract_stand import INTENT, samples_of, standing
from tests.render.slack_rules import check_message

KINDS = plugins.kinds()
HOSTILE = {
    "call": "<!channel> <@U0LEE> <https://evil.example.com|invoice> @here",
    "bidi": "\u202egnp.exe\u202c \u2066left\u2069 \u200bzero",
    "long": "x" * 10_000,
    "ticks": "```\n`code` *bold* _it_ ~no~ ```",
    "signs": "a&b<c>d \x00\x07 \"q\" 'p' | {e} [f] %2f ../..",
    "lines": "one\ntwo\r\nthree\tfour",
}
CALLED = (INTENT.actor.user_id,)
ROWS = [(kind, *key) for kind in KINDS for key in samples_of(kind).rows]
# What a vendor's program makes, not a person: a GUID, or a long word of letters and digits.
INTERNAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|(?<!\w)(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{16,}", re.IGNORECASE)
ADAPTED = re.compile(r"<!date\^[^>]*>|```.*?```|`[^`]*`", re.DOTALL)
A_RUN_ENDS_IN = 600.0  # seconds
MOST_FACTS = 3
masked = cache(redact)


@pytest.fixture(autouse=True)
def _typed_words_masked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are shown with the same words, and to look for secrets in those takes longer than to show a card."""
    monkeypatch.setattr("bot.core.operation.redact", masked)


def check(card: Card) -> None:
    shown = render_card(card)
    check_message(shown.text, shown.blocks, card.mention)


@pytest.mark.parametrize("count", [0, 1, 500])
@pytest.mark.parametrize("kind", KINDS)
async def test_lists_of_a_plane_that_is_full_of_hostile_names(kind: str, count: int, tmp_path: Path) -> None:
    """Lists and states that a plane can fill, read through the adapter and rendered."""
    samples = samples_of(kind)
    name = HOSTILE["call"] + HOSTILE["bidi"] + HOSTILE["ticks"]
    async with standing(kind, tmp_path, more=lambda plane: samples.hostile(plane, name, count)) as stand:
        for typed in samples.lists:
            with nullcontext() if count else suppress(NoSuchTarget):
                operation = await stand.operation(typed)
                result = await stand.call(operation)
                check(cards.outcome(operation, INTENT, result, (), INTENT.at))
        health = await stand.backend.health()
        assert health.summary
        named = await stand.backend.targets()
        assert len({one.text for one in named}) == len(named)
        assert all(one.target.backend == stand.backend.name for one in named)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
async def test_one_thing_with_a_hostile_name(kind: str, hostile: str, tmp_path: Path) -> None:
    """One thing of each sort of hostile name."""
    samples = samples_of(kind)
    async with standing(kind, tmp_path, more=lambda plane: samples.hostile(plane, hostile, 1)) as stand:
        for typed in samples.lists:
            operation = await stand.operation(typed)
            result = await stand.call(operation)
            check(cards.outcome(operation, INTENT, result, (), INTENT.at))


def bad(result: Any, word: str, count: int) -> Any:
    """An outcome of the same kind with every text replaced by `word`, and `count` facts and rows."""
    facts = tuple(Fact(label=f"{word} {number}"[:200], value=word) for number in range(count))
    steps = tuple(Suggestion(label="Log", verb="logs", target=word) for _ in range(min(count, 30)))
    if not isinstance(result, Done):
        return Refused(code="rejected", summary=word, hint=word, facts=facts, next=steps)
    table = Table(columns=(word, "b", "c"), rows=tuple((word, word, str(n)) for n in range(count)), note=word)
    view = RunView(state=word, phase=Phase.UNREADABLE, facts=facts, message=word, done=1, total=3, next=steps)
    return result.model_copy(
        update={"summary": word, "facts": facts, "table": table, "view": view, "preview": word, "next": steps}
    )


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_row_with_the_worst_that_a_vendor_could_say(kind: str, word: str, tmp_path: Path) -> None:
    """Each row's operation with outcomes whose every text is hostile and which have no, one or very many facts and rows."""
    samples = samples_of(kind)
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(samples.rows[samples.read])
        result = await stand.call(operation)
        for number, row in enumerate(stand.plugin.spec.capabilities):
            target = operation.target.model_copy(update={"name": word, "id": word, "scope": f"{samples.name}:{word}"})
            update = {"verb": row.verb, "target": target, "reason": word, "words": (("name", word),)}
            worst = operation.model_copy(update=update)
            # The rows differ in their words alone, so one of them shows what five hundred facts and rows become.
            for count in (0, 1) if number else (0, 1, 500):
                for outcome in (bad(result, word, count), bad(None, word, count)):
                    check(cards.outcome(worst, INTENT, outcome, (), INTENT.at))
            check(cards.working(worst, INTENT, word))


def in_sight(card: Card) -> list[str]:
    """What people read without opening its details, but for what was typed and for the lines of a log."""
    facts = [fact for fact in (*card.rows, *card.facts) if fact.label != "With"]
    lines = [f"{line.heading} {line.text}" for line in card.lines if not line.code]
    return [card.title, card.status, *(f"{fact.label}: {fact.value}" for fact in facts), *lines]


async def cards_of(kind: str, verb: str, target: str, folder: Path) -> tuple[Operation, list[Card]]:
    """The card of a command, and of its run while it goes on and when it has ended."""
    async with standing(kind, folder) as stand:
        operation = await stand.prepared(samples_of(kind).rows[verb, target])
        result = await stand.call(operation)
        made = [cards.outcome(operation, INTENT, result, (), INTENT.at)]
        for wait in (0.0, A_RUN_ENDS_IN):
            if isinstance(result, Done) and result.run is not None and operation.starts_run:
                stand.given.clock.plane.advance(wait)
                view = await stand.view(result.run)
                made.append(cards.run_update(operation, INTENT, view, (), INTENT.at, run=result.run))
    return operation, made


@pytest.mark.parametrize(("kind", "verb", "target"), ROWS)
async def test_ids_are_in_the_details_alone_and_a_run_has_few_facts(
    kind: str, verb: str, target: str, tmp_path: Path
) -> None:
    operation, made = await cards_of(kind, verb, target, tmp_path)
    typed = operation.title if operation.target.scope is None else ""  # of a run that nobody has listed, the id is all
    seen = [text for card in made for text in in_sight(card) if text != typed]
    assert [text for text in seen if INTERNAL.search(text)] == []
    for card in made[1:]:
        assert len([fact for fact in card.rows if fact.label not in ("With", "Error")]) <= MOST_FACTS, card.rows
        assert ("Errors", 0) not in [(fact.label, fact.value) for fact in card.rows]


@pytest.mark.parametrize(("kind", "verb", "target"), ROWS)
async def test_times_are_on_the_readers_clock(kind: str, verb: str, target: str, tmp_path: Path) -> None:
    """In sentences, facts, details and tables: each is one that Slack adapts. Code is as the vendor or the person wrote it."""
    _, made = await cards_of(kind, verb, target, tmp_path)
    for card in made:
        message = render_card(card, INTENT.at)
        texts = [message.text, *texts_in(message.blocks)]
        assert [text for text in texts if TIME.search(ADAPTED.sub("", text))] == []


def texts_in(node: Any) -> Iterator[str]:
    """What the blocks say, without the fallbacks of dates and without code."""
    if isinstance(node, dict):
        yield from (text for key, text in node.items() if key == "text" and isinstance(text, str))
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from texts_in(item)


@pytest.mark.parametrize(("kind", "verb", "target"), ROWS)
async def test_a_card_links_to_what_the_console_has(kind: str, verb: str, target: str, tmp_path: Path) -> None:
    """What was created has its page by its own id; what was deleted has none."""
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(samples_of(kind).rows[verb, target])
        result = await stand.call(operation)
        if isinstance(result, Done) and not result.unlinked:
            assert await stand.backend.state_of(result.run or result.made or operation.target) not in (
                "does not exist",
                GONE,
            )
        else:
            assert not isinstance(result, Done) or "delete" in verb
