"""A simulated platform and the backend joined to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.backends.itential import PLUGIN
from bot.playground.planes.itential import ItentialPlane, Script
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined

SCHEMA = {
    "type": "object",
    "required": ["action"],
    "additionalProperties": False,
    "properties": {
        "action": {"type": "string", "enum": ["apply", "destroy"], "description": "What to do"},
        "workers": {"type": "integer", "minimum": 1, "maximum": 8, "default": 2},
    },
}
PEM = "-----BEGIN CERTIFICATE-----\nMIIBplayground\n-----END CERTIFICATE-----"
LEAKY = Script(stdout='{"changed": 1}\nconnecting with password=hunter2-not-a-secret\n')
FAILING = Script(return_code=1, stdout="step 1\n", stderr="no route to host\n")


@pytest.fixture
def clock() -> TwinClock:
    return TwinClock()


@pytest.fixture
async def plane(clock: TwinClock) -> AsyncIterator[ItentialPlane]:
    plane = ItentialPlane("itn", clock=clock.plane, strict=True)
    plane.add_gateway("cluster_1")
    plane.add_gateway("cluster_2", connected=False)
    plane.add_service("my-tofu-service", sort="opentofu-plan", decorator=SCHEMA)
    plane.add_service("backup", scripts=(LEAKY,))
    plane.add_service("check", scripts=(FAILING, Script()))
    plane.add_service("twice", "cluster_1")
    plane.add_service("twice", "cluster_2")
    async with plane:
        yield plane


@pytest.fixture
async def itn(plane: ItentialPlane, clock: TwinClock, tmp_path: Path) -> AsyncIterator[Joined]:
    table = {"base_url": plane.base_url, "username": plane.username, "password": plane.password}
    async with joined(PLUGIN, "itn", clock, tmp_path, **table) as made:
        yield made


def effects(plane: ItentialPlane) -> list[tuple[str, str]]:
    return [(deed.action, deed.subject) for deed in plane.effects]
