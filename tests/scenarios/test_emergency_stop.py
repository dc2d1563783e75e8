"""`stop everything`: what would be stopped, one confirmation, and the result of each stop on a card of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.run import POLICY
from tests.scenarios.team import Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown

INCIDENT = "C0INC"
LONG = ("infa:task/reload_history", "infa:task/export_ledger", "infa:task/quarter_close", "itn:cluster_1/audit-network")
NO_STOP_OF_ITENTIAL = """\
[[channel]]
id = "C0INC"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["crawl"]
[[channel.deny]]
verbs = ["stop"]
targets = ["itn:*"]
"""

APPROVED_STOP = """\
[[channel]]
id = "C0INC"
[[channel.allow]]
verbs = ["stop"]
targets = ["infa:*"]
who = ["crawl"]
approvals = { count = 1, from = ["leads"] }
[[channel.allow]]
verbs = ["risk:read", "start"]
targets = ["*"]
who = ["crawl"]
[[channel.allow]]
verbs = ["stop"]
targets = ["itn:*"]
who = ["crawl"]
"""


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The demo's rules and control planes: in the incident's channel, everyone may do everything."""
    async with deciding(tmp_path, monkeypatch, POLICY, only=("infa", "itn", "acc")) as made:
        yield made


async def start(env: World, *targets: str) -> None:
    """Start each, and wait until it runs."""
    for target in targets:
        await env.does(f"start {target}", f"start {target}", "Running", channel=INCIDENT)


async def ask(env: World, text: str = "stop everything -- prod is down") -> dict[str, Any]:
    """What is listed before anything is stopped."""
    return await env.does(text, "Dangerous: check before you run it", "These are stopped", channel=INCIDENT)


async def press(env: World, card: dict[str, Any], label: str) -> None:
    receipt = await env.ana.press_label(INCIDENT, card["ts"], label, seen=card)
    assert receipt.acked


def stops(env: World) -> list[str]:
    """Each stop that a control plane was asked for."""
    planes = (env.planes["infa"], env.planes["itn"])
    asked = [call.raw_path for plane in planes for call in plane.requests]
    return [path for path in asked if path.endswith(("/job/stop", "/cancel"))]


async def test_one_confirmation_stops_several_runs_of_several_control_planes(team: Team) -> None:
    """Listed beforehand with their state; of one the stop is refused, one has ended meanwhile, the others are stopped. Each has a
    card and entries of its own."""
    env = team.env
    await start(env, *LONG)
    await env.does("start acc:labs/slow", "start acc:labs/slow", "can't stop a run", channel=INCIDENT)
    card = await ask(env)
    stopped, _, others = shown({"blocks": card["blocks"]}).partition("These can't be stopped here")
    assert "Stop 4 runs?" in stopped
    for listed in (*LONG[:3], "itn:cluster_1/audit-network (job "):
        assert f"• `{listed}" in stopped, stopped
    assert stopped.count("started by <@U0ANA>") == 4
    assert "acc:labs/slow" in others
    assert "*Why:* prod is down" in stopped
    assert labels(card) == ["Stop all 4", "Cancel"]
    assert stops(env) == []
    env.planes["infa"].jobs[1].length = 0.0
    await press(env, card, "Stop all 4")
    await env.sees("Stopping 4 runs. Each has a card in the channel.", channel=INCIDENT)
    await env.sees("stop infa:task/reload_history", "Stopped", "<@U0ANA>: prod is down", channel=INCIDENT)
    await env.sees("stop infa:task/export_ledger", "has no running job, so there is nothing to stop", channel=INCIDENT)
    await env.sees("stop infa:task/quarter_close", "does not have the privilege to stop this task", channel=INCIDENT)
    await env.sees("stop itn:", "anceled", "prod is down", channel=INCIDENT)
    assert len(stops(env)) == 3
    asked = [row for row in env.audit(event="requested") if row.verb == "stop" and row.reason == "prod is down"]
    assert len({row.request_id for row in asked}) == 4
    ends = [row for row in env.audit() if row.request_id in {one.request_id for one in asked}]
    assert sorted(str(row.event) for row in ends if row.event in ("done", "failed")) == [
        "done",
        "done",
        "failed",
        "failed",
    ]


