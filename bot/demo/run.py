"""`signalbox demo`: a local Slack workspace, simulated control planes, and the bot that joins them like any other."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot import config
from bot.app import Bot
from bot.core.records import Filters
from bot.demo.tour import play
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.store.sqlite.errors import StoreProblem
from bot.store.sqlite.lock import single

Print = Callable[[str], None]

POLICY: Final = """\
# The rules of the demo. Change them while it runs: they are in force within seconds.
version = 1

[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
admins = ["U0ROOT"]

[[channel]]
id = "C0CRAWL"
note = "#crawl-ops: the crawl team works here"

  [[channel.allow]]
  verbs = ["risk:read", "logs", "data"]
  targets = ["*"]
  who = ["*"]

  [[channel.allow]]
  verbs = ["start", "retry", "restart", "schedule *", "input *", "pause", "resume", "create", "set"]
  targets = ["acc:shop/*", "acc:news/*", "itn:*", "infa:*", "pre:*", "res:*"]
  who = ["crawl"]

  [[channel.allow]]
  verbs = ["stop", "mark", "agent *", "retire", "reinstate", "delete", "tag", "destroy", "gateway *", "group *", "cert *"]
  targets = ["*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }

  [[channel.deny]]
  verbs = ["start"]
  targets = ["acc:labs/new"]
  because = "labs/new is not approved yet; ask Lee."

[[channel]]
id = "C0INC"
note = "#incident-42: everybody may act, stops need nobody"

  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]

[breakglass]
who = ["admins"]
max = "1h"
review_within = "72h"

[administrators]
who = ["admins", "leads"]
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything that runs in a demo."""

    workspace: Workspace
    planes: dict[str, Any]
    bot: Bot
    folder: Path


def backend_table(plane: Plane) -> tuple[str, dict[str, str]]:
    """The `[[backend]]` table of a simulated plane and the environment that its references need."""
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


def write_config(folder: Path, workspace: Workspace, planes: tuple[Plane, ...], policy: str) -> dict[str, str]:
    """signalbox.toml and policy.toml for this demo; the environment with its tokens."""
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
        table, more = backend_table(plane)
        text += "\n" + table
        environ |= more
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signalbox.toml").write_text(text, encoding="utf-8")
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    os.utime(folder / "policy.toml", (0, 0))  # written whole: the start need not wait until it has settled
    return environ


@dataclass(frozen=True, slots=True)
class Outside:
    """What is around a bot: a workspace, planes by name, and the environment with their tokens."""

    workspace: Workspace
    planes: dict[str, Any]
    environ: dict[str, str]


@asynccontextmanager
async def outside(folder: Path, *, port: int = 0, policy: str = POLICY) -> AsyncIterator[Outside]:
    """Workspace and planes, and in `folder` the configuration of a bot that joins them."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(Workspace(DEMO_SEED, port=port))
        planes = demo_planes(workspace.clock)
        for plane in planes:
            await stack.enter_async_context(plane)
            workspace.register_plane(plane)
        environ = write_config(folder, workspace, planes, policy)
        yield Outside(workspace, {plane.name: plane for plane in planes}, environ)


@asynccontextmanager
async def running_demo(folder: Path, *, port: int = 0, policy: str = POLICY) -> AsyncIterator[Demo]:
    """Workspace, planes and bot, joined. `folder` keeps the configuration and the audit log."""
    async with outside(folder, port=port, policy=policy) as around:
        bot = Bot(config.load(folder / "signalbox.toml", around.environ), around.environ)
        try:
            await bot.start()
            yield Demo(around.workspace, around.planes, bot, folder)
        finally:
            await bot.close()


def demo_command(folder: Path, port: int, *, fresh: bool = False, tour: bool, say: Print) -> int:
    """0 when it ran (and the tour saw everything), 1 otherwise."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    if (folder / "signalbox.db").exists():
        try:
            single(str(folder / "signalbox.db")).close()
        except StoreProblem:
            say(f"  A demo is running in {folder}/ already. Stop it with Ctrl-C, or say --data another-folder.")
            return 1
        shutil.rmtree(folder)
    try:
        return asyncio.run(_tour(folder, say) if tour else _stay(folder, port, say))
    except OSError as taken:
        if taken.errno != errno.EADDRINUSE:
            raise
        say(f"  Port {port} is taken. Stop what listens there, or say: make demo PORT={port + 1}")
        return 1


async def _stay(folder: Path, port: int, say: Print) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    async with running_demo(folder, port=port) as here:
        say("")
        say(f"  Signalbox runs. Open  {here.workspace.base_url}/")
        say("  Pick Ana, stay in #crawl-ops, and type   /ops start acc:shop/prices")
        say(f"  Everything is kept in {folder}/ (rules: policy.toml, register: signalbox.db). Ctrl-C stops.")
        say("")
        sys.stdout.flush()
        await stopping.wait()
        say("Stopping.")
    return 0


async def _tour(folder: Path, say: Print) -> int:
    async with running_demo(folder) as here:
        with contextlib.suppress(KeyboardInterrupt):
            return await play(
                here.workspace, here.planes, lambda: here.bot.store.search_sync(Filters(), limit=500), say
            )
    return 1
