"""Sequentum Agent Control Center (ACC): agents, runs, job runs, schedules, inputs and servers.

Source of every call: the vendor's page "API Access" (31 operations). What that page leaves open is noted where it matters.
"""

from bot.backends.sequentum.plugin import PLUGIN

__all__ = ["PLUGIN"]
