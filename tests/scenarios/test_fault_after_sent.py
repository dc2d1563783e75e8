"""A fault of the bot after a call was recorded as sent: its request ends as unknown, whoever sent it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.features.approvals import vote
from bot.operations import cards, completion, reconcile
from bot.store.store import Store
from tests.scenarios.steps import Asked, ask, do, everything_seen, private
from tests.scenarios.team import APPROVERS, RULES, Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_ends_repeated import DOUBT, Cut
from tests.scenarios.test_pauses import FIRST
from tests.world import OPEN_POLICY

MAY_HAVE = ("Unknown: ", "Something went wrong", "It may or may not have happened")


@pytest.fixture(params=[OPEN_POLICY], ids=["open"])
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[Team]:
    """A world with these rules."""
    async with deciding(tmp_path, monkeypatch, request.param) as made:
        yield made


asks_leads = pytest.mark.parametrize("team", [RULES], ids=["asks-leads"], indirect=True)


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError


async def presses(team: Team, asked: Asked, label: str) -> None:
    """Press this button, with a fault before the call is made."""
    card = await team.card("acc:shop/prices") if label == "Approve" else await asked.card("Dangerous")
    await team.env.quiet()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cards, "working", broken)
        await (team.press(card, label) if label == "Approve" else asked.press(label))
        await team.env.until(lambda: "unknown" in asked.events)


async def ends_unknown(team: Team, asked: Asked) -> None:
    """It is told on its card, and nobody reads anything else."""
    await asked.card(*MAY_HAVE)
    await team.env.quiet()
    assert asked.events[-3:] == ["sent", "unknown", "abandoned"]
    assert not await team.env.bot.store.being_sent()
    assert "Nothing was sent" not in everything_seen(team.env, "U0ANA")
    assert "Nothing was sent" not in everything_seen(team.env, "U0LEE", APPROVERS)


async def test_of_a_command(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cards, "working", broken)
        asked = await ask(team.env, "start acc:shop/prices")
        await team.env.until(lambda: "unknown" in asked.events)
    await ends_unknown(team, asked)


@pytest.mark.parametrize("why", ["a-fault", "a-lost-answer"])
async def test_is_recorded_once_by_a_store_that_answers_late(
    team: Team, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """The store has the entry and does not say so."""
    env, match = team.env, "POST .*/cluster/start"
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", ())
    lost = Cut(monkeypatch, Store, "append", DOUBT)
    if why == "a-fault":
        monkeypatch.setattr(cards, "working", broken)
    else:
        await env.acc.set_fault({"fault": "drop_before", "match": match, "times": 9})
    asked = await ask(env, "start acc:shop/prices")
    await env.until(lambda: "abandoned" in asked.events)
    assert lost.done.is_set()
    assert asked.events == ["requested", "sent", "unknown", "abandoned"]


async def test_of_a_pre_flight_that_was_confirmed(team: Team) -> None:
    asked = await ask(team.env, "input clear acc:news/feed")
    await presses(team, asked, "Run it")
    await ends_unknown(team, asked)


@asks_leads
async def test_of_an_approved_request(team: Team) -> None:
    """Its entry in the audit log names the approval."""
    asked = await ask(team.env, "start acc:shop/prices -- now")
    await presses(team, asked, "Approve")
    await ends_unknown(team, asked)
    assert asked.row("unknown").approval_id == asked.row("sent").approval_id is not None


@asks_leads
async def test_of_a_request_that_was_approved_before_a_restart(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env, voted = team.env, asyncio.Event()

    async def hangs(*_: Any) -> None:
        voted.set()
        await asyncio.Event().wait()

    asked = await ask(env, "start acc:shop/prices -- now")
    with monkeypatch.context() as patch:
        patch.setattr(vote, "dispatch", hangs)
        await team.press(await team.card("start acc:shop/prices"), "Approve")
        await voted.wait()
        await crash(env)
    with monkeypatch.context() as patch:
        patch.setattr(cards, "working", broken)
        await env.start()
        await env.until(lambda: "unknown" in asked.events)
    await ends_unknown(team, asked)


@asks_leads
async def test_in_the_work_on_every_outcome(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has started, and no card of it can be made: the requester is told in private, the approver nothing false. The card
    follows with the next start."""
    env, asked = team.env, await ask(team.env, "start acc:shop/prices -- now")
    card = await team.card("start acc:shop/prices")
    with monkeypatch.context() as patch:
        patch.setattr(completion, "_watch", broken)
        await team.press(card, "Approve")
        await private(env, "Something went wrong", "It may or may not have happened", asked.request_id)
    assert team.effects()
    await env.quiet()
    assert asked.events[-3:] == ["sent", "unknown", "abandoned"]
    assert (asked.row("abandoned").backend, asked.row("abandoned").verb) == ("acc", "start")
    assert not await env.bot.store.being_sent()
    assert "Something went wrong" not in everything_seen(env, "U0LEE", APPROVERS)
    await env.restart()
    await asked.card("Unknown: ", "It may or may not have happened")


