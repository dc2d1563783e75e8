"""From text to effect: typed in a channel, run by the whole program against the simulated organization."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.infa_model import Job
from bot.playground.workspace import Person
from tests.world import labels, shown, world


async def test_a_service_is_stopped_after_its_preflight_and_started_again(tmp_path: Path) -> None:
    """Danger shows the pre-flight, the card follows the stop to its end, and a stopped service is started by its name."""
    service = 'infa:eu-1/"Data Integration Server"'
    async with world(tmp_path, only=("infa",)) as env:
        plane = env.planes["infa"]
        plane.pace = type(plane.pace)(starting=0.5, initialising=0.5, stopping=0.5)
        asked = await env.does(f"stop {service}", "Jobs running now", "Process Server")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        ended = await env.sees("Stopped (no longer listed)", "eu-1/Data Integration Server", timeout=30)
        assert "Start" in labels(ended)
        await env.say(f"start {service}")
        await env.sees("Running and ready for jobs", timeout=30)
        assert [deed.action for deed in plane.effects] == ["stop", "start"]
        await env.until(lambda: [env.events(verb)[-1] for verb in ("stop", "start")] == ["ended", "ended"])


async def test_a_service_that_is_being_restarted_is_not_called_stopped(tmp_path: Path) -> None:
    """Between its stop and its start it is down: a stop would be undone, and is answered so; afterwards it is stopped."""
    service = 'infa:eu-1/"Data Integration Server"'
    async with world(tmp_path, only=("infa",)) as env:
        plane = env.planes["infa"]
        plane.pace = type(plane.pace)(starting=0.5, initialising=0.5, stopping=0.1)
        await plane.set_fault({"fault": "delay", "match": "POST .*agent.service.*", "times": 9, "seconds": 3})
        asked = await env.does(f"restart {service}", "Dangerous")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.sees("is stopped; starting it")
        said = shown(await env.does(f"stop {service}", "is restarting now", "Let the restart go on"))
        assert "already" not in said
        await env.sees("was restarted", timeout=30)
        await env.does(f"stop {service}", "Dangerous")


async def test_the_card_of_a_stop_says_that_the_job_is_stopped(tmp_path: Path) -> None:
    """Informatica reports a stopped job as failed; the stop itself worked."""
    async with world(tmp_path, only=("infa",)) as env:
        await env.say("start infa:task/load_orders")
        started = await env.sees("start infa:task/load_orders - Running", "Stop")
        await env.ana.press_label("C0CRAWL", started["ts"], "Stop", seen=started)
        asked = await env.sees("stop infa:task/load_orders", "Dangerous")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        ended = await env.sees("stop infa:task/load_orders - Stopped", "The job was stopped by a user")
        assert "Last lines of the log" not in shown(ended)
        assert "Start" in labels(ended), "a stop is not run again"
        await env.until(lambda: env.events("stop")[-1:] == ["ended"])
        assert [row.code for row in env.audit(event="ended") if row.verb == "stop"] == ["stopped"]


async def test_a_person_is_told_when_the_run_of_a_task_ends(tmp_path: Path) -> None:
    """Informatica has no id for a run: the button on its card means the run of that card, not every run of the task."""
    async with world(tmp_path, only=("infa",)) as env:
        await env.say("start infa:task/load_orders")
        card = await env.sees("start infa:task/load_orders", "Accepted")
        assert "Notify me" in labels(card)
        await env.person("U0LEE").press_label("C0CRAWL", card["ts"], "Notify me", seen=card)
        await env.sees("You will be told in the thread when infa:task/load_orders ends", user="U0LEE")
        env.ws.clock.advance(60)
        await env.until(lambda: env.events("start")[-1:] == ["ended"])

        def told(person: Person) -> dict[str, Any] | None:
            replies = person.messages("C0CRAWL", card["ts"])[1:]
            return next((one for one in replies if "succeeded" in shown(one) and "<@U0LEE>" in shown(one)), None)

        await env.person("U0LEE").wait_for(told, timeout=40)
        await env.quiet()
        assert await env.bot.store.subscriptions() == []
        assert "Refresh" not in labels(await env.sees("start infa:task/load_orders", "Completed"))


async def test_a_person_is_told_when_a_service_has_started(tmp_path: Path) -> None:
    """The button on the card of a start, as on the card of any run."""
    async with world(tmp_path, only=("infa",)) as env:
        service = 'infa:eu-1/"Data Integration Server"'
        asked = await env.does(f"stop {service}", "Process Server")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.sees("Stopped (no longer listed)", "eu-1/Data Integration Server", timeout=30)
        await env.say(f"start {service}")
        card = await env.sees("start infa:eu-1/Data Integration Server", "Notify me")
        await env.person("U0LEE").press_label("C0CRAWL", card["ts"], "Notify me", seen=card)
        await env.sees("You will be told in the thread when", user="U0LEE")

        def told(person: Person) -> dict[str, Any] | None:
            replies = person.messages("C0CRAWL", card["ts"])[1:]
            return next(
                (one for one in replies if "Running and ready" in shown(one) and "<@U0LEE>" in shown(one)), None
            )

        await env.person("U0LEE").wait_for(told, timeout=40)
        assert "Refresh" in labels(
            await env.sees("start infa:eu-1/Data Integration Server", "Running and ready for jobs")
        )


async def test_schedules_health_and_targets_from_the_channel(tmp_path: Path) -> None:
    """The organization as a target, a pause of a schedule, and the lists."""
    async with world(tmp_path, only=("infa",)) as env:
        await env.does("schedules infa:", "2 schedules, 1 of them on")
        await env.does("schedule off infa:schedule/nightly for=2h", "The schedule nightly is off", "Paused until")
        await env.does("schedules infa:", "none of them on", "`infa:schedule/nightly`: Paused until", "by Ana Alves")
        await env.does("health infa", "of 3 agents are active")
        await env.does("targets infa", "agent/eu-1", "Process Server", "`status infa:task/load_orders`")


async def test_an_agent_where_a_service_belongs_is_offered_as_what_the_verb_acts_on(tmp_path: Path) -> None:
    """Of one word, `status` offers the agent and its services, `start` its services alone; a press runs it."""
    async with world(tmp_path, only=("infa",)) as env:
        offered = await env.does("status infa:eu-1", "is not a service", "agent/eu-1")
        assert labels(offered)[0] == "status infa:agent/eu-1"
        await env.ana.press_label("C0CRAWL", offered["ts"], "status infa:agent/eu-1")
        await env.sees("eu-1 is active")
        starting = await env.does("start infa:eu-1", "is not a service", 'start infa:"eu-1/')
        found = [label for label in labels(starting) if label.startswith("start ")]
        assert found
        assert all(label.startswith('start infa:"eu-1/') for label in found)
        near = await env.does("status infa:agent/EU1", "has no Secure Agent")
        assert "status infa:agent/eu-1" in labels(near)


@pytest.mark.parametrize("written", ["ProcessServer", "process server", "Process-Server", "PROCESS  SERVER"])
async def test_another_writing_of_a_service_is_not_another_target(tmp_path: Path, written: str) -> None:
    """A rule about the service would not be about it: what differs in case, blanks or signs alone is offered, not sent."""
    async with world(tmp_path, only=("infa",)) as env:
        offered = await env.does(f'stop "infa:eu-1/{written}"', "it is called `Process Server`")
        assert labels(offered)[0] == 'stop infa:"eu-1/Process Server"'
        assert env.planes["infa"].effects == []


APPROVED_STOPS = """\
version = 1
[groups]
leads = ["S0LEADS"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["stop", "restart", "start"]
  targets = ["infa:eu-1/*"]
  who = ["*"]
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }
  [[channel.allow]]
  verbs = ["start"]
  targets = ["infa:task/*"]
  who = ["*"]
