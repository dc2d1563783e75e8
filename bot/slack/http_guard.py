"""Limits for peers that haven't proved to be Slack: connections, time and bytes for a header, lines of the log.

A signature can only be checked after the whole request has arrived. Until then a newer connection may replace the oldest
one, so that silent or half-sent connections never block the next request.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import resource
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from pydantic import SecretStr

from bot.core.ports.services import Clock

MAX_BODY: Final = 1_000_000
MAX_AGE: Final = 300
MOST_FIELDS: Final = 100
MOST_CONNECTIONS: Final = 512
RESERVED: Final = 256  # file descriptors for the store, Slack, control planes and logs
WANTED: Final = 4_096  # file descriptors that the program requests from the system
LOG_EVERY: Final = 60.0
_CHUNKS: Final = "body without a length"
MOST_HEADER: Final = 16_384  # bytes; Slack sends about one thousand
MOST_REQUESTS: Final = 16  # that arrive at once; Slack waits for each answer
_END_OF_HEADER: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH_REQUIRED: Final = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Verdict(NamedTuple):
    """HTTP status and a short reason; 200 accepts the request."""

    status: int
    why: str


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: float) -> Verdict:
    """Whether these bytes come from Slack and are well formed; `headers` have lower-case names, `now` is epoch seconds."""
    if len(body) > MAX_BODY:
        return Verdict(413, "too large")
    signed = _signed(headers, body, secrets, now)
    if signed is not None:
        return signed
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Verdict(200, "ok")
    try:
        fields = body.decode("utf-8").split("&")
    except ValueError:
        return Verdict(400, "form")
    if len(fields) > MOST_FIELDS:
        return Verdict(400, "too many fields")
    names = [field.partition("=")[0] for field in fields if field]
    if len(names) != len({unquote_plus(name) for name in names}):  # as a form parser reads them
        return Verdict(400, "duplicate field")
    return Verdict(200, "ok")


def _signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: float) -> Verdict | None:
    stamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > MAX_AGE:
        return Verdict(401, "timestamp")
    if not signature.isascii():
        return Verdict(401, "signature")
    base = b"v0:" + stamp.encode() + b":" + body
    for secret in secrets:
        key = secret.get_secret_value().encode()
        expected = "v0=" + hmac.digest(key, base, "sha256").hex()
        if key and hmac.compare_digest(expected, signature):
            return None
    return Verdict(401, "signature")


class Limits(NamedTuple):
    """Connections in total and per public address; seconds for a header, for a body, and between two requests."""

    connections: int = MOST_CONNECTIONS
    of_one_address: int = 64
    header: float = 5.0
    body: float = 10.0
    idle: float = 10.0


DEFAULTS: Final = Limits()


def limits(files: int) -> Limits:
    """The limits for that many open files, with a reserve for the program's own calls."""
    return Limits(connections=max(16, min(MOST_CONNECTIONS, files - RESERVED)))


