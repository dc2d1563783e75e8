"""Socket Mode's own rules: tickets, hello, several connections, disconnects, missing acks, retries."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import Workspace
from tests.waiting import heard, until


async def link(ws: Workspace) -> str:
    reply = await AsyncWebClient(base_url=ws.api_url).apps_connections_open(app_token=ws.app_token)
    return str(reply["url"])


async def connect(ws: Workspace, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    return await session.ws_connect(await link(ws))


async def test_a_link_opens_once(ws: Workspace) -> None:
    url = await link(ws)
    assert url.startswith(f"ws://{ws.host}/link/?ticket=")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            assert hello["connection_info"] == {"app_id": "A0SIGNAL"}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_eleventh_connection_is_sent_away(ws: Workspace) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await connect(ws, session) for _ in range(10)]
        hellos = [(await s.receive_json())["num_connections"] for s in sockets]
        assert hellos == list(range(1, 11))
        extra = await connect(ws, session)
        assert (await extra.receive_json())["reason"] == "too_many_websockets"
        for socket in (*sockets, extra):
            await socket.close()


async def test_only_what_may_be_answered_in_the_ack_says_so(ws: Workspace) -> None:
    """A slash command may; an event, a shortcut and a press may not."""
    async with aiohttp.ClientSession() as session:
        socket = await connect(ws, session)
        await socket.receive_json()
        card = {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "ok", "text": {"type": "plain_text", "text": "OK"}, "value": "1"}
            ],
        }
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
        ts = (await client.chat_postMessage(channel="C0CRAWL", text="✅ a & b", blocks=[card]))["ts"]
        ana, found = ws.person("U0ANA"), []
        for act in (
            ana.command("C0CRAWL", "/ops x"),
            ana.post("C0CRAWL", "<@U0BOT> x"),
            ana.shortcut("launcher"),
            ana.press("C0CRAWL", ts, action_id="ok"),
        ):
            done = asyncio.create_task(act)
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
            assert (await done).acked
            found.append((envelope["payload"].get("type", "command"), envelope["accepts_response_payload"]))
        assert found == [("command", True), ("event_callback", False), ("shortcut", False), ("block_actions", False)]
        assert envelope["payload"]["message"]["text"] == ":white_check_mark: a &amp; b"
        await socket.close()


async def test_connections_take_turns_and_any_may_ack(ws: Workspace) -> None:
    async with aiohttp.ClientSession() as session:
        first, second = await connect(ws, session), await connect(ws, session)
        for socket in (first, second):
            await socket.receive_json()
        acts = [asyncio.create_task(ws.person("U0ANA").command("C0CRAWL", "/ops x")) for _ in range(2)]
        envelopes = [await s.receive_json() for s in (first, second)]
        assert all(e["type"] == "slash_commands" and e["accepts_response_payload"] for e in envelopes)
        for envelope in envelopes:
            await first.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hi"}})
        assert [(r.acked, r.body) for r in await asyncio.gather(*acts)] == [(True, {"text": "hi"})] * 2
        for socket in (first, second):
            await socket.close()


async def test_an_unacked_command_times_out_for_the_person(ws: Workspace) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await connect(ws, session)
        await socket.receive_json()
        ana = ws.person("U0ANA")
        act = asyncio.create_task(ana.command("C0CRAWL", "/ops slow"))
        await socket.receive_json()
        ws.clock.advance(3)
        receipt = await act
        assert (receipt.acked, receipt.error) == (False, "operation_timeout")
        assert "operation_timeout" in ana.messages("C0CRAWL")[0]["text"]
        await socket.close()


async def test_nobody_there_is_dispatch_failed(ws: Workspace) -> None:
    receipt = await ws.person("U0ANA").command("C0CRAWL", "/ops status")
    assert (receipt.acked, receipt.error) == (False, "dispatch_failed")


async def test_an_unacked_event_comes_back_three_times(ws: Workspace) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await connect(ws, session)
        await socket.receive_json()
        act = asyncio.create_task(ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> hi"))
        seen = []
        for pause in (0, 60, 300, 0):
            envelope = await socket.receive_json(timeout=30)
            seen.append((envelope["retry_attempt"], envelope["retry_reason"], envelope["payload"]["event_id"]))
            await until(lambda: ws.clock.waits(3))
            ws.clock.advance(3)
            if pause:
                await until(lambda pause=pause: ws.clock.waits(pause))
                ws.clock.advance(pause)
        assert not (await act).acked
        assert [s[:2] for s in seen] == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
        assert len({s[2] for s in seen}) == 1
        with pytest.raises(TimeoutError):
            await socket.receive_json(timeout=0.05)
        await socket.close()


async def test_an_event_without_a_connection_arrives_as_a_retry(ws: Workspace) -> None:
    async with aiohttp.ClientSession() as session:
        await ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> hi")
        await until(lambda: ws.clock.waits(60))
        socket = await connect(ws, session)
        await socket.receive_json()
        ws.clock.advance(60)
        envelope = await socket.receive_json(timeout=30)
        assert (envelope["retry_attempt"], envelope["payload"]["event"]["type"]) == (2, "app_mention")
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await socket.close()


async def test_a_redelivered_event_has_the_same_id(ws: Workspace, app: AsyncApp, join: Any) -> None:
    seen: list[tuple[str, str | None]] = []

    async def heard(body: dict[str, Any], request: Any) -> None:
        seen.append((body["event_id"], request.headers.get("x-slack-retry-num", [None])[0]))

    app.event("app_mention")(heard)
    await join(app)
    await ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> hi")
    assert (await ws.redeliver(last=True)).acked
    assert [number for _, number in seen] == ["0", "1"]
    assert seen[0][0] == seen[1][0]


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", None])
async def test_the_official_client_comes_back_after_a_disconnect(ws: Workspace, reason: str | None) -> None:
    client = SocketModeClient(ws.app_token, web_client=AsyncWebClient(base_url=ws.api_url), ping_interval=0.2)

    async def ack(socket: Any, request: SocketModeRequest) -> None:
        await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.socket_mode_request_listeners.append(ack)
    await client.connect()
    await ws.wait_connected()
    assert (await ws.person("U0ANA").command("C0CRAWL", "/ops one")).acked
    first = set(ws._sockets._open)
    await ws.disconnect_sockets(reason=reason)
    # Until the client has let go of its first connection, what comes over that one is heard by nobody.
    await until(lambda: ws.connected and not first & set(ws._sockets._open))
    assert await heard(lambda: ws.person("U0ANA").command("C0CRAWL", "/ops two"))
    await client.disconnect()
    await client.close()


async def test_any_payload_can_be_sent_as_it_is(ws: Workspace, app: AsyncApp, join: Any) -> None:
    seen: list[str] = []

    async def take(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        seen.append(body["team_id"])

    app.command("/ops")(take)
    await join(app)
    payload = {"command": "/ops", "text": "", "team_id": "T0FORGED", "user_id": "U1", "channel_id": "C1"}
    assert (await ws.deliver("slash_commands", payload)).acked
    assert seen == ["T0FORGED"]
