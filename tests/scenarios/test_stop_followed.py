"""A stop that is followed to its end does not count as a run, and a later start of the same service ends the following of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.demo.run import POLICY
from bot.playground.planes.wire import Received, Reply
from tests.scenarios.team import CRAWL, Team, deciding
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


async def stop_job(team: Team, started_in: str = INCIDENT) -> None:
    """Start a task as U0ANA, and stop its job as U0RUI in the incident's channel."""
    env = team.env
    await env.does("start infa:task/load_orders -- x", "Refresh", channel=started_in, user="U0ANA")
    await env.until(lambda: "done" in env.events("start"))
    team.later(seconds=5)
    await env.bot.leader.timers.beat()
    await env.quiet()
    ask = await env.does("stop infa:task/load_orders -- x", "Valid for", channel=INCIDENT, user="U0RUI")
    await team.press(ask, "Run it", user="U0RUI", channel=INCIDENT)
    await env.until(lambda: "done" in env.events("stop"))


async def ignored(team: Team, minutes: int) -> None:
    """Informatica took the stop, and the job goes on."""
    for job in team.env.planes["infa"].jobs:
        job.stopping, job.stopped_for, job.length = None, None, 1e6
    for _ in range(minutes):
        team.later(minutes=1)
        await team.env.bot.leader.timers.beat()
        await team.env.quiet()


async def test_a_job_that_is_being_stopped_is_one_run(team: Team) -> None:
    """It says who started it, who stops it, and that it is being stopped, whichever request follows it."""
    env = team.env
    await stop_job(team)
    answer = await env.does("stop everything -- the shop is down", "being stopped already", channel=INCIDENT)
    text = shown(answer)
    assert "will be stopped" not in text, text
    assert re.search("started by <@U0ANA> .*, stop ordered by <@U0RUI> <!date", text), text
    assert "No run in progress" not in text, text
    status = await env.does("status", "1 run in progress", "being stopped", channel=INCIDENT)
    assert "stopping" not in shown(status), "the same word twice"


async def test_a_run_that_goes_on_after_its_stop_can_be_stopped_again(team: Team) -> None:
    """Within 5 minutes of its stop it is not offered. Then it is, with who ordered the stop and when."""
    env, said = team.env, "stop everything -- the shop is down"
    await stop_job(team)
    await ignored(team, minutes=4)
    assert labels(await env.does(said, "being stopped already", channel=INCIDENT)) == []
    await ignored(team, minutes=2)
    answer = await env.does(said, "Stop 1 run?", channel=INCIDENT)
    text = shown(answer)
    assert re.search("Running, started by <@U0ANA> .*, stop ordered by <@U0RUI> <!date", text), text
    assert "being stopped already" not in text, text
    await team.press(answer, "Stop it", user="U0ANA", channel=INCIDENT)
    await env.until(lambda: len(env.audit(event="done", verb="stop")) == 2)


async def test_where_it_was_started_a_run_is_being_stopped_too(team: Team) -> None:
    """Its stop was ordered in another channel."""
    await stop_job(team, started_in=CRAWL)
    await ignored(team, minutes=1)
    answer = await team.env.does("stop everything -- the shop is down", "being stopped already")
    assert re.search("started by <@U0ANA> .*, stop ordered by <@U0RUI> <!date", shown(answer)), shown(answer)
    assert labels(answer) == []
    await team.env.does("status", "1 run in progress", "being stopped: running")


@pytest.mark.parametrize("channel", [CRAWL, INCIDENT])
async def test_the_home_tab_says_that_another_person_stops_the_run(team: Team, channel: str) -> None:
    """Also while it is open, and although the control plane shows no other state."""
    env = team.env

    async def home(text: str) -> str:
        return str(await env.until(lambda: (view := env.ana.home()) and text in str(view) and view))

    await env.ana.open_home()
    await stop_job(team, started_in=channel)
    await ignored(team, minutes=1)
    assert "load_orders" in await home("being stopped: running in <#")


async def test_status_says_that_a_service_is_being_stopped(team: Team) -> None:
    await stop(team)
    await team.env.does("status", "being stopped: shutting down", channel=INCIDENT)
