"""An incident that was opened or closed is shown and reported, although the store or the program failed at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Problem
from bot.store.store import Store
from tests.scenarios.team import CRAWL, Team, deciding
from tests.scenarios.test_ends_repeated import DOUBT, Cut, told
from tests.world import OPEN_POLICY, labels, shown

FAILURES = [DOUBT, "restart", "late"]


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world in which everything is allowed, with a clock."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as made:
        yield made


def cut(monkeypatch: pytest.MonkeyPatch, event: str, how: str, *, stored: bool = True) -> asyncio.Event:
    """The answer to the commit with that entry is lost, once. `stored`: whether it was done."""
    done, real = asyncio.Event(), Store.set_value

    async def call(store: Store, key: str, value: Any, at: Any, entries: Any = ()) -> None:
        lost = not done.is_set() and any(entry.event == event for entry in entries)
        if stored or not lost:
            await real(store, key, value, at, entries)
        if lost:
            done.set()
            if how == DOUBT:
                raise Problem("The store can't say whether this was stored.", code=DOUBT)
            await asyncio.Event().wait()

    monkeypatch.setattr(Store, "set_value", call)
    return done


async def fails(team: Team, done: asyncio.Event, how: str) -> None:
    """Wait for that moment, and start the program again if it hangs there: at once, or too late to run a command."""
    await asyncio.wait_for(done.wait(), 30)
    if how != DOUBT:
        await team.env.bot.close()
        team.later(minutes=10 if how == "late" else 0)
        await team.env.start()


@pytest.mark.parametrize("how", FAILURES)
async def test_one_that_was_opened_is_shown(team: Team, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    done = cut(monkeypatch, "incident_opened", how)
    await team.env.say("incident open INC-7 -- checkout")
    await fails(team, done, how)
    card = await team.env.sees("Incident INC-7: checkout", "Open")
    await team.env.quiet()
    assert "Close INC-7" in labels(card)
    assert len(told(team, CRAWL)) == 1
    assert len(team.env.audit(event="incident_opened")) == 1


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("pressed", [False, True])
async def test_one_that_was_closed_is_reported_once(
    team: Team, monkeypatch: pytest.MonkeyPatch, how: str, *, pressed: bool
) -> None:
    env = team.env
    card = await env.does("incident open INC-7 -- checkout", "Incident INC-7")
    done = cut(monkeypatch, "incident_closed", how)
    if pressed:
        await env.ana.press_label(CRAWL, card["ts"], "Close INC-7", seen=card)
    else:
        await env.say("incident close -- fixed")
    await fails(team, done, how)
    report = await env.sees("INC-7 is closed", "After 0 s, by <@U0ANA>", "checkout", "" if pressed else "fixed")
    await env.sees("Incident INC-7: checkout", "Closed by <@U0ANA>")
    await env.until(lambda: len([file for file in env.ws.files.values() if file.thread_ts == report["ts"]]) == 3)
    await env.restart()
    await env.quiet()
    assert len(env.audit(event="incident_closed")) == 1
    assert not [one for one in told(team, CRAWL) if "Nothing was" in shown(one)]
    assert len(told(team, CRAWL, "INC-7 is closed")) == 1
    assert len(env.ws.files) == 3


async def test_the_files_of_its_report_come_after_a_restart(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env = team.env
    await env.does("incident open INC-7 -- checkout", "Incident INC-7")
    lost = Cut(monkeypatch, Store, "keep_file", "restart")
    await env.say("incident close -- fixed")
    report = await env.sees("INC-7 is closed", "fixed")
    await fails(team, lost.done, "late")
    await env.until(lambda: len([file for file in env.ws.files.values() if file.thread_ts == report["ts"]]) == 3)
    assert len(told(team, CRAWL, "INC-7 is closed")) == 1


@pytest.mark.parametrize(
    ("command", "event", "state"),
    [
        ("incident open INC-7", "incident_opened", "No incident is open here"),
        ("incident close", "incident_closed", "Open"),
    ],
)
async def test_what_was_not_stored_is_not_told(
    team: Team, monkeypatch: pytest.MonkeyPatch, command: str, event: str, state: str
) -> None:
    env = team.env
    if command == "incident close":
        await env.does("incident open INC-7", "Incident INC-7")
    cut(monkeypatch, event, DOUBT, stored=False)
    await env.does(command, "Nothing was done")
    await env.does("incident", state)
    assert not env.audit(event=event)
    await env.does(command, "Incident INC-7" if event == "incident_opened" else "INC-7 is closed")
