"""A stop that is followed to its end does not count as a run, and a later start of the same service ends the following of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.demo.run import POLICY
from bot.playground.planes.wire import Received, Reply
from tests.scenarios.team import Team, deciding
from tests.world import labels, shown

INCIDENT = "C0INC"
SERVICE = 'infa:"eu-1/Data Integration Server"'
CALLED = "infa:eu-1/Data Integration Server"


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The demo's rules: in the incident's channel, everyone may do everything."""
    async with deciding(tmp_path, monkeypatch, POLICY, only=("infa", "itn")) as made:
        yield made


async def stop(team: Team) -> str:
    """Stop the service as U0RUI; returns the `ts` of its card."""
    ask = await team.env.does(f"stop {SERVICE} -- it hangs", "Valid for", channel=INCIDENT, user="U0RUI")
    await team.press(ask, "Run it", user="U0RUI", channel=INCIDENT)
    return str((await team.env.sees(f"stop {CALLED}", "Shutting down", channel=INCIDENT))["ts"])


def is_start(received: Received) -> bool:
    """Whether this call starts a service."""
    return "agent/service" in received.raw_path and b'"start"' in received.body


async def follow(team: Team, until: Callable[[], bool]) -> None:
    """Poll until this is so."""
    for _ in range(20):
        if until():
            return
        team.later(seconds=12)
        await team.env.bot.leader.timers.beat()
        await team.env.quiet()
    raise AssertionError("it was not so after 20 polls")


def ended(team: Team, verb: str) -> list[str | None]:
    """How the followed orders with this verb ended, by the audit log."""
    return [entry.code for entry in team.env.audit(event="ended", verb=verb)]


async def start_before_the_next_poll(team: Team) -> None:
    """Start the service as U0ANA when it is down, but before the program has seen that."""
    plane = team.env.planes["infa"]
    await plane.set_fault({"fault": "503", "match": "GET .*/agent/details"})
    plane.clock.advance(60)
    await team.env.does(f"start {SERVICE} -- back on", f"start {CALLED}", channel=INCIDENT, user="U0ANA")
    await plane.clear_faults()
    team.later(seconds=20)


async def test_a_later_start_ends_the_following_of_a_stop_and_says_who_started_it(team: Team) -> None:
    ts = await stop(team)
    await start_before_the_next_poll(team)
    card = await team.env.sees(f"stop {CALLED}", "Started again by <@U0ANA>", channel=INCIDENT)
    assert card["ts"] == ts
    assert "Start" not in labels(card), shown(card)
    assert team.env.audit(event="ended", verb="stop")[0].code == "stopped"


async def test_a_later_stop_ends_the_following_of_a_start(team: Team) -> None:
    await stop(team)
    await start_before_the_next_poll(team)
    await stop(team)
    card = await team.env.sees(f"start {CALLED}", "Stopped by <@U0RUI>", channel=INCIDENT)
    assert "Stop" not in labels(card), shown(card)


