"""After a restore or a failover the last commits may be missing: what is unfinished is not run again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.core.ports.store import CLUSTER, StoreAddress
from bot.store.open import open_store
from tests.postgres import LocalServer
from tests.store.samples import intent, operation, row
from tests.world import GROUPS, World, labels, world

pytestmark = pytest.mark.usefixtures("patient")

ASKS = f"""\
{GROUPS}
[[channel]]
id = "C0CRAWL"
[[channel.allow]]
verbs = ["start"]
targets = ["*"]
who = ["crawl"]
approvals = {{ count = 1, from = ["leads"] }}
[[channel.allow]]
verbs = ["status", "input clear"]
targets = ["*"]
who = ["crawl"]
"""


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


class Backup:
    """A dump of a database, which is restored into the same server."""

    def __init__(self, server: LocalServer, url: str, folder: Path) -> None:
        self._server, self._url, self._file = server, url, folder / "dump"
        self._run("pg_dump", "--format=custom", f"--file={self._file}", self._url)

    def _run(self, program: str, *options: str) -> None:
        subprocess.run([self._server.binaries / program, *options], check=True, timeout=200)

    def restore(self) -> None:
        """As the page about backups says, but without stopping anything."""
        options = ("--clean", "--if-exists", "--single-transaction", f"--dbname={self._url}")
        self._run("pg_restore", *options, str(self._file))


NOTICE = "The database was restored or failed over"


async def test_a_dump_that_is_restored_into_the_same_server_is_noticed(
    tmp_path: Path, postgres: LocalServer, database_url: str
) -> None:
    """What waited for a decision in the dump may have run since: it is void, and says why."""
    async with world(tmp_path, store=database_url, policy=ASKS) as env:
        asked = await env.does("start acc:shop/prices -- month end", "wants to run `start acc:shop/prices`")
        assert "Approve" in labels(asked)
        danger = await env.does("input clear acc:shop/stock", "Run it")
        await env.quiet()
        backup = Backup(postgres, database_url, tmp_path)
        await env.person("U0LEE").press_label("C0CRAWL", asked["ts"], "Approve")
        await env.sees("start acc:shop/prices", "Succeeded")
        await env.bot.close()
        backup.restore()
        before = len(env.acc.requests)
        await env.start()
        await env.sees(NOTICE, "void", user="U0ROOT", channel="C0SEC")
        await env.sees("start acc:shop/prices", "the database was restored after the request")
        await env.ana.press_label("C0CRAWL", danger["ts"], "Run it")
        await env.sees("The database was restored after the request", "Look at the target")
        assert not [call for call in env.acc.requests[before:] if call.method != "GET"]
        await env.restart()
        assert len(env.audit(event="restored")) == 1


async def test_a_running_bot_notices_that_its_database_was_restored(
    tmp_path: Path, postgres: LocalServer, database_url: str
) -> None:
    """It starts anew by itself; the entries that it knows of are missing."""
    async with world(tmp_path, store=database_url) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        await env.quiet()
        backup = Backup(postgres, database_url, tmp_path)
        await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        backup.restore()
        await env.sees(NOTICE, "has lost entries", user="U0ROOT", channel="C0SEC", timeout=30)
        await env.does("start acc:news/feed", "start acc:news/feed", "Succeeded")
        assert len(env.audit(event="restored")) == 1
        assert env.bot.store.verify_sync().ok


async def test_a_cut_tail_is_found_by_the_published_head(tmp_path: Path) -> None:
    """Also of a file: nothing on this machine knows of the entries that are missing."""
    async with world(tmp_path) as env:
        await env.sees("Head of the audit log", user="U0ROOT", channel="C0SEC")
        await env.bot.close()
        backup = (tmp_path / "signalbox.db").read_bytes()
        await env.start()
        await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await env.bot.store.set_value("head:published", "yesterday", env.bot.clock.now())
        await env.restart()
        await env.until(lambda: len(env.audit(event="head_published")) == 2)
        head = env.audit(event="head_published")[-1].detail
        await env.sees(str(head), user="U0ROOT", channel="C0SEC")
        await env.bot.close()
        (tmp_path / "signalbox.db").write_bytes(backup)
        (tmp_path / "signalbox.db.head").unlink()
        await env.start()
        await env.sees(NOTICE, f"{head}", "is missing", user="U0ROOT", channel="C0SEC")
        await env.restart()
        assert len(env.audit(event="restored")) == 1
