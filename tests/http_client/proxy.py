"""A forward proxy as companies have them: CONNECT for https, absolute addresses for http, a password if wanted."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class ForwardProxy:
    """`asked` holds `METHOD TARGET` of every request. `hosts` says where names lead to; others are refused with 502."""

    hosts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    user: str | None = None
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret_url(self) -> str:
        return f"http://{self.user}@127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            self.asked.append(f"{method} {target}")
            wanted = f"Basic {base64.b64encode(self.user.encode()).decode()}" if self.user else ""
            if wanted and f"proxy-authorization: {wanted}".lower() not in head.lower():
                await self._refuse(writer, "407 Proxy Authentication Required")
                return
            host = urlsplit(f"//{target}" if method == "CONNECT" else target).hostname or ""
            if host not in self.hosts:
                await self._refuse(writer, "502 Bad Gateway")
                return
            await self._pass_on(method, head, host, reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _refuse(self, writer: asyncio.StreamWriter, status: str) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    async def _pass_on(
        self, method: str, head: str, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, to_there = await asyncio.open_connection(*self.hosts[host])
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            line, rest = head.split("\r\n", 1)
            parts = urlsplit(line.split(" ")[1])
            to_there.write(f"{method} {parts.path or '/'} HTTP/1.1\r\n{rest}".encode("latin-1"))

        await asyncio.gather(pump(reader, to_there), pump(there, writer))


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass on what comes until either side ends it."""
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


@asynccontextmanager
async def forward_proxy(
    hosts: Mapping[str, tuple[str, int]] | None = None, *, user: str | None = None
) -> AsyncIterator[ForwardProxy]:
    """A running proxy on a free port."""
    proxy = ForwardProxy(hosts or {}, user)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
