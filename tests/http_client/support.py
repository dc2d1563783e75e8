"""A server whose every answer is a function, a clock that only moves when told, and a client between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from pydantic import BaseModel

from bot.core.network import DIRECT, Proxies
from bot.http_client.auth import Auth
from bot.http_client.client import HttpClient
from bot.http_client.transport import Tls

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Agent(BaseModel):
    """What the vendor's endpoint answers with."""

    agentId: str  # noqa: N815 (the vendor's name)


class FakeClock:
    """Time that sleeping moves on at once; `slept` keeps every pause."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._elapsed += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire: the path with its query undecoded."""

    method: str
    raw_path: str
    headers: dict[str, str]
    body: bytes
    peer: object

    @property
    def path(self) -> str:
        return self.raw_path.partition("?")[0]

    @property
    def query(self) -> str:
        return self.raw_path.partition("?")[2]


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Answers with `handler`; `seen` holds every request that was read whole."""

    handler: Handler
    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.raw_path, headers, body, peer))
        return await self.handler(request)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    """A server on a free loopback port."""
    server = Server(handler)
    runner = web.ServerRunner(web.Server(server.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(
    base_url: str,
    *,
    clock: FakeClock | None = None,
    auth: Auth | None = None,
    deadline: float = 5.0,
    concurrency: int = 8,
    secrets: tuple[str, ...] = (),
    tls: Tls = Tls(),  # noqa: B008  a frozen value
    proxies: Proxies = DIRECT,
    may_send: Callable[[], bool] = lambda: True,
) -> AsyncIterator[HttpClient]:
    """A client named `acc` that is closed again."""
    client = HttpClient(
        base_url,
        name="acc",
        clock=clock or FakeClock(),
        chance=lambda: 0.5,
        auth=auth,
        deadline=deadline,
        concurrency=concurrency,
        secrets=secrets,
        tls=tls,
        proxies=proxies,
        may_send=may_send,
    )
    try:
        yield client
    finally:
        await client.close()


def always(response: Callable[[], web.StreamResponse]) -> Handler:
    """A handler that gives a fresh one of these each time."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return response()

    return handler


def in_turn(*responses: Callable[[], web.StreamResponse]) -> Handler:
    """A handler that gives these one after the other, and the last one for ever."""
    left = list(responses)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return (left.pop(0) if len(left) > 1 else left[0])()

    return handler


def ok() -> web.StreamResponse:
    return web.json_response({"agentId": "a1", "name": "quick"})


async def drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without a word after the request was read."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
