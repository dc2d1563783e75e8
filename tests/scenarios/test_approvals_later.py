"""Approvals when something changes between the question and the call: people, rules, targets, the program itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.audit import Event, Row
from bot.core.records import HoldVote, stamp
from tests.scenarios.deciding import CRAWL, RULES, Deciding, deciding
from tests.world import labels, request_id


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deciding]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_somebody_outside_the_groups_cannot_decide(town: Deciding) -> None:
    """Rui is no lead: refused, registered, and the request stays open."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    await town.press(card, "Approve", user="U0RUI")
    await town.sees("You may not decide this", user="U0RUI")
    assert (await town.event("denied")).code == "not_eligible"
    assert labels(await town.card("start acc:shop/prices")) == ["Approve", "Deny", "Claim"]


async def test_a_lead_who_left_the_group_cannot_decide_any_more(town: Deciding) -> None:
    """Membership is read when the button is pressed, not when the card was posted."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    here.ws.edit_group("S0LEADS", ["U0ROOT"])
    await town.press(card, "Approve")
    await town.sees("You may not decide this")
    assert not town.effects()


async def test_a_deactivated_requester_runs_nothing(town: Deciding) -> None:
    """The requester is read anew at press: gone means void."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    here.ws.set_user("U0ANA", deleted=True)
    await town.press(card, "Approve")
    await town.sees("Nothing was done", "deactivated")
    assert not town.effects()
    assert (await town.event("abandoned")).code == "void"


async def test_a_changed_target_is_shown_and_asked_again(town: Deciding) -> None:
    """A run began since the card was shown: the press is not counted, the card shows it, and the next press is."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices", "idle")
    here.acc.world.speed = 0.001
    here.acc.add_run("shop/prices", ago=1)
    await town.press(card, "Approve")
    await town.sees("Not counted", "1 run active")
    assert not town.effects()
    again = await town.card("start acc:shop/prices", "Asked again", "1 run active")
    await town.press(again, "Approve")
    await here.until(lambda: len(town.effects()) == 1)
    rows = here.register(event="approval_requested")
    assert [row.code for row in rows] == [None, "asked_again"]


async def test_changed_rules_void_or_renew_what_was_asked(town: Deciding) -> None:
    """With stricter rules the old card's vote does not count; with a deny it is void."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    await town.new_rules(RULES.replace('expires = "30m", in', 'expires = "20m", in'))
    await town.press(card, "Approve")
    await town.sees("Not counted", "the policy changed")
    assert not town.effects()
    again = await town.card("start acc:shop/prices", "Asked again")
    deny = '  [[channel.deny]]\n  verbs = ["start"]\n  because = "closed for today"\n'
    await town.new_rules(RULES.replace('[[channel]]\nid = "C0INC"', deny + '[[channel]]\nid = "C0INC"'))
    await town.press(again, "Approve")
    await town.sees("Nothing was done", "closed for today")
    assert not town.effects()


async def test_it_survives_a_restart_before_the_decision_and_works_days_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked, restarted, two days later approved: run once, though no response_url lives any more."""
    async with deciding(tmp_path, monkeypatch, RULES.replace('"30m"', '"5d"')) as town:
        here = town.here
        await here.say("start acc:shop/prices")
        card = await town.card("start acc:shop/prices")
        town.later(days=2)
        await here.restart()
        await town.press(card, "Approve")
        await here.until(lambda: len(town.effects()) == 1)
        await here.sees("start acc:shop/prices", "approved by <@U0LEE>")


async def test_what_was_approved_when_the_program_died_is_run_once_after_the_restart(town: Deciding) -> None:
    """The vote is on the disk and nothing was sent: the next start reads everything anew and sends it once."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    await approved_and_died(town)
    await here.restart()
    await here.until(lambda: len(town.effects()) == 1)
    await here.restart()
    await here.sees("start acc:shop/prices", "approved by <@U0LEE>")
    assert len(town.effects()) == 1


