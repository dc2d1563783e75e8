"""Services against the simulated organization: start, stop, restart, and what is said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.backends.informatica.models import Running
from bot.backends.informatica.presentation import running_text
from bot.core.errors import BadRequest, Lost, NoSuchTarget, Rejected, ServerError
from bot.core.outcome import Failed, Phase
from bot.playground.planes.informatica import InformaticaPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined

from .conftest import SERVER, effects

SERVICE = f'infa:eu-1/"{SERVER}"'


async def stopped(infa: Joined) -> None:
    done = await infa.do(f"stop {SERVICE}")
    await infa.follow(done.run)


@pytest.mark.parametrize("command", [f"stop {SERVICE}", "start infa:task/load_orders"])
async def test_what_an_earlier_version_followed_is_followed_on(infa: Joined, command: str) -> None:
    """In its store, the time of the request came after another mark."""
    run = (await infa.do(command)).run
    assert run is not None
    assert "@" in run.group
    views = await infa.follow(run.model_copy(update={"group": run.group.replace("@", "|")}))
    assert views[-1].phase is Phase.SUCCEEDED


async def test_stop_is_followed_until_the_service_is_gone(infa: Joined, plane: InformaticaPlane) -> None:
    """A stop ends well when the service is no longer listed, and offers the start."""
    done = await infa.do(f"stop {SERVICE}")
    views = await infa.follow(done.run)
    assert done.view is not None
    assert (done.view.state, done.view.phase) == ("shutting down", Phase.ACTIVE)
    assert (views[-1].state, views[-1].phase) == ("stopped (no longer listed)", Phase.SUCCEEDED)
    assert [step.verb for step in views[-1].next] == ["status", "start"]
    assert effects(plane) == [("stop", f"eu-1/{SERVER}")]


async def test_start_of_a_stopped_service_by_its_name_is_followed_until_it_is_ready(infa: Joined) -> None:
    """A stopped service is not listed, yet startable; RUNNING counts only with sub-state 0."""
    await stopped(infa)
    done = await infa.do(f"start {SERVICE}")
    views = await infa.follow(done.run)
    seen = list(dict.fromkeys(view.state for view in views))
    assert seen == [
        "starting up",
        "running, still initialising (sub-state -1)",
        "running and ready for jobs",
    ]
    assert views[-1].phase is Phase.SUCCEEDED


async def test_a_stopped_service_that_nobody_saw_is_startable_by_its_display_name(
    infa: Joined, plane: InformaticaPlane
) -> None:
    """The name is taken as typed when it is not listed."""
    plane.service("eu-1", "Process Server").phase = "stopped"
    status = await infa.do('status infa:eu-1/"Process Server"')
    assert "is stopped, or no service has that name" in status.summary
    done = await infa.do('start infa:eu-1/"Process Server"')
    assert (await infa.follow(done.run))[-1].phase is Phase.SUCCEEDED


async def test_a_wrong_service_name_is_refused_with_the_vendors_code(infa: Joined) -> None:
    """A name that no service has is not taken for a stopped one."""
    for verb in ("start", "stop"):
        with pytest.raises(Rejected, match=r"Invalid service name. \(AgentServiceV3APIError_002\)"):
            await infa.outcome(f"{verb} infa:eu-1/Nothing")


async def test_status_of_a_service_tells_state_version_and_since(infa: Joined) -> None:
    """Status names the three things and offers what makes sense."""
    done = await infa.do(f"status {SERVICE}")
    assert done.summary == f"eu-1/{SERVER} is running and ready for jobs."
    assert [fact.label for fact in done.facts] == ["State", "Version", "Since"]
    assert [step.verb for step in done.next] == ["stop", "restart"]


async def test_status_of_an_agent_offers_its_stopped_services(infa: Joined) -> None:
    """What was seen once stays in the table and gets a start button."""
    await stopped(infa)
    done = await infa.do("status infa:agent/eu-1")
    assert (done.state.level, done.state.text) == ("warn", "active")
    assert done.table is not None
    rows = {row[0]: row[1] for row in done.table.rows}
    assert rows == {"Process Server": "running and ready for jobs", SERVER: "not listed: stopped"}
    assert [(step.verb, step.target) for step in done.next] == [("start", f'infa:"eu-1/{SERVER}"')]


async def test_targets_list_agents_services_tasks_and_schedules(infa: Joined) -> None:
    """The list holds what exists and what was seen before, written as it can be typed."""
    await infa.do("status infa:task/load_orders")
    await stopped(infa)
    listed = {one.text: one.state for one in await infa.backend.targets()}
    assert listed == {
        "infa:agent/eu-1": "active",
        'infa:"agent/us 1"': "not active",
        'infa:"eu-1/Process Server"': "running and ready for jobs",
        f'infa:"eu-1/{SERVER}"': "not listed: stopped",
        "infa:task/load_orders": "",
        "infa:schedule/nightly": "on",
        'infa:"schedule/weekly close"': "off",
    }


async def test_both_ids_of_an_agent_are_kept(infa: Joined, plane: InformaticaPlane) -> None:
    """The service call carries the federated id, the details the v2 one; the second look-up of an agent is one call."""
    agent = plane.agents[0]
    target = await infa.at(f"eu-1/{SERVER}")
    assert (target.id, target.group) == (f"{agent.federated_id}/{SERVER}", agent.v2_id)
    assert target.scope == f"infa:eu-1/{SERVER}"
    before = len(plane.requests)
    await infa.at(f"eu-1/{SERVER}")
    assert len(plane.requests) == before + 1


async def test_unknown_names_are_told_with_what_comes_near(infa: Joined) -> None:
    """A misspelled agent, and a service in the wrong case, name the right one."""
    with pytest.raises(NoSuchTarget) as agent:
        await infa.at("agent/eu1")
    assert agent.value.nearest[0] == "agent/eu-1"
    with pytest.raises(NoSuchTarget) as service:
        await infa.at("eu-1/data integration server")
    assert service.value.nearest == (f"eu-1/{SERVER}",)
    with pytest.raises(NoSuchTarget) as other:
        await infa.at(f"eu1/{SERVER}")
    assert other.value.nearest[0] == f"eu-1/{SERVER}"
    with pytest.raises(NoSuchTarget, match="agent/eu-1") as bare:
        await infa.at("eu-1")
    assert bare.value.nearest[:2] == ("agent/eu-1", f"eu-1/{SERVER}")
    with pytest.raises(BadRequest, match=r"U\+202E"):
        await infa.at("eu-1/\u202eserver")


async def test_restart_stops_waits_starts_and_waits(infa: Joined, plane: InformaticaPlane) -> None:
    """A restart is two calls with what is seen between them told on the way."""
    done = await infa.do(f"restart {SERVICE}")
    assert done.summary == f"eu-1/{SERVER} was restarted: running and ready for jobs."
    assert effects(plane) == [("stop", f"eu-1/{SERVER}"), ("start", f"eu-1/{SERVER}")]
    assert any("stopped; starting it" in told for told in infa.call.told)


@pytest.mark.parametrize("fault", [{"fault": "500"}, {"fault": "drop_before"}, {"fault": "refuse", "seconds": 0.3}])
async def test_a_restart_that_breaks_in_the_middle_says_so(
    infa: Joined, plane: InformaticaPlane, fault: dict[str, Any]
) -> None:
    """Stopped and not started again: said in these words, with a start button."""
    operation = await infa.operation(f"restart {SERVICE}")
    await plane.set_fault({**fault, "match": "POST .*/agent/service", "after": 1})
    failed = await infa.run(operation)
    assert isinstance(failed, Failed)
    assert failed.code == "stopped_not_started"
    assert "is stopped and was not started again" in failed.summary
    assert failed.next[0].verb == "start"


async def test_a_restart_whose_start_took_effect_in_spite_of_a_lost_answer_goes_on(
    infa: Joined, plane: InformaticaPlane
) -> None:
    """The details decide when the answer to the start is lost, and nothing is sent twice."""
    operation = await infa.operation(f"restart {SERVICE}")
    await plane.set_fault({"fault": "drop_after", "match": "POST .*/agent/service", "after": 1})
    done = await infa.run(operation)
    assert done.kind == "done"
    assert [action for action, _ in effects(plane)] == ["stop", "start"]


async def test_a_restart_that_never_stops_starts_nothing(infa: Joined, plane: InformaticaPlane) -> None:
    """Without the end of the stop there is no start, and the last known state is named."""
    plane.pace = type(plane.pace)(stopping=10_000)
    failed = await infa.outcome(f"restart {SERVICE}")
    assert (failed.kind, failed.code) == ("failed", "not_stopped")
    assert "shutting down" in failed.summary
    assert [action for action, _ in effects(plane)] == ["stop"]


async def test_a_restart_whose_stop_can_not_be_read_says_why_in_one_sentence(
    infa: Joined, plane: InformaticaPlane
) -> None:
    operation = await infa.operation(f"restart {SERVICE}")
    await plane.set_fault({"fault": "refuse", "match": "GET .*/agent/details/.*"})
    failed = await infa.run(operation)
    assert failed.summary.endswith("connection refused."), failed.summary
    assert ".." not in failed.summary


async def test_a_restart_that_does_not_come_up_says_so(infa: Joined, plane: InformaticaPlane) -> None:
    """A start that ends in ERROR fails the restart, with the state."""
    plane.service("eu-1", SERVER).start_fails = True
    failed = await infa.outcome(f"restart {SERVICE}")
    assert (failed.kind, failed.code) == ("failed", "started_not_up")
    assert "in an error state" in failed.summary


async def test_a_start_that_takes_too_long_ends_with_what_is_last_known(infa: Joined, plane: InformaticaPlane) -> None:
    """After five minutes following ends as failed, with the last state and a hint."""
    await stopped(infa)
    plane.pace = type(plane.pace)(starting=10_000)
    done = await infa.do(f"start {SERVICE}")
    last = (await infa.follow(done.run, 10.0))[-1]
    assert last.phase is Phase.FAILED
    assert last.state == "not up in time; last known: starting up"
    assert "300 s" in last.message


async def test_start_and_stop_twice_are_there_already(infa: Joined, plane: InformaticaPlane) -> None:
    """What is running or stopped already ends well at once and changes nothing."""
    done = await infa.do(f"start {SERVICE}")
    assert (await infa.view(done.run)).phase is Phase.SUCCEEDED
    await stopped(infa)
    again = await infa.do(f"stop {SERVICE}")
    assert (await infa.view(again.run)).phase is Phase.SUCCEEDED
    assert effects(plane) == [("stop", f"eu-1/{SERVER}")]


async def test_the_time_of_a_job_that_stops_is_that_of_its_start() -> None:
    """No answer of Informatica tells since when it stops."""
    job = {"taskName": "load_orders", "runId": 3, "startTimeUtc": "2026-11-22T02:23:00.000Z"}
    running = running_text(Running.model_validate({**job, "executionState": "RUNNING"}))
    stopping = running_text(Running.model_validate({**job, "executionState": "STOPPING"}))
    assert running == "load_orders run 3, running since 2026-11-22 02:23:00 UTC"
    assert stopping == "load_orders run 3, stopping, started 2026-11-22 02:23:00 UTC"


async def test_danger_shows_running_jobs_and_sibling_services(infa: Joined) -> None:
    """The pre-flight of a stop names the jobs that would die and the other services."""
    await infa.do("start infa:task/load_orders")
    await infa.clock.sleep(2)
    facts = dict(await infa.backend.preflight(await infa.operation(f"stop {SERVICE}")))
    assert facts["Jobs running now"].startswith("1: load_orders run 1, running since ")
    assert facts["Other services"] == "Process Server: running and ready for jobs"
    assert await infa.backend.state_of(await infa.at(f"eu-1/{SERVER}")) == f"{facts['State now']} · load_orders run 1"


async def test_the_state_of_a_service_names_the_jobs_that_its_stop_kills(infa: Joined, plane: InformaticaPlane) -> None:
    """The newest first, so that a job that began is always named; of a service that is stopped none."""
    for number in range(6):
        plane.add_task(f"load_{number}", plane.agents[0])
        await infa.do(f"start infa:task/load_{number}")
        await infa.clock.sleep(1)
    service = await infa.at(f"eu-1/{SERVER}")
    state = await infa.backend.state_of(service)
    assert [job.partition(" run ")[0] for job in state.split(" · ")[1:]] == [
        f"load_{number}" for number in range(5, -1, -1)
    ]
    plane.service("eu-1", SERVER).phase = "stopped"
    assert await infa.backend.state_of(service) == "not listed"


async def test_nothing_is_concluded_from_an_agent_that_is_not_active(infa: Joined, plane: InformaticaPlane) -> None:
    """An inactive agent lists nothing, and that is neither a stop nor an end."""
    plane.agents[0].active = True
    done = await infa.do(f"stop {SERVICE}")
    plane.agents[0].active = False
    view = await infa.view(done.run)
    assert (view.phase, view.state) == (Phase.UNREADABLE, "not known, because the agent is not active")
    status = await infa.do(f'status infa:"us 1"/"{SERVER}"')
    assert "is not active" in status.summary


@pytest.mark.parametrize("goal", ["start", "stop"])
@pytest.mark.parametrize(("fault", "found"), [("drop_after", True), ("drop_before", False), ("500", False)])
async def test_a_lost_answer_is_read_back_from_the_details(
    infa: Joined, plane: InformaticaPlane, clock: TwinClock, goal: str, fault: str, found: bool
) -> None:
    """Whether a start or stop took effect is told by the details, and it is never sent twice."""
    if goal == "start":
        await stopped(infa)
    operation = await infa.operation(f"{goal} {SERVICE}")
    before = len([one for one in plane.requests if one.raw_path.endswith("/agent/service")])
    await plane.set_fault({"fault": fault, "match": "POST .*/agent/service"})
    sent_at = clock.now()
    with pytest.raises((ServerError, Lost)):
        await infa.run(operation)
    back = await infa.backend.look_back(operation, sent_at)
    assert (back.found is not None, back.absent) == (found, not found)
    assert back.evidence
    sent = [one for one in plane.requests if one.raw_path.endswith("/agent/service")]
    assert len(sent) == before + 1


async def test_unknown_states_are_never_a_success(infa: Joined, plane: InformaticaPlane) -> None:
    """A state that nobody documented is shown as unknown."""
    operation = await infa.operation(f"stop {SERVICE}")
    await plane.set_fault({"fault": "unknown_enum", "times": 1})
    done = await infa.run(operation)
    assert done.kind == "done"
    assert (done.view.state, done.view.phase) == ("unknown (SOMETHING_NEW)", Phase.UNREADABLE)
    await plane.set_fault({"fault": "unknown_enum", "times": 1})
    view = await infa.view(done.run)
    assert (view.state, view.phase) == ("unknown (SOMETHING_NEW)", Phase.UNREADABLE)


async def test_a_movement_is_followed_after_a_restart_of_the_program(infa: Joined, clock: TwinClock) -> None:
    """What is needed to follow is in the stored target: goal and moment."""
    done = await infa.do(f"stop {SERVICE}")
    assert done.run is not None
    stored = type(done.run).model_validate_json(done.run.model_dump_json())
    clock.advance(timedelta(seconds=30).total_seconds())
    assert (await infa.view(stored)).phase is Phase.SUCCEEDED
