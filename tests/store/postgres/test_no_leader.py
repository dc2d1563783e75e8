"""Whatever a dead leader left behind, the workspace has a leader again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.core.ports.store import StoreAddress
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.errors import StoreProblem
from bot.store.open import open_store, prepare_database
from bot.store.postgres.heartbeat import LONGEST_PAUSE, Beat, pause_after
from bot.store.postgres.leadership import Fence, PostgresLeadership, session_name
from bot.store.postgres.schema import MIGRATING
from bot.store.postgres.server import LocalServer
from bot.store.postgres.session import connect_async
from tests.faults.link import FROM, Link
from tests.postgres import administrate
from tests.store.samples import intent, row

LEASE = 1.5
OLD = "INSERT INTO replicas (id, epoch, state, beat_at, name) VALUES (%s, %s, %s, now() - interval '2 hours', '')"
_WAITS = """
    SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"""
Took = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """A change that needs no work."""


class Member:
    """A replica in this process. `vanish` leaves it as a machine without a network is seen: silent, with its session open."""

    def __init__(self, url: str, name: str, fence: Fence = lambda epoch, leads: None, lease: float = LEASE) -> None:
        self.tasks = TaskQueue()
        self.leadership = PostgresLeadership(
            StoreAddress(url, lease=lease), SystemClock(), team="T0ACME", name=name, fence=fence
        )

    async def join(self, took: Took = nothing) -> Member:
        """Take part."""
        await self.leadership.join(took, nothing, self.tasks.serve)
        return self

    async def vanish(self) -> None:
        """No heartbeat anymore."""
        await self.tasks.stop_services()

    async def leads(self, within: float = 60.0) -> None:
        """Wait until it does."""
        async with asyncio.timeout(within):
            while not (self.leadership.leads and self.leadership.surely()):  # noqa: ASYNC110  the database tells nobody
                await asyncio.sleep(0.02)


@asynccontextmanager
async def members(*urls: str) -> AsyncIterator[list[Member]]:
    """They join in this order when told so."""
    made = [Member(url, f"m{number}") for number, url in enumerate(urls)]
    try:
        yield made
    finally:
        for member in made:
            await member.vanish()
            await member.leadership.leave()


async def test_a_leader_whose_sessions_this_user_may_not_end_is_replaced(store_url: str, postgres: LocalServer) -> None:
    """During a change of the database's user, replicas of both users run."""
    administrate(postgres, "CREATE ROLE newer LOGIN")
    url = store_url.replace("postgres@", "newer@")
    try:
        prepare_database(StoreAddress(store_url), StoreAddress(url))
        async with members(store_url, url) as (old, new):
            await (await old.join()).leads()
            await new.join()
            await old.vanish()
            await new.leads()
    finally:
        with psycopg.connect(store_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY newer")
            connection.execute("DROP ROLE newer")


async def test_a_leader_is_replaced_although_the_database_s_clock_was_set_back(store_url: str) -> None:
    async with members(store_url, store_url) as (old, new):
        await (await old.join()).leads()
        await new.join()
        await old.vanish()
        with psycopg.connect(store_url, autocommit=True) as connection:
            connection.execute("UPDATE signalbox.replicas SET beat_at = beat_at + interval '1 hour'")
        await new.leads()


async def test_a_replica_that_is_stopped_in_its_takeover_holds_up_the_next_one_for_a_part_of_the_lease(
    store_url: str,
) -> None:
    async with members(store_url, store_url) as (old, new):
        await (await old.join()).leads()
        await new.join()
        stopped = await connect_async(StoreAddress(store_url, lease=LEASE))
        await stopped.execute("BEGIN")
        await stopped.execute("SELECT epoch FROM leaders FOR UPDATE")
        await old.vanish()
        await new.leads()
        with suppress(psycopg.Error):
            await stopped.close()


async def test_a_leader_that_can_t_begin_for_whatever_reason_lets_another_one_lead(store_url: str) -> None:
    async def fails() -> None:
        raise ValueError

    async with members(store_url, store_url, store_url) as (old, odd, new):
        await (await old.join()).leads()
        await odd.join(fails)
        await asyncio.sleep(0.1)  # so that it looks first
        await old.leadership.leave()
        await asyncio.sleep(0.3)
        await (await new.join()).leads()


async def test_a_leader_that_can_t_begin_again_and_again_waits_longer_each_time(store_url: str) -> None:
    """Each try reads what is open and asks control planes; and another replica that can lead must get its turn."""
    tries, enough = list[float](), asyncio.Event()

    async def fails() -> None:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) == 4:
            enough.set()
        raise ValueError

    async with members(store_url, store_url) as (old, odd):
        await (await old.join()).leads()
        await odd.join(fails)
        await old.leadership.leave()
        async with asyncio.timeout(60):
            await enough.wait()
    pauses = [after - before for before, after in pairwise(tries)]
    assert [pause >= pause_after(number) for number, pause in enumerate(pauses)] == [True] * 3, pauses