def descriptors() -> int:
    """How many files this program may have open, after raising the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft


class QuietLog(logging.Filter):
    """Counts problems of unverified peers and logs the counts once a minute. As a filter, it keeps only the cause of a record."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        super().__init__()
        self._log = log
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._next = 0.0

    def note(self, what: str) -> None:
        """Count one. `what` is the program's own text, never a peer's."""
        self._counts[what] += 1
        now = self._clock.monotonic()
        if now >= self._next:
            self._log.warning("refused over HTTP: %s", ", ".join(f"{n} x {name}" for name, n in self._counts.items()))
            self._counts.clear()
            self._next = now + LOG_EVERY

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop records of aiohttp: they quote the request."""
        if record.levelno > logging.DEBUG:
            self.note(record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "malformed")
        return False


class Guard:
    """Admits connections. A new one replaces the oldest unverified one at the limit."""

    def __init__(self, bounds: Limits, note: Callable[[str], None]) -> None:
        self.bounds = bounds
        self.note = note
        self._open: dict[asyncio.BaseTransport, Connection] = {}  # in the order of their arrival
        self._of: dict[str, dict[asyncio.BaseTransport, Connection]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def factory(self, inner: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """The factory that a listening socket calls for each connection. `inner` makes the HTTP server's protocol."""
        return lambda: Connection(self, inner())

    @contextmanager
    def proved(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """Keeps the connection while a request with a valid signature is processed."""
        connection = self._open.get(transport) if transport is not None else None
        if connection is None:
            yield
            return
        connection.busy = connection.known = True
        try:
            yield
        finally:
            connection.busy = False

    def admit(self, transport: asyncio.Transport, connection: Connection) -> bool:
        """Admit a connection, at the limit by dropping the oldest idle one. False when none can be dropped."""
        address = connection.address
        own = self._of.setdefault(address, {})
        if not _is_near(address) and len(own) >= self.bounds.of_one_address and not self._drop_one(own.values()):
            return False
        if len(self._open) >= self.bounds.connections and not self._drop_one(self._open.values()):
            return False
        self._open[transport] = connection
        self._of.setdefault(address, {})[transport] = connection
        return True

    def forget(self, transport: asyncio.BaseTransport, address: str) -> None:
        self._open.pop(transport, None)
        own = self._of.get(address)
        if own is not None:
            own.pop(transport, None)
            if not own:
                del self._of[address]

    def _drop_one(self, connections: Iterable[Connection]) -> bool:
        idle = [connection for connection in connections if not connection.busy]
        # Slack keeps a connection open between two requests: it is dropped only after all unverified ones.
        oldest = next((connection for connection in idle if not connection.known), next(iter(idle), None))
        if oldest is None:
            self.note("too many connections")
            return False
        oldest.drop("connection dropped for a newer one")
        return True


class Connection(asyncio.Protocol):
    """One connection: passes everything to the HTTP server, and closes when a header is too large or not complete in time."""

    def __init__(self, guard: Guard, inner: asyncio.Protocol) -> None:
        self.busy = False  # a request with a valid signature is being processed
        self.known = False  # such a request came before
        self.address = ""
        self._guard = guard
        self._inner = inner
        self._admitted = False
        self._timer: asyncio.TimerHandle | None = None
        self._header = b""  # the part of a header that has arrived
        self._body = 0  # bytes of a body that are still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit it, or close it at once."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a stream, for mypy
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        self._admitted = self._guard.admit(transport, self)
        if not self._admitted:
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._guard.bounds.header, self.drop, "header not sent in time")
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on. The end of the first header stops its timer; the idle time limits later headers."""
        if not self._admitted:
            return
        refused = self._follow(data)
        if refused:
            self._admitted = False
            self._inner.connection_lost(None)
            if refused == _CHUNKS:
                self._transport.write(_LENGTH_REQUIRED)
                self._guard.note(refused)
                self._transport.close()
            else:
                self.drop(refused)
            return
        self._inner.data_received(data)

    def _follow(self, data: bytes) -> str:
        """Follow the requests in these bytes. Returns why they are refused, empty when they are not.

        The HTTP server keeps the whole of a header, whatever its size, and reads a million chunks of one byte while nobody
        else is answered.
        """
        at = requests = 0
        while at < len(data):
            if self._body:
                step = min(self._body, len(data) - at)
                self._body -= step
                at += step
                continue
            kept = len(self._header)
            text, start = (self._header + data[at : at + MOST_HEADER], 0) if kept else (data, at)
            end = text.find(_END_OF_HEADER, start, start + MOST_HEADER)
            if end < 0:
                self._header = text[start : start + MOST_HEADER]
                return "" if len(self._header) < MOST_HEADER else "header too large"
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            at = end + len(_END_OF_HEADER) + (at - kept if kept else 0)
            requests += 1
            if requests > MOST_REQUESTS:
                return "too many requests at once"
            if _CHUNKED.search(text, start, end + 2):
                return _CHUNKS
            length = _LENGTH.search(text, start, end + 2)
            self._body = int(length[1]) if length else 0
            self._header = b""
        return ""

    def drop(self, why: str) -> None:
        self._guard.note(why)
        self._guard.forget(self._transport, self.address)
        self._transport.abort()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._admitted else None

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.forget(self._transport, self.address)
        if self._timer is not None:
            self._timer.cancel()
        if self._admitted:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _is_near(address: str) -> bool:
    """Whether many requests may come from this address, such as a reverse proxy's."""
    try:
        near = ip_address(address)
    except ValueError:
        return True
    return near.is_private or near.is_loopback or near.is_link_local
