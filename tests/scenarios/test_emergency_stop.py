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
from tests.scenarios.test_one_message_one_request import press_payload
from tests.world import OPEN_POLICY, World, labels, shown, world

INCIDENT = "C0INC"
A_DENY = """\
[[channel.deny]]
verbs = ["stop"]
targets = ["infa:task/export_ledger"]
because = "The audit needs its end."
"""
A_FREEZE = """
[[freeze]]
verbs = ["stop"]
from = 2026-01-01T00:00:00Z
until = 2036-01-01T00:00:00Z
because = "The year is closed."
"""
A_GUEST = """\
[[channel.allow]]
verbs = ["*"]
targets = ["infa:*"]
who = ["U0GUEST"]
"""
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
    return await env.does(text, "Dangerous: check before you run it", "These will be stopped", channel=INCIDENT)


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


async def test_in_a_thread_the_answer_says_where_the_cards_are(team: Team) -> None:
    env = team.env
    await start(env, LONG[0])
    await env.ana.post(INCIDENT, "what a day")
    thread = next(one for one in env.ana.messages(INCIDENT) if "what a day" in shown(one))["ts"]
    await env.ana.post(INCIDENT, "<@U0BOT> stop everything -- prod is down", thread_ts=thread)
    await env.ana.wait_for(lambda ana: any("Stop 1 run?" in shown(one) for one in ana.messages(INCIDENT, thread)))
    card = next(one for one in env.ana.messages(INCIDENT, thread) if "Stop 1 run?" in shown(one))
    await press(env, card, "Stop it")
    told = "Stopping 1 run. It has a card in the thread."
    await env.ana.wait_for(lambda ana: any(told in shown(one) for one in ana.messages(INCIDENT, thread)))


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


async def test_the_audit_log_has_it_as_a_request_that_was_understood(team: Team) -> None:
    """A text that is not understood stays one that was misread."""
    await start(team.env, LONG[0])
    await press(team.env, await ask(team.env), "Stop it")
    await team.env.until(lambda: stops(team.env))
    await team.env.does("abolish everything", "I can't read this command", channel=INCIDENT)
    asked = [row for row in team.env.audit() if row.verb == "stop everything"]
    assert [str(row.event) for row in asked] == ["requested", "done"]
    assert asked[0].detail == "stop everything -- prod is down"
    assert [row.detail for row in team.env.audit(event="misread")] == ["abolish everything"]


