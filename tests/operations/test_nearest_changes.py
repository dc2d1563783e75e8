"""A verb that a control plane has under another name is not said to be missing from its API."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import plugins
from bot.operations.resolve import nearest_changes
from tests.world import shown, world

CATALOG = plugins.catalog_of_all_kinds()


@pytest.mark.parametrize(
    ("verb", "backend", "nearest"),
    [
        ("create", "acc", "schedule set"),
        ("set", "acc", "schedule set"),
        ("delete", "acc", "schedule delete"),
        ("pause", "acc", "schedule off"),
        ("resume", "acc", "schedule on"),
        ("pause", "infa", "schedule off"),
        ("resume", "infa", "schedule on"),
        ("retry", "infa", "start"),
        ("restart", "itn", "start"),
        ("create", "itn", "group create"),
        ("delete", "itn", "group delete"),
        ("stop", "res", "pause"),
        ("create", "infa", None),
        ("start", "pre", None),
        ("retry", "res", None),
    ],
)
def test_a_verb_under_another_name_is_found(verb: str, backend: str, nearest: str | None) -> None:
    found = nearest_changes(CATALOG, verb, backend)
    assert nearest in found if nearest else not found, found


async def test_the_answer_names_what_the_control_plane_supports(tmp_path: Path) -> None:
    async with world(tmp_path, only=("acc", "pre")) as env:
        answer = shown(await env.does("create acc:shop/prices", "doesn't support `create`"))
        assert "`schedule set`" in answer
        assert "no such call" not in answer
