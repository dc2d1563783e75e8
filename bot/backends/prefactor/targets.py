"""Turns what a person wrote into the one agent or instance that it means.

An agent that does not exist yet is a target too, because `create pre:NAME` acts on one. The finder doesn't know the verb, so a
name that no agent has becomes a target whose id is `new/NAME`, which can't be a vendor id; every verb but create then answers
that the agent doesn't exist. The marker contains the name, so an approval for one name never counts for another.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot import backends
from bot.backends import FinderBase, check_same, nearest, selected, unnamed
from bot.backends.prefactor.capabilities import AGENT, INSTANCE, NEW
from bot.backends.prefactor.client import LARGEST_PAGE, PrefactorClient
from bot.backends.prefactor.models import Agent, Instance
from bot.backends.prefactor.presentation import instance_state
from bot.backends.prefactor.settings import PrefactorSettings
from bot.core.command.params import as_typed
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadRequest, NoSuchTarget
from bot.core.operation import Target
from bot.core.text import visible, written

# GUESS from the examples: 32 lower-case letters and digits. It only decides which look-up comes first.
_ID: Final = re.compile(r"[0-9a-z]{32}")
_LONGEST_NAME: Final = 255


def is_new(target: Target) -> bool:
    """True for an agent that does not exist yet."""
    return target.kind == NEW or target.id.startswith(f"{NEW}/")


class Finder(FinderBase[PrefactorSettings, PrefactorClient]):
    """Finds targets of one account and remembers them."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""
        if ref.selector is not None:
            if kind not in (None, AGENT, INSTANCE):
                raise BadRequest(f"`@{ref.selector}` picks an instance of an agent that exists.")
            return await self._selected(await self.existing(ref.path), ref.selector)
        if kind == INSTANCE:
            return await self._instance(ref.path)
        if kind == NEW:
            return await self._unused(ref.path)
        return await self.agent(ref.path)

    async def all(self) -> list[Agent]:
        """Every agent of the account, also those with a partly unreadable row; those with an id are remembered."""
        agents = await self._client.agents(self._settings.environment_id)
        await self.keep(agents)
        return agents

    async def keep(self, agents: Sequence[Agent]) -> None:
        """Remember agents that have an id and a name."""
        await self._target_cache.remember([self.agent_target(agent) for agent in agents if agent.id and agent.name])

    async def agent(self, path: str) -> Target:
        """An agent by id or exact name, or one that doesn't exist yet. Raises Ambiguous if several have the name."""
        name = checked_name(path)
        if _ID.fullmatch(name):
            found = await self._by_id(name)
            if found is not None:
                return found
        agents = await self.all()
        same = [agent for agent in agents if agent.name == name and agent.id]
        if len(same) > 1:
            raise Ambiguous(
                f"{self._backend} has {len(same)} agents with the name `{name}`.",
                tuple(written(self._backend, agent.id) for agent in same),
            )
        if same:
            return self.agent_target(same[0])
        unsure = any(not (agent.id and agent.name) for agent in agents)
        if unsure or _ID.fullmatch(name) or any(agent.name.casefold() == name.casefold() for agent in agents):
            raise self._missing(name, agents)
        return self.target(AGENT, f"{NEW}/{name}", name)

    async def existing(self, path: str) -> Target:
        """An agent by id or exact name, which must exist."""
        target = await self.agent(path)
        if is_new(target):
            raise await self.missing(target.name)
        return target

    async def missing(self, name: str) -> NoSuchTarget:
        """The error for a name that no agent has, with the nearest names."""
        return self._missing(name, await self.all())

    def _missing(self, name: str, agents: Sequence[Agent]) -> NoSuchTarget:
        folded = {agent.name.casefold(): agent for agent in agents if agent.id and agent.name}
        near = nearest(name, folded, most=3)
        texts = tuple(self.text(folded[match], agents) for match in near)
        hint = "Similar names: " + ", ".join(f"`{text}`" for text in texts) + "." if texts else ""
        other = folded.get(name.casefold())
        if other is not None:
            hint = f"It is called `{other.name}`; upper and lower case count."
        odd = unnamed(sum(not (agent.id and agent.name) for agent in agents), "row of `details`", "id", "name")
        return NoSuchTarget(
            f"{self._backend} has no agent {as_typed(name, 250)}.", f"{hint} {odd}".strip(), nearest=texts
        )

    async def _by_id(self, agent_id: str) -> Target | None:
        try:
            agent = await self._client.agent(agent_id)
        except NoSuchTarget:
            return None
        check_same(self._backend, "id", agent_id, agent.id)
        agent = agent.model_copy(update={"id": agent_id, "name": agent.name or agent_id})
        await self.keep([agent])
        return self.agent_target(agent)

    async def _unused(self, path: str) -> Target:
        name = checked_name(path)
        same = [agent for agent in await self.all() if agent.name == name]
        if same:
            raise BadRequest(
                f"{self._backend} already has an agent `{name}`.",
                f"Check it with `status {written(self._backend, same[0].id)}`, or choose another name.",
                "already_exists",
            )
        return self.target(NEW, f"{NEW}/{name}", f"{NEW}/{name}", scope=f"{self._backend}:{name}")

    def agent_target(self, agent: Agent) -> Target:
        """An agent as a target: rules see its name."""
        return self.target(AGENT, agent.id, agent.name, group=agent.id)

    def text(self, agent: Agent, agents: Sequence[Agent]) -> str:
        """How to write this agent: by its name if that is unique, else by its id."""
        name = agent.name
        taken = sum(other.name == name for other in agents) > 1 or _ID.fullmatch(name) is not None
        prefixed = name.startswith((f"{INSTANCE}/", f"{NEW}/"))
        return written(self._backend, agent.id if taken or prefixed or not name.strip() else name)

    def part(self, instance: Instance, agent: Target | None) -> Target:
        """An instance as a target: rules see its agent, and without a known agent only `backend:*` covers it."""
        owner = {"group": instance.agent_id or "", "parent": instance.agent_id}
        known = {"scope": agent.scope, "parent_name": agent.name} if agent else {"scope": None}
        return self.target(INSTANCE, instance.id, f"{INSTANCE}/{instance.id}", **owner, **known)

    async def _instance(self, instance_id: str) -> Target:
        if not instance_id:
            raise BadRequest("Write the id, like `instance/013xrzp12g3nqk8nx0y2vfkg4s3jp2qr`.")
        instance = await self._client.instance(instance_id)
        check_same(self._backend, "id", instance_id, instance.id)
        instance = instance.model_copy(update={"id": instance_id})
        agent = await self._by_id(instance.agent_id) if instance.agent_id else None
        return await self.remembered(self.part(instance, agent))

    async def _selected(self, agent: Target, selector: str) -> Target:
        page = await self._client.instances(agent.id, LARGEST_PAGE)
        newest = sorted((item for item in page.items if item.id), key=lambda item: item.inserted_at or "", reverse=True)
        found = selected(newest, selector, lambda item: instance_state(item)[1])
        if not found:
            word = "" if selector == "last" else f"{selector} "
            raise NoSuchTarget(f"{agent.name} has no {word}instance among the latest {LARGEST_PAGE}.")
        return await self.remembered(self.part(found[0], agent))

    async def learn(self, instances: Sequence[Instance], agent: Target) -> None:
        """Remember the listed instances."""
        await self._target_cache.remember([self.part(instance, agent) for instance in instances if instance.id])


def checked_name(name: str) -> str:
    """The name, if valid; raises BadRequest for an empty name, blanks around it and invisible characters."""
    if not name:
        raise BadRequest("Name an agent, like `invoice-reader`.")
    visible(name, "name")
    if name != name.strip() or len(name) > _LONGEST_NAME:
        raise BadRequest(
            f"A name has at most {_LONGEST_NAME} characters and no blanks around it. For other agents, write the id."
        )
    return name


AdapterContext = backends.AdapterContext[PrefactorSettings, PrefactorClient, Finder]
