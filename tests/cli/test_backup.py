"""The page about backups: its commands are run as they are written."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.docs import blocks
from tests.world import World

ROOT = Path(__file__).parents[2]
PAGE = "docs/how-to/back-up-and-restore.md"


async def shell(folder: Path, script: str) -> str:
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    program = tools / "signalbox"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m bot "$@"\n')
    program.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-e",
        cwd=folder,
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(script.encode())
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_commands_of_the_page_make_a_private_backup_that_verifies(env: World) -> None:
    await env.does("start acc:shop/prices -- once", "start acc:shop/prices")
    make, check, *_ = [block.text for block in blocks("sh") if block.page == PAGE]  # the others are about PostgreSQL
    newest = env.audit()[-1]
    head = f"{newest.seq}:{newest.hash}"
    await shell(env.folder, make)
    made = env.folder / "backups" / "monday"
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in made.iterdir()} == dict.fromkeys(
        ("signalbox.db", "signalbox.toml", "policy.toml"), "0o600"
    )
    old = next(word for word in check.split() if ":" in word)
    assert "the chain is intact" in await shell(env.folder, check.replace(old, head))