def test_the_pause_before_another_try_to_lead_ends() -> None:
    assert [pause_after(number) for number in (0, 1, 2, 3, 4, 5, 5000)] == [
        0.5,
        1,
        2,
        4,
        8,
        LONGEST_PAUSE,
        LONGEST_PAUSE,
    ]


async def test_replicas_that_ended_long_ago_are_forgotten_unless_a_request_is_theirs(store_url: str) -> None:
    store = open_store(StoreAddress(store_url))
    store.fence(1)
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute("SET search_path = signalbox")
        for epoch, state in ((1, "live"), (2, "dead"), (3, "live")):
            connection.execute(OLD, (f"r{epoch}", epoch, state))
        await store.accept(intent("r1"), [row(request_id="r1")], begun=True)
        connection.execute("UPDATE replicas SET state = 'left' WHERE epoch = 1")
        connection.execute("SELECT setval('epochs', 3)")
        async with members(store_url) as (new,):
            await new.join()
            assert [epoch for (epoch,) in connection.execute("SELECT epoch FROM replicas ORDER BY epoch")] == [1, 3, 4]
    await store.close()


async def test_a_replica_whose_registration_gets_no_answer_comes_back_on_a_new_connection(
    store_url: str, postgres: LocalServer
) -> None:
    link = await Link(postgres.folder).open()

    async def registering(connection: psycopg.Connection, *, waits: bool) -> None:
        async with asyncio.timeout(30):
            while bool(connection.execute(_WAITS).fetchone()) is not waits:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)

    async with members(f"postgresql://postgres@127.0.0.1:{link.port}{urlsplit(store_url).path}") as (one,):
        await (await one.join()).leads()
        with psycopg.connect(store_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
            connection.execute("UPDATE signalbox.replicas SET state = 'dead'")
            await registering(connection, waits=True)
            link.swallowed = frozenset({FROM})
            await registering(connection, waits=False)
            await asyncio.sleep(LEASE)
        link.heal()
        await one.leads()
    await link.close()


async def test_what_a_leader_has_claimed_before_it_could_not_begin_is_claimed_again(store_url: str) -> None:
    """A table is locked for a while, for example. Nothing else may take part that could take over."""
    store, claims = open_store(StoreAddress(store_url)), list[list[str]]()
    await store.accept(intent("r1"), [row(request_id="r1")], begun=True)

    async def fails_once() -> None:
        claims.append([one.request_id for one in await store.claim_unfinished()])
        if len(claims) == 1:
            raise StoreProblem("A table is locked.", "", "store_busy")

    new = Member(store_url, "new", store.fence)
    try:
        async with members(store_url) as (old,):
            await (await old.join()).leads()
            await new.join(fails_once)
        await new.leads()
        async with asyncio.timeout(20):
            while len(claims) < 2:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)
        assert claims == [["r1"], ["r1"]]
    finally:
        await new.vanish()
        await new.leadership.leave()
        await store.close()


async def test_a_replica_whose_session_is_ended_while_it_joins_takes_part(store_url: str) -> None:
    """It was so slow that another one took it for dead."""
    ended: list[int] = []

    def end_once(epoch: int | None, *, leads: bool) -> None:
        if epoch and not ended:
            ended.append(epoch)
            with psycopg.connect(store_url) as admin:
                sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
                assert admin.execute(sql, (session_name(epoch),)).fetchone() == (True,)

    slow = Member(store_url, "slow", end_once)
    try:
        await (await slow.join()).leads()
    finally:
        await slow.vanish()
        await slow.leadership.leave()
    assert ended