async def test_the_button_says_when_it_only_asks_for_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said to stop that others have to approve first; what needs no approval is told apart."""
    rules = OPEN_POLICY.replace("[administrators]", f"{APPROVED_STOP}[administrators]")
    async with deciding(tmp_path, monkeypatch, rules, only=("infa", "itn")) as team:
        env = team.env
        await start(env, *LONG[:2], LONG[3])
        card = await env.does("stop everything", "Dangerous: check before you run it", channel=INCIDENT)
        at_once, _, later = shown({"blocks": card["blocks"]}).partition("These will be stopped once approved")
        assert "itn:cluster_1/audit-network" in at_once
        assert later.count("• `infa:task/") == 2
        assert labels(card) == ["Stop 1, ask for 2", "Cancel"]
        await press(env, card, "Stop 1, ask for 2")
        await env.sees("Stopping 1 run; asked for approval to stop 2 runs.", channel=INCIDENT)
        await env.until(lambda: len(env.audit(event="approval_requested")) == 2)
        await env.until(lambda: len(stops(env)) == 1)
        await env.does(
            "stop infa:task/reload_history infa:task/export_ledger",
            "These will be stopped once approved",
            channel=INCIDENT,
        )
        card = env.ana.messages(INCIDENT)[-1]
        assert labels(card) == ["Ask for approval", "Cancel"]
        assert "These will be stopped\n" not in shown(card)
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


async def test_every_run_that_is_stopped_is_shown_however_long_the_names_are(team: Team) -> None:
    """And a reason may be anything, at the end of a long command too."""
    names = [f"infa:task/{'quite_a_long_name_' * 6}{number}" for number in range(20)]
    card = await ask(team.env, f'stop {" ".join(names)} -- prod is down; stop asking <me> & "Bob')
    assert labels(card) == ["Stop all 20", "Cancel"]
    assert not [name for name in names if f"`{name}`" not in shown({"blocks": card["blocks"]})]
    await press(team.env, card, "Stop all 20")
    await team.env.until(lambda: team.env.audit(event="failed")[19:])
    reasons = {row.reason for row in team.env.audit(event="requested") if row.target_name in names}
    assert reasons == {'prod is down; stop asking <me> & "Bob'}


async def test_a_slow_control_plane_does_not_hold_up_the_list(team: Team) -> None:
    """Each target is looked up for two seconds at most, and all at once."""
    await team.env.planes["infa"].set_fault({"fault": "delay", "seconds": 60})
    await ask(team.env, f"stop {' '.join(f'infa:task/unknown_{number}' for number in range(20))} -- prod is down")


async def test_a_secret_in_a_target_is_neither_shown_nor_kept(team: Team) -> None:
    await team.env.say("stop infa:task/password/hunter22hunter infa:task/load_orders", channel=INCIDENT)
    card = await team.env.sees("load_orders", channel=INCIDENT)
    assert "hunter22" not in shown(card)
    assert not [label for label in labels(card) if label.startswith("Stop all")]


async def test_the_list_tells_a_guest_of_no_run_that_they_may_not_see(tmp_path: Path) -> None:
    rules = OPEN_POLICY.replace("[administrators]", f"{A_GUEST}[administrators]")
    async with world(tmp_path, policy=rules, only=("infa", "itn")) as env:
        for target in (*LONG[:2], LONG[3]):
            await env.does(f"start {target}", f"start {target}", "Running")
        card = await env.does("stop everything", "These will be stopped", user="U0GUEST")
        assert labels(card) == ["Stop all 2", "Cancel"]
        assert "audit-network" not in shown({"blocks": card["blocks"]})


async def test_what_a_rule_or_a_freeze_denies_is_listed_with_the_reason_and_not_among_what_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = OPEN_POLICY.replace("C0CRAWL", INCIDENT).replace("[administrators]", f"{A_DENY}[administrators]")
    async with deciding(tmp_path, monkeypatch, rules, only=("infa", "itn")) as team:
        env = team.env
        await start(env, *LONG[:3])
        card = await ask(env)
        stopped, _, others = shown({"blocks": card["blocks"]}).partition("These can't be stopped here")
        assert labels(card) == ["Stop all 2", "Cancel"]
        assert LONG[1] not in stopped
        assert LONG[1] in others
        assert "The audit needs its end" in others
        await team.new_rules(rules + A_FREEZE)
        card = await env.does("stop everything", "Nothing can be stopped here", "The year is closed", channel=INCIDENT)
        assert labels(card) == []


async def test_who_has_lost_the_right_meanwhile_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may stop is read anew when the button is pressed, also right after the list."""
    rules = OPEN_POLICY.replace("C0CRAWL", INCIDENT)
    async with deciding(tmp_path, monkeypatch, rules, only=("infa", "itn")) as team:
        await start(team.env, *LONG[:2])
        card = await ask(team.env)
        team.regroup("S0CRAWL", ["U0RUI"])
        await press(team.env, card, "Stop all 2")
        await team.env.until(lambda: len(team.env.audit(event="denied")) == 2)
        assert stops(team.env) == []


async def test_a_press_that_slack_delivers_late_can_be_repeated(team: Team) -> None:
    env = team.env
    await start(env, *LONG[:2])
    card = await ask(env)
    await env.ws.deliver("interactive", press_payload(team, card, "Stop all 2", ago=360, channel=INCIDENT))
    await env.sees("Slack delivered this press late", channel=INCIDENT)
    assert stops(env) == []
    await press(env, card, "Stop all 2")
    await env.until(lambda: len(stops(env)) == 2)


