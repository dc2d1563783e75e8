"""A pause or resume whose answer was lost, and an order that was given after it: the later order counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.core.card import Card, operation_key
from bot.core.errors import Lost
from bot.operations import reconcile
from tests.scenarios.steps import Asked, ask, do
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST, SECOND, still
from tests.scenarios.test_pauses_end import lost_pause
from tests.waiting import held
from tests.world import OPEN_POLICY, World, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def later(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Team]:
    """A world for one test with these control planes besides the ACC."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    only = ("acc", *getattr(request, "param", ()))
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY, only=only) as made:
        yield made


async def lost(env: World, plane: str, words: str, match: str, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The answer is lost, and no read is answered either."""

    async def dark(*_: Any) -> None:
        raise Lost("No answer.", code="deadline")

    await env.planes[plane].set_fault({"fault": "drop_after", "match": match})
    with monkeypatch.context() as patch:
        patch.setattr(type(env.bot.built.backends[plane]), "look_back", dark)
        asked = await do(env, words)
        await asked.card("Unknown")
    await env.planes[plane].clear_faults()
    return asked


async def looked_again(asked: Asked, *parts: str) -> str:
    """Its card with these parts after another look."""
    await asked.press("Check again")
    return shown(await asked.card(*parts))


@pytest.mark.parametrize("at_its_time", [False, True])
async def test_what_ends_a_pause_while_another_look_goes_on_counts(
    later: Team, monkeypatch: pytest.MonkeyPatch, at_its_time: bool
) -> None:
    """The outcome of the look comes after the end, and does not take it back."""
    env = later.env
    asked = await lost_pause(env)
    backend, free = type(env.bot.built.backends["acc"]), asyncio.Event()
    real = backend.look_back

    async def slow(self: Any, *rest: Any) -> Any:
        await free.wait()
        return await real(self, *rest)

    monkeypatch.setattr(backend, "look_back", slow)
    await asked.press("Check again")
    await env.sees("Checking whether it took effect", asked.request_id)
    if at_its_time:
        later.later(hours=2)
        await env.sees("The pause is over: both are on again")
    else:
        await do(env, "schedule on acc:shop/prices", user="U0LEE")
    await asked.card("This pause is over")
    free.set()
    await env.until(lambda: asked.events.count("abandoned") == 2)
    await env.quiet()
    posted = await env.bot.store.message(operation_key(asked.request_id))
    card = Card.stored(posted.body if posted else None)
    assert card.status.startswith(
        "This pause is over" if at_its_time else "This pause is over: switched on by <@U0LEE>."
    )
    assert not card.buttons
    assert "What to do" not in {line.heading for line in card.lines}


async def test_another_look_keeps_the_end_of_a_part(later: Team) -> None:
    """One of two schedules was switched on."""
    env = later.env
    asked = await lost_pause(env)
    await do(env, f"schedule on acc:schedule/{FIRST}", user="U0LEE")
    await asked.card("switched on by")
    await asked.press("Check again")
    await asked.card("Checked again", "schedule d9c944df): switched on by", "It may be paused now")


@pytest.mark.parametrize("later", [("res",)], indirect=True)
async def test_a_lost_pause_without_an_end_does_not_claim_a_later_pause(
    later: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resilio's agent is found paused, as Lee ordered it for an hour."""
    env = later.env
    asked = await lost(env, "res", "pause res:", "PATCH .*", monkeypatch)
    await do(env, "resume res:", user="U0LEE")
    newer = await do(env, "pause res: for=1h", user="U0LEE")
    card = await looked_again(asked, "`pause res:` was sent after this, at", "(@Lee Ling). That counts.")
    assert "until someone runs" not in card
    assert [pause.request_id for pause in await env.bot.store.open_pauses()] == [newer.request_id]


@pytest.mark.parametrize("later", [("itn",)], indirect=True)
@pytest.mark.parametrize("refused", [False, True])
async def test_a_lost_resume_does_not_end_a_later_pause(
    later: Team, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """Lee paused the job after it, and it was resumed in the console. A pause that was refused does not count: the one before the
    resume is over."""
    env, plane = later.env, later.env.planes["itn"]
    await env.say("start itn:backup-configs")
    await env.until(lambda: plane.jobs)
    (one,) = plane.jobs
    job = f"itn:job/{one.job_id}"
    first = await do(env, f"pause {job} for=2h")
    asked = await lost(env, "itn", f"resume {job}", "POST .*/resume", monkeypatch)
    if refused:
        await plane.set_fault({"fault": "401", "match": "POST .*/pause"})
    newer = await do(env, f"pause {job} for=1h", user="U0LEE")
    await plane.clear_faults()
    one.paused_at, one.started = None, plane.clock.now()
    await looked_again(asked, "The answer was lost. The job is now running.")
    open_ones = [pause.request_id for pause in await env.bot.store.open_pauses()]
    if refused:
        assert newer.events[-1] == "failed"
        assert not open_ones
        await first.card("This pause is over: resumed by")
    else:
        assert open_ones == [newer.request_id]
        assert "It resumes automatically" in shown(await newer.card("Paused until", but="This pause is over"))


async def test_the_advice_on_a_lost_order_is_not_to_undo_a_later_one(later: Team) -> None:
    """It can't be told whether it took effect; running it again would undo what Lee ordered."""
    env = later.env
    asked = await lost_pause(env, "-- for good")
    await do(env, "schedule on acc:shop/prices", user="U0LEE")
    card = await looked_again(asked, "Checked again", "`schedule on acc:shop/prices` (@Lee Ling) was sent")
    assert "You can run it again" not in card


async def test_another_look_at_a_lost_order_leaves_a_later_pause_of_a_part_in_force(later: Team) -> None:
    """Lee switched one schedule on, and off for an hour."""
    env = later.env
    asked = await lost_pause(env, "-- for good")
    await do(env, f"schedule on acc:schedule/{FIRST}", user="U0LEE")
    newer = await do(env, f"schedule off acc:schedule/{FIRST} for=1h", user="U0LEE")
    await looked_again(asked, "Checked again")
    assert [pause.request_id for pause in await env.bot.store.open_pauses()] == [newer.request_id]
    await newer.card("Paused until", "It turns on again automatically", but="This pause is over")


@pytest.mark.parametrize("later", [("itn",)], indirect=True)
async def test_a_stop_that_is_done_ends_a_pause_that_was_ordered_meanwhile(later: Team) -> None:
    """Nothing is left to resume, whoever came first."""
    env, plane = later.env, later.env.planes["itn"]
    await env.say("start itn:backup-configs")
    await env.until(lambda: plane.jobs)
    job = f"itn:job/{plane.jobs[-1].job_id}"
    with held(plane, "/cancel"):
        stopping = await ask(env, f"stop {job}", user="U0RUI")
        await stopping.press("Run it")
        await env.until(lambda: any(call.raw_path.endswith("/cancel") for call in plane.requests))
        paused = await do(env, f"pause {job} for=1h", user="U0LEE")
    await paused.card("This pause is over: stopped by")
    assert not await env.bot.store.open_pauses()


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("ends", ["", "for=3h"])
@pytest.mark.parametrize("target", [f"schedule/{FIRST}", "shop/prices"])
@pytest.mark.parametrize("minutes", [3, 90])
async def test_the_end_of_an_older_pause_waits_until_an_interrupted_order_is_decided(
    later: Team, known: bool, ends: str, target: str, minutes: int
) -> None:
    """The bot ended in Ana's call, and Lee's pause is due when it starts again: Ana's order counts, whether it is sent again or,
    long after it, only looked up."""
    env = later.env
    if known:
        await do(env, "schedules acc:shop/prices")
    older = await do(env, f"schedule off acc:schedule/{FIRST} for=2m", user="U0LEE")
    with held(env.acc, "/off"):
        asked = await ask(env, f"schedule off acc:{target} {ends}")
        await env.until(lambda: asked.changes)
        await crash(env)
    off = (FIRST, SECOND) if target == "shop/prices" else (FIRST,)
    for one in off:  # the call took effect
        env.acc.schedules[one].enabled = False
    later.later(minutes=minutes)
    await env.start()
    await asked.ends()
    await older.card("This pause is over: paused")
    await env.until(lambda: env.audit(verb="due pause"))
    await still(later, {FIRST: False, SECOND: SECOND not in off}, minutes=1)
    assert [one.request_id for one in await env.bot.store.open_pauses()][:1] == [asked.request_id] * bool(ends)
    assert not env.audit(event="resumed")


@pytest.mark.parametrize("known", [False, True])
async def test_the_end_of_a_pause_of_a_part_waits_for_an_order_about_the_whole(later: Team, known: bool) -> None:
    """Lee's pause of one schedule is due while Ana's order about all of them is under way."""
    env = later.env
    if known:
        await do(env, "schedules acc:shop/prices")
    older = await do(env, f"schedule off acc:schedule/{FIRST} for=1h", user="U0LEE")
    with held(env.acc, "/schedules/off"):
        asked = await ask(env, "schedule off acc:shop/prices")
        await env.until(lambda: asked.changes)
        later.later(hours=2)
        await env.until(lambda: env.audit(verb="due pause"))
        await asyncio.sleep(1)
        assert not [call for call in asked.changes if call[1].endswith("/on")]
    await asked.ends()
    await older.card("This pause is over: paused")
    await still(later, {FIRST: False, SECOND: False}, minutes=1)


async def test_an_order_about_the_whole_waits_for_the_end_of_a_pause_of_a_part(later: Team) -> None:
    """Its agent became known after it was paused. Ana's order comes while it is being switched on: it is off in the end."""
    env = later.env
    older = await do(env, f"schedule off acc:schedule/{FIRST} for=1h", user="U0LEE")
    await do(env, "schedules acc:shop/prices")
    with held(env.acc, "/on"):
        later.later(hours=1)
        await env.until(lambda: [call for call in older.changes if call[1].endswith("/on")])
        asked = await ask(env, "schedule off acc:shop/prices")
        await asyncio.sleep(1)
        assert "sent" not in asked.events
    assert await asked.ends() == "done"
    await still(later, {FIRST: False, SECOND: False}, minutes=1)
