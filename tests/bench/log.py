"""A large log through the whole program: asked for in Slack, streamed from the control plane, masked, streamed to Slack."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot import config
from bot.app import Bot
from bot.runtime import event_loop
from tests.bench.bars import Measure
from tests.bench.memory import Most, resident

SMALL = 100_000


async def run(megabytes: float) -> list[Measure]:
    """Ask for a log of that size, after one that is small: what is loaded on the first use is no part of the number."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with _around(folder) as around:
            environ = await around.answer()
            bot = Bot(config.load(folder / "signalbox.toml", environ), environ)
            try:
                await bot.start()
                await around.log(SMALL)
                event_loop.settle()
                idle = resident()
                with Most() as memory:
                    began, spent = time.perf_counter(), time.process_time()
                    sent = await around.log(int(megabytes * 1e6))
                    took, spent = time.perf_counter() - began, time.process_time() - spent
            finally:
                await bot.close()
    return [
        (f"a log of {megabytes:g} MB, from the request to its file in Slack", took, "s", ""),
        ("the file of it in Slack", sent / 1e6, "MB", ""),
        ("processor", spent / megabytes * 1000, "ms a MB", ""),
        ("memory, idle", idle, "MB", ""),
        ("memory, the most above idle", memory.megabytes - idle, "MB", "< 60"),
    ]


class Around:
    """The process with the workspace and the planes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self) -> Any:
        """The next line that it says."""
        if self._process.stdout is None:
            raise RuntimeError("the world around has no pipes")
        return json.loads(await self._process.stdout.readline())

    async def log(self, size: int) -> int:
        """Somebody asks for a log of `size` bytes; the size of the file that came of it."""
        if self._process.stdin is None:
            raise RuntimeError("the world around has no pipes")
        self._process.stdin.write(f"{size}\n".encode())
        await self._process.stdin.drain()
        return int(await self.answer())


@asynccontextmanager
async def _around(folder: Path) -> AsyncIterator[Around]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.around",
        str(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Around(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
