"""Start, stop and restart of a service, how they are followed, and the look-up of one whose answer was lost."""

from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import Final

from bot.backends import nothing_to, readable
from bot.backends.informatica import states
from bot.backends.informatica.models import Agent, Running
from bot.backends.informatica.presentation import job_name, running_text, service_facts
from bot.backends.informatica.targets import AdapterContext, Goal, ServiceKey, agent_name, split_service
from bot.core import errors
from bot.core.operation import Operation, Target
from bot.core.outcome import (
    IDLE,
    NOT_LISTED,
    WORK,
    Done,
    Fact,
    Failed,
    Level,
    LookBack,
    Phase,
    Refused,
    RunView,
    State,
    Suggestion,
)
from bot.core.ports.services import Call
from bot.core.text import first_of, suggest, utc_text
from bot.core.vendor_json import unreadable

_UP: Final = frozenset({"NEED_RUNNING", "DEPLOYING", "DEPLOYED", "STARTING", "RUNNING", "RESTARTING"})
_DOWN: Final = frozenset({"NEED_STOP", "STOPPING", "USER_STOPPED"})


def _goal(operation: Operation) -> Goal:
    return "start" if operation.verb == "start" else "stop"


async def move(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Start the latest version of the service, or stop all of its versions; `views_of` follows it."""
    target, goal = operation.target, _goal(operation)
    moved = await _send(ctx, target, goal)
    run = _followed(ctx, target, goal, ctx.clock.now())
    if isinstance(moved, Done):
        return moved
    state, message = moved
    words, phase = states.named(states.SERVICE, state)
    # Only the details show whether it is up or down (SEED: check the status using the v2 agent resource).
    going = phase if phase in (Phase.WAITING, Phase.UNREADABLE) else Phase.ACTIVE
    facts = (Fact(label="Informatica says", value=ctx.clean(message)),) if message else ()
    view = RunView(state=words, phase=going, facts=facts, next=_while_going(target, goal))
    return Done(
        summary=f"The {goal} of {target.name} was accepted: {words}.",
        run=run,
        view=view,
        backend_ref=target.id,
        next=view.next,
    )


async def _send(ctx: AdapterContext, target: Target, goal: Goal) -> tuple[str, str] | Done:
    """The vendor's state and message, or Done if it says that the service already is in that state and the details agree.

    GUESS: its answer to starting a running service or stopping a stopped one is not documented. Any other refusal counts,
    whatever state the service is in.
    """
    federated, name = split_service(target)
    try:
        reply = await ctx.client.switch_service(federated, name, goal)
    except errors.Rejected as no:
        there = "already" in no.summary.casefold() and not isinstance(no, errors.CredentialRefused | errors.RateLimited)
        if not there or not await _there_already(ctx, target, goal):
            raise
        reason = no.summary
    else:
        await ctx.target_cache.remember([target.model_copy(update={"group": ServiceKey.of(target.group).v2})])
        return reply.service_state or "nothing", reply.message or ""
    word = "running" if goal == "start" else "stopped"
    return Done(
        summary=f"{target.name} is already {word}. {reason}",
        state=State(text=f"already {word}", level=Level.GOOD),
        backend_ref=target.id,
        next=_after(target, goal),
    )


async def check(ctx: AdapterContext, target: Target) -> Refused | None:
    """Refuses a stop of a service that is stopped, and one that its own restart would undo."""
    there, goal = await _there_already(ctx, target, "stop"), ctx.client.restarts.get(target.id)
    if goal == "stop" or (goal and there):
        hint = "Let the restart go on. To leave the service stopped, run the command again when the restart has ended."
        return Refused(code="restarting", summary=f"{target.name} is restarting now.", hint=hint)
    if not there:
        return None
    return nothing_to("stop", f"{target.name} is already stopped", *_after(target, "stop"), code=NOT_LISTED)


async def _there_already(ctx: AdapterContext, target: Target, goal: Goal) -> bool:
    """An absent service counts as stopped only if it was seen before: otherwise its name may be wrong."""
    agent = await ctx.client.details(ServiceKey.of(target.group).v2)
    name = split_service(target)[1]
    if states.judge(goal, agent, name, elapsed=0.0, limit=1.0).phase is not Phase.SUCCEEDED:
        return False
    if goal == "start" or states.of_service(agent, name):
        return True
    return await ctx.target_cache.by_id(target.backend, target.kind, target.id) is not None


def _followed(ctx: AdapterContext, target: Target, goal: Goal, since: datetime) -> Target:
    key = ServiceKey(ServiceKey.of(target.group).v2, goal, since)
    # The service itself is followed: as a run, it is its own.
    return target.model_copy(update={"group": key.group, "parent": target.id, "parent_name": target.name})


def _while_going(target: Target, goal: Goal) -> tuple[Suggestion, ...]:
    refresh = suggest("Refresh", "status", target)
    return (refresh, suggest("Stop", "stop", target)) if goal == "start" else (refresh,)


def _after(target: Target, goal: Goal) -> tuple[Suggestion, ...]:
    refresh = suggest("Refresh", "status", target)
    return (refresh,) if goal == "start" else (refresh, suggest("Start", "start", target))


# --- following -----------------------------------------------------------------------------------


async def views_of(ctx: AdapterContext, group: str, runs: Sequence[Target]) -> dict[str, RunView]:
    """The progress of starts or stops that share an agent and a start time, by one request."""
    key = ServiceKey.of(group)
    agent = await ctx.client.details(key.v2)
    views: dict[str, RunView] = {}
    for run in runs:
        if key.goal is None or key.since is None:
            continue
        elapsed = (ctx.clock.now() - key.since).total_seconds()
        limit = float(ctx.settings.follow_seconds)
        current = states.judge(key.goal, agent, split_service(run)[1], elapsed=elapsed, limit=limit)
        views[run.id] = _view(run, agent, current, key.goal, key.since)
    return views


def _view(run: Target, agent: Agent, current: states.ServiceState, goal: Goal, since: datetime) -> RunView:
    statuses = states.of_service(agent, split_service(run)[1])
    reached = (goal == "start") == (current.phase is Phase.SUCCEEDED)
    return RunView(
        state=current.state,
        phase=current.phase,
        facts=service_facts(statuses)[1:] if statuses and not agent.unseen else (),
        message=current.message,
        started=since,
        next=_after(run, "start" if reached else "stop") if current.phase.ended else _while_going(run, goal),
    )


# --- restart -------------------------------------------------------------------------------------


async def restart(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Failed:
    """Stop, wait, start, wait. The API has no restart, although it has a state RESTARTING (SEED)."""
    restarts, id_ = ctx.client.restarts, operation.target.id
    restarts[id_] = "stop"
    try:
        return await _restart(ctx, operation.target, call)
    finally:
        restarts.pop(id_, None)


async def _restart(ctx: AdapterContext, target: Target, call: Call) -> Done | Failed:
    await call.progress(f"Stopping {target.name}.")
    await _send(ctx, target, "stop")
    current = await _wait(ctx, target, "stop", call)
    if current.phase is not Phase.SUCCEEDED:
        return Failed(
            code="not_stopped",
            summary=f"{target.name} did not stop within {ctx.settings.follow_seconds} s and was not started again. "
            f"Last known: {current.state}.",
            hint="Check with `status`; the stop may still take effect.",
            next=(suggest("Refresh", "status", target), suggest("Start", "start", target)),
        )
    await call.progress(f"{target.name} is stopped; starting it.")
    trouble = await _start_again(ctx, target)
    ctx.client.restarts[target.id] = "start"
    if trouble:
        return Failed(
            code="stopped_not_started",
            summary=f"{target.name} is stopped and was not started again. {trouble}",
            hint="Fix the cause, then start it.",
            next=(suggest("Start", "start", target), suggest("Refresh", "status", target)),
        )
    return await _come_up(ctx, target, call)


async def _start_again(ctx: AdapterContext, target: Target) -> str:
    """Empty if the start was accepted, or took effect although its answer was lost; else the problem."""
    try:
        await _send(ctx, target, "start")
    except (errors.Lost, errors.ServerError, errors.BadReply) as unsure:
        if await _is_coming_up(ctx, target):
            return ""
        return f"The answer to the start was lost, and the service doesn't show it: {unsure.summary}"
    except (errors.CallProblem, errors.NoSuchTarget) as problem:
        return problem.summary
    return ""


async def _is_coming_up(ctx: AdapterContext, target: Target) -> bool:
    agent = await readable(ctx.client.details(ServiceKey.of(target.group).v2))
    listed = states.of_service(agent, split_service(target)[1]) if agent is not None and not agent.unseen else ()
    return any(status.status != "USER_STOPPED" for status in listed)


async def _come_up(ctx: AdapterContext, target: Target, call: Call) -> Done | Failed:
    current = await _wait(ctx, target, "start", call)
    if current.phase is Phase.SUCCEEDED:
        return Done(
            summary=f"{target.name} was restarted: {current.state}.",
            facts=(Fact(label="State", value=current.state),),
            backend_ref=target.id,
            next=(suggest("Refresh", "status", target),),
        )
    return Failed(
        code="started_not_up",
        summary=f"{target.name} was stopped and started again, but it is not up. Last known: {current.state}.",
        hint="Check with `status`; it may still come up."
        + (" The agent doesn't list it in `agentEngines`." if current.state == states.NOT_LISTED else ""),
        next=(suggest("Refresh", "status", target), suggest("Start", "start", target)),
    )


async def _wait(ctx: AdapterContext, target: Target, goal: Goal, call: Call) -> states.ServiceState:
    """Read the details until the start or stop has ended. A failed read is repeated until the time is over."""
    began, limit = call.clock.monotonic(), float(ctx.settings.follow_seconds)
    v2, name = ServiceKey.of(target.group).v2, split_service(target)[1]
    current = states.ServiceState("not read yet", Phase.UNREADABLE)
    shown = ""
    while True:
        elapsed = call.clock.monotonic() - began
        try:
            current = states.judge(goal, await ctx.client.details(v2), name, elapsed=elapsed, limit=limit)
        except (errors.CallProblem, errors.NoSuchTarget) as problem:
            if problem.code == errors.CredentialRefused.code:
                return states.ServiceState(f"{current.state}; Informatica no longer accepts the account", Phase.FAILED)
            current = states.ServiceState(
                f"{current.state.partition(';')[0]}; can't be read now: {problem.summary.rstrip('.')}", Phase.UNREADABLE
            )
        if current.phase.ended or elapsed >= limit:
            return current
        if current.state != shown:
            shown = current.state
            await call.progress(f"{target.name}: {shown}.")
        await call.clock.sleep(ctx.settings.poll_seconds)


# --- status, pre-flight and look-up -----------------------------------------------------------------


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service by the details of its agent; the card shows its state."""
    target = operation.target
    record = await ctx.client.details(ServiceKey.of(target.group).v2)
    federated, name = split_service(target)
    await ctx.finder.learn(ctx.finder.agent_target(agent_name(target), federated, record.id), record)
    state, statuses = states.service_state(record, name), states.of_service(record, name)
    more = service_facts(statuses)[1:] if statuses else unreadable(record)
    facts = (Fact(label="State", value=state.text), *more)
    verbs: tuple[str, ...] = ("start",) if state.level in (Level.BAD, Level.WARN) else ("stop", "restart")
    summary = f"{target.name} is {state.text}."
    if record.unseen:
        verbs, summary = (), f"The state of {target.name} is {state.text}."
    elif not statuses:
        verbs, known = ("start",), await ctx.target_cache.by_id(target.backend, target.kind, target.id)
        why = "it is stopped" if known is not None else "it is stopped, or no service has that name"
        why = "the agent lists a service without a name" if record.unnamed else why
        summary = f"{target.name} is not listed: {why}."
    steps = tuple(suggest(verb.capitalize(), verb, target) for verb in verbs)
    return Done(summary=summary, state=state, facts=facts, next=steps)


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """The state in words. Of a service that a stop would stop, with the jobs that it would kill, the newest first."""
    v2, name = ServiceKey.of(target.group).v2, split_service(target)[1]
    record = await ctx.client.details(v2)
    state = states.service_state(record, name).text
    if states.judge("stop", record, name, elapsed=0.0, limit=1.0).phase is Phase.SUCCEEDED:
        return state
    jobs = await readable(ctx.client.running())
    if jobs is None:
        return f"{state}, the jobs on its agent can't be read"
    latest = sorted((job for job in unended(jobs) if job.agent_id in (v2, None, "")), key=_newest_first)
    names = [f"{job_name(job)}{'' if job.agent_id else ' (agent not named)'}" for job in latest]
    return WORK.join((state, *(names or (IDLE,))))


def _newest_first(job: Running) -> tuple[float, str]:
    return (-job.began.timestamp() if job.began else -inf, job_name(job))


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """The state now, the jobs that run on the agent now, and its other services."""
    target = operation.target
    v2 = ServiceKey.of(target.group).v2
    record = await ctx.client.details(v2)
    jobs = await ctx.client.running()
    name = split_service(target)[1]
    others = [
        f"{one.app_display_name}: {states.service_words(one)[0]}"
        for one in record.services
        if one.app_display_name != name
    ]
    return [
        ("State now", states.service_state(record, name).text),
        ("Jobs running now", jobs_text(jobs, v2)),
        (
            "Other services",
            f"not known, because {record.unseen}" if record.unseen else first_of(others, 10) or "none listed",
        ),
    ]


def unended(jobs: Sequence[Running]) -> list[Running]:
    """The monitor also lists jobs that have just ended."""
    return [job for job in jobs if not states.named(states.RUNNING, job.execution_state)[1].ended]


def jobs_text(jobs: Sequence[Running], v2: str) -> str:
    """The jobs on this agent, and the number of jobs without a named agent."""
    jobs = unended(jobs)
    here = [job for job in jobs if job.agent_id == v2]
    unsaid = [job for job in jobs if not job.agent_id]
    words = "none on this agent" if jobs else "none"
    if here:
        words = f"{len(here)}: {first_of(map(running_text, here), 5)}"
    if unsaid:
        words += f"; {len(unsaid)} more without a named agent"
    return words


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether a start or stop took effect, by the details. The API doesn't show who did what."""
    target, verb = operation.target, operation.verb
    record = await ctx.client.details(ServiceKey.of(target.group).v2)
    statuses = states.of_service(record, split_service(target)[1])
    state = states.service_state(record, split_service(target)[1]).text
    evidence = f"The details of {agent_name(target)} show the state: {state}."
    if record.unseen or record.unnamed or verb == "restart":
        more = " It may have been stopped and not started again." if verb == "restart" and not statuses else ""
        return LookBack(evidence=evidence + more)
    goal, shown = _goal(operation), {status.status or "" for status in statuses}
    if not (shown & _UP if goal == "start" else shown <= _DOWN):
        return LookBack(absent=True, evidence=f"{evidence} The {goal} has not taken effect.")
    run = _followed(ctx, target, goal, sent_at)
    found = Done(
        summary=f"The {goal} of {target.name} took effect: {state}.",
        run=run,
        view=RunView(state=state, phase=Phase.ACTIVE, next=_while_going(target, goal)),
        backend_ref=target.id,
    )
    return LookBack(found=found, evidence=f"{evidence} Seen {utc_text(ctx.clock.now())}.")
