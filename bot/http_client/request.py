"""One call as it was asked for, before any attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bot.http_client.auth import Auth
from bot.http_client.urls import Query

# Gives a fresh iterator of the body at every attempt.
BodyStream = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What HttpClient.call and download were told; see the package's page for the words."""

    method: str
    path: str
    query: Query
    content: bytes | None
    stream: BodyStream | None
    headers: tuple[tuple[str, str], ...]
    auth: Auth | None
    base_url: str | None
    repeat_safe: bool
    missing: str | None
