"""What a replica was sending to Slack when another one took over: it arrives late, and doesn't stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import aiohttp
import psycopg
import pytest

from bot.core.card import Card
from bot.core.intent import Place
from bot.core.ports.store import StoreAddress
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.runtime.clock import SystemClock
from bot.slack.message_sender import MessageSender
from bot.store.open import open_store
from bot.store.store import Store
from tests.slack.sender_world import made
from tests.slack.support import HandClock
from tests.world import shown

HERE = Place(team_id="T0ACME", channel_id="C0CRAWL")


def card(status: str) -> Card:
    return Card(key="op:1", place=HERE, title="start acc:shop/prices", status=status)


class Replica:
    """Its outbox. While `held` is set, what it sends waits right before its bytes leave: the process is stopped there."""

    def __init__(self, store: Store, ws: Workspace, clock: HandClock) -> None:
        self.store = store
        self.held: asyncio.Event | None = None
        self.waits = asyncio.Event()
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._before)
        self.session = aiohttp.ClientSession(trace_configs=[trace])
        self.sender: MessageSender = made(store, ws, self.session, clock, [])

    async def _before(self, _: aiohttp.ClientSession, __: SimpleNamespace, ___: Any) -> None:
        if self.held is not None:
            self.waits.set()
            await self.held.wait()

    async def close(self) -> None:
        await self.session.close()
        await self.store.close()


class Pair:
    """Two replicas with one database and one workspace. The first one leads, until `second_leads`."""

    def __init__(self, address: StoreAddress, ws: Workspace) -> None:
        self.ws, self.clock = ws, HandClock(SystemClock().now())
        self.one = Replica(open_store(address), ws, self.clock)
        self.two = Replica(open_store(address), ws, self.clock)
        self.database = psycopg.connect(address.url, autocommit=True)
        self.database.execute("SET search_path = signalbox")
        self.joins(self.one, 1)

    def joins(self, replica: Replica, epoch: int) -> None:
        sql = "INSERT INTO replicas (id, epoch, state, beat_at) VALUES (%s, %s, 'live', now())"
        self.database.execute(sql, (f"r{epoch}", epoch))
        replica.store.fence(epoch, leads=epoch == 1)

    def first_is_declared_dead(self) -> None:
        self.joins(self.two, 2)
        self.database.execute("UPDATE replicas SET state = 'dead' WHERE epoch = 1")

    async def second_leads(self) -> None:
        self.two.sender.take_over(await self.two.store.due_messages("9999"))

    async def first_comes_back(self) -> None:
        self.one.sender.delivery.give_up()
        self.joins(self.one, 3)
        await self.one.sender.delivery.repair()

    async def settle(self, replica: Replica) -> None:
        while (wait := await replica.sender.flush()) is not None:
            self.clock.advance(wait)

    def texts(self) -> list[str]:
        return [text for one in self.ws.person("U0ANA").messages("C0CRAWL") if "prices" in (text := shown(one))]

    async def stop_first_while_it_sends(self) -> asyncio.Task[float | None]:
        self.clock.advance(2)
        self.one.held = asyncio.Event()
        sending = asyncio.create_task(self.one.sender.flush())
        await self.one.waits.wait()
        return sending

    async def wake_first(self, sending: asyncio.Task[float | None]) -> None:
        assert self.one.held is not None
        self.one.held.set()
        await sending

    async def close(self) -> None:
        await self.one.close()
        await self.two.close()
        self.database.close()


@pytest.fixture
async def pair(address: StoreAddress) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(DEMO_SEED))
        pair = Pair(address, ws)
        stack.push_async_callback(pair.close)
        yield pair


async def test_a_late_update_does_not_put_an_older_state_back(pair: Pair) -> None:
    await pair.one.sender.show(card("Waits for a second person"))
    await pair.settle(pair.one)
    await pair.one.sender.show(card("Asks again"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    await pair.two.sender.show(card("Approved"))
    await pair.settle(pair.two)
    await pair.wake_first(sending)
    assert [("Asks again" in text) for text in pair.texts()] == [True]
    await pair.first_comes_back()
    pair.clock.advance(1)
    await pair.settle(pair.two)
    assert [("Approved" in text) for text in pair.texts()] == [True]


async def test_a_late_post_does_not_stay_beside_the_other_one(pair: Pair) -> None:
    await pair.one.sender.show(card("Working"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    await pair.two.sender.show(card("Succeeded"))
    await pair.settle(pair.two)
    await pair.wake_first(sending)
    assert len(pair.texts()) == 2
    await pair.first_comes_back()
    pair.clock.advance(1)
    await pair.settle(pair.two)
    assert [("Succeeded" in text) for text in pair.texts()] == [True]


async def test_a_post_that_the_other_replica_found_stays(pair: Pair) -> None:
    """It arrived before the new leader looked for it, so it is the only one."""
    await pair.one.sender.show(card("Working"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.wake_first(sending)
    await pair.second_leads()
    await pair.two.sender.show(card("Succeeded"))
    await pair.settle(pair.two)
    await pair.first_comes_back()
    pair.clock.advance(1)
    await pair.settle(pair.two)
    assert [("Succeeded" in text) for text in pair.texts()] == [True]


async def test_a_late_post_is_the_only_one_when_its_replica_leads_again(pair: Pair) -> None:
    """The other one took over and was gone before it posted anything."""
    await pair.one.sender.show(card("Working"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    await pair.wake_first(sending)
    await pair.first_comes_back()
    pair.one.store.fence(3, leads=True)
    pair.one.sender.take_over(await pair.one.store.due_messages("9999"))
    await pair.one.sender.show(card("Succeeded"))
    pair.clock.advance(2)
    await pair.settle(pair.one)
    assert [("Succeeded" in text) for text in pair.texts()] == [True]
    await pair.one.sender.delivery.repair()
    pair.clock.advance(2)
    await pair.settle(pair.one)
    assert [("Succeeded" in text) for text in pair.texts()] == [True]


async def test_a_late_update_deletes_no_earlier_message(pair: Pair) -> None:
    """Slack no longer takes changes of the first message, so the state was posted anew. Both stay, and so does the thread."""
    await pair.one.sender.show(card("Working"))
    await pair.settle(pair.one)
    pair.ws.faults.fail("chat.update", error="edit_window_closed", times=1)
    await pair.one.sender.show(card("Waits for a second person"))
    await pair.settle(pair.one)
    assert len(pair.texts()) == 2
    await pair.one.sender.show(card("Asks again"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    await pair.two.sender.show(card("Approved"))
    await pair.settle(pair.two)
    await pair.wake_first(sending)
    await pair.first_comes_back()
    pair.clock.advance(1)
    await pair.settle(pair.two)
    assert [("Approved" in text) for text in pair.texts()] == [False, True]


async def test_a_late_post_of_what_was_withdrawn_meanwhile_is_deleted(pair: Pair) -> None:
    """The answer came from the other replica, which found no line to delete."""
    await pair.one.sender.show(card("Asking"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    await pair.two.sender.show(card("Asking").model_copy(update={"withdrawn": True}))
    await pair.settle(pair.two)
    await pair.wake_first(sending)
    assert len(pair.texts()) == 1
    await pair.first_comes_back()
    assert pair.texts() == []


async def test_what_slack_limits_is_repaired_when_slack_allows_it(pair: Pair) -> None:
    """A replica asks about one message, and then waits as long as Slack wants, however many messages are left."""
    for number in range(5):
        await pair.one.sender.show(card("Working").model_copy(update={"key": f"op:{number}"}))
    left = await pair.one.store.due_messages("9999")
    pair.one.sender.take_over(left)
    await pair.settle(pair.two)
    pair.first_is_declared_dead()
    pair.ws.faults.rate_limit("conversations.history", times=None, retry_after=40)
    before = len(pair.ws.calls)
    await pair.first_comes_back()
    for _ in range(30):
        pair.clock.advance(1)
        await pair.one.sender.delivery.repair()
    assert len(pair.ws.calls) - before == 1
    pair.ws.faults.clear()
    pair.clock.advance(11)
    before = len(pair.ws.calls)
    await pair.one.sender.delivery.repair()
    assert len(pair.ws.calls) - before == 5


async def test_a_message_that_reached_nobody_is_not_looked_at_for_ever(pair: Pair) -> None:
    """Its place refuses it, so it is settled without a message that could be repaired."""
    await pair.one.sender.show(card("Working"))
    sending = await pair.stop_first_while_it_sends()
    pair.first_is_declared_dead()
    await pair.second_leads()
    pair.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    await pair.settle(pair.two)
    pair.ws.faults.clear()
    await pair.wake_first(sending)
    await pair.first_comes_back()
    assert not pair.one.sender.delivery._late
    assert [("Working" in text) for text in pair.texts()] == [True]
