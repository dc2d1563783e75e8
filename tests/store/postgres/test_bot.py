"""A whole bot on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from bot.core.ports.store import StoreAddress
from tests.world import world


async def test_a_command_an_approval_and_the_audit_log_work_on_postgresql(
    tmp_path: Path, address: StoreAddress
) -> None:
    async with world(tmp_path, store=address.url) as env:
        assert env.bot.store.shared
        await env.does("start acc:shop/prices -- late prices", "start acc:shop/prices", "Succeeded")
        await env.until(lambda: "ended" in env.events("start"))
        assert env.events("start")[:2] == ["requested", "sent"]
        assert env.bot.store.verify_sync(env.bot.store.head_sync()).ok
