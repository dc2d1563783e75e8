"""The pre-flight facts that an approver sees, and the state of a target as one phrase."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from bot.all_of import both
from bot.backends import LOOK_FIRST, nothing_to, readable
from bot.backends.sequentum.capabilities import AGENT, JOB_RUN, RUN, SCHEDULE
from bot.backends.sequentum.changes import plan_schedule
from bot.backends.sequentum.models import JobRun, Run, Schedule, moment
from bot.backends.sequentum.presentation import switched
from bot.backends.sequentum.reads import next_times
from bot.backends.sequentum.reconcile import known_inputs
from bot.backends.sequentum.states import MARKS
from bot.backends.sequentum.targets import AdapterContext, agent_of
from bot.core.command.params import map_of, text_of
from bot.core.operation import Operation, Target, brief_id
from bot.core.outcome import GONE, IDLE, NOTE, WORK, Binds, Phase, Refused, Unread, Weighs
from bot.core.text import capitalized, first_of, plural, suggest, utc_text
from bot.core.vendor_json import WHOLE_ROW, unread

_RECENT = 20
_OUTCOMES = 5
_ALMOST: Final = 0.8  # of 1: how much a mistyped input is like the one that was meant
_EACH_SCHEDULE: Final = {"schedule on": "switch on", "schedule off": "switch off", "schedule delete": "delete"}


async def check(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """Refuses what can't have an effect: a mark without a job run or one that it has already, a second job run, a switch of no
    schedules, an input with a slip. Raises BadRequest for a schedule that doesn't belong to the agent."""
    target, verb = operation.target, operation.verb
    listed = ctx.settings.inputs.get(target.owner, ())
    if _misspelled(operation, listed):
        used = await readable(known_inputs(ctx, agent_of(target)), within=LOOK_FIRST)
        if used is not None and (slip := _misspelled(operation, (*listed, *used))):
            return slip
    if verb == "schedule set":
        await plan_schedule(ctx, operation)
    if target.kind == AGENT and verb in _EACH_SCHEDULE:
        found = await readable(ctx.client.schedules(target.id), within=LOOK_FIRST)
        return nothing_to(_EACH_SCHEDULE[verb], f"{target.owner} has no schedules") if found == [] else None
    if verb == "mark" or (verb == "start" and text_of(operation, "as") == "job"):
        jobs = await readable(ctx.client.job_runs(target.id, 1), within=LOOK_FIRST)
        return None if jobs is None else _unfit(operation, next(iter(jobs.items), None))
    return None


def _misspelled(operation: Operation, known: Sequence[str]) -> Refused | None:
    """The refusal of an input that is almost one of the known ones, with the command as it was meant unless two are one."""
    given, owner = map_of(operation, "input"), operation.target.owner
    near = {name: get_close_matches(name, known, n=1, cutoff=_ALMOST) for name in given if name not in known}
    meant = {f"input.{name}": f"input.{found[0]}" for name, found in near.items() if found and found[0] not in given}
    if not meant:
        return None
    words = tuple((meant.get(name, name), value) for name, value in operation.words)
    label = f"{capitalized(operation.verb)} with {', '.join(meant.values())}"
    step = suggest(label, operation.verb, operation.target, *words).model_copy(update={"reason": operation.reason})
    rights = dict.fromkeys(meant.values())
    asks = " and ".join(f"`{right}`" for right in rights)
    wrong = " and ".join(f"`{name}`" for name in meant)
    summary = f"Did you mean {asks}? The settings and the newest runs of {owner} name no {wrong}."
    hint = "If the agent has that input, an administrator adds it to `inputs` in the settings."
    can = operation.masked_words == operation.words and len(rights) == len(meant)
    return Refused(code="unknown_parameter", summary=summary, hint=hint, next=(step,) if can else ())


def _unfit(operation: Operation, newest: JobRun | None) -> Refused | None:
    """Why a mark or the start of a job has no effect after this job run."""
    name = operation.target.owner
    if operation.verb == "start":
        if newest is None or newest.phase is not Phase.ACTIVE:
            return None
        summary = f"Job run {newest.run_id} of {name} is still active, and an agent has one active job run at a time."
        return Refused(code="job_active", summary=summary, hint="Run the command again when it has ended.")
    if newest is None:
        return nothing_to(
            "mark", f"{name} has no job runs", suggest("Start the job", "start", operation.target, ("as", "job"))
        )
    if str(newest.status) != str(MARKS[text_of(operation, "as")]):
        return None
    summary = f"The newest job run of {name}, number {newest.run_id}, is {newest.state} already."
    return Refused(code="already", summary=summary)


