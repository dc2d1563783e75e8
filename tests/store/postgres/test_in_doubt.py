"""A person who was told that nothing is done is right, also when the database had committed the request."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.postgres import LocalServer
from tests.store.postgres.proxy import Proxy
from tests.world import world


async def test_a_request_whose_commit_was_in_doubt_does_not_run_later(
    tmp_path: Path, postgres: LocalServer, database_url: str
) -> None:
    """The commit's answer is lost and the database stays away until nobody waits for it anymore."""
    with tempfile.TemporaryDirectory(prefix="sb-px-") as folder:
        proxy = Proxy(Path(folder), postgres.folder)
        url = database_url.partition("?")[0] + f'?host={folder}"\nlease = 3 # "'
        async with world(tmp_path, store=url) as env:
            await env.does("status acc:shop/prices", "shop/prices")
            state = {"sent": 0}

            def cut(direction: str, data: bytes) -> bool:
                """The request is sent first, its audit entry with the COMMIT second."""
                state["sent"] += direction == "to" and b"doubtful" in data
                return state["sent"] >= 2 and direction == "from"

            proxy.cut = cut
            await env.say("start acc:shop/prices -- doubtful")
            await env.bot.clock.sleep(13)
            assert state["sent"] >= 2
            proxy.cut = lambda _direction, _sent: False
            await env.until(lambda: [row.code for row in env.audit(event="abandoned")] == ["too_late"], 12)
            await env.restart()
            await env.does("status acc:shop/prices", "shop/prices")
            assert not [call for call in env.acc.requests if call.raw_path.endswith("/cluster/start")]
        proxy.close()
