"""How a pause ends when switching on again does not simply work: outages, what was deleted meanwhile, answers that were lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.core.errors import Problem
from bot.operations import reconcile
from bot.playground.planes import itential
from bot.runtime.until_stored import IN_DOUBT
from tests.scenarios.steps import Asked, ask, do, mention
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_pauses import FIRST, SECOND, enabled
from tests.waiting import held
from tests.world import OPEN_POLICY, World, labels, request_id, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("later"), monkeypatch, OPEN_POLICY) as made:
        yield made


def attempts(later: Team) -> list[str]:
    """What came of each attempt to switch on again, oldest first."""
    rows = later.env.audit()
    return [str(row.event) for row in rows if row.verb == "schedule on" and row.event not in ("sent", "resumed")]


async def test_what_was_deleted_meanwhile_ends_the_pause_once(later: Team) -> None:
    """The ACC says that there is no such schedule: registered, told on a card and on the order's, and never tried again."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h -- moving")
    del env.acc.schedules[FIRST]
    later.later(hours=1)
    notice = await env.sees("The pause is over, but nothing is left to switch on", "no schedule", "don't try again")
    assert "<@U0ANA>" in shown(notice)
    (row,) = env.audit(event="abandoned")
    assert (row.code, row.target_id, row.verb) == ("gone", FIRST, "schedule on")
    assert f"pause {asked.request_id}" in str(row.detail)
    await env.sees("This pause is over: nothing is left to switch on", asked.request_id)
    assert attempts(later) == ["abandoned"]
    later.later(hours=5)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert attempts(later) == ["abandoned"]


async def test_of_a_paused_agent_only_what_is_left_comes_back(later: Team) -> None:
    """One of two schedules was deleted: the other is on again, and the order's card tells of the first."""
    env = later.env
    asked = await do(env, "schedule off acc:shop/prices for=1h")
    del env.acc.schedules[SECOND]
    later.later(hours=1)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)
    await env.sees("nothing is left to switch on", asked.request_id)
    await env.until(lambda: len(env.audit(event="resumed")) == 1)
    assert [row.target_id for row in env.audit(event="abandoned")] == [SECOND]
    over = shown(await env.sees("The pause is over: 1 of 2 is on again", "I don't try again"))
    assert "acc:shop/prices (schedule d9c944df): it is on again." in over
    assert "acc:shop/prices (schedule b4cdc56a): nothing is left to switch on." in over


async def test_a_pause_of_two_schedules_ends_with_one_card_that_names_both(later: Team) -> None:
    """One is refused at first: the card says of each how it ended, and becomes whole when the other is on too. The end of each
    has its own audit entries."""
    env = later.env
    asked = await do(env, "schedule off acc:shop/prices for=1h")
    await env.acc.set_fault({"fault": "503", "match": f"POST .*{SECOND}.*/on"})
    later.later(hours=1)
    first = shown(await env.sees("The pause is over: 1 of 2 is on again", "Next attempt:", "keep trying"))
    assert "acc:shop/prices (schedule d9c944df): it is on again." in first
    assert "acc:shop/prices (schedule b4cdc56a): it could not be switched on yet." in first
    await env.acc.clear_faults()
    later.later(minutes=2)
    end = await env.sees("The pause is over: both are on again")
    assert not labels(end), "a button of one schedule on the card of both"
    await env.sees("This pause is over", "schedule b4cdc56a): it is on again.", asked.request_id)
    mine = [message for message in env.ana.messages("C0CRAWL") if "pause is over" in shown(message).casefold()]
    assert len(mine) == 2, "one card of the end, and the card of the request"
    of_request = shown(next(message for message in mine if asked.request_id in shown(message)))
    for card in (of_request, shown(mine[1])):
        assert "schedule d9c944df): it is on again." in card
        assert "schedule b4cdc56a): it is on again." in card
    assert "This pause is over" in of_request
    assert {row.target_id for row in env.audit(event="resumed")} == {FIRST, SECOND}


