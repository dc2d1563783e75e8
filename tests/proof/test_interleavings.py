"""Approvals against their model: every order of steps, every moment of death, every interleaving of two presses."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot.core.intent import Intent
from bot.core.masking.redact import redact
from bot.store.open import open_store
from bot.store.tables import sql
from tests.proof import model
from tests.proof.explore import Map
from tests.proof.memory import Gate, PlannedTurns, TurnsOfTwo, every_order
from tests.proof.model import Cut, Is, Now, Policy, State, Told
from tests.proof.play import DifferenceError, Play, Step, members

ANA, LEE, RUI = "U0ANA", "U0LEE", "U0RUI"
BOTH = frozenset({LEE, RUI})
EXPIRY = Step("wait", more=10)
CLOSED = Step("policy", more=(("allowed", False),))
EDITED = Step("policy")
CRASH = Step("crash")
EVERY_CUT = bool(os.environ.get("SIGNALBOX_EVERY_CUT"))
Seen = tuple[object, ...]
masked = cache(redact)
row_read = sql.as_model


@lru_cache(10_000)
def value_of(model: type[BaseModel], record: tuple[tuple[str, Any], ...], json_columns: tuple[str, ...]) -> BaseModel:
    return row_read(model, dict(record), json_columns)


@pytest.fixture(autouse=True)
def _each_text_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories differ in few texts and rows. What is masked in a text depends on nothing but the text and the known secrets, and
    the value of a row, which is frozen, on nothing but its columns."""

    def once(text: str, known: Iterable[str] = ()) -> tuple[str, int]:
        return masked(text, tuple(known))

    def read_once(model: type[BaseModel], record: Mapping[str, Any], json_columns: Iterable[str]) -> BaseModel:
        return value_of(model, tuple(record.items()), tuple(json_columns))

    monkeypatch.setattr("bot.core.masking.redact.redact", once)
    monkeypatch.setattr(sql, "as_model", read_once)


def three(count: int) -> State:
    """Ana asks and is in the group herself; Lee and Rui decide; `count` of them are needed."""
    return State(requester=ANA, statuses=members(ANA, LEE, RUI), group=BOTH | {ANA}, policy=Policy(count=count))


def main_letters(count: int) -> tuple[Step, ...]:
    """Approve, deny, cancel, expire, change the policy three ways, change the group, crash."""
    return (
        *(Step("approve", who) for who in (LEE, RUI, ANA)),
        *(Step("deny", who) for who in (LEE, RUI)),
        Step("cancel", ANA),
        EXPIRY,
        CLOSED,
        EDITED,
        Step("policy", more=(("count", 3 - count),)),
        Step("group", more=frozenset({ANA, RUI})),
        Step("group", more=BOTH | {ANA}),
        CRASH,
    )


def all_letters(count: int) -> tuple[Step, ...]:
    """The main ones, and everything else that somebody can do or that can happen."""
    return (
        *main_letters(count),
        Step("deny", ANA),
        Step("cancel", LEE),
        Step("claim", LEE),
        Step("claim", RUI),
        Step("old approve", LEE),
        Step("policy", more=(("named", frozenset({LEE})),)),
        Step("group", more=None),
        *(Step("become", who, Is.GONE) for who in (LEE, RUI, ANA)),
        Step("become", LEE, Is.MEMBER),
        Step("drift"),
    )


async def mapped(state: State, letters: tuple[Step, ...], steps: int) -> tuple[Map, int]:
    """Every history of so many steps, the request first; the map and how many histories that were."""
    play = Play(state)
    found = Map(letters, (LEE, RUI))
    await play.step(Step("request", state.requester))
    spot = await found.walk(play, steps - 1)
    play.team.close()
    assert not found.differences, "\n".join(found.differences[:20])
    return found, found.histories(spot, steps - 1)


@pytest.mark.parametrize("count", [1, 2])
async def test_every_order_of_six_steps_of_three_people_is_as_the_model_says(
    count: int, record_property: Callable[[str, object], None]
) -> None:
    """Request, approve, deny, cancel, expire, policy change, group change, crash, in all orders; SIGNALBOX_STEPS for more."""
    steps = int(os.environ.get("SIGNALBOX_STEPS", "6"))
    found, histories = await mapped(three(count), main_letters(count), steps)
    record_property("histories", histories)
    record_property("states", found.states)
    record_property("steps done", found.steps)
    assert histories >= 50_000


@pytest.mark.parametrize(("count", "steps"), [(1, 4), (2, 5)])
async def test_every_order_with_everything_that_can_happen_is_as_the_model_says(
    count: int, steps: int, record_property: Callable[[str, object], None]
) -> None:
    """With claims, old buttons, deactivated people, an unreadable group, edited approvers and a target that drifts too."""
    found, histories = await mapped(three(count), all_letters(count), steps)
    record_property("histories", histories)
    record_property("steps done", found.steps)
    assert histories >= 3_000


