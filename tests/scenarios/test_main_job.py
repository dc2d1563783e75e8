"""The main job, from Slack text to the effect on the control plane and back."""

from __future__ import annotations

from tests.world import World, labels


async def test_a_start_reaches_the_control_plane_and_its_card_follows_the_run_to_the_end(env: World) -> None:
    """Typed in Slack, run on the ACC, registered before and after, shown in one card."""
    await env.say('start acc:shop/prices input.region=north -- "monthly" check')
    await env.sees("start acc:shop/prices", "Succeeded", timeout=30)
    assert len(env.acc.runs) > 0
    assert env.events("start")[:3] == ["requested", "sent", "done"]
    await env.until(lambda: "ended" in env.events("start"))
    message = await env.sees("start acc:shop/prices", "Succeeded")
    assert "Log" in labels(message)
