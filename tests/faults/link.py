"""A TCP proxy between one replica and one PostgreSQL server, which cuts, delays or swallows what passes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TO, FROM = "to", "from"  # the server


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
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def cut(self) -> None:
        """Reset every connection, and each new one, until `heal`."""
        self.is_closed = True
        for pipe in list(self._pipes):
            pipe.close()

    def heal(self) -> None:
        """Let everything pass again. A connection that has lost something is reset."""
        self.is_closed, self.delay, self.swallowed = False, 0.0, frozenset()
        for pipe in list(self._pipes):
            if pipe.lossy:
                pipe.close()

    async def close(self) -> None:
        """Stop."""
        self._listener.close()
        self.cut()
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
