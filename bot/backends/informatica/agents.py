"""Agents: their status with all known services, and the jobs that ended on them."""

from bot.backends.informatica.capabilities import AGENT
from bot.backends.informatica.models import Entry
from bot.backends.informatica.presentation import ROWS_WRITTEN, agent_facts, ended_view, service_table
from bot.backends.informatica.states import agent_state, service_words
from bot.backends.informatica.targets import AdapterContext, split_service
from bot.core.command.params import number_of
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Phase, RecentRun
from bot.core.ports.services import Call
from bot.core.runs import run_history
from bot.core.text import suggest
from bot.core.vendor_json import unread


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """An agent with all its services: those listed now and those seen before."""
    target = operation.target
    record = await ctx.client.details(target.group)
    before = await ctx.finder.seen_services(target)
    await ctx.finder.learn(target, record)
    listed = {one.app_display_name for one in record.services}
    unlisted = sorted({split_service(one)[1] for one in before} - listed)
    name = target.name.removeprefix(f"{AGENT}/")
    up = sum(service_words(one)[1] is Phase.SUCCEEDED for one in record.services)
    state = agent_state(record, unlisted)
    starts = [ctx.finder.service_target(target, one) for one in unlisted[:3]] if not record.unseen else []
    counted = f"{up} of {len(listed | set(unlisted)) + len(record.unnamed)} services are running"
    if record.unseen:
        counted = f"the state of its services is not known, because {record.unseen}"
    return Done(
        summary=f"{name} is {state.text}; {counted}.",
        state=state,
        facts=agent_facts(record),
        table=service_table(record, unlisted) if record.agent_engines or unlisted else None,
        next=tuple(suggest(f"Start {split_service(one)[1]}", "start", one) for one in starts),
    )


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest ended jobs on an agent. The log has no filter by agent, so this searches the newest jobs of all."""
    count = number_of(operation, "count") or 10
    entries = await ctx.client.ended(rows=1_000)
    here = [one for one in entries if one.agent_id == operation.target.group or (one.odd and one.agent_id is None)][
        :count
    ]
    name = operation.target.name.removeprefix(f"{AGENT}/")
    if not here:
        return Done(summary=f"None of the latest {len(entries)} jobs of the organization ran on {name}.")
    return run_history(
        name, [_ended(ctx, entry) for entry in here], what="job", show=("Task", ROWS_WRITTEN), note=unread(here)
    )


def _ended(ctx: AdapterContext, entry: Entry) -> RecentRun:
    """A job of any task, without buttons: the log names its task only by an id that no command takes."""
    view = ended_view(None, entry, ctx.clean)
    task = Fact(label="Task", value=entry.object_name or entry.object_id)
    number = "" if entry.run_id is None else str(entry.run_id)
    return RecentRun(id=number, view=view.model_copy(update={"facts": (*view.facts, task)}))


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """Whether the agent is active."""
    return "active" if (await ctx.client.details(target.group)).active else "not active"
