"""A sixth kind of control plane, built from docs/how-to/add-a-control-plane.md alone, works from Slack to the wire and back."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

import bot.backends
from tests.docs import ROOT, blocks
from tests.world import World, world

PAGE = ROOT / "docs" / "how-to" / "add-a-control-plane.md"
FILE = re.compile(r"# bot/backends/nightly/(\w+\.py)\n")


class Nightly:
    """The vendor, as the page's table describes it: jobs by name, a token, 409 for a job that runs."""

    def __init__(self) -> None:
        self.jobs = {"report": "idle", "backup": "broken"}
        self.started: list[str] = []
        self.url = ""

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/api/jobs", self.list)
        made.router.add_get("/api/jobs/{name}", self.one)
        made.router.add_post("/api/jobs/{name}/start", self.start)
        return made

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer not-a-real-token":
            raise web.HTTPUnauthorized

    async def list(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response([{"name": name, "state": state} for name, state in self.jobs.items()])

    async def one(self, request: web.Request) -> web.Response:
        self._check(request)
        name = request.match_info["name"]
        if name not in self.jobs:
            raise web.HTTPNotFound
        return web.json_response({"name": name, "state": self.jobs[name]})

    async def start(self, request: web.Request) -> web.Response:
        self._check(request)
        name = request.match_info["name"]
        if self.jobs.get(name) == "running":
            return web.json_response({"error": "the job is running"}, status=409)
        self.jobs[name] = "running"
        self.started.append(name)
        return web.json_response({"name": name, "state": "running"})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The page's Python files as a package of bot.backends, gone again after the test."""
    package = tmp_path / "backends" / "nightly"
    package.mkdir(parents=True)
    for block in blocks("python"):
        if ROOT / block.page == PAGE and (name := FILE.match(block.text)):
            (package / name[1]).write_text(block.text, encoding="utf-8")
    bot.backends.__path__.append(str(package.parent))
    importlib.invalidate_caches()
    yield package
    bot.backends.__path__.remove(str(package.parent))
    for module in [name for name in sys.modules if name.startswith("bot.backends.nightly")]:
        del sys.modules[module]
    vars(bot.backends).pop("nightly", None)


@pytest.fixture
async def nightly() -> AsyncIterator[Nightly]:
    made = Nightly()
    runner = web.AppRunner(made.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def joined(folder: Path, nightly: Nightly, tmp_path: Path) -> AsyncIterator[World]:
    """A running bot whose configuration has the page's table."""
    async with world(tmp_path / "world") as env:
        await env.bot.close()
        table = next(
            block.text for block in blocks("text") if ROOT / block.page == PAGE and "[[backend]]" in block.text
        )
        config = env.folder / "signalbox.toml"
        text = config.read_text(encoding="utf-8") + "\n" + table.replace("https://nightly.example.com", nightly.url)
        config.write_text(text, encoding="utf-8")
        env.environ["NIGHT_TOKEN"] = "not-a-real-token"
        await env.start()
        yield env


async def test_a_control_plane_built_from_the_page_alone_is_operated_from_slack(
    joined: World, nightly: Nightly
) -> None:
    await joined.does("start night:report", "start night:report", "report was started.")
    assert nightly.started == ["report"]
    await joined.does("status night:backup", "❌", "Broken")
    await joined.does("start night:report", "the job is running")
    await joined.does("targets night", "night:report", "night:backup")
    await joined.does("help night", "Start a job")
    assert nightly.started == ["report"]
