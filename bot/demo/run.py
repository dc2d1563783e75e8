"""`signalbox demo`: a local Slack workspace, simulated control planes, and the bot, connected as in production."""

import asyncio
import contextlib
import errno
import json
import logging
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot import config
from bot.app import Bot
from bot.core.errors import Problem
from bot.core.ports.services import Clock
from bot.core.records import Filters
from bot.demo.replicas import replicas_in
from bot.demo.tour import play
from bot.features.access.policy_reload import SETTLED
from bot.playground.planes.common import CONSOLE, Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, SeedExample, Workspace
from bot.playground.workspace.snapshot import put_back, taken
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.open import open_store

Print = Callable[[str], None]
MARKER: Final = ".signalbox-demo"
CONFIG_FILE: Final = "signalbox.toml"
POLICY_FILE: Final = "policy.toml"
WORKSPACE_FILE: Final = "workspace.json"
SECRETS: Final = "secrets"
# What demos write into their folder; `--fresh` deletes nothing else.
_FILES: Final = re.compile(
    r"policy\.toml|workspace\.json(\.part)?|signalbox\.db(-wal|-shm|\.head|\.head\.new|\.lock|\.writing)?"
    r"|signalbox(\.replica-\d+)?\.toml|replica-\d+\.log"
)
_FOLDERS: Final = re.compile(r"postgres|signalbox(\.[\w.-]+)?\.spool")
_TOKENS: Final = re.compile(r"SLACK_(BOT|APP)_TOKEN|[A-Z]+_(TOKEN|PASSWORD|SERVER_\d+)")

POLICY: Final = Path(__file__).with_name(POLICY_FILE).read_text(encoding="utf-8")
EXAMPLES: Final = tuple(
    SeedExample(title, f"/ops {text}", "U0ANA", "C0CRAWL")
    for title, text in (
        ("Start a run", "start acc:shop/prices -- monthly price check"),
        ("Read the log of a failed run", "logs acc:labs/broken@failed tail=20"),
        ("Pause its schedules for 2 hours", "schedule off acc:shop/prices for=2h -- the shop is closed"),
        ("Ask a lead for approval", "agent approve acc:labs/new -- tested in staging"),
        ("See why something is denied", "start acc:labs/new"),
    )
)


@dataclass(frozen=True, slots=True)
class Demo:
    """The running parts of a demo."""

    workspace: Workspace
    planes: dict[str, Any]
    bot: Bot
    folder: Path


def backend_table(plane: Plane, *, agents: bool = False) -> tuple[str, dict[str, str]]:
    """The `[[backend]]` table of a simulated control plane, and the environment variables that its references need.

    `agents` lists the agents of an ACC, whose API has no list, and links cards to the plane's console.
    """
    name, prefix = plane.name, plane.name.upper()
    lines = [f'name = "{name}"', f'kind = "{plane.kind}"']
    environ: dict[str, str] = {}
    if plane.kind == "informatica":
        lines.append(f'login_url = "{plane.base_url}"')
    else:
        lines.append(f'base_url = "{plane.base_url}"')
    if plane.kind in ("sequentum", "prefactor"):
        lines.append(f'token = "env:{prefix}_TOKEN"')
        environ[f"{prefix}_TOKEN"] = str(getattr(plane, "token", ""))
    if agents and (acc := getattr(plane, "world", None)) is not None:
        lines.append(f"agents = {json.dumps(list(acc.by_path))}")
        lines.append('inputs = { "shop/prices" = ["region", "currency"] }')
    if agents:
        lines.append(f'console = "{plane.base_url}{CONSOLE}{{kind}}/{{id}}"')
    if plane.kind in ("informatica", "itential"):
        lines += [f'username = "{getattr(plane, "username", "")}"', f'password = "env:{prefix}_PASSWORD"']
        environ[f"{prefix}_PASSWORD"] = str(getattr(plane, "password", ""))
    for index, server in enumerate(getattr(plane, "servers", ())):
        key = f"{prefix}_SERVER_{index}"
        environ[key] = server.key
        lines += [
            "",
            "[[backend.servers]]",
            f'name = "server-{index + 1}"',
            f'key = "env:{key}"',
            f'ip_address = "{server.ip_address}"',
            f"port = {server.port}",
            f"use_ssl = {str(server.use_ssl).lower()}",
        ]
    return "[[backend]]\n" + "\n".join(lines) + "\n", environ


