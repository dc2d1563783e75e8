"""A running workspace, the official client for it, and a Bolt app joined to it over Socket Mode."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import DEMO_SEED, Workspace

Json = dict[str, Any]
Join = Callable[[AsyncApp], Awaitable[AsyncApp]]


@pytest.fixture
async def ws() -> AsyncIterator[Workspace]:
    async with Workspace(DEMO_SEED) as workspace:
        yield workspace


@pytest.fixture
def client(ws: Workspace) -> AsyncWebClient:
    return AsyncWebClient(ws.bot_token, base_url=ws.api_url, retry_handlers=[])


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, process_before_response=True)


@pytest.fixture
async def join(ws: Workspace) -> AsyncIterator[Join]:
    """Joins a Bolt app to the workspace and leaves again after the test."""
    async with AsyncExitStack() as stack:

        async def joined(app: AsyncApp) -> AsyncApp:
            handler = AsyncSocketModeHandler(app, ws.app_token)
            stack.push_async_callback(handler.close_async)
            await handler.connect_async()
            await ws.wait_connected()
            return app

        yield joined


@pytest.fixture
async def bodies(app: AsyncApp, join: Any) -> list[Json]:
    """Everything that the app receives; all of it is acked."""
    seen: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    app.command("/ops")(take)
    app.action(re.compile(".*"))(take)
    app.view("f")(take)
    app.shortcut(re.compile(".*"))(take)
    app.event(re.compile(".*"))(take)
    await join(app)
    return seen
