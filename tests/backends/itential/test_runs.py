"""Runs and jobs against the simulated platform."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.backends.itential import PLUGIN
from bot.backends.itential.adapter import ItentialBackend
from bot.core.errors import Ambiguous, BadRequest, Lost, NoSuchTarget, Problem, Rejected, ServerError
from bot.core.operation import brief_id
from bot.core.outcome import Failed, Phase
from bot.playground.planes.itential import ItentialPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined

from .conftest import FAILING, LEAKY, effects


async def ticking(clock: TwinClock, work: Any) -> Any:
    """The result of `work` while the plane's time goes on."""
    task = asyncio.ensure_future(work)
    while not task.done():
        clock.advance(1)
        await asyncio.sleep(0.02)
    return await task


async def test_a_service_runs_as_a_job_that_is_followed(itn: Joined, plane: ItentialPlane) -> None:
    """The asynchronous reply names a job; rules see it as its service."""
    done = await itn.do("start itn:cluster_1/my-tofu-service param.action=apply param.workers=3")
    assert plane.jobs[0].params == {"action": "apply", "workers": 3}
    assert done.run is not None
    assert (done.run.kind, done.run.scope) == ("job", "itn:cluster_1/my-tofu-service")
    views = await itn.follow(done.run)
    assert [views[0].phase, views[-1].phase] == [Phase.ACTIVE, Phase.SUCCEEDED]
    assert (await itn.at(f"job/{done.run.id}")).scope == done.run.scope


async def test_a_return_code_other_than_0_is_failed_in_both_forms(
    itn: Joined, plane: ItentialPlane, clock: TwinClock
) -> None:
    """The job ends failed with stderr; the synchronous reply is Failed with stderr."""
    done = await itn.do("start itn:check")
    last = (await itn.follow(done.run))[-1]
    assert (last.phase, last.message) == (Phase.FAILED, "no route to host")
    assert [step.verb for step in last.next] == ["logs", "retry"]
    plane.shape = "synchronous"
    plane.services[2].begun = 0
    failed = await ticking(clock, itn.outcome("start itn:check"))
    assert isinstance(failed, Failed)
    assert failed.summary == "cluster_1/check ended with return code 1. no route to host"
    assert [step.verb for step in failed.next] == ["start"]


async def test_the_synchronous_reply_is_the_end(itn: Joined, plane: ItentialPlane, clock: TwinClock) -> None:
    """Return code 0 is done, with the output as preview and no secret in it."""
    plane.shape = "synchronous"
    done = await ticking(clock, itn.outcome("start itn:backup"))
    assert (done.kind, done.run, done.view.phase) == ("done", None, Phase.SUCCEEDED)
    assert '{"changed": 1}' in done.preview
    assert "hunter2" not in done.preview


async def test_a_json_rpc_error_is_failed(itn: Joined, plane: ItentialPlane, clock: TwinClock) -> None:
    """`error.data` is told."""
    plane.shape = "synchronous"
    work = asyncio.ensure_future(itn.outcome("start itn:backup"))
    while not plane.jobs:  # noqa: ASYNC110 - the plane sets no event
        await asyncio.sleep(0.01)
    plane.jobs[0].canceled_at = clock.plane.now()
    failed = await work
    assert (failed.kind, failed.code) == ("failed", "run_failed")
    assert "The run was canceled." in failed.summary


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", r"`param.action=` is missing \(one of apply, destroy\)"),
        ("param.action=explode", "takes `apply` or `destroy`"),
        ("param.action=apply param.workers=many", "takes a whole number"),
        ("param.action=apply param.workers=9", "takes at most 8"),
        ("param.action=apply param.worker=2", r"did you mean `param.workers`\?$"),
    ],
)
async def test_parameters_are_checked_before_anything_is_sent(
    itn: Joined, plane: ItentialPlane, words: str, told: str
) -> None:
    """What the schema does not take is refused with what it takes, and nothing runs."""
    with pytest.raises(BadRequest, match=told):
        await itn.outcome(f"start itn:my-tofu-service {words}".strip())
    assert plane.jobs == []


async def test_destroying_is_a_danger_of_its_own(itn: Joined, plane: ItentialPlane) -> None:
    """`start` with action=destroy offers `destroy`, which runs the plan; other types cannot be destroyed."""
    refused = await itn.outcome("start itn:my-tofu-service param.action=destroy param.workers=1")
    assert (refused.kind, refused.code) == ("refused", "use_destroy")
    assert (refused.next[0].verb, refused.next[0].params) == ("destroy", (("param.workers", "1"),))
    with pytest.raises(BadRequest, match="only OpenTofu plans"):
        await itn.outcome("destroy itn:backup")
    facts = dict(await itn.backend.preflight(await itn.operation("destroy itn:my-tofu-service")))
    assert facts["Parameters"] == "action=destroy"
    assert facts["Gateway"] == "cluster_1: enabled and connected"
    await itn.do("destroy itn:my-tofu-service")
    assert plane.jobs[0].params == {"action": "destroy"}


