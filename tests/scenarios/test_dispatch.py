"""Between the last vote and the call: what changes there is seen, said, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.records import HoldVote, stamp
from tests.scenarios.deciding import CRAWL, RULES, Deciding, deciding
from tests.world import shown


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deciding]:
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_a_change_after_the_vote_is_told_to_who_voted_last(town: Deciding) -> None:
    """The target cannot be read any more when it is about to run: Lee, who made it complete, hears why nothing ran."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices", "idle")
    await here.acc.set_fault({"fault": "delay", "match": "GET", "seconds": 0.4})
    await town.press(card, "Approve")
    await town.event("approved")
    await here.acc.clear_faults()
    await here.acc.set_fault({"fault": "503", "match": "GET"})
    await town.sees("Counted, and not run: ", "not readable", "look, then press again")
    await town.card("Asked again")
    assert not town.effects()


async def test_what_was_approved_and_left_is_used_without_a_restart(town: Deciding) -> None:
    """Something failed between the vote and the call; within two minutes it is taken up, and runs once."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    (hold,) = await here.bot.store.holds(state="open")
    cast = HoldVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(town.now()))
    assert (await here.bot.store.vote(hold.id, cast, lambda _: (), needed=1, now=town.now())).won
    for _ in range(4):
        town.later(seconds=31)
        await asyncio.sleep(0.6)
    await here.until(lambda: len(town.effects()) == 1)
    await town.told("Approved by <@U0LEE>", "it runs now")
    town.later(seconds=31)
    await asyncio.sleep(0.6)
    assert len(town.effects()) == 1


async def test_two_who_claim_at_once_are_told_apart(town: Deciding) -> None:
    """One claim is registered; the other hears who was first."""
    here = town.here
    await here.say("mark acc:shop/prices as=failed -- bad data")
    card = await town.card("mark acc:shop/prices", channel=CRAWL)
    presses = (town.press(card, "Claim", user=user, channel=CRAWL) for user in ("U0LEE", "U0ROOT"))
    await asyncio.gather(*presses)
    first = (await town.event("claimed")).user_id
    second = "U0ROOT" if first == "U0LEE" else "U0LEE"
    await here.sees("has claimed it; you may still decide it", user=second)
    assert len(here.register(event="claimed")) == 1


async def test_every_fact_of_a_pre_flight_says_when_it_was_read(town: Deciding) -> None:
    """What runs now, the last outcomes and the freeze: each with a time of its own."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    assert "*Where*\n<#C0CRAWL>" in shown(card)
    fields = [
        field["text"]
        for block in card["blocks"]
        for field in (*block.get("fields", ()), *([block["text"]] if "text" in block else ()))
    ]
    for label in ("Active runs", "Next scheduled runs", "Last outcomes here", "Freeze"):
        (text,) = [one for one in fields if one.startswith(f"*{label}*")]
        assert f"*{label}* <!date^" in text


async def test_a_schedule_that_is_gone_by_the_vote_is_not_sent(town: Deciding) -> None:
    """What was asked to be changed was deleted meanwhile: void, and nothing is registered as sent."""
    here = town.here
    rules = RULES.replace('verbs = ["mark"]', 'verbs = ["mark", "schedule set"]').replace("count = 2", "count = 1")
    await town.new_rules(rules)
    (schedule,) = [one for one in here.acc.world.schedules.values() if one.agent.path == "news/feed"]
    await here.say(f'schedule set acc:news/feed id={schedule.schedule_id} cron="0 0 3 * * ?" -- later')
    await town.card("schedule set acc:news/feed", channel=CRAWL)
    (hold,) = await here.bot.store.holds(state="open")
    cast = HoldVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(town.now()))
    assert (await here.bot.store.vote(hold.id, cast, lambda _: (), needed=1, now=town.now())).won
    del here.acc.world.schedules[schedule.schedule_id]
    town.later(seconds=61)
    await here.sees("Nothing was done", "has no schedule", timeout=15)
    assert "sent" not in here.events("schedule set")
