"""After a restart a call is sent again only if that is the same as once, and nobody has changed its target since."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.runtime.leadership import AlwaysLeader
from tests.scenarios.steps import Asked, ask, do
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST, SECOND
from tests.world import World, labels, shown, world

SET = 'schedule set acc:shop/prices cron="0 0 0 1" start=2027-07-16T11:21:20 zone=Europe/Berlin'


async def killed_in_its_call(env: World, words: str, match: str) -> Asked:
    """A request whose bot ends when the ACC has its call and has not answered."""
    await env.acc.set_fault({"fault": "delay", "seconds": 90, "times": 1, "match": match})
    asked = await ask(env, words)
    if words.startswith(("input", "schedule delete")):  # it asks first
        await asked.press("Run it")
    await env.until(lambda: asked.changes)
    await crash(env)
    await env.acc.clear_faults()
    return asked


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ("mark acc:shop/prices as=failed", "POST .*/status$"),
        ("input clear acc:shop/prices", "DELETE .*/input/"),
        ("input disable acc:shop/prices", "POST .*/disable$"),
        ("schedule delete acc:shop/prices", "DELETE .*/schedules$"),
    ],
)
async def test_a_call_about_whatever_is_there_is_not_sent_again(tmp_path: Path, words: str, match: str) -> None:
    """Sent later it would be about a newer run, newer files or newer schedules."""
    async with world(tmp_path, speed=1000.0) as env:
        await env.does("start acc:shop/prices as=job", "Succeeded")
        await do(env, 'input put acc:shop/prices name=a.csv text="x"')
        asked = await killed_in_its_call(env, words, match)
        await env.start()
        assert await asked.ends() == "abandoned"
        await asked.card("Unknown", "not sent again", "before you run it again")
        assert len(asked.changes) == 1


async def test_a_schedule_that_may_be_added_twice_is_not_said_to_be_the_same(env: World) -> None:
    """The same request sent again adds no second one; the same words typed again do."""
    before = set(env.acc.schedules)
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/schedule$"})
    asked = await do(env, SET)
    await env.acc.clear_faults()
    card = shown(await asked.card("Unknown", "Check `schedules acc:shop/prices` before you run it again"))
    assert "ends in the same state" not in card
    (added,) = set(env.acc.schedules) - before
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/schedule$"})
    asked = await do(env, f"schedule set acc:shop/prices id={added} enabled=false")
    await asked.card("Unknown", "You can run it again: it ends in the same state.")


@pytest.mark.parametrize("fault", ["500", "html", "redirect"])
async def test_a_schedule_that_may_have_been_added_is_not_offered_once_more(env: World, fault: str) -> None:
    """The ACC adds it and answers with an error: the card says what to check first, and no press adds a second one."""
    before = set(env.acc.schedules)
    await env.acc.set_fault({"fault": fault, "done": True, "match": "POST .*/schedule$"})
    asked = await do(env, SET)
    await env.acc.clear_faults()
    card = await asked.card("Unknown", "Check `schedules acc:shop/prices` before you run it again")
    assert len(set(env.acc.schedules) - before) == 1
    assert "Try again" not in labels(card)
    assert "same state" not in shown(card)


@pytest.mark.parametrize("fault", ["500", "html", "redirect"])
async def test_an_agent_that_may_have_been_created_is_not_offered_once_more(tmp_path: Path, fault: str) -> None:
    """Prefactor creates it, and then neither answers nor lists it."""
    async with world(tmp_path, only=("pre",), agents=True) as env:
        pre = env.planes["pre"]
        await pre.set_fault({"fault": "delay", "seconds": 1, "match": "POST .*/agent$"})
        await pre.set_fault({"fault": fault, "done": True, "match": "POST .*/agent$"})
        await env.say("create pre:zeta-bot")
        await env.until(lambda: [one for one in pre.requests if one.method == "POST"])
        await pre.set_fault({"fault": "500", "match": "GET .*/agent$"})
        card = await env.sees("Unknown", "before you run it again")
        assert "Try again" not in labels(card)


async def test_a_call_that_was_followed_by_a_newer_order_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ana approves, and the bot ends in the call. Lee withdraws it while the bot waits whether the call is still under way:
    Lee's order stays, and Ana's card names it."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 8.0)
    async with world(tmp_path) as env:
        asked = await killed_in_its_call(env, "agent approve acc:shop/prices -- reviewed", "POST .*Approval/False")
        await env.start()
        assert "sent again" not in shown(await asked.card("We don't know yet"))
        newer = await ask(env, "agent disapprove acc:shop/prices -- breaks the terms", user="U0LEE")
        await newer.press("Run it")
        await env.until(lambda: "done" in newer.events)
        assert await asked.ends() == "abandoned"
        assert not env.acc.agent("shop/prices").approved
        card = shown(await asked.card("Unknown", "`agent disapprove acc:shop/prices` (", "so this is not sent again"))
        assert "before you run it again" in card
        assert "same state" not in card


async def test_an_idempotent_call_is_sent_again_after_a_restart(env: World) -> None:
    """Nothing else was sent to its target; what was sent to another agent doesn't count."""
    asked = await killed_in_its_call(env, "agent approve acc:shop/prices -- reviewed", "POST .*Approval/False")
    await env.start()
    assert await asked.ends() == "reconciled"
    assert env.acc.agent("shop/prices").approved
    assert "not sent again" not in shown(await asked.card("approved"))


