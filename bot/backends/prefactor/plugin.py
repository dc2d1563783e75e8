"""The plugin of this kind: its capabilities, its settings, and the function that builds a backend from them."""

from __future__ import annotations

from typing import Final

from bot.backends.prefactor.adapter import PrefactorBackend
from bot.backends.prefactor.capabilities import SPEC
from bot.backends.prefactor.client import PrefactorClient
from bot.backends.prefactor.error_bodies import refusal
from bot.backends.prefactor.settings import PrefactorSettings
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import Bearer, client_for


def build(settings: PrefactorSettings, parts: BackendParts) -> PrefactorBackend:
    """One Prefactor account; no connection is opened yet."""
    # At most four requests at once: more than six are known to queue until they time out (CODE prefactor-open-dashboard).
    http = client_for(
        settings,
        parts,
        auth=Bearer(settings.token),
        concurrency=4,
        translate=lambda status, body: refusal(parts.name, body, status, parts.secrets) or body,
    )
    return PrefactorBackend(settings, parts, PrefactorClient(http, parts.secrets))


PLUGIN: Final = Plugin(spec=SPEC, settings=PrefactorSettings, build=build)
