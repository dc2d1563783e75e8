"""A whole bot on PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import psycopg
import pytest

from bot import config
from bot.cli.do import do
from bot.core.ports.store import StoreAddress
from tests.cli.program import Program
from tests.world import World, world

pytestmark = pytest.mark.usefixtures("patient")


async def terminal(env: World, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What `signalbox do` returns and prints."""
    monkeypatch.chdir(folder)
    lines: list[str] = []
    settings = config.load(env.folder / "signalbox.toml", env.environ)
    code = await do(settings, env.environ, text, "C0CRAWL", "U0ANA", yes=False, say=lines.append)
    return code, "\n".join(lines)


async def test_a_command_an_approval_and_the_audit_log_work_on_postgresql(
    tmp_path: Path, address: StoreAddress
) -> None:
    async with world(tmp_path, store=address.url) as env:
        assert env.bot.store.shared
        await env.does("start acc:shop/prices -- late prices", "start acc:shop/prices", "Succeeded")
        await env.until(lambda: "ended" in env.events("start"))
        assert env.events("start")[:2] == ["requested", "sent"]
        assert env.bot.store.verify_sync(env.bot.store.head_sync()).ok


async def test_a_command_in_the_terminal_is_its_own_beside_the_leader(
    tmp_path: Path, address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call takes longer than the leader needs to find requests on which nobody works."""
    async with world(tmp_path, store=address.url) as env:
        await env.acc.set_fault({"fault": "delay", "seconds": 3.0, "match": "cluster/start$"})
        code, output = await terminal(env, "start acc:shop/prices", tmp_path, monkeypatch)
        assert (code, "Started" in output or "Running" in output) == (0, True), output
        assert [one for one in env.events("start") if one != "ended"] == ["requested", "sent", "done"]
        assert sum(call.raw_path.endswith("/cluster/start") for call in env.acc.requests) == 1
        assert env.bot.leadership.leads
        with psycopg.connect(address.url) as connection:
            rows = connection.execute("SELECT state FROM signalbox.replicas ORDER BY epoch").fetchall()
        assert rows == [("live",), ("left",)]


async def test_check_says_how_many_replicas_and_websockets_there_are(
    tmp_path: Path, address: StoreAddress, program: Program
) -> None:
    async with world(tmp_path, store=address.url) as env:
        checked = await program("check", folder=env.folder, environ=env.environ)
        assert "ok    store: 1 replica with 2 websockets; Slack allows 10" in checked.out, checked.out
        assert "ok    replicas: up to 5 in socket mode" in checked.out
        toml = env.folder / "signalbox.toml"
        toml.write_text(toml.read_text().replace("[slack]", "[slack]\nconnections = 6", 1))
        checked = await program("check", folder=env.folder, environ=env.environ)
        assert "warn  replicas: `connections = 6` allows 1 of them" in checked.out, checked.out


async def test_a_replica_whose_writes_get_no_answer_is_not_ready(tmp_path: Path, address: StoreAddress) -> None:
    """Its heartbeat goes on, but acks would come too late. When writes are answered again, so is `/readyz`."""
    async with world(tmp_path, store=address.url) as env, aiohttp.ClientSession() as session:

        async def ready(status: int) -> None:
            host, port = env.bot.connections.address
            async with asyncio.timeout(60):
                while True:
                    async with session.get(f"http://{host}:{port}/readyz") as reply:
                        if reply.status == status:
                            return
                    await asyncio.sleep(0.05)

        await ready(200)
        async with await psycopg.AsyncConnection.connect(address.url) as other:
            await other.execute("SELECT 1 FROM signalbox.chain FOR UPDATE")
            await env.say("status acc:shop/prices")
            await ready(503)
            assert env.bot.leadership.surely()
        await ready(200)
