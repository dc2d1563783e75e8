"""A look that worked and found something broken is bad news: the card's colour and first words are those of the target."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.world import world

Break = Callable[[Any], None]


def _breaks_server(plane: Any) -> None:
    plane.servers = [replace(one, key="another-not-a-secret") for one in plane.servers]


def _breaks_service(plane: Any) -> None:
    plane.service("eu-1", "Data Integration Server").phase = "error"


def _breaks_agent(plane: Any) -> None:
    plane.agents[0].active = False


def _breaks_gateway(plane: Any) -> None:
    plane.connected = dict.fromkeys(plane.connected, False)


def _retires(plane: Any) -> None:
    next(iter(plane.agents.values())).retired = True


def _breaks_connection(plane: Any) -> None:
    plane.server_state = "NOT_CONNECTED"


def _connects_all(plane: Any) -> None:
    plane.connected = dict.fromkeys(plane.connected, True)


LOOKS: tuple[tuple[str, str, Break, str, str], ...] = (
    ("acc", "health acc:server/server-1", _breaks_server, "✅ Answers", "❌ Error"),
    ("infa", 'status infa:eu-1/"Data Integration Server"', _breaks_service, "✅ Running", "❌ In an error state"),
    ("infa", "status infa:agent/eu-1", _breaks_agent, "✅ Active", "❌ Not active"),
    ("itn", "status itn:gateway/cluster_1", _breaks_gateway, "✅ Enabled and connected", "❌ Enabled and disconnected"),
    (
        "itn",
        "connections itn:",
        _breaks_gateway,
        "✅ 2 of 2 gateways are connected",
        "❌ 0 of 2 gateways are connected",
    ),
    ("pre", "status pre:invoice-reader", _retires, "✅ Active", "⚠️ Retired"),
    ("res", "status res:", _breaks_connection, "✅ Connected", "❌ Not connected"),
)


@pytest.mark.parametrize(("name", "typed", "breaks", "good", "bad"), LOOKS, ids=[look[1] for look in LOOKS])
async def test_colour_and_first_words_are_the_state_of_the_target(
    tmp_path: Path, name: str, typed: str, breaks: Break, good: str, bad: str
) -> None:
    async with world(tmp_path, only=(name,)) as env:
        if name == "itn":
            _connects_all(env.planes[name])
        for expected in (good, bad):
            sign, words = expected.split(" ", 1)
            card = await env.does(typed, sign, words)
            head = card["blocks"][0]["text"]["text"]
            assert head.startswith(f"{sign} *{typed.replace(chr(34), '')}*")
            assert re.split(r"\*(?: - |\n)", head)[1].startswith(words), head
            assert "Done" not in head
            breaks(env.planes[name])
