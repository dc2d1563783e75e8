"""Sequentum Agent Control Center (ACC): agents, runs, job runs, schedules, inputs and servers.

Source of every call: the vendor's page "API Access" (31 operations). What that page leaves open is noted where it matters.
"""

from bot.backends.sequentum.adapter import SequentumBackend
from bot.backends.sequentum.capabilities import SPEC
from bot.backends.sequentum.settings import SequentumSettings
from bot.core.ports.plugin import Plugin

PLUGIN = Plugin(spec=SPEC, settings=SequentumSettings, build=SequentumBackend)
