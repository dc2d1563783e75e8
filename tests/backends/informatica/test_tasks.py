"""Tasks, logs and schedules against the simulated organization."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.errors import NoSuchTarget, Problem, Rejected
from bot.core.outcome import Phase
from bot.playground.planes.informatica import InformaticaPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined

from .conftest import SERVER, effects

TASK = "infa:task/load_orders"


async def test_a_task_is_run_and_followed_to_its_end(infa: Joined) -> None:
    """The monitor tells of the running job, the log of its end."""
    done = await infa.do(f"start {TASK}")
    assert done.summary == "task/load_orders was started as run 1."
    views = await infa.follow(done.run)
    assert [view.phase for view in (views[0], views[-1])] == [Phase.WAITING, Phase.SUCCEEDED]
    assert (views[-1].state, views[-1].message) == ("completed", "No errors encountered.")
    assert next((step.verb, step.params) for step in views[-1].next) == ("logs", (("run", "1"),))


async def test_completed_with_errors_is_no_success(infa: Joined) -> None:
    """State 2 of the activity log ends a run badly."""
    done = await infa.do("start infa:task/sync_customers")
    last = (await infa.follow(done.run))[-1]
    assert (last.state, last.phase) == ("completed with errors", Phase.FAILED)


async def test_two_runs_of_one_task_are_told_apart(infa: Joined, clock: TwinClock) -> None:
    """Each run has its own end, although the target is the same task."""
    first = await infa.do(f"start {TASK}")
    clock.advance(20)
    second = await infa.do(f"start {TASK}")
    clock.advance(2)
    assert (await infa.view(first.run)).phase is Phase.SUCCEEDED
    assert (await infa.view(second.run)).phase is Phase.ACTIVE


async def test_a_running_job_is_stopped_and_followed(infa: Joined, plane: InformaticaPlane) -> None:
    """A stop names the run, and the run's end is followed; with nothing running the vendor's refusal is told."""
    with pytest.raises(Rejected, match="UI_10005"):
        await infa.outcome(f"stop {TASK}")
    await infa.do(f"start {TASK}")
    await infa.clock.sleep(2)
    facts = dict(await infa.backend.preflight(await infa.operation(f"stop {TASK}")))
    assert facts["Running job"].startswith("load_orders run 1, running")
    done = await infa.do(f"stop {TASK} clean=true")
    last = (await infa.follow(done.run))[-1]
    assert (last.phase, last.message) == (Phase.FAILED, "The job was stopped by a user.")
    assert plane.requests[-1].method == "GET"
    assert ("job stop", "load_orders") in effects(plane)


async def test_status_and_history_of_a_task_and_history_of_its_agent(infa: Joined, clock: TwinClock) -> None:
    """Status is the running job, else the newest ended one; history lists them."""
    assert "none in the log" in (await infa.do(f"status {TASK}")).summary
    await infa.do(f"start {TASK}")
    clock.advance(3)
    running = await infa.do(f"status {TASK}")
    assert running.view is not None
    assert running.view.phase is Phase.ACTIVE
    clock.advance(20)
    assert "run 1 ended as completed" in (await infa.do(f"status {TASK}")).summary
    await infa.do("start infa:task/sync_customers")
    clock.advance(20)
    mine = await infa.do(f"history {TASK}")
    agents = await infa.do("history infa:agent/eu-1 count=1")
    assert mine.table is not None
    assert agents.table is not None
    assert mine.summary == "The latest job of task/load_orders succeeded."
    assert [step.label for step in mine.next] == ["Log 1", "Start with defaults"]
    assert "Task" in agents.table.columns
    assert "sync_customers" in agents.table.rows[0]


@pytest.mark.parametrize("packed", [False, True])
async def test_the_session_log_comes_masked_as_text(
    infa: Joined, plane: InformaticaPlane, clock: TwinClock, packed: bool
) -> None:
    """Text or zip: the file in the thread and the preview hold no secret."""
    plane.zip_session_log = packed
    await infa.do(f"start {TASK}")
    with pytest.raises(NoSuchTarget, match="no ended"):
        await infa.outcome(f"logs {TASK}")
    clock.advance(20)
    done = await infa.do(f"logs {TASK} run=1")
    (file,) = done.files
    content = await asyncio.to_thread(Path(file.path).read_text)
    assert "hunter2" not in content + done.preview
    assert "password=[redacted]" in content
    assert (file.name, file.size, file.redactions) == ("load_orders-run-1.log", len(content.encode()), 1)
    assert [path.suffix for path in infa.call.spool.folder.iterdir()] == [".log"]
    found = await infa.do(f"logs {TASK} grep=initializing")
    assert found.preview.startswith("Lines with “initializing”: 1")
    none = await infa.do(f"logs {TASK} grep=nowhere")
    assert (none.preview, none.remarks) == ("", ("No line contains “nowhere”.",))


async def test_the_session_log_is_compared_with_that_of_the_last_good_run(infa: Joined, clock: TwinClock) -> None:
    """Times apart, only what differs from the run before that completed; without one it is said so."""
    for broken_off in (True, False, True):
        await infa.do(f"start {TASK}")
        clock.advance(2)
        if broken_off:
            await infa.do(f"stop {TASK}")
        clock.advance(30)
    shown = (await infa.do(f"logs {TASK} run=3 diff=true")).preview
    assert shown.startswith("--- last successful run 2\n+++ run 3\n")
    assert "No errors encountered." in "".join(line for line in shown.splitlines() if line.startswith("-"))
    assert "Initializing" not in "".join(line for line in shown.splitlines() if line[0] in "+-")
    (remark,) = (await infa.do(f"logs {TASK} run=1 diff=true")).remarks
    assert remark == "Not compared with a successful run: there is none before this one."
    assert [path.suffix for path in infa.call.spool.folder.iterdir()] == [".log", ".log"]


async def test_a_task_is_found_by_path_by_type_and_by_id(infa: Joined, plane: InformaticaPlane) -> None:
    """All ways lead to one target, and a wrong type to none."""
    task = plane.tasks[1]
    wanted = await infa.at("task/sync_customers")
    assert (wanted.id, wanted.scope) == (task.federated_id, "infa:task/sync_customers")
    assert await infa.at("task/DSS/sync_customers") == wanted
    assert await infa.at(f"task/{task.federated_id}") == wanted
    with pytest.raises(NoSuchTarget):
        await infa.at("task/MTT/sync_customers")


async def test_a_task_is_found_by_its_v2_id_in_the_log(infa: Joined, plane: InformaticaPlane, clock: TwinClock) -> None:
    """What the lookup does not know is found among the newest jobs, and started by its v2 id."""
    await infa.do(f"start {TASK}")
    clock.advance(20)
    infa.target_cache.kept.clear()
    v2 = plane.tasks[0].task_id
    target = await infa.at(f"task/{v2}")
    assert (target.id, target.name) == (v2, "task/load_orders")
    await infa.do(f"start infa:task/{v2}")
    assert plane.requests[-1].json() == {"@type": "job", "taskId": v2, "taskType": "MTT"}


@pytest.mark.parametrize("utc_fields", [True, False])
@pytest.mark.parametrize(("fault", "found"), [("drop_after", True), ("drop_before", False)])
async def test_a_lost_start_of_a_task_is_looked_for_among_the_jobs(
    infa: Joined, plane: InformaticaPlane, clock: TwinClock, fault: str, found: bool, utc_fields: bool
) -> None:
    """A job that began since is taken for the lost one; none means that nothing happened. Also by times in Eastern Time alone."""
    plane.utc_fields = utc_fields
    await infa.do(f"start {TASK}")
    clock.advance(60)
    operation = await infa.operation(f"start {TASK}")
    await plane.set_fault({"fault": fault, "match": "POST .*/job$"})
    sent_at = clock.now()
    with pytest.raises(Problem):
        await infa.run(operation)
    back = await infa.backend.look_back(operation, sent_at)
    assert (back.found is not None, back.absent) == (found, not found)
    assert [action for action, _ in effects(plane)].count("job start") == (2 if found else 1)


async def test_schedules_are_listed_switched_and_paused(infa: Joined, plane: InformaticaPlane) -> None:
    """On and off by name; what a pause has to give back is the schedule itself."""
    listed = await infa.do("schedules infa:")
    assert listed.summary == "infa has 2 schedules, 1 of them on."
    await infa.do("schedule off infa:schedule/nightly for=2h")
    assert await infa.backend.state_of(await infa.at("schedule/nightly")) == "off"
    await infa.do("schedule off infa:schedule/nightly for=2h")
    given_back = [[target.id for target in noted] for noted in infa.call.noted]
    assert given_back == [[plane.schedules[0].schedule_id], []]
    await infa.do('schedule on infa:schedule/"weekly close"')
    assert effects(plane) == [
        ("schedule disabled", "nightly"),
        ("schedule disabled", "nightly"),
        ("schedule enabled", "weekly close"),
    ]
    plane.wrap_schedules = False
    status = await infa.do(f"status infa:schedule/{plane.schedules[0].schedule_id}")
    assert status.summary == "The schedule nightly is off."


async def test_a_stopped_service_keeps_its_agent_from_running_tasks(infa: Joined) -> None:
    """The vendor's refusal is told with its code."""
    done = await infa.do(f'stop infa:eu-1/"{SERVER}"')
    await infa.follow(done.run)
    with pytest.raises(Problem, match=r"not ready to run jobs. \(UI_10004\)"):
        await infa.outcome(f"start {TASK}")


async def test_many_followed_runs_share_one_reading_of_the_monitor(infa: Joined, plane: InformaticaPlane) -> None:
    """Ten runs that are polled together cost one request while they run."""
    runs = [(await infa.do(f"start {TASK}")).run for _ in range(10)]
    await infa.clock.sleep(2)
    before = len(plane.requests)
    views = await asyncio.gather(*(infa.view(run) for run in runs))
    assert {view.phase for view in views} == {Phase.ACTIVE}
    assert len(plane.requests) == before + 1
