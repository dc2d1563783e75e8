"""What an operation of the ACC means beyond its call: ids, reasons, contradictions, silent answers, its end."""

from __future__ import annotations

import uuid

import pytest

from tests.scenarios.acc_place import change_of, place, typed
from tests.scenarios.steps import ask, do
from tests.world import World, labels, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_schedule_gets_its_id_from_the_bot(team: World) -> None:
    """12: without `id=` a schedule is added under an id that the bot made and the card tells."""
    at = place(team)
    text = f'schedule set {at} cron="0 0 0 1" start=2026-07-16T11:21:20 zone="AUS Eastern Standard Time"'
    asked = await typed(team, text, danger=False)
    call = change_of(asked, at)
    made = call.json()["scheduleId"]
    assert str(uuid.UUID(made)) == made
    assert made in team.acc.schedules
    assert call.json() == {
        "scheduleId": made,
        "cron": "0 0 0 1",
        "sessionId": None,
        "startTime": "2026-07-16T11:21:20",
        "timeZoneId": "AUS Eastern Standard Time",
        "inputParameters": "{}",
        "logLevel": 1,
        "isWindowless": True,
        "isEnabled": True,
    }
    await asked.card(f"A schedule of {at.path} was added", made)


async def test_approval_and_disapproval_are_not_swapped(team: World) -> None:
    """30, 31: what people mean is what the ACC ends up with, and the reason stands in its file log."""
    at = place(team)
    await typed(team, f"agent disapprove {at} -- breaks terms", danger=True)
    await typed(team, f"agent approve {at} -- fixed by Lee", danger=False)
    log = [(entry.approved, entry.message) for entry in team.acc.approvals if entry.agent_path == at.path]
    assert log == [(False, "breaks terms"), (True, "fixed by Lee")]


async def test_an_agent_whose_path_is_not_known_is_named_by_the_short_id_that_cards_use(team: World) -> None:
    """Typed by its id, which no card and no list has led to before."""
    agent = team.acc.add_agent("labs/unseen")
    asked = await do(team, f"agent approve acc:{agent.agent_id} -- reviewed")
    await asked.card(f"agent {agent.agent_id[:8]} is approved.")


@pytest.mark.parametrize("verb", ["agent approve", "agent disapprove"])
async def test_an_approval_without_a_reason_is_not_sent(team: World, verb: str) -> None:
    """30, 31: the reason is required; without it nothing goes out and the answer shows how to write it."""
    at = place(team)
    asked = await do(team, f"{verb} {at}")
    assert [path for _, path in asked.changes if at.agent in path] == []
    assert asked.row("failed").code == "reason_missing"
    await asked.card("needs a reason", " -- ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("as=job sync=true", "A job doesn't take"),
        ("sessions=true session=s1", "leave out `session=`"),
        ("delivery=zip", "need `sync=true`"),
        ("log_level=4", "at most 3"),
        ("production=perhaps", "takes `true` or `false`"),
        ("sync=true timeout=2h", "at most"),
        ("colour=red", "is not a parameter here"),
        ("colour=red log_level=9", "takes at most 3"),
    ],
)
async def test_a_start_that_contradicts_itself_is_not_sent(team: World, words: str, expected: str) -> None:
    """2, 7: what cannot be meant is refused with what would be accepted, and the control plane hears nothing."""
    at = place(team)
    asked = await do(team, f"start {at} {words}")
    assert [path for _, path in asked.changes if at.agent in path] == []
    assert asked.events == ["requested", "failed"]
    await asked.card(expected)


async def test_a_schedule_of_another_agent_is_not_changed_under_the_rights_of_this_one(team: World) -> None:
    """12: the rules allowed this agent, and the id names another's schedule: refused before `sent`, with this agent's ids."""
    ours, theirs = place(team), place(team)
    asked = await do(team, f"schedule set {ours} id={theirs.schedule} enabled=false")
    assert asked.events == ["requested", "failed"]
    assert asked.row("failed").code == "no_such_schedule"
    assert [path for _, path in asked.changes if ours.agent in path or theirs.agent in path] == []
    await asked.card("has no schedule", ours.schedule, "Leave `id=` out")


async def test_before_all_schedules_are_deleted_the_pre_flight_names_them(team: World) -> None:
    """14: how many and which."""
    at = place(team)
    asked = await ask(team, f"schedule delete {at}")
    await asked.card("Dangerous", "Will be deleted", at.schedule[:8])


@pytest.mark.parametrize("reply", ["empty", "204", "text"])
async def test_a_write_may_answer_with_nothing_or_with_words(team: World, reply: str) -> None:
    """Write replies are not documented: an empty body, 204 and plain text all mean that it was done."""
    at = place(team)
    usual, team.acc.write_reply = team.acc.write_reply, reply
    try:
        asked = await typed(team, f"schedule off {at}", danger=False)
        retried = await typed(team, f"retry acc:run/{at.run}", danger=False)
    finally:
        team.acc.write_reply = usual
    assert [schedule.enabled for schedule in team.acc.schedules.values() if schedule.agent.path == at.path] == [
        False,
        False,
    ]
    await asked.card("are off")
    newest = team.acc.world.runs_of[at.agent][-1].run_id
    assert retried.row("done").backend_ref == newest, "the new run is found in the history"


async def test_an_agent_that_is_written_in_other_capitals_has_one_name(team: World) -> None:
    """A12: card, audit log and target id are those of the agent's own spelling, for the agent and for a run of it."""
    at = place(team)
    await typed(team, f"status {at}", danger=False)
    team.acc.any_case = True
    try:
        asked = await typed(team, f"start acc:{at.path.upper()} -- check", danger=False)
        history = await typed(team, f"status acc:{at.path.title()}@last", danger=False)
    finally:
        team.acc.any_case = False
    assert {row.target_name for row in asked.rows if row.event != "requested"} == {f"acc:{at.path}"}
    assert {row.target_id for row in asked.rows if row.target_id} == {at.agent}
    assert at.path in shown(await asked.card(f"start acc:{at.path}"))
    assert at.path.title() not in shown(await history.card())
    assert not [row for row in team.audit(event="done") if at.path.upper() in (row.target_name or "")]


async def test_a_started_job_is_followed_to_its_end(team: World) -> None:
    """7, 8: the card of a job start ends in the job's own state, and the audit log has the end."""
    at = place(team)
    asked = await typed(team, f"start {at} as=job", danger=False)
    assert asked.row("done").backend_ref == team.acc.jobs[-1].job_id
    await team.until(lambda: "ended" in asked.events)
    card = await asked.card("Succeeded")
    assert "Log" in labels(card)
    assert asked.row("ended").code == "succeeded"
