"""Itential Platform with Gateway Manager: services, gateways, service groups, certificates, and jobs.

Sources: the vendor's page "Run a gateway service" with its list of operations (SEED), the API reference (DOC) and public
clients (CODE). What is not documented is a GUESS, marked where it matters and listed in docs/backends/itential.md.
"""

from bot.backends.itential.plugin import PLUGIN

__all__ = ["PLUGIN"]
