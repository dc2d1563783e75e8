"""What each verb does: the agent, its runs and its tags, pause, resume and restart."""

from math import ceil
from typing import Final

from bot.backends import of_run, readable
from bot.backends.resilio import presentation
from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Client
from bot.backends.resilio.targets import AdapterContext, newest_first
from bot.core.command.params import map_of, number_of
from bot.core.errors import BadReply, CallProblem, Lost, NoSuchTarget, ServerError
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Phase, Suggestion, Unknown
from bot.core.ports.services import Call
from bot.core.text import plural, seconds_words, written

_SEND_TIME: Final = 20.0
_ASK_TIME: Final = 6.0
_PAUSE: Final = 2.0
# How long to wait for a sign of the restart while the agent still answers.
_GOES_DOWN_WITHIN: Final = 20.0
# Together with the calls around it this stays below the capability's timeout.
_COMES_BACK_WITHIN: Final = 170.0
_SENT: Final = "The agent has restarted."
_LOST: Final = "The agent seems to have restarted; its reply was lost, because a restart can cut the connection."


async def agent_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET client and runs (SEED): the agent. One without readable runs still has a status."""
    agent = await ctx.client.client()
    try:
        runs = presentation.runs_text(await ctx.client.runs())
    except (CallProblem, NoSuchTarget) as problem:
        runs = f"can't be read: {problem.summary}"
    required = " It needs a restart." if agent.restart_required else ""
    state = presentation.client_state(agent)
    return Done(
        summary=f"{ctx.clean(agent.name) or 'The agent'} is {state.text}.{required}",
        state=state,
        facts=(*presentation.client_facts(agent, ctx.clean), Fact(label="Runs", value=runs)),
        details=presentation.device(agent, ctx.clean),
        next=presentation.client_next(operation.target.backend, agent),
    )


async def run_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET runs/ID (SEED): one run."""
    run = await ctx.client.run(operation.target.id)
    view = presentation.run_view(operation.target.backend, run, ctx.clean)
    summary = f"{ctx.clean(run.name) or f'Run {operation.target.id}'} is {view.state}."
    return of_run(operation.target, summary, view, backend_ref=operation.target.id)


