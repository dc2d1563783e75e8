"""What each verb does. Each change is idempotent, and "already" counts as done (backends.md, section 7)."""

import hashlib
from typing import Final

from bot.backends import LOOK_FIRST, nothing_to, of_run, readable
from bot.backends.prefactor.capabilities import CREATE, INSTANCE, NEW, SET
from bot.backends.prefactor.models import Agent, Instance
from bot.backends.prefactor.presentation import (
    AGENT_STATES,
    agent_details,
    agent_facts,
    agent_level,
    agent_next,
    agent_state,
    instance_state,
)
from bot.backends.prefactor.presentation import instance_view as view_of
from bot.backends.prefactor.targets import AdapterContext
from bot.core.command.params import number_of
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Phase, RecentRun, Refused, Suggestion
from bot.core.ports.services import Call
from bot.core.runs import run_history
from bot.core.text import written
from bot.core.value import Json
from bot.core.vendor_json import unread

CONFLICT: Final = 409
_LONGEST_KEY: Final = 64
# The newer generation clears these with null (CODE); a description or a name is cleared with an empty text.
_IDS: Final = frozenset({"owner_person_id", "risk_profile_id", "team_id"})


def key_of(operation: Operation) -> str:
    """The idempotency key of a request: its id, or a digest if the id is longer than the vendor accepts."""
    request = operation.request_id
    return request if len(request) <= _LONGEST_KEY else hashlib.sha256(request.encode()).hexdigest()


def given_text(operation: Operation, name: str) -> str | None:
    """A text parameter without blanks around it; None if it was not given."""
    value = operation.params.get(name)
    return value.strip() if isinstance(value, str) else None


def new_name(target: Target) -> str:
    """The name of an agent that does not exist yet."""
    return target.id.removeprefix(f"{NEW}/")


def done_with(ctx: AdapterContext, agent: Agent, summary: str) -> Done:
    """The outcome of a change, with the agent's state now."""
    return Done(
        summary=summary,
        facts=agent_facts(agent, ctx.clean),
        details=agent_details(agent),
        backend_ref=agent.id or None,
        next=agent_next(ctx.name, agent),
    )


def taken(ctx: AdapterContext, target: Target) -> Refused:
    """The refusal to create an agent that exists."""
    return Refused(
        code="already_exists",
        summary=f"{ctx.name} already has an agent `{target.name}`. Nothing was sent.",
        hint="Choose another name, or change this agent with `set`.",
        next=(Suggestion(label="Instances", verb="history", target=written(ctx.name, target.id)),),
    )