async def test_a_second_press_and_a_late_one_stop_nothing(team: Team) -> None:
    """Slack may deliver both before the list is replaced; after ten minutes other runs may have the same name."""
    env = team.env
    await start(env, *LONG[:2])
    card = await ask(env)
    await asyncio.gather(*(press(env, card, "Stop all 2") for _ in range(2)))
    await env.until(lambda: len(stops(env)) == 2)
    await env.quiet()
    assert len(stops(env)) == 2
    await env.sees("stop infa:task/export_ledger", "Stopped", channel=INCIDENT)
    await env.sees("stop infa:task/reload_history", "Stopped", channel=INCIDENT)
    await start(env, *LONG[:2])
    card = await ask(env, "stop infa:task/reload_history infa:task/export_ledger")
    team.later(minutes=11)
    await press(env, card, "Stop all 2")
    await env.sees("This expired after 10 minutes", channel=INCIDENT)
    assert len(stops(env)) == 2


async def test_the_list_has_only_what_this_person_may_stop_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the rules decide about each stop again: where they demand an approval, it is asked for each."""
    rules = OPEN_POLICY.replace("[administrators]", f"{NO_STOP_OF_ITENTIAL}[administrators]")
    async with deciding(tmp_path, monkeypatch, rules, only=("infa", "itn")) as team:
        env = team.env
        await start(env, *LONG[:2], LONG[3])
        card = await ask(env)
        stopped, _, others = shown({"blocks": card["blocks"]}).partition("These can't be stopped here")
        assert labels(card) == ["Stop all 2", "Cancel"]
        assert "audit-network" not in stopped
        assert "audit-network" in others
        asks = rules.replace('id = "C0INC"\n', 'id = "C0INC"\n[[channel.allow]]\nverbs = ["stop"]\ntargets = ["*"]\n'
            'who = ["crawl"]\napprovals = { count = 1, from = ["leads"] }\n')  # fmt: skip
        await team.new_rules(asks)
        await press(env, card, "Stop all 2")
        await env.until(lambda: len(env.audit(event="approval_requested")) == 2)
        assert stops(env) == []


async def test_the_button_says_when_it_only_asks_for_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said to stop that others have to approve first; what needs no approval is told apart."""
    rules = OPEN_POLICY.replace("[administrators]", f"{APPROVED_STOP}[administrators]")
    async with deciding(tmp_path, monkeypatch, rules, only=("infa", "itn")) as team:
        env = team.env
        await start(env, *LONG[:2], LONG[3])
        card = await env.does("stop everything", "Dangerous: check before you run it", channel=INCIDENT)
        at_once, _, later = shown({"blocks": card["blocks"]}).partition("These are stopped once approved")
        assert "itn:cluster_1/audit-network" in at_once
        assert later.count("• `infa:task/") == 2
        assert labels(card) == ["Stop 1, ask for 2", "Cancel"]
        await press(env, card, "Stop 1, ask for 2")
        await env.sees("Stopping 1 run; asked for approval to stop 2 runs.", channel=INCIDENT)
        await env.until(lambda: len(env.audit(event="approval_requested")) == 2)
        await env.until(lambda: len(stops(env)) == 1)
        await env.does(
            "stop infa:task/reload_history infa:task/export_ledger", "These are stopped once approved", channel=INCIDENT
        )
        card = env.ana.messages(INCIDENT)[-1]
        assert labels(card) == ["Ask for approval", "Cancel"]
        assert "These are stopped\n" not in shown(card)
        await press(env, card, "Cancel")
        await env.sees("Cancelled. Nothing was stopped.", channel=INCIDENT)
        await env.quiet()
        assert len(stops(env)) == 1
        assert len(env.audit(event="approval_requested")) == 2


async def test_stops_that_were_confirmed_are_done_after_a_restart(team: Team) -> None:
    """Each is stored before the first one is sent."""
    env = team.env
    await start(env, *LONG[:2])
    card = await ask(env)
    await press(env, card, "Stop all 2")
    await env.restart()
    await env.until(lambda: len(stops(env)) == 2)
    await env.quiet()
    assert len(stops(env)) == 2


