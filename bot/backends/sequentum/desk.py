"""What every handler of the adapter works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.backends.sequentum.client import AccClient
from bot.backends.sequentum.rows import AGENT
from bot.backends.sequentum.settings import SequentumSettings
from bot.backends.sequentum.targets import Finder
from bot.core.operation import Target
from bot.core.ports import Clock, Names
from bot.core.redact import redact


@dataclass(frozen=True, slots=True)
class Desk:
    """One ACC: its settings, its client, what is known of names, and which values must not show."""

    settings: SequentumSettings
    client: AccClient
    finder: Finder
    names: Names
    clock: Clock
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """What the ACC says, on one line and without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]


def agent_of(target: Target) -> Target:
    """The agent that a resolved run, job run or schedule belongs to; an agent itself."""
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
