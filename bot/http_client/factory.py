"""Makes the HTTP client of a backend."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import BackendParts, Ids
from bot.http_client.auth import Auth
from bot.http_client.client import HttpClient, Translate
from bot.http_client.transport import Tls


def chance_of(ids: Ids) -> Callable[[], float]:
    """Random numbers from 0 to 1, made from the Ids port."""

    def chance() -> float:
        return int(hashlib.sha256(ids.secret().encode()).hexdigest()[:8], 16) / 0xFFFF_FFFF

    return chance


def client_for(
    settings: BackendSettings,
    parts: BackendParts,
    *,
    auth: Auth | None = None,
    headers: Sequence[tuple[str, str]] = (),
    deadline: float = 30.0,
    concurrency: int = 8,
    translate: Translate | None = None,
    base_url: str | None = None,
) -> HttpClient:
    """The client of one configured backend."""
    return HttpClient(
        settings.base_url if base_url is None else base_url,
        name=parts.name,
        clock=parts.clock,
        chance=chance_of(parts.ids),
        auth=auth,
        tls=Tls(settings.authorities, settings.client_certificate),
        proxies=settings.proxies,
        headers=headers,
        secrets=parts.secrets,
        deadline=deadline,
        concurrency=concurrency,
        translate=translate,
        may_send=parts.may_send,
    )
