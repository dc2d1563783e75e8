"""A start in several performance sessions: all its runs are followed, and the card ends as the worst of them."""

from __future__ import annotations

from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import do
from tests.world import World, labels


async def test_a_start_in_several_sessions_ends_as_its_worst_run(env: World) -> None:
    """The second ends in Failed: so does the card, both are named there and in the one `ended` row; Retry means it."""
    env.acc.add_agent("shop/wide", sessions=2)
    env.acc.set_script("shop/wide", Script(), Script(end="Failure", errors=2, message="2 pages failed"))
    asked = await do(env, "start acc:shop/wide sessions=true")
    await env.until(lambda: "ended" in asked.events)
    good, bad = (run.run_id for run in env.acc.runs if run.agent.path == "shop/wide")
    card = await asked.card("Failed", good, bad, "Succeeded", "2 pages failed")
    ended = asked.row("ended")
    assert ended.code == "failed"
    assert "run 1 Succeeded" in str(ended.detail)
    assert "run 2 Failed (2 pages failed)" in str(ended.detail)
    assert f"(Run 1 {good}, Run 2 {bad})" in str(ended.detail)
    assert {"Log", "Retry"} <= set(labels(card))
    assert "Refresh" not in labels(card)
    await asked.card("log", "Run ended: Failure. 2 pages failed")
    await asked.press("Retry")
    await env.until(lambda: [call for call in asked.changes if call[1].endswith("/retry")])
    assert asked.changes[-1][1].startswith(f"/api/run/{bad}/retry")
