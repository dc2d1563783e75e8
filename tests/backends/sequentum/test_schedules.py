"""Schedules: their times, their zones, and changes that keep what was not named."""

from __future__ import annotations

from typing import Any

import pytest

from bot.backends.sequentum.models import windows_zone
from bot.core.errors import BadReply, BadRequest

from .support import AGENT, PATH, SCHEDULE, SCHEDULE_REPLY, RecordingAcc, body, joined, said

LIST = ("GET", f"/api/job/{AGENT}/schedules")
NEW = {"cron": "0 0 0 1", "start": "2026-07-16T11:21:20"}


@pytest.mark.parametrize(
    ("given", "windows", "known"),
    [
        ("AUS Eastern Standard Time", "AUS Eastern Standard Time", True),
        ("aus eastern standard time", "AUS Eastern Standard Time", True),
        ("Australia/Melbourne", "AUS Eastern Standard Time", True),
        ("europe/berlin", "W. Europe Standard Time", True),
        ("Asia/Kolkata", "India Standard Time", True),
        ("UTC", "UTC", True),
        ("Etc/UTC", "UTC", True),
        ("Mars Standard Time", "Mars Standard Time", False),
    ],
)
def test_zones_have_either_name(given: str, windows: str, known: bool) -> None:
    """Windows and IANA names become the Windows name; others are passed on."""
    assert windows_zone(given) == (windows, known)


async def test_a_new_schedule_gets_its_id_from_the_request() -> None:
    """The same request made twice sets the same schedule, never two."""
    async with joined(time_zone="Europe/Berlin") as env:
        operation = await env.operation("schedule set", PATH, input={"a": "1"}, **NEW)
        first = await env.backend.run(operation, env.call)
        await env.backend.run(operation, env.call)
        sent = [body(seen) for seen in env.acc.changes()]
        assert sent[0] == sent[1]
        assert (sent[0]["timeZoneId"], sent[0]["isEnabled"], sent[0]["isWindowless"]) == (
            "W. Europe Standard Time",
            True,
            True,
        )
        assert (sent[0]["logLevel"], sent[0]["sessionId"], sent[0]["inputParameters"]) == (1, None, '{"a":"1"}')
        assert first.summary == f"A schedule of {PATH} was added."
        assert (await env.target_cache.by_id("acc", "schedule", sent[0]["scheduleId"])) is not None


async def test_a_change_keeps_what_is_not_named() -> None:
    """The vendor's call replaces everything, so the rest is read first and sent again."""
    old = {**SCHEDULE_REPLY, "sessionId": "s7", "inputParameters": '{"x":"1"}', "isEnabled": False}
    async with joined(RecordingAcc({LIST: said([old])})) as env:
        done = await env.do("schedule set", PATH, id=SCHEDULE, cron="0 0 6 * * *")
        assert body(env.acc.changes()[0]) == {
            "scheduleId": SCHEDULE,
            "cron": "0 0 6 * * *",
            "sessionId": "s7",
            "startTime": "2019-05-30T15:36:00",
            "timeZoneId": "AUS Eastern Standard Time",
            "inputParameters": '{"x":"1"}',
            "logLevel": 2,
            "isWindowless": True,
            "isEnabled": False,
        }
        assert done.summary == f"A schedule of {PATH} was changed."
        assert done.backend_ref == SCHEDULE


@pytest.mark.parametrize(
    "start",
    [
        "2026-07-16 11:21:20",
        "2026-07-16T11:21",
        "2026-07-16T11:21:20Z",
        "2026-07-16T11:21:20+02:00",
        "2026-02-30T11:21:20",
    ],
)
async def test_a_start_is_exactly_in_the_vendors_form(start: str) -> None:
    """Anything else makes no operation, so that nobody is asked for it and nothing is sent."""
    async with joined() as env:
        with pytest.raises(BadRequest, match="written exactly like"):
            await env.operation("schedule set", PATH, cron="0 0 0 1", start=start)
        assert not env.acc.changes()


