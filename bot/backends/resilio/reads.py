"""Answers that change nothing: the agent, its runs, its tags."""

from __future__ import annotations

from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Run
from bot.backends.resilio.presentation import (
    clean,
    client_facts,
    client_next,
    client_state,
    run_table,
    run_view,
    runs_text,
    tag_table,
)
from bot.backends.resilio.states import run_state
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Phase
from bot.core.ports.services import Call


def newest_first(runs: list[Run]) -> list[Run]:
    """By their numbers, which grow."""
    return sorted(runs, key=lambda run: run.run_id, reverse=True)


async def agent_status(client: ResilioClient, operation: Operation, call: Call) -> Done:
    """The agent; an older one without runs, or one whose runs cannot be read, still has a status."""
    agent = await client.client()
    try:
        runs = runs_text(await client.runs())
    except (CallProblem, NoSuchTarget) as problem:
        runs = f"not readable: {problem.summary}"
    required = " It needs a restart." if agent.restart_required else ""
    return Done(
        summary=f"{clean(agent.name) or 'The agent'} is {client_state(agent)}.{required}",
        facts=(*client_facts(agent), Fact(label="Runs", value=runs)),
        next=client_next(operation.target.backend, agent),
    )


async def run_status(client: ResilioClient, operation: Operation, call: Call) -> Done:
    """One run."""
    run = await client.run(operation.target.id)
    view = run_view(operation.target.backend, run)
    return Done(
        summary=f"{clean(run.name) or f'Run {run.run_id}'} is {view.state}.",
        run=operation.target,
        view=view,
        beside="",
        backend_ref=str(run.run_id),
        next=view.next,
    )


async def history(client: ResilioClient, operation: Operation, call: Call) -> Done:
    """The runs that the agent has now; it keeps no record of earlier ones."""
    runs = newest_first(await client.runs())
    count = operation.params.get("count")
    shown = runs[: count if isinstance(count, int) else 20]
    if not runs:
        return Done(summary="The agent has no runs now.")
    phases = [run_state(run.status)[1] for run in runs]
    busy, bad = phases.count(Phase.ACTIVE), phases.count(Phase.FAILED)
    return Done(
        summary=f"{len(runs)} run{'s' if len(runs) > 1 else ''}, {busy or 'none'} active, {bad or 'none'} failed.",
        table=run_table(shown, len(runs)),
    )


async def tags(client: ResilioClient, operation: Operation, call: Call) -> Done:
    """All tags of the agent."""
    found = await client.tags()
    if not found:
        return Done(summary="The agent has no tags.")
    return Done(summary=f"The agent has {len(found)} tag{'s' if len(found) > 1 else ''}.", table=tag_table(found))
