"""The main job, front door to back."""

from __future__ import annotations

from tests.world import World, labels


async def test_a_start_reaches_the_control_plane_and_its_card_follows_the_run_to_the_end(here: World) -> None:
    """Typed in Slack, run on the ACC, registered before and after, shown in one card."""
    await here.say('start acc:shop/prices input.region=north -- "monthly" check')
    await here.sees("start acc:shop/prices", "Succeeded", timeout=20)
    assert len(here.acc.runs) > 0
    assert here.events("start")[:3] == ["requested", "sent", "done"]
    await here.until(lambda: "ended" in here.events("start"))
    message = await here.sees("start acc:shop/prices", "Succeeded")
    assert "Log" in labels(message)
