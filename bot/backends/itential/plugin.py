"""What the folder exports: the rows, the settings, and how they become a backend."""

from __future__ import annotations

import base64
from typing import Final

from bot.backends.itential.adapter import ItentialBackend
from bot.backends.itential.capabilities import ROWS
from bot.backends.itential.client import ItnClient
from bot.backends.itential.settings import ItentialSettings
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import Credential, client_for


class Basic:
    """User name and password in the Authorization header of every call (SEED)."""

    def __init__(self, settings: ItentialSettings) -> None:
        password = settings.password.get_secret_value()
        word = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
        self._credential = Credential(headers=(("Authorization", f"Basic {word}"),), secrets=(password,))

    async def credential(self) -> Credential:
        """Always the same."""
        return self._credential

    async def renew(self, refused: Credential) -> Credential | None:
        """There is no other."""
        return None


def build(settings: ItentialSettings, parts: BackendParts) -> ItentialBackend:
    """One platform; nothing is opened yet."""
    secrets = (settings.password.get_secret_value(),)
    http = client_for(settings, parts, auth=Basic(settings), secrets=secrets)
    return ItentialBackend(settings, parts, ItnClient(http, settings), secrets)


PLUGIN: Final = Plugin(rows=ROWS, settings=ItentialSettings, build=build)
