"""The adapter against the simulated ACC, which was written from the same page by somebody else."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.core.errors import (
    BadReply,
    BadRequest,
    CredentialRefused,
    Lost,
    NoSuchTarget,
    NotSent,
    Problem,
    RateLimited,
    Redirected,
    Rejected,
    ServerError,
)
from bot.core.outcome import Phase
from bot.playground.planes.acc_model import Script
from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.sequentum import SequentumPlane, Server
from tests.backends.fakes import NOON, Attached, TwinClock

from .support import SERVER_KEY, Joined, joined_to

SHOP = "shop/prices"
LONG = Script(running=3600.0)


@asynccontextmanager
async def playing(moving: bool = False, **knobs: Any) -> AsyncIterator[Joined]:
    """A simulated ACC with one agent, and the backend joined to it. Both go by one clock; it stands still unless `moving`."""
    server = Server(SERVER_KEY, "127.0.0.1", 8004)
    clock = TwinClock(PlaneClock(NOON) if moving else None)
    async with SequentumPlane("acc", servers=[server], clock=clock.plane, **knobs) as plane:
        plane.add_agent(SHOP, sessions=2, backup=True)
        async with joined_to(plane.base_url, plane, clock, token=plane.token) as env:
            yield env
        assert plane.surprises == []


def actions(env: Joined) -> list[str]:
    return [effect.action for effect in env.acc.effects]


@pytest.mark.parametrize("reply", ["empty", "204", "text"])
async def test_every_change_is_understood(reply: str) -> None:
    """All changes have their effect once, whatever an undocumented reply looks like."""
    async with playing(write_reply=reply) as env:
        plane = env.acc
        new = {"cron": "0 0 0 1", "start": "2026-07-16T11:21:20", "zone": "Europe/Berlin"}
        made = await env.do("schedule set", SHOP, input={"a": "1"}, **new)
        schedule = f"schedule/{made.backend_ref}"
        for verb, words in [("schedule off", {}), ("schedule on", {}), ("schedule start", {})]:
            await env.do(verb, schedule, **words)
        for run in plane.runs:
            plane.finish_run(run.run_id)
        await env.do("schedule set", SHOP, id=made.backend_ref, cron="0 0 6 * * *")
        await env.do("schedule off", SHOP)
        await env.do("schedule on", SHOP)
        await env.do("mark", SHOP, as_="failed")
        env.call.files = {"F1": Attached("a.csv", b"x,y\r\n1,2\r\n"), "F2": Attached("b.txt", "ü\n".encode())}
        await env.do("input put", SHOP, name="in.csv", text="URL\nhttp://example.com\n")
        await env.do("input upload", SHOP, attached=("F1", "F2"))
        assert {name: item.content for name, item in plane.inputs[SHOP].items()} == {
            "in.csv": b"URL\nhttp://example.com\n",
            "a.csv": b"x,y\r\n1,2\r\n",
            "b.txt": "ü\n".encode(),
        }
        await env.do("input disable", SHOP)
        assert not any(item.enabled for item in plane.inputs[SHOP].values())
        await env.do("input clear", SHOP)
        assert plane.inputs[SHOP] == {}
        await env.do("agent disapprove", SHOP, reason='breaks "terms"')
        await env.do("agent approve", SHOP, reason="fine again")
        assert [(entry.approved, entry.message) for entry in plane.approvals] == [
            (False, 'breaks "terms"'),
            (True, "fine again"),
        ]
        stored = plane.schedules[made.backend_ref]
        assert (stored.cron, stored.zone_name, stored.enabled) == ("0 0 6 * * *", "W. Europe Standard Time", True)
        await env.do("schedule delete", schedule)
        await env.do("schedule delete", SHOP)
        assert plane.schedules == {}


async def test_a_run_is_started_followed_and_its_log_and_data_fetched() -> None:
    """The way of one run, from the words to its end."""
    async with playing() as env:
        plane = env.acc
        plane.set_script(SHOP, Script(running=3600.0, log_lines=("login password=hunter2-canary",)), LONG)
        done = await env.do("start", SHOP, input={"country": "de"}, log_level=2)
        assert done.run
        views = await env.backend.poll(done.run.group, [done.run])
        assert views[done.run.id].phase is Phase.ACTIVE
        assert await env.backend.state_of(await env.target(SHOP)) == f" · {done.run.id}"
        plane.finish_run(done.run.id, "Failure", "Completed with errors")
        status = await env.do("status", done.run.name)
        assert status.summary == f"{SHOP} is Failed: Completed with errors."
        assert (await env.target(f"{SHOP}@failed")).id == done.run.id
        logs = await env.do("logs", done.run.name, grep="login")
        assert "canary" not in logs.preview
        with zipfile.ZipFile(logs.files[0].path) as archive:
            assert not any(b"canary" in archive.read(name) for name in archive.namelist())
        data = await env.do("data", done.run.name)
        assert zipfile.is_zipfile(data.files[0].path)
        again = await env.do("retry", done.run.name)
        assert again.run
        newest = next(run.run_id for run in reversed(plane.runs) if run.schedule_id is None)
        assert again.run.id == newest != done.run.id
        assert actions(env) == ["start", "ContinueAndRetryErrorsRefreshAgent"]


async def test_a_job_is_started_once_and_followed() -> None:
    """A second start is refused in the ACC's words; the job's agent runs and logs are found."""
    async with playing() as env:
        env.acc.set_script(SHOP, LONG)
        job = await env.do("start", SHOP, as_="job")
        assert job.run
        with pytest.raises(Rejected, match="A job is already running"):
            await env.do("start", SHOP, as_="job")
        assert (await env.backend.poll(job.run.group, [job.run]))[job.run.id].state == "In Progress"
        for run in env.acc.runs:
            env.acc.finish_run(run.run_id)
        status = await env.do("status", job.run.name)
        assert status.summary == f"{SHOP}: job run 1 is Succeeded."
        assert status.table
        assert len(status.table.rows) == 1
        assert (await env.do("history", job.run.name)).table == status.table
        assert (await env.do("history", SHOP, as_="job")).table
        for verb in ("logs", "data"):
            assert zipfile.is_zipfile((await env.do(verb, job.run.name)).files[0].path)


@pytest.mark.parametrize("delivery", ["none", "plain", "zip"])
async def test_a_synchronous_start_waits_and_delivers(delivery: str) -> None:
    """Ids, plain text, or a zip of all data."""
    async with playing(moving=True, speed=100) as env:
        done = await env.do("start", SHOP, sync=True, timeout=30, delivery=delivery)
        assert bool(done.run) == (delivery == "none")
        assert [file.name.rsplit(".")[-1] for file in done.files] == {"none": [], "plain": ["csv"], "zip": ["zip"]}[
            delivery
        ]


async def test_several_sessions_start_several_runs() -> None:
    """One id a session."""
    async with playing() as env:
        assert (await env.do("start", SHOP, sessions=True)).summary == f"{SHOP} was started in 2 sessions."


async def test_a_server_is_checked_with_its_key() -> None:
    """The key of the configuration opens the server."""
    async with playing() as env:
        assert (await env.do("health", "server/crawl-1")).summary == "Server crawl-1 answers."


async def test_health_reads_the_tokens_end() -> None:
    """A fresh token of a year is no cause for a warning; a revoked one is told."""
    async with playing() as env:
        health = await env.backend.health()
        assert health.ok
        assert health.credential_ends is not None
        env.acc.revoke_token(env.acc.token)
        health = await env.backend.health()
        assert not health.ok
        assert env.acc.token not in health.summary


@pytest.mark.parametrize(
    ("fault", "problem", "began"),
    [
        ({"fault": "drop_before"}, Lost, 0),
        ({"fault": "drop_before", "reset": True}, Lost, 0),
        ({"fault": "drop_after"}, Lost, 1),
        ({"fault": "drop_after", "reset": True}, Lost, 1),
        ({"fault": "401"}, CredentialRefused, 0),
        ({"fault": "429", "retry_after": 1}, RateLimited, 0),
        ({"fault": "500"}, ServerError, 0),
        ({"fault": "503"}, ServerError, 0),
        ({"fault": "500", "done": True}, ServerError, 1),
        ({"fault": "html"}, BadReply, 0),
        ({"fault": "empty", "done": True}, BadReply, 1),
        ({"fault": "bad_json", "done": True}, BadReply, 1),
        ({"fault": "wrong_types"}, BadReply, 1),
        ({"fault": "huge", "size": 20 << 20}, BadReply, 0),
        ({"fault": "huge_gzip"}, BadReply, 0),
        ({"fault": "redirect"}, Redirected, 0),
    ],
)
async def test_a_start_in_trouble_is_sent_once_and_looked_back_truly(
    fault: dict[str, Any], problem: type[Problem], began: int
) -> None:
    """Whatever goes wrong, there is one request, and looking back agrees with what the ACC did."""
    async with playing() as env:
        env.acc.set_script(SHOP, LONG)
        operation = await env.operation("start", SHOP)
        sent_at = env.clock.now()
        await env.acc.set_fault({"match": "^POST ", **fault})
        with pytest.raises(problem):
            await env.backend.run(operation, env.call)
        await env.acc.clear_faults()
        assert sum(seen.method == "POST" for seen in env.acc.requests) == 1
        assert len(env.acc.runs) == began
        back = await env.backend.look_back(operation, sent_at)
        assert (back.found is not None, back.again, back.absent) == (began == 1, began == 0, False)
        if back.found:
            assert back.found.backend_ref == env.acc.runs[0].run_id


async def test_an_acc_that_refuses_connections_got_nothing() -> None:
    """NotSent is exact: the start is not in the ACC's log."""
    async with playing() as env:
        operation = await env.operation("start", SHOP)
        await env.acc.set_fault({"fault": "refuse"})
        with pytest.raises(NotSent):
            await env.backend.run(operation, env.call)
        await env.acc.clear_faults()
        assert not any(seen.method == "POST" for seen in env.acc.requests)