@pytest.mark.parametrize("words", [{}, {"cron": "0 0 0 1"}, {"start": "2026-07-16T11:21:20"}])
async def test_a_new_schedule_needs_its_times(words: dict[str, Any]) -> None:
    """Without `cron` and `start` there is nothing to add."""
    async with joined() as env:
        with pytest.raises(BadRequest, match="needs `cron=` and `start=`"):
            await env.do("schedule set", PATH, **words)
        assert not env.acc.changes()


@pytest.mark.parametrize("wanted", ["not-there", SCHEDULE[:-1] + "0"])
async def test_only_a_schedule_of_this_agent_is_changed(wanted: str) -> None:
    """The ACC would change another agent's schedule by its id; it is refused, before an approval and before the call."""
    listed = [SCHEDULE_REPLY, {**SCHEDULE_REPLY, "scheduleId": "s2"}]
    async with joined(RecordingAcc({LIST: said(listed)})) as env:
        operation = await env.operation("schedule set", PATH, id=wanted, **NEW)
        for attempt in (env.backend.check(operation), env.backend.run(operation, env.call)):
            with pytest.raises(BadRequest, match=f"{PATH} has no schedule `{wanted}`. It has `{SCHEDULE}`, `s2`"):
                await attempt
        assert not env.acc.changes()


async def test_an_agent_without_schedules_has_none_to_change() -> None:
    """An id that somebody chose is no way to add one: without `id=` the bot makes it."""
    async with joined(RecordingAcc({LIST: said([])})) as env:
        with pytest.raises(BadRequest, match="It has none") as refused:
            await env.do("schedule set", PATH, id="mine", **NEW)
        assert "Leave `id=` out" in refused.value.hint


@pytest.mark.parametrize(
    ("zone", "near"),
    [("Mars/Base", "`Europe/Berlin`"), ("Europe/Berlim", "`Europe/Berlin`"), ("W Europe Standard Time", "`W. Europe")],
)
async def test_an_unknown_zone_is_refused_with_the_nearest_names(zone: str, near: str) -> None:
    """A schedule on clocks that do not exist would run at a time that nobody meant."""
    async with joined() as env:
        operation = await env.operation("schedule set", PATH, zone=zone, **NEW)
        for attempt in (env.backend.check(operation), env.backend.run(operation, env.call)):
            with pytest.raises(BadRequest, match="is an unknown time zone") as refused:
                await attempt
            assert near in refused.value.hint
        assert not env.acc.changes()


async def test_a_zone_without_a_windows_name_is_passed_on_with_a_warning() -> None:
    """It exists, and the ACC may know it although the table does not."""
    async with joined() as env:
        done = await env.do("schedule set", PATH, zone="Antarctica/Troll", **NEW)
        assert body(env.acc.changes()[0])["timeZoneId"] == "Antarctica/Troll"
        assert any(fact.label == "Warning" and "Troll" in str(fact.value) for fact in done.facts)


async def test_before_all_are_deleted_it_is_said_which() -> None:
    """How many, their ids, whether they are on, and when: nobody can look afterwards."""
    one = [SCHEDULE_REPLY]
    two = [SCHEDULE_REPLY, {**SCHEDULE_REPLY, "scheduleId": "s2", "isEnabled": False}]
    often = "Runs every day at 3:36:00 PM (AET) from 2019-05-30T15:36:00"
    for listed, words in (
        (two, f"2 schedules: {often} (on, {SCHEDULE[:8]}); {often} (off, s2)"),
        (one, f"1 schedule: {often} (on, {SCHEDULE[:8]})"),
        ([], "0 schedules"),
    ):
        async with joined(RecordingAcc({LIST: said(listed)})) as env:
            facts = dict(await env.backend.preflight(await env.operation("schedule delete", PATH)))
            assert facts["Will be deleted"].startswith(words)


