"""One odd row of a control plane's list hides no other: it is shown as far as it can be read, and marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.vendor_json import MARK
from bot.playground.planes.common import Received
from bot.playground.planes.wire import Reply
from tests.world import shown, world

NAMES = ("id", "name", "path", "title", "objects", "location")  # what a row is called, at the end of a field
LISTS = (
    ("acc", "history acc:shop/prices"),
    ("acc", "schedules acc:shop/prices"),
    ("acc", "targets acc"),
    ("infa", "status infa:agent/eu-1"),
    ("infa", "targets infa"),
    ("itn", "services itn:"),
    ("itn", "targets itn"),
    ("pre", "targets pre"),
    ("res", "history res:"),
    ("res", "targets res"),
)


def spoil(plane: Any) -> None:
    """From now on, the first row of each list has an odd value in every field but its names."""
    real = plane._do

    async def do(received: Received) -> Reply:
        reply: Reply = await real(received)
        try:
            value = json.loads(reply.body)
        except ValueError:
            return reply
        for rows in lists_in(value):
            rows[0] = {key: one if key.lower().endswith(NAMES) else [{"odd": True}] for key, one in rows[0].items()}
        return replace(reply, body=json.dumps(value).encode())

    plane._do = do


def lists_in(value: Any) -> Iterator[list[dict[str, Any]]]:
    """The lists of objects in a reply, without those in their rows."""
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from lists_in(inner)


def rows_of(message: dict[str, Any]) -> list[str]:
    """The first cell of each row of the tables of a message."""
    tables = [one for one in message["blocks"] if one["type"] in ("table", "data_table")]
    return [shown({"blocks": row[:1]}).strip() for table in tables for row in table["rows"][1:]]


@pytest.mark.parametrize(("name", "typed"), LISTS, ids=[one[1] for one in LISTS])
async def test_an_odd_row_hides_no_other_and_is_marked(tmp_path: Path, name: str, typed: str) -> None:
    """All rows are there, each of the others as before. `targets` shows names, which can be read."""
    async with world(tmp_path, only=(name,), agents=True) as env:
        before = rows_of(await env.does(typed, ""))
        assert len(before) > 1
        spoil(env.planes[name])
        card = await env.does(typed, "")
        after = rows_of(card)
        assert len(after) == len(before)
        assert len(set(before) - set(after)) <= (0 if typed.startswith("targets") else 1)
        assert MARK in shown(card) or typed.startswith("targets")


async def test_odd_runs_do_not_make_a_healthy_agent_look_ill(tmp_path: Path) -> None:
    """Prefactor's status needs the agent, not the list of its instances."""
    async with world(tmp_path, only=("pre",)) as env:
        for _ in range(2):
            await env.does("status pre:invoice-reader", "✅ *status pre:invoice-reader*", "Active")
            spoil(env.planes["pre"])
