"""The pre-flight facts, the state of a target as one phrase, and the look-up of a call whose answer was lost."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.backends.prefactor import presentation
from bot.backends.prefactor.capabilities import INSTANCE
from bot.backends.prefactor.models import Agent
from bot.backends.prefactor.operations import created, done_with, new_name, stopped, wanted
from bot.backends.prefactor.targets import AdapterContext, is_new
from bot.core.errors import NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import NOTE, Binds, Done, LookBack, Phase, Weighs
from bot.core.text import plural, utc_text
from bot.core.vendor_json import moment

_CLOCKS_APART: Final = timedelta(minutes=10)
_NEEDS: Final = {"set": "update", "retire": "retire", "reinstate": "reinstate", "delete": "delete"}

Facts = Sequence[tuple[str, str]]


async def preflight(ctx: AdapterContext, operation: Operation) -> Facts:
    """The state of the target, and whether the vendor allows the operation now; raises NoSuchTarget."""
    target = operation.target
    if target.kind == INSTANCE:
        return await _instance(ctx, operation)
    if is_new(target):
        return await _unused(ctx, operation)
    agent = await ctx.client.agent(target.id)
    facts = [
        ("State", presentation.agent_state(agent)),
        Weighs("Instances", presentation.counts_text(agent.instance_counts)),
        ("Allowed now", presentation.allowed_text(agent)),
    ]
    names, needed = presentation.allowed(agent), _NEEDS.get(operation.verb)
    if names is not None and needed is not None and needed not in names:
        facts.append(Weighs(NOTE, f"{ctx.name} doesn't allow {needed} now and will probably refuse it"))
    if operation.verb == "set":
        facts += _differences(ctx, agent, operation)
    return facts


def _differences(ctx: AdapterContext, agent: Agent, operation: Operation) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for field, value in wanted(operation).items():
        old = ctx.clean(str(getattr(agent, field) or "")) or "nothing"
        facts.append(Binds(field, f"{old} becomes {ctx.clean(str(value or '')) or 'nothing'}"))
    return facts


async def _unused(ctx: AdapterContext, operation: Operation) -> Facts:
    if operation.verb != "create":
        raise await ctx.finder.missing(operation.target.name)
    name = new_name(operation.target)
    same = sum(agent.name == name for agent in await ctx.finder.all())
    return [("Agents with that name", str(same) if same else "none")]


async def _instance(ctx: AdapterContext, operation: Operation) -> Facts:
    instance = await ctx.client.instance(operation.target.id)
    state, phase = presentation.instance_state(instance)
    began = moment(instance.started_at)
    facts = [("State", state), ("Started", utc_text(began, seconds=True) if began and began.year > 1 else "not yet")]
    if operation.target.parent_name:
        facts.insert(0, Weighs("Agent", ctx.clean(operation.target.parent_name)))
    if operation.verb == "stop":
        will = (
            "cancels the pending instance"
            if phase is Phase.WAITING
            else "terminates the instance; this can't be undone"
        )
        facts.append(Weighs("What stop does now", "nothing: the instance has ended" if phase.ended else will))
    return facts


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """The vendor's status; `does not exist` for an agent that is to be created."""
    if target.kind == INSTANCE:
        return presentation.instance_state(await ctx.client.instance(target.id))[0]
    if is_new(target):
        name = new_name(target)
        exists = any(agent.name == name for agent in await ctx.finder.all())
        return "already exists" if exists else "does not exist"
    return presentation.agent_state(await ctx.client.agent(target.id))


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    """Reads the target again: it shows every change of this vendor. `claimed` are agents that other requests created."""
    if operation.verb == "create":
        return await _created(ctx, operation, sent_at, claimed)
    look = _LOOKS.get(operation.verb)
    if look is None:
        return LookBack(evidence="This call only reads.")
    return await look(ctx, operation)


async def _created(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    name = new_name(operation.target)
    agents = await ctx.finder.all()
    same = [agent for agent in agents if agent.name == name and agent.id and agent.id not in claimed]
    ours = [agent for agent in same if (at := moment(agent.inserted_at)) is None or at >= sent_at - _CLOCKS_APART]
    if len(ours) == 1:
        agent = await ctx.client.agent(ours[0].id)
        return LookBack(found=created(ctx, agent), evidence="The list shows an agent with that name.")
    hint = f"Check `targets {operation.target.backend}` before you create it again."
    if not same:
        unsure = any(agent.odd and not (agent.id and agent.name) for agent in agents)
        more = " Some of its rows can't be read." if unsure else ""
        return LookBack(absent=not unsure, evidence=f"The list shows no agent with that name.{more}", hint=hint)
    return LookBack(evidence=f"The list shows {plural(len(same), 'agent')} with that name.", hint=hint)


async def _updated(ctx: AdapterContext, operation: Operation) -> LookBack:
    agent = await ctx.client.agent(operation.target.id)
    fields = wanted(operation)
    same = [field for field, value in fields.items() if (getattr(agent, field) or "") == (value or "")]
    if len(same) == len(fields):
        done = done_with(ctx, agent, f"{ctx.clean(agent.name)} has the new values.")
        return LookBack(found=done, evidence="The agent shows them.")
    return LookBack(absent=not same, evidence="The agent does not show all new values.")


async def _retired(ctx: AdapterContext, operation: Operation) -> LookBack:
    agent = await ctx.client.agent(operation.target.id)
    is_retired = agent.status == "retired"
    if agent.status is not None and is_retired is (operation.verb == "retire"):
        done = done_with(ctx, agent, f"{ctx.clean(agent.name)} is {presentation.agent_state(agent)}.")
        return LookBack(found=done, evidence="The agent shows that state.")
    return LookBack(absent=agent.status is not None, evidence=f"The agent is {presentation.agent_state(agent)}.")


async def _deleted(ctx: AdapterContext, operation: Operation) -> LookBack:
    try:
        agent = await ctx.client.agent(operation.target.id)
    except NoSuchTarget:
        done = Done(summary=f"{operation.target.name} is deleted.", unlinked=True, backend_ref=operation.target.id)
        return LookBack(found=done, evidence="The agent is no longer there.")
    return LookBack(absent=True, evidence=f"The agent still exists and is {presentation.agent_state(agent)}.")


async def _stopped(ctx: AdapterContext, operation: Operation) -> LookBack:
    instance = await ctx.client.instance(operation.target.id)
    state, phase = presentation.instance_state(instance)
    if phase.ended:
        found = stopped(ctx, operation.target, instance, f"is {state}")
        return LookBack(found=found, evidence="The instance shows that state.")
    return LookBack(absent=phase is not Phase.UNREADABLE, evidence=f"The instance is {state}.")


_LOOKS: Final[Mapping[str, Callable[[AdapterContext, Operation], Awaitable[LookBack]]]] = {
    "set": _updated,
    "retire": _retired,
    "reinstate": _retired,
    "delete": _deleted,
    "stop": _stopped,
}
