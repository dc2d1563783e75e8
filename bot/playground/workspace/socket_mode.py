"""Socket Mode: single-use websocket addresses, hello, envelopes, acks, disconnects (slack.md, Socket Mode)."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import suppress

from aiohttp import WSMsgType, web

from .core import Core
from .state import Json
from .transport import Answer, Envelope, within_ack_time

MAX_CONNECTIONS = 10
CONNECTION_SECONDS = 3600
SHORT_SECONDS = 360
WARNING_SECONDS = 10.0
# Interactions whose ack may carry a payload (docs.slack.dev, Socket Mode: a modal's submission and an external menu).
_ANSWERED = frozenset({"view_submission", "block_suggestion"})


class SocketMode:
    """The open connections of the app and the envelopes that wait for an ack."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._open: list[web.WebSocketResponse] = []
        self._transports: dict[web.WebSocketResponse, asyncio.BaseTransport | None] = {}
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0
        self._arrived = asyncio.Event()
        self.strays: list[Json] = []

    @property
    def connected(self) -> int:
        return len(self._open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /link/?ticket=...: one connection, until either side ends it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._core.tickets:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=404)
        self._core.tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._open) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
            await socket.close()
            return socket
        self._open.append(socket)
        self._transports[socket] = request.transport
        try:
            short = "debug_reconnects" in request.query
            await socket.send_json(self._hello(short))
            if self._core.sockets_refresh:
                self._core.tasks.start(self._refresh(socket, SHORT_SECONDS if short else CONNECTION_SECONDS))
            arrived, self._arrived = self._arrived, asyncio.Event()
            arrived.set()
            await self._listen(socket)
        finally:
            self._forget(socket)
        return socket

    async def wait_open(self, count: int) -> None:
        """Wait until at least this many connections are open."""
        while self.connected < count:
            await self._arrived.wait()

    def _hello(self, short: bool) -> Json:
        info = {"app_id": self._core.seed.app.id}
        debug = _debug() | {"approximate_connection_time": SHORT_SECONDS if short else CONNECTION_SECONDS}
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": info,
            "debug_info": debug,
        }

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                answer = json.loads(message.data)
            except json.JSONDecodeError:
                answer = {"unreadable": message.data}
            waiting = self._waiting.get(answer.get("envelope_id", "")) if isinstance(answer, dict) else None
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
            else:
                self.strays.append(answer)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        self._transports.pop(socket, None)

    async def send(self, envelope: Envelope) -> Answer:
        """Send the envelope to one connection: dispatch_failed without a connection, operation_timeout without an ack."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        envelope_id = str(uuid.uuid4())
        waiting: asyncio.Future[Json] = loop.create_future()
        self._waiting[envelope_id] = waiting
        try:
            if not await self._hand_over(_wire(envelope_id, envelope)):
                return Answer(False, 0.0, error="dispatch_failed", reason="connection_failed")
            acked = await within_ack_time(self._core.clock, waiting)
        finally:
            self._waiting.pop(envelope_id, None)
        ms = (loop.time() - started) * 1000
        if not acked:
            return Answer(False, ms, error="operation_timeout", reason="timeout")
        return Answer(True, ms, body=waiting.result().get("payload"))

    async def _hand_over(self, wire: Json) -> bool:
        """Use connections in turn; skip one that breaks while sending."""
        while self._open:
            self._turn += 1
            socket = self._open[self._turn % len(self._open)]
            try:
                await socket.send_json(wire)
            except (ConnectionError, RuntimeError):
                self._forget(socket)
            else:
                return True
        return False

    async def disconnect(self, reason: str | None) -> None:
        """Ask every connection to disconnect ("warning" comes 10 s before), or cut the TCP connections (None)."""
        for socket in list(self._open):
            if reason is None:
                self._forget_and_abort(socket)
                continue
            with suppress(ConnectionError, RuntimeError):
                await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": _debug()})
            if reason == "warning":
                self._core.tasks.start(self._close_later(socket))
            else:
                self._forget(socket)
                await _close(socket)

    def _forget_and_abort(self, socket: web.WebSocketResponse) -> None:
        transport = self._transports.get(socket)
        self._forget(socket)
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    async def _refresh(self, socket: web.WebSocketResponse, seconds: float) -> None:
        """End a connection after its time: a warning ten seconds before, then Slack closes it."""
        await self._core.clock.wait(seconds - WARNING_SECONDS)
        if socket not in self._open:
            return
        with suppress(ConnectionError, RuntimeError):
            await socket.send_json({"type": "disconnect", "reason": "warning", "debug_info": _debug()})
        await self._close_later(socket)
        self._forget(socket)

    async def _close_later(self, socket: web.WebSocketResponse) -> None:
        await self._core.clock.wait(WARNING_SECONDS)
        self._forget(socket)
        await _close(socket)

    async def close(self) -> None:
        for socket in list(self._open):
            self._forget(socket)
            await _close(socket)


async def _close(socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError, RuntimeError, TimeoutError):
        await asyncio.wait_for(socket.close(), timeout=0.5)


def _wire(envelope_id: str, envelope: Envelope) -> Json:
    wire: Json = {
        "envelope_id": envelope_id,
        "payload": envelope.payload,
        "type": envelope.kind,
        "accepts_response_payload": envelope.kind == "slash_commands" or envelope.payload.get("type") in _ANSWERED,
    }
    if envelope.kind == "events_api":
        wire |= {"retry_attempt": envelope.retry_num, "retry_reason": envelope.retry_reason or ""}
    return wire


def _debug() -> Json:
    return {"host": "playground-link-1"}