async def test_it_is_understood_as_people_say_it_and_not_where_they_mean_something_else(team: Team) -> None:
    """A sentence only lists; a target, an exception, a time, a parameter, a denial, a question or another thing to cancel is not
    about everything."""
    env = team.env
    await start(env, *LONG[:2])
    for said in (
        "stop all runs",
        "please stop everything now",
        "emergency stop",
        "abort all jobs!",
        "everything must stop",
        "stop *",
        "can you stop everything that is still running in this channel, asap?",
        "stop everything because nothing works",
        "stop everything, prices are wrong",
        "stop everything: customers see wrong prices",
        "stop everything now - the tofu job runs wild",
        "stop everything the shop is down",
        "Stop everything! Prices are wrong",
        "can you stop everything? prices are wrong",
        "can we stop everything? it does damage",
        "please stop everything that runs here, the shop is down",
    ):
        await env.does(said, "Stop 2 runs?", channel=INCIDENT)
    for said in (
        "don't stop everything",
        "stop everything, but not the tofu job",
        "stop everything, no, wait",
        "stop everything, reload_history must not stop",
        "let <@U0LEE> stop everything",
        "yesterday we had to stop everything",
        "tomorrow stop everything",
        "stop all clean=true",
        "cancel all approvals",
        "why did you stop everything that ran",
        "please don\u2019t stop everything",
        "you cannot stop everything",
        "how do I stop everything",
        "did you stop everything?",
        "stop all notifications",
        "stop everything except infa:task/reload_history",
        "stop all runs of load_orders",
        "stop everything tomorrow",
        "emergency stop of load_orders",
    ):
        before = len(env.ana.messages(INCIDENT))
        await env.say(said, channel=INCIDENT)
        answer = await env.ana.wait_for(lambda one: (one.messages(INCIDENT)[before:] or [None])[0])  # noqa: B023
        assert "Stop all 2" not in labels(answer), said
    assert stops(env) == []


async def test_without_a_run_that_can_be_stopped_the_answer_says_that(team: Team) -> None:
    """And lists the runs that are left, and why; the sentence is about everything, not about one target."""
    env = team.env
    for said in ("stop everything -- prod is down", "emergency stop"):
        text = shown(await env.does(said, "There is nothing to stop", channel=INCIDENT))
        assert "No run in progress was started in this channel" in text
    await env.does("start acc:labs/slow", "start acc:labs/slow", "can't stop a run", channel=INCIDENT)
    text = shown(
        await env.does("stop everything", "Nothing can be stopped here", "can't be stopped here", channel=INCIDENT)
    )
    left = text.partition("These can't be stopped here")[2]
    assert "acc:labs/slow" in left
    assert "Sequentum's API can't stop a run. Stop it in the Agent Control Center." in left


async def test_the_card_of_a_run_says_who_stopped_it_whatever_the_control_plane_calls_that(team: Team) -> None:
    """Informatica says failed, Itential canceled. It can be run again, and it isn't counted as failed; of a stop that the control
    plane refused, the run's card says nothing."""
    env = team.env
    await env.does("incident open INC-7 -- prod is down", "Incident INC-7", channel=INCIDENT)
    await start(env, LONG[0], LONG[2], LONG[3])
    await press(env, await ask(env), "Stop all 3")
    for started in (f"start {LONG[0]}", f"start {LONG[3]}"):
        card = await env.sees(started, "Stopped by <@U0ANA>", channel=INCIDENT)
        assert "Run again" in labels(card)
        assert "Retry" not in labels(card)
        assert "⚠️" in shown(card)
    await env.sees("stop infa:task/quarter_close", "does not have the privilege", channel=INCIDENT)
    ends = {row.target_name: row for row in env.audit(event="ended") if row.verb == "start"}
    assert {row.code for row in ends.values()} == {"stopped"}
    env.planes["infa"].jobs[1].length = 0.0
    await env.sees(f"start {LONG[2]}", "Completed", channel=INCIDENT)
    await env.does("incident close -- over", "INC-7 is closed", "5, none failed, 2 stopped", channel=INCIDENT)


