"""Informatica Intelligent Cloud Services: Secure Agent services, agents, tasks and schedules.

Sources: the vendor's page "Secure Agent services" (SEED), its REST API reference (DOC) and public clients (CODE). What
is not documented is a GUESS, marked where it matters and listed in docs/backends/informatica.md.
"""

from bot.backends.informatica.adapter import InformaticaBackend
from bot.backends.informatica.capabilities import SPEC
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.ports.plugin import Plugin

PLUGIN = Plugin(spec=SPEC, settings=InformaticaSettings, build=InformaticaBackend)
