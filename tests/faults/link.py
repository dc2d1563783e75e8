"""A TCP proxy between one replica and one PostgreSQL server, which cuts, delays or swallows what passes.

All run in a thread of their own: whatever holds up the test must not cut the replicas off from their database.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TO, FROM = "to", "from"  # the server


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The event loop of the proxies."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="links", daemon=True).start()
    return loop


async def _there(work: Coroutine[Any, Any, None]) -> None:
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


@dataclass(eq=False)
class _Pipe:
    """The two sides of one connection."""

    writers: tuple[asyncio.StreamWriter, ...]
    lossy: bool = False

    def close(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


@dataclass
class Link:
    """Listens on a loopback port and hands everything on to the server's Unix socket."""

    server: Path
    port: int = 0
    delay: float = 0.0  # seconds, for each piece that passes
    swallowed: frozenset[str] = frozenset()  # directions in which everything vanishes
    is_closed: bool = False
    _pipes: set[_Pipe] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> Link:
        """Listen."""
        await _there(self._open())
        return self

    async def _open(self) -> None:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, and each new one, until `heal`."""
        self.is_closed = True
        _loop().call_soon_threadsafe(self._reset, False)

    def _reset(self, only_lossy: bool) -> None:
        for pipe in list(self._pipes):
            if pipe.lossy or not only_lossy:
                pipe.close()

    def heal(self) -> None:
        """Let everything pass again. A connection that has lost something is reset."""
        self.is_closed, self.delay, self.swallowed = False, 0.0, frozenset()
        _loop().call_soon_threadsafe(self._reset, True)

    async def close(self) -> None:
        """Stop."""
        await _there(self._close())

    async def _close(self) -> None:
        self._listener.close()
        self.is_closed = True
        self._reset(only_lossy=False)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = _Pipe((writer,))
        self._pipes.add(pipe)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ways: list[asyncio.Future[None]] = []
        try:
            if self.is_closed:
                return
            answers, server = await asyncio.open_unix_connection(str(self.server / ".s.PGSQL.5432"))
            pipe.writers = (writer, server)
            to, back = self._pass(TO, reader, server, pipe), self._pass(FROM, answers, writer, pipe)
            ways = [asyncio.ensure_future(to), asyncio.ensure_future(back)]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except OSError:  # the server is away
            pass
        finally:
            pipe.close()
            await asyncio.gather(*ways, return_exceptions=True)  # both end now
            await asyncio.sleep(0)  # the transports close in the next round
            self._pipes.discard(pipe)
            self._tasks.discard(task)

    async def _pass(self, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter, pipe: _Pipe) -> None:
        with suppress(OSError):
            while piece := await source.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if way in self.swallowed or pipe.lossy:
                    pipe.lossy = True
                    continue
                target.write(piece)
                await target.drain()
