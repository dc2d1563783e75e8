"""The database is deleted, replaced or rolled back under the running bot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.world import World, shown


async def _ready(env: World) -> int:
    host, port = env.bot.connections.address
    async with aiohttp.ClientSession() as http, http.get(f"http://{host}:{port}/readyz") as reply:
        return reply.status


def _deleted(db: Path, _old: Path) -> None:
    db.unlink()


def _wal_deleted(db: Path, _old: Path) -> None:
    db.with_name(f"{db.name}-wal").unlink()


def _replaced(db: Path, old: Path) -> None:
    db.unlink()
    shutil.copy(old, db)


def _rolled_back(db: Path, old: Path) -> None:
    db.write_bytes(old.read_bytes())
    db.with_name(f"{db.name}-wal").write_bytes(b"")


@pytest.mark.parametrize("loss", [_deleted, _wal_deleted, _replaced, _rolled_back])
async def test_a_lost_database_stops_every_request_and_is_told(env: World, loss: Callable[[Path, Path], None]) -> None:
    """Nothing is sent, the person is told why, the security channel hears of it once, and a load balancer sends no more."""
    db, old = env.folder / "signalbox.db", env.folder / "older"
    shutil.copy(db, old)
    await env.does("status acc:shop/prices", "shop/prices")
    await env.quiet()
    assert await _ready(env) == 200
    loss(db, old)
    before = len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")])
    await env.say("start acc:shop/prices -- after the loss")
    await env.sees("deleted, replaced or overwritten", "nothing was done")

    def alarms() -> list[str]:
        texts = [shown(message) for message in env.ana.messages("C0SEC")]
        return [text for text in texts if "Every request is refused" in text]

    assert await env.until(alarms)
    assert len(alarms()) == 1
    assert await _ready(env) == 503
    assert len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")]) == before