@pytest.mark.parametrize("first", [None, "working"], ids=["done", "unknown"])
async def test_after_the_outcome_was_recorded(team: Team, monkeypatch: pytest.MonkeyPatch, first: str | None) -> None:
    """Its card can't be made: its person is told, and no other outcome is recorded."""
    env, outcome = team.env, "unknown" if first else "done"
    with monkeypatch.context() as patch:
        patch.setattr(cards, "outcome", broken)
        if first:
            patch.setattr(cards, first, broken)
        asked = await ask(env, "start acc:shop/prices")
        await private(env, "Something went wrong", "The outcome is recorded, but its card may not show it.")
        await env.quiet()
    assert asked.events[:3] == ["requested", "sent", outcome]
    assert not {"unknown", "failed", "done"}.intersection(asked.events[3:])
    assert "Nothing was sent" not in everything_seen(env, "U0ANA")


@pytest.mark.parametrize("first", [None, "working"], ids=["done", "unknown"])
async def test_a_recorded_outcome_is_shown_after_a_restart(
    team: Team, monkeypatch: pytest.MonkeyPatch, first: str | None
) -> None:
    """Its card, which could not be made, no longer says that the bot works on it."""
    env, watch, times = team.env, completion._watch, iter(range(9))

    async def once(*given: Any) -> Any:
        if first and not next(times):
            raise RuntimeError
        return await watch(*given)

    with monkeypatch.context() as patch:
        patch.setattr(cards, "outcome", broken)
        patch.setattr(completion, "_watch", once)
        asked = await ask(env, "schedule off acc:shop/prices -- quiet")
        await private(env, "Something went wrong", "The outcome is recorded, but its card may not show it.")
        await env.quiet()
    await asked.card("Working on it", but="Unknown")
    await env.restart()
    await asked.card("Unknown: " if first else "off")


@pytest.mark.parametrize("broke", [1, 2], ids=["once", "twice"])
async def test_its_run_is_not_taken_for_a_later_start_that_was_lost(
    team: Team, monkeypatch: pytest.MonkeyPatch, broke: int
) -> None:
    """Ana's start is slow, and the work on its outcome breaks; Rui's identical start, sent meanwhile, never arrives."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (1.0, 2.0))
    env, match, watch, times = team.env, "POST .*/cluster/start", completion._watch, iter(range(99))

    async def breaks(*given: Any) -> Any:
        if next(times) < broke:
            raise RuntimeError
        return await watch(*given)

    monkeypatch.setattr(completion, "_watch", breaks)
    await env.acc.set_fault({"fault": "delay", "seconds": 1.5, "match": match, "times": 1})
    ana = await ask(env, "start acc:shop/prices")
    await env.until(lambda: ana.changes)
    await env.acc.set_fault({"fault": "drop_before", "match": match, "times": 9})
    rui = await ask(env, "start acc:shop/prices", user="U0RUI")
    assert await rui.ends() == "abandoned"
    assert len(team.effects()) == 1
    await rui.card("Unknown: ", "1 other request may have had the same effect")


async def test_keeps_no_pause_from_its_end(team: Team) -> None:
    """The press on `Run it` of a deletion breaks; Lee's pause of a part of it ends at its time."""
    env = team.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=10m", user="U0LEE")
    asked = await ask(env, "schedule delete acc:shop/prices")
    await presses(team, asked, "Run it")
    team.later(minutes=11)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)
