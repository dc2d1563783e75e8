"""A start whose answer never came: what is taken for it, what is only shown, and how long it is looked for."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Problem
from bot.operations import reconcile as reading_back
from bot.playground.planes.acc_model import Options
from bot.runtime.until_stored import IN_DOUBT
from bot.store.store import Store
from tests.scenarios.steps import ask, do
from tests.waiting import held
from tests.world import World, labels, shown, world

START = "POST .*/cluster/start"
LOST = ({"fault": "drop_before"}, {"fault": "500"}, {"fault": "503"})


def begin(env: World, inputs: str | None) -> str:
    """Somebody else, or the ACC's queue, starts shop/prices; the id of the run."""
    (run,) = env.acc.world.start(env.acc.agent("shop/prices"), Options(parameters=inputs))
    return str(run.run_id)


@pytest.mark.parametrize("fault", LOST, ids=[str(fault["fault"]) for fault in LOST])
async def test_a_run_of_somebody_else_is_not_taken_for_ours(
    env: World, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began just before with other inputs, the ACC never began ours: the answer is unknown and nothing is followed."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))
    await env.acc.set_fault({**fault, "times": 1, "match": START})
    theirs = begin(env, '{"country":"fr"}')
    asked = await do(env, "start acc:shop/prices input.country=de")
    card = await asked.card(
        "Unknown: it may or may not have happened", "None that can be this one started", "history acc:shop/prices"
    )
    assert asked.events == ["requested", "sent", "unknown", "abandoned"]
    assert theirs not in shown(card)
    assert all(row.backend_ref != theirs for row in asked.rows)


async def test_a_run_that_tells_no_inputs_is_shown_and_left_to_a_person(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be ours and it may not: the card has its id as the history shows it, and the outcome stays unknown."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))
    await env.acc.set_fault({"fault": "drop_before", "times": 1, "match": START})
    with held(env.acc, "/history"):  # where it is looked for
        asked = await ask(env, "start acc:shop/prices input.country=de")
        await env.until(lambda: "unknown" in asked.events)
        theirs = begin(env, None)
    assert await asked.ends() == "abandoned"
    await asked.card("Unknown", theirs[:8], "may belong to this start", "whether one of them is yours")


async def test_another_look_is_recorded_although_the_store_lost_its_first_try(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit of what it found was in doubt and did not happen. The request had ended before, which says nothing of it."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))
    await env.acc.set_fault({"fault": "drop_before", "times": 1, "match": START})
    asked = await do(env, "start acc:shop/prices input.country=de")
    begin(env, '{"country": "de"}')
    finish, doubts = Store.finish, [Problem("The commit is in doubt.", code=IN_DOUBT)]

    async def loses(store: Store, request_id: str, *args: Any, **words: Any) -> None:
        if request_id == asked.request_id and doubts:
            raise doubts.pop()
        await finish(store, request_id, *args, **words)

    monkeypatch.setattr(Store, "finish", loses)
    await asked.press("Check again")
    await env.until(lambda: "reconciled" in asked.events)
    assert not doubts


async def test_a_start_that_was_queued_is_found_when_it_begins(env: World) -> None:
    """A broken answer is no failure: the history is read again for a while, and the run that appears is followed."""
    await env.acc.set_fault({"fault": "500", "times": 1, "match": START})
    asked = await ask(env, "start acc:shop/prices input.country=de")
    await asked.card("checking whether it took effect, for about 15 s")
    await asyncio.sleep(0.2)
    ours = begin(env, '{"country": "de"}')
    assert await asked.ends() == "reconciled"
    assert asked.row("reconciled").backend_ref == ours
    assert len(asked.changes) == 1
    await asked.card("The answer was not usable. Checked", ours)


async def test_a_start_that_stayed_unknown_can_be_checked_again(env: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check again on its card looks once more, sends nothing, and follows the run that is there by then."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))
    await env.acc.set_fault({"fault": "drop_before", "times": 1, "match": START})
    asked = await do(env, "start acc:shop/prices input.country=de")
    assert asked.events == ["requested", "sent", "unknown", "abandoned"]
    await asked.card("Unknown: it may or may not have happened")
    await asked.press("Check again")
    await asked.card(
        "Unknown: it may or may not have happened", "Checked again"
    )  # and since when that is all that is known
    ours = begin(env, '{"country": "de"}')
    await asked.press("Check again")
    await env.until(lambda: "reconciled" in asked.events)
    assert asked.row("reconciled").backend_ref == ours
    assert len(asked.changes) == 1
    await asked.card("Succeeded", "The answer was lost", ours)


SCHEDULE = "acc:schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917"  # of shop/prices


@pytest.mark.parametrize("verb", ["schedule off", "schedule start"])
async def test_a_lost_call_whose_target_has_no_status_says_what_to_check_instead(
    env: World, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check again reads the status: for a schedule it would only answer that there is none."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))
    await env.acc.set_fault({"fault": "drop_before", "match": "POST .*/schedule/"})
    asked = await do(env, f"{verb} {SCHEDULE}")
    with_agent = "`schedules` with its agent" if verb == "schedule off" else "`history` with its agent"
    assert "Check again" not in labels(await asked.card("Unknown", f"Check {with_agent}"))
    await env.does("schedules acc:shop/prices", "2 schedules")
    asked = await do(env, f"{verb} {SCHEDULE}")
    command = "schedules" if verb == "schedule off" else "history"
    assert "Check again" not in labels(await asked.card("Unknown", f"Check `{command} acc:shop/prices`"))


SAME = {
    "acc": ("start acc:shop/prices input.country=de", START),
    "infa": ("start infa:task/load_orders", "POST .*/job$"),
    "itn": ("start itn:backup-configs", "services/run"),
}


@pytest.mark.parametrize("name", SAME)
async def test_the_run_of_an_identical_start_is_not_taken_for_the_lost_one(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one got lost on its way; the second one's run began after it, and is the second one's alone."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.3, 0.3))
    text, match = SAME[name]
    async with world(tmp_path, only=(name,)) as env:
        plane = env.planes[name]
        await plane.set_fault({"fault": "drop_before", "times": 1, "match": match})
        await env.say(text)
        await env.until(lambda: env.audit(event="unknown"))
        await env.say(text, user="U0LEE")
        done = (await env.until(lambda: env.audit(event="done", user_id="U0LEE")))[0]
        assert done.backend_ref
        lost = (await env.until(lambda: env.audit(user_id="U0ANA", event="abandoned")))[0]
        assert lost.backend_ref is None
        assert not env.audit(event="reconciled")


@pytest.mark.parametrize("name", SAME)
async def test_one_run_is_not_taken_for_two_lost_starts(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two identical starts whose answers were lost, one began: it may be either, so neither of them has it."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.3, 0.3))
    text, match = SAME[name]
    async with world(tmp_path, only=(name,)) as env:
        plane = env.planes[name]
        await plane.set_fault({"fault": "drop_before", "times": 1, "match": match})
        await plane.set_fault({"fault": "drop_after", "times": 1, "match": match})
        await asyncio.gather(env.say(text), env.say(text, user="U0LEE"))
        await env.until(lambda: len([row for row in env.audit() if row.event in ("abandoned", "reconciled")]) == 2)
        assert not [row for row in env.audit(event="reconciled") if row.backend_ref]
        seen = shown(await env.sees("1 other request may have had the same effect"))
        made = re.findall(r"(\S+) may be this one", seen)
        assert made, seen
        assert not made[0].startswith(f"{name}:"), "the id of the run, not the beginning of its target's name"


@pytest.mark.parametrize("name", SAME)
async def test_two_runs_of_two_lost_starts_are_one_each(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two identical starts whose answers were lost, both began: each has one of the runs."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.3, 0.3, 0.3))
    text, match = SAME[name]
    async with world(tmp_path, only=(name,)) as env:
        plane = env.planes[name]
        await plane.set_fault({"fault": "drop_after", "times": 2, "match": match})
        await asyncio.gather(env.say(text), env.say(text, user="U0LEE"))
        await env.until(lambda: len([row for row in env.audit() if row.event in ("abandoned", "reconciled")]) == 2)
        refs = [row.backend_ref for row in env.audit(event="reconciled")]
        assert len(set(refs)) == 2
        assert all(refs)
