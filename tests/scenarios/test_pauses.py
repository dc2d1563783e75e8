"""Pauses of schedules: they end by themselves, give back only what they took, and outlive the program."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.scenarios.steps import ask, do
from tests.scenarios.team import Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "d9c944df-93a7-ea77-f7b7-fa0b9c579917", "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY) as made:
        yield made


def outside(message: dict[str, Any]) -> str:
    """What a reader sees before they open the details."""
    return shown({"blocks": [block for block in message["blocks"] if block["type"] != "container"]})


def enabled(env: World) -> dict[str, bool]:
    """Which of the two schedules of shop/prices are on."""
    return {key: env.acc.schedules[key].enabled for key in (FIRST, SECOND)}


async def test_a_timed_pause_ends_by_itself(later: Team) -> None:
    """Off for two hours, then on again without anybody, said on a card and written down."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=2h -- the shop is being moved")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(env) == {FIRST: False, SECOND: True}
    card = await asked.card("Paused until", "(2 h). It turns on again automatically")
    assert "for=2h" not in outside(card), "said already"
    later.later(hours=2)
    await env.until(lambda: enabled(env)[FIRST])
    await env.sees("The pause is over: it is on again", "<@U0ANA>")
    over = await env.sees("This pause is over: it is on again.", asked.request_id)
    assert "Switch on" not in labels(over)
    resumed = env.audit(event="resumed")
    assert [row.verb for row in resumed] == ["schedule on"]
    assert asked.request_id in str(resumed[0].detail)
    assert [row.event for row in env.audit(request_id=resumed[0].request_id)][:2] == ["requested", "sent"]
    listed = shown(await env.does("audit sent count=3", "Audit log", "the pause that began"))
    assert "<@UTC>" not in listed, "the time of the pause is no person"


async def test_a_pause_of_an_agent_switches_on_only_what_it_switched_off_even_across_a_restart(later: Team) -> None:
    """A schedule that was off before stays off; the pause survives a restart of the bot."""
    env = later.env
    env.acc.schedules[SECOND].enabled = False
    asked = await do(env, "schedule off acc:shop/prices for=3h")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(env) == {FIRST: False, SECOND: False}
    await env.restart()
    assert enabled(env) == {FIRST: False, SECOND: False}
    later.later(hours=3)
    await env.until(lambda: env.audit(event="resumed"))
    assert enabled(env) == {FIRST: True, SECOND: False}


async def test_a_pause_that_ended_while_the_bot_was_away_is_ended_at_once(later: Team) -> None:
    """Time that passes while the program is stopped counts."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    await env.bot.close()
    later.later(hours=1)
    assert enabled(env)[FIRST] is False
    await env.start()
    await env.until(lambda: enabled(env)[FIRST])


async def still(later: Team, expected: dict[str, bool], **span: float) -> None:
    """After that time, and after everything that was due by then, the schedules are still so."""
    env = later.env
    later.later(**span)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert enabled(env) == expected


async def test_a_later_pause_replaces_the_earlier_one(later: Team) -> None:
    """The newest end counts, longer or shorter; both cards and the audit log say which pause it replaced."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    old = await do(env, f"schedule off acc:schedule/{FIRST} for=20m -- short")
    new = await do(env, f"schedule off acc:schedule/{FIRST} for=2h -- longer", user="U0LEE")
    await new.card("Paused until", "Replaces the pause until", "<@U0ANA>")
    await env.sees("This pause is over", "paused until", "by <@U0LEE>", old.request_id)
    assert new.events == ["requested", "sent", "done", "paused", "paused"]
    replaced = new.rows[-1]
    assert (replaced.code, replaced.target_id) == ("replaced", FIRST)
    (before,) = [row for row in old.rows if row.event == "paused"]
    assert replaced.detail == f"ends the pause {old.request_id} of U0ANA, which was to last {before.detail}"
    await env.say("pauses")
    await env.sees("Pauses", "longer")
    await still(later, {FIRST: False, SECOND: True}, minutes=30)
    await env.restart()
    later.later(hours=2)
    await env.until(lambda: enabled(env)[FIRST])
    await env.until(lambda: len(env.audit(event="resumed")) == 1)


