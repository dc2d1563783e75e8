"""One call before any attempt: its parameters, safe path segments and queries, and the part of an address that may be shown."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypedDict
from urllib.parse import quote, urlsplit

from bot.core.errors import BadRequest
from bot.core.value import Json
from bot.http_client.auth import Auth
from bot.http_client.response import Reply

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
Query: TypeAlias = Sequence[tuple[str, str]] | str


def segment(text: str) -> str:
    """`text` percent-encoded as exactly one path segment. Raises BadRequest for text that could change the path."""
    if not text or text in (".", "..") or _CONTROL.search(text):
        raise BadRequest(f"`{_CONTROL.sub('?', text[:80])}` can't be an id")
    return quote(text, safe="")


def query_text(query: Query) -> str:
    """The query string. Pairs are encoded, a string is used unchanged."""
    if isinstance(query, str):
        return query
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)


def host_of(url: str) -> str:
    """Host and port of an address, for messages; never its path or query."""
    parts = urlsplit(url)
    if not parts.hostname:
        return "an unreadable address"
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname


# Returns a new iterator of the body for every attempt.
BodyStream = Callable[[], AsyncIterator[bytes]]
# Raises the problem that a success means.
Judge = Callable[[Reply], None]


class Options(TypedDict, total=False):
    """The parameters of `call` and `download`; see the package docstring."""

    query: Query
    json: Json
    content: bytes | None
    stream: BodyStream | None
    headers: Iterable[tuple[str, str]]
    auth: Auth | None
    base_url: str | None
    idempotent: bool
    reads: bool
    missing: str | None
    judge: Judge
    renew_on: Collection[int]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One call, before any attempt."""

    method: str
    path: str
    auth: Auth | None
    headers: Iterable[tuple[str, str]] = ()
    query: Query = ()
    json: Json = None
    content: bytes | None = None
    stream: BodyStream | None = None
    base_url: str | None = None
    idempotent: bool = False
    reads: bool = False
    missing: str | None = None
    judge: Judge = lambda _: None
    renew_on: Collection[int] = (401,)

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET" and not self.reads