async def test_in_the_thread_of_the_end_of_a_pause_a_command_is_about_all_that_was_paused(later: Team) -> None:
    """Not about one of the two schedules."""
    env = later.env
    await do(env, "schedule off acc:shop/prices for=1h")
    later.later(hours=1)
    end = await env.sees("The pause is over: both are on again")
    await mention(env, "schedule off for=5m", thread_ts=end["ts"])
    await env.until(lambda: len(env.audit(verb="schedule off", event="done")) == 2)
    assert [row.target_name for row in env.audit(verb="schedule off", event="done")] == ["acc:shop/prices"] * 2


async def test_the_end_of_a_pause_changes_nothing_in_a_thread_where_another_target_was_started(later: Team) -> None:
    """A command there is about what was asked for last."""
    env = later.env
    await env.ana.post("C0CRAWL", "The shop is odd today")
    thread = env.ana.messages("C0CRAWL")[-1]["ts"]
    await mention(env, "schedule off acc:shop/prices for=1h", thread_ts=thread)
    await env.until(lambda: env.audit(verb="schedule off", event="done"))
    await mention(env, "start acc:news/feed -- a check", thread_ts=thread)
    await env.until(lambda: env.audit(verb="start", event="done"))
    await env.quiet()
    later.later(minutes=61)
    await later.sees_in_thread("The pause is over")
    await mention(env, "schedule off for=5m", thread_ts=thread)
    await env.until(lambda: len(env.audit(verb="schedule off", event="done")) == 2)
    assert env.audit(verb="schedule off", event="done")[-1].target_name == "acc:news/feed"


async def test_what_is_tried_again_by_itself_has_no_button_that_looks_for_one_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One card tells the end of a pause, for all attempts: that of a single one would be wrong after the next."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, only=("itn",)) as team:
        env, plane = team.env, team.env.planes["itn"]
        plane.add_service("nightly-links", scripts=(itential.Script(seconds=3_000),))
        await env.does("start itn:nightly-links", "Running")
        await env.does("pause itn:nightly-links@running for=10m", "Paused until")
        await plane.set_fault({"fault": "500"})
        team.later(minutes=10)
        card = await env.sees("The pause is over, but it could not be resumed yet", "Next attempt:")
        assert "Check again" not in labels(card)
        await plane.clear_faults()
        team.later(minutes=2)
        assert (await env.sees("The pause is over: it has resumed"))["ts"] == card["ts"]


async def test_an_outage_is_never_given_up_and_asked_about_less_and_less(later: Team) -> None:
    """Tried again after 1, 2, 4, 8 and then every 15 minutes, over a restart too, until it is on."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    await env.acc.set_fault({"fault": "503", "match": "POST .*/on"})
    later.later(hours=1)
    for number, minutes in enumerate((1, 2, 4, 8, 15, 15), start=1):
        await env.until(lambda number=number: attempts(later) == ["failed"] * number)
        await env.quiet()
        await env.sees("could not be switched on yet", "Next attempt:", "keep trying until it is on")
        if number == 3:
            await env.does("pauses", "Pauses", "over, next attempt ")
            await env.ana.open_home()
            await env.until(lambda: "over, next attempt " in shown(env.ana.home() or {}))
            await env.restart()
        later.later(minutes=minutes, seconds=-20)
        await env.bot.leader.timers.beat()
        await env.quiet()
        assert attempts(later) == ["failed"] * number
        later.later(seconds=25)
    await env.until(lambda: len(attempts(later)) == 7)
    await env.acc.clear_faults()
    later.later(minutes=16)
    await env.sees("The pause is over: it is on again")
    assert enabled(env)[FIRST] is True
    assert not env.audit(event="abandoned")


async def test_a_control_plane_that_was_taken_out_of_the_configuration_ends_the_pause(later: Team) -> None:
    """Nobody can switch it on from here any more, and the people hear of it."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    await env.bot.close()
    config = env.folder / "signalbox.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('name = "acc"', 'name = "other"'), encoding="utf-8")
    await env.start()
    later.later(hours=1)
    notice = await env.sees("nothing is left to switch on", "`acc` is no longer configured", "<@U0ANA>")
    assert "acc:shop/prices (schedule " in shown(notice)
    assert "acc:schedule/" not in shown(notice)  # its id is no name
    (row,) = env.audit(event="abandoned")
    assert (row.code, row.target_id, row.backend) == ("no_such_backend", FIRST, "acc")
    await env.sees("This pause is over: nothing is left to switch on", asked.request_id)


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "500"])
@pytest.mark.parametrize("restart", [False, True])
async def test_what_may_be_off_is_switched_on_at_its_time_in_any_case(later: Team, fault: str, restart: bool) -> None:
    """Whether the call took effect is not known, so its end is kept: the card says so, and it is on after that time."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await env.acc.set_fault({"fault": fault, "match": "POST .*/off", **({"done": True} if fault == "500" else {})})
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    await asked.card("It may be paused now. It turns on again automatically:")
    assert asked.row("paused").code == "unknown"
    assert enabled(env)[FIRST] is (fault == "drop_before")
    await env.acc.clear_faults()
    await env.say("pauses")
    await env.sees("Pauses", "acc:shop/prices (schedule d9c944df)")
    if restart:
        await env.restart()
    later.later(hours=2)
    await env.sees("The pause is over: it is on again")
    assert enabled(env) == {FIRST: True, SECOND: True}


async def test_what_was_off_before_is_not_switched_on_after_a_lost_answer(later: Team) -> None:
    """It was seen to be off before the call: it stays off."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    env.acc.schedules[FIRST].enabled = False
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/off"})
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    assert "paused" not in asked.events
    await env.acc.clear_faults()
    later.later(hours=3)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert enabled(env)[FIRST] is False