async def test_the_state_of_what_is_paused_says_until_when_and_who_paused_it(later: Team) -> None:
    """Also to another person, for its schedules too, and no longer when the pause is over."""
    env = later.env
    await do(env, "schedule off acc:shop/prices for=2h -- the shop is closed")
    for words in ("schedules acc:shop/prices", "status acc:shop/prices"):
        looked = await do(env, words, user="U0LEE")
        card = outside(await looked.card("Paused until", "by Ana Alves. It turns on again automatically."))
        assert card.count("by Ana Alves") == 1, "two schedules, one request"
    await do(env, "schedule on acc:shop/prices")
    assert "Paused until" not in shown(await (await do(env, "schedules acc:shop/prices")).card("2 of them on"))


async def test_a_schedule_that_was_switched_on_in_the_console_is_not_called_paused(later: Team) -> None:
    """One of two, then both: what the control plane says is said next to until when it was paused."""
    env = later.env
    await do(env, "schedule off acc:shop/prices for=2h -- the shop is closed")
    env.acc.schedules[FIRST].enabled = True
    for words in ("schedules acc:shop/prices", "status acc:shop/prices", "pauses"):
        await env.does(words, "Sequentum says that 1 of 2 is on")
    env.acc.schedules[SECOND].enabled = True
    card = await (await do(env, "schedules acc:shop/prices")).card("Sequentum says that 2 of 2 are on, although paused")
    assert "It turns on again" not in shown(card)
    await do(env, "schedule on acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    env.acc.schedules[FIRST].enabled = True
    await env.does("pauses", "acc:shop/prices (schedule d9c944df)", "Sequentum says that it is on.")


async def test_a_pause_that_goes_on_is_not_listed_as_over(later: Team) -> None:
    """Its end is listed to the second: to the minute, the last one would be said to be some seconds ago."""
    env = later.env
    await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    (held,) = await env.bot.ctx.store.open_pauses()
    listed = await env.does("pauses", "Pauses")
    assert f'"timestamp": {int(datetime.fromisoformat(held.until_at).timestamp())}' in json.dumps(listed)


async def test_a_shorter_pause_counts_too(later: Team) -> None:
    """Asked for again with an earlier end, it is on again at the earlier end and touched no more."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    await do(env, f"schedule off acc:schedule/{FIRST} for=10m")
    later.later(minutes=11)
    await env.until(lambda: enabled(env)[FIRST])
    env.acc.schedules[FIRST].enabled = False
    await still(later, {FIRST: False, SECOND: True}, hours=3)


@pytest.mark.parametrize("known", [True, False])
async def test_off_for_good_ends_the_pause(later: Team, known: bool) -> None:
    """A later `off` without an end: nothing switches it on again, whether or not its agent was seen before."""
    env = later.env
    if known:
        await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=12m")
    new = await do(env, f"schedule off acc:schedule/{FIRST} -- for good")
    await new.card("until someone runs `schedule on`", "Ends the pause until", "<@U0ANA>")
    assert (new.row("paused").code, new.row("paused").target_id) == ("no_end", FIRST)
    await env.restart()
    await still(later, {FIRST: False, SECOND: True}, hours=1)
    assert not env.audit(event="resumed")


async def test_a_pause_that_somebody_ended_on_the_agent_itself_is_told_with_one_colon(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`res:` is the name of the whole agent."""
    async with deciding(tmp_path_factory.mktemp("res"), monkeypatch, OPEN_POLICY, only=("res",)) as later:
        env = later.env
        await env.does("pause res: for=1h", "Paused until")
        env.planes["res"].paused = False
        told = shown(await env.does("pauses", "Resilio says that it isn't paused any more."))
        assert "res:: " not in told
        assert "res: Resilio says" in told


async def test_off_without_an_end_says_what_ends_it_and_how_to_give_it_an_end(later: Team) -> None:
    """Nothing switches it on by itself: the card names the verb that does, and the words of an order that ends."""
    asked = await do(later.env, "schedule off acc:shop/prices -- closed")
    await asked.card("Off until someone runs `schedule on`", "add `for=2h`, and it switches on again automatically")
    timed = await do(later.env, "schedule off acc:shop/prices for=2h")
    assert "until someone runs" not in shown(await timed.card("schedule off acc:shop/prices"))


async def test_off_without_an_end_whose_answer_was_lost_does_not_say_that_it_stays_so(later: Team) -> None:
    """Nobody knows whether it is off."""
    env = later.env
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/off"})
    asked = await do(env, "schedule off acc:shop/prices")
    assert "until someone runs" not in shown(await asked.card("Unknown"))


@pytest.mark.parametrize("known", [True, False])
async def test_a_pause_of_the_agent_takes_over_a_pause_of_its_schedule(later: Team, known: bool) -> None:
    """What our own pause had switched off counts as on: it is given back with the rest, at the new end."""
    env = later.env
    if known:
        await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=15m")
    await do(env, "schedule off acc:shop/prices for=2h")
    await still(later, {FIRST: False, SECOND: False}, minutes=30)
    later.later(hours=2)
    await env.until(lambda: enabled(env) == {FIRST: True, SECOND: True})


async def test_the_agent_off_for_good_ends_the_pauses_of_its_schedules(later: Team) -> None:
    """A schedule paused by its bare id, then everything of its agent off without an end."""
    env = later.env
    await do(env, f"schedule off acc:schedule/{FIRST} for=15m")
    await do(env, "schedule off acc:shop/prices -- closed")
    await still(later, {FIRST: False, SECOND: False}, hours=1)


async def test_a_pause_of_what_is_off_already_gives_nothing_back(later: Team) -> None:
    """Switched off by hand before: it stays off after the time, and the card says so."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    env.acc.schedules[FIRST].enabled = False
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    await asked.card("Off, as it was before", "stays off until someone")
    assert asked.events == ["requested", "sent", "done"]
    await still(later, {FIRST: False, SECOND: True}, hours=2)


@pytest.mark.parametrize(("words", "after"), [("-- for good", False), ("for=5h", False), ("for=30m", True)])
async def test_of_a_paused_agent_one_schedule_can_have_its_own_end(later: Team, words: str, after: bool) -> None:
    """The newer order about one schedule holds for that one; the others come back when the agent's pause ends."""
    env = later.env
    old = await do(env, "schedule off acc:shop/prices for=2h")
    await do(env, f"schedule off acc:schedule/{FIRST} {words}")
    await env.sees("Paused until", old.request_id, "acc:shop/prices (schedule d9c944df)", "by <@U0ANA>")
    await still(later, {FIRST: after, SECOND: False}, minutes=40)
    later.later(hours=2)
    await env.until(lambda: enabled(env)[SECOND])
    assert enabled(env) == {FIRST: after, SECOND: True}


async def test_switching_on_by_hand_ends_the_pause_on_its_card_and_in_the_audit_log(later: Team) -> None:
    """Who ended it before its time can be proved."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    old = await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    new = await do(env, f"schedule on acc:schedule/{FIRST} -- open again", user="U0LEE")
    card = await env.sees("This pause is over: switched on by <@U0LEE>", old.request_id)
    assert labels(card) == []
    assert (new.row("resumed").code, new.row("resumed").target_id) == ("by_hand", FIRST)
    assert old.request_id in str(new.row("resumed").detail)
    env.acc.schedules[FIRST].enabled = False
    await still(later, {FIRST: False, SECOND: True}, hours=3)


@pytest.mark.parametrize(("given", "left"), [("90s", "1 min 30 s"), ("2m", "2 min"), ("20m", "20 min")])
async def test_a_short_pause_says_its_length_with_seconds(later: Team, given: str, left: str) -> None:
    """A length that is rounded to whole minutes would be another one."""
    asked = await do(later.env, f"schedule off acc:shop/prices for={given}")
    await asked.card("Paused until", f"({left}). It turns on again automatically")


async def test_orders_about_one_agent_take_turns(later: Team) -> None:
    """Asked for while the first call is under way, the second one knows what the first has switched off."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await env.acc.set_fault({"fault": "delay", "seconds": 0.5, "match": "POST .*/off"})
    first = await ask(env, f"schedule off acc:schedule/{FIRST} for=20m")
    second = await ask(env, f"schedule off acc:schedule/{FIRST} for=2h")
    assert (await first.ends(), await second.ends()) == ("done", "done")
    await still(later, {FIRST: False, SECOND: True}, minutes=30)
    later.later(hours=2)
    await env.until(lambda: enabled(env)[FIRST])


async def test_a_time_that_cannot_be_used_hides_no_other_wrong_parameter(later: Team) -> None:
    """As in the form, everything that is wrong is said at once."""
    card = await later.env.does("schedule off acc:shop/prices until=never colour=red", "`never`", "`colour`")
    assert "is not a parameter here" in shown(card)


@pytest.mark.parametrize("words", ["for=2h until=18:30", "for=0s", "for=soon", "until=never", "for=900d"])
async def test_a_pause_that_cannot_be_meant_is_not_sent(team: World, words: str) -> None:
    """Both ends, no end, or an end that is none: refused before anything is sent."""
    asked = await do(team, f"schedule off acc:shop/prices {words}")
    assert asked.events == ["requested", "failed"]
    assert asked.changes == []
