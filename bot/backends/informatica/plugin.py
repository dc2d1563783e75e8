"""What the folder exports: the rows, the settings, and how they become a backend."""

from __future__ import annotations

from typing import Final

from bot.backends.informatica.adapter import InformaticaBackend
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.errors import InfaHttp
from bot.backends.informatica.rows import ROWS
from bot.backends.informatica.settings import InformaticaSettings
from bot.backends.informatica.signin import SignIn
from bot.core.plugin import Plugin
from bot.core.ports import BackendParts
from bot.httpkit.factory import chance_of


def build(settings: InformaticaSettings, parts: BackendParts) -> InformaticaBackend:
    """One organization; nothing is opened and nobody signed in yet."""
    secrets = (settings.password.get_secret_value(),)
    http = InfaHttp(
        settings.login_url,
        name=parts.name,
        clock=parts.clock,
        chance=chance_of(parts.ids),
        ca_file=settings.ca_file,
        headers=(("Accept", "application/json"),),
        secrets=secrets,
    )
    client = InfaClient(http, SignIn(settings, http, parts.clock), parts.clock, settings)
    return InformaticaBackend(settings, parts, client, secrets)


PLUGIN: Final = Plugin(rows=ROWS, settings=InformaticaSettings, build=build)
