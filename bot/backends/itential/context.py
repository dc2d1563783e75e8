"""What every handler of the adapter works with."""

from __future__ import annotations

from bot.backends.itential.client import ItnClient
from bot.backends.itential.settings import ItentialSettings
from bot.backends.itential.targets import Finder
from bot.core import adapter_context as core

AdapterContext = core.AdapterContext[ItentialSettings, ItnClient, Finder]
