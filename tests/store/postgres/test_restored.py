"""After a restore or a failover the last commits may be missing: what is unfinished is not run again."""

from __future__ import annotations

from pathlib import Path

from bot.core.ports.store import CLUSTER, StoreAddress
from bot.store.open import open_store
from tests.store.samples import intent, operation, row
from tests.world import World, world


def ends(env: World, request_id: str) -> list[str | None]:
    """The codes of the outcomes of a request."""
    found = env.audit(request_id=request_id)
    return [entry.code for entry in found if entry.event in ("done", "failed", "reconciled", "abandoned")]


async def test_after_a_restore_unfinished_requests_are_not_run(tmp_path: Path, database_url: str) -> None:
    async with world(tmp_path, store=database_url) as env:
        now = env.bot.clock.now()
        assert await env.bot.store.value(CLUSTER) is not None
        await env.bot.close()
        store = open_store(StoreAddress(database_url))
        for name in ("begun", "sent"):
            asked = intent(name).model_copy(update={"at": now})
            await store.accept(asked, [row(request_id=name)], begun=True)
        idempotent = operation("sent").model_copy(update={"idempotent": True, "timeout": 1.0})
        await store.sending("sent", idempotent, row(request_id="sent"), now)
        await store.set_value(CLUSTER, {"cluster": "another/00000001", "changed_at": ""}, now)
        await store.close()
        await env.start()
        await env.sees("The database was restored or failed over", user="U0ROOT", channel="C0SEC")
        await env.until(lambda: ends(env, "begun") == ["restored"])
        await env.until(lambda: ends(env, "sent"))
        assert not [call for call in env.acc.requests if call.raw_path.endswith("/cluster/start")]
        await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await env.restart()
        assert len(env.audit(event="restored")) == 1
