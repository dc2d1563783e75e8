"""What is said when an approval ends without enough of them, or a press cannot be judged, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Problem
from bot.features.approvals import cards as approval_cards
from bot.store.parts import StoredDecisions, TimedRows
from bot.store.store import Store
from tests.scenarios.steps import everything_seen
from tests.scenarios.team import CRAWL, RULES, Team, deciding
from tests.scenarios.test_ask_for_it import ask
from tests.scenarios.test_ends_repeated import told
from tests.world import labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_who_has_agreed_is_not_called_again_and_is_not_nobody(team: Team) -> None:
    """Lee agrees, one more is needed: the reminder calls Root, and the end says that one of two agreed."""
    await team.env.say("mark acc:shop/prices as=failed")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.card("1 of 2 agreed", channel=CRAWL)
    team.later(minutes=31)
    reminder = shown(await team.sees_in_thread("Still waiting", "1 of 2 agreed", "<@U0ROOT>"))
    assert "<@U0LEE>" not in reminder
    team.later(minutes=31)
    await team.sees_in_thread("Only 1 of 2 agreed within 1 h", "<@U0ANA>")
    assert not team.effects("status")


async def test_an_expired_approval_is_asked_again_with_a_button_that_only_the_requester_may_press(team: Team) -> None:
    """The same command with its parameters and its reason is put to the approvers as a new request."""
    env = team.env
    await env.say("start acc:shop/prices input.day=monday -- new prices")
    await team.card("start acc:shop/prices")
    team.later(minutes=31)
    expired = await env.sees("start acc:shop/prices", "Nobody decided within 30 min", "*Approval*", user="U0ANA")
    assert "Ask again" in labels(expired)
    await team.press(expired, "Ask again", user="U0RUI", channel=CRAWL)
    await env.sees("Only the requester can press this", user="U0RUI")
    await team.press(expired, "Ask again", user="U0ANA", channel=CRAWL)
    await env.sees("Asked again by <@U0ANA>: waiting for approval")
    await team.press(await team.card("start acc:shop/prices", "monday", "new prices"), "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    assert len({row.request_id for row in env.audit(event="approval_requested")}) == 2


async def test_who_comes_too_late_reads_a_name(team: Team) -> None:
    """The person who was first is a live mention in the sentence, not the letters of one."""
    await team.env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.deny(card, "closed")
    await team.event("rejected")
    await team.press(card, "Approve")
    late = await team.sees("Too late. Denied by <@U0LEE>")
    assert late["blocks"][0]["text"]["text"].startswith("⚠️ *Too late. Denied by <@U0LEE> ")


async def test_a_user_group_that_cannot_be_read_is_no_verdict_on_the_person(team: Team) -> None:
    """Nothing is counted, as always; but Lee is told that Slack did not answer, and the next press counts."""
    await team.env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    team.later(seconds=4)
    team.env.ws.faults.fail("usergroups.list", error="fatal_error")
    await team.press(card, "Approve")
    await team.sees("You can't decide this", "Slack doesn't say who is in")
    assert not team.effects()
    team.env.ws.faults.clear()
    await team.press(card, "Approve")
    await team.sees("Approved by <@U0LEE>")
    await team.env.until(lambda: len(team.effects()) == 1)


async def test_whose_vote_counts_no_more_is_called_back(team: Team) -> None:
    """Lee agreed before a run began; Root's press finds it, the card is asked again, and Lee hears of it in its thread."""
    await team.env.say("mark acc:shop/prices as=failed")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.card("1 of 2 agreed", channel=CRAWL)
    team.env.acc.world.speed = 0.001
    team.env.acc.add_run("shop/prices", ago=1)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    called = shown(await team.sees_in_thread("Asked again: mark acc:shop/prices", "no longer counts", "<@U0LEE>"))
    assert "<@U0ROOT>" not in called
    assert not team.effects("status")


