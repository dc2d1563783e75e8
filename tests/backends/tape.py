"""Records what a control plane answers, and plays it again with one field of one reply changed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import aiohttp
from yarl import URL

Path = tuple[str | int, ...]
_HOP: Final = frozenset({"host", "connection", "transfer-encoding", "content-length", "accept-encoding"})
_HERE: Final = "here comes JSON text"


class Raw(str):
    """JSON text that no encoder of Python would write."""

    __slots__ = ()


ABSENT: Final = object()
VALUES: Final[dict[str, Any]] = {
    "absent": ABSENT,
    "wrong type": [{"odd": True}],
    "null": None,
    "huge": Raw("9" * 400),
    "not a number": Raw("NaN"),
    "large": 2**62,
    "half a character": Raw(r'"cut \ud83d here"'),
    "unknown": "SOMETHING_NEW" + " and long" * 499,  # longer than any text of Slack
}


@dataclass(frozen=True)
class Bend:
    """One change: in the replies to `key` (method and path), the value at `path` becomes VALUES[name]."""

    key: str
    path: Path
    name: str

    @property
    def field(self) -> str:
        """The vendor's name of the changed field."""
        return next((str(part) for part in reversed(self.path) if isinstance(part, str)), "")

    def __str__(self) -> str:
        return f"{self.name}: {'.'.join(map(str, self.path))} of {self.key}"


@dataclass
class Answer:
    """One reply; `status` 0: the connection was cut."""

    status: int
    headers: dict[str, str]
    body: bytes


_NOT_TAPED: Final = Answer(404, {"Content-Type": "application/json"}, b'{"message": "not on the tape"}')


@dataclass
class Tape:
    """Stands between backend and plane: records while `playing` is False, and answers by itself from then on."""

    playing: bool = False
    bend: Bend | None = None
    taped: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    _played: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @asynccontextmanager
    async def before(self, plane_url: str) -> AsyncIterator[str]:
        """The address at which the plane is found through this tape."""
        own_url = ""
        recording: set[asyncio.Task[None]] = set()
        async with aiohttp.ClientSession(auto_decompress=False) as session:

            def received(asked: Asked, transport: asyncio.Transport) -> None:
                key = f"{asked.method} {asked.raw_path.partition('?')[0]}"
                if not self.playing:
                    recording.add(asyncio.ensure_future(record(key, asked, transport)))
                    return
                at = min(self._played[key], len(self.taped[key]) - 1)
                self._played[key] += 1
                _show(self._bent(key, self.taped[key][at]) if at >= 0 else _NOT_TAPED, transport, plane_url, own_url)

            async def record(key: str, asked: Asked, transport: asyncio.Transport) -> None:
                self.taped[key].append(answer := await _ask(session, plane_url, asked))
                _show(answer, transport, plane_url, own_url)

            async with await asyncio.get_running_loop().create_server(
                lambda: _Wire(received), "127.0.0.1", 0
            ) as server:
                own_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
                yield own_url

    def erase(self) -> None:
        """Record anew."""
        self.playing, self.bend = False, None
        self.taped.clear()

    def play(self, bend: Bend | None) -> None:
        """Answer from the tape, from its beginning."""
        self.playing, self.bend = True, bend
        self._played.clear()

    def bends(self, names: tuple[str, ...] = tuple(VALUES)) -> Iterator[Bend]:
        """Every change of every field of the replies that are on the tape; of a list, in its first row and of two whole rows."""
        for key, answers in list(self.taped.items()):
            for path in dict.fromkeys(path for answer in answers for path in _paths(_json(answer))):
                for name in names:
                    if name != "absent" or isinstance(path[-1], str):  # a list without one row is an ordinary list
                        yield Bend(key, path, name)

    def _bent(self, key: str, answer: Answer) -> Answer:
        bend = self.bend
        if bend is None or bend.key != key or (value := _json(answer)) is None:
            return answer
        try:
            body = with_bend(value, bend)
        except (KeyError, IndexError, TypeError):
            return answer
        return Answer(answer.status, answer.headers, body)


def bends_of(value: Any, names: tuple[str, ...]) -> Iterator[Bend]:
    """Every change of every field of one reply."""
    for path in _paths(value):
        for name in names:
            if name != "absent" or isinstance(path[-1], str):
                yield Bend("", path, name)


def with_bend(value: Any, bend: Bend | None) -> bytes:
    """The reply as bytes, with that change."""
    if bend is None:
        return json.dumps(value).encode()
    new = VALUES[bend.name]
    text = json.dumps(_changed(value, bend.path, _HERE if isinstance(new, Raw) else new))
    return (text.replace(f'"{_HERE}"', new) if isinstance(new, Raw) else text).encode()


class Asked(NamedTuple):
    """One request."""

    method: str
    raw_path: str
    headers: dict[str, str]
    body: bytes


class _Wire(asyncio.Protocol):
    """Reads requests. The client sends one after the other on a connection, so little of HTTP is enough; a server for all of it
    costs more than the backend that is tested."""

    def __init__(self, received: Callable[[Asked, asyncio.Transport], None]) -> None:
        self._received = received
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, rest = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = _whole(rest, headers)
        if body is not None:
            self._read = b""
            method, raw_path, _ = first.split(" ")
            self._received(Asked(method, raw_path, headers, body), self._transport)


def _whole(rest: bytes, headers: dict[str, str]) -> bytes | None:
    """The body, None if more of it is to come."""
    if headers.get("transfer-encoding") != "chunked":
        return rest if len(rest) >= int(headers.get("content-length", "0")) else None
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if size == b"0":
            return body
        length = int(size, 16) if size else 0
        body, rest = body + rest[:length], rest[length + 2 :]
    return None


async def _ask(session: aiohttp.ClientSession, plane_url: str, asked: Asked) -> Answer:
    headers = {name: value for name, value in asked.headers.items() if name not in _HOP}
    url = URL(plane_url + asked.raw_path, encoded=True)
    try:
        async with session.request(asked.method, url, data=asked.body, headers=headers, allow_redirects=False) as reply:
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            return Answer(reply.status, kept, await reply.read())
    except aiohttp.ClientError:
        return Answer(0, {}, b"")


def _show(answer: Answer, transport: asyncio.Transport, plane_url: str, own_url: str) -> None:
    if not answer.status:
        transport.abort()
        return
    body = answer.body.replace(plane_url.encode(), own_url.encode())
    headers = answer.headers if answer.status == 204 else {**answer.headers, "Content-Length": str(len(body))}
    lines = (f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *map(": ".join, headers.items()))
    transport.write("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body)


def _json(answer: Answer) -> Any:
    """The JSON object or list of a success; None for anything else."""
    try:
        value = json.loads(answer.body)
    except ValueError:
        return None
    return value if 200 <= answer.status < 300 and isinstance(value, dict | list) else None


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        yield from ((*path, index) for index, _ in enumerate(value[:2]))
        yield from _paths(value[0], (*path, 0)) if value else ()


def _changed(value: Any, path: Path, new: Any) -> Any:
    """The value, which changes."""
    inner = value
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]]  # raises where this reply has no such field
    if new is ABSENT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
        if isinstance(inner, dict):
            inner["extraField"] = {"nobody": ["knows", None]}
    return value