async def test_switching_all_says_what_becomes_of_those_that_are_off() -> None:
    """An approver learns that `on` reaches schedules which are off now, and that the end of a pause does not."""
    schedules = [SCHEDULE_REPLY, {**SCHEDULE_REPLY, "scheduleId": "s2", "isEnabled": False}]
    async with joined(RecordingAcc({LIST: said(schedules)})) as env:
        facts = dict(await env.backend.preflight(await env.operation("schedule off", PATH, for_=7200)))
        assert facts["Schedules"] == "2, 1 of them off now"
        assert facts["Note"] == "schedules that are off now stay off when the pause ends"
        facts = dict(await env.backend.preflight(await env.operation("schedule on", PATH)))
        assert facts["Note"] == "schedules that are off now are switched on too"
        assert await env.backend.state_of(await env.target("schedule/s2")) == ""
        await env.do("schedules", PATH)
        assert await env.backend.state_of(await env.target("schedule/s2")) == "off"


@pytest.mark.parametrize(
    ("odd", "words", "given"),
    [
        ({"logLevel": "Info"}, "`logLevel` can't be read", {"log_level": 2}),
        ({"isEnabled": None}, "`isEnabled` can't be read", {"enabled": False}),
        ({"sessionId": ["x"]}, "`sessionId` can't be read", {"session": "s"}),
    ],
)
async def test_a_schedule_is_not_changed_where_it_cannot_stay_as_it_is(
    odd: dict[str, Any], words: str, given: dict[str, Any]
) -> None:
    """The call replaces all fields, so one that can't be read has to be given."""
    async with joined(RecordingAcc({LIST: said([{**SCHEDULE_REPLY, **odd}])})) as env:
        with pytest.raises(BadReply, match=words):
            await env.do("schedule set", PATH, id=SCHEDULE, cron="0 0 0 2")
        assert env.acc.changes() == []
        await env.do("schedule set", PATH, id=SCHEDULE, cron="0 0 0 2", **given)
        assert len(env.acc.changes()) == 1


async def test_the_inputs_of_a_schedule_may_be_an_object() -> None:
    """They are JSON text by the page; an object is sent back as such a text."""
    listed = [{**SCHEDULE_REPLY, "inputParameters": {"country": "de"}}]
    async with joined(RecordingAcc({LIST: said(listed)})) as env:
        await env.do("schedule set", PATH, id=SCHEDULE, cron="0 0 0 2")
        assert body(env.acc.changes()[0])["inputParameters"] == '{"country":"de"}'


async def test_a_pause_needs_to_know_which_schedules_are_on() -> None:
    """Otherwise it could not switch them on again; without an end the switch needs nothing."""
    async with joined(RecordingAcc({LIST: said([SCHEDULE_REPLY, {**SCHEDULE_REPLY, "isEnabled": "maybe"}])})) as env:
        with pytest.raises(BadReply, match="`isEnabled` can't be read"):
            await env.do("schedule off", PATH, for_=7200)
        assert env.acc.changes() == []
        await env.do("schedule off", PATH)
        assert len(env.acc.changes()) == 1


async def test_schedules_are_listed_for_people() -> None:
    """On or off, when in the vendor's words, next in UTC for the reader's clock, and a button for the opposite."""
    failed = {
        **SCHEDULE_REPLY,
        "scheduleId": "s2",
        "isEnabled": False,
        "scheduleStatus": 3,
        "errorMessage": "No server",
    }
    async with joined(RecordingAcc({LIST: said([SCHEDULE_REPLY, failed])})) as env:
        done = await env.do("schedules", PATH)
        assert done.summary == f"{PATH} has 2 schedules, 1 of them on."
        assert done.table
        assert [row[0] for row in done.table.rows] == ["on", "off"]
        assert done.table.rows[1][4] == "Failed: No server, 2019-05-21 05:26 UTC"
        assert (done.next[0].verb, done.next[0].target) == ("schedule off", f"acc:{PATH}")
