"""Slack's own Python clients work against the workspace: every Socket Mode client of slack_sdk, and its Web API clients."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.builtin import SocketModeClient as BuiltinClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient as WebsocketClient
from slack_sdk.socket_mode.websockets import SocketModeClient as WebsocketsClient
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import Workspace


def _web(ws: Workspace) -> WebClient:
    return WebClient(ws.bot_token, base_url=ws.api_url)


@pytest.mark.parametrize("client_type", [AiohttpClient, WebsocketsClient], ids=["aiohttp", "websockets"])
async def test_an_asynchronous_socket_client_receives_and_acks(
    ws: Workspace, client_type: Callable[..., AsyncBaseSocketModeClient]
) -> None:
    seen: list[SocketModeRequest] = []

    async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        seen.append(request)
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, {"text": "heard"}))

    web = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
    client = client_type(app_token=ws.app_token, web_client=web)
    client.socket_mode_request_listeners.append(take)
    await client.connect()
    try:
        await ws.wait_connected()
        receipt = await ws.person("U0ANA").command("C0CRAWL", "/ops status")
        assert receipt.acked
        assert [(one.type, one.payload["text"]) for one in seen] == [("slash_commands", "status")]
    finally:
        await client.close()


@pytest.mark.parametrize("client_type", [BuiltinClient, WebsocketClient], ids=["builtin", "websocket-client"])
async def test_a_threaded_socket_client_receives_and_acks(
    ws: Workspace, client_type: Callable[..., BaseSocketModeClient]
) -> None:
    seen: list[Any] = []

    def take(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        seen.append((request.type, request.payload["text"], threading.current_thread() is threading.main_thread()))
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, {"text": "heard"}))

    client = client_type(app_token=ws.app_token, web_client=_web(ws))
    client.socket_mode_request_listeners.append(take)
    await asyncio.to_thread(client.connect)
    try:
        await ws.wait_connected()
        receipt = await ws.person("U0ANA").command("C0CRAWL", "/ops status")
        assert receipt.acked
        assert seen == [("slash_commands", "status", False)]
    finally:
        await asyncio.to_thread(client.close)


async def test_the_synchronous_web_client_posts_and_pages(ws: Workspace) -> None:
    client = _web(ws)
    posted = await asyncio.to_thread(client.chat_postMessage, channel="C0CRAWL", text="hello")
    assert posted["ok"]

    def pages() -> list[list[str]]:
        return [[channel["name"] for channel in page["channels"]] for page in client.conversations_list(limit=2)]

    names = await asyncio.to_thread(pages)
    assert len(names) > 1
    assert len({name for page in names for name in page}) == sum(map(len, names)) > 2
