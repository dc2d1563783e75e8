"""A restart in the automatic end of a pause, or a refusal or a fault after one: nothing stays open in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.operations import reconcile
from bot.playground.planes.wire import Reply
from bot.runtime.leadership import AlwaysLeader
from tests.scenarios.steps import ask, do
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST, SECOND
from tests.scenarios.test_pauses_end import paused_job
from tests.waiting import held
from tests.world import OPEN_POLICY, World, labels, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with deciding(tmp_path_factory.mktemp("ends"), monkeypatch, OPEN_POLICY, only=("acc", "itn")) as made:
        yield made


async def broken(*_: Any) -> None:
    """A fault of the bot."""
    raise TimeoutError


async def starts_with_a_fault(env: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the bot, with a fault in its look at what the call to this control plane did, and wait for the end of the request."""
    with monkeypatch.context() as patch:
        patch.setattr(AlwaysLeader, "may_be_sending", lambda *_: 3.0)
        patch.setattr(type(env.bot.built.backends[name]), "look_back", broken)
        await env.start()
        await env.until(lambda: len([*env.audit(event="unknown"), *env.audit(event="abandoned")]) == 2)


@pytest.mark.parametrize("look", ["resumed", "paused", "unreadable"])
async def test_an_interrupted_end_that_may_not_be_sent_again_is_looked_up_and_told(later: Team, look: str) -> None:
    """The effect that is found ends the pause. Otherwise its cards say that the job is still paused, or that nobody knows, and it
    isn't resumed again but by a person."""
    env, plane = later.env, later.env.planes["itn"]
    job, _, request = await paused_job(env)
    with held(plane, "/resume"):
        later.later(minutes=61)
        await env.until(lambda: [one for one in plane.requests if one.raw_path.endswith("/resume")])
        await crash(env)
    await env.until(lambda: job.paused_at is None)
    if look != "resumed":
        job.paused_at = plane.clock.now()
    if look == "unreadable":
        await plane.set_fault({"fault": "500", "match": "GET .*/jobs/"})
    await env.start()
    if look == "resumed":
        await env.sees("The pause is over: it has resumed")
        assert len(env.audit(event="resumed")) == 1
    else:
        unknown, paused = "whether it has resumed is unknown", "the control plane says that it is still paused"
        how = paused if look == "paused" else unknown
        card = await env.sees(f"The pause is over, but {how}", "I don't try again")
        assert ("What to do" in shown(card)) is ("Resume" not in labels(card)) is (look == "unreadable")
        await env.sees(request, "This pause is over", how)
        (row,) = env.audit(event="abandoned")
        assert (row.code, request in row.detail) == ("still_paused" if look == "paused" else "end_unknown", True)
        await env.quiet()
        assert job.paused_at is not None
        if look == "paused":
            await env.ana.press_label("C0CRAWL", card["ts"], "Resume", seen=card)
            await env.until(lambda: job.paused_at is None)
    await env.quiet()
    assert not await env.bot.store.open_pauses()
    assert not [one for one in env.ana.messages("C0CRAWL") if "Not sending it again" in shown(one)]