async def test_a_service_of_two_clusters_needs_its_cluster(itn: Joined) -> None:
    """The name alone is ambiguous, and a wrong one names what comes near."""
    with pytest.raises(Ambiguous) as two:
        await itn.at("twice")
    assert two.value.candidates == ("itn:cluster_1/twice", "itn:cluster_2/twice")
    assert (await itn.at("cluster_2/twice")).scope == "itn:cluster_2/twice"
    with pytest.raises(NoSuchTarget) as none:
        await itn.at("my-tofu")
    assert "my-tofu-service" in none.value.nearest


async def test_a_job_is_paused_resumed_canceled_and_retried(itn: Joined, plane: ItentialPlane) -> None:
    """Each does what it says, on the job of the run."""
    first = (await itn.do("start itn:backup")).run
    assert first is not None
    job = f"itn:job/{first.id}"
    await itn.clock.sleep(1)
    await itn.do(f"pause {job} for=30m")
    assert await itn.backend.state_of(first) == "paused"
    assert [step.verb for step in (await itn.view(first)).next] == ["status", "resume", "stop"]
    await itn.do(f"resume {job}")
    assert (await itn.do(f"resume {job}")).summary == "The job is running already."
    done = await itn.do(f"stop {job}")
    assert (await itn.follow(done.run))[-1].phase is Phase.STOPPED
    with pytest.raises(Rejected, match="is canceled"):
        await itn.outcome(f"stop {job}")
    broken = (await itn.do("start itn:check")).run
    assert broken is not None
    await itn.follow(broken)
    again = await itn.do(f"retry itn:job/{broken.id}")
    assert (await itn.follow(again.run))[-1].phase is Phase.SUCCEEDED
    assert [action for action, _ in effects(plane)] == ["run", "pause", "resume", "cancel", "run", "retry"]
    refused = await itn.outcome(f"retry itn:job/{broken.id}")
    assert (refused.kind, refused.code) == ("refused", "nothing_failed")
    assert [(step.label, step.verb, step.target) for step in refused.next] == [
        ("Run again", "start", "itn:cluster_1/check")
    ]


async def test_the_output_comes_masked_as_a_file(itn: Joined) -> None:
    """stdout and stderr of a job or of a service's newest job, without secrets."""
    with pytest.raises(NoSuchTarget, match="has no output"):
        await itn.outcome("logs itn:backup")
    run = (await itn.do("start itn:backup")).run
    assert run is not None
    await itn.follow(run)
    for target in (f"itn:job/{run.id}", "itn:backup"):
        done = await itn.do(f"logs {target}")
        (file,) = done.files
        content = await asyncio.to_thread(Path(file.path).read_text)
        assert "hunter2" not in content + done.preview
        assert content.startswith('==== stdout ====\n{"changed": 1}')
        assert (file.size, file.redactions) == (len(content.encode()), 1)
    found = await itn.do("logs itn:backup grep=CHANGED")
    assert found.preview.startswith("Lines with “CHANGED”: 1")
    none = await itn.do("logs itn:backup grep=nowhere")
    assert (none.preview, none.remarks) == ("", ("No line contains “nowhere”.",))


async def test_the_output_is_compared_with_that_of_the_last_good_run(itn: Joined, plane: ItentialPlane) -> None:
    """Of the same service alone, begun before; times and numbers apart, only what differs is shown."""
    plane.add_service("nightly", scripts=(FAILING, LEAKY, FAILING, LEAKY))
    runs = []
    for service in ("nightly", "nightly", "backup", "nightly", "nightly"):
        done = await itn.do(f"start itn:{service}")
        assert done.run is not None
        await itn.follow(done.run)
        runs.append(done.run.id)
    bad, good, _, worse, latest = runs
    for target in (f"itn:job/{worse}", f"itn:job/{worse} grep=step"):
        shown = (await itn.do(f"logs {target} diff=true")).preview
        assert f"--- last successful job {brief_id(good)}\n+++ job {brief_id(worse)}" in shown
        assert "+no route to host" in shown
        assert "-connecting with password=[redacted]" in shown
    assert shown.startswith("Lines with “step”: 1")
    assert "No differences from the last successful run" in (await itn.do("logs itn:nightly diff=true")).preview
    assert f"(job {brief_id(good)})" in (await itn.do(f"logs itn:job/{latest} diff=true")).preview
    (remark,) = (await itn.do(f"logs itn:job/{bad} diff=true")).remarks
    assert remark == "Not compared with a successful run: there is none before this one."


