"""One person with a script has a share, and the others theirs."""

from __future__ import annotations

import asyncio

import pytest

from bot.runtime import task_queue
from tests.scenarios.steps import do
from tests.world import World

SHARE, FLOOD = 10, 40
TOO_MANY = "Too many of your requests are in progress. Nothing was done. Try again in 10 s."


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share that a test can fill."""
    monkeypatch.setattr(task_queue, "OF_ONE_PERSON", SHARE)


async def flood(env: World, text: str) -> int:
    """The same command many times at once, while the ACC is slow; how many were turned away."""
    await env.acc.set_fault({"fault": "delay", "seconds": 3.0, "match": "GET /api/agent$"})
    receipts = await asyncio.gather(*(env.say(text) for _ in range(FLOOD)))
    return sum(TOO_MANY in str(receipt.body) for receipt in receipts)


async def test_one_person_cannot_take_what_the_others_need(env: World) -> None:
    """What is beyond the share is answered, registered and never sent; Lee has not to wait, and Ana has her share again."""
    assert await flood(env, "start acc:shop/prices") == FLOOD - SHARE
    turned_away = env.audit(event="denied")
    assert [(row.code, row.user_id) for row in turned_away] == [("too_many", "U0ANA")] * (FLOOD - SHARE)
    assert (await do(env, "status acc:news/feed", user="U0LEE")).events[-1] == "done"
    await env.acc.clear_faults()
    await env.until(lambda: env.events("start").count("done") == SHARE, 30)
    assert sum(call.raw_path.endswith("/cluster/start") for call in env.acc.requests) == SHARE
    await env.quiet()
    assert (await do(env, "status acc:news/feed")).events[-1] == "done"


async def test_what_stops_something_still_goes_through(env: World) -> None:
    """With her share full of slow reads, Ana is still heard when she takes something back."""
    assert await flood(env, "status acc:shop/prices") == FLOOD - SHARE
    asked = await do(env, "revoke g-none -- not needed")
    assert asked.rows[-1].code != "too_many"
    assert (await do(env, "help")).rows[-1].code == "too_many"
    await env.acc.clear_faults()
