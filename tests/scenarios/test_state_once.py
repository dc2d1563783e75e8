"""The card of a run has its state in the second line, and nowhere again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.sequentum import Script
from tests.scenarios.acc_place import filled, place
from tests.scenarios.steps import do
from tests.world import World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


def sections(message: dict[str, Any]) -> str:
    """What its sections say; the notification repeats them, and a table has columns of its own."""
    blocks = [block for block in message["blocks"] if block["type"] == "section"]
    objects = [item for block in blocks for item in (block.get("text"), *block.get("fields", ())) if item]
    return "\n".join(item["text"] for item in objects)


async def test_of_an_agent_and_of_a_run(team: World) -> None:
    """The agent's card says that it is about the newest run; the audit log still has the whole sentence."""
    asked = await do(team, "status acc:shop/prices")
    card = await asked.card("Succeeded", "The newest run began ")
    assert sections(card).count("Succeeded") == 1
    assert "is Succeeded" in str(asked.row("done").detail)
    one = await do(team, filled("status acc:run/{run}", place(team)))
    assert sections(await one.card("Failed", "2 pages failed")).count("Failed") == 1


async def test_of_a_start_that_was_refreshed(team: World) -> None:
    """Looked at again, the card of the start says how the run stands in one place."""
    team.acc.add_agent("shop/endless", scripts=(Script(end="Never"),))
    asked = await do(team, "start acc:shop/endless")
    await asked.card("Running", "120", but="Starting")
    refreshed: dict[str, Any] = {}
    for _ in range(5):  # the next update of the running time may take the place of the refreshed card
        await asked.press("Refresh")
        with suppress(AssertionError):
            refreshed = await asked.card("Running", "Refreshed", within=30)
            break
    assert sections(refreshed).count("Running") == 1


async def test_of_what_is_no_run(tmp_path: Path) -> None:
    """`invoice-reader is active.` below `active` says nothing new."""
    async with world(tmp_path, only=("pre",)) as env:
        card = await env.does("status pre:invoice-reader", "status pre:invoice-reader", "active")
        assert "is active" not in sections(card)