def write_config(
    folder: Path, workspace: Workspace, planes: tuple[Plane, ...], policy: str, *, agents: bool = False
) -> dict[str, str]:
    """Write signalbox.toml and policy.toml, and return the environment with the tokens."""
    environ = {"SLACK_BOT_TOKEN": workspace.bot_token, "SLACK_APP_TOKEN": workspace.app_token}
    text = f"""\
[slack]
mode = "socket"
team = "{workspace.team_id}"
bot_token = "env:SLACK_BOT_TOKEN"
app_token = "env:SLACK_APP_TOKEN"
api_url = "{workspace.api_url}"
response_hosts = ["{workspace.host}"]
listen = "127.0.0.1:0"
metrics_listen = "127.0.0.1:0"
security_channel = "C0SEC"
incident_channel = "C0INC"

[store]
url = "sqlite:///signalbox.db"

[policy]
file = "policy.toml"
"""
    for plane in planes:
        table, more = backend_table(plane, agents=agents)
        text += "\n" + table
        environ |= more
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    rules = folder / POLICY_FILE
    rules.write_text(policy, encoding="utf-8")
    # Nobody edits this file now: as one of an earlier time it is in force at once, not after the bot's SETTLED seconds.
    written = rules.stat().st_mtime - SETTLED
    os.utime(rules, (written, written))
    return environ


class NotOurs(Exception):
    """The folder has files that the demo didn't make."""


def claim(folder: Path, *, fresh: bool = False) -> None:
    """Make the folder of a demo, or accept one that a demo made. Raises NotOurs for any other.

    `fresh` removes what earlier demos wrote there, and nothing else.
    """
    marker = folder / MARKER
    if not marker.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NotOurs
        folder.mkdir(parents=True, exist_ok=True)
        marker.write_text("The Signalbox demo made this folder and may replace its own files here.\n", encoding="utf-8")
    if fresh:
        kept = folder / SECRETS
        tokens = [path for path in kept.glob("*") if _TOKENS.fullmatch(path.name)]
        for path in (*(path for path in folder.iterdir() if _FILES.fullmatch(path.name)), *tokens):
            path.unlink()
        with contextlib.suppress(OSError):  # there is none, or it has other files too
            kept.rmdir()
        for path in folder.iterdir():
            if path.is_dir() and _FOLDERS.fullmatch(path.name):
                shutil.rmtree(path)


def _save(folder: Path, workspace: Workspace) -> None:
    part = folder / f"{WORKSPACE_FILE}.part"
    part.write_text(json.dumps(taken(workspace.core.state)), encoding="utf-8")
    part.replace(folder / WORKSPACE_FILE)


async def _keep_saving(folder: Path, workspace: Workspace, clock: Clock) -> None:
    """Save the workspace after changes, at most every two seconds."""
    changed = asyncio.Event()
    workspace.core.state.listeners.append(lambda change: changed.set())
    while True:
        await changed.wait()
        changed.clear()
        _save(folder, workspace)
        await clock.sleep(2)


@dataclass(frozen=True, slots=True)
class Outside:
    """The surroundings of a bot: a workspace, control planes by name, and the environment with their tokens."""

    workspace: Workspace
    planes: dict[str, Any]
    environ: dict[str, str]


