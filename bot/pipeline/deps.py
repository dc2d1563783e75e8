"""What the steps work with, put together once by the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.catalog import Catalog
from bot.core.policy_load import Policy
from bot.core.ports import Backend, Clock, Directory, Ids, Names, Presenter, SlackFiles, Spool
from bot.core.store_port import Store
from bot.pipeline.drain import Drain
from bot.pipeline.health import HealthBoard
from bot.pipeline.homes import Homes
from bot.pipeline.presses import Presses
from bot.pipeline.turns import Turns


@dataclass(frozen=True, slots=True)
class PolicyNow:
    """The rules in force, since when, and the user groups that any of them depends on (found once a load, not a decision)."""

    policy: Policy
    loaded_at: datetime
    user_groups: frozenset[str]

    @classmethod
    def of(cls, policy: Policy, loaded_at: datetime) -> PolicyNow:
        """These rules from then on."""
        return cls(policy, loaded_at, policy.user_groups)


@dataclass(frozen=True, slots=True)
class Deps:
    """Frozen: nothing here is replaced while the program runs. `policy` is asked anew for every decision."""

    clock: Clock
    ids: Ids
    catalog: Catalog
    backends: Mapping[str, Backend]
    store: Store
    names: Names
    directory: Directory
    presenter: Presenter
    files: SlackFiles
    spool: Spool
    drain: Drain
    policy: Callable[[], PolicyNow]
    health: HealthBoard
    home_team: str
    zone: str
    command: str
    security_channel: str | None = None
    incident_channel: str | None = None
    secrets: tuple[str, ...] = ()
    presses: Presses = field(default_factory=Presses)
    turns: Turns = field(default_factory=Turns)
    homes: Homes = field(default_factory=Homes)
