"""The bot's user may add to the audit log and read it, and nothing else; its tables may belong to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.core.ports.store import StoreAddress
from bot.core.records import Filters
from bot.runtime.clock import SystemClock
from bot.store.open import open_store, prepare_database
from bot.store.postgres.check import distances, notifications, trip
from bot.store.postgres.server import LocalServer
from tests.postgres import administrate
from tests.store.samples import NOW, button, intent, outgoing, row


@pytest.fixture
def bot(postgres: LocalServer) -> Iterator[StoreAddress]:
    """The address for a user without rights, who owns an empty database."""
    administrate(postgres, "CREATE ROLE bot LOGIN", "CREATE DATABASE roles OWNER bot")
    yield StoreAddress(postgres.url("roles", "bot"))
    administrate(postgres, "DROP DATABASE roles WITH (FORCE)", "DROP ROLE bot")


CHANGES = ("UPDATE audit SET reason = 'x'", "DELETE FROM audit", "TRUNCATE audit")


@pytest.mark.parametrize("prepared", ["before", "after", "never"])
async def test_the_bot_works_and_cannot_change_the_audit_log(
    bot: StoreAddress, postgres: LocalServer, prepared: str
) -> None:
    owner = StoreAddress(postgres.url("roles"))
    if prepared == "before":
        assert prepare_database(owner, bot) == "bot"
    if prepared == "after":
        open_store(bot).close_sync()
        prepare_database(owner, bot)
        prepare_database(owner, bot)
    store = open_store(bot)
    assert await store.accept(intent(), [row(reason="so")])
    await store.show(outgoing(), [button("b1")])
    await store.finish("r1", [], NOW)
    assert len(await store.search(Filters(text="so"))) == 1
    store.check_sync()
    assert store.verify_sync(await store.head()).ok
    findings = store.findings_sync()
    with psycopg.connect(bot.url, autocommit=True) as plain:
        plain.execute("SET search_path = signalbox")
        for change in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                plain.execute(change.encode())
        more = ("ALTER TABLE audit DISABLE TRIGGER ALL", "DROP TABLE audit", "DROP TRIGGER audit_next_only ON audit")
        for change in more if prepared != "never" else ():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                plain.execute(change.encode())
    await store.close()
    said = "may only add to the audit log" if prepared != "never" else "owns the audit log"
    assert any(said in finding and good is (prepared != "never") for good, finding in findings), findings


async def test_the_tables_are_prepared_once_by_several_at_once(bot: StoreAddress, postgres: LocalServer) -> None:
    """As by the jobs of a deploy, one for each replica."""
    owner = StoreAddress(postgres.url("roles"))
    for _ in range(3):
        assert await asyncio.gather(*(asyncio.to_thread(prepare_database, owner, bot) for _ in range(5))) == ["bot"] * 5
    open_store(bot).close_sync()


@pytest.mark.parametrize(
    ("took", "away", "says"),
    [
        (0.004, 0.9, []),
        (0.004, 7.25, ["the clock of this machine is 7.2 s away from the database's; synchronize both with NTP"]),
        (0.031, 0.0, ["a round trip to the database takes 31 ms; every ack waits for two of them"]),
    ],
)
def test_check_says_when_the_database_is_far_away(took: float, away: float, says: list[str]) -> None:
    assert distances(took, away) == [(False, text) for text in says]


def test_check_says_when_notifications_get_lost() -> None:
    assert notifications(0.49) == []
    ((good, text),) = notifications(1.0)
    assert not good
    assert text.startswith("the server's queue of notifications is 100% full")


def test_the_clocks_are_compared_in_the_middle_of_a_round_trip() -> None:
    took, away = trip(lambda _: SystemClock().now().timestamp() + 60)
    assert 59 < away < 61
    assert took < 30


async def test_check_says_what_is_wrong_with_the_server(
    bot: StoreAddress, postgres: LocalServer, tmp_path: Path
) -> None:
    store = open_store(bot)
    findings = {text: good for good, text in store.findings_sync()}
    assert any(text.startswith("PostgreSQL ") and good for text, good in findings.items())
    assert any("fsync" in text and not good for text, good in findings.items()), "the server of the tests"
    assert any("no synchronous standby" in text for text in findings)
    await store.close()
    store = open_store(postgres.url("roles"))
    assert any("superuser" in text and not good for good, text in store.findings_sync())
    await store.close()