@pytest.mark.parametrize(
    ("what", "left"), [("schedule/" + FIRST, [SECOND]), ("shop/prices", [])], ids=["part", "whole"]
)
async def test_a_late_outcome_opens_no_pause_of_what_was_deleted_meanwhile(
    env: World, monkeypatch: pytest.MonkeyPatch, what: str, left: list[str]
) -> None:
    """Lee deletes one schedule, or all, while the bot looks for the effect of an interrupted pause."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 8.0)
    await env.does("schedules acc:shop/prices", "2 of them on")
    asked = await killed_in_its_call(env, "schedule off acc:shop/prices for=1h", "POST .*/off")
    await env.start()
    await asked.card("We don't know yet")
    deleting = await ask(env, f"schedule delete acc:{what}", user="U0LEE")
    await deleting.press("Run it")
    assert await deleting.ends() == "done"
    await asked.ends()
    card = shown(await asked.card("Unknown", "was sent, so this is not sent again"))
    assert ("turns on again automatically" in card) is bool(left)
    assert [pause.target.id for pause in await env.bot.store.open_pauses()] == left


async def test_a_pause_that_cannot_be_sent_again_because_nothing_answers_keeps_its_end(env: World) -> None:
    """The first call may have switched it off, so the outcome is unknown, and it is switched on at its time."""
    await env.does("schedules acc:shop/prices", "2 of them on")
    asked = await killed_in_its_call(env, "schedule off acc:shop/prices for=1h", "POST .*/off")
    await env.acc.set_fault({"fault": "refuse"})
    await env.start()
    await asked.card("Unknown", "could not send it again", "It may be paused now. It turns on again automatically:")
    assert len(await env.bot.store.open_pauses()) == 2


async def test_the_end_of_a_pause_that_was_interrupted_has_one_card(env: World) -> None:
    """It is tried again, and its one card says that it is over: no second one stays open beside it."""
    await env.does("schedules acc:shop/prices", "2 of them on")
    await env.acc.set_fault({"fault": "delay", "seconds": 90, "times": 1, "match": "POST .*/on"})
    await do(env, f"schedule off acc:schedule/{FIRST} for=2s")
    await env.until(lambda: [one for one in env.acc.requests if one.raw_path.endswith("/on")])
    await crash(env)
    await env.acc.clear_faults()
    await env.start()
    await env.until(lambda: env.audit(event="resumed"))
    await env.sees("The pause is over: it is on again")
    await env.restart()
    await env.quiet()
    cards = [text for one in env.ana.messages("C0CRAWL") if "schedule on" in (text := shown(one))]
    assert len(cards) == 1, cards
    assert "The pause is over: it is on again" in cards[0]


async def test_the_interrupted_end_of_a_pause_of_what_is_deleted_meanwhile_has_no_card(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card of the pause says who deleted it, and nobody is asked to check anything."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 8.0)
    await env.does("schedules acc:shop/prices", "2 of them on")
    await env.acc.set_fault({"fault": "delay", "seconds": 90, "times": 1, "match": "POST .*/on"})
    paused = await do(env, f"schedule off acc:schedule/{FIRST} for=2s")
    await env.until(lambda: [one for one in env.acc.requests if one.raw_path.endswith("/on")])
    await crash(env)
    await env.acc.clear_faults()
    await env.start()
    deleting = await ask(env, f"schedule delete acc:schedule/{FIRST}", user="U0LEE")
    await deleting.press("Run it")
    await paused.card("This pause is over: deleted by <@U0LEE>.")
    await env.until(lambda: env.audit(event="abandoned"))
    await env.quiet()
    assert not [one for one in env.ana.messages("C0CRAWL") if "schedule on" in shown(one)]


async def test_the_report_of_an_incident_says_of_a_pause_that_failed_when_sent_again_that_it_may_be(env: World) -> None:
    await env.does("incident open INC-9", "Incident INC-9")
    asked = await killed_in_its_call(env, "schedule off acc:shop/prices for=1h", "POST .*/off")
    await env.acc.set_fault({"fault": "500", "match": "POST .*/off"})
    await env.start()
    assert await asked.ends() == "reconciled"
    await asked.card("It may be paused now")
    await env.acc.clear_faults()
    report = shown(await env.does("incident close", "INC-9 is closed"))
    assert "failed, may be paused until" in report


@pytest.mark.parametrize(
    ("words", "match", "other"),
    [
        ("schedule off acc:shop/prices for=1h", "POST .*/off", "start acc:shop/prices"),
        ("agent approve acc:shop/prices -- reviewed", "POST .*Approval/False", "schedule off acc:shop/prices"),
    ],
)
async def test_an_order_that_neither_undoes_does_not_keep_a_call_from_being_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, match: str, other: str
) -> None:
    """Lee starts a run, or orders something else of the same agent, while Ana's call is undecided."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 6.0)
    async with world(tmp_path) as env:
        asked = await killed_in_its_call(env, words, match)
        await env.start()
        await asked.card("We don't know yet")
        await ask(env, other, user="U0LEE")
        assert await asked.ends() == "reconciled"
        assert len(asked.changes) == 3, "Ana's twice, and Lee's"


