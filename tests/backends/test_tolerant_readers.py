"""Every reply of every operation of every kind, with each of its fields changed in turn.

An operation fails only if it needs that very field, and then says which; lists keep their other rows; nothing odd is good
news; and whatever came can be shown and stored.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from bot import plugins
from bot.core.command.capability import Risk
from bot.core.command.parser import parse
from bot.core.errors import CallProblem, Problem
from bot.core.intent import Command
from bot.core.operation import Operation
from bot.core.outcome import Done, Failed, Refused, Unknown
from bot.operations import cards
from bot.render.card import render_card
from bot.render.terminal import render_text
from tests.backends.contract_samples import Sample
from tests.backends.contract_stand import INTENT, Stand, samples_of, standing
from tests.backends.tape import VALUES, Bend, Tape

KINDS: Final = ("sequentum", "resilio")
NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEW: Final = ("absent", "wrong type", "half a character")

# What an operation can't do without, by kind: patterns of `ACT FIELD`. Everything else is read around.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "sequentum": (
        "* agentId",  # of a path, and whose run it is: the rules depend on it
        "start agent agentRunHistoryIds",  # what was started
        "history jobrun runId",  # the address of the list
        "schedule off schedule isEnabled",  # what a pause has to switch on again
        "schedule off schedule scheduleId",
        "resolve schedule scheduleId",  # whether it is still there
        "resolve run agentRunHistoryId",  # another id than was asked for
        "resolve jobrun agentJobHistoryId",
    ),
    "resilio": (
        "* token",
        "status run run_id",  # another run than was asked for
        "tags agent tags",
        "look back tag agent tags",  # whether they are set
    ),
}

Act = Callable[[], Awaitable[Any]]


def is_needed(kind: str, act: str, bend: Bend) -> bool:
    """Whether the act may fail by this field, or by a whole row of which it needs a field."""
    if isinstance(bend.path[-1], int):
        return any(pattern.startswith(f"{act} ") for pattern in NEEDED[kind])
    return any(fnmatch.fnmatchcase(f"{act} {bend.field}", pattern) for pattern in NEEDED[kind])


def problem_of(result: Any) -> str:
    """What went wrong, in words; empty when nothing did."""
    if isinstance(result, Problem):
        return f"{result.summary} {result.hint}"
    return f"{result.summary} {result.hint}" if isinstance(result, Refused | Failed | Unknown) else ""


async def tried(act: Act) -> Any:
    try:
        return await act()
    except Problem as problem:
        return problem


def check_shown(operation: Operation, result: Any) -> None:
    """It can be stored, and shown in Slack and on a terminal."""
    if hasattr(result, "model_dump_json"):
        result.model_dump_json().encode()
    if isinstance(result, Done | Refused | Failed | Unknown):
        card = cards.outcome(operation, INTENT, result, (), NOW)
        render_card(card)
        render_text(card).encode()


def check_rows(good: Any, result: Any, bend: Bend) -> None:
    """A list whose row is odd, as a whole or in a field, is as long as before."""
    in_row = any(isinstance(part, int) for part in bend.path)
    if isinstance(good, Done) and isinstance(result, Done) and good.table and in_row:
        assert result.table, bend
        assert len(result.table.rows) == len(good.table.rows), bend
    if isinstance(good, list) and isinstance(result, list):
        assert len(result) >= len(good) - 1, bend


async def check_all(kind: str, name: str, tape: Tape, operation: Operation, act: Act, names: tuple[str, ...]) -> int:
    """Record the act, then play it with every change; how many there were."""
    tape.erase()
    good = await tried(act)
    assert not problem_of(good), (name, problem_of(good))
    tape.play(None)
    assert not problem_of(await tried(act)), f"{name} can't be played again"
    count = 0
    for bend in tape.bends(names):
        tape.play(bend)
        result = await tried(act)
        wrong = problem_of(result)
        if wrong:
            assert is_needed(kind, name, bend), f"{name} fails on {bend}: {wrong}"
            assert isinstance(bend.path[-1], int) or bend.field in wrong, (
                f"{name} does not name the field of {bend}: {wrong}"
            )
        check_shown(operation, result)
        check_rows(good, result, bend)
        count += 1
    return count


ROWS = [pytest.param(kind, key, id=f"{kind}-{key[0]} {key[1]}") for kind in KINDS for key in samples_of(kind).rows]


@pytest.mark.parametrize(("kind", "key"), ROWS)
async def test_an_operation_fails_only_by_a_field_that_it_needs(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """The call itself, with every change of every field of every reply that it reads."""
    tape, name = Tape(), " ".join(key)
    async with standing(kind, tmp_path, tape=tape, more=slow_restart) as stand:
        operation = await stand.prepared(samples_of(kind).rows[key])
        assert await check_all(kind, name, tape, operation, lambda: stand.call(operation), tuple(VALUES)) >= 0


@pytest.mark.parametrize(("kind", "key"), ROWS)
async def test_what_stands_around_a_call_is_read_as_tolerantly(kind: str, key: tuple[str, str], tmp_path: Path) -> None:
    """What an approver sees, the state that is compared, how a run is followed, and what a lost answer is looked up by."""
    tape, name, sample = Tape(), " ".join(key), samples_of(kind).rows[key]
    row = next(row for row in plugins.load(kind).rows.capabilities if (row.verb, row.target) == key)
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.prepared(sample)
        sent_at = stand.given.clock.now()
        await check_all(
            kind, f"resolve {key[1]}", tape, operation, lambda: stand.target(typed_target(stand, sample)), FEW
        )
        acts: dict[str, Act] = {}
        if row.risk is not Risk.READ:
            acts |= {
                "state": lambda: stand.backend.state_of(operation.target),
                "preflight": lambda: stand.backend.preflight(operation),
                "check": lambda: stand.backend.check(operation),
            }
        if not sample.refused and row.starts_run:
            tape.erase()
            result = await stand.call(operation)
            run = result.run if isinstance(result, Done) else None
            assert run is not None
            acts["poll"] = lambda: stand.backend.poll(run.group or run.id, [run])
        if row.risk is not Risk.READ:
            acts["look back"] = lambda: stand.backend.look_back(operation, sent_at)
        for word, act in acts.items():
            await check_all(kind, f"{word} {name}", tape, operation, act, FEW)


@pytest.mark.parametrize("kind", KINDS)
async def test_health_and_targets_are_read_as_tolerantly(kind: str, tmp_path: Path) -> None:
    """One odd row never hides the other targets, and no odd field makes a healthy backend look ill without its name."""
    tape, samples = Tape(), samples_of(kind)
    async with standing(kind, tmp_path, tape=tape) as stand:
        operation = await stand.prepared(samples.rows[samples.read])
        await check_all(kind, "targets", tape, operation, stand.backend.targets, tuple(VALUES))
        await check_all(kind, "health", tape, operation, lambda: healthy(stand), tuple(VALUES))


def slow_restart(plane: Any) -> None:
    """An agent that restarts is away for so long that it is seen to be away, however busy the machine is."""
    if hasattr(plane, "away"):
        plane.away = 0.15


async def healthy(stand: Stand) -> Any:
    """The health, as a problem where it is bad."""
    found = await stand.backend.health()
    return found if found.ok else CallProblem(found.summary)


def typed_target(stand: Stand, sample: Sample) -> str:
    command = parse(sample.typed.format(**stand.words), stand.catalog)
    assert isinstance(command, Command)
    assert command.target is not None
    return command.target