ODD = {
    "a guest and an external person are in the group": State(
        requester=ANA, statuses=(*members(ANA), (LEE, Is.GUEST), (RUI, Is.EXTERNAL)), group=BOTH
    ),
    "one of the group is a guest": State(requester=ANA, statuses=(*members(ANA, RUI), (LEE, Is.GUEST)), group=BOTH),
    "one of the group cannot be read": State(
        requester=ANA, statuses=(*members(ANA, RUI), (LEE, Is.UNREADABLE)), group=BOTH, policy=Policy(count=2)
    ),
    "Lee is Ana's second account": State(
        requester=ANA, statuses=members(ANA, LEE, RUI), group=BOTH, aliases=((LEE, ANA),)
    ),
    "Lee and Rui are one person, and two are needed": State(
        requester=ANA, statuses=members(ANA, LEE, RUI), group=BOTH, aliases=((LEE, RUI),), policy=Policy(count=2)
    ),
    "Lee and Rui are one person, and one is needed": State(
        requester=ANA, statuses=members(ANA, LEE, RUI), group=BOTH, aliases=((LEE, RUI),)
    ),
    "the requester is the only member": State(requester=ANA, statuses=members(ANA, LEE, RUI), group=frozenset({ANA})),
    "the file names one and the group has the other": State(
        requester=ANA,
        statuses=members(ANA, LEE, RUI),
        group=frozenset({RUI}),
        policy=Policy(count=2, named=frozenset({LEE, RUI})),
    ),
    "the requester is gone": State(requester=ANA, statuses=(*members(LEE, RUI), (ANA, Is.GONE)), group=BOTH),
    "nobody can read the group": State(requester=ANA, statuses=members(ANA, LEE, RUI), group=None),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_people_and_groups_are_as_the_model_says(name: str) -> None:
    """Four steps of everything, in worlds where an account is not simply a person who may decide."""
    state = ODD[name]
    play = Play(state)
    await play.step(Step("request", ANA))
    refused = play.state.now is Now.REFUSED
    play.team.close()
    if not refused:
        await mapped(state, all_letters(state.policy.count), 4)


ON_DISK = (
    (Step("approve", LEE), Step("approve", RUI), Step("approve", LEE), CRASH),
    (Step("approve", LEE), CRASH, Step("drift"), Step("approve", RUI), Step("approve", LEE), Step("approve", RUI)),
    (Step("claim", LEE), Step("approve", RUI), Step("deny", LEE), Step("approve", RUI), CRASH),
    (EDITED, Step("approve", LEE), Step("old approve", LEE), Step("approve", LEE), Step("cancel", ANA)),
    (Step("approve", LEE), Step("group", more=frozenset({RUI})), Step("approve", RUI), CLOSED, Step("approve", RUI)),
    (Step("approve", LEE), Step("wait", more=9), CRASH, Step("wait", more=1), Step("approve", RUI), CRASH),
)


@pytest.mark.parametrize("steps", ON_DISK, ids=lambda steps: " > ".join(map(str, steps)))
async def test_the_store_on_a_disk_with_its_threads_tells_the_same(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    """A few histories with the file, the writer thread and the readers that the program has."""
    store = open_store(str(tmp_path / "signalbox.db"))
    play = Play(three(2), store.database)
    await play.step(Step("request", ANA))
    for step in steps:
        await play.step(step)
    await store.close()


ACTS = (
    Step("approve", LEE),
    Step("approve", RUI),
    Step("approve", ANA),
    Step("deny", LEE),
    Step("cancel", ANA),
    Step("claim", LEE),
    EXPIRY,
    CRASH,
)
BEFORE = (
    (),
    (Step("approve", RUI),),
    (Step("claim", LEE),),
    (EDITED,),
    (Step("policy", more=(("count", 1),)),),
    (CLOSED,),
    (Step("drift"),),
    (Step("group", more=frozenset({LEE})),),
    (Step("become", ANA, Is.GONE),),
    (Step("approve", RUI), EDITED),
    (Step("approve", RUI), Step("drift")),
    (Step("approve", RUI), Step("group", more=frozenset({LEE}))),
)


async def deaths(play: Play, step: Step, found: list[str], most: int = 60) -> int:
    """Do this step again and again, dying one durable thing later each time; how many deaths there were."""
    for after in range(1, most):
        mark = play.mark()
        try:
            if not (await play.step(step, dies_after=after)).dead:
                return after - 1
        except DifferenceError as difference:
            found.append(str(difference))
        finally:
            play.back(mark)
    raise AssertionError("a step with so many durable things is none")


@pytest.mark.parametrize("count", [1, 2])
async def test_a_death_between_any_two_durable_things_changes_nothing_but_whether_a_call_is_known(count: int) -> None:
    """Afterwards the step has happened or it has not, nothing is called twice, cards and buttons agree with the store."""
    play = Play(three(count))
    found: list[str] = []
    died = await deaths(play, Step("request", ANA), found)
    await play.step(Step("request", ANA))
    for before, act in itertools.product(BEFORE, ACTS):
        mark = play.mark()
        for step in before:
            await play.step(step)
        died += await deaths(play, act, found)
        play.back(mark)
    play.team.close()
    assert not found, f"{len(found)} of {died}\n" + "\n".join(found)
    assert died > 300


async def in_turns(play: Play, acts: Sequence[Step], cut: tuple[int, int]) -> tuple[TurnsOfTwo, list[Intent | None]]:
    """Both acts at once: the first has `cut[0]` turns, the second `cut[1]`, the first the rest, then the second the rest.

    A turn is an access to the store and what follows it until the next one.
    """
    turns = PlannedTurns([(0, cut[0]), (1, cut[1]), (0, None), (1, None)])
    play.team.boot(Gate(turn=turns))
    intents = await asyncio.gather(*(turns.as_owner(number, play.begin(act)) for number, act in enumerate(acts)))
    play.note()
    return turns.turns, list(intents)


def outcomes(state: State, acts: Sequence[Step], play: Play) -> set[Seen]:
    """What the model says comes of the two acts in either order; an approval that completes the count may be overtaken once
    more, before its call. The answer to an approval that was overtaken there is what the cards say, and is not compared."""
    found: set[Seen] = set()
    for order in ((0, 1), (1, 0)):
        now, told = state, {}
        for number in order:
            now, told[number] = play.expected(acts[number], now)
        found.add(_seen(now, told[0], told[1]))
    for number, act in enumerate(acts):
        if act.what != "approve":
            continue
        voted, _ = model.approve(state, act.who, Cut.VOTED)
        if voted.now is not Now.APPROVED:
            continue
        between, told_other = play.expected(acts[1 - number], voted)
        last = model.dispatch(between)[0] if between.now is Now.APPROVED else between
        for told_act in Told:
            pair = (told_act, told_other) if number == 0 else (told_other, told_act)
            found.add(_seen(last, *pair))
            if acts[0] == acts[1]:
                found.add(_seen(last, *(Told.TWICE if one is Told.OVER else one for one in pair)))
    return found


def _seen(state: State, *told: Told) -> Seen:
    return (state.now, state.calls, state.votes if state.now is Now.OPEN else frozenset(), *told)


PAIRS = (
    (Step("approve", LEE), Step("approve", RUI)),
    (Step("approve", LEE), Step("approve", LEE)),
    (Step("approve", LEE), Step("deny", RUI)),
    (Step("approve", LEE), Step("deny", LEE)),
    (Step("deny", LEE), Step("deny", RUI)),
    (Step("approve", LEE), Step("cancel", ANA)),
    (Step("deny", LEE), Step("cancel", ANA)),
    (Step("cancel", ANA), Step("cancel", ANA)),
    (Step("approve", LEE), Step("wait", more=10)),
    (Step("deny", LEE), Step("wait", more=10)),
    (Step("cancel", ANA), Step("wait", more=10)),
    (Step("approve", LEE), CLOSED),
    (Step("approve", LEE), EDITED),
    (Step("approve", LEE), Step("drift")),
    (Step("approve", LEE), Step("group", more=frozenset({RUI}))),
    (Step("approve", LEE), Step("become", ANA, Is.GONE)),
    (Step("claim", LEE), Step("claim", RUI)),
)


async def every_cut(play: Play, acts: tuple[Step, Step]) -> set[str]:
    """What the model does not know, in every order of the turns of the two acts."""
    found: set[str] = set()
    allowed = outcomes(play.state, acts, play)
    mark = play.mark()
    before = await play.opened(acts)

    async def run(first: int, second: int) -> TurnsOfTwo:
        again = play.mark()
        turns, intents = await in_turns(play, acts, (first, second))
        seen = play.seen(acts, intents)
        if seen not in allowed:
            found.add(f"{acts[0]} {first}, {acts[1]} {second}: {seen}, and the model knows {list(allowed)}")
        play.back(again)
        return turns

    await every_order(run, each=EVERY_CUT)
    play.state = before
    play.back(mark)
    return found


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("acts", PAIRS, ids=lambda acts: f"{acts[0]} | {acts[1]}")
async def test_two_acts_at_once_come_out_as_one_after_the_other(acts: tuple[Step, Step], count: int) -> None:
    """With every place at which one act loses its turn, and every one at which the other does; either may be first."""
    play = Play(three(count))
    await play.step(Step("request", ANA))
    if count == 2:
        await play.step(Step("approve", RUI if acts[0].who == LEE else LEE))
    found: set[str] = set()
    for order in dict.fromkeys((acts, acts[::-1])):
        found |= await every_cut(play, order)
    play.team.close()
    assert not found, "\n".join(sorted(found)[:6])