@asynccontextmanager
async def outside(folder: Path, *, port: int = 0, policy: str = POLICY, first: int = 0) -> AsyncIterator[Outside]:
    """Start workspace and control planes, whose runs count from `first`, and write a bot's configuration for them."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(Workspace(replace(DEMO_SEED, examples=EXAMPLES), port=port))
        planes = demo_planes(workspace.clock, first)
        for plane in planes:
            await stack.enter_async_context(plane)
            workspace.register_plane(plane)
        environ = write_config(folder, workspace, planes, policy, agents=True)
        yield Outside(workspace, {plane.name: plane for plane in planes}, environ)


@asynccontextmanager
async def _surroundings(folder: Path, port: int) -> AsyncIterator[Outside]:
    """Workspace and control planes as the last demo left them in the folder, which keeps messages and rules. Raises NotOurs."""
    claim(folder)
    rules = folder / POLICY_FILE
    policy = rules.read_text(encoding="utf-8") if rules.exists() else POLICY
    # Ids of new runs never repeat, at a hundred a second: the store remembers those of earlier starts.
    first = int(SystemClock().now().timestamp() * 100)
    async with outside(folder, port=port, policy=policy, first=first) as around:
        kept = folder / WORKSPACE_FILE
        if kept.exists():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                put_back(around.workspace.core.state, json.loads(kept.read_text(encoding="utf-8")))
        # Put the tokens into files, so that every command works in another terminal.
        place = folder / SECRETS
        place.mkdir(mode=0o700, exist_ok=True)
        text = (folder / CONFIG_FILE).read_text(encoding="utf-8")
        for name, value in around.environ.items():
            (place / name).touch(mode=0o600)
            (place / name).write_text(value, encoding="utf-8")
            text = text.replace(f'"env:{name}"', f'"file:{SECRETS}/{name}"')
        (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
        saving = TaskQueue()
        saving.serve(_keep_saving(folder, around.workspace, SystemClock()), "demo")
        try:
            yield around
        finally:
            await saving.stop_services()
            _save(folder, around.workspace)


@asynccontextmanager
async def running_demo(folder: Path, *, port: int = 0) -> AsyncIterator[Demo]:
    """Start workspace, control planes and bot. The folder keeps messages, rules and the audit log. Raises NotOurs."""
    async with _surroundings(folder, port) as around:
        bot = Bot(config.load(folder / CONFIG_FILE, around.environ), around.environ)
        try:
            await bot.start()
            yield Demo(around.workspace, around.planes, bot, folder)
        finally:
            await bot.close()


@asynccontextmanager
async def running_replicas(folder: Path, number: int, *, port: int = 0) -> AsyncIterator[Outside]:
    """The same with that many replicas on a PostgreSQL in the folder. Raises NotOurs, and Problem without PostgreSQL."""
    async with _surroundings(folder, port) as around, replicas_in(folder, number) as replicas:
        around.workspace.register_processes(replicas)
        yield around


def demo_command(folder: Path, port: int, *, fresh: bool = False, tour: bool, replicas: int = 1, say: Print) -> int:
    """Run the demo until Ctrl-C, or play the tour in a temporary folder."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    if tour:
        with tempfile.TemporaryDirectory() as place:
            return asyncio.run(_tour(Path(place) / "demo", say))
    try:
        if (folder / MARKER).exists() and (folder / "signalbox.db").exists():
            open_store(str(folder / "signalbox.db"), exclusive=True).close_sync()
        claim(folder, fresh=fresh)
        return asyncio.run(_stay(folder, port, replicas, say))
    except Problem as problem:
        running = (
            f"A demo is already running in {folder}/. Stop it with Ctrl-C, or use another folder: --data demo-data-2"
        )
        said = f"{problem.summary} {problem.hint}".rstrip()
        say(f"  {running if problem.code == 'store_locked' else said}")
    except NotOurs:
        say(f"  The demo didn't make {folder}/, so it changes nothing there. Use another folder: --data demo-data-2")
    except OSError as taken_port:
        if taken_port.errno != errno.EADDRINUSE:
            raise
        say(
            f"  Port {port} is in use. Stop the program that listens there, or use another port: make demo PORT={port + 1}"
        )
    return 1


async def _stay(folder: Path, port: int, replicas: int, say: Print) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    several = replicas > 1
    async with running_replicas(folder, replicas, port=port) if several else running_demo(folder, port=port) as here:
        # As strict as Slack. The tour is not: it types a command a second, and Slack takes one post a second and channel.
        here.workspace.enforce_limits()
        for line in welcome(folder, here.workspace.base_url):
            say(line)
        if several:
            say(f"  {replicas} replicas: click Control planes on the page to kill, pause and deploy them.\n")
        sys.stdout.flush()
        await stopping.wait()
        say("Stopping.")
    return 0


def welcome(folder: Path, url: str) -> tuple[str, ...]:
    """The text that the demo prints at its start."""
    python = os.path.relpath(sys.executable)
    program = f"{python if len(python) < len(sys.executable) else sys.executable} -m bot"
    place, where = "--channel C0CRAWL --user U0ANA", f"--config {shlex.quote(str(folder / CONFIG_FILE))}"
    return (
        "",
        f"  Signalbox is running. Open  {url}/",
        "  As Ana, in #crawl-ops, press one of the examples, or type   /ops start acc:shop/prices",
        "",
        "  In another terminal:",
        f'    {program} why "start acc:labs/new" {place} {where}',
        f'    {program} do "status acc:shop/prices" {place} {where}',
        f"    {program} audit search shop {where}",
        f"    {program} check {where}",
        "",
        f"  Messages, rules (policy.toml) and the audit log stay in {folder}/; the control planes are reset at each start.",
        "  make demo FRESH=1 starts from nothing. Ctrl-C stops.",
        "",
    )


async def _tour(folder: Path, say: Print) -> int:
    async with running_demo(folder) as here:
        with contextlib.suppress(KeyboardInterrupt):
            return await play(
                here.workspace, here.planes, lambda: here.bot.store.search_sync(Filters(), limit=500), say
            )
    return 1
