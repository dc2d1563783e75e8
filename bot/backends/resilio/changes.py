"""Idempotent changes: pause, resume, tags."""

from __future__ import annotations

from math import ceil

from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Client, Tag
from bot.backends.resilio.presentation import tag_table
from bot.backends.resilio.targets import AdapterContext
from bot.core.command.arguments import map_of
from bot.core.command.params import duration_text
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Suggestion
from bot.core.ports.services import Call
from bot.core.text import written


async def pause(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH client?paused=true (SEED). The timer is the agent's own: it resumes even if this program is gone."""
    seconds = _seconds_to(call)
    await ctx.client.pause(seconds)
    facts = [Fact(label="Paused", value="yes")]
    ends = "until you run `resume`"
    if seconds is not None:
        ends = f"and resumes by itself after {duration_text(seconds)}"
        facts.append(Fact(label="Resumes at about", value=call.ends))
    note = _unlike(await _now(ctx.client), paused=True)
    back = Suggestion(label="Resume", verb="resume", target=written(operation.target.backend))
    return Done(summary=f"The agent is paused {ends}.{note}", facts=tuple(facts), next=(back,))


def _seconds_to(call: Call) -> int | None:
    """The timer: whole seconds from now, at least one; None for a pause without an end."""
    if call.ends is None:
        return None
    return max(1, ceil((call.ends - call.clock.now()).total_seconds()))


async def resume(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH client?paused=false (SEED)."""
    await ctx.client.resume()
    note = _unlike(await _now(ctx.client), paused=False)
    return Done(summary=f"The agent is resumed.{note}", facts=(Fact(label="Paused", value="no"),))


async def _now(client: ResilioClient) -> Client | None:
    """The agent now; None if it can't be read, because the change is already accepted."""
    try:
        return await client.client()
    except CallProblem:
        return None


def _unlike(agent: Client | None, *, paused: bool) -> str:
    if agent is None or agent.paused is None or agent.paused is paused:
        return ""
    return f" It accepted the change, but still reports that it is {'not ' if paused else ''}paused. Check again in a moment."


async def tag(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH tags (SEED), and read them back if the agent can list them."""
    wanted = map_of(operation, "*")
    await ctx.client.set_tags(wanted)
    told = ", ".join(f"{ctx.clean(name)}={ctx.clean(value)}" for name, value in wanted.items())
    found = await _tags_now(ctx.client)
    if found is None:
        return Done(summary=f"Set: {told}. The tags couldn't be read back.")
    stored = {item.name: item.value or "" for item in found}
    unlike = [ctx.clean(name) for name, value in wanted.items() if stored.get(name) != value]
    note = f" The agent accepted this, but doesn't show it for {', '.join(unlike)}." if unlike else ""
    return Done(summary=f"Set: {told}.{note}", table=tag_table(found, ctx.clean))


async def _tags_now(client: ResilioClient) -> list[Tag] | None:
    try:
        return await client.tags()
    except (CallProblem, NoSuchTarget):
        return None
