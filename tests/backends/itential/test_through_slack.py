"""From text to effect: typed in a channel, run by the whole program against the simulated platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.planes.itential import Script
from tests.world import labels, shown, world


async def test_a_service_is_run_and_its_end_is_shown(tmp_path: Path) -> None:
    """Wrong parameters are refused in words, right ones run, and a failed run ends as failed with its stderr."""
    async with world(tmp_path, only=("itn",)) as env:
        plane = env.planes["itn"]
        await env.does("start itn:my-tofu-service", "is missing (one of apply, destroy)")
        await env.say("start itn:my-tofu-service param.action=apply")
        await env.sees("start itn:cluster_1/my-tofu-service", "Running")
        env.ws.clock.advance(60)
        await env.sees("start itn:cluster_1/my-tofu-service", "Complete", timeout=30)
        await env.say("start itn:check-links")
        await env.until(lambda: len(plane.jobs) == 2)
        env.ws.clock.advance(60)
        failed = await env.sees("link 3 of 12 is down", timeout=30)
        assert {"Log", "Retry"} & set(labels(failed))
        status = await env.does("status itn:check-links", "Error", "The newest job began", "link 3 of 12 is down")
        assert {"Log", "Retry"} <= set(labels(status))
        await env.until(lambda: env.events("start")[-1] == "ended")


async def test_a_job_that_is_paused_already_is_not_paused_once_more(tmp_path: Path) -> None:
    """The platform refuses it with 400. The answer says how the job is, and no end of a pause is kept that nobody set."""
    async with world(tmp_path, only=("itn",)) as env:
        await env.say("start itn:cluster_1/backup-configs")
        await env.until(lambda: env.planes["itn"].jobs)
        await env.does("pause itn:cluster_1/backup-configs@running", "The job is paused")
        again = await env.does(
            "pause itn:cluster_1/backup-configs@running for=30m", "is paused already", "stays paused"
        )
        assert "400" not in shown(again)
        assert [deed.action for deed in env.planes["itn"].effects] == ["run", "pause"]
        await env.does("pauses", "None.")


async def test_a_resume_of_a_job_that_is_running_says_so(tmp_path: Path) -> None:
    """Also once the job has ended, which the card of its start tells."""
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:cluster_1/backup-configs", "Running")
        await env.does("resume itn:cluster_1/backup-configs@last", "Running", "The job is running already.")
        env.ws.clock.advance(60)
        await env.sees("start itn:cluster_1/backup-configs", "Complete", timeout=30)
        await env.quiet()
        await env.sees("resume itn:cluster_1/backup-configs", "The job is running already.")


async def test_a_pause_of_an_older_job_names_it_at_the_service(tmp_path: Path) -> None:
    """The card shows the newest job, which is not paused."""
    async with world(tmp_path, only=("itn",)) as env:
        jobs = env.planes["itn"].jobs
        for number in (1, 2):
            await env.say("start itn:cluster_1/backup-configs")
            await env.until(lambda number=number: len(jobs) == number)
            env.ws.clock.advance(1)
        older, newest = (f"job/{job.job_id}" for job in jobs)
        await env.does(f"pause itn:{older} for=5m", "Paused until")
        named = f"itn:cluster_1/backup-configs (job \u2026{older[-8:]}): Paused until"
        await env.does("status itn:cluster_1/backup-configs", "Running", named)
        assert ": Paused until" not in shown(await env.does(f"status itn:{older}", "Paused until"))
        assert "Paused until" not in shown(await env.does(f"status itn:{newest}", "Running"))


async def test_a_run_that_has_ended_needs_no_refresh(tmp_path: Path) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:cluster_1/backup-configs", "Refresh")
        env.ws.clock.advance(60)
        assert "Refresh" not in labels(await env.sees("start itn:cluster_1/backup-configs", "Complete", timeout=30))
        assert "Refresh" not in labels(await env.does("status itn:cluster_1/backup-configs@last", "Complete"))


async def test_resources_and_danger_from_the_channel(tmp_path: Path) -> None:
    """A gateway is made, and deleting it asks first."""
    async with world(tmp_path, only=("itn",)) as env:
        plane = env.planes["itn"]
        await env.does("gateway create itn:gateway/cluster_9 enabled=false readonly=false", "cluster_9 is created")
        asked = await env.does("gateway delete itn:gateway/cluster_9", "Services on it")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.sees("The gateway cluster_9 is deleted")
        assert [deed.action for deed in plane.effects] == ["gateway create", "gateway delete"]
        offered = await env.does("start itn:my-tofu-service param.action=destroy", "Use the verb `destroy`")
        assert "Destroy" in labels(offered)
        await env.does("version itn:", "2023.2.14")


@pytest.mark.parametrize("action", ["DESTROY", "Destroy", '"destroy "', "\uff44estroy"])
async def test_no_other_writing_of_destroy_is_a_way_round_its_preflight(tmp_path: Path, action: str) -> None:
    """Where no schema checks the words, a plan takes `apply`, and every form of `destroy` leads to the danger verb."""
    async with world(tmp_path, only=("itn",)) as env:
        plane = env.planes["itn"]
        plane.add_service("bare-plan", sort="opentofu-plan")
        plane.add_service("untold", sort="")
        for name in ("bare-plan", "untold"):
            offered = await env.does(
                f"start itn:{name} param.action={action}", f"This destroys everything that cluster_1/{name} created"
            )
            assert "Destroy" in labels(offered)
        await env.does("start itn:bare-plan param.action=undo", "takes `apply` or `destroy`")
        assert plane.jobs == []
        await env.say("start itn:bare-plan param.action=apply")
        await env.until(lambda: [job.params for job in plane.jobs] == [{"action": "apply"}])


async def test_a_run_that_failed_in_its_reply_is_retried_with_its_parameters(tmp_path: Path) -> None:
    """One button runs the same again."""
    async with world(tmp_path, only=("itn",)) as env:
        plane = env.planes["itn"]
        plane.shape = "synchronous"
        plane.add_service("check", scripts=(Script(seconds=0.1, return_code=1, stderr="link 3 is down"),))
        failed = await env.does("start itn:check param.site=berlin", "link 3 is down")
        assert [label for label in labels(failed) if label in ("Retry", "Try again")] == ["Retry"]
        await env.ana.press_label("C0CRAWL", failed["ts"], "Retry", seen=failed)
        await env.until(lambda: len(plane.jobs) == 2)
        assert [job.params for job in plane.jobs] == [{"site": "berlin"}] * 2
