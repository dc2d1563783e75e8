"""Itential Platform with Gateway Manager: services, gateways, service groups, certificates, and jobs.

Sources: the vendor's page "Run a gateway service" with its list of operations (SEED), the API reference (DOC) and public
clients (CODE). What is not documented is a GUESS, marked where it matters and listed in docs/backends/itential.md.
"""

from bot.backends.itential.adapter import ItentialBackend
from bot.backends.itential.capabilities import SPEC
from bot.backends.itential.settings import ItentialSettings
from bot.core.ports.plugin import Plugin

PLUGIN = Plugin(spec=SPEC, settings=ItentialSettings, build=ItentialBackend)
