"""The database goes away while a request is in progress. What its person is told in the end is true."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.ports.store import StoreAddress
from bot.intents import intake
from bot.playground.workspace import transport
from bot.store.open import open_store
from tests.faults.link import FROM, Link
from tests.postgres import LocalServer
from tests.store.postgres.proxy import Proxy
from tests.store.samples import row
from tests.world import World, world

GIVES_UP_AFTER = 13.0  # seconds, with a lease of 3


@asynccontextmanager
async def joined(folder: Path, postgres: LocalServer, store_url: str) -> AsyncIterator[tuple[World, Proxy]]:
    """A bot that reaches its database through a proxy."""
    with tempfile.TemporaryDirectory(prefix="sb-px-") as front:
        proxy = Proxy(Path(front), postgres.folder)
        url = store_url.partition("?")[0] + f'?host={front}"\nlease = 3 # "'
        async with world(folder, store=url) as env:
            await env.does("status acc:shop/prices", "shop/prices")
            yield env, proxy
        proxy.close()


class Cut:
    """Loses every answer once the entry of this event was sent, together with its COMMIT."""

    def __init__(self, event: bytes) -> None:
        self._event = len(event).to_bytes(4) + event  # as a parameter of a statement
        self.happened = False

    def __call__(self, direction: str, data: bytes) -> bool:
        self.happened = self.happened or (direction == "to" and self._event in data and b"doubtful" in data)
        return self.happened and direction == "from"


def starts(env: World) -> int:
    """How many starts the control plane got."""
    return sum(call.raw_path.endswith("/cluster/start") for call in env.acc.requests)


def outcomes(env: World) -> list[tuple[str, str | None]]:
    """The outcomes of starts."""
    found = [entry for entry in env.audit() if entry.verb == "start"]
    return [(str(one.event), one.code) for one in found if one.event in ("done", "failed", "unknown", "abandoned")]


async def test_a_request_whose_commit_was_in_doubt_does_not_run_later(
    tmp_path: Path, postgres: LocalServer, store_url: str
) -> None:
    """The commit's answer is lost and the database stays away until nobody waits for it anymore. The ack doesn't say that
    nothing is done, and a card says it later."""
    async with joined(tmp_path, postgres, store_url) as (env, proxy):
        proxy.cut = cut = Cut(b"requested")
        receipt = await env.say("start acc:shop/prices -- doubtful")
        assert "If it has your request, a card appears here soon" in str(receipt.body)
        await env.bot.clock.sleep(GIVES_UP_AFTER)
        assert cut.happened
        proxy.cut = lambda _direction, _sent: False
        await env.until(lambda: [row.code for row in env.audit(event="abandoned")] == ["too_late"])
        await env.sees("Nothing was done: I answered too late", "start acc:shop/prices")
        await env.restart()
        await env.does("status acc:shop/prices", "shop/prices")
        assert starts(env) == 0


async def test_a_call_that_was_recorded_too_late_is_not_made_and_its_person_is_told(
    tmp_path: Path, postgres: LocalServer, store_url: str
) -> None:
    """`sent` is in the audit log, but its commit was in doubt for so long that the call isn't made."""
    async with joined(tmp_path, postgres, store_url) as (env, proxy):
        proxy.cut = cut = Cut(b"sent")
        await env.say("start acc:shop/prices -- doubtful")
        await env.bot.clock.sleep(GIVES_UP_AFTER)
        assert cut.happened
        proxy.cut = lambda _direction, _sent: False
        await env.sees("start acc:shop/prices", "Failed: nothing was sent")
        assert outcomes(env) == [("failed", "store_in_doubt")]
        assert starts(env) == 0
        assert len(await env.bot.store.unfinished()) == 0


async def test_the_outcome_of_a_call_waits_for_the_database(
    tmp_path: Path, postgres: LocalServer, store_url: str
) -> None:
    """The database goes away during the call and stays away for longer than a unit is tried again."""
    async with joined(tmp_path, postgres, store_url) as (env, proxy):
        await env.acc.set_fault({"fault": "delay", "seconds": 2.0, "match": "cluster/start$"})
        await env.say("start acc:shop/prices -- long")
        await env.until(lambda: starts(env) == 1)
        proxy.cut = lambda _direction, _sent: True
        await env.bot.clock.sleep(GIVES_UP_AFTER)
        proxy.cut = lambda _direction, _sent: False
        await env.sees("start acc:shop/prices", "Succeeded")
        assert outcomes(env) == [("done", None)]
        assert starts(env) == 1


async def test_a_command_is_answered_in_time_when_the_store_answers_nothing(
    tmp_path: Path, postgres: LocalServer, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be stored later, so its ack doesn't say that nothing is done. On a busy machine, Slack waits here as long as it
    takes."""
    monkeypatch.setattr(transport, "ACK_SECONDS", 60.0)
    async with joined(tmp_path, postgres, store_url) as (env, proxy):
        proxy.cut = lambda _direction, _sent: True
        receipt = await env.say("start acc:shop/prices -- doubtful")
        assert "If it has your request, a card appears here soon; otherwise nothing is done" in str(receipt.body)
        proxy.cut = lambda _direction, _sent: False
        monkeypatch.setattr(intake, "IN_TIME", timedelta(minutes=1))
        monkeypatch.setattr(intake, "PATIENCE", timedelta(minutes=1))
        await env.does("status acc:shop/prices", "shop/prices")
        await env.until(lambda: env.events("start") in ([], ["requested", "abandoned"]))
        assert starts(env) == 0


async def test_a_form_is_answered_in_time_when_the_store_answers_no_read(
    tmp_path: Path, postgres: LocalServer, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ACK_SECONDS", 60.0)
    async with joined(tmp_path, postgres, store_url) as (env, proxy):
        await env.say("")
        await env.ana.wait_for(lambda one: one.modal())
        await env.ana.choose("modal", action_id="suggest_target", block_id="target", value="acc:shop/prices")
        await env.ana.choose("modal", action_id="suggest_verb", block_id="verb", value="start")
        await env.ana.wait_for(lambda one: "param:input" in str(one.modal()))
        proxy.cut = lambda _direction, _sent: True
        receipt = await env.ana.submit("modal", {"reason": "doubtful"})
        assert "The audit log did not answer in time, so nothing was done" in str(receipt), receipt
        proxy.cut = lambda _direction, _sent: False
        monkeypatch.setattr(intake, "IN_TIME", timedelta(minutes=1))
        monkeypatch.setattr(intake, "PATIENCE", timedelta(minutes=1))
        await env.does("status acc:shop/prices", "shop/prices")
        assert env.events("start") == []
        assert starts(env) == 0


async def test_a_write_whose_answer_never_comes_is_made_once(postgres: LocalServer, store_url: str) -> None:
    """A proxy on the way keeps the connection open, and lets nothing pass."""
    link = await Link(postgres.folder).open()
    name = store_url.partition("?")[0].rpartition("/")[2]
    store = await asyncio.to_thread(
        open_store, StoreAddress(f"postgresql://postgres@127.0.0.1:{link.port}/{name}", lease=0.5)
    )
    await store.append(row())
    link.swallowed = frozenset((FROM,))
    writing = asyncio.ensure_future(store.append(row()))
    await asyncio.sleep(0.3)
    link.swallowed = frozenset()  # for new connections
    assert await writing == 2
    assert (await asyncio.to_thread(store.verify_sync)).rows == 2
    await store.close()
    await link.close()
