"""A stop of what doesn't run: nothing is asked and nothing is sent, and the answer says so and offers what helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.team import deciding
from tests.world import OPEN_POLICY, World, labels, shown, world

STOP_NEEDS_A_LEAD = OPEN_POLICY.replace('verbs = ["*"]', 'verbs = ["stop"]').replace(
    'who = ["crawl", "leads", "admins"]', 'who = ["crawl"]\napprovals = { count = 1, from = ["leads"] }'
)


def stops(env: World) -> list[str]:
    """Every stop that a control plane was asked for."""
    ends = ("/job/stop", "/cancel", "/terminate", "/finish", "/agent/service")
    return [call.raw_path for plane in env.planes.values() for call in plane.requests if call.raw_path.endswith(ends)]


@pytest.mark.parametrize(
    ("only", "command", "why", "offered"),
    [
        ("infa", "stop infa:task/load_orders", "task/load_orders has no running job", ["Start"]),
        ("pre", "stop pre:instance/{complete}", "is complete", []),
        ("itn", "stop itn:job/{complete}", "is complete", ["Log"]),
        ("itn", "pause itn:job/{complete} for=30m", "is complete", ["Log"]),
        ("itn", "resume itn:job/{complete}", "is complete", ["Log"]),
        ("itn", "stop itn:job/{error}", "is in error", ["Log", "Retry"]),
        ("itn", "pause itn:job/{error} for=30m", "is in error", ["Log", "Retry"]),
    ],
    ids=lambda one: one if isinstance(one, str) and " " in one else "",
)
async def test_what_does_not_run_is_not_put_to_a_person(
    tmp_path: Path, only: str, command: str, why: str, offered: list[str]
) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=(only,)) as env:
        plane, complete, failed = env.planes[only], "", ""
        if only == "pre":
            complete = next(
                one.instance_id
                for agent in plane.agents.values()
                for one in agent.instances
                if one.status == "complete"
            )
        elif only == "itn":
            await env.does("start itn:cluster_1/backup-configs", "start itn:cluster_1/backup-configs")
            job = (await env.until(lambda: plane.jobs))[-1]
            await env.until(lambda: job.status(env.ws.clock.now()) == "complete")
            complete = job.job_id
            await env.does("start itn:check-links", "start itn:cluster_1/check-links", "Error")
            failed = (await env.until(lambda: plane.jobs[1:]))[0].job_id
        verb = command.partition(" ")[0]
        card = await env.does(command.format(complete=complete, error=failed), f"so there is nothing to {verb}.")
        assert why in shown(card)
        assert "Run it" not in labels(card)
        assert [label for label in labels(card) if label in ("Start", "Log", "Retry")] == offered
        assert stops(env) == []


async def test_a_job_that_failed_before_it_was_stopped_can_still_be_retried(tmp_path: Path) -> None:
    """The vendor cancels a job in `error` too, and then refuses its retry."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("itn",), speed=1.0) as env:
        await env.does("start itn:check-links", "start itn:cluster_1/check-links", "Running")
        await env.say("stop everything -- wrong")
        asked = await env.sees("Stop 1 run?")
        env.planes["itn"].jobs[0].started -= 600
        await env.ana.press_label("C0CRAWL", asked["ts"], "Stop it", seen=asked)
        await env.sees("is in error, so there is nothing to stop")
        card = await env.sees("start itn:cluster_1/check-links", "Error")
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: [one for one in env.planes["itn"].effects if one.action == "retry"])
        assert stops(env) == []


async def test_a_service_that_is_stopped_offers_its_start(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        await env.say('stop infa:eu-1/"Mass Ingestion" -- first')
        await _press(env, "Dangerous", "Run it")
        await env.sees("stop infa:eu-1/Mass Ingestion", "no longer listed")
        card = await env.does('stop infa:eu-1/"Mass Ingestion" -- again', "is already stopped, so there is nothing")
        assert labels(card) == ["Start"]
        assert len(stops(env)) == 1


async def test_a_job_that_runs_can_be_stopped_and_one_that_ended_meanwhile_is_not(tmp_path: Path) -> None:
    """Before `Run it`, and once more when it is pressed."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        plane = env.planes["infa"]
        await env.does("start infa:task/load_orders", "start infa:task/load_orders", "Running")
        await env.does("stop infa:task/load_orders -- wrong", "Dangerous", "load_orders run 1")
        plane.jobs[-1].length = 0.0
        await _press(env, "Dangerous", "Run it")
        card = await env.sees("has no running job, so there is nothing to stop", "Nothing was done")
        assert "Run it" not in labels(card)
        assert stops(env) == []


async def test_run_it_stops_the_run_that_was_shown_and_not_a_later_one_of_the_task(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        plane = env.planes["infa"]
        await env.does("start infa:task/load_orders", "start infa:task/load_orders", "Running")
        await env.does("stop infa:task/load_orders -- wrong", "Dangerous", "load_orders run 1")
        plane.jobs[-1].length = 0.0
        shown_run = plane.jobs[-1].run_id
        await env.does("start infa:task/load_orders -- later", "start infa:task/load_orders", "later", "Running")
        await _press(env, "Dangerous", "Run it")
        ended = f"Run {shown_run} of task/load_orders has ended, so there is nothing to stop."
        await env.sees(ended, f"Run {plane.jobs[-1].run_id} is running now.", "Nothing was done.")
        assert stops(env) == []


async def test_a_control_plane_that_can_not_tell_leaves_it_to_the_person(tmp_path: Path) -> None:
    """An emergency stop isn't held up by a read that fails."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        await env.does("start infa:task/load_orders", "start infa:task/load_orders", "Running")
        await env.planes["infa"].set_fault({"fault": "500", "match": "activityMonitor"})
        card = await env.does("stop infa:task/load_orders -- wrong", "Dangerous")
        assert "Run it" in labels(card)


async def test_a_slow_control_plane_holds_up_no_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether something runs is looked up for seconds, not for as long as a call may take."""
    monkeypatch.setattr("bot.backends.informatica.adapter.LOOK_FIRST", 0.2)
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        await env.does("start infa:task/load_orders", "start infa:task/load_orders", "Running")
        await env.planes["infa"].set_fault({"fault": "delay", "seconds": 20, "times": 1, "match": "activityMonitor"})
        await env.does("stop infa:task/load_orders -- wrong", "Dangerous")


@pytest.mark.parametrize("has_just", ["started", "an odd row"])
async def test_a_job_that_may_run_can_be_stopped(tmp_path: Path, has_just: str) -> None:
    """One that was accepted and is not listed yet, or is listed with an id that can't be read."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        plane = env.planes["infa"]
        plane.lists_after = 600.0 if has_just == "started" else 0.0
        wait = "Accepted" if has_just == "started" else "Running"
        await env.does("start infa:task/load_orders", "start infa:task/load_orders", wait)
        if has_just == "an odd row":
            await plane.set_fault({"fault": "wrong_types", "match": "activityMonitor"})
        await env.does("stop infa:task/load_orders -- wrong", "Dangerous")
        await _press(env, "Dangerous", "Run it")
        await env.until(lambda: len(stops(env)) == 1)


async def test_nobody_is_asked_to_approve_a_stop_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with deciding(tmp_path, monkeypatch, STOP_NEEDS_A_LEAD, only=("infa",)) as team:
        await team.env.does("stop infa:task/load_orders -- wrong", "so there is nothing to stop")
        assert not team.env.audit(event="approval_requested")


async def _press(env: World, part: str, label: str) -> None:
    card = await env.sees(part)
    receipt = await env.ana.press_label("C0CRAWL", card["ts"], label, seen=card)
    assert receipt.acked
