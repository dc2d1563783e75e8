"""What a watched target is polled by, for every kind: its newest runs, a target without runs is refused, a run is itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.errors import BadRequest
from bot.core.outcome import Done, Phase
from tests.backends.contract_stand import Stand, standing

# What starts a run or has some, and what has none.
WATCHED = {
    "sequentum": ("acc:shop/prices", "start acc:shop/prices", "acc:server/server-1"),
    "informatica": ("infa:task/load_orders", "start infa:task/load_orders", 'infa:eu-1/"Process Server"'),
    "itential": ("itn:backup-configs", "start itn:backup-configs", "itn:gateway/cluster_1"),
    "prefactor": ("pre:invoice-reader", "", ""),
    "resilio": ("res:", "", ""),
}


async def began(stand: Stand, typed: str) -> str:
    """Start a run; its id."""
    result = await stand.call(await stand.operation(typed))
    assert isinstance(result, Done), result
    return result.run.id if result.run is not None else ""


@pytest.mark.parametrize("kind", WATCHED)
async def test_the_newest_runs_of_a_target_are_listed_with_their_states(kind: str, tmp_path: Path) -> None:
    """Each once, and at most as many as asked for."""
    text, start, _ = WATCHED[kind]
    async with standing(kind, tmp_path) as stand:
        target = await stand.target(text)
        before = {run.id for run in await stand.backend.recent(target, 20)}
        if start:
            await began(stand, start)
            stand.given.clock.plane.advance(1)
        runs = await stand.backend.recent(target, 20)
        assert len({run.id for run in runs}) == len(runs)
        assert runs
        if start:
            assert runs[0].id not in before
        assert all(run.view.phase in Phase and run.view.state for run in runs)
        assert len(await stand.backend.recent(target, 1)) == 1


@pytest.mark.parametrize("kind", [kind for kind, (_, start, _) in WATCHED.items() if start])
async def test_a_run_that_goes_on_is_listed_under_the_same_id_when_it_has_ended(kind: str, tmp_path: Path) -> None:
    """So that its end is told once."""
    text, start, _ = WATCHED[kind]
    async with standing(kind, tmp_path) as stand:
        target = await stand.target(text)
        await began(stand, start)
        stand.given.clock.plane.advance(1)
        first = (await stand.backend.recent(target, 20))[0]
        stand.given.clock.plane.advance(600)
        later = {run.id: run.view.phase for run in await stand.backend.recent(target, 20)}
        assert later[first.id].ended


@pytest.mark.parametrize("kind", [kind for kind, (_, _, without) in WATCHED.items() if without])
async def test_a_target_without_runs_is_refused(kind: str, tmp_path: Path) -> None:
    """In one sentence, before anything is watched."""
    async with standing(kind, tmp_path) as stand:
        target = await stand.target(WATCHED[kind][2])
        with pytest.raises(BadRequest, match="has no runs") as refused:
            await stand.backend.recent(target, 20)
        assert refused.value.code == "no_runs"


async def test_a_run_is_itself(tmp_path: Path) -> None:
    """Its end can be watched as well."""
    async with standing("sequentum", tmp_path) as stand:
        (newest, *_) = await stand.backend.recent(await stand.target("acc:shop/prices"), 1)
        (itself,) = await stand.backend.recent(await stand.target(f"acc:run/{newest.id}"), 20)
        assert itself.id == newest.id