@pytest.mark.parametrize(
    "fault", [{"fault": "503", "times": 1}, {"fault": "drop_before", "times": 1}, {"fault": "drop_after", "times": 1}]
)
async def test_what_may_be_repeated_survives_one_fault(fault: dict[str, Any]) -> None:
    """Reads and switches are asked again; the end is the same."""
    async with playing() as env:
        schedule = await env.do("schedule set", SHOP, cron="0 0 0 1", start="2026-07-16T11:21:20")
        await env.acc.set_fault({"match": "/off$", **fault})
        await env.do("schedule off", f"schedule/{schedule.backend_ref}")
        assert not env.acc.schedules[schedule.backend_ref].enabled


async def test_an_unheard_of_status_is_unreadable_and_never_a_success() -> None:
    """A number that nobody documented is shown with its number."""
    async with playing() as env:
        done = await env.do("start", SHOP)
        assert done.run
        await env.acc.set_fault({"fault": "unknown_enum", "match": "/history"})
        view = (await env.backend.poll(done.run.group, [done.run]))[done.run.id]
        assert (view.state, view.phase) == ("unknown (99)", Phase.UNREADABLE)


async def test_lost_retries_restarts_and_schedule_starts_are_found() -> None:
    """Each of the other calls that start something can be looked back for."""
    async with playing() as env:
        run = env.acc.add_run(SHOP, script=Script(end="Failure"))
        name = f"run/{run.run_id}"
        set_ = await env.do("schedule set", SHOP, cron="0 0 0 1", start="2026-07-16T11:21:20")
        await env.acc.set_fault({"fault": "drop_after", "match": "^POST "})
        for verb, target in [("retry", name), ("restart", name), ("schedule start", f"schedule/{set_.backend_ref}")]:
            operation = await env.operation(verb, target)
            before = {one.run_id for one in env.acc.runs}
            sent_at = env.clock.now()
            with pytest.raises(Lost):
                await env.backend.run(operation, env.call)
            back = await env.backend.look_back(operation, sent_at)
            assert back.found, back.evidence
            assert back.found.backend_ref in {one.run_id for one in env.acc.runs} - before
            await env.target_cache.remember([await env.target(f"run/{one.run_id}") for one in env.acc.runs])
            env.clock.advance(0.001)
            for one in env.acc.runs:
                if one.run_id not in before:
                    env.acc.finish_run(one.run_id)


async def test_what_does_not_exist_is_told_in_words() -> None:
    """Unknown agents, runs and schedules, and a mark without a job run."""
    async with playing() as env:
        for at in ("shop/nothing", "run/none", "jobrun/none", "Shop/prices"):
            with pytest.raises(NoSuchTarget):
                await env.target(at)
        with pytest.raises(NoSuchTarget, match="has no job runs"):
            await env.do("mark", SHOP, as_="failed")
        with pytest.raises(NoSuchTarget):
            await env.do("schedule off", "schedule/none")
        with pytest.raises(BadRequest):
            await env.target("shop/../prices")


async def test_many_people_at_once_get_their_answers() -> None:
    """Fifty different requests at the same time are all answered, each about its own."""
    async with playing() as env:
        env.acc.set_script(SHOP, LONG)
        done = await asyncio.gather(*(env.do("start", SHOP) for _ in range(10)))
        ids = [one.backend_ref for one in done]
        assert len(set(ids)) == 10
        states = await asyncio.gather(*(env.do("status", f"run/{id_}") for id_ in ids for _ in range(4)))
        assert [state.run.id for state in states if state.run] == [id_ for id_ in ids for _ in range(4)]