async def test_a_start_that_is_answered_after_a_later_stop_does_not_end_the_following_of_it(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order in which they were sent counts."""
    env, plane, answer, held = team.env, team.env.planes["infa"], asyncio.Event(), asyncio.Event()
    begin = plane._do

    async def do(received: Received) -> Reply:
        reply = await begin(received)
        if is_start(received):
            held.set()
            await answer.wait()
        return reply

    monkeypatch.setattr(plane, "_do", do)
    await env.say(f"start {SERVICE} -- is it up", channel=INCIDENT, user="U0ANA")
    await held.wait()
    await stop(team)
    answer.set()
    await env.until(lambda: "done" in env.events("start"))
    await follow(team, lambda: bool(ended(team, "start")))
    await env.sees(f"start {CALLED}", "Stopped by <@U0RUI>", channel=INCIDENT)
    plane.clock.advance(60)
    await follow(team, lambda: bool(ended(team, "stop")))
    assert ended(team, "stop") == ["succeeded"]


async def test_a_start_that_changed_nothing_does_not_end_the_following_of_a_stop(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after the stop the details still show the old state, and Informatica says that the service runs already."""
    env, plane = team.env, team.env.planes["infa"]
    begin, old, late = plane._do, dict[str, Reply](), [True]

    async def do(received: Received) -> Reply:
        if is_start(received):
            text = b'{"error": {"code": "AgentServiceV3APIError_006", "message": "The service is already running."}}'
            return Reply(400, text, "application/json")
        reply = await begin(received)
        return old.setdefault(received.raw_path, reply) if "agent/details" in received.raw_path and late[0] else reply

    monkeypatch.setattr(plane, "_do", do)
    ask = await env.does(f"stop {SERVICE} -- it hangs", "Valid for", channel=INCIDENT, user="U0RUI")
    await team.press(ask, "Run it", user="U0RUI", channel=INCIDENT)
    await env.until(lambda: "done" in env.events("stop"))
    await env.does(f"start {SERVICE} -- is it up", "already running", channel=INCIDENT, user="U0ANA")
    for _ in range(2):
        team.later(seconds=12)
        await env.bot.leader.timers.beat()
        await env.quiet()
    assert ended(team, "stop") == []
    late[0] = False
    plane.clock.advance(60)
    await follow(team, lambda: bool(ended(team, "stop")))
    assert ended(team, "stop") == ["succeeded"]


async def test_the_message_about_a_stop_that_can_not_be_read_is_corrected_when_a_start_ends_its_following(
    team: Team,
) -> None:
    env, plane = team.env, team.env.planes["infa"]
    await stop(team)
    plane.clock.advance(60)
    await plane.set_fault({"fault": "503", "match": "GET .*/agent/details"})
    told = list[str]()

    def is_told() -> bool:
        told[:] = [
            str(m["ts"]) for m in env.person("U0RUI").messages(INCIDENT) if "you follow can't be read" in shown(m)
        ]
        return bool(told)

    await follow(team, is_told)
    await env.does(f"start {SERVICE} -- back on", f"start {CALLED}", channel=INCIDENT, user="U0ANA")
    await follow(team, lambda: bool(ended(team, "stop")))
    over = await env.sees("A run that you follow could not be read", channel=INCIDENT, user="U0RUI")
    assert [over["ts"]] == told
    assert "It is updated" not in shown(over), shown(over)


async def test_a_stop_that_is_followed_is_not_offered_to_be_stopped(team: Team) -> None:
    await stop(team)
    answer = await team.env.does("stop everything -- the shop is down", "being stopped already", channel=INCIDENT)
    text = shown(answer)
    assert "stop ordered by <@U0RUI>" in text, text
    assert "started by" not in text.replace("was started", ""), text
    assert labels(answer) == [], text


async def test_a_job_that_is_being_stopped_is_one_run(team: Team) -> None:
    """It says who started it, and that it is being stopped, whichever request follows it."""
    env = team.env
    await env.does("start infa:task/load_orders -- x", "Refresh", channel=INCIDENT, user="U0ANA")
    await env.until(lambda: "done" in env.events("start"))
    team.later(seconds=5)
    ask = await env.does("stop infa:task/load_orders -- x", "Valid for", channel=INCIDENT, user="U0RUI")
    await team.press(ask, "Run it", user="U0RUI", channel=INCIDENT)
    await env.until(lambda: "done" in env.events("stop"))
    answer = await env.does("stop everything -- the shop is down", "being stopped already", channel=INCIDENT)
    text = shown(answer)
    assert "will be stopped" not in text, text
    assert "started by <@U0ANA>" in text, text
    assert "stop ordered" not in text, text
    assert "No run in progress" not in text, text
    await env.does("status", "1 run in progress", "Being stopped", channel=INCIDENT)


async def test_status_says_that_a_service_is_being_stopped(team: Team) -> None:
    await stop(team)
    await team.env.does("status", "Being stopped: shutting down", channel=INCIDENT)
