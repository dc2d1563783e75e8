"""Turns what a person wrote into the one target that it means.

Agents by the v3 lookup (SEED), which gives the federated id; the v2 id comes from the v2 agent of that name and is
remembered. Services come from the v2 details, or from what was seen before: a stopped service is no longer listed.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Final

from bot import backends
from bot.backends import FinderBase, unnamed
from bot.backends.informatica.capabilities import AGENT, ORG, SCHEDULE, SERVICE, TASK
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.keys import ServiceKey, TaskKey, service_id, split_service
from bot.backends.informatica.models import Agent, Found, Schedule
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.command.target_ref import TargetRef
from bot.core.errors import (
    Ambiguous,
    BadReply,
    BadRequest,
    CredentialRefused,
    NoSuchTarget,
    Problem,
    RateLimited,
    Rejected,
)
from bot.core.operation import Target
from bot.core.text import checked_name

_MOST_SPLITS: Final = 3
_LOOKED_AT: Final = 200


class Finder(FinderBase[InformaticaSettings, InfaClient]):
    """Finds targets of one organization and remembers them."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""
        if ref.selector is not None:
            raise BadRequest(f"`@{ref.selector}` picks a run of an agent, but {self._backend} has no such runs.")
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
        found = await self._looked_up(name)
        if found is None:
            return await self._listed_agent(name)
        if found.path is not None and found.path != name:
            raise NoSuchTarget(
                f"{self._backend} has no agent `{name}`; it is called `{found.path}`.",
                nearest=(f"{AGENT}/{found.path}",),
            )
        known = await self._target_cache.by_id(self._backend, AGENT, found.id)
        if known is not None and known.group and known.name == f"{AGENT}/{name}":
            return known
        agent = await self._client.agent_by_name(name)
        if agent.federated_id not in (None, found.id):
            raise BadReply(f"{self._backend} has two agents called `{name}`, so nothing was done.")
        return await self.remembered(self.agent_target(agent.name, found.id, agent.id))

    async def _looked_up(self, name: str) -> Found | None:
        """The agents that the lookup finds; None if it fails, because its code for `not found` is not documented."""
        try:
            return await self._client.lookup(name, "Agent")
        except NoSuchTarget:
            return None
        except Rejected as no:
            if isinstance(no, CredentialRefused | RateLimited):
                raise
            return None

    async def _listed_agent(self, name: str) -> Target:
        """The agent from the full list, for organizations whose lookup doesn't find it. Raises NoSuchTarget with near names."""
        agents = await self._client.agents()
        for agent in agents:
            if agent.name == name and agent.federated_id and agent.id:
                return await self.remembered(self.agent_target(name, agent.federated_id, agent.id))
        names = {agent.name.casefold(): agent.name for agent in agents if agent.name}
        close = difflib.get_close_matches(name.casefold(), sorted(names), n=5, cutoff=0.4)
        near = tuple(f"{AGENT}/{names[key]}" for key in close)
        known = f" It has: {', '.join(sorted(names.values())[:10])}." if names else ""
        raise NoSuchTarget(f"{self._backend} has no Secure Agent `{name}`.{known}", nearest=near)

    def agent_target(self, name: str, federated: str, v2: str) -> Target:
        """An agent as a target."""
        return self.target(AGENT, federated, f"{AGENT}/{name}", group=v2)

    # --- services ------------------------------------------------------------------------------

    async def _service(self, path: str) -> Target:
        """`AGENT/SERVICE`. A display name that was never seen is used as written: the service may be stopped."""
        checked_name(path, 'eu-1/"Data Integration Server"')
        slashes = [at for at, char in enumerate(path) if char == "/"][:_MOST_SPLITS]
        parts = [(path[:at], path[at + 1 :]) for at in slashes if path[:at].strip() and path[at + 1 :].strip()]
        if not parts:
            raise await self._no_service(path.strip().strip("/"))
        missing: NoSuchTarget | None = None
        for agent_part, service_part in parts:
            try:
                agent = await self.agent(agent_part)
            except NoSuchTarget as no:
                near = tuple(f"{agent.removeprefix(f'{AGENT}/')}/{service_part.strip()}" for agent in no.nearest)
                missing = missing or NoSuchTarget(no.summary, no.hint, near)
                continue
            return await self._service_of(agent, service_part.strip())
        raise missing or NoSuchTarget(f"{self._backend} has no service `{path}`.")

    async def _no_service(self, name: str) -> Problem:
        """The error for a single word in place of AGENT/SERVICE: it names the agent and its services."""
        fault = f'`{name}` is not a service. Write `AGENT/SERVICE`, like `eu-1/"Data Integration Server"`'
        try:
            agent = await self.agent(name)
        except NoSuchTarget as no:
            return NoSuchTarget(f"{fault}. {no.summary}", nearest=no.nearest)
        services = await self.learn(agent, await self._client.details(agent.group))
        near = (agent.name, *(service.name for service in services))
        return NoSuchTarget(f"{fault}, or `{agent.name}` for the agent itself.", nearest=near)

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
                raise NoSuchTarget(
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
        target = self._task_target(found) if found is not None else await self._task_of_log(path, types)
        return await self.remembered(target)

    async def _looked_up_task(self, path: str, types: Sequence[str]) -> Found | None:
        if "/" not in path and len(path) >= 19 and path.isalnum():
            found = await self._try(path, None)
            if found is not None:
                return found
        for kind in types:
            found = await self._try(path, kind)
            if found is not None:
                return found
        return None

    async def _try(self, path: str, kind: str | None) -> Found | None:
        try:
            found = await (self._client.lookup_id(path) if kind is None else self._client.lookup(path, kind))
        except NoSuchTarget:
            return None
        except Rejected as no:
            if isinstance(no, CredentialRefused | RateLimited):
                raise
            return None
        if found is None or (found.type or kind or "").upper() not in self._settings.task_types:
            return None
        return found.model_copy(update={"type": (found.type or kind or "").upper(), "path": found.path or path})

    def _task_target(self, found: Found) -> Target:
        return self.target(TASK, found.id, f"{TASK}/{found.path}", group=TaskKey(found.type or "").group)

    async def _task_of_log(self, path: str, types: Sequence[str]) -> Target:
        """A task that the lookup doesn't find, taken from the newest jobs, which show the v2 id, the plain name and the type."""
        entries = await self._client.ended(rows=_LOOKED_AT)
        for entry in entries:
            if entry.object_id and path in (entry.object_id, entry.object_name) and (entry.type or "") in types:
                name = f"{TASK}/{entry.object_name or entry.object_id}"
                key = TaskKey(entry.type or "", entry.object_id)
                return self.target(TASK, entry.object_id, name, group=key.group)
        names = sorted({entry.object_name for entry in entries if entry.object_name})
        raise NoSuchTarget(
            f"{self._backend} has no task `{path}` of the types {', '.join(types)}.",
            "Write the path with its folders, like `task/Default/Sales/load_orders`.",
            nearest=tuple(f"{TASK}/{near}" for near in difflib.get_close_matches(path, names, n=5, cutoff=0.5)),
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
            raise Ambiguous(
                f"{self._backend} has {len(found)} schedules `{name}`.",
                tuple(f"{SCHEDULE}/{one.id}" for one in found),
            )
        if not found:
            names = {one.name for one in schedules}
            near = tuple(f"{SCHEDULE}/{one}" for one in difflib.get_close_matches(name, sorted(names), n=5, cutoff=0.4))
            odd = unnamed(rows - len(schedules), "row of `schedules`", "id", "name")
            raise NoSuchTarget(f"{self._backend} has no schedule `{name}`.", odd, nearest=near)
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
