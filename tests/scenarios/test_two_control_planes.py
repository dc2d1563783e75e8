"""Two control planes of one kind may number their targets alike: what happened on one says nothing about the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.core.ports.services import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.planes.infa_model import Pace
from tests.scenarios.steps import ask, do
from tests.world import OPEN_POLICY, shown, world


def alike(name: str) -> Callable[[Clock], tuple[Plane, ...]]:
    """Two planes with the same targets under the same ids: one with this name, and one with a `2` after it."""

    def planes(clock: Clock) -> tuple[Plane, ...]:
        (one,), (other,) = (demo_planes(clock, only=(name,)) for _ in range(2))
        other.name = f"{name}2"
        return one, other

    return planes


async def test_a_clearing_on_another_control_plane_hides_nothing_that_was_sent(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, planes=alike("acc"), only=("acc", "acc2")) as env:
        await do(env, 'input put acc:news/feed name=old.csv text="a"')
        asked = await ask(env, "input clear acc2:news/feed")
        await asked.press("Run it")
        await asked.ends()
        await env.does("input clear acc:news/feed", "Sent through Signalbox: ", "old.csv")


async def test_the_last_outcomes_are_those_on_the_same_control_plane(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, planes=alike("acc"), only=("acc", "acc2")) as env:
        await do(env, 'input put acc:news/feed name=old.csv text="a"')
        look = shown(await env.does("input clear acc2:news/feed", "Last outcomes here"))
        assert "none in the audit log" in look, look


async def test_the_usual_duration_is_that_on_the_same_control_plane(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, planes=alike("infa"), only=("infa", "infa2")) as env:
        env.planes["infa"].pace = Pace(job=2.0)
        for number in (1, 2):
            await env.say("start infa:task/load_orders")
            await env.until(lambda count=number: len(env.audit(event="ended")) == count, 40)
        env.planes["infa2"].pace = Pace(job=30.0)
        for name in ("infa", "infa2"):
            await env.say(f"start {name}:task/load_orders")
        await env.until(lambda: len(env.audit(event="done", verb="start")) == 4)
        watches = {one.backend: one.view for one in await env.bot.store.open_watches()}
        view = watches["infa2"]
        assert view is None or view.usual is None, view
