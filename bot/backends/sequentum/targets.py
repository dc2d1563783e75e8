"""Turns what a person wrote into the exact target.

The ACC resolves an agent's path to its id and offers no way back. So the path of an id comes from memory (TargetCache) and is
checked again each time: the rules of a path that now belongs to another agent must not apply to this one.
"""

import re
from collections.abc import Iterable
from typing import Final

from bot import backends
from bot.backends import FinderBase, check_same, selected
from bot.backends.sequentum.capabilities import AGENT, JOB_RUN, RUN, SCHEDULE, SERVER
from bot.backends.sequentum.client import AccClient
from bot.backends.sequentum.models import Agent
from bot.backends.sequentum.settings import SequentumSettings
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadReply, BadRequest, NoSuchTarget
from bot.core.operation import Target
from bot.core.text import visible

# Ids are not held to the strict form of a GUID: the vendor's own samples break it.
_ID: Final = re.compile(r"[0-9A-Fa-f]{6,12}(?:-[0-9A-Fa-f]{3,12}){4}")
_SEARCHED: Final = 100


def checked_path(path: str) -> str:
    """The path, if valid; raises BadRequest for empty parts, dots, backslashes and invisible characters."""
    if not path:
        raise BadRequest("Name an agent, like `shop/prices`.")
    visible(path, "path", also="\\")
    if any(part in ("", ".", "..") or part != part.strip() for part in path.split("/")):
        raise BadRequest(f"`{path[:80]}` can't be the path of an agent. Write it like `shop/prices`.")
    return path


class Finder(FinderBase[SequentumSettings, AccClient]):
    """Finds targets of one ACC and remembers them."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""
        if ref.selector is not None:
            if kind not in (None, AGENT, RUN, JOB_RUN):
                raise BadRequest(f"`@{ref.selector}` picks a run of an agent, not of a {kind}.")
            return await self._selected(await self.agent(ref.path), ref.selector, job=kind == JOB_RUN)
        if kind in (RUN, JOB_RUN):
            return await self._run(kind, ref.path)
        if kind == SCHEDULE:
            return await self._schedule(ref.path)
        if kind == SERVER:
            return self.server(ref.path)
        return await self.agent(ref.path)

    async def agent(self, written: str) -> Target:
        """An agent by path or id; without a known path it has no scope."""
        if _ID.fullmatch(written):
            target = await self.agent_of(written)
            if target.scope is None:
                await self._client.runs(written, 1)
            return target
        path = checked_path(written)
        agent = await self._client.agent(path)
        return await self.remembered(self._agent_target(agent, await self._spelled(path, agent)))

    async def _spelled(self, path: str, agent: Agent) -> str:
        """The path in the ACC's spelling, which may differ from the typed one in case.

        The ACC reports the spelling of the last part only. For the folders it is the configured one, or the first one that was
        used. So an agent has one name in rules, cards and the audit log.
        """
        folder, slash, last = path.rpartition("/")
        called = folder + slash + (agent.name or last)
        if called.casefold() != path.casefold():
            raise NoSuchTarget(f"{self._backend} has no agent `{path}`; it is called `{called}`.", nearest=(called,))
        known = await self._target_cache.by_id(self._backend, AGENT, agent.agent_id)
        spellings = (*self._settings.agents, *((known.name,) if known is not None and known.scope else ()))
        usual = next((one for one in spellings if one.casefold() == path.casefold()), path)
        return usual[: len(folder + slash)] + (agent.name or usual[len(folder + slash) :])

    def _agent_target(self, agent: Agent, path: str) -> Target:
        return self.target(AGENT, agent.agent_id, path, group=agent.agent_id)

    async def agent_of(self, agent_id: str) -> Target:
        """The agent with this id, under its remembered path if that still belongs to it."""
        known = await self._target_cache.by_id(self._backend, AGENT, agent_id)
        if known is not None and known.scope is not None:
            try:
                agent = await self._client.agent(known.name)
            except NoSuchTarget:
                agent = Agent()
            if agent.agent_id == agent_id and agent.name in ("", known.name.rsplit("/", 1)[-1]):
                return self._agent_target(agent, known.name)
        return self.target(AGENT, agent_id, agent_id, scope=None, group=agent_id)

    def part(self, kind: str, id: str, agent: Target) -> Target:
        """A run, job run or schedule of that agent: rules see it as the agent."""
        owner = {"group": agent.id, "parent": agent.id, "parent_name": agent.name if agent.scope else None}
        return self.target(kind, id, f"{kind}/{id}", scope=agent.scope, **owner)

    async def _run(self, kind: str, id_: str) -> Target:
        """A run or a job run: rules see it as its agent, so it must name its agent."""
        found = await (self._client.job_run if kind == JOB_RUN else self._client.run)(_needed(id_, kind), "agent_id")
        check_same(self._backend, found.wire_name("id"), id_, found.id)
        return await self.remembered(self.part(kind, found.id or id_, await self.agent_of(found.agent_id)))

    async def _schedule(self, schedule_id: str) -> Target:
        """A schedule; its agent is known only if it was seen before, because a schedule's id doesn't lead to its agent."""
        known = await self._target_cache.by_id(self._backend, SCHEDULE, _needed(schedule_id, SCHEDULE))
        if known is None or known.parent is None:
            return self.target(SCHEDULE, schedule_id, f"{SCHEDULE}/{schedule_id}", scope=None)
        agent = await self.agent_of(known.parent)
        schedules = await self._client.schedules(agent.id)
        listed = {schedule.id for schedule in schedules}
        if schedule_id not in listed and "" in listed:
            raise BadReply(f"{self._backend} lists a schedule of {agent.name} whose `scheduleId` can't be read.")
        if schedule_id not in listed:
            raise NoSuchTarget(
                f"{agent.name} no longer has a schedule {schedule_id}.",
                nearest=tuple(f"{SCHEDULE}/{schedule.id}" for schedule in schedules[:5]),
            )
        return self.part(SCHEDULE, schedule_id, agent)

    def server(self, name: str) -> Target:
        """A server of the configuration."""
        if name not in {server.name for server in self._settings.servers}:
            raise NoSuchTarget(
                f"{self._backend} has no server `{name[:80]}` in its configuration.",
                nearest=tuple(f"{SERVER}/{server.name}" for server in self._settings.servers),
            )
        return self.target(SERVER, name, f"{SERVER}/{name}")

    async def _selected(self, agent: Target, selector: str, *, job: bool) -> Target:
        kind = JOB_RUN if job else RUN
        listed = (await self._client.history(kind, agent.id, _SEARCHED)).items
        found = [item.id for item in selected(listed, selector, lambda item: item.phase)]
        what = f"{'' if selector == 'last' else selector} {'job run' if job else 'run'}".strip()
        if not found:
            among = f" among its latest {_SEARCHED}" if listed else " yet"
            raise NoSuchTarget(f"{agent.name} has no {what}{among}.")
        if not found[0]:
            raise BadReply(f"{self._backend} lists a {what} of {agent.name} whose id can't be read.")
        return await self.remembered(self.part(kind, found[0], agent))

    async def learn(self, kind: str, ids: Iterable[str], agent: Target) -> None:
        """Remember the agent of each listed item: for schedules this is the only link to their agent."""
        await self._target_cache.remember([self.part(kind, id_, agent) for id_ in ids if id_])


def _needed(id: str, kind: str) -> str:
    if not id:
        raise BadRequest(f"Write the id, like `{kind}/9040f86d-bbc1-4038-9868-501145cc2370`.")
    return id


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


AdapterContext = backends.AdapterContext[SequentumSettings, AccClient, Finder]