async def test_a_lost_answer_does_not_leave_the_earlier_end_in_force(later: Team) -> None:
    """Paused until ten, then off for good, and that answer is lost: nothing switches it on, and both cards say so."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    old = await do(env, f"schedule off acc:schedule/{FIRST} for=10m")
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/off"})
    new = await do(env, f"schedule off acc:schedule/{FIRST} -- for good")
    await new.card("Unknown", "Ends the pause until")
    await env.sees("This pause is over: paused without an end", old.request_id)
    await env.acc.clear_faults()
    later.later(minutes=30)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert enabled(env)[FIRST] is False


async def lost_pause(env: World, words: str = "for=2h") -> Asked:
    """The answer to switching all schedules off is lost."""
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/off"})
    asked = await do(env, f"schedule off acc:shop/prices {words}")
    await env.acc.clear_faults()
    assert "not sent again" not in shown(await asked.card("Unknown"))  # such a call may be repeated
    return asked


@pytest.mark.parametrize(("second", "said"), [("401", "(401)"), ("429", "too many requests")])
@pytest.mark.parametrize(
    ("first", "head"), [({"fault": "drop_after"}, "Unknown"), ({"fault": "503", "done": True}, "Failed")]
)
async def test_a_refused_second_try_does_not_end_a_pause_that_the_first_may_have_begun(
    later: Team, first: dict[str, Any], head: str, second: str, said: str
) -> None:
    """The card has both answers, never that nothing was done, and the pause ends at its time."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await env.acc.set_fault({**first, "times": 1, "match": "POST .*/off"})
    await env.acc.set_fault({"fault": second, "times": 50, "retry_after": 300, "match": "POST .*/off"})
    asked = await do(env, "schedule off acc:shop/prices for=2h")
    card = shown(await asked.card(head, "Another try failed: ", said))
    assert "nothing was" not in card.casefold()
    assert enabled(env) == {FIRST: False, SECOND: False}
    await env.acc.clear_faults()
    later.later(hours=2)
    await env.until(lambda: enabled(env)[FIRST])


