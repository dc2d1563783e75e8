"""The plugin of this kind: its capabilities, its settings, and the function that builds a backend from them."""

from __future__ import annotations

from typing import Final

from bot.backends.sequentum.adapter import SequentumBackend
from bot.backends.sequentum.capabilities import SPEC
from bot.backends.sequentum.client import AccClient
from bot.backends.sequentum.settings import SequentumSettings
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import BackendParts
from bot.http_client import Bearer, client_for


def build(settings: SequentumSettings, parts: BackendParts) -> SequentumBackend:
    """One ACC; no connection is opened yet."""
    http = client_for(settings, parts, auth=Bearer(settings.token))
    return SequentumBackend(settings, parts, AccClient(http, settings.schedules_on_path))


PLUGIN: Final = Plugin(spec=SPEC, settings=SequentumSettings, build=build)
