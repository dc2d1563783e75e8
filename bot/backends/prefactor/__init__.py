"""Prefactor: registered agents and their instances. Registering an agent starts no work; agents run elsewhere.

Sources: seed 002 (SEED) for `POST /api/v1/agent`, its object and its two error shapes; the vendor's operation pages (DOC) and
its own clients (CODE) for everything else. What is not documented is marked GUESS where it matters.
"""

from bot.backends.prefactor.plugin import PLUGIN

__all__ = ["PLUGIN"]
