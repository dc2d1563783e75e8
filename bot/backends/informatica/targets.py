"""Turns what a person wrote into the one target that it means.

Agents by the v3 lookup (SEED), which gives the federated id; the v2 id comes from the v2 agent of that name and is
remembered. Services come from the v2 details, or from what was seen before: a stopped service is no longer listed.

A target carries more data in its `group` than its id: the caller keeps it and returns it on every poll. A service has no id of
its own: it is the agent's federated id and the display name. The v2 id of its agent is needed to read it, and a followed start
or stop must know which of the two it is and when it began.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from bot import backends
from bot.backends import FinderBase, nearest, unnamed
from bot.backends.informatica.capabilities import AGENT, ORG, SCHEDULE, SERVICE, TASK
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.models import Agent, Found, Schedule
from bot.backends.informatica.settings import InformaticaSettings
from bot.core import errors
from bot.core.command.params import as_typed
from bot.core.command.target_ref import TargetRef
from bot.core.operation import Target
from bot.core.text import checked_name, first_of

Goal = Literal["start", "stop"]
_GOALS: Final[dict[str, Goal]] = {"start": "start", "stop": "stop"}


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """`v2` is the agent's id for v2 paths; `goal` and `since` (UTC) stand for a start or stop under way."""

    v2: str
    goal: Goal | None = None
    since: datetime | None = None

    @property
    def group(self) -> str:
        """`V2` or `V2@start|SECONDS`."""
        if self.goal is None or self.since is None:
            return self.v2
        return f"{self.v2}@{self.goal}|{int(self.since.timestamp())}"

    @classmethod
    def of(cls, group: str) -> ServiceKey:
        """The key in a `group`; raises BadReply for a value that this program didn't write."""
        v2, _, rest = group.replace("@", "|").partition("|")  # `|` in what earlier versions stored
        goal, _, since = rest.partition("|")
        if not rest:
            return cls(v2)
        if goal not in _GOALS or not since.isdigit():
            raise errors.BadReply("The stored data of the followed run can't be read.")
        return cls(v2, _GOALS[goal], datetime.fromtimestamp(int(since), UTC))


@dataclass(frozen=True, slots=True)
class TaskKey:
    """`type` is the vendor's task type; `v2` the task's id for v2 calls, empty while unknown; `run` the run followed."""

    type: str
    v2: str = ""
    run: int | None = None
    since: datetime | None = None

    @property
    def group(self) -> str:
        """`TYPE|V2` or `TYPE|V2|RUN@SECONDS`."""
        head = f"{self.type}|{self.v2}"
        if self.run is None or self.since is None:
            return head
        return f"{head}|{self.run}@{int(self.since.timestamp())}"

    @classmethod
    def of(cls, group: str) -> TaskKey:
        """The key in a `group`; raises BadReply for a value that this program didn't write."""
        parts = group.replace("@", "|").split("|")  # `|` in what earlier versions stored
        if len(parts) == 2:
            return cls(parts[0], parts[1])
        if len(parts) != 4 or not parts[2].isdigit() or not parts[3].isdigit():
            raise errors.BadReply("The stored data of the followed run can't be read.")
        return cls(parts[0], parts[1], int(parts[2]), datetime.fromtimestamp(int(parts[3]), UTC))


def service_id(federated: str, display_name: str) -> str:
    """The id of a service target."""
    return f"{federated}/{display_name}"


def split_service(target: Target) -> tuple[str, str]:
    """The agent's federated id and the service's display name."""
    federated, _, name = target.id.partition("/")
    return federated, name


def agent_name(target: Target) -> str:
    """The name of a service target's agent, for messages."""
    _, name = split_service(target)
    return target.name.removesuffix(f"/{name}")


