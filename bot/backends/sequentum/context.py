"""The context that every handler of the adapter gets."""

from __future__ import annotations

from bot.backends.sequentum.capabilities import AGENT
from bot.backends.sequentum.client import AccClient
from bot.backends.sequentum.settings import SequentumSettings
from bot.backends.sequentum.targets import Finder
from bot.core import adapter_context as core
from bot.core.operation import Target

AdapterContext = core.AdapterContext[SequentumSettings, AccClient, Finder]


def agent_of(target: Target) -> Target:
    """The agent of a resolved run, job run or schedule; an agent target itself."""
    if target.kind == AGENT:
        return target
    agent_id = target.parent or target.group
    return Target(
        backend=target.backend,
        kind=AGENT,
        id=agent_id,
        name=target.parent_name or agent_id,
        scope=target.scope,
        group=agent_id,
    )