async def test_an_expired_approval_that_was_asked_again_says_so_in_place_of_the_button(team: Team) -> None:
    """Also where both share one card, and for what starts no run."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- wrong prices")
    await team.card("mark acc:shop/prices", channel=CRAWL)
    team.later(minutes=61)
    expired = await env.sees("Expired: `mark acc:shop/prices", user="U0ANA")
    assert labels(expired) == ["Ask again"]
    await team.press(expired, "Ask again", user="U0ANA", channel=CRAWL)
    await team.card("mark acc:shop/prices", "wrong prices", channel=CRAWL)
    again = await env.sees("Expired: `mark acc:shop/prices", "Asked again by <@U0ANA>")
    assert labels(again) == []


async def test_the_requester_and_the_other_approvers_read_who_agreed_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the card of the request, and on the Home tab of who decides next."""
    rules = RULES.replace('expires = "1h" }', 'expires = "1h", in = "C0APPR" }')
    async with deciding(tmp_path, monkeypatch, rules) as team:
        env = team.env
        await env.say("mark acc:shop/prices as=failed -- wrong prices")
        card = await team.card("mark acc:shop/prices", "(within 1 h)")
        team.later(minutes=3)
        await team.press(card, "Approve")
        await env.sees("Waiting for approval from 2 of", "So far:* 1 of 2 agreed (<@U0LEE>)", "(within 1 h)")
        root = env.person("U0ROOT")
        for one in (root, env.ana):
            await one.open_home()
            await one.wait_for(lambda one: "1 of 2 agreed (<@U0LEE>)" in shown(one.home() or {}) or None)
        await root.press_label("home", label="Review")
        await root.wait_for(lambda one: "1 of 2 agreed (<@U0LEE>)" in str(one.home()) or None)


async def test_a_denial_is_said_once(team: Team) -> None:
    await team.env.does("start acc:shop/prices", "Waiting for approval")
    await team.deny(await team.card("start acc:shop/prices"), "not today")
    told = shown(await team.sees_in_thread("Denied by <@U0LEE>: not today"))
    assert "Denied by <@U0LEE>. Denied" not in told


async def test_an_approver_who_types_approve_in_a_channel_is_led_to_what_waits(team: Team) -> None:
    """Typing approves nothing: the list has the button that opens the card. Without a request, the words are only explained."""
    env = team.env
    await env.does("approve", "`approve` is not a verb", user="U0LEE")
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    for text in ("approve", "approve prices", "approve start acc:shop/prices", "deny"):
        led = await env.does(text, "Approve or deny on the card", "start acc:shop/prices", user="U0LEE")
        assert labels(led) == ["Open start acc:shop/prices for Ana Alves"], text
    assert not env.audit(event="approved")


async def test_who_is_left_out_is_named(team: Team) -> None:
    team.env.ws.edit_group("S0LEADS", ["U0ANA"])
    text = shown(await team.env.does("start acc:shop/prices", "Nobody can approve it now"))
    assert "Left out: Ana Alves: " in text


async def test_a_long_reason_leaves_space_for_who_approved(team: Team) -> None:
    """The card of the run shows its beginning and who approved it; the whole reason is among the details."""
    reason = "the month ends " * 30 + "tonight"
    await team.env.say(f"start acc:shop/prices -- {reason}")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    card = await team.env.sees("start acc:shop/prices", "… (all in Details) · approved by <@U0LEE>")
    assert reason in shown(card)
    assert "\n<@U0LEE>" not in shown(card)


async def test_a_denial_has_no_line_of_names(team: Team) -> None:
    """Those who may do it are among its details, and nobody but its reader is notified."""
    denied = await team.env.does("schedule on acc:shop/prices", "Denied", "Who may do it here", "<@U0RUI>")
    assert "<@U0RUI>" not in denied["blocks"][0]["text"]["text"]