@pytest.mark.parametrize("fault", [asyncio.Event().wait, None])
async def test_a_leader_that_can_t_hand_over_lets_another_one_lead(store_url: str, fault: Any) -> None:
    """Slack or the store does not answer it, or fails."""

    async def fails() -> None:
        raise StoreProblem("The database is away.", "", "store_unreachable")

    async with members(store_url, store_url) as (old, new):
        await (await old.join()).leads()
        await new.join()
        resigning = asyncio.ensure_future(old.leadership.resign(fault or fails))
        await new.leads()
        await resigning


AT = datetime(2026, 11, 29, tzinfo=UTC)
LAST = Beat(epoch=1, entries=7, timeline="1", table=5, at=AT, before=None, waits=True)
PROMOTED = Beat(epoch=1, entries=7, timeline="2", table=5, at=AT + timedelta(seconds=4), before=AT, waits=False)


@pytest.mark.parametrize(
    ("last", "now", "has_all"),
    [
        (LAST, PROMOTED, True),
        (LAST._replace(waits=False), PROMOTED, False),  # an asynchronous standby, or several
        (LAST._replace(waits=None), PROMOTED, False),  # without the right to see the standbys
        (LAST, PROMOTED._replace(before=AT - timedelta(seconds=0.5)), False),  # the last heartbeat is missing
        (LAST, PROMOTED._replace(before=None), False),
        (LAST, PROMOTED._replace(entries=6), False),
        (LAST, PROMOTED._replace(table=6), False),  # a dump that was restored
    ],
)
def test_when_it_is_proved_that_a_failover_lost_nothing(last: Beat, now: Beat, has_all: bool) -> None:
    assert now.is_older(last)
    assert now.has_all_of(last) is has_all


async def test_replicas_that_start_together_open_no_more_websockets_than_slack_allows(store_url: str) -> None:
    async with members(store_url, store_url) as (one, other):
        await one.join()
        await other.join()
        opened = await asyncio.gather(*(member.leadership.claim_sockets(6) for member in (one, other)))
        assert sorted(opened) == [4, 6]
        with psycopg.connect(store_url) as connection:
            assert connection.execute("SELECT sum(sockets) FROM signalbox.replicas").fetchone() == (10,)


async def test_a_replica_that_could_not_count_its_websockets_keeps_no_other_from_counting(store_url: str) -> None:
    async with members(store_url, store_url) as (one, other):
        await one.join()
        await other.join()
        with psycopg.connect(store_url) as busy:
            busy.execute("SELECT 1 FROM signalbox.replicas WHERE epoch = %s FOR UPDATE", (one.leadership.epoch,))
            with pytest.raises(StoreProblem, match="locked"):
                await one.leadership.claim_sockets(6)
        assert await other.leadership.claim_sockets(6) == 6


@pytest.mark.parametrize("ends", [False, True])
async def test_a_replica_that_is_declared_dead_while_it_counts_its_websockets_counts_again(
    store_url: str, *, ends: bool
) -> None:
    """Whoever declares it dead ends its session, too, if that has its name already."""
    slow = Member(store_url, "slow", lease=60)
    try:
        await slow.join()
        before = slow.leadership.epoch or 0
        with psycopg.connect(store_url, autocommit=True) as admin:
            admin.execute("SELECT pg_advisory_lock(77, 0)")
            counting = asyncio.ensure_future(slow.leadership.claim_sockets(6))
            async with asyncio.timeout(30):
                while not admin.execute(_WAITS).fetchone():  # noqa: ASYNC110  nobody tells
                    await asyncio.sleep(0.02)
            admin.execute("UPDATE signalbox.replicas SET state = 'dead'")
            if ends:
                sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
                assert admin.execute(sql, (session_name(before),)).fetchone() == (True,)
            admin.execute("SELECT pg_advisory_unlock_all()")
            async with asyncio.timeout(60):
                assert await counting == 6
            epoch = slow.leadership.epoch
            assert epoch not in (None, before)
            sql = "SELECT sockets FROM signalbox.replicas WHERE epoch = %s"
            assert admin.execute(sql, (epoch,)).fetchone() == (6,)
    finally:
        await slow.vanish()
        await slow.leadership.leave()