async def test_it_is_understood_as_people_say_it_and_not_where_they_mean_something_else(team: Team) -> None:
    """A sentence only lists; a target, a parameter, a denial or another thing to cancel is not about everything."""
    env = team.env
    await start(env, *LONG[:2])
    for said in (
        "stop all runs",
        "please stop everything now",
        "emergency stop",
        "abort all jobs!",
        "everything must stop",
    ):
        await env.does(said, "Stop 2 runs?", channel=INCIDENT)
    for said in (
        "don't stop everything",
        "stop all clean=true",
        "cancel all approvals",
        "why did you stop everything that ran",
    ):
        before = len(env.ana.messages(INCIDENT))
        await env.say(said, channel=INCIDENT)
        answer = await env.ana.wait_for(lambda one: (one.messages(INCIDENT)[before:] or [None])[0])  # noqa: B023
        assert "Stop all 2" not in labels(answer), said
    assert stops(env) == []


async def test_without_a_run_that_can_be_stopped_the_answer_says_that(team: Team) -> None:
    """And lists the runs that are left; the sentence is about everything, not about one target."""
    env = team.env
    for said in ("stop everything -- prod is down", "emergency stop"):
        text = shown(await env.does(said, "There is nothing to stop", channel=INCIDENT))
        assert "No run in progress was started in this channel" in text
    await env.does("start acc:labs/slow", "start acc:labs/slow", "can't stop a run", channel=INCIDENT)
    text = shown(
        await env.does("stop everything", "There is nothing to stop", "can't be stopped here", channel=INCIDENT)
    )
    assert "acc:labs/slow" in text.partition("can't be stopped here")[2]


async def test_the_timeline_and_the_report_tell_of_a_stop_that_it_worked(team: Team) -> None:
    """The vendor's word for a stopped run may be that it failed; the stop did what it was for."""
    env = team.env
    await env.does("incident open INC-9 -- prod is down", "Incident INC-9", channel=INCIDENT)
    await start(env, LONG[0], LONG[3])
    await press(env, await ask(env), "Stop all 2")
    await env.until(lambda: sum(row.event == "ended" for row in env.audit()) == 4)
    message = await env.does("timeline", "Timeline of INC-9 since", channel=INCIDENT)
    told = {line.partition("> · ")[2] for line in shown(message).splitlines() if " stop " in line}
    for target in (LONG[0], LONG[3]):
        (asked, ended) = sorted(line for line in told if target in line)
        assert asked.startswith(f"stop {target}")
        assert "accepted" in asked
        assert ended.startswith(f"✅ stop {target}")
        assert "stopped · <@U0ANA>" in ended
        assert "failed" not in ended
    (block,) = [block for block in message["blocks"] if block["type"] == "data_visualization"]
    series = {one["name"]: sum(point["value"] for point in one["data"]) for one in block["chart"]["series"]}
    assert series == {"Runs succeeded": 0, "Failed": 1, "Stopped": 1, "Actions": 4}
    report = shown(await env.does("incident close -- stopped", "INC-9 is closed", channel=INCIDENT))
    for target in (LONG[0], LONG[3]):
        lines = {line.partition("> <")[2] for line in report.splitlines() if f"`stop {target}" in line}
        assert len(lines) == 1
        assert lines.pop().endswith(": stopped")


async def test_a_task_that_was_started_twice_is_offered_once_with_its_newest_run(team: Team) -> None:
    """Informatica stops the running job of the task, whichever it is."""
    env = team.env
    await start(env, LONG[0])
    team.later(minutes=5)
    await start(env, LONG[0])
    card = await env.does("stop everything", "A command acts on one target.", channel=INCIDENT)
    assert labels(card) == ["stop infa:task/reload_history", "status"]
    await start(env, LONG[1])
    listed = shown(await ask(env)).partition("These are stopped")[2]
    since = {task: int(at) for task, at in re.findall(r"`infa:task/(\w+)`: Running.*?<!date\^(\d+)", listed)}
    assert since["export_ledger"] - since["reload_history"] < 300
