"""The tour of `make demo TOUR=1`, played in this process."""

from __future__ import annotations

import socket
from pathlib import Path

from bot import plugins
from bot.core.records import Filters
from bot.demo.run import demo_command, running_demo
from bot.demo.tour import STEPS, play


async def test_the_tour_sees_every_effect_on_the_planes_in_slack_and_in_the_audit_log(tmp_path: Path) -> None:
    """It ends with 0, shows every kind and one approval by a second person."""
    said: list[str] = []
    async with running_demo(tmp_path / "demo") as here:
        audit = here.bot.store
        result = await play(here.workspace, here.planes, lambda: audit.search_sync(Filters(), limit=500), said.append)
        assert result == 0, "\n".join(said)
        assert {plane.kind for plane in here.planes.values()} == set(plugins.kinds())
    assert {step.backend for step in STEPS} == set(here.planes)
    assert any(press.label == "Approve" and press.user != step.user for step in STEPS for press in step.presses)
    assert not any("MISSING" in line for line in said)


async def test_a_second_demo_leaves_the_data_of_a_running_one_alone(tmp_path: Path) -> None:
    """It says what to do, and takes nothing away."""
    said: list[str] = []
    folder = tmp_path / "demo"
    async with running_demo(folder):
        before = sorted(path.name for path in folder.iterdir())
        assert demo_command(folder, 0, tour=True, say=said.append) == 1
        assert sorted(path.name for path in folder.iterdir()) == before
    assert "is running" in said[0]


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    """With the words that take another one."""
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo_command(tmp_path / "demo", port, tour=False, say=said.append) == 1
    assert said == [f"  Port {port} is taken. Stop what listens there, or say: make demo PORT={port + 1}"]