async def test_another_look_at_a_lost_pause_changes_nothing_of_it(later: Team) -> None:
    """Its end, its entries, its card and its advice stay the same: it does not replace itself."""
    env = later.env
    asked = await lost_pause(env)
    await asked.card("It may be paused now", "You can run it again: it ends in the same state.")
    before = await env.bot.store.open_pauses()
    await asked.press("Check again")
    card = shown(await asked.card("Checked again", "It may be paused now. It turns on again automatically:"))
    assert "Replaces the pause" not in card
    assert "You can run it again: it ends in the same state." in card
    assert "Check the control plane" not in card
    assert asked.events.count("paused") == 1
    assert await env.bot.store.open_pauses() == before


async def test_every_list_says_of_a_lost_pause_that_it_may_be(later: Team) -> None:
    """The timeline, what is open, the pauses and the Home tab say what its card says."""
    env = later.env
    await lost_pause(env, "for=2h -- moving")
    for command, title, says in (
        ("timeline since=1h", "Timeline since", "may be paused"),
        ("status", "Open in this channel", "May be paused until"),
        ("pauses", "Pauses", "may be paused until"),
    ):
        told = shown(await env.does(command, title, says))
        assert "Paused until" not in told, told
    await env.ana.open_home()
    await env.until(lambda: "may be paused in" in shown(env.ana.home() or {}))


async def test_the_card_of_a_lost_pause_that_is_over_promises_no_end(later: Team) -> None:
    env = later.env
    asked = await lost_pause(env)
    await env.does("schedule on acc:shop/prices -- the shop is back", "All schedules of shop/prices are on")
    card = shown(await asked.card("This pause is over: switched on by"))
    for over in ("It may be paused now", "You can run it again", "you can send it again", "What to do"):
        assert over not in card


async def test_another_look_at_a_lost_pause_leaves_a_later_pause_in_force(later: Team) -> None:
    """Lee gave it an end meanwhile: that one counts."""
    env = later.env
    asked = await lost_pause(env, "-- for good")
    await do(env, "schedule on acc:shop/prices", user="U0LEE")
    newer = await do(env, "schedule off acc:shop/prices for=1h", user="U0LEE")
    await asked.press("Check again")
    card = shown(await asked.card("Checked again"))
    assert "the pause until" not in card
    assert {pause.request_id for pause in await env.bot.store.open_pauses()} == {newer.request_id}