"""
NO_JOBS = "running and ready for jobs, no jobs running"


@pytest.mark.parametrize("verb", ["stop", "restart"])
async def test_a_job_that_begins_while_a_request_waits_is_asked_about(tmp_path: Path, verb: str) -> None:
    """A stop of a service kills the jobs on its agent: those that the approver sees, and no other."""
    service = "infa:eu-1/Data Integration Server"
    async with world(tmp_path, policy=APPROVED_STOPS, only=("infa",)) as env:
        plane, lee = env.planes["infa"], env.person("U0LEE")
        plane.pace = type(plane.pace)(stopping=0.1, job=600)
        asked = await env.does(f'{verb} infa:eu-1/"Data Integration Server"', "Dangerous")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Ask for approval")
        card = await env.sees("wants to run", service, f"*Now:* {NO_JOBS}", user="U0LEE", channel="C0APPR")
        await env.say("start infa:task/load_orders")
        await env.sees("start infa:task/load_orders - Running")
        await lee.press_label("C0APPR", card["ts"], "Approve")
        await env.sees(f"Not counted: the state changed from {NO_JOBS} to running", user="U0LEE", channel="C0APPR")
        renewed = await env.sees("Asked again", "1 job running: load_orders run ", user="U0LEE", channel="C0APPR")
        assert [deed.action for deed in plane.effects] == ["job start"]
        await lee.open_home()
        await lee.wait_for(lambda _: "Review" in labels(lee.home() or {}))
        await lee.press_label("home", label="Review")
        await lee.wait_for(lambda _: "1 job running: load_orders run " in shown(lee.home() or {}))
        await lee.press_label("C0APPR", renewed["ts"], "Approve")
        await env.until(lambda: len(plane.effects) > 1)


async def test_nobody_is_asked_again_because_a_job_ended(tmp_path: Path) -> None:
    """On a busy agent there would be no end to it."""
    async with world(tmp_path, policy=APPROVED_STOPS, only=("infa",)) as env:
        plane, lee = env.planes["infa"], env.person("U0LEE")
        plane.pace = type(plane.pace)(stopping=0.1, job=600)
        await env.does("start infa:task/load_orders", "Running")
        asked = await env.does('stop infa:eu-1/"Data Integration Server"', "Dangerous")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Ask for approval")
        card = await env.sees("wants to run", "1 job running: load_orders run ", user="U0LEE", channel="C0APPR")
        plane.jobs[-1].length = 0  # it has ended
        await lee.press_label("C0APPR", card["ts"], "Approve")
        await env.until(lambda: [deed.action for deed in plane.effects] == ["job start", "stop"])


@pytest.mark.parametrize("began", [False, True])
async def test_a_start_of_a_task_is_asked_about_again_when_another_run_began(tmp_path: Path, began: bool) -> None:
    """Not when the run that the approver saw has ended."""
    async with world(tmp_path, policy=APPROVED_STOPS.replace("infa:eu-1/*", "infa:*"), only=("infa",)) as env:
        plane, lee = env.planes["infa"], env.person("U0LEE")
        task = next(one for one in plane.tasks if one.name == "load_orders")
        plane.jobs.append(Job("a", 1, task, plane.clock.now(), 600))
        await env.say("start infa:task/load_orders")
        card = await env.sees("wants to run", "1 run active: run 1", user="U0LEE", channel="C0APPR")
        plane.jobs[-1].length = 0  # it has ended
        if began:
            plane.jobs.append(Job("b", 2, task, plane.clock.now(), 600))
        await lee.press_label("C0APPR", card["ts"], "Approve")
        if began:
            await env.sees("Asked again", "1 run active: run 2", user="U0LEE", channel="C0APPR")
        else:
            await env.until(lambda: [deed.action for deed in plane.effects] == ["job start"])


async def test_a_job_that_begins_after_the_preflight_is_asked_about(tmp_path: Path) -> None:
    """The press was about the jobs that the pre-flight showed."""
    async with world(tmp_path, only=("infa",)) as env:
        plane = env.planes["infa"]
        plane.pace = type(plane.pace)(stopping=0.1, job=600)
        asked = await env.does('stop infa:eu-1/"Data Integration Server"', "Jobs running now", "Dangerous")
        await env.say("start infa:task/load_orders")
        await env.sees("start infa:task/load_orders - Running")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.sees(f"The state changed from {NO_JOBS} to running", "load_orders run ", "Type the command again")
        assert [deed.action for deed in plane.effects] == ["job start"]
        again = await env.does('stop infa:eu-1/"Data Integration Server"', "load_orders run ", "Dangerous")
        await env.ana.press_label("C0CRAWL", again["ts"], "Run it")
        await env.until(lambda: [deed.action for deed in plane.effects] == ["job start", "stop"])
