"""Runs: the seed's sample, every state, progress, selectors, polls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core.errors import Ambiguous, BadRequest, NoSuchTarget
from bot.core.outcome import Phase
from tests.backends.kit import facts_of, said

from .support import RUN, on_plane, recorded

GENERAL = ["error", "loading", "paused", "writing acl", "processing files", "indexing", "low priority"]
SYNC = ["mounting selective sync volume", "no peers", "syncing", "synced"]
TRANSFER = [
    "invalid state",
    "no peers",
    "waiting for files from source",
    "downloading",
    "seeding",
    "cleaning up destination folder",
    "waiting for scheduled script",
    "executing pre-indexing script",
    "executing post-download script",
    "executing complete script",
    "archiving script logs",
    "successfully finished",
    "expired",
]
SCRIPT = ["expired", "successfully finished", "executing script"]
ENDS = {
    "error": Phase.FAILED,
    "invalid state": Phase.FAILED,
    "synced": Phase.SUCCEEDED,
    "successfully finished": Phase.SUCCEEDED,
    "expired": Phase.STOPPED,
}


async def test_the_seeds_run_is_shown_whole() -> None:
    """Bytes as progress, speed, time left, files, path, peers, last synced."""
    async with recorded() as (_, res):
        done = await res.do("status res:run/543")
        assert done.view is not None
        assert (done.view.done, done.view.total) == (126936039, 144943317)
        assert done.view.phase is Phase.ACTIVE
        facts = {fact.label: fact.value for fact in (*done.view.facts, *done.view.details)}
        assert done.summary == "FullSync is syncing."
        assert facts["Data"] == "126.9 MB of 144.9 MB"
        assert facts["Files"] == "208 of 209"
        assert facts["Speed"] == "↓ 177.8 kB/s"
        assert done.view.left == timedelta(seconds=101)
        assert facts["Path"] == r"C:\UserData\FullSync"
        assert (facts["Kind"], facts["Received"], facts["Peers"]) == ("synchronization", "107.8 MB", "1")
        assert str(facts["Last synced"]) == "2023-12-19 11:36:36+00:00"
        assert [step.verb for step in done.view.next] == ["status"]


async def test_the_samples_own_numbers_bear_out_the_units() -> None:
    """What is missing, divided by the speed, is the time left: bytes, bytes a second, seconds."""
    assert (RUN["size_total"] - RUN["size_completed"]) // RUN["down_speed"] == RUN["eta"]


async def test_history_is_a_table_with_a_progress_bar() -> None:
    """The newest run first, the number of all of them told."""
    async with recorded() as (recorder, res):
        other = {**RUN, "run_id": 544, "size_completed": 144943317, "status": "synced", "eta": 0, "down_speed": 0}
        recorder.answers["GET /api/v3/runs"] = said([RUN, other])
        done = await res.do("history res: count=1")
        assert done.summary == "2 runs, 1 active, none failed."
        assert done.table is not None
        assert done.table.total == 2
        assert done.table.rows[0][:4] == ("run/544", "FullSync", "synced", "██████████ 100 %")
        recorder.answers["GET /api/v3/runs"] = said([RUN])
        done = await res.do("history res:")
        assert done.table is not None
        assert done.table.rows == (
            (
                "run/543",
                "FullSync",
                "syncing",
                "████████░░ 87 %",
                "126.9 MB of 144.9 MB",
                "208 of 209",
                "↓ 177.8 kB/s",
                "1 min 41 s",
                "",
            ),
        )


@pytest.mark.parametrize("status", sorted({*GENERAL, *SYNC, *TRANSFER, *SCRIPT}))
async def test_every_state_of_the_seed_is_known(status: str) -> None:
    """And only five of them end a run."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/runs/543"] = said([{**RUN, "status": status}])
        view = (await res.do("status res:run/543")).view
        assert view is not None
        assert view.state == status
        assert view.phase is not Phase.UNREADABLE
        assert (view.phase if view.phase.ended else None) is ENDS.get(status)


@pytest.mark.parametrize("status", ["teleporting", None, ""])
async def test_a_state_that_nobody_documented_is_unreadable(status: str | None) -> None:
    """Never a success."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/runs/543"] = said([{**RUN, "status": status}])
        view = (await res.do("status res:run/543")).view
        assert view is not None
        assert (view.phase, view.state) == (Phase.UNREADABLE, f"unknown ({status or 'nothing'})")


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ([], ""),
        (["disk is full"], "disk is full"),
        ([{"code": 7, "message": "no space"}, {"code": 8}], 'no space; {"code": 8}'),
        ([1, ["a"], None, ""], '1; ["a"]; null'),
        (["a", "b", "c", "d", "e"], "a; b; c; and 2 more"),
        (["password=hunter2hunter2"], "password=[redacted]"),
    ],
)
async def test_errors_of_any_form_are_shown(errors: list[Any], message: str) -> None:
    """The seed's list of them is empty."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/runs/543"] = said([{**RUN, "errors": errors}])
        view = (await res.do("status res:run/543")).view
        assert view is not None
        assert view.message == message