@pytest.mark.parametrize("lasts", ["once", "30 minutes"])
async def test_what_is_cancelled_while_its_approval_is_checked_is_not_granted(
    team: Team, monkeypatch: pytest.MonkeyPatch, lasts: str
) -> None:
    """The store is busy when the requester cancels, and free again during the last look at the control plane."""
    env, busy = team.env, asyncio.Event()
    card = await ask(team, "start acc:news/feed", lasts)
    real = StoredDecisions.end_pending

    async def end_pending(store: Any, pending_id: str, *given: Any) -> bool:
        if (await store.open_pending(pending_id)).state == "open":
            busy.set()
            raise Problem("The store is busy.", code="store_busy")
        return await real(store, pending_id, *given)

    monkeypatch.setattr(StoredDecisions, "end_pending", end_pending)
    await env.acc.set_fault({"fault": "delay", "seconds": 2})
    await team.press(card, "Cancel", user="U0ANA", channel=CRAWL)
    await asyncio.wait_for(busy.wait(), 30)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await team.sees_in_thread("Cancelled by <@U0ANA>", "Nothing was done")
    await env.sees("Your vote counts, but it did not run: Cancelled by @Ana Alves", user="U0ROOT")
    await env.quiet()
    assert not env.audit(event="granted")
    assert not team.effects()
    assert not await env.bot.store.open_grants(team.now())


async def test_what_is_granted_can_no_longer_be_cancelled(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requester pressed Cancel before, and the store takes the grant first: they read who approved it."""
    env, cancelling, granted = team.env, asyncio.Event(), asyncio.Event()
    card = await ask(team, "start acc:news/feed", "30 minutes")
    real_end, real_add = StoredDecisions.end_pending, TimedRows.add_grant
    cancelled = asyncio.Event()

    async def end_pending(store: Any, pending_id: str, state: str, *given: Any) -> bool:
        if state == "cancelled":
            cancelling.set()
            await granted.wait()
        done = await real_end(store, pending_id, state, *given)
        if state == "cancelled":
            cancelled.set()
        return done

    async def add_grant(store: Any, *given: Any) -> bool:
        done = await real_add(store, *given)
        granted.set()
        await cancelled.wait()
        return done

    monkeypatch.setattr(StoredDecisions, "end_pending", end_pending)
    monkeypatch.setattr(TimedRows, "add_grant", add_grant)
    await team.press(card, "Cancel", user="U0ANA", channel=CRAWL)
    await asyncio.wait_for(cancelling.wait(), 30)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Too late. Approved by <@U0ROOT>")
    await team.sees_in_thread("You can `start` it here for 30 minutes")
    await env.quiet()
    assert not env.audit(event="abandoned")
    assert not told(team, CRAWL, "Nothing was done")


STEPS = {
    "stored": (TimedRows, "add_grant"),
    "shown": (approval_cards, "show"),
    "answered": (approval_cards, "close_requester"),
    "told": (approval_cards, "tell_requester"),
    "ended": (Store, "finish"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_the_approver_of_what_is_granted_is_not_told_that_it_failed(
    team: Team, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The bot has a fault after a step that follows the grant. What is left of telling it is done a minute later, once."""
    env, broke, (owner, name) = team.env, asyncio.Event(), STEPS[step]
    card = await ask(team, "start acc:news/feed", "30 minutes")
    real = getattr(owner, name)

    async def breaks(*given: Any, **named: Any) -> Any:
        result = await real(*given, **named)
        if not broke.is_set() and await env.bot.store.open_grants(team.now()):
            broke.set()
            raise RuntimeError
        return result

    monkeypatch.setattr(owner, name, breaks)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await asyncio.wait_for(broke.wait(), 30)
    await env.sees("Something went wrong", "Your approval counts", user="U0ROOT")
    await env.quiet()
    team.later(seconds=90)
    await env.bot.leader.timers.beat()
    await team.sees_in_thread("Approved by <@U0ROOT>. You can `start` it here for 30 minutes")
    await env.quiet()
    assert len(told(team, CRAWL, "start acc:news/feed", "You can `start` it here")) == 1
    assert len(env.audit(event="granted")) == 1
    assert not env.audit(event="failed")
    assert "Nothing was sent" not in everything_seen(env, "U0ROOT")
    assert not await env.bot.store.unfinished_pending()
