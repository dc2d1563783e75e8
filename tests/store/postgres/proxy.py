"""Stands between a client and PostgreSQL, and cuts the connection at a chosen message, or alters what passes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Proxy:
    """Listens on a Unix socket and hands everything on to the server's. `cut` looks at what passes and may end a connection.

    It gets the direction ("to" the server or "from" it) and the bytes; when it returns True, they are lost and both sides closed.
    `alter` may change what goes to the server.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self.cut: Callable[[str, bytes], bool] = lambda _direction, _sent: False
        self.alter: Callable[[bytes], bytes] = lambda sent: sent
        self._server = server
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / ".s.PGSQL.5432"))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._server / ".s.PGSQL.5432"))
                except OSError:  # the server is away
                    client.close()
                    server.close()
                    continue
                for direction, one, other in (("to", client, server), ("from", server, client)):
                    threading.Thread(target=self._pass, args=(direction, one, other), daemon=True).start()

    def _pass(self, direction: str, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while (sent := one.recv(65_536)) and not self.cut(direction, sent):
                other.sendall(self.alter(sent) if direction == "to" else sent)
        for side in (one, other):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