async def test_one_run_may_come_as_an_object() -> None:
    """The seed shows an array for both paths; an object is as good."""
    async with on_plane(one_as_array=False) as (plane, res):
        plane.add_transfer("FullSync")
        assert (await res.do("status res:run/543")).summary == "FullSync is syncing."


@pytest.mark.parametrize("answer", [[], [{**RUN, "run_id": 1}]])
async def test_an_answer_without_that_run_is_no_run(answer: Any) -> None:
    """An empty array, or another run."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/runs/543"] = said(answer)
        with pytest.raises(NoSuchTarget) as no:
            await res.target("res:run/543")
        assert no.value.nearest == ("res:run/543",)


@pytest.mark.parametrize("path", ["run/", "run/FullSync", "run/-1", "run/5/4", "run/٣"])
async def test_a_run_is_written_by_its_number(path: str) -> None:
    """Anything else is refused before it is sent."""
    async with recorded() as (recorder, res):
        with pytest.raises(BadRequest):
            await res.target(f"res:{path}")
        assert recorder.seen == []


async def test_a_run_has_a_scope_of_its_own_and_its_agent_as_parent() -> None:
    """So that `pause` in the thread of its card means the agent."""
    async with on_plane() as (plane, res):
        plane.add_transfer("FullSync")
        run, agent = await res.target("res:run/543"), await res.target("res:")
        assert (run.scope, run.name, run.parent) == ("res:run/543", "run/543", agent.id)
        assert await res.target(f"res:{run.parent}") == agent


async def test_selectors_pick_a_run() -> None:
    """@last the newest, @failed and @running the one that is; several are asked back about."""
    async with on_plane() as (plane, res):
        plane.add_transfer("A")
        plane.add_transfer("B", status="error")
        plane.add_transfer("C", done=144_943_317.0)
        assert (await res.target("res:@last")).id == "545"
        assert (await res.target("res:@failed")).id == "544"
        assert (await res.target("res:@running")).id == "543"
        plane.add_transfer("D")
        with pytest.raises(Ambiguous) as told:
            await res.target("res:@running")
        assert told.value.candidates == ("res:run/546", "res:run/543")
        plane.transfers.clear()
        with pytest.raises(NoSuchTarget):
            await res.target("res:@last")


async def test_a_poll_is_one_request_for_all_runs() -> None:
    """What is no longer listed is left out: how it ended is not said."""
    async with on_plane() as (plane, res):
        for name in ("A", "B", "C"):
            plane.add_transfer(name)
        runs = [await res.target(f"res:run/{number}") for number in (543, 544, 545)]
        plane.transfers.pop()
        before = len(plane.requests)
        plane.clock.advance(60)
        views = await res.backend.poll("runs", runs)
        assert len(plane.requests) - before == 1
        assert set(views) == {"543", "544"}
        assert views["543"].done == 60 * 177_840


async def test_runs_are_found_by_the_names_of_their_jobs() -> None:
    """`find` looks at the detail; every text leads back."""
    async with on_plane() as (plane, res):
        plane.add_transfer("Release <!channel> 42")
        listed = await res.backend.targets()
        assert [named.text for named in listed] == ["res:", "res:run/543"]
        assert "Release <!channel> 42" in listed[1].detail
        for named in listed:
            assert await res.target(named.text) == named.target
        assert len(await res.target_cache.known("res")) == 2


async def test_a_paused_agent_shows_its_runs_as_paused() -> None:
    """They wait, they have not ended."""
    async with on_plane() as (plane, res):
        plane.add_transfer("A")
        await res.do("pause res:")
        view = (await res.do("status res:run/543")).view
        assert view is not None
        assert (view.state, view.phase) == ("paused", Phase.WAITING)


@pytest.mark.parametrize("count", [0, 1, 500])
async def test_any_number_of_runs_is_listed(count: int) -> None:
    """Nothing, one, many."""
    async with on_plane() as (plane, res):
        for number in range(count):
            plane.add_transfer(f"job {number}")
        done = await res.do("history res: count=100")
        assert (done.table.total if done.table else 0) == count
        assert (len(done.table.rows) if done.table else 0) == min(count, 100)


async def test_numbers_that_make_no_sense_are_left_out() -> None:
    """No total, no speed, a time beyond every calendar."""
    async with recorded() as (recorder, res):
        odd = {
            "run_id": 543,
            "size_total": 0,
            "size_completed": 5,
            "eta": -1,
            "last_synced": 10**18,
            "status": "syncing",
        }
        recorder.answers["GET /api/v3/runs/543"] = said([odd])
        recorder.answers["GET /api/v3/runs"] = said([odd])
        done = await res.do("status res:run/543")
        assert done.summary == "Run 543 is syncing."
        assert not {"Speed", "Time left", "Last synced", "Files"} & facts_of(done).keys()
        listing = await res.do("history res:")
        assert listing.table is not None
        assert listing.table.rows[0][3] == ""


async def test_the_agent_is_listed_although_its_runs_cannot_be_read() -> None:
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/runs"] = said("busy", status=500)
        (agent,) = await res.backend.targets()
        assert agent.text == "res:"
        assert "runs can't be read" in agent.detail
