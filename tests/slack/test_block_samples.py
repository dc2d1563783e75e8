"""`signalbox check` has the live Slack judge samples of what the bot sends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.check import NEWEST, _blocks, _Report, sample_messages
from bot.playground.workspace import DEMO_SEED, Workspace

GOLDEN = Path(__file__).parents[1] / "render" / "golden"


@pytest.fixture
async def ws() -> AsyncIterator[Workspace]:
    async with Workspace(DEMO_SEED) as made:
        yield made


async def checked(ws: Workspace) -> list[str]:
    """The lines that check prints about blocks."""
    lines: list[str] = []
    async with aiohttp.ClientSession() as session:
        await _blocks(AsyncWebClient(ws.bot_token, base_url=ws.api_url, session=session), _Report(lines.append))
    return lines


async def test_every_sample_is_accepted(ws: Workspace) -> None:
    assert await checked(ws) == [f"ok    blocks: Slack accepts {len(sample_messages())} samples of what the bot sends"]


def types_in(node: Any) -> set[str]:
    """The types of all blocks, elements and texts."""
    if isinstance(node, dict):
        own = {node["type"]} if isinstance(node.get("type"), str) else set()
        return own.union(*(types_in(value) for value in node.values()))
    return set().union(*(types_in(value) for value in node)) if isinstance(node, list | tuple) else set()


def test_the_samples_use_every_block_and_element_that_the_bot_sends() -> None:
    """Those of the golden cards, and those that only modals and the Home tab have."""
    golden = [json.loads(path.read_text()) for path in GOLDEN.glob("*.json")]
    assert len(golden) > 10
    found = types_in(dict(sample_messages()))
    assert types_in(golden) - found == set()
    assert found >= {
        "modal",
        "input",
        "external_select",
        "home",
        "container",
        "data_visualization",
        "rich_text",
        "date",
    }


async def test_a_workspace_without_the_newest_blocks_is_a_warning(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {NEWEST: {"message": {"text": "x", "blocks": [{"type": "not_yet"}]}}}
    monkeypatch.setattr("bot.cli.check.sample_messages", lambda: wrong)
    first, *_ = await checked(ws)
    assert first.startswith(f"warn  blocks: this workspace doesn't have {NEWEST} yet")


async def test_what_slack_does_not_accept_is_named_with_its_place(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {
        "a card": {
            "message": {"text": "x", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": ""}}]}
        }
    }
    monkeypatch.setattr("bot.cli.check.sample_messages", lambda: wrong)
    (line,) = await checked(ws)
    assert line.startswith("FAIL  blocks of a card: Slack refuses them (/0/text")


@pytest.mark.parametrize(
    "fault", [{"error": "unknown_method"}, {"status": 503}, {"error": "ratelimited", "status": 429}]
)
async def test_a_slack_that_cannot_check_them_is_a_warning(ws: Workspace, fault: dict[str, Any]) -> None:
    ws.faults.fail("blocks.validate", **fault)
    (line,) = await checked(ws)
    assert line.startswith("warn  blocks: this Slack can't check them")
