"""Records what a control plane answers, and plays it again with one field of one reply changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web
from yarl import URL

from tests.http_client.support import serving

Path = tuple[str | int, ...]
_HOP: Final = frozenset({"host", "connection", "transfer-encoding", "content-length", "accept-encoding"})


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
        async with aiohttp.ClientSession(auto_decompress=False) as session:

            async def answer(request: web.BaseRequest) -> web.StreamResponse:
                key = f"{request.method} {request.raw_path.partition('?')[0]}"
                if not self.playing:
                    self.taped[key].append(await _ask(session, plane_url, request))
                    return _shown(self.taped[key][-1], request, plane_url, server.base_url)
                at = min(self._played[key], len(self.taped[key]) - 1)
                if at < 0:
                    return web.json_response({"message": "not on the tape"}, status=404)
                self._played[key] += 1
                return _shown(self._bent(key, self.taped[key][at]), request, plane_url, server.base_url)

            async with serving(answer) as server:
                yield server.base_url

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
            body = _text(_changed(value, bend.path, VALUES[bend.name])).encode()
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
    return _text(value if bend is None else _changed(value, bend.path, VALUES[bend.name])).encode()


async def _ask(session: aiohttp.ClientSession, plane_url: str, request: web.BaseRequest) -> Answer:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
    url = URL(plane_url + request.raw_path, encoded=True)
    try:
        async with session.request(
            request.method, url, data=await request.read(), headers=headers, allow_redirects=False
        ) as reply:
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            return Answer(reply.status, kept, await reply.read())
    except aiohttp.ClientError:
        return Answer(0, {}, b"")


def _shown(answer: Answer, request: web.BaseRequest, plane_url: str, own_url: str) -> web.StreamResponse:
    if not answer.status:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    body = answer.body.replace(plane_url.encode(), own_url.encode())
    return web.Response(status=answer.status, headers=answer.headers, body=body or None)


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


def _text(value: Any) -> str:
    """JSON, with what stands raw in it."""
    raw: list[str] = []

    def marked(item: Any) -> Any:
        if isinstance(item, Raw):
            raw.append(str(item))
            return f"<<raw {len(raw) - 1}>>"
        if isinstance(item, dict):
            return {key: marked(inner) for key, inner in item.items()}
        return [marked(inner) for inner in item] if isinstance(item, list) else item

    text = json.dumps(marked(value))
    for number, text_of in enumerate(raw):
        text = text.replace(f'"<<raw {number}>>"', text_of)
    return text