class Finder(FinderBase[InformaticaSettings, InfaClient]):
    """Finds targets of one organization and remembers them."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""
        if ref.selector is not None:
            raise self.not_selected(ref, kind, "Without it, the newest job of the task counts.")
        if kind == AGENT:
            return await self.agent(ref.path)
        if kind == TASK:
            return await self._task(ref.path)
        if kind == SCHEDULE:
            return await self._schedule(ref.path)
        if kind == ORG or not ref.path:
            return self.organization()
        return await self._service(ref.path)

    def organization(self) -> Target:
        """The organization itself."""
        return self.target(ORG, ORG, "")

    # --- agents --------------------------------------------------------------------------------

    async def agent(self, written: str) -> Target:
        """An agent by its name, with both of its ids: `id` is the federated one, `group` the v2 one."""
        name = checked_name(written, "agent/eu-1")
        found = await self._looked_up(self._client.lookup(name, "Agent"))
        if found is None:
            return await self._listed_agent(name)
        if found.path is not None and found.path != name:
            raise errors.NoSuchTarget(
                f"{self._backend} has no agent `{name}`; it is called `{found.path}`.",
                nearest=(f"{AGENT}/{found.path}",),
            )
        known = await self._target_cache.by_id(self._backend, AGENT, found.id)
        if known is not None and known.group and known.name == f"{AGENT}/{name}":
            return known
        agent = await self._client.agent_by_name(name)
        if agent.federated_id not in (None, found.id):
            raise errors.BadReply(f"{self._backend} has two agents called `{name}`, so nothing was done.")
        return await self.remembered(self.agent_target(agent.name, found.id, agent.id))

    async def _looked_up(self, lookup: Awaitable[Found | None]) -> Found | None:
        """What the lookup finds; None if it fails, because its code for `not found` is not documented."""
        try:
            return await lookup
        except errors.NoSuchTarget:
            return None
        except errors.Rejected as no:
            if isinstance(no, errors.CredentialRefused | errors.RateLimited):
                raise
            return None

    async def _listed_agent(self, name: str) -> Target:
        """The agent from the full list, for organizations whose lookup doesn't find it. Raises NoSuchTarget with near names."""
        agents = await self._client.agents()
        for agent in agents:
            if agent.name == name and agent.federated_id and agent.id:
                return await self.remembered(self.agent_target(name, agent.federated_id, agent.id))
        names = sorted({agent.name for agent in agents if agent.name})
        near = tuple(f"{AGENT}/{one}" for one in nearest(name, names, 0.4))
        known = f" It has: {first_of(names, 10, ', ')}." if names else ""
        raise errors.NoSuchTarget(f"{self._backend} has no Secure Agent {as_typed(name, 250)}.{known}", nearest=near)

    def agent_target(self, name: str, federated: str, v2: str) -> Target:
        """An agent as a target."""
        return self.target(AGENT, federated, f"{AGENT}/{name}", group=v2)

    # --- services ------------------------------------------------------------------------------

    async def _service(self, path: str) -> Target:
        """`AGENT/SERVICE`. A display name that was never seen is used as written: the service may be stopped."""
        checked_name(path, 'eu-1/"Data Integration Server"')
        slashes = [at for at, char in enumerate(path) if char == "/"][:3]
        parts = [(path[:at], path[at + 1 :]) for at in slashes if path[:at].strip() and path[at + 1 :].strip()]
        if not parts:
            raise await self._no_service(path.strip().strip("/"))
        missing: errors.NoSuchTarget | None = None
        for agent_part, service_part in parts:
            try:
                agent = await self.agent(agent_part)
            except errors.NoSuchTarget as no:
                near = tuple(f"{agent.removeprefix(f'{AGENT}/')}/{service_part.strip()}" for agent in no.nearest)
                missing = missing or errors.NoSuchTarget(no.summary, no.hint, near)
                continue
            return await self._service_of(agent, service_part.strip())
        raise missing or errors.NoSuchTarget(f"{self._backend} has no service {as_typed(path, 250)}.")

    async def _no_service(self, name: str) -> errors.Problem:
        """The error for a single word in place of AGENT/SERVICE: it names the agent and its services."""
        fault = f'`{name}` is not a service. Write `AGENT/SERVICE`, like `eu-1/"Data Integration Server"`'
        try:
            agent = await self.agent(name)
        except errors.NoSuchTarget as no:
            return errors.NoSuchTarget(f"{fault}. {no.summary}", nearest=no.nearest)
        services = await self.learn(agent, await self._client.details(agent.group))
        near = (agent.name, *(service.name for service in services))
        return errors.NoSuchTarget(f"{fault}, or `{agent.name}` for the agent itself.", nearest=near)

    async def _service_of(self, agent: Target, name: str) -> Target:
        known = await self._target_cache.by_id(self._backend, SERVICE, service_id(agent.id, name))
        if known is not None:
            return self.service_target(agent, name)
        record = await self._client.details(agent.group)
        await self.learn(agent, record)
        seen = {target.id.partition("/")[2] for target in await self.seen_services(agent)}
        if name not in seen:
            # Another spelling would be another target for the rules, and how the vendor compares names is not documented.
            inner = [one.app_display_name for one in record.services if one.appname and _same(one.appname, name)]
            other = inner or [one for one in sorted(seen) if _same(one, name)]
            if other:
                raise errors.NoSuchTarget(
                    f"{agent.name} has no service `{name}`; it is called `{other[0]}`.",
                    "Names are compared exactly, with case and spaces.",
                    nearest=tuple(self.service_target(agent, one).name for one in other),
                )
        return self.service_target(agent, name)

    def service_target(self, agent: Target, name: str) -> Target:
        """A service of an agent as a target; `group` is the agent's v2 id."""
        path = f"{agent.name.removeprefix(f'{AGENT}/')}/{name}"
        return self.target(SERVICE, service_id(agent.id, name), path, group=ServiceKey(agent.group).group)

    async def learn(self, agent: Target, record: Agent) -> list[Target]:
        """Remember the services that are listed now: the agent doesn't list them once they are stopped."""
        names = dict.fromkeys(status.app_display_name for status in record.services)
        targets = [self.service_target(agent, name) for name in names]
        if targets:
            await self._target_cache.remember(targets)
        return targets

    async def seen_services(self, agent: Target) -> list[Target]:
        """Every service of that agent that was seen before."""
        known = await self._target_cache.known(self._backend, SERVICE)
        return [target for target, _ in known if split_service(target)[0] == agent.id]

    # --- tasks ---------------------------------------------------------------------------------

    async def _task(self, written: str) -> Target:
        """A task by path or id. The lookup needs a type with a path, so the types are tried one by one."""
        path = checked_name(written, "task/load_orders")
        head, _, rest = path.partition("/")
        types: Sequence[str] = self._settings.task_types
        if rest and head in self._settings.task_types:
            types, path = (head,), rest
        for target, _ in await self._target_cache.known(self._backend, TASK):
            if path in (target.name.removeprefix(f"{TASK}/"), target.id) and TaskKey.of(target.group).type in types:
                return target
        found = await self._looked_up_task(path, types)
        if found is None:
            return await self.remembered(await self._task_of_log(path, types))
        key = TaskKey(found.type or "")
        return await self.remembered(self.target(TASK, found.id, f"{TASK}/{found.path}", group=key.group))

    async def _looked_up_task(self, path: str, types: Sequence[str]) -> Found | None:
        by_id = (None,) if "/" not in path and len(path) >= 19 and path.isalnum() else ()
        for kind in (*by_id, *types):
            found = await self._try(path, kind)
            if found is not None:
                return found
        return None

    async def _try(self, path: str, kind: str | None) -> Found | None:
        found = await self._looked_up(self._client.lookup_id(path) if kind is None else self._client.lookup(path, kind))
        if found is None or (found.type or kind or "").upper() not in self._settings.task_types:
            return None
        return found.model_copy(update={"type": (found.type or kind or "").upper(), "path": found.path or path})

    async def _task_of_log(self, path: str, types: Sequence[str]) -> Target:
        """A task that the lookup doesn't find, taken from the newest jobs, which show the v2 id, the plain name and the type."""
        entries = await self._client.ended(rows=200)
        for entry in entries:
            if entry.object_id and path in (entry.object_id, entry.object_name) and (entry.type or "") in types:
                name = f"{TASK}/{entry.object_name or entry.object_id}"
                key = TaskKey(entry.type or "", entry.object_id)
                return self.target(TASK, entry.object_id, name, group=key.group)
        names = sorted({entry.object_name for entry in entries if entry.object_name})
        raise errors.NoSuchTarget(
            f"{self._backend} has no task {as_typed(path, 250)} of the types {', '.join(types)}.",
            "Write the path with its folders, like `task/Default/Sales/load_orders`.",
            nearest=tuple(f"{TASK}/{near}" for near in nearest(path, names)),
        )

    async def learn_task(self, target: Target, v2: str) -> Target:
        """Remember a task's v2 id, which the reply to a start contains."""
        key = TaskKey.of(target.group)
        return await self.remembered(target.model_copy(update={"group": TaskKey(key.type, v2 or key.v2).group}))

    # --- schedules -----------------------------------------------------------------------------

    async def _schedule(self, written: str) -> Target:
        """A schedule by its id, federated id or name."""
        name = checked_name(written, "schedule/nightly")
        schedules = await self._client.schedules()
        rows, schedules = len(schedules), [one for one in schedules if one.id and one.name]
        found = [one for one in schedules if name in (one.id, one.schedule_federated_id)]
        found = found or [one for one in schedules if one.name == name]
        if len(found) > 1:
            raise errors.Ambiguous(
                f"{self._backend} has {len(found)} schedules `{name}`.", tuple(f"{SCHEDULE}/{one.id}" for one in found)
            )
        if not found:
            near = tuple(f"{SCHEDULE}/{one}" for one in nearest(name, [one.name for one in schedules], 0.4))
            odd = unnamed(rows - len(schedules), "row of `schedules`", "id", "name")
            raise errors.NoSuchTarget(f"{self._backend} has no schedule {as_typed(name, 250)}.", odd, nearest=near)
        return await self.remembered(self.schedule_target(found[0]))

    def schedule_target(self, schedule: Schedule) -> Target:
        """A schedule as a target."""
        return self.target(SCHEDULE, schedule.id, f"{SCHEDULE}/{schedule.name}", group=ORG)


def _same(one: str, other: str) -> bool:
    """Whether two names differ only in case, width, blanks and punctuation."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


AdapterContext = backends.AdapterContext[InformaticaSettings, InfaClient, Finder]