async def preflight(ctx: AdapterContext, operation: Operation) -> Sequence[tuple[str, str]]:
    """Active runs, next scheduled runs, the last five outcomes, and facts for this verb."""
    target = operation.target
    if not target.group:
        return ()
    agent = agent_of(target)
    listed = ctx.client.schedules(agent.id)
    # What the operation isn't about may be unreadable.
    page, found = await both(
        readable(ctx.client.runs(agent.id, _RECENT), within=LOOK_FIRST),
        readable(listed, within=LOOK_FIRST) if operation.verb == "mark" else listed,
    )
    runs, schedules = page.items if page is not None else [], found or []
    due = [utc_text(time) for time in next_times(schedules)]
    coming = "can't be read" if found is None else first_of(due, 3) or "none"
    told = [Weighs("Active runs", "can't be read")] if page is None else _runs(runs)
    facts = [*told, ("Next scheduled runs", coming)]
    if note := unread([*runs, *schedules]):
        facts.append(("Odd reply", note))
    if target.kind == SCHEDULE:
        facts.append(_schedule(ctx, next((item for item in schedules if item.id == target.id), None)))
    if target.kind == AGENT and operation.verb in ("schedule off", "schedule on"):
        facts += _all_schedules(ctx, schedules, on=operation.verb == "schedule on")
    if target.kind == AGENT and operation.verb == "schedule delete":
        facts.append(_to_delete(ctx, schedules))
    if operation.verb == "mark" or (operation.verb == "start" and text_of(operation, "as") == "job"):
        newest = await _job(ctx, agent)
        # A start isn't about it: another one may have begun and ended meanwhile.
        facts.append(newest if operation.verb == "mark" else Weighs(*newest))
    return tuple(facts)


def _runs(runs: Sequence[Run]) -> list[tuple[str, str]]:
    active = [
        f"{run.state} since {utc_text(moment(run.start_time), seconds=True)}" for run in runs if not run.phase.ended
    ]
    ended = [f"{run.state} {utc_text(moment(run.start_time), seconds=True)}" for run in runs if run.phase.ended]
    return [
        ("Active runs", first_of(active, _OUTCOMES) or "none"),
        ("Last outcomes", "; ".join(ended[:_OUTCOMES]) or "none"),
    ]


def _schedule(ctx: AdapterContext, schedule: Schedule | None) -> tuple[str, str]:
    if schedule is None:
        return Binds("Schedule", "no longer exists", {})
    when = _when(ctx, schedule)
    text = f"{switched(schedule)}; {when}; next {utc_text(moment(schedule.next_run_time))}"
    return Binds("Schedule", text, {_key(schedule, when): when})  # the state is compared too


def _when(ctx: AdapterContext, schedule: Schedule) -> str:
    """When it runs. An interval counts from the start time, which its description may leave out."""
    often = (schedule.cron_description or schedule.cron or "").rstrip(".")
    start = f" from {schedule.start_time}" if schedule.start_time else ""
    return ctx.clean(f"{often}{start}".strip())


def _key(schedule: Schedule, shown: str) -> str:
    return f"{schedule.id} {schedule.time_zone_id} {shown}"


def _each(ctx: AdapterContext, schedules: Sequence[Schedule]) -> dict[str, str]:
    """The words for each schedule by its exact id and what is shown of it."""
    words = [f"{_when(ctx, item)} ({switched(item)}, {brief_id(item.id or '')})" for item in schedules]
    return {_key(item, shown): shown for item, shown in zip(schedules, words, strict=True)}


def _all_schedules(ctx: AdapterContext, schedules: Sequence[Schedule], *, on: bool) -> list[tuple[str, str]]:
    off = sum(schedule.is_enabled is False for schedule in schedules)
    facts = [Binds("Schedules", f"{len(schedules)}, {off} of them off now", _each(ctx, schedules))]
    if off:
        effect = "are switched on too" if on else "stay off when the pause ends"
        return [*facts, Weighs(NOTE, f"schedules that are off now {effect}")]
    return [*facts]


def _to_delete(ctx: AdapterContext, schedules: Sequence[Schedule]) -> tuple[str, str]:
    """How many and which schedules, because they can't be listed after the call."""
    each = _each(ctx, schedules)
    listed = f": {first_of(each.values(), 10)}" if schedules else ""
    return Binds("Will be deleted", f"{plural(len(schedules), 'schedule')}{listed}", each)


async def _job(ctx: AdapterContext, agent: Target) -> tuple[str, str]:
    jobs = (await ctx.client.job_runs(agent.id, 1)).items
    if not jobs:
        return Binds("Newest job run", "none", {})
    newest = jobs[0]
    if WHOLE_ROW in newest.odd:
        return Unread("Newest job run", "can't be read")
    busy = "; a second job run is refused while it is active" if newest.phase is Phase.ACTIVE else ""
    began = utc_text(moment(newest.start_time), seconds=True)
    return Binds("Newest job run", f"number {newest.run_id}, {newest.state}, {began}{busy}")


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """One phrase: a run's state, the active runs of an agent, whether a schedule is on; empty for other targets."""
    if target.kind in (RUN, JOB_RUN):
        return (await ctx.client.one(target.kind, target.id)).state
    if target.kind == SCHEDULE and target.group:
        schedules = await ctx.client.schedules(target.group)
        found = next((item for item in schedules if item.id == target.id), None)
        return GONE if found is None else switched(found)
    if target.kind == AGENT:
        runs = (await ctx.client.runs(target.id, _RECENT)).items
        active = [run.id for run in runs if run.phase is Phase.ACTIVE]
        return WORK.join(("", *(active or (IDLE,))))
    return ""