async def test_a_run_that_was_resumed_was_started_by_who_started_it(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=("itn",)) as env:
        await env.does("start itn:audit-network", "Running", user="U0LEE")
        await env.does("pause itn:audit-network@running", "The job is paused")
        await env.does("resume itn:audit-network@last", "resume itn:", "Running")
        question = shown(await env.does("stop everything", "These will be stopped", "audit-network"))
        assert "started by <@U0LEE>" in question
        assert "started by <@U0ANA>" not in question


async def test_a_run_that_fails_by_itself_after_a_stop_that_did_not_work_failed(tmp_path: Path) -> None:
    """The answer of the stop was lost, and a look showed that the job went on."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        plane = env.planes["infa"]
        await env.does("start infa:task/load_orders", "Running")
        await plane.set_fault({"fault": "500", "match": "POST .*stop"})
        await env.say("stop infa:task/load_orders")
        question = await env.sees("stop infa:task/load_orders", "check before you run it")
        await env.ana.press_label("C0CRAWL", question["ts"], "Run it")
        await env.until(lambda: env.audit(event="reconciled", verb="stop"))
        plane.jobs[-1].length = 0.0
        plane.jobs[-1].task.ends = 3
        (end,) = await env.until(lambda: env.audit(event="ended", verb="start"))
        assert end.code == "failed"
        assert "Stopped by" not in shown(await env.sees("start infa:task/load_orders", "Failed"))


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
    assert series == {"Runs succeeded": 0, "Failed": 0, "Stopped": 2, "Actions": 4}
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
    assert labels(await env.does("stop everything", "Stop 1 run?", channel=INCIDENT)) == ["Stop it", "Cancel"]
    await start(env, LONG[1])
    listed = shown(await ask(env)).partition("These will be stopped")[2]
    since = {task: int(at) for task, at in re.findall(r"`infa:task/(\w+)`: .*?<!date\^(\d+)", listed)}
    assert since["export_ledger"] - since["reload_history"] < 300


async def test_a_run_of_the_task_that_began_after_the_list_is_not_stopped(team: Team) -> None:
    """Informatica's task names no run: what was listed is stopped, and nothing that nobody saw."""
    env = team.env
    await start(env, *LONG[:2])
    card = await ask(env)
    listed = env.planes["infa"].jobs[0]
    listed.length = 0.0
    await env.does(f"start {LONG[0]} -- later", f"start {LONG[0]}", "later", "Running", channel=INCIDENT)
    await press(env, card, "Stop all 2")
    kept = await env.sees(f"stop {LONG[0]}", f"Run {listed.run_id} of", "has ended, so there is", channel=INCIDENT)
    assert labels(kept) == ["Stop"]
    await env.sees(f"stop {LONG[1]}", "Stopped", channel=INCIDENT)
    assert len(stops(env)) == 1


async def test_the_only_run_is_stopped_with_the_reason_and_without_a_second_question(team: Team) -> None:
    """As when there are several; what nobody can stop is listed too."""
    env = team.env
    await start(env, LONG[0])
    await env.does("start acc:labs/slow", "start acc:labs/slow", "can't stop a run", channel=INCIDENT)
    card = await env.does("stop everything -- prod is down", "Stop 1 run?", "These can't be stopped", channel=INCIDENT)
    await press(env, card, "Stop it")
    await env.sees("stop infa:task/reload_history", "topped", "<@U0ANA>: prod is down", channel=INCIDENT)
    assert len(stops(env)) == 1


async def test_a_reason_in_the_sentence_is_what_comes_after_the_words_for_the_runs(team: Team) -> None:
    env = team.env
    await start(env, LONG[0])
    card = await env.does("please stop everything that runs here, the shop is down", "Stop 1 run?", channel=INCIDENT)
    await press(env, card, "Stop it")
    await env.sees("stop infa:task/reload_history", "topped", "<@U0ANA>: the shop is down", channel=INCIDENT)
