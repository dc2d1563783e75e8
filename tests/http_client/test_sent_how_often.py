"""How often a request is written when the server drops connections, counted by the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.core.errors import Lost
from bot.http_client.client import MOST_TRIES

from .support import client_of

METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH")
WELL = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Dropping:
    """Answers the first `answers` requests well, and hangs up after reading any other. `how` it hangs up: close, reset, half."""

    answers: int
    how: str
    port: int = 0
    requests: int = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                if self.requests > self.answers:
                    break
                writer.write(WELL)
                await writer.drain()
            if self.how == "half":
                writer.write(WELL[:30])
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        if self.how == "reset":
            writer.transport.abort()
        writer.close()


@asynccontextmanager
async def dropping(answers: int, how: str) -> AsyncIterator[Dropping]:
    env = Dropping(answers, how)
    server = await asyncio.start_server(env.meet, "127.0.0.1", 0)
    env.port = server.sockets[0].getsockname()[1]
    async with server:
        yield env


@pytest.mark.parametrize("how", ["close", "reset", "half"])
@pytest.mark.parametrize("warm", [0, 1])
@pytest.mark.parametrize("method", METHODS)
async def test_a_change_is_written_once_and_a_safe_call_thrice_at_most(method: str, warm: int, how: str) -> None:
    """On a new connection and on one that was used before, whatever the method: the library adds no tries of its own."""
    for idempotent, most in ((False, 1), (True, MOST_TRIES)):
        async with dropping(warm, how) as server, client_of(f"http://127.0.0.1:{server.port}") as client:
            for _ in range(warm):
                await client.call("GET", "/before", idempotent=idempotent)
            with pytest.raises(Lost):
                await client.call(method, "/x", idempotent=idempotent)
            assert server.requests - warm == most
