"""The plugin of this kind: its capabilities, its settings, and the function that builds a backend from them."""

from __future__ import annotations

from typing import Final

from bot.backends.resilio.adapter import ResilioBackend
from bot.backends.resilio.capabilities import SPEC
from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.settings import ResilioSettings
from bot.backends.resilio.tokens import TokenKeeper
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import client_for


def build(settings: ResilioSettings, parts: BackendParts) -> ResilioBackend:
    """One agent; no connection is opened yet."""
    http = client_for(settings, parts, concurrency=4)
    keeper = TokenKeeper(http, parts.clock) if settings.token_auth else None
    return ResilioBackend(settings, parts, ResilioClient(http, keeper, settings.refused_statuses))


PLUGIN: Final = Plugin(spec=SPEC, settings=ResilioSettings, build=build)
