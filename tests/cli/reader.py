"""A person who follows a page: types its commands one after the other on a fresh machine, and writes the files that it shows.

The machine is a folder. PostgreSQL, Python, pip, make, curl and SQLite are the real ones; `tools/` stands for the others.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bot.store.postgres.server import LocalServer
from tests.cli.program import Program, Running
from tests.docs import ROOT
from tests.postgres import administrate
from tests.waiting import until
from tests.world import World

TOOLS = Path(__file__).parent / "tools"
# What goes on until Ctrl-C -> what it says when it is ready.
LASTS = {
    r"(\S*/)?signalbox run$": "ready",
    r"\S+ -m bot demo --port": "Signalbox is running",
    r"ssh -N ": "",
    r"datasette ": "Uvicorn running",
}
WAIT = 120.0  # seconds for a program to get ready, on a busy machine
OURS = re.compile(r"(?:sudo -u signalbox )?(\S*\bsignalbox|\.venv/bin/python -m bot) ([^$<>|&;]*)(?:> (\S+))?$")


class Reader:
    """`environ` is that of the shell, which the commands change. `places` are words of a page -> what they are here."""

    def __init__(self, folder: Path, env: World, program: Program, places: dict[str, str], wheels: Path) -> None:
        self.folder, self._env, self._program = folder, env, program
        self.system = folder / "system"
        self.places = {"/srv/signalbox": f"{folder}/srv/signalbox", "/etc/signalbox": f"{folder}/etc", **places}
        self._server: LocalServer | None = None
        self._lasting: list[Running | asyncio.subprocess.Process] = []
        self.environ = {
            **{name: value for name, value in os.environ.items() if name == "TMPDIR"},
            "PATH": f"{folder}/tools:{os.environ['PATH']}",
            "HOME": str(folder),
            "SYSTEM": str(self.system),
            "WHEELS": str(wheels),
            "PIP_NO_INDEX": "1",
            "PIP_NO_COMPILE": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PORT": "0",
            **env.environ,
        }
        for name in ("units", "services"):
            (self.system / name).mkdir(parents=True)
        (self.system / "passwd").write_text("root\npostgres\n")
        (folder / "srv").mkdir()
        for tool in TOOLS.glob("[!_]*.py"):
            self._tool(tool.stem, f"{sys.executable} {tool}")

    def _tool(self, name: str, command: str) -> None:
        place = self.folder / "tools" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        place.chmod(0o755)

    def has_the_program(self) -> None:
        """`signalbox` is on the PATH, from this source."""
        self._tool("signalbox", f"env PYTHONPATH={ROOT} {sys.executable} -m bot")

    def has_the_user(self) -> None:
        """The user of the page about Socket Mode is there."""
        (self.system / "passwd").write_text("root\npostgres\nsignalbox\n")

    def has_a_service(self, unit: str) -> None:
        """The service of the page about Socket Mode is installed, with a copy of the bot's folder."""
        home = Path(self.places["/srv/signalbox"])
        shutil.copytree(self._env.folder, home)
        (home / ".venv/bin").mkdir(parents=True)
        shutil.copy(self.folder / "tools/signalbox", home / ".venv/bin")
        (home / "environment").write_text("".join(f"{name}={value}\n" for name, value in self._env.environ.items()))
        self.unit(
            unit.replace("[Service]\n", "[Service]\nEnvironmentFile=/srv/signalbox/environment\n"), "signalbox.service"
        )

    def has_postgres(self, server: LocalServer) -> None:
        """This server is on the database's machine, which is this one."""
        self._server = server
        host = str(server._socket)
        self.environ |= {"PATH": f"{self.environ['PATH']}:{server.binaries}", "PGHOST": host}
        self.environ |= dict.fromkeys(("PGPASSWORD", "SIGNALBOX_DB_PASSWORD"), "secret")

    def here(self, text: str) -> str:
        """The text with the places that it has here."""
        for there, place in self.places.items():
            text = text.replace(there, place)
        if self._server is not None:
            url = self._server.url
            text = re.sub(r"postgresql://(\w+)@db\.internal/(\w+)", lambda found: url(found[2], found[1]), text)
        return text

    def sql(self, text: str) -> None:
        """Run it: as a superuser of PostgreSQL, or on the copy of the audit log that the page makes."""
        commands = [command for command in text.split(";\n") if command.strip()]
        if self._server is not None:
            administrate(self._server, *commands)
            return
        with closing(sqlite3.connect(f"{(self.folder / 'audit-copy.db').as_uri()}?mode=ro", uri=True)) as connection:
            for command in commands:
                connection.execute(command).fetchall()

    def unit(self, text: str, name: str) -> None:
        """Write a unit, and the files that its comments name."""
        (self.system / "units" / name).write_text(self.here(text).replace("/usr/bin/ssh", f"{self.folder}/tools/ssh"))
        for file, holds in re.findall(r"# (\S+)/HOST holds (.+)", self.here(text)):
            Path(file).mkdir(parents=True)
            Path(file, "warehouse-7.example.com").write_text(f"{self.here(holds)}\n")

    def settings(self, text: str) -> None:
        """Change the references of `signalbox.toml` and the address of its store to those of the page."""
        home = Path(self.places["/srv/signalbox"])
        home = home if (home / "signalbox.toml").exists() else self.folder
        file = home / "signalbox.toml"
        made = file.read_text()
        if "[store]" in text:
            made = re.sub(r"\[store\]\nurl = .*\n", lambda _: self.here(text), made)
        if "file:secrets/" in text:
            for name in set(re.findall(r'"env:(\w+)"', made)):
                secret = home / "secrets" / name.lower().replace("_", "-")
                made = made.replace(f'"env:{name}"', f'"file:secrets/{secret.name}"')
                if not secret.exists():
                    secret.touch(mode=0o600)
                    secret.write_text(self._env.environ[name])
            assert all(reference in made for reference in re.findall('"file:secrets/.*"', text))
        file.write_text(made)

    def _fill_in(self) -> None:
        """The ids and tokens of this Slack and this control plane, in place of those of the example."""
        for name in ("signalbox", "policy"):
            file, example = self.folder / f"{name}.toml", ROOT / f"{name}.example.toml"
            if file.exists() and file.read_bytes() == example.read_bytes():
                shutil.copy(self._env.folder / f"{name}.toml", file)

    async def types(self, written: str) -> str:
        """Run the command; what it printed. AssertionError when it fails."""
        command = self.here(written)
        command = re.sub(
            r'^export (\w+)=".*"', lambda found: f'export {found[1]}="{self._env.environ[found[1]]}"', command
        )
        if re.match(r"signalbox (check|run|do|why)\b", command):
            self._fill_in()
        if command.startswith("make "):
            await self.stops()
            code, printed = await self._shell(f"make --dry-run --no-print-directory {command[5:]}")
            assert code == 0, printed
            return "".join([await self.types(line) for line in printed.splitlines()])
        if any(re.match(start, command) for start in LASTS):
            await self.stops()
            return await self._begins(command)
        if "systemctl" in command:
            await self.stops()
        if ours := OURS.match(command):
            name, arguments, file = ours.groups()
            place = name.split()[0]
            assert shutil.which(place, path=self.environ["PATH"]) or (self.folder / place).exists(), place
            ended = await self._program(*shlex.split(arguments), folder=self.folder, environ=self.environ)
            if file:
                (self.folder / file).write_text(ended.out)
            code, printed = ended.code, ended.out + ended.err
        else:
            code, printed = await self._shell(command)
        assert code == 0, f"{written}\n{printed}"
        return printed

    async def _process(self, script: str, output: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            script,
            cwd=self.folder,
            env=self.environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # no terminal: passwords are read from the input
        )

    async def _shell(self, command: str) -> tuple[int | None, str]:
        """Run it in a shell, whose environment stays. Its input is what a person would type or paste."""
        kept = self.system / "environ"
        process = await self._process(
            f"umask 077\n{command}\ncode=$?; env -0 > {kept}; exit $code", asyncio.subprocess.PIPE
        )
        typed = "secret\nsecret\n" if "--pwprompt" in command else self._env.environ["SLACK_BOT_TOKEN"]
        output, _ = await process.communicate(typed.encode() if re.search("--pwprompt|/dev/stdin", command) else b"")
        self.environ = dict(line.split("=", 1) for line in kept.read_text().split("\0") if line)
        return process.returncode, output.decode()

    async def _begins(self, command: str) -> str:
        """Run it until it is ready."""
        words = next(words for start, words in LASTS.items() if re.match(start, command))
        forwarded = re.search(r"-L ([\d.]+):(\d+):", command)
        if ours := OURS.match(command):
            forked = self._program.begin(*shlex.split(ours[2]), folder=self.folder, environ=self.environ)
            self._lasting.append(forked)
            await until(lambda: words in forked.said(), WAIT)
            return forked.said()
        printed = self.system / "printed"
        with printed.open("wb") as file:
            # Ctrl-C ends it as in a terminal, also where the tests were started with that signal ignored.
            process = await self._process(f"exec env --default-signal=INT {command}", file.fileno())
        self._lasting.append(process)

        def ready() -> bool:
            return words in printed.read_text() and (not forwarded or listens(forwarded[1], int(forwarded[2])))

        await until(lambda: ready() or process.returncode is not None, WAIT)
        assert process.returncode is None, printed.read_text()
        return printed.read_text()

    async def stops(self) -> None:
        """Press Ctrl-C in the terminal in which something goes on."""
        while self._lasting:
            running = self._lasting.pop(0)
            if isinstance(running, Running) or running.returncode is None:
                os.kill(running.pid, signal.SIGINT)
            if isinstance(running, Running):
                ended = await running.ended()
                assert ended.code == 0, ended
            else:
                await asyncio.wait_for(running.wait(), WAIT)

    async def leaves(self) -> None:
        """Stop everything. Services have to run until then, and those of the program have to get ready and end well."""
        try:
            await self._closes()
        finally:  # nothing goes on after a page that is wrong
            pids = [one.pid for one in self._lasting if isinstance(one, Running) or one.returncode is None]
            services = (self.system / "services").glob("*.pid")
            for pid in (*pids, *(int(one.read_text()) for one in services if not one.with_suffix(".ended").exists())):
                os.kill(pid, signal.SIGKILL)

    async def _closes(self) -> None:
        await self.stops()
        if self._server is not None:
            drop = "DROP DATABASE IF EXISTS signalbox WITH (FORCE)", "DROP ROLE IF EXISTS signalbox_owner, signalbox"
            administrate(self._server, *drop)
        for file in (self.system / "services").glob("*.log"):
            of_the_program = file.stem == "signalbox"
            if of_the_program:
                log, ended = file.read_text, file.with_suffix(".ended").exists
                await until(lambda: "ready" in log() or ended(), WAIT)  # noqa: B023  called at once
            assert not file.with_suffix(".ended").exists(), file.read_text()
            code, printed = await self._shell(f"systemctl stop {file.stem}")
            assert code == 0 or not of_the_program, printed + file.read_text()


def listens(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
