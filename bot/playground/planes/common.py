"""The parts that all simulated control planes share: a socket, a request log, faults and a clock."""

import asyncio
import contextlib
import html
import inspect
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote

from aiohttp import web

from bot.playground.planes.clock import Clock, PlaneClock
from bot.playground.planes.faults import INSTEAD, Fault, Faults, bent, parse, replacement
from bot.playground.planes.wire import (
    Call,
    Received,
    Refusal,
    Reply,
    Route,
    html_reply,
    json_reply,
    text_reply,
)

HOST = "127.0.0.1"
CONSOLE = "/console/"  # the pages of the vendor's own console, for links on cards
_KEPT_REQUESTS = 20_000
_LARGEST_BODY = 64 * 1024 * 1024
_PLAIN_MESSAGES = {401: "Not authenticated.", 429: "Too many requests."}


class Plane(ABC):
    """A simulated control plane: `async with Plane(...) as plane` serves on 127.0.0.1.

    `port` 0 takes a free one. `requests` holds every request in full (at most the newest
    20,000), `log()` the same without credentials. Times come from `clock`, delays of faults
    are real seconds.
    """

    kind: ClassVar[str]
    enum_keys: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, name: str, *, clock: Clock | None = None, port: int = 0) -> None:
        self.name = name
        self.clock: Clock = clock or PlaneClock()
        self.requests: list[Received] = []
        self._port = port
        self._faults = Faults()
        self._back_at: float | None = None  # by the loop's clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[object] = set()
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._held_port: socket.socket | None = None
        self._routes: tuple[Route, ...] = ()
        self._vanishing: float | None = None

    # --- hooks of each kind -------------------------------------------------------------------

    @abstractmethod
    def tick(self) -> None:
        """Bring the state up to the clock; called before every request."""

    @abstractmethod
    def routes(self) -> tuple[Route, ...]:
        """Every operation of the plane."""

    @abstractmethod
    def authorize(self, call: Call) -> Reply | None:
        """None if the credentials are valid, else the control plane's refusal."""

    def not_found(self, call: Call) -> Reply:
        """The answer to an unknown path."""
        return text_reply("Not Found", 404)

    def fault_reply(self, status: int) -> Reply:
        """The plane's own shape of an error, used by the faults 401, 429, 500 and 503."""
        if status in {500, 503}:
            return html_reply("Service Unavailable" if status == 503 else "Server Error", status)
        return json_reply({"message": _PLAIN_MESSAGES.get(status, "Error")}, status)

    # --- start and stop --------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        self._routes = self.routes()
        self._server = web.Server(self._serve, access_log=None, max_field_size=65_536)
        self._hold_port()
        await self._listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        if self._held_port is not None:
            self._held_port.close()
        if self._server is not None:
            await self._server.shutdown(0.05)

    def _hold_port(self) -> None:
        # A bound socket that doesn't listen refuses connections and keeps the port reserved.
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((HOST, self._port))
        except OSError:
            held.close()
            raise
        self._port = held.getsockname()[1]
        self._held_port = held

    async def _listen(self) -> None:
        if self._held_port is None or self._server is None:
            return
        held, self._held_port = self._held_port, None
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, sock=held, backlog=1024)

    def _stop_listening(self) -> None:
        if self._listener is None or self._server is None:
            return
        self._listener.close()
        self._listener = None
        self._hold_port()
        for connection in self._server.connections:
            if connection in self._busy:
                connection.close()
            else:
                connection.force_close()

    def spawn(self, job: Any) -> None:
        """Run a coroutine beside the requests; cancelled when the plane closes."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def go_away(self, seconds: float | None) -> None:
        """Refuse connections for real `seconds`; None: until `clear_faults`."""
        self._stop_listening()
        self._back_at = None if seconds is None else asyncio.get_running_loop().time() + seconds
        if seconds is not None:
            self.spawn(self._come_back(seconds, self._back_at))

    @property
    def away_for(self) -> float | None:
        """The seconds until connections are accepted again; None while they are, and for an outage until `clear_faults`."""
        if self._held_port is None or self._back_at is None:
            return None
        return max(0.0, self._back_at - asyncio.get_running_loop().time())

    def vanish(self, seconds: float) -> None:
        """Called by a handler: its own reply is lost, and connections are refused for a while."""
        self._vanishing = seconds

    async def _come_back(self, seconds: float, at: float | None) -> None:
        """Listen again after this outage, unless another one replaced it."""
        await asyncio.sleep(seconds)
        if self._back_at == at:
            await self._listen()

    # --- the log and the faults ----------------------------------------------------------------

    async def log(self) -> list[dict[str, object]]:
        """Every request received, oldest first, JSON-safe and without credentials."""
        return [received.row() for received in self.requests]

    async def set_fault(self, spec: Mapping[str, Any]) -> None:
        """Activate a fault, see `faults.parse`; raises ValueError for an unknown one."""
        fault = parse(spec)
        if fault.name == "refuse" and fault.match is None and fault.after == 0:
            self.go_away(fault.seconds)
            # Turns of the loop, so that pooled connections are closed when this returns: a time may hold no turn at all.
            for _ in range(20):
                await asyncio.sleep(0)
        else:
            self._faults.add(fault)

    @property
    def faults(self) -> list[str]:
        """The active faults; includes `refuse` while connections are refused."""
        return [*(["refuse"] if self._held_port is not None else []), *self._faults.names()]

    def person_acts(self) -> None:
        """A person does something, after which a fault that waits for a person applies."""
        self._faults.acted_at = self.clock.now()

    async def clear_faults(self) -> None:
        """End every fault and listen again."""
        self._faults.clear()
        self._back_at = None
        await self._listen()

    def _remember(self, received: Received) -> None:
        self.requests.append(received)
        if len(self.requests) > _KEPT_REQUESTS:
            del self.requests[: _KEPT_REQUESTS // 10]

    # --- one request ---------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_path, _, raw_query = request.raw_path.partition("?")
        received = Received(self.clock.now(), request.method, raw_path, raw_query, request.headers)
        self._remember(received)
        self._busy.add(request.protocol)
        try:
            return await self._answer(request, received)
        finally:
            leaving = self._faults.leave_now()
            if leaving is not None:
                self.go_away(leaving.seconds)
            if self._vanishing is not None:
                away, self._vanishing = self._vanishing, None
                self.go_away(away)
            self._busy.discard(request.protocol)

    async def _answer(self, request: web.BaseRequest, received: Received) -> web.StreamResponse:
        body = await _read(request)
        if body is None:
            return await self._send(request, received, html_reply("Payload Too Large", 413))
        received.body = body
        fault: Fault | None = None
        for met in self._faults.take(received.method, received.raw_path, received.at):
            received.fault = met.name
            if met.name == "delay":
                await asyncio.sleep(met.seconds or 0)
            else:
                fault = met
        if fault is None:
            return await self._send(request, received, await self._do(received))
        return await self._show_fault(fault, request, received)

    async def _show_fault(self, fault: Fault, request: web.BaseRequest, received: Received) -> web.StreamResponse:
        received.fault = fault.name
        true = await self._do(received) if fault.done or fault.name not in INSTEAD else None
        if fault.name == "refuse":
            self.go_away(fault.seconds)
        if fault.name in {"refuse", "drop_before", "drop_after"}:
            return _cut(request, fault.reset)
        if fault.name == "drip" and true is not None:
            return await self._drip(request, received, true, fault.seconds or 0.2)
        if true is not None and fault.name not in INSTEAD:
            return await self._send(request, received, bent(fault, true, self.enum_keys))
        plain = self.fault_reply(int(fault.name)) if fault.name.isdigit() else Reply()
        return await self._send(request, received, replacement(fault, plain))

    async def _do(self, received: Received) -> Reply:
        self.tick()
        call = Call(
            received.method,
            received.raw_path,
            received.query,
            received.headers,
            received.body,
            {},
        )
        try:
            return await self._dispatch(call)
        except Refusal as refusal:
            return refusal.reply

    async def _dispatch(self, call: Call) -> Reply:
        if call.method == "GET" and call.raw_path.startswith(CONSOLE):
            what = html.escape(unquote(call.raw_path.removeprefix(CONSOLE)))
            return html_reply(f"The console of {html.escape(self.name)} (simulated): {what}")
        allowed: list[str] = []
        for entry in self._routes:
            args = entry.match(call.raw_path)
            if args is None:
                continue
            if entry.method != call.method:
                allowed.append(entry.method)
                continue
            refused = None if entry.public else self.authorize(call)
            if refused is not None:
                return refused
            answer = entry.handler(Call(call.method, call.raw_path, call.query, call.headers, call.body, args))
            return await answer if inspect.isawaitable(answer) else answer
        if allowed:
            return Reply(405, headers=(("Allow", ", ".join(sorted(set(allowed)))),))
        return self.not_found(call)

    async def _send(self, request: web.BaseRequest, received: Received, reply: Reply) -> web.StreamResponse:
        if self._vanishing is not None:
            return _cut(request, False)
        received.status = reply.status
        if reply.stream is None:
            body = reply.body or None
            return web.Response(status=reply.status, body=body, headers=_headers(reply, self.clock.now()))
        return await _stream(request, reply, _headers(reply, self.clock.now()), reply.stream(), 0)

    async def _drip(
        self, request: web.BaseRequest, received: Received, reply: Reply, seconds: float
    ) -> web.StreamResponse:
        received.status = reply.status
        chunks = (bytes([byte]) for byte in reply.body)
        return await _stream(request, reply, _headers(reply, self.clock.now()), chunks, seconds)


async def _read(request: web.BaseRequest) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > _LARGEST_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _cut(request: web.BaseRequest, reset: bool) -> web.StreamResponse:
    if reset and request.transport is not None:
        request.transport.abort()
    request.protocol.force_close()
    return web.Response()


def _headers(reply: Reply, now: float) -> dict[str, str]:
    """With the control plane's own time, which can differ from the machine's."""
    headers = {"Date": formatdate(now, usegmt=True), **dict(reply.headers)}
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    return headers


async def _stream(
    request: web.BaseRequest, reply: Reply, headers: dict[str, str], chunks: Iterator[bytes], pause: float
) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=headers)
    # Clients that disconnect early are expected here, so this is not logged.
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            if pause:
                await asyncio.sleep(pause)
        await response.write_eof()
    return response
