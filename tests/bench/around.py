"""The world around a bot, the demo's workspace and planes, in a process of its own: its memory is not the bot's.

Started with a folder. Answers with one line of JSON, the environment for a bot that is configured by the files in that folder.
Then it reads orders, one number a line: somebody asks for a log of so many bytes; the answer is the size of the file that came.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from bot.demo.run import Outside, outside
from bot.runtime.clock import SystemClock

AGENT: Final = "shop/prices"
PATIENCE: Final = 600.0


async def serve(folder: Path) -> None:
    """Until standard input ends."""
    async with outside(folder) as around:
        _say(around.environ)
        while line := await asyncio.to_thread(sys.stdin.readline):
            _say(await _log(around, int(line)))


async def _log(around: Outside, size: int) -> int:
    """Ana asks for the log of the newest run; the size of the file that Slack got, in bytes."""
    around.planes["acc"].agent(AGENT).log_bytes = size
    before = set(around.workspace.files)
    await around.workspace.person("U0ANA").command("C0CRAWL", f"/ops logs acc:{AGENT}@last")
    clock = SystemClock()
    async with asyncio.timeout(PATIENCE):
        while not (new := set(around.workspace.files) - before):
            await clock.sleep(0.05)
    return int(around.workspace.files[new.pop()].size)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
