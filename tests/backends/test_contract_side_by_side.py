"""Several backends of one kind know nothing of each other, and one that is down holds no other up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import plugins
from bot.core.outcome import Done
from bot.core.ports.services import Backend
from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.planes.sequentum import SequentumPlane
from bot.runtime.health import HealthBoard
from bot.runtime.listings import Listings
from bot.runtime.task_queue import TaskQueue
from tests.backends.contract_stand import Given, PlaneTime, Stand, build, demo_plane, samples_of, standing
from tests.world import World, shown, world

KINDS = plugins.kinds()
PATIENCE = 50.0  # seconds: what comes within it did not wait for the one that hangs
FOR_LONG = {"fault": "delay", "seconds": 600}


@asynccontextmanager
async def two_of(kind: str, folder: Path) -> AsyncIterator[tuple[Stand, Plane, Backend, Given]]:
    """The stand, and a second plane of its kind with a backend named `second` joined to it."""
    async with standing(kind, folder) as first:
        clock = PlaneClock(rate=0)
        plane = demo_plane(kind, clock)
        plane.name = "other"
        samples_of(kind).prepare(plane)
        async with plane:
            _, backend, given = build(plane, folder, PlaneTime(clock), name="second")
            try:
                yield first, plane, backend, given
            finally:
                await backend.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_two_of_a_kind_have_their_own_names_and_effects(kind: str, tmp_path: Path) -> None:
    """What is done with one is not seen by the other, and each lists its targets under its own name."""
    samples = samples_of(kind)
    async with two_of(kind, tmp_path) as (first, plane, second, _):
        result = await first.call(await first.prepared(samples.rows[samples.change]))
        assert isinstance(result, Done), result
        assert plane.requests == []
        await second.health()
        for backend, name in ((first.backend, samples.name), (second, "second")):
            assert {named.target.backend for named in await backend.targets()} <= {name}
            assert all(named.text.lstrip('"').startswith(f"{name}:") for named in await backend.targets())
        changes = [
            one
            for one in plane.requests
            if re.search(samples.rows[samples.change].wire, f"{one.method} {one.raw_path}")
        ]
        assert changes == []


@pytest.mark.parametrize("fault", [FOR_LONG, {"fault": "refuse"}], ids=["hanging", "refusing"])
@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_down_slows_no_other(kind: str, fault: dict[str, Any], tmp_path: Path) -> None:
    """Health, the lists of targets and a command of the first come at once while the second is down."""
    samples = samples_of(kind)
    async with two_of(kind, tmp_path) as (first, plane, second, _):
        await plane.set_fault(fault)
        both: dict[str, Backend] = {samples.name: first.backend, "second": second}
        board = HealthBoard(both, first.given.clock)
        jobs = [
            asyncio.ensure_future(board.check_all()),
            asyncio.ensure_future(Listings(both, first.given.clock, tasks := TaskQueue()).refresh()),
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                result = await first.call(await first.prepared(samples.rows[samples.read]))
                assert isinstance(result, Done), result
                while board.latest(samples.name) is None:  # noqa: ASYNC110  the board sets no event
                    await asyncio.sleep(0.01)
                await first.backend.targets()
            checked = board.latest(samples.name)
            assert checked is not None
            assert checked.health.ok, checked.health
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await tasks.close(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_health_says_how_fast_and_what_of_the_credential(kind: str, tmp_path: Path) -> None:
    """Up: a sentence, milliseconds and something about the credential. Refused credential: down, and a sentence says why."""
    async with standing(kind, tmp_path) as stand:
        board = HealthBoard({stand.backend.name: stand.backend}, stand.given.clock)
        up = (await board.check(stand.backend.name)).health
        assert up.ok, up
        assert up.latency_ms is not None
        assert up.latency_ms >= 0
        assert up.credential or up.credential_ends
        await stand.plane.set_fault({"fault": "refuse"})
        gone = (await board.check(stand.backend.name)).health
        assert not gone.ok, gone
        assert "refused" in gone.summary or "nothing was sent" in gone.summary
        await stand.plane.clear_faults()
        await stand.plane.set_fault({"fault": "401"})  # the last one: a refused credential isn't sent again for a while
        down = (await board.check(stand.backend.name)).health
        assert not down.ok, down
        assert down.summary


def two_accs(clock: Any) -> tuple[Plane, ...]:
    second = SequentumPlane("acc2", clock=clock, speed=20)
    second.add_agent("shop/prices", description="The other shop")
    second.add_agent("shop/only-here")
    return (*demo_planes(clock), second)


@asynccontextmanager
async def team(folder: Path, *names: str) -> AsyncIterator[World]:
    async with world(folder, planes=two_accs, only=names) as env:
        yield env


async def test_health_and_backends_show_every_plane_with_latency_and_credential(tmp_path: Path) -> None:
    """All kinds at once in one table, and the one that refuses connections is down in it while the others are ok."""
    names = ("acc", "acc2", *(samples_of(kind).name for kind in KINDS if samples_of(kind).name != "acc"))
    async with team(tmp_path, *names) as env:
        await env.until(lambda: all(env.bot.ctx.health.latest(name) for name in names))
        await env.planes["acc2"].set_fault({"fault": "refuse"})
        for verb, title in (("health", "Health"), ("backends", "Backends")):
            text = shown(await env.does(verb, title, *names))
            assert text.count("\nok") == len(names) - 1, text
            assert text.count("\ndown") == 1, text
            assert len(re.findall(r"\n\d+ ms", text)) >= len(names) - 1, text
            assert re.search(r"ends \d{4}-\d\d-\d\d \(\d+ days\)", text), text
            assert "Credential" in text


async def test_a_hanging_acc_holds_neither_the_other_acc_nor_the_table_up(tmp_path: Path) -> None:
    """A command on one is done while the other hangs, the table is there at once without the one that hangs, and a second
    message tells of that."""
    async with team(tmp_path, "acc", "acc2") as env:
        await env.planes["acc"].set_fault(FOR_LONG)
        await env.say("health")
        await env.say("start acc2:shop/prices -- while the other hangs")
        await env.sees("start acc2:shop/prices", "Succeeded", timeout=PATIENCE)
        text = shown(await env.sees("Health", "No answer yet from acc;", timeout=PATIENCE))
        assert text.count("\nok") == 1, text
        assert re.search(r"\nacc\nslow\nno answer within 1.5 s", text), text
        late = shown(await env.sees("Health: late answers", "no answer within 8 s", timeout=PATIENCE))
        assert not re.search(r"\bacc2\b", late)
        assert any(run.agent.path == "shop/prices" for run in env.planes["acc2"].runs)


async def test_find_shows_targets_of_every_backend_from_current_lists(tmp_path: Path) -> None:
    """Current lists are not asked for again. A target in one needs no time at which it was seen."""
    async with team(tmp_path, "acc", "acc2", "itn") as env:
        await env.does("status acc:shop/prices", "status acc:shop/prices")
        await env.does("status acc2:shop/prices", "status acc2:shop/prices")
        await env.bot.ctx.listings.refresh()
        counts = {name: len(plane.requests) for name, plane in env.planes.items()}
        text = shown(await env.does("find prices", "Targets with prices", "acc:shop/prices", "acc2:shop/prices"))
        assert not re.search(r"\bseen\b", text)
        services = shown(await env.does("find tofu", "Targets with tofu", "itn:"))
        assert "my-tofu-service" in services
        assert counts == {name: len(plane.requests) for name, plane in env.planes.items()}