async def test_what_was_approved_by_somebody_who_left_is_not_run_after_the_restart(town: Deciding) -> None:
    """Who agreed is read again before the call; without them it is asked again or void, and nothing is sent."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    await approved_and_died(town)
    here.ws.edit_group("S0LEADS", ["U0ROOT"])
    await here.restart()
    await town.card("Asked again", "may no longer decide", user="U0ROOT")
    assert not town.effects()


async def approved_and_died(town: Deciding) -> None:
    """Leave the store as a crash between the vote and the call leaves it."""
    store = town.here.bot.store
    (hold,) = await store.holds(state="open")
    cast = HoldVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(town.now()))
    assert (await store.vote(hold.id, cast, lambda _: (), needed=1, now=town.now())).won


async def test_a_restart_between_the_look_and_the_press_changes_nothing(town: Deciding) -> None:
    """Asked, claimed, half approved; restarted after each; the second person makes it run once."""
    here = town.here
    await here.say("mark acc:shop/prices as=failed -- bad data")
    card = await town.card("mark acc:shop/prices", channel=CRAWL)
    await here.restart()
    await town.press(card, "Claim", channel=CRAWL)
    await town.sees("is looking at it", channel=CRAWL)
    await here.restart()
    await town.press(card, "Approve", channel=CRAWL)
    await town.sees("1 of 2 agreed", channel=CRAWL)
    await here.restart()
    await town.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await here.sees("mark acc:shop/prices", "approved by <@U0LEE>, <@U0ROOT>")
    await here.restart()
    assert town.events(request_id(card)).count("sent") == 1


async def test_a_vote_of_somebody_who_left_counts_no_more(town: Deciding) -> None:
    """Lee agreed and is deactivated: Root's is one of two again, and Rui's place in the group makes it two."""
    here = town.here
    await here.say("mark acc:shop/prices as=failed -- bad data")
    card = await town.card("mark acc:shop/prices", channel=CRAWL)
    await town.press(card, "Approve", channel=CRAWL)
    await town.sees("1 of 2 agreed", channel=CRAWL)
    here.ws.set_user("U0LEE", deleted=True)
    await town.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await here.sees("Counted. 1 more needed", user="U0ROOT")
    assert [row.detail for row in here.register(event="approved")] == ["1 of 2 agreed", "1 of 2 agreed"]
    assert not town.effects("mark")
    here.ws.edit_group("S0LEADS", ["U0RUI"])
    await town.press(card, "Approve", user="U0RUI", channel=CRAWL)
    await here.until(lambda: "sent" in town.events(request_id(card)))
    sent = next(row for row in here.register(request_id=request_id(card)) if row.event == "sent")
    assert sent.detail.startswith("approved by U0ROOT, U0RUI;")


async def test_a_denial_that_was_not_shown_is_shown_after_the_restart(town: Deciding) -> None:
    """Died between the vote and the cards: both cards lose their buttons and the requester reads the reason."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    store = here.bot.store
    (hold,) = await store.holds(state="open")
    row = here.register(event="approval_requested")[0]
    said = Row(at=stamp(town.now()), request_id=row.request_id, event=Event.REJECTED, approval_id=hold.id, detail="no")
    cast = HoldVote(user_id="U0LEE", person="U0LEE", vote="deny", reason="no", at=stamp(town.now()))
    assert (await store.vote(hold.id, cast, lambda _: (said,), needed=1, now=town.now())).won
    await here.restart()
    assert labels(await town.sees("Denied by <@U0LEE>")) == []
    assert labels(await here.sees("start acc:shop/prices", "Denied by <@U0LEE>", "no")) == []


async def test_a_target_that_was_made_anew_is_another_one(town: Deciding) -> None:
    """The agent was deleted and made again under its name: not counted, shown, and the next approval runs the new one."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    old = here.acc.agent("shop/prices").agent_id
    new = "0b7d3c61-1f3a-4b52-9f0e-6a4f4f3f9a10"
    here.acc.add_agent("shop/prices", agent_id=new, description="made anew")
    assert old != new
    await town.press(card, "Approve")
    await town.sees("Not counted", "another one now")
    assert not town.effects()
    await town.press(await town.card("Asked again", new), "Approve")
    await here.until(lambda: len(town.effects()) == 1)
    assert (await town.event("sent")).target_id == new


async def test_a_target_that_is_gone_voids_it(town: Deciding) -> None:
    """Nothing answers to the name any more: void, and nothing is called."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices")
    del here.acc.world.by_path["shop/prices"]
    await town.press(card, "Approve")
    await town.sees("Nothing was done", "no longer exists")
    assert not town.effects()


async def test_a_control_plane_that_does_not_answer_lets_nothing_through(town: Deciding) -> None:
    """Shown idle and not readable at the press: that is a change, shown and asked again."""
    here = town.here
    await here.say("start acc:shop/prices")
    card = await town.card("start acc:shop/prices", "idle")
    await here.acc.set_fault({"fault": "503", "match": "GET"})
    await town.press(card, "Approve")
    await town.sees("Not counted", "not readable")
    assert not town.effects()


async def test_rules_that_forbid_it_after_the_vote_stop_it_before_the_call(town: Deciding) -> None:
    """Approved, died, forbidden, restarted: void."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    await approved_and_died(town)
    deny = '  [[channel.deny]]\n  verbs = ["start"]\n  because = "closed for today"\n[[channel]]\nid = "C0INC"'
    town.rules(RULES.replace('[[channel]]\nid = "C0INC"', deny))
    await here.restart()
    await here.sees("Nothing was done", "closed for today")
    assert (await town.event("abandoned")).code == "void"
    assert not town.effects()


async def test_what_was_approved_and_is_over_by_the_restart_is_not_run(town: Deciding) -> None:
    """The end of its time holds for what was approved too."""
    here = town.here
    await here.say("start acc:shop/prices")
    await town.card("start acc:shop/prices")
    await approved_and_died(town)
    town.later(minutes=30)
    await here.restart()
    await here.sees("its time was over before it could run")
    assert not town.effects()
