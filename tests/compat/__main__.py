"""`make compat`: Bolt for JavaScript against the playground, and the cards against the types of @slack/types.

It needs Node and npm. The packages of package-lock.json are installed into a temporary folder; the lock names each one's
hash and no address. After a change of package.json: `npm install --package-lock-only --omit-lockfile-registry-resolved`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.playground.workspace import DEMO_SEED, Workspace

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "render" / "golden"
FILES = ("app.mjs", "package.json", "package-lock.json")
UNTYPED = {"data_visualization"}  # @slack/types 3.2.0 has no type for it; Slack's reference of blocks has it


def main() -> int:
    """0 if everything works, 1 if something doesn't, with what went wrong. Without Node it says so and does nothing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("Node is not installed: Bolt for JavaScript was not tried.")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("Installing Bolt for JavaScript, a few seconds")
        for file in FILES:
            shutil.copy(HERE / file, folder)
        options = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund")
        subprocess.run([npm, "ci", *options], cwd=folder, check=True, timeout=300)
        failures = [*asyncio.run(_bolt(folder)), *_types(folder)]
    for failure in failures:
        print(f"FAIL {failure}")
    return 1 if failures else 0


async def _bolt(folder: Path) -> list[str]:
    async with Workspace(DEMO_SEED) as ws:
        environ = {**os.environ, "BOT_TOKEN": ws.bot_token, "APP_TOKEN": ws.app_token, "API_URL": ws.api_url}
        process = await asyncio.create_subprocess_exec("node", "app.mjs", cwd=folder, env=environ)
        try:
            await ws.wait_connected(timeout=30)
            ana = ws.person("U0ANA")
            await ana.command("C0CRAWL", "/ops status acc:shop/prices")
            posted = await ana.post("C0CRAWL", "<@U0BOT> hello")
            wanted = ("command: status acc:shop/prices", "mention: <@U0BOT> hello")
            try:
                await ana.wait_for(lambda person: _seen(person.messages("C0CRAWL", posted.ts), wanted[1]))
                await ana.wait_for(lambda person: _seen(person.messages("C0CRAWL"), wanted[0]))
            except AssertionError as missing:
                return [f"Bolt for JavaScript: {missing}"]
        finally:
            process.terminate()
            await process.wait()
    print("ok   Bolt for JavaScript: a command and a mention are answered")
    return []


def _seen(messages: list[dict[str, object]], text: str) -> bool:
    return any(message["text"] == text for message in messages)


def _types(folder: Path) -> list[str]:
    """Each golden card, without the blocks that have no type, as a TypeScript constant of the type KnownBlock[]."""
    cards = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json"))}
    for card in cards.values():
        card["blocks"] = [block for block in card["blocks"] if block["type"] not in UNTYPED]
    lines = ['import type { KnownBlock } from "@slack/types";']
    lines += [f"export const {name}: KnownBlock[] = {json.dumps(card['blocks'])};" for name, card in cards.items()]
    (folder / "cards.ts").write_text("\n".join(lines), encoding="utf-8")
    command = ["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "cards.ts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        return [f"@slack/types: {line}" for line in done.stdout.splitlines()[:20]]
    print(f"ok   @slack/types: {len(cards)} cards compile")
    return []


if __name__ == "__main__":
    sys.exit(main())
