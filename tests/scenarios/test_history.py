"""The history of a target: a chart, a table with durations, and buttons for each run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.world import OPEN_POLICY, World, labels, shown, world

READS = OPEN_POLICY.replace('verbs = ["*"]', 'verbs = ["history", "logs"]')


def block(message: dict[str, Any], kind: str) -> dict[str, Any]:
    """The first block of that type."""
    return next(one for one in message["blocks"] if one["type"] == kind)


async def test_history_shows_durations_results_and_buttons_for_each_run(env: World) -> None:
    """The plane has six earlier runs of shop/prices, one of which failed."""
    message = await env.does("history acc:shop/prices", "The latest")
    chart = block(message, "data_visualization")["chart"]
    rows = block(message, "table")["rows"]
    assert [cell["text"] for cell in rows[0]][:4] == ["Run", "State", "Duration", "Started"]
    numbers = [row[0]["text"] for row in rows[1:]]
    assert numbers == [str(number) for number in range(1, len(rows))]
    assert chart["axis_config"]["categories"] == numbers[::-1]
    assert [one["name"] for one in chart["series"]] == ["Succeeded", "Failed"]
    failed = [row[0]["text"] for row in rows[1:] if row[1]["text"] == "Failed"]
    newest = [label for one in numbers[:5] for label in (f"Log {one}", *([f"Retry {one}"] if one in failed else []))]
    assert labels(message) == [*newest, "Start with defaults"]
    full = shown({"blocks": [block(message, "container")]})
    assert all(re.search(rf"Run {one}\*\nrun/[0-9a-f]{{8}}-", full) for one in numbers)
    assert f"failed: run {', '.join(failed)}" in message["text"]


async def test_a_run_is_retried_from_the_history(env: World) -> None:
    message = await env.does("history acc:labs/broken", "The latest")
    (retry,) = [label for label in labels(message) if label.startswith("Retry ")]
    assert (await env.ana.press_label("C0CRAWL", message["ts"], retry, seen=message)).acked
    await env.sees("retry acc:labs/broken")


async def test_the_history_offers_only_what_the_rules_allow(tmp_path: Path) -> None:
    async with world(tmp_path, policy=READS) as env:
        message = await env.does("history acc:labs/broken", "The latest")
        assert {label.partition(" ")[0] for label in labels(message)} == {"Log"}
