"""The plugin of this kind: its capabilities, its settings, and the function that builds a backend from them."""

from __future__ import annotations

from typing import Final

from bot.backends.informatica.adapter import InformaticaBackend
from bot.backends.informatica.capabilities import SPEC
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.errors import translated
from bot.backends.informatica.login import SignIn
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import client_for


def build(settings: InformaticaSettings, parts: BackendParts) -> InformaticaBackend:
    """One organization; no connection is opened yet."""
    http = client_for(
        settings,
        parts,
        headers=(("Accept", "application/json"),),
        translate=translated,
        base_url=settings.login_url,
    )
    client = InfaClient(http, SignIn(settings, http, parts.clock), parts.clock, settings)
    return InformaticaBackend(settings, parts, client)


PLUGIN: Final = Plugin(spec=SPEC, settings=InformaticaSettings, build=build)
