"""What every handler of the adapter works with."""

from __future__ import annotations

from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.settings import InformaticaSettings
from bot.backends.informatica.targets import Finder
from bot.core import adapter_context as core

AdapterContext = core.AdapterContext[InformaticaSettings, InfaClient, Finder]
