"""Answers that change nothing: the agent, its runs, its tags."""

from __future__ import annotations

from bot.backends.resilio.presentation import (
    client_facts,
    client_next,
    client_state,
    run_table,
    run_view,
    runs_text,
    tag_table,
)
from bot.backends.resilio.states import run_state
from bot.backends.resilio.targets import AdapterContext, newest_first
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Phase
from bot.core.ports.services import Call
from bot.core.text import plural


async def agent_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET client and runs (SEED): the agent. One without readable runs still has a status."""
    agent = await ctx.client.client()
    try:
        runs = runs_text(await ctx.client.runs())
    except (CallProblem, NoSuchTarget) as problem:
        runs = f"can't be read: {problem.summary}"
    required = " It needs a restart." if agent.restart_required else ""
    state = client_state(agent)
    return Done(
        summary=f"{ctx.clean(agent.name) or 'The agent'} is {state.text}.{required}",
        state=state,
        facts=(*client_facts(agent, ctx.clean), Fact(label="Runs", value=runs)),
        next=client_next(operation.target.backend, agent),
    )


async def run_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET runs/ID (SEED): one run."""
    run = await ctx.client.run(operation.target.id)
    view = run_view(operation.target.backend, run, ctx.clean)
    return Done(
        summary=f"{ctx.clean(run.name) or f'Run {operation.target.id}'} is {view.state}.",
        run=operation.target,
        view=view,
        beside="",
        backend_ref=operation.target.id,
        next=view.next,
    )


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET runs (SEED): the current runs; the agent keeps no record of earlier ones."""
    runs = newest_first(await ctx.client.runs())
    count = operation.params.get("count")
    shown = runs[: count if isinstance(count, int) else 20]
    if not runs:
        return Done(summary="The agent has no runs now.")
    phases = [run_state(run.status)[1] for run in runs]
    busy, bad, unclear = (phases.count(phase) for phase in (Phase.ACTIVE, Phase.FAILED, Phase.UNREADABLE))
    unknown = f", {unclear} in an unknown state" if unclear else ""
    return Done(
        summary=f"{plural(len(runs), 'run')}, {busy or 'none'} active, {bad or 'none'} failed{unknown}.",
        table=run_table(shown, len(runs), ctx.clean),
    )


async def tags(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET tags (SEED): all tags of the agent."""
    found = await ctx.client.tags()
    if not found:
        return Done(summary="The agent has no tags.")
    return Done(summary=f"The agent has {plural(len(found), 'tag')}.", table=tag_table(found, ctx.clean))