async def history(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET runs (SEED): the current runs; the agent keeps no record of earlier ones."""
    runs = newest_first(await ctx.client.runs())
    shown = runs[: number_of(operation, "count", 20)]
    if not runs:
        return Done(summary="The agent has no runs now.")
    phases = [presentation.run_state(run.status)[1] for run in runs]
    busy, bad, unclear = (phases.count(phase) for phase in (Phase.ACTIVE, Phase.FAILED, Phase.UNREADABLE))
    unknown = f", {unclear} in an unknown state" if unclear else ""
    return Done(
        summary=f"{plural(len(runs), 'run')}, {busy or 'none'} active, {bad or 'none'} failed{unknown}.",
        table=presentation.run_table(shown, len(runs), ctx.clean),
    )


async def tags(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """GET tags (SEED): all tags of the agent."""
    found = await ctx.client.tags()
    if not found:
        return Done(summary="The agent has no tags.")
    return Done(summary=f"The agent has {plural(len(found), 'tag')}.", table=presentation.tag_table(found, ctx.clean))


async def pause(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH client?paused=true (SEED). The timer is the agent's own: it resumes even if this program is gone."""
    seconds = None if call.ends is None else max(1, ceil((call.ends - call.clock.now()).total_seconds()))
    await ctx.client.pause(seconds)
    facts = list[Fact]()
    ends = "until you run `resume`"
    if seconds is not None:
        ends = f"and resumes automatically after {seconds_words(seconds)}"
        facts.append(Fact(label="Resumes at about", value=call.ends))
    note = _unlike(await readable(ctx.client.client()), paused=True)
    back = Suggestion(label="Resume", verb="resume", target=written(operation.target.backend))
    return Done(summary=f"The agent is paused {ends}.{note}", facts=tuple(facts), next=(back,))


async def resume(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH client?paused=false (SEED)."""
    await ctx.client.resume()
    note = _unlike(await readable(ctx.client.client()), paused=False)
    return Done(summary=f"The agent is resumed.{note}")


def _unlike(agent: Client | None, *, paused: bool) -> str:
    if agent is None or agent.paused is None or agent.paused is paused:
        return ""
    return f" It accepted the change, but still reports that it is {'not ' if paused else ''}paused. Check again in a moment."


async def tag(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH tags (SEED), and read them back if the agent can list them."""
    wanted = map_of(operation, "*")
    await ctx.client.set_tags(wanted)
    pairs = ", ".join(f"{ctx.clean(name)}={ctx.clean(value)}" for name, value in wanted.items())
    found = await readable(ctx.client.tags())
    if found is None:
        return Done(summary=f"Set: {pairs}. The tags couldn't be read back.")
    stored = {item.name: item.value or "" for item in found}
    unlike = [ctx.clean(name) for name, value in wanted.items() if stored.get(name) != value]
    note = f" The agent accepted this, but doesn't show it for {', '.join(unlike)}." if unlike else ""
    return Done(summary=f"Set: {pairs}.{note}", table=presentation.tag_table(found, ctx.clean))


class _Watch:
    """The observations since the restart was sent.

    Signs of a restart: the agent was away for a moment, its token is another one (GUESS: a token lives as long as the agent's
    process), or it no longer requires a restart.
    """

    def __init__(self, before: Client, token: str) -> None:
        self._before = before
        self._token = token
        self.away = False
        self.trouble = ""

    def sign(self, after: Client, token: str) -> str:
        """The sign of a restart; empty if there is none."""
        if token != self._token:
            return "It answers again, with a new token"
        if self._before.restart_required and not after.restart_required:
            return "It answers again and no longer needs a restart"
        return "It was unreachable and answers again" if self.away else ""


async def restart(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Unknown:
    """PATCH client with {"restart": true} (SEED), once, whose reply may never come; then ask until the agent answers again.

    A lost reply without any sign of a restart stays unknown.
    """
    before = await ctx.client.client()
    watch = _Watch(before, await ctx.client.token())
    lost: CallProblem | None = None
    try:
        await ctx.client.restart(_SEND_TIME)
    except (Lost, ServerError, BadReply) as problem:
        lost = problem
    await call.progress("The restart was sent; waiting for the agent to answer again")
    began = call.clock.monotonic()
    while (waited := call.clock.monotonic() - began) < _COMES_BACK_WITHIN:
        await call.clock.sleep(_PAUSE)
        seen = await _ask(ctx.client, watch)
        if seen is None:
            continue
        after, token = seen
        sign = watch.sign(after, token)
        if sign:
            return _back(ctx, operation, after, f"{_SENT if lost is None else _LOST} {sign}.")
        if waited >= _GOES_DOWN_WITHIN:
            if lost is not None:
                raise lost
            return _back(
                ctx, operation, after, "The agent accepted the restart and answers, but it was not seen going down."
            )
    return Unknown(
        code="not_back",
        summary=f"The restart was sent, and the agent has not answered for {_COMES_BACK_WITHIN:g} s. {watch.trouble}".strip(),
        hint="Check its host, and run `status` before you restart it again.",
    )


async def _ask(client: ResilioClient, watch: _Watch) -> tuple[Client, str] | None:
    try:
        return await client.client(_ASK_TIME), await client.token()
    except CallProblem as problem:
        # An unreadable answer doesn't show that the agent was down.
        watch.away = watch.away or not isinstance(problem, BadReply)
        watch.trouble = problem.summary
        return None


def _back(ctx: AdapterContext, operation: Operation, after: Client, summary: str) -> Done:
    return Done(
        summary=summary,
        facts=tuple(presentation.client_facts(after, ctx.clean)),
        details=presentation.device(after, ctx.clean),
        next=presentation.client_next(operation.target.backend, after),
    )