async def test_a_pause_that_another_look_finds_keeps_its_end(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Itential's job could not be read at first: its card says until when it is paused, and it is one pause."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        await env.say("start itn:backup-configs")
        await env.until(lambda: plane.jobs)
        await plane.set_fault({"fault": "drop_after", "match": "POST .*/pause"})
        with held(plane, "/pause"):
            await env.say(f"pause itn:job/{plane.jobs[-1].job_id} for=1h")
            await env.until(lambda: any(call.raw_path.endswith("/pause") for call in plane.requests))
            await plane.set_fault({"fault": "500", "match": "GET .*/jobs/"})
        lost = await env.sees("Unknown", "It may be paused now")
        (before,) = await env.bot.store.open_pauses()
        await plane.clear_faults()
        await env.ana.open_home()
        await env.until(lambda: "may be paused in" in shown(env.ana.home() or {}))
        await env.ana.press_label("C0CRAWL", lost["ts"], "Check again", seen=lost)
        await env.sees("Paused until", "(1 h). It resumes automatically.", before.request_id)
        await env.until(lambda: "paused in" in (tab := shown(env.ana.home() or {})) and "may be" not in tab)
        assert list(await env.bot.store.open_pauses()) == [before]
        assert len(env.audit(event="paused")) == 1


async def test_a_lost_answer_to_switching_on_leaves_the_pause_in_force(later: Team) -> None:
    """Nobody knows whether it is on, so at its time it is switched on."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=10m")
    await env.acc.set_fault({"fault": "drop_before", "match": "POST .*/on"})
    asked = await do(env, f"schedule on acc:schedule/{FIRST}")
    await asked.card("Unknown")
    await env.acc.clear_faults()
    later.later(minutes=10)
    await env.until(lambda: env.audit(event="resumed"))
    assert enabled(env)[FIRST] is True


async def test_a_paused_job_that_was_canceled_is_not_resumed_for_ever(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Itential refuses to resume it and says that it has ended; one that somebody resumed by hand counts as resumed."""
    folder = tmp_path_factory.mktemp("job")
    async with deciding(folder, monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        for number, end in ((1, "nothing is left to resume"), (2, "it has resumed")):
            await env.say("start itn:backup-configs")
            await env.until(lambda number=number: len(plane.jobs) == number)
            job = plane.jobs[-1]
            await env.does(f"pause itn:job/{job.job_id} for=1h", "Paused until")
            if number == 1:
                job.canceled_at = plane.clock.now()
            else:
                job.paused_at, job.started = None, plane.clock.now() + 3_600
            later.later(hours=1)
            await env.sees(f"The pause is over{', but ' if number == 1 else ': '}{end}")
        assert [row.code for row in env.audit(event="abandoned")] == ["gone"]
        assert len(env.audit(event="resumed")) == 1


async def paused_job(env: World) -> tuple[Any, str, str]:
    """A job that is paused for an hour, its target and the id of the request that paused it."""
    plane = env.planes["itn"]
    await env.say("start itn:backup-configs")
    await env.until(lambda: plane.jobs)
    job = plane.jobs[-1]
    asked = await env.does(f"pause itn:job/{job.job_id} for=1h", "Paused until")
    return job, f"itn:job/{job.job_id}", request_id(asked)


async def stop(env: World, job: str) -> None:
    """Rui stops it."""
    card = await env.does(f"stop {job}", "Run it", user="U0RUI")
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Run it")


async def test_a_stop_of_a_paused_job_ends_its_pause_at_once(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card, the list of pauses and the report of an incident say so, and nothing is sent at its time."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        await env.does("incident open INC-7 -- slow", "Incident INC-7")
        _, job, asked = await paused_job(env)
        await stop(env, job)
        over = await env.sees("This pause is over: stopped by <@U0RUI>.", asked)
        assert not {"Resume", "Stop"} & set(labels(over))
        (row,) = env.audit(event="pause_ended")
        assert (row.user_id, row.code) == ("U0RUI", "ended")
        await env.does("pauses", "Pauses", "None.")
        for command, title in (("timeline since=1h", "Timeline since"), ("audit", "Audit log")):
            told = shown(await env.does(command, title))
            assert re.search(r"`?stop itn:[^`]*`? pause ended", told.replace("*", "")), told
        await env.restart()
        report = shown(await env.does("incident close", "INC-7 is closed"))
        assert re.search(r"for=1h`: paused, ended <!date[^>]*>: `stop`, <@U0RUI>", report), report
        later.later(hours=2)
        await env.bot.leader.timers.beat()
        await env.quiet()
        assert shown(await env.sees("This pause is over: stopped by <@U0RUI>.", asked)) == shown(over)
        assert not [row for row in env.audit() if row.verb == "resume"]


def without_effect(job: Any, plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control plane accepts each cancel, and the job stays as it is."""
    real = type(plane).note

    def note(self: Any, action: str, *rest: Any, **more: Any) -> Any:
        if action == "cancel":
            job.canceled_at = None
        return real(self, action, *rest, **more)

    monkeypatch.setattr(type(plane), "note", note)


def lose_the_answer_of_the_end(env: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the pause is written, but the store doesn't confirm it."""
    store = type(env.bot.store)
    real = store.finish
    lost = []

    async def finish(self: Any, request_id: str, entries: Any, *rest: Any, **more: Any) -> None:
        await real(self, request_id, entries, *rest, **more)
        if any(entry.event == "pause_ended" for entry in entries) and not lost:
            lost.append(request_id)
            raise Problem("The commit is in doubt.", code=IN_DOUBT)

    monkeypatch.setattr(store, "finish", finish)


async def accepted_stop(env: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    """A job whose stop was accepted without an effect, and that was looked at since; and the request that paused it."""
    plane = env.planes["itn"]
    job, name, asked = await paused_job(env)
    without_effect(job, plane, monkeypatch)
    await stop(env, name)
    await env.until(lambda: [row for row in env.audit(event="done") if row.verb == "stop"])
    looked = len(plane.requests)
    await env.until(lambda: len(plane.requests) > looked + 1)
    await env.quiet()
    return job, asked


async def test_a_stop_that_was_only_accepted_leaves_the_pause_in_force(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is still paused: the card goes on to promise its end, also after a restart, and the end comes."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        job, asked = await accepted_stop(env, monkeypatch)
        await env.restart()
        assert job.status(plane.clock.now()) == "paused"
        await env.sees("Paused until", "It resumes automatically", asked)
        assert not env.audit(event="pause_ended")
        later.later(hours=1)
        await env.sees("The pause is over: it has resumed")
        assert "resume" in [deed.action for deed in plane.effects]


@pytest.mark.parametrize("in_doubt", [False, True])
async def test_a_stop_that_takes_effect_later_ends_the_pause_then(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, in_doubt: bool
) -> None:
    """As soon as the control plane says that the job was canceled, also when nobody knows at first whether that was written."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        job, asked = await accepted_stop(env, monkeypatch)
        if in_doubt:
            lose_the_answer_of_the_end(env, monkeypatch)
        job.canceled_at = plane.clock.now()
        await env.sees("This pause is over: stopped by <@U0RUI>.", asked)
        await env.quiet()
        assert len(env.audit(event="pause_ended")) == 1
        assert [pause.state for pause in await env.bot.store.open_pauses()] == []


async def test_a_job_that_ends_otherwise_after_an_accepted_stop_was_not_stopped_by_anyone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was resumed in the console and completed: the end of its time says that nothing is left."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        job, asked = await accepted_stop(env, monkeypatch)
        job.paused_at, job.started = None, plane.clock.now() - 3_600
        await env.until(lambda: [row for row in env.audit(event="ended") if row.verb == "stop"])
        await env.quiet()
        assert not env.audit(event="pause_ended")
        later.later(hours=1)
        await env.sees("nothing is left to resume", asked)
        assert "stopped by" not in shown(await env.sees("This pause is over", asked))


async def test_a_stop_with_an_unknown_outcome_leaves_the_pause_in_force(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job may still be paused."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        _, job, _ = await paused_job(env)
        await env.planes["itn"].set_fault({"fault": "drop_before", "match": "POST .*/cancel"})
        await stop(env, job)
        await env.until(lambda: [row for row in env.audit(event="abandoned") if row.verb == "stop"])
        await env.quiet()
        assert [pause.state for pause in await env.bot.store.open_pauses()] == ["open"]


async def test_the_end_of_a_pause_does_not_advise_to_resume_a_job_that_has_ended(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was canceled in the console."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        job, _, _ = await paused_job(env)
        job.canceled_at = env.planes["itn"].clock.now()
        later.later(hours=1)
        notice = shown(await env.sees("The pause is over, but nothing is left to resume", "I don't try again."))
        assert "by hand" not in notice


@pytest.mark.parametrize("what", ["schedule/" + FIRST, "shop/prices"], ids=["schedule", "agent"])
async def test_deleting_what_is_paused_ends_its_pause_at_once(later: Team, what: str) -> None:
    """One schedule, or all of its agent."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h -- moving")
    deleting = await ask(env, f"schedule delete acc:{what}")
    await deleting.press("Run it")
    await env.sees("This pause is over: deleted by <@U0ANA>.", asked.request_id)
    assert {row.verb for row in env.audit(event="pause_ended")} == {"schedule delete"}
    told = shown(await env.does("timeline since=1h", "Timeline since"))
    assert re.search(r"schedule delete acc:[^`]*`? pause ended", told.replace("*", "")), told
    later.later(hours=1)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert attempts(later) == []


async def test_a_job_that_is_paused_without_an_end_is_told_of_in_its_own_words(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is resumed, not switched on."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        await env.say("start itn:backup-configs")
        await env.until(lambda: env.planes["itn"].jobs)
        job = f"itn:job/{env.planes['itn'].jobs[-1].job_id}"
        await env.does(
            f"pause {job}",
            "Paused until someone runs `resume`",
            "add `for=2h`, and it resumes automatically",
        )


@pytest.mark.parametrize(("plane", "pause", "resume", "how"), [
    ("acc", "schedule off acc:shop/prices", "schedule on acc:shop/prices", "switched on"),
    ("acc", f"schedule off acc:schedule/{FIRST}", "schedule on acc:shop/prices", "switched on"),
    ("itn", "pause {job}", "resume {job}", "resumed"),
    ("infa", "schedule off infa:schedule/nightly", "schedule on infa:schedule/nightly", "switched on"),
    ("res", "pause res:", "resume res:", "resumed"),
])  # fmt: skip
async def test_the_card_of_a_pause_without_an_end_says_that_it_is_over(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    plane: str,
    pause: str,
    resume: str,
    how: str,
) -> None:
    """As that of a pause with an end does: who ended it, and no button for what is over. A later pause has its own card."""
    async with deciding(tmp_path_factory.mktemp("over"), monkeypatch, OPEN_POLICY, only=(plane,)) as later:
        env = later.env
        job = ""
        if plane == "itn":
            await env.say("start itn:backup-configs")
            await env.until(lambda: env.planes["itn"].jobs)
            job = f"itn:job/{env.planes['itn'].jobs[-1].job_id}"
        if plane == "acc":
            await env.does("schedules acc:shop/prices", "shop/prices")
        asked = request_id(await env.does(pause.format(job=job), "until someone runs"))
        await env.say(resume.format(job=job), user="U0RUI")
        over = await env.sees(f"This pause is over: {how} by <@U0RUI>.", asked)
        for untrue in ("until someone runs", "until you run", "is paused", "is off", "are off", "Next time"):
            assert untrue not in shown(over)
        assert not labels(over)
        newer = await env.does(pause.format(job=job), "until someone runs")
        await env.quiet()
        assert request_id(newer) != asked
        await env.sees(f"This pause is over: {how} by <@U0RUI>.", asked)


async def test_a_part_that_is_switched_on_leaves_the_rest_off_without_an_end(later: Team) -> None:
    """The card of the agent's schedules goes on to say what ends it."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    asked = await do(env, "schedule off acc:shop/prices")
    await do(env, f"schedule on acc:schedule/{FIRST}")
    await env.quiet()
    await asked.card("Off until someone runs `schedule on`")


async def test_a_stop_of_a_job_that_was_paused_without_an_end_is_on_the_card_of_its_pause(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It offers neither to resume it nor to stop it once more."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        await env.say("start itn:backup-configs")
        await env.until(lambda: env.planes["itn"].jobs)
        job = f"itn:job/{env.planes['itn'].jobs[-1].job_id}"
        asked = request_id(await env.does(f"pause {job}", "Paused until someone runs"))
        await stop(env, job)
        over = await env.sees("This pause is over: stopped by <@U0RUI>.", asked)
        assert not labels(over)


async def test_the_end_of_a_paused_job_is_one_card(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the first attempt fails, and when the job ends later: the card of its start tells that."""
    async with deciding(tmp_path_factory.mktemp("job"), monkeypatch, OPEN_POLICY, only=("itn",)) as later:
        env = later.env
        plane = env.planes["itn"]
        await env.say("start itn:backup-configs")
        await env.until(lambda: plane.jobs)
        asked = await env.does(f"pause itn:job/{plane.jobs[-1].job_id} for=1h", "Paused until")
        await plane.set_fault({"fault": "503", "match": "POST .*/resume"})
        later.later(hours=1)
        await env.sees("it could not be resumed yet", "I keep trying until it has resumed.")
        await plane.clear_faults()
        later.later(minutes=2)
        await env.sees("The pause is over: it has resumed")
        await env.sees("This pause is over: it has resumed.", request_id(asked))
        later.later(minutes=30)
        await env.sees("start itn:cluster_1/backup-configs", "Complete")
        await env.quiet()
        ends = [shown(one) for one in env.ana.messages("C0CRAWL") if "*resume itn:" in shown(one)]
        assert len(ends) == 1, ends
        assert "it has resumed" in ends[0]
