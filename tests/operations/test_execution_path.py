"""The way of a request through the program is short: every step of it is one file, and none goes back and forth between files.

A visit is counted when control enters a file of intents/, features/ or operations/ that it was not in a moment before. A
coroutine that goes on after it waited enters nothing. What runs side by side is counted task by task.
"""

from __future__ import annotations

import asyncio
import dis
import inspect
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType

import pytest

import bot
from tests.scenarios.team import Team, deciding

MOST_OF_A_START = 18
MOST_OF_AN_APPROVAL = 35
_ROOT = str(Path(bot.__file__).parent)
_COUNTED = tuple(f"{_ROOT}/{folder}/" for folder in ("intents", "features", "operations"))
Step = tuple[int, str, str]  # task, file, function
_GOES_ON = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_journey: ContextVar[list[Step] | None] = ContextVar("journey", default=None)


@cache
def _first(code: CodeType) -> int:
    """Where the body of a coroutine begins: a later place means that it goes on."""
    return next(step.offset for step in dis.get_instructions(code) if step.opname == "RESUME")


@contextmanager
def traced() -> Iterator[dict[str, list[Step]]]:
    """The calls that each request makes, by request id, also those of the tasks that it starts."""
    journeys: dict[str, list[Step]] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(_COUNTED):
            return
        if code.co_flags & _GOES_ON and frame.f_lasti > _first(code):
            return
        steps, task = _journey.get(), asyncio.current_task()
        if steps is None:
            if task is None or not task.get_name().startswith("r-"):
                return
            steps = journeys.setdefault(task.get_name(), [])
            _journey.set(steps)
        steps.append((id(task), code.co_filename.removeprefix(f"{_ROOT}/"), code.co_name))

    sys.setprofile(note)
    try:
        yield journeys
    finally:
        sys.setprofile(None)


def visits(steps: list[Step]) -> list[str]:
    """The files in the order in which they were entered, each with what was called in it; the request's own task first."""
    found = []
    for task in dict.fromkeys(task for task, _, _ in steps):
        own = [(file, function) for of, file, function in steps if of == task]
        for file, calls in groupby(own, key=lambda step: step[0]):
            found.append(f"{file}: {', '.join(function for _, function in calls)}")
    return found


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals for some of its targets."""
    async with deciding(tmp_path, monkeypatch, RULES) as made:
        yield made


RULES = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]

[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:labs/*"]
  who = ["crawl"]
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }
"""


async def test_a_start_goes_through_few_files(team: Team) -> None:
    """Typed, allowed and run, until its card is shown."""
    with traced() as journeys:
        await team.env.say("start acc:labs/slow")
        await team.env.until(lambda: "done" in team.env.events("start"))
        await team.env.quiet()
    path = visits(next(iter(journeys.values())))
    assert len(path) <= MOST_OF_A_START, "\n".join([f"{len(path)} visits", *path])


async def test_an_approve_press_goes_through_few_files(team: Team) -> None:
    """Pressed, counted, checked again and run, until its card is shown."""
    await team.env.say("start acc:shop/prices -- month end")
    card = await team.card("start acc:shop/prices")
    await team.env.quiet()
    with traced() as journeys:
        await team.press(card, "Approve")
        await team.env.until(lambda: "done" in team.env.events("start"))
        await team.env.quiet()
    path = visits(next(iter(journeys.values())))
    assert len(path) <= MOST_OF_AN_APPROVAL, "\n".join([f"{len(path)} visits", *path])