async def test_many_jobs_are_followed_by_one_list(itn: Joined, plane: ItentialPlane) -> None:
    """Ten runs cost one request, and one that is not on the list is asked for by itself."""
    runs = [(await itn.do("start itn:backup")).run for _ in range(10)]
    targets = [run for run in runs if run is not None]
    before = len(plane.requests)
    views = await itn.backend.poll("jobs", targets)
    assert len(views) == 10
    assert len(plane.requests) == before + 1


@pytest.mark.parametrize(("fault", "found"), [("drop_after", True), ("drop_before", False), ("500", False)])
async def test_a_lost_run_is_looked_for_and_never_sent_twice(
    itn: Joined, plane: ItentialPlane, clock: TwinClock, fault: str, found: bool
) -> None:
    """The newest jobs tell whether the run began."""
    await itn.do("start itn:backup")
    clock.advance(60)
    operation = await itn.operation("start itn:backup")
    await plane.set_fault({"fault": fault, "match": "services/run"})
    sent_at = clock.now()
    with pytest.raises((Lost, ServerError)):
        await itn.run(operation)
    back = await itn.backend.look_back(operation, sent_at)
    assert (back.found is not None, back.absent) == (found, not found)
    assert [one.raw_path.endswith("services/run") for one in plane.requests].count(True) == 2


async def test_a_refusal_by_the_platform_is_told_in_its_words(itn: Joined, plane: ItentialPlane) -> None:
    """A gateway that is not connected: the platform's sentence. A service without any job may be one that has none, so that its
    absence is no proof."""
    operation = await itn.operation("start itn:cluster_2/twice")
    with pytest.raises(ServerError, match="Gateway cluster_2 is not connected"):
        await itn.run(operation)
    back = await itn.backend.look_back(operation, itn.clock.now())
    assert (back.found, back.absent, back.again) == (None, False, True)
    assert plane.jobs == []


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("stop", "canceled")])
async def test_a_lost_job_action_is_read_back(itn: Joined, plane: ItentialPlane, verb: str, state: str) -> None:
    """The job's status tells whether it took effect."""
    run = (await itn.do("start itn:backup")).run
    assert run is not None
    await itn.clock.sleep(1)
    operation = await itn.operation(f"{verb} itn:job/{run.id}")
    for fault, found in (("drop_before", False), ("drop_after", True)):
        await plane.set_fault({"fault": fault, "match": "POST .*/jobs/", "times": 1})
        with pytest.raises(Problem):
            await itn.run(operation)
        back = await itn.backend.look_back(operation, itn.clock.now())
        assert (back.found is not None, back.absent) == (found, not found)
    assert state in (await itn.backend.state_of(run))


async def test_without_jobs_a_run_is_done_when_accepted(plane: ItentialPlane, clock: TwinClock, tmp_path: Path) -> None:
    """`jobs = false`: the ids are told, nothing is followed, and a lost answer stays unknown."""
    table = {"base_url": plane.base_url, "username": plane.username, "password": plane.password, "jobs": False}
    async with joined(PLUGIN, "itn", clock, tmp_path, **table) as itn:
        done = await itn.do("start itn:backup")
        assert done.run is None
        assert done.backend_ref == plane.jobs[0].job_id
        clock.advance(60)
        back = await itn.backend.look_back(await itn.operation("start itn:backup"), clock.now())
        assert (back.found, back.absent) == (None, False)


async def test_a_job_that_nobody_knows_here_has_no_scope(itn: Joined, plane: ItentialPlane) -> None:
    """What a job says of itself is no proof of whose it is: only `itn:*` covers it."""
    run = (await itn.do("start itn:backup")).run
    assert run is not None
    itn.target_cache.kept.clear()
    assert (await itn.at(f"job/{run.id}")).scope is None
    with pytest.raises(NoSuchTarget):
        await itn.at("job/ffffffffffffffffffffffff")


async def test_the_schema_becomes_the_fields_of_a_form(itn: Joined) -> None:
    """Each property is a row with its type, choices, bounds and default."""
    assert isinstance(itn.backend, ItentialBackend)
    action, workers = await itn.backend.form(await itn.at("my-tofu-service"))
    assert (action.name, action.choices, action.required) == ("param.action", ("apply", "destroy"), True)
    assert (workers.minimum, workers.maximum, workers.default) == (1, 8, 2)
    assert await itn.backend.form(await itn.at("backup")) == ()
