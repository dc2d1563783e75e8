"""The context that every step works with, built once at the start."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from bot.core.card import Card
from bot.core.command.catalog import Catalog
from bot.core.effects import Effect
from bot.core.intent import Place
from bot.core.masking.redact import SecretList
from bot.core.policy.compile import Policy
from bot.core.ports.services import Backend, Clock, Directory, Ids, Presenter, SlackFiles, Spool, TargetCache
from bot.core.ports.store import Leadership, Store
from bot.runtime.health import HealthBoard
from bot.runtime.leadership import AlwaysLeader
from bot.runtime.listings import Listings
from bot.runtime.stale_homes import StaleHomes
from bot.runtime.task_queue import KeyedLock, TaskQueue

LOOKS_AT_ONCE: Final = 4  # at one backend: its other calls must not wait


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """The rules in force, since when, and the user groups that any of them depends on (found once a load, not a decision)."""

    policy: Policy
    loaded_at: datetime
    user_groups: frozenset[str]

    @classmethod
    def of(cls, policy: Policy, loaded_at: datetime) -> ActivePolicy:
        """These rules, in force since `loaded_at`."""
        return cls(policy, loaded_at, policy.user_groups)


def _slots() -> defaultdict[str, asyncio.Semaphore]:
    return defaultdict(partial(asyncio.Semaphore, LOOKS_AT_ONCE))


async def no_head() -> None:
    """Without Slack no head is known."""


@dataclass(frozen=True, slots=True)
class Context:
    """Frozen: nothing here is replaced while the program runs. `policy` is asked anew for every decision. `workspace_url` is
    Slack's address of the workspace with a slash at its end, empty when unknown. `consoles` are the templates of
    console addresses by backend."""

    clock: Clock
    ids: Ids
    catalog: Catalog
    backends: Mapping[str, Backend]
    store: Store
    target_cache: TargetCache
    directory: Directory
    presenter: Presenter
    files: SlackFiles
    spool: Spool
    tasks: TaskQueue
    policy: Callable[[], ActivePolicy]
    health: HealthBoard
    listings: Listings
    home_team: str
    zone: str
    command: str
    security_channel: str | None = None
    incident_channel: str | None = None
    leadership: Leadership = field(default_factory=AlwaysLeader)
    workspace_url: str = ""
    published_head: Callable[[], Awaitable[str | None]] = no_head
    consoles: Mapping[str, str] = field(default_factory=dict)
    secrets: SecretList = field(default_factory=SecretList)
    effects: tuple[Effect[Context], ...] = ()
    locks: KeyedLock = field(default_factory=KeyedLock)
    looks: defaultdict[str, asyncio.Semaphore] = field(
        default_factory=_slots
    )  # for the effects of lost calls, by backend
    stale_homes: StaleHomes = field(default_factory=StaleHomes)

    async def tell_security(self, key: str, title: str, **parts: Any) -> None:
        """A notice in the security channel, if there is one. `parts` are further parts of the card."""
        if self.security_channel is not None:
            place = Place(team_id=self.home_team, channel_id=self.security_channel)
            await self.presenter.show(Card(key=key, place=place, title=title, at=self.clock.now(), **parts))
