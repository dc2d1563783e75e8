"""The tour of `make demo TOUR=1`, played in this process."""

from __future__ import annotations

from pathlib import Path

from bot import plugins
from bot.core.rows import Filters
from bot.demo import town
from bot.touring import STEPS, play


async def test_the_tour_sees_every_effect_on_the_planes_in_slack_and_in_the_register(tmp_path: Path) -> None:
    """It ends with 0, shows every kind and one approval by a second person."""
    said: list[str] = []
    async with town(tmp_path / "demo") as here:
        register = here.bot.store
        result = await play(
            here.workspace, here.planes, lambda: register.search_sync(Filters(), limit=500), said.append
        )
        assert result == 0, "\n".join(said)
        assert {plane.kind for plane in here.planes.values()} == set(plugins.kinds())
    assert {step.backend for step in STEPS} == set(here.planes)
    assert any(press.label == "Approve" and press.user != step.user for step in STEPS for press in step.presses)
    assert not any("MISSING" in line for line in said)
