"""Prefactor: registered agents and their instances. Registering an agent starts no work; agents run elsewhere.

Sources: seed 002 (SEED) for `POST /api/v1/agent`, its object and its two error shapes; the vendor's operation pages (DOC) and
its own clients (CODE) for everything else. What is not documented is marked GUESS where it matters.
"""

from bot.backends.prefactor.adapter import PrefactorBackend
from bot.backends.prefactor.capabilities import SPEC
from bot.backends.prefactor.settings import PrefactorSettings
from bot.core.ports.plugin import Plugin

PLUGIN = Plugin(spec=SPEC, settings=PrefactorSettings, build=PrefactorBackend)
