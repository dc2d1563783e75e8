"""One call, before any attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bot.http_client.auth import Auth
from bot.http_client.urls import Query

# Returns a new iterator of the body for every attempt.
BodyStream = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The arguments of HttpClient.call and download; see the package docstring."""

    method: str
    path: str
    query: Query
    content: bytes | None
    stream: BodyStream | None
    headers: tuple[tuple[str, str], ...]
    auth: Auth | None
    base_url: str | None
    idempotent: bool
    missing: str | None
