"""The bot ends in the middle of a call: soon the card and the audit log say that its outcome is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.card import Button
from bot.operations import cards, reconcile
from bot.playground.planes.acc_model import Options
from bot.store.postgres.leadership import PostgresLeadership
from tests.world import World, labels, request_id, shown, world

# A call to each kind of control plane.
CALLS = {
    "acc": ("start acc:shop/prices input.country=de", "POST .*/cluster/start"),
    "infa": ("start infa:task/load_orders", "POST .*/job$"),
    "itn": ("start itn:backup-configs", "services/run"),
    "pre": ('create pre:new/"My Agent"', "POST .*/agent$"),
    "res": ("restart res:", "PATCH"),  # asks before it restarts
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a store; of SQLite, nothing."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("database_url"))


async def crash(env: World) -> None:
    """Leave everything as SIGKILL would: nothing that runs records its end."""
    bot = env.bot
    await bot.connections.close()
    await bot.tasks.stop_services()
    assert bot.leader is not None
    await bot.leader.abandon()
    if isinstance(bot.leadership, PostgresLeadership):
        await bot.leadership._disconnect()
    await bot.store.close()
    for backend in bot.built.backends.values():
        await backend.close()
    assert bot._session is not None
    await bot._session.close()


async def test_a_call_of_each_control_plane_is_unknown_at_once_after_a_crash(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with world(tmp_path, only=tuple(CALLS), store=url) as env:
        for name, (text, match) in CALLS.items():
            await env.planes[name].set_fault({"fault": "delay", "seconds": 90, "times": 1, "match": match})
            await env.say(text)
        asked = await env.sees("restart", "Run it")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.until(lambda: len(env.audit(event="sent")) == len(CALLS))
        await crash(env)
        await env.start()
        unknown = await env.until(lambda: len(found := env.audit(event="unknown")) == len(CALLS) and found)
        if not url:  # the lock of the file was free, so nobody can be sending it anymore
            await env.until(lambda: len([*env.audit(event="abandoned"), *env.audit(event="reconciled")]) == len(CALLS))
            unknown = [
                entry for entry in unknown if entry.backend != "pre"
            ]  # it was repeated, because that does no harm
        for entry in unknown:
            card = await env.sees("Unknown: ", entry.request_id)
            # An agent that may not exist has no status to read.
            assert ("Check again" in labels(card)) is (entry.backend != "pre"), entry.backend
        if not url:
            return
        # On PostgreSQL a stopped replica may wake up, so that it did not happen is only told after the call's timeout.
        card = await env.sees("We don't know yet", "start acc:shop/prices")
        assert "I look again until" in shown(card)
        await env.ana.press_label("C0CRAWL", card["ts"], "Check again")
        await env.sees("No sign of it yet")
        env.acc.world.start(env.acc.agent("shop/prices"), Options(parameters='{"country": "de"}'))
        await env.until(lambda: [entry for entry in env.audit(event="reconciled") if entry.backend == "acc"])
        assert not env.audit(event="abandoned")
        await env.sees("start acc:shop/prices", "Succeeded")


@pytest.mark.parametrize("shown_last", ["working", "undecided"])
async def test_a_card_that_was_not_brought_up_to_date_shows_the_outcome_after_a_crash(
    env: World, shown_last: str
) -> None:
    """The outcome was recorded, and the bot ended before it was shown."""
    card = await env.does("start acc:shop/prices", "Succeeded")
    request = await env.bot.store.request(request_id(card))
    assert request is not None
    assert request.operation is not None
    earlier = cards.working(request.operation, request.intent, "Working on it")
    if shown_last == "undecided":
        again = Button(label="Check again", action="refresh", id="again", means=cards.refresh_means(request.request_id))
        earlier = cards.undecided(request.operation, request.intent, datetime.now(UTC), again)
    await env.bot.sender.show(earlier)
    await env.sees("start acc:shop/prices", "Working on it" if shown_last == "working" else "We don't know yet")
    await crash(env)
    await env.start()
    await env.sees(request.request_id, "Started")
