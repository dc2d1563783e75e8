"""Answers that change nothing: an agent, an instance, the instances of an agent."""

from __future__ import annotations

from bot.backends.prefactor.capabilities import INSTANCE
from bot.backends.prefactor.models import Instance, Page
from bot.backends.prefactor.presentation import (
    agent_facts,
    agent_level,
    agent_next,
)
from bot.backends.prefactor.presentation import instance_view as view_of
from bot.backends.prefactor.targets import AdapterContext
from bot.core.operation import Operation
from bot.core.outcome import Done, RecentRun
from bot.core.ports.services import Call
from bot.core.run_history import run_history
from bot.core.vendor_json import unread


async def agent_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The agent with its counts and the actions allowed now."""
    agent = await ctx.client.agent(operation.target.id)
    state = agent_level(agent)
    return Done(
        summary=f"{ctx.clean(agent.name or operation.target.name)} is {state.text}.",
        state=state,
        facts=agent_facts(agent, ctx.clean),
        backend_ref=operation.target.id,
        next=agent_next(ctx.name, agent),
    )


async def instance_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One instance."""
    view = view_of(ctx.name, await ctx.client.instance(operation.target.id), ctx.clean)
    who = operation.target.parent_name
    return Done(
        summary=f"{f'An instance of {who}' if who else 'The instance'} is {view.state}.",
        run=operation.target,
        view=view,
        beside="",
        backend_ref=operation.target.id,
        next=view.next,
    )


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest instances of an agent."""
    agent = operation.target
    count = operation.params.get("count")
    items, total = await latest(ctx, agent.id, count if isinstance(count, int) else 10)
    await ctx.finder.learn(items, agent)
    runs = [RecentRun(id=one.id and f"{INSTANCE}/{one.id}", view=view_of(ctx.name, one, ctx.clean)) for one in items]
    return run_history(
        agent.name, runs, what="instance", show=("Registered", "Purpose", "Reason"), total=total, note=unread(items)
    )


async def latest(ctx: AdapterContext, agent_id: str, count: int) -> tuple[list[Instance], int | None]:
    """The newest instances, newest first, and how many there are. A list that begins with the oldest is read backwards."""
    page = await ctx.client.instances(agent_id, count)
    total = page.pagination.item_count if page.pagination else None
    if _oldest_first(page) and total is not None and total > count:
        page = await ctx.client.instances(agent_id, count, total - count)
    newest = sorted(page.items, key=lambda item: item.inserted_at or "", reverse=True)
    return newest[:count], total


def _oldest_first(page: Page[Instance]) -> bool:
    # An account that ignores or refuses `sorting` may begin with the oldest; each reply shows its direction.
    return page.sorting is not None and page.sorting.direction == "asc"