async def test_an_order_without_effect_does_not_keep_a_call_from_being_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ACC refuses what Lee orders while Ana's pause is undecided."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 6.0)
    async with world(tmp_path) as env:
        asked = await killed_in_its_call(env, "schedule off acc:shop/prices for=1h", "POST .*/off")
        await env.start()
        await asked.card("We don't know yet")
        await env.acc.set_fault({"fault": "401", "match": "POST .*/schedule$"})
        newer = await do(env, f"schedule set acc:shop/prices id={FIRST} enabled=true", user="U0LEE")
        assert newer.events == ["requested", "sent", "failed"]
        assert await asked.ends() == "reconciled"
        assert not env.acc.schedules[FIRST].enabled


async def test_a_pause_keeps_its_end_while_nobody_knows_whether_its_schedules_were_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to Lee's `schedule delete` is lost while Ana's pause is undecided: it is not sent again, and ends by itself."""
    monkeypatch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 8.0)
    async with world(tmp_path) as env:
        asked = await killed_in_its_call(env, "schedule off acc:shop/prices for=1h", "POST .*/off")
        await env.start()
        await asked.card("We don't know yet")
        await env.acc.set_fault({"fault": "drop_before", "match": "DELETE .*/schedules$"})
        newer = await ask(env, "schedule delete acc:shop/prices", user="U0LEE")
        await newer.press("Run it")
        await newer.card("Unknown")
        assert await asked.ends() == "abandoned"
        await asked.card("`schedule delete acc:shop/prices` (", "It may be paused now. It turns on again automatically")
