"""The tour of `make demo TOUR=1`, played in this process."""

from __future__ import annotations

import asyncio
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest

from bot import plugins
from bot.cli.main import main
from bot.core.records import Filters
from bot.demo.run import MARKER, claim, demo_command, running_demo, welcome
from bot.demo.tour import STEPS, play
from bot.playground.workspace import Workspace
from tests.cli.program import Program
from tests.docs import recipe
from tests.fork_server import ForkServer
from tests.http_client.proxy import forward_proxy
from tests.own_time import OwnTimeLoop
from tests.test_language import banned_in


def test_the_tour_sees_every_effect_on_the_planes_in_slack_and_in_the_audit_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make demo TOUR=1` ends with 0, shows every kind and one approval by a second person."""
    seen: list[Any] = []

    async def played(workspace: Workspace, planes: dict[str, Any], *more: Any) -> int:
        seen.extend((workspace, planes))
        return await play(workspace, planes, *more)

    monkeypatch.setattr("bot.demo.run.play", played)
    monkeypatch.setattr(asyncio, "run", asyncio.Runner(loop_factory=OwnTimeLoop).run)
    *program, demo, option = recipe("make demo TOUR=1")
    assert program == [".venv/bin/python", "-m", "bot"]
    monkeypatch.setattr(OwnTimeLoop, "hurries", True)  # make has ended
    result = main([demo, option])
    text = capsys.readouterr().out
    assert result == 0, text
    workspace, planes = seen
    messages = [str(one.body) for channel in workspace.core.state.channels.values() for one in channel.messages]
    assert len(messages) > len(STEPS)
    assert not banned_in("\n".join([text, *messages]))
    assert {plane.kind for plane in planes.values()} == set(plugins.kinds())
    assert {step.backend for step in STEPS} == set(planes)
    assert any(press.label == "Approve" and press.user != step.user for step in STEPS for press in step.presses)
    assert "MISSING" not in text


async def test_a_second_demo_leaves_the_data_of_a_running_one_alone(tmp_path: Path) -> None:
    """It says what to do, and takes nothing away."""
    lines: list[str] = []
    folder = tmp_path / "demo"
    async with running_demo(folder):
        before = sorted(path.name for path in folder.iterdir())
        assert demo_command(folder, 0, fresh=True, tour=False, say=lines.append) == 1
        assert sorted(path.name for path in folder.iterdir()) == before
    assert "already running" in lines[0]


async def test_a_demo_whose_store_cannot_be_used_says_why(tmp_path: Path) -> None:
    """Here the head of another audit log is beside it, as after a restore. Nothing runs there, and it doesn't say so."""
    lines: list[str] = []
    folder = tmp_path / "demo"
    async with running_demo(folder):
        pass
    (folder / "signalbox.db.head").write_text(f"99:{'0' * 64}\n")
    assert demo_command(folder, 0, tour=False, say=lines.append) == 1
    assert "entry 99 of its audit log is missing" in lines[0]
    assert "delete signalbox.db.head" in lines[0]
    assert "already running" not in lines[0]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_the_demo_did_not_make_is_refused_and_left_alone(tmp_path: Path, fresh: bool) -> None:
    """The folder of a stopped bot looks like this."""
    for name in ("signalbox.db", "signalbox.toml", "policy.toml", "notes.txt"):
        (tmp_path / name).write_text("mine")
    lines: list[str] = []
    assert demo_command(tmp_path, 0, fresh=fresh, tour=False, say=lines.append) == 1
    assert "The demo didn't make" in lines[0]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("signalbox.db", "signalbox.toml", "policy.toml", "notes.txt"), "mine"
    )


async def test_messages_rules_and_the_audit_log_stay_between_starts(tmp_path: Path) -> None:
    """Unless `make demo FRESH=1` forgets them."""
    folder = tmp_path / "demo"
    async with running_demo(folder) as env:
        ana = env.workspace.person("U0ANA")
        await ana.command("C0CRAWL", "/ops start acc:shop/prices -- once")
        await ana.wait_for(lambda one: [m for m in one.messages("C0CRAWL") if "start acc:shop/prices" in str(m)])
    (folder / "policy.toml").write_text((folder / "policy.toml").read_text() + "# mine\n")
    for mine in ("notes.txt", "secrets/production-token", "signalbox.notes"):
        (folder / mine).write_text("mine")
    async with running_demo(folder) as env:
        assert any("start acc:shop/prices" in str(m) for m in env.workspace.person("U0ANA").messages("C0CRAWL"))
        assert any(entry.reason == "once" for entry in env.bot.store.search_sync(Filters(), limit=500))
        assert "# mine" in (folder / "policy.toml").read_text()
    claim(folder, fresh=True)
    assert sorted(path.name for path in folder.iterdir()) == [MARKER, "notes.txt", "secrets", "signalbox.notes"]
    assert [path.name for path in (folder / "secrets").iterdir()] == ["production-token"]


async def test_the_command_line_works_against_a_running_demo(tmp_path: Path, fork_server: ForkServer) -> None:
    """Every command that the demo prints, without a token in the environment."""
    program = Program(fork_server, tmp_path)
    folder = tmp_path / "my demo"
    async with running_demo(folder) as env:
        commands = [shlex.split(line)[3:] for line in welcome(folder, env.workspace.base_url) if " -m bot " in line]
        assert {words[0] for words in commands} == {"why", "do", "audit", "check"}
        for words in commands:
            ended = await program(*words, folder=tmp_path)
            assert ended.code == (1 if words[0] == "why" else 0), ended  # labs/new is denied
            assert "Traceback" not in ended.err
    assert {path.stat().st_mode & 0o777 for path in (folder / "secrets").iterdir()} == {0o600}


async def test_the_demo_runs_where_a_company_sets_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything of the demo is on loopback: Web API, websockets, response_url, files and control planes."""
    async with forward_proxy() as proxy:
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with running_demo(tmp_path / "demo") as env:
            ana = env.workspace.person("U0ANA")
            await ana.command("C0CRAWL", "/ops logs acc:shop/prices@last")
            await ana.wait_for(lambda one: env.workspace.files)
            await ana.command("C0CRAWL", "/ops whoami")
            await ana.wait_for(lambda one: [m for m in one.messages("C0CRAWL") if "Who you are" in str(m)])
    assert proxy.asked == []


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    """With the words that take another one."""
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo_command(tmp_path / "demo", port, tour=False, say=lines.append) == 1
    assert f"make demo PORT={port + 1}" in lines[0]
