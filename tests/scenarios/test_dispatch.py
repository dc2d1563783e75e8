"""Between the last vote and the call: what changes there is seen, said, and never lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.records import CastVote, stamp
from tests.scenarios.team import CRAWL, RULES, Team, deciding
from tests.world import shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_a_change_after_the_vote_is_told_to_who_voted_last(team: Team) -> None:
    """The target cannot be read any more when it is about to run: Lee, who made it complete, hears why nothing ran."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices", "idle")
    await env.acc.set_fault({"fault": "delay", "match": "GET", "seconds": 0.4})
    await team.press(card, "Approve")
    await team.event("approved")
    await env.acc.clear_faults()
    await env.acc.set_fault({"fault": "503", "match": "GET"})
    await team.sees("Your vote counts, but it did not run: ", "not readable", "then press again")
    await team.card("Asked again")
    assert not team.effects()


async def test_what_was_approved_and_left_is_used_without_a_restart(team: Team) -> None:
    """Something failed between the vote and the call; within two minutes it is taken up, and runs once."""
    env = team.env
    await env.does("start acc:shop/prices", "Waiting for approval")
    await team.card("start acc:shop/prices")
    (pending,) = await env.bot.store.pending_decisions(state="open")
    cast = CastVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(team.now()))
    assert (await env.bot.store.vote(pending.id, cast, lambda _: (), needed=1, now=team.now())).won
    for _ in range(4):
        team.later(seconds=31)
        await asyncio.sleep(0.6)
    await env.until(lambda: len(team.effects()) == 1)
    await team.sees_in_thread("Approved by <@U0LEE>", "It runs now")
    team.later(seconds=31)
    await asyncio.sleep(0.6)
    assert len(team.effects()) == 1


async def test_two_who_claim_at_once_are_told_apart(team: Team) -> None:
    """One claim is registered; the other hears who was first."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    presses = (team.press(card, "Claim", user=user, channel=CRAWL) for user in ("U0LEE", "U0ROOT"))
    await asyncio.gather(*presses)
    first = (await team.event("claimed")).user_id
    second = "U0ROOT" if first == "U0LEE" else "U0LEE"
    await env.sees("has claimed it; you may still decide it", user=second)
    assert len(env.audit(event="claimed")) == 1


async def test_every_fact_of_a_pre_flight_says_when_it_was_read(team: Team) -> None:
    """What runs now, the last outcomes and the freeze: each with a time of its own."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    assert "*Where*\n<#C0CRAWL>" in shown(card)
    fields = [
        field["text"]
        for section in card["blocks"]
        for block in section.get("child_blocks", ())
        for field in (*block.get("fields", ()), *([block["text"]] if "text" in block else ()))
    ]
    for label in ("Active runs", "Next scheduled runs", "Last outcomes here", "Freeze"):
        (text,) = [one for one in fields if one.startswith(f"*{label}*")]
        assert f"*{label}* as of <!date^" in text


async def test_the_last_outcomes_are_one_for_each_request_in_words(team: Team) -> None:
    """How the run ended, not that it was sent; and what was refused is not called failed."""
    env = team.env
    await team.new_rules(RULES.replace('verbs = ["risk:read", "logs"]', 'verbs = ["risk:read", "logs", "mark"]'))
    await env.say("start acc:shop/prices")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    await team.event("ended")
    for event in ("done", "failed"):  # the second one is refused: it is marked already
        await env.say("mark acc:shop/prices as=failed -- wrong prices")
        await env.until(lambda event=event: event in env.events("mark"))
    await env.say("start acc:shop/prices input.day=monday")
    text = shown(await team.card("start acc:shop/prices", "monday")).partition("*Last outcomes here*")[2]
    (told,) = re.findall(r"\n(.*<!date.*)\n", text.partition("*Rule*")[0].partition("*Freeze*")[0])
    assert re.sub(r" <!date[^>]*>", "", told) == "mark not done; mark done; start succeeded"


async def test_a_schedule_that_is_gone_by_the_vote_is_not_sent(team: Team) -> None:
    """What was asked to be changed was deleted meanwhile: void, and nothing is registered as sent."""
    env = team.env
    rules = RULES.replace('verbs = ["mark"]', 'verbs = ["mark", "schedule set"]').replace("count = 2", "count = 1")
    await team.new_rules(rules)
    (schedule,) = [one for one in env.acc.world.schedules.values() if one.agent.path == "news/feed"]
    await env.say(f'schedule set acc:news/feed id={schedule.schedule_id} cron="0 0 3 * * ?" -- later')
    await team.card("schedule set acc:news/feed", channel=CRAWL)
    (pending,) = await env.bot.store.pending_decisions(state="open")
    cast = CastVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(team.now()))
    assert (await env.bot.store.vote(pending.id, cast, lambda _: (), needed=1, now=team.now())).won
    del env.acc.world.schedules[schedule.schedule_id]
    team.later(seconds=61)
    await env.sees("Nothing was done", "has no schedule")
    assert "sent" not in env.events("schedule set")
