"""What the folder exports: the rows, the settings, and how they become a backend."""

from __future__ import annotations

from typing import Final

from bot.backends.prefactor.adapter import PrefactorBackend
from bot.backends.prefactor.capabilities import ROWS
from bot.backends.prefactor.client import PrefactorClient
from bot.backends.prefactor.error_bodies import refusal
from bot.backends.prefactor.settings import PrefactorSettings
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import Bearer, client_for


def build(settings: PrefactorSettings, parts: BackendParts) -> PrefactorBackend:
    """One Prefactor account; nothing is opened yet."""
    # At most four at once: more than six parallel requests are known to queue into timeouts (CODE prefactor-open-dashboard).
    http = client_for(
        settings,
        parts,
        auth=Bearer(settings.token),
        concurrency=4,
        translate=lambda status, body: refusal(parts.name, body, status, parts.secrets) or body,
    )
    return PrefactorBackend(settings, parts, PrefactorClient(http, parts.secrets))


PLUGIN: Final = Plugin(rows=ROWS, settings=PrefactorSettings, build=build)
