"""Every command of every page runs in a fresh folder, as a reader has it who followed the page so far.

The folder is that of a bot which has worked and is stopped; its Slack workspace and control plane still answer. What can't run
here is in `NOT_RUN`, each with its reason and with what is checked instead.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.program import Program
from tests.docs import ROOT, blocks
from tests.world import World, world

# Beginning of the command -> why it isn't run here.
NOT_RUN = {
    "make ": "the demo, this suite and the benchmarks: other tests run them; `make -n` shows that the target exists",
    "python3 -m venv": "installs packages",
    ". .venv/bin/activate": "installs packages",
    "pip install": "installs packages; the lock file has to have a hash for each",
    "sudo python3 -m venv": "installs packages",
    "sudo /srv/signalbox/.venv/bin/pip install": "installs packages",
    ".venv/bin/python -m pytest": "a part of this suite; the files have to exist",
    "SIGNALBOX_REWRITE_DOCS=1 python -m pytest": "rewrites the pages that this suite reads; the file has to exist",
    "ssh ": "needs a host to connect to",
    "curl ": "asks the host of the line before",
    "systemctl ": "needs systemd",
    "sudo systemctl ": "needs systemd; the unit has to name the program that the page installs",
    "sudo useradd ": "needs the right to add a user",
    "datasette ": "a program of others; the file that it opens has to be there",
    "signalbox store copy ": "needs a PostgreSQL of that name; the tests of the command copy between real stores",
    "signalbox store prepare ": "needs a PostgreSQL of that name; tests/store/postgres/test_roles.py prepares a real database",
    "sudo -u postgres create": "makes a role and a database on a server of the system",
    "pg_dump ": "needs a PostgreSQL of that name; tests/store/postgres/test_restored.py dumps and restores a real database",
    "pg_restore ": "as pg_dump",
    "python -m tests.faults.pooled": "measures for minutes, with a package that the program doesn't use",
    "export ": "sets secrets that the folder has already",
}
PAGES = sorted({block.page for block in blocks("sh")})
HEAD = "4711:" + "0123456789abcdef" * 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stopped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A bot that has done something and is stopped."""
    async with world(tmp_path_factory.mktemp("docs")) as env:
        await env.does("start acc:shop/prices -- once", "start acc:shop/prices", "Succeeded")
        await env.quiet()
        newest = env.audit()[-1]
        env.environ["HEAD"] = f"{newest.seq}:{newest.hash}"
        await env.bot.close()
        yield env
        await env.start()  # the world closes it again


def commands(page: str) -> list[str]:
    """The commands of a page, one a line; comments are cut off."""
    text = "\n".join(block.text for block in blocks("sh") if block.page == page).replace("\\\n", " ")
    return [line for line in (re.sub(r"\s+# .*", "", line).strip() for line in text.splitlines()) if line]


def reason(command: str) -> str | None:
    """Why the command isn't run here."""
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


def fresh(env: World, folder: Path) -> dict[str, str]:
    """Fill the folder with what a reader has; the environment of the commands."""
    shutil.copytree(env.folder, folder, dirs_exist_ok=True)
    for name in ("signalbox.example.toml", "policy.example.toml", "requirements.lock", "Makefile"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(folder / "policy.toml", folder / "policy.new.toml")
    (folder / "demo-data").mkdir()
    shutil.copy(folder / "signalbox.db", folder / "demo-data")
    tools = folder / "tools"
    tools.mkdir()
    program = tools / "signalbox"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m bot "$@"\n')
    program.chmod(0o755)
    for place in (folder, folder / "srv"):
        (place / ".venv" / "bin").mkdir(parents=True)
        shutil.copy(program, place / ".venv" / "bin")
    return {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder), **env.environ}


async def ran(command: str, folder: Path, environ: dict[str, str], program: Program) -> tuple[int | None, str]:
    """Exit code and output. `run` is stopped once it is ready. A command that needs no shell is forked from a process that has
    everything imported already."""
    if re.match(r"\S*\bsignalbox (?!run\b)[^$<>|&;]*$", command):
        name, *arguments = shlex.split(command)
        assert shutil.which(name, path=environ["PATH"]), command
        ended = await program(*arguments, folder=folder, environ=environ)
        return ended.code, ended.out + ended.err
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        f"umask 077; {command}" if command != "signalbox run" else "exec signalbox run",
        cwd=folder,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if command == "signalbox run":
        assert process.stdout is not None
        seen = b""
        async with asyncio.timeout(60):
            while b"ready" not in seen and (line := await process.stdout.readline()):
                seen += line
        process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("page", PAGES)
async def test_every_command_of_the_page_runs(page: str, stopped: World, tmp_path: Path, program: Program) -> None:
    environ = fresh(stopped, tmp_path)
    for written in commands(page):
        if reason(written) is not None:
            continue
        command = re.sub(r"^sudo (-u signalbox )?", "", written).replace("/srv/signalbox", str(tmp_path / "srv"))
        command = command.replace(HEAD, environ["HEAD"])
        if re.match(r"signalbox (check|run|do|why)\b", command):  # the examples name a real Slack
            for name in ("signalbox.toml", "policy.toml"):
                shutil.copy(stopped.folder / name, tmp_path)
        code, output = await ran(command, tmp_path, environ, program)
        assert code == 0, f"{page}: {written}\n{output}"


def test_what_is_not_run_is_there() -> None:
    """Targets of make, tests, and the lock file with a hash for each package."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = [command for page in PAGES for command in commands(page) if reason(command) is not None]
    for command in found:
        words = command.split()
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), command
        assert all((ROOT / word).is_file() for word in words if word.startswith("tests/")), command
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=[a-z])", lock) if "==" in part)


def test_every_reason_is_needed() -> None:
    found = [command for page in PAGES for command in commands(page)]
    unused = [start for start in NOT_RUN if not any(command.startswith(start) for command in found)]
    assert not unused
