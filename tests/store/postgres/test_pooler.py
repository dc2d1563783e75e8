"""A pooler that keeps the session of each connection is fine; one that changes it with each transaction is refused."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from tests.postgres import LocalServer
from tests.store.samples import row


class Pooler:
    """Like PgBouncer: it invents the numbers of sessions. Only in the mode `session` a connection keeps its session when idle;
    `statement` refuses transactions."""

    def __init__(self, folder: Path, server: Path, mode: str) -> None:
        self._server = server
        self._mode = mode
        self._idle: list[socket.socket] = []
        self._hello = self._welcome = b""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listening, *self._idle):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            self._hello = client.recv(65_536)
            own = self._given_back(self._session())
            client.sendall(self._welcome)
            while (sent := client.recv(65_536)) and sent[:1] != b"X":
                own = own or self._session()
                if self._mode == "statement" and b"BEGIN" in sent:
                    client.sendall(frame(b"E", b"SFATAL\0VFATAL\0C08P01\0Mtransaction blocks not allowed\0\0"))
                    break
                own.sendall(sent)
                said, idle = self._answers(own, sent.count(frame(b"S", b"")) + (sent[:1] == b"Q"))
                own = self._given_back(own) if idle else own  # before the client knows, so that the next one gets it
                client.sendall(said)
            if own is not None:
                own.close()

    def _session(self) -> socket.socket:
        """The one that was given back last, or a new one."""
        if self._idle:
            return self._idle.pop()
        own = socket.socket(socket.AF_UNIX)
        own.connect(str(self._server / ".s.PGSQL.5432"))
        own.sendall(self._hello)
        self._welcome, _ = self._answers(own, 1)
        return own

    def _given_back(self, own: socket.socket) -> socket.socket | None:
        if self._mode == "session":
            return own
        self._idle.append(own)
        return None

    def _answers(self, own: socket.socket, waits: int) -> tuple[bytes, bool]:
        """What the session answers until it is ready, and whether no transaction is open."""
        said, idle = b"", False
        while waits:
            kind, body = next(self._frames(own))
            said += frame(kind, b"\0\0\x7f\x7f" + body[4:] if kind == b"K" else body)
            waits -= kind == b"Z"
            idle = body == b"I"
        return said, idle

    def _frames(self, session: socket.socket) -> Iterator[tuple[bytes, bytes]]:
        while True:
            head = session.recv(5, socket.MSG_WAITALL)
            if len(head) < 5:
                raise OSError
            size = int.from_bytes(head[1:]) - 4
            yield head[:1], session.recv(size, socket.MSG_WAITALL) if size else b""


def frame(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind + (len(body) + 4).to_bytes(4) + body


@contextmanager
def pooled(server: LocalServer, address: StoreAddress, mode: str) -> Iterator[StoreAddress]:
    """The same store through a pooler."""
    with tempfile.TemporaryDirectory(prefix="sb-pool-") as folder:
        pooler = Pooler(Path(folder), server.folder, mode)
        yield StoreAddress(address.url.partition("?")[0] + f"?host={folder}")
        pooler.close()


async def test_a_pooler_in_session_mode_works(postgres: LocalServer, address: StoreAddress) -> None:
    with pooled(postgres, address, "session") as through:
        store = open_store(through)
        assert await store.append(row()) == 1
        assert (
            True,
            "a pooler is in between, in session mode; each connection keeps its session",
        ) in store.findings_sync()
        await store.close()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pooler_in_another_mode_is_refused(postgres: LocalServer, address: StoreAddress, mode: str) -> None:
    with (
        pooled(postgres, address, mode) as through,
        pytest.raises(StoreProblem, match="isn't in session mode") as refused,
    ):
        open_store(through)
    assert refused.value.code == "store_pooler"


async def test_without_a_pooler_nothing_is_said(address: StoreAddress) -> None:
    store = open_store(address)
    said = [text for _, text in store.findings_sync()]
    assert not [text for text in said if "pooler" in text]
    assert "no replica runs" in said
    await store.close()
