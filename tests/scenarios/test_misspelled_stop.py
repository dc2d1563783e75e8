"""A misspelled `stop everything` lists the runs as the right one does, and the help tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import labels, shown, world


@pytest.mark.parametrize(
    "typed",
    [
        "stop evrything",
        "stopp everything",
        "stop evreything now",
        "stop everthing -- broken",
        "stop evertyhing -- customers see wrong prices",
        "sotp everything",
        "stop evrything, the shop is down",
    ],
)
async def test_a_misspelled_stop_everything_lists_the_runs(tmp_path: Path, typed: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:audit-network", "Accepted")
        card = await env.does(typed, "Stop 1 run?")
        assert labels(card) == ["Stop it", "Cancel"]


@pytest.mark.parametrize(
    "typed", ["shop everything", "it stops everything", "don't stop evrything", "stop evrything but audit"]
)
async def test_other_words_list_no_runs(tmp_path: Path, typed: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:audit-network", "Accepted")
        assert "Stop 1 run?" not in shown(await env.does(typed, ""))


@pytest.mark.parametrize("asked", ["help all", "help stop", "stop"])
async def test_the_help_and_a_bare_stop_tell_of_stop_everything(tmp_path: Path, asked: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        assert "stop everything` lists the runs in progress" in shown(await env.does(asked, ""))
