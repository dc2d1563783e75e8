"""An outbox on a real store and a real workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import Button, Card
from bot.core.intent import Place, Reply
from bot.core.ports.services import Clock
from bot.core.records import Outgoing
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.runtime.clock import SystemClock
from bot.slack.files import Uploads
from bot.slack.message_delivery import Responder
from bot.slack.message_sender import MessageSender
from bot.store.open import open_store
from bot.store.store import Store
from tests.slack.support import HandClock
from tests.world import shown

HERE = Place(team_id="T0ACME", channel_id="C0CRAWL")
BUTTON = Button(label="Log", action="logs", id="b" * 26, means={"tag": "command1"})


def card(status: str = "Working", *, key: str = "op:1", place: Place = HERE, **more: Any) -> Card:
    return Card(key=key, place=place, title="start acc:shop/prices", status=status, mention=("U0ANA",), **more)


@dataclass
class SenderWorld:
    """An outbox on a real store and a real workspace, with a clock that a test moves."""

    ws: Workspace
    path: Path
    session: aiohttp.ClientSession
    clock: HandClock
    store: Store
    sender: MessageSender
    fatal: list[str] = field(default_factory=list)

    def seen(self, channel: str = "C0CRAWL", user: str = "U0ANA") -> list[dict[str, Any]]:
        return self.ws.person(user).messages(channel)

    def texts(self, channel: str = "C0CRAWL") -> list[str]:
        return [shown(message) for message in self.seen(channel)]

    def calls(self, method: str) -> int:
        return len([call for call in self.ws.calls if call.method == method])

    async def settle(self, seconds: float = 0.0) -> None:
        """Let that much time pass and send until nothing is due within a second."""
        self.clock.advance(seconds)
        while (wait := await self.sender.flush()) is not None and wait < 1.1:
            self.clock.advance(wait)

    async def reply(self) -> Reply:
        """How a command of Ana's may be answered."""
        url = self.ws.core.base_url + self.ws.core.responses.make("commands", "U0ANA", "C0CRAWL")
        return Reply(response_url=url, response_until=self.clock.now() + timedelta(minutes=29))

    async def reopen(self) -> None:
        """Stop, and start again on the same file."""
        await self.store.close()
        self.store = open_store(str(self.path / "s.db"))
        left = await self.store.due_messages("9999")
        self.sender = made(
            self.store, self.ws, self.session, self.clock, self.fatal, left, await self.store.stand_ins()
        )


def made(
    store: Store,
    ws: Workspace,
    session: aiohttp.ClientSession,
    clock: Clock,
    fatal: list[str],
    left: Sequence[Outgoing] = (),
    stand_ins: Iterable[str] = (),
) -> MessageSender:
    client = AsyncWebClient(ws.bot_token, base_url=ws.api_url, session=session, timeout=20)
    responder, uploads = Responder(session, (ws.host,)), Uploads(client, session)
    sender = MessageSender(
        store,
        client,
        responder,
        uploads,
        clock,
        team_id="T0ACME",
        fatal=fatal.append,
        security_channel="C0SEC",
    )
    sender.take_over(left, stand_ins)
    return sender


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SenderWorld]:
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(DEMO_SEED))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        clock, fatal = HandClock(SystemClock().now()), []
        store = open_store(str(tmp_path / "s.db"))
        env = SenderWorld(ws, tmp_path, session, clock, store, made(store, ws, session, clock, fatal), fatal)
        yield env
        await env.store.close()
