"""The answers for runs and job runs that were started."""

from __future__ import annotations

from collections.abc import Sequence

from bot.backends.sequentum.capabilities import JOB_RUN, RUN
from bot.backends.sequentum.targets import AdapterContext, agent_of
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Suggestion
from bot.core.text import written


async def run_done(ctx: AdapterContext, operation: Operation, ids: Sequence[str]) -> Done:
    """Runs of the operation's agent started; `ids` contains at least one."""
    agent = agent_of(operation.target)
    runs = [ctx.finder.part(RUN, run_id, agent) for run_id in ids]
    await ctx.target_cache.remember(runs)
    facts = [Fact(label="Sessions", value=len(ids))] if len(ids) > 1 else []
    if operation.params.get("production") is False:
        facts.append(Fact(label="Production", value="no (no data is delivered)"))
    many = f" in {len(ids)} sessions" if len(ids) > 1 else ""
    return Done(
        summary=f"{agent.name} was started{many}.",
        facts=tuple(facts),
        run=runs[0].model_copy(update={"together": tuple(ids)}) if len(ids) > 1 else runs[0],
        backend_ref=ids[0],
        next=(Suggestion(label="Refresh", verb="status", target=written(ctx.name, runs[0].name)),),
    )


async def job_done(ctx: AdapterContext, agent: Target, id: str, number: int | None) -> Done:
    """A run of the agent's job started; `number` is its number within the agent."""
    run = ctx.finder.part(JOB_RUN, id, agent)
    await ctx.target_cache.remember([run])
    return Done(
        summary=f"The job of {agent.name} was started" + (f" as job run {number}." if number is not None else "."),
        run=run,
        backend_ref=id,
        next=(Suggestion(label="Refresh", verb="status", target=written(ctx.name, run.name)),),
    )