async def create(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Create an agent. The key makes sure that repeated deliveries create only one."""
    details: dict[str, Json] = {"name": new_name(operation.target)}
    if ctx.settings.environment_id:
        details["environment_id"] = ctx.settings.environment_id
    for param in CREATE:
        value = given_text(operation, param.name)
        if value:
            details[param.name] = value
    agent = await ctx.client.create(details, key_of(operation))
    await ctx.finder.keep([agent])
    return created(ctx, agent)


def created(ctx: AdapterContext, agent: Agent) -> Done:
    """The outcome of a create."""
    done = done_with(ctx, agent, f"{ctx.clean(agent.name)} is created. This doesn't start any work.")
    return done.model_copy(
        update={"made": ctx.finder.agent_target(agent) if agent.id else None, "unlinked": not agent.id}
    )


def wanted(operation: Operation) -> dict[str, Json]:
    """The fields of a `set`."""
    details: dict[str, Json] = {}
    for param in SET:
        value = given_text(operation, param.name)
        if value is not None:
            details[param.name] = None if not value and param.name in _IDS else value
    return details


async def update(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Change the named fields."""
    details = wanted(operation)
    agent = await ctx.client.update(operation.target.id, details, key_of(operation))
    await ctx.finder.keep([agent])
    named = ", ".join(sorted(details))
    old = operation.target.name
    moved = f". It was called {old}; rules now see the new name" if agent.name not in ("", old) else ""
    return done_with(ctx, agent, f"{ctx.clean(agent.name or old)}: {named} changed{moved}.")


async def switch(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Retire an agent, or bring a retired one back."""
    retired = operation.verb == "retire"
    word = "retired" if retired else "reinstated"
    try:
        agent = await ctx.client.act(operation.target.id, operation.verb, key_of(operation))
    except CallProblem as no:
        if no.status != CONFLICT:
            raise
        seen = await readable(ctx.client.agent(operation.target.id), within=LOOK_FIRST)
        if seen is None or seen.status is None or (seen.status == "retired") is not retired:
            raise
        return done_with(ctx, seen, f"{ctx.clean(seen.name)} was already {word}.")
    now = "" if agent_state(agent) == word else f"; it is {agent_state(agent)} now"
    return done_with(ctx, agent, f"{ctx.clean(agent.name)} is {word}{now}.")


async def delete(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Delete an agent. It existed a moment ago, so a "not found" means that it is deleted."""
    name = ctx.clean(operation.target.name)
    try:
        await ctx.client.delete(operation.target.id)
    except NoSuchTarget:
        return Done(summary=f"{name} was already deleted.", unlinked=True, backend_ref=operation.target.id)
    return Done(summary=f"{name} is deleted.", unlinked=True, backend_ref=operation.target.id)


async def stop(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Cancel a pending instance, else terminate it; an instance that has ended counts as done."""
    target = operation.target
    instance = await ctx.client.instance(target.id)
    if instance_state(instance)[1] is Phase.WAITING:
        try:
            return stopped(ctx, target, await ctx.client.cancel(target.id, key_of(operation)), "is cancelled")
        except CallProblem as no:
            if no.status != CONFLICT:
                raise
        instance = await ctx.client.instance(target.id)
    if instance_state(instance)[1].ended:
        return stopped(ctx, target, instance, "had already ended")
    # The vendor stores the reason, and its API requires one.
    reason = (operation.reason or "").strip() or f"Stopped by request {operation.request_id}"
    try:
        return stopped(ctx, target, await ctx.client.terminate(target.id, reason), "is terminated")
    except CallProblem as no:
        if no.status != CONFLICT:
            raise
        seen = await readable(ctx.client.instance(target.id), within=LOOK_FIRST)
        if seen is None or not instance_state(seen)[1].ended:
            raise
        return stopped(ctx, target, seen, "had already ended")


async def nothing_left(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """The refusal to stop an instance that has ended, to retire a retired agent, or to reinstate one that isn't retired."""
    target, verb = operation.target, operation.verb
    if verb != "stop":
        agent = await ctx.client.agent(target.id)
        if agent.status not in AGENT_STATES or (agent.status == "retired") is not (verb == "retire"):
            return None
        return nothing_to(verb, f"{ctx.clean(agent.name or target.name)} is {agent_state(agent)}")
    state, phase = instance_state(await ctx.client.instance(target.id))
    who = f"The instance of {ctx.clean(target.parent_name)}" if target.parent_name else "The instance"
    return nothing_to("stop", f"{who} is {state}") if phase.ended else None


def stopped(ctx: AdapterContext, target: Target, instance: Instance, what: str) -> Done:
    """The outcome of a stop, with the instance's state now."""
    view = view_of(ctx.name, instance, ctx.clean)
    who = f"The instance of {ctx.clean(target.parent_name)}" if target.parent_name else "The instance"
    note = (
        ""
        if view.phase.ended
        else f" Its state is still {view.state}; its program learns of the stop when it next reports."
    )
    return Done(
        summary=f"{who} {what}.{note}",
        facts=(Fact(label="Agent", value=target.parent_name),) if target.parent_name else (),
        run=target,
        view=view,
        backend_ref=target.id,
        next=view.next,
    )


async def agent_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The agent with its counts and the actions allowed now."""
    agent = await ctx.client.agent(operation.target.id)
    state = agent_level(agent)
    return Done(
        summary=f"{ctx.clean(agent.name or operation.target.name)} is {state.text}.",
        state=state,
        facts=agent_facts(agent, ctx.clean),
        details=agent_details(agent),
        backend_ref=operation.target.id,
        next=agent_next(ctx.name, agent),
    )


async def instance_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One instance."""
    view = view_of(ctx.name, await ctx.client.instance(operation.target.id), ctx.clean)
    who = operation.target.parent_name
    summary = f"{f'An instance of {who}' if who else 'The instance'} is {view.state}."
    return of_run(operation.target, summary, view, backend_ref=operation.target.id)


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest instances of an agent."""
    agent = operation.target
    items, total = await latest(ctx, agent.id, number_of(operation, "count", 10))
    await ctx.finder.learn(items, agent)
    runs = [RecentRun(id=one.id and f"{INSTANCE}/{one.id}", view=view_of(ctx.name, one, ctx.clean)) for one in items]
    return run_history(
        agent.name, runs, what="instance", show=("Registered", "Purpose", "Reason"), total=total, note=unread(items)
    )


async def latest(ctx: AdapterContext, agent_id: str, count: int) -> tuple[list[Instance], int | None]:
    """The newest instances, newest first, and how many there are. A list that begins with the oldest is read backwards."""
    page = await ctx.client.instances(agent_id, count)
    total = page.pagination.item_count if page.pagination else None
    # An account that ignores or refuses `sorting` may begin with the oldest; each reply shows its direction.
    oldest_first = page.sorting is not None and page.sorting.direction == "asc"
    if oldest_first and total is not None and total > count:
        page = await ctx.client.instances(agent_id, count, total - count)
    newest = sorted(page.items, key=lambda item: item.inserted_at or "", reverse=True)
    return newest[:count], total
