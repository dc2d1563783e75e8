"""What is open in a channel is listed by the names that the cards have, each with the words that a command takes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.steps import do, private
from tests.scenarios.team import Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
NAMED = "acc:shop/prices (schedule d9c944df)"


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test."""
    async with deciding(tmp_path_factory.mktemp("lists"), monkeypatch, OPEN_POLICY) as made:
        yield made


async def lists(env: World, verb: str, title: str, *parts: str) -> str:
    """What this verb tells Ana once it tells all parts."""
    await env.say(verb)
    return shown(await private(env, title, *parts))


async def test_a_pause_is_listed_by_its_name_and_by_what_ends_it(later: Team) -> None:
    """Named as on its card, also on the button that ends it."""
    env = later.env
    await do(env, "schedules acc:shop/prices")
    await do(env, f"schedule off acc:schedule/{FIRST} for=2h -- moving")
    listed = await env.does("pauses", "Pauses", NAMED, "moving")
    assert labels(listed) == [f"End pause of {NAMED}"]
    await later.press(listed, f"End pause of {NAMED}", user="U0ANA", channel="C0CRAWL")
    await env.sees("schedule on", NAMED, "is on")
    assert [entry.target_id for entry in env.audit(event="resumed")] == [FIRST]
    await lists(env, "pauses", "Pauses", "None.")


async def test_a_pause_by_a_bare_id_has_its_name_once_that_is_known(later: Team) -> None:
    """Nobody had listed the agent's schedules before."""
    env = later.env
    await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
    assert NAMED not in await lists(env, "pauses", "Pauses", FIRST)
    await do(env, "schedules acc:shop/prices")
    await lists(env, "pauses", "Pauses", f"End pause of {NAMED}")


async def test_a_run_is_listed_by_a_name_that_a_command_takes(later: Team) -> None:
    """In `watches`, and in `status` alone: the beginning of its id is enough, and no column repeats the whole id."""
    env = later.env
    await do(env, "start acc:shop/prices")
    (run,) = await env.until(lambda: [row.backend_ref for row in env.audit(event="done") if row.backend_ref])
    name = f"acc:shop/prices (run {run[:8]})"
    assert run not in await lists(env, "watches", "Runs in progress", name)
    await lists(env, "status", "Open in this channel", name)
    await (await do(env, f"status {run[:8]}")).card("status acc:shop/prices", run)


async def test_itential_jobs_are_listed_by_short_ids_that_a_command_takes(tmp_path: Path) -> None:
    """Also a job that was not started here, and no whole id in the list; two with the same short id are told apart."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("itn",)) as env:
        plane = env.planes["itn"]
        await env.does("start itn:backup-configs", "start itn:cluster_1/backup-configs")
        (ours,) = await env.until(lambda: plane.jobs)
        other = replace(ours, job_id=f"{ours.job_id[:-8]}0ddba11e")
        plane.jobs += [other]
        listed = shown(await env.does("jobs itn:", "2 jobs", f"job/…{ours.job_id[-8:]}", "job/…0ddba11e"))
        assert ours.job_id not in listed
        assert other.job_id not in listed
        await env.does("status itn:job/…0ddba11e", "status itn:job/", other.job_id)
        await env.does("status itn:job/0ddba11e", "status itn:job/", other.job_id)
        plane.jobs += [replace(ours, job_id="f" * 16 + "0ddba11e")]
        await env.does("status itn:job/0ddba11e", "2 ids of itn have `0ddba11e`")


async def test_a_run_that_several_requests_follow_is_listed_and_counted_once(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was paused and resumed twice: under who started it, in the state that it has, and each card gets its end."""
    async with deciding(tmp_path_factory.mktemp("resumed"), monkeypatch, OPEN_POLICY, only=("acc", "itn")) as later:
        env = later.env
        plane = env.planes["itn"]
        await do(env, "start itn:backup-configs")
        (job,) = await env.until(lambda: plane.jobs)
        job.started = plane.clock.now() + 3_600  # it goes on until it is canceled below
        for _ in range(2):
            await do(env, f"pause itn:job/{job.job_id}")
            await do(env, f"resume itn:job/{job.job_id}")
        await do(env, f"pause itn:job/{job.job_id}")
        await do(env, f"resume itn:job/{job.job_id}", user="U0RUI")
        follow = [watch.request_id for watch in await env.bot.store.open_watches()]
        assert len(follow) == 4
        listed = await lists(env, "status", "1 run in progress")
        assert listed.count(job.job_id[-8:]) == 1
        assert await lists(env, "watches", "Runs in progress", "<@U0ANA>")
        assert "<@U0RUI>" not in await lists(env, "watches", "Runs in progress")
        await env.ana.open_home()
        await env.until(lambda: "Your runs" in shown(env.ana.home() or {}))
        assert shown(env.ana.home() or {}).count(job.job_id[-8:]) == 1
        job.canceled_at = plane.clock.now()
        later.later(seconds=16)
        for request_id in follow:
            await env.sees(request_id, "Canceled")
        await lists(env, "status", "Nothing waits, runs or is paused")


async def test_status_lists_everything_that_it_counts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision, a run and a pause together, each with its state, and the commands that tell more."""
    rules = OPEN_POLICY.replace(
        "[[channel.allow]]",
        """[[channel.allow]]
verbs = ["start"]
targets = ["acc:shop/stock"]
who = ["*"]
approvals = { count = 1, from = ["U0LEE"] }
[[channel.allow]]""",
        1,
    )
    async with deciding(tmp_path_factory.mktemp("all"), monkeypatch, rules) as later:
        env = later.env
        await do(env, "schedules acc:shop/prices")
        await do(env, f"schedule off acc:schedule/{FIRST} for=2h")
        env.acc.world.speed = 0.1
        await do(env, "start acc:shop/prices")
        await env.say("start acc:shop/stock")
        await env.until(lambda: env.audit(event="approval_requested"))
        listed = await lists(env, "status", "1 decision waits, 1 run in progress, 1 pause")
        rows = (
            r"start acc:shop/stock\nWaits for a decision until",
            r"acc:shop/prices \(run \w+\)\n",
            rf"{re.escape(NAMED)}\nPaused until",
        )
        assert all(re.search(row, listed) for row in rows), listed
        assert "For details: `/ops approvals`, `/ops watches`, `/ops pauses`" in listed


async def test_approvals_lists_what_expires_first_first(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the Home tab does, with its buttons in the same order."""
    ask = """[[channel.allow]]
verbs = ["start"]
targets = ["acc:shop/{}"]
who = ["*"]
approvals = {{ count = 1, from = ["U0LEE"], expires = "{}" }}
"""
    rules = ask.format("prices", "30m") + ask.format("stock", "2h") + "[[channel.allow]]"
    rules = OPEN_POLICY.replace("[[channel.allow]]", rules, 1)
    async with deciding(tmp_path_factory.mktemp("order"), monkeypatch, rules) as later:
        for number, name in enumerate(("prices", "stock"), 1):
            await later.env.say(f"start acc:shop/{name}")
            await later.env.until(lambda number=number: len(later.env.audit(event="approval_requested")) == number)
        await later.env.quiet()
        listed = await later.env.does("approvals", "Waiting for approval", "acc:shop/prices", user="U0LEE")
        opens = [label for label in labels(listed) if label.startswith("Open ")]
        assert [label.split()[2] for label in opens] == ["acc:shop/prices", "acc:shop/stock"]
        assert shown(listed).index("acc:shop/prices") < shown(listed).index("acc:shop/stock")