@pytest.mark.parametrize("fault", ["401", "429", "400"])
async def test_a_refusal_of_what_is_sent_again_leaves_the_pause_its_end(
    later: Team, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The first sending had its effect, and the second one is refused: nobody says that nothing was done."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    with held(env.acc, "/off"):
        asked = await ask(env, "schedule off acc:shop/prices for=1h")
        await env.until(lambda: asked.changes)
        await crash(env)
    for one in (FIRST, SECOND):
        env.acc.schedules[one].enabled = False
    begin = env.acc._do

    async def refuses(received: Any) -> Reply:
        return Reply(int(fault), b"{}") if received.raw_path.endswith(("/off", "/schedules")) else await begin(received)

    with monkeypatch.context() as patch:
        patch.setattr(env.acc, "_do", refuses)
        await env.start()
        assert await asked.ends() == "abandoned"
    card = shown(await asked.card("Unknown", "could not send it again", "It turns on again automatically"))
    assert "othing was done" not in card
    later.later(hours=2)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_a_fault_in_the_recovery_of_an_order_leaves_nothing_waiting_for_it(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request ends as unknown, its person is told, and Lee's older pause of a part ends at its time."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=10m", user="U0LEE")
    with held(env.acc, "/on"):
        asked = await ask(env, "schedule on acc:shop/prices")
        await env.until(lambda: asked.changes and asked.changes[-1][1].endswith("/on"))
        await crash(env)
    await starts_with_a_fault(env, "acc", monkeypatch)
    await env.sees("Something went wrong", "It may or may not have happened", asked.request_id)
    assert asked.events[-2:] == ["unknown", "abandoned"]
    later.later(minutes=11)
    await env.until(lambda: env.audit(event="resumed"))
    assert not await env.bot.store.open_pauses()


async def test_a_fault_in_the_recovery_of_an_order_leaves_its_pause_an_end(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call had its effect: the card says that it may be paused, and it is switched on at that time."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    with held(env.acc, "/off"):
        asked = await ask(env, f"schedule off acc:schedule/{FIRST} for=1h")
        await env.until(lambda: asked.changes)
        await crash(env)
    await env.until(lambda: not env.acc.schedules[FIRST].enabled)
    await starts_with_a_fault(env, "acc", monkeypatch)
    card = shown(await asked.card("Something went wrong", "It may be paused now. It turns on again automatically"))
    assert "I look again until" not in card
    later.later(minutes=61)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_a_fault_in_the_recovery_of_the_end_of_a_pause_is_followed_by_another_try(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call was lost: the card of the end says when it is tried again."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    with held(env.acc, "/on"):
        later.later(minutes=61)
        await env.until(lambda: [one for one in env.acc.requests if one.raw_path.endswith("/on")])
        await crash(env)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)
    env.acc.schedules[FIRST].enabled = False
    await starts_with_a_fault(env, "acc", monkeypatch)
    await env.sees("The pause is over, but it could not be switched on yet", "Next attempt")
    later.later(minutes=2)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_a_fault_in_the_recovery_of_an_end_that_may_not_be_sent_again_is_told(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say whether the job goes on, so its people look at it."""
    env, plane = later.env, later.env.planes["itn"]
    job, _, request = await paused_job(env)
    with held(plane, "/resume"):
        later.later(minutes=61)
        await env.until(lambda: [one for one in plane.requests if one.raw_path.endswith("/resume")])
        await crash(env)
    await env.until(lambda: job.paused_at is None)
    job.paused_at = plane.clock.now()
    await starts_with_a_fault(env, "itn", monkeypatch)
    await env.sees(request, "This pause is over")
    assert not await env.bot.store.open_pauses()
    later.later(minutes=20)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert job.paused_at is not None


async def test_a_fault_before_the_end_of_a_pause_is_sent_is_followed_by_another_try(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    with monkeypatch.context() as patch:
        patch.setattr(env.bot.store, "being_sent", broken)
        later.later(minutes=61)
        await env.sees("Something went wrong", "Nothing was sent yet. It is tried again")
    later.later(minutes=2)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_an_interrupted_end_whose_control_plane_is_no_longer_configured_is_told(later: Team) -> None:
    """It is taken out of the configuration before the restart, so nobody can switch it on from here any more."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    with held(env.acc, "/on"):
        later.later(minutes=61)
        await env.until(lambda: [one for one in env.acc.requests if one.raw_path.endswith("/on")])
        await crash(env)
    config = env.folder / "signalbox.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('name = "acc"', 'name = "other"'), encoding="utf-8")
    await env.start()
    await env.sees("nothing is left to switch on", "`acc` is no longer configured", "<@U0ANA>")
    await env.sees("This pause is over", asked.request_id)
    assert [row.code for row in env.audit(event="abandoned")] == ["no_such_backend"]
    assert not await env.bot.store.open_pauses()
