"""Resilio: one desktop agent of Resilio Connect (Active Everywhere) through its local Agent API, version 3.

Source of every call: seed 004 (SEED). That page doesn't describe errors, the lifetime of a token, or the replies to
changes; what is assumed there is marked GUESS where it matters.
"""

from bot.backends.resilio.adapter import ResilioBackend
from bot.backends.resilio.capabilities import SPEC
from bot.backends.resilio.settings import ResilioSettings
from bot.core.ports.plugin import Plugin

PLUGIN = Plugin(spec=SPEC, settings=ResilioSettings, build=ResilioBackend)
