"""Finds the run of a start whose answer was lost, in the history of its agent, by time and by the inputs.

The API has no key that ties a run to the call that began it. So a run counts as the call's own only if it began after the
call on the ACC's clock and shows the same inputs. Uncertain cases are shown and left to a person. It is never certain
that no run began, because a start may be queued.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from bot.backends.sequentum.capabilities import JOB_RUN, RUN, SCHEDULE
from bot.backends.sequentum.models import JobRun, Run, moment
from bot.backends.sequentum.targets import AdapterContext, agent_of
from bot.core.command.params import flag_of, map_of, text_of
from bot.core.operation import Operation, Target, brief_id
from bot.core.outcome import Done, Fact, LookBack, Phase
from bot.core.text import first_of, plural, suggest, utc_text, written
from bot.core.value import Json

_RUNS_READ: Final = 20  # for the names of inputs

# How far the ACC's clock may be from ours if it doesn't report its time.
SKEW: Final = timedelta(seconds=5)
_LOOKED_AT: Final = 50


class Match(Enum):
    """Whether a run may be the one that a call began."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


class Found(NamedTuple):
    """The call's own runs, the possible ones, and a sentence on what was checked."""

    own: list[Run]
    perhaps: list[Run]
    looked: str


@dataclass(frozen=True, slots=True)
class Since:
    """When the call was sent, on the ACC's clock: not before `certain`; `possible` is earlier if that clock is unknown."""

    certain: datetime
    possible: datetime

    @classmethod
    def of(cls, ctx: AdapterContext, sent_at: datetime, server_now: datetime | None) -> Since:
        """The clock difference comes from a fresh Date header, which is cut to the second, so the result is rather too early."""
        if server_now is None:
            return cls(sent_at, sent_at - SKEW)
        at = sent_at + (server_now - ctx.clock.now())
        return cls(at, at)

    def match(self, text: str | None) -> Match:
        """Whether a run that began then may belong to the call."""
        when = moment(text)
        if when is None or when < self.possible:
            return Match.NO
        return Match.YES if when >= self.certain else Match.PERHAPS


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    """Whether a start whose answer was lost took effect. `claimed` are runs of other requests."""
    if not operation.target.group:
        hint = f"{shown_by('history', operation.target)} before you start it again."
        return LookBack(evidence="The schedule's agent is unknown, so its history can't be checked.", hint=hint)
    if operation.verb == "start" and text_of(operation, "as") == "job":
        return await _job_look_back(ctx, operation, sent_at, claimed)
    own, perhaps, looked = await runs_since(ctx, operation, sent_at, claimed)
    ids = [run.id for run in own]
    compared = ("input",) if all(inputs_of(run.input_parameters) is not None for run in own) else ()
    if not ids or not all(ids) or (len(ids) > 1 and not flag_of(operation, "sessions")):
        candidates = [(run.id, run.start_time) for run in (*own, *perhaps)]
        fits = [await run_done(ctx, operation, [run.id]) for run in reversed(own) if run.id] if not perhaps else []
        undecided = _undecided(operation, looked, sent_at, candidates)
        return undecided.model_copy(update={"fits": tuple(fits), "compared": compared})
    own_text = _found(operation, len(own), own[0].start_time)
    return LookBack(found=await run_done(ctx, operation, ids), evidence=f"{looked} {own_text}", compared=compared)


def shows_effect(operation: Operation) -> str:
    """What to check after another call than a start: the command that shows its effect. Empty where none does."""
    if operation.verb == "mark":
        check = f"Check `history {written(operation.target.backend, operation.target.name)} as=job`"
    elif operation.verb.startswith("schedule"):
        check = shown_by("schedules", operation.target)
    else:
        return ""
    again = operation.idempotent and (operation.verb != "schedule set" or text_of(operation, "id"))
    return check if again else f"{check} before you run it again."


def shown_by(verb: str, target: Target) -> str:
    """The command that shows an agent or a schedule, which has no `status`."""
    if target.kind != SCHEDULE:
        return f"Check `{verb} {written(target.backend, target.name)}`"
    of = f" {written(target.backend, target.parent_name)}`" if target.parent_name else "` with its agent"
    return f"Check `{verb}{of}"


def _found(operation: Operation, count: int, began: str | None) -> str:
    same = " with the same inputs" if operation.verb == "start" else ""
    runs = "A run" if count == 1 else f"{count} runs"
    return f"{runs}{same} started {utc_text(moment(began), seconds=True)}; the ACC doesn't report who started it."


def _undecided(
    operation: Operation, looked: str, sent_at: datetime, candidates: Sequence[tuple[str, str | None]]
) -> LookBack:
    """An open result: with the possible runs, or with none yet."""
    agent = agent_of(operation.target)
    look = f"Check `history {written(agent.backend, agent.name)}`"
    if not candidates:
        same = " with these inputs" if operation.verb == "start" else ""
        seen = f"None that can be this one started since {utc_text(sent_at, seconds=True)}{same}, but a start may be queued."
        return LookBack(evidence=f"{looked} {seen}", again=True, hint=f"{look} before you start it again.")
    shown = (
        f"{brief_id(id_) or 'one with an unreadable id'} (started {utc_text(moment(when), seconds=True)})"
        for id_, when in candidates
    )
    seen = f"{plural(len(candidates), 'run')} may belong to this start: {first_of(shown, 5, ', ')}."
    seen = f"{seen} The ACC doesn't report who started them."
    return LookBack(evidence=f"{looked} {seen}", again=True, hint=f"{look} whether one of them is yours.")


async def _job_look_back(
    ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]
) -> LookBack:
    agent = operation.target
    known = await _others(ctx, JOB_RUN, sent_at, claimed)
    page = await ctx.client.job_runs(agent.id, _LOOKED_AT)
    since = Since.of(ctx, sent_at, page.date)
    new = [job for job in page.items if job.id not in known]
    seen = [(job, await _job_match(ctx, operation, job, since)) for job in new]
    own = [job for job, match in seen if match is Match.YES]
    looked = _looked(agent.name, len(page.items), "job run", page.date)
    if len(own) != 1 or not own[0].id:
        candidates = [(job.id, job.start_time) for job, match in seen if match is not Match.NO]
        sure = len(own) > 1 and len(candidates) == len(own) and all(job.id for job in own)
        fits = [await job_done(ctx, agent, job.id, job.run_id) for job in reversed(own)] if sure else []
        return _undecided(operation, looked, sent_at, candidates).model_copy(update={"fits": tuple(fits)})
    done = await job_done(ctx, agent, own[0].id, own[0].run_id)
    return LookBack(found=done, evidence=f"{looked} {_found(operation, 1, own[0].start_time)}")


async def _job_match(ctx: AdapterContext, operation: Operation, job: JobRun, since: Since) -> Match:
    """A job run shows no inputs; its agent runs do, as soon as there are any."""
    match = since.match(job.start_time)
    if match is Match.NO:
        return match
    number = job.run_id
    runs = await ctx.client.runs_of_job(operation.target.id, number, _LOOKED_AT) if number is not None else []
    if any(run.agent_job_schedule_id for run in runs):
        return Match.NO
    wanted = map_of(operation, "input")
    matches = [_same_inputs(wanted, inputs_of(run.input_parameters)) for run in runs] or [_same_inputs(wanted, None)]
    return _worst((match, *matches))


async def _others(ctx: AdapterContext, kind: str, sent_at: datetime, claimed: Collection[str]) -> frozenset[str]:
    """The runs that the call can't have begun: those of other requests, and those that were seen before it."""
    known = await ctx.target_cache.known(ctx.name, kind)
    return frozenset(claimed) | {target.id for target, seen in known if seen < sent_at}


async def runs_since(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> Found:
    """The runs in the history that match a call sent then; `claimed` are runs of other requests."""
    agent = agent_of(operation.target)
    if not agent.id:
        return Found([], [], "")
    known = await _others(ctx, RUN, sent_at, claimed)
    page = await ctx.client.runs(agent.id, _LOOKED_AT)
    since = Since.of(ctx, sent_at, page.date)
    old = next((run for run in page.items if run.id == operation.target.id), None)
    seen = [(run, _match(operation, run, since, known, old)) for run in page.items]
    own = [run for run, match in seen if match is Match.YES]
    fresh = [run for run in own if run is not old]
    perhaps = [run for run, match in seen if match is Match.PERHAPS]
    return Found(fresh or own, perhaps, _looked(agent.name, len(page.items), "run", page.date))


def _match(operation: Operation, run: Run, since: Since, known: frozenset[str], old: Run | None) -> Match:
    """`old` is the run to continue: a run made from it may keep its schedule, and shows its inputs."""
    if run is old:
        return _goes_on(operation, run, since)
    began = since.match(run.start_time)
    if began is Match.NO or run.id in known:
        return Match.NO
    if operation.verb == "schedule start":
        return began if run.agent_job_schedule_id == operation.target.id else Match.NO
    if run.agent_job_schedule_id not in (None, old.agent_job_schedule_id if old else None):
        return Match.NO
    inputs = inputs_of(run.input_parameters)
    if operation.verb != "start":
        before = inputs_of(old.input_parameters) if old else None
        return began if before is None or inputs is None else _worst((began, _same_inputs(before, inputs)))
    return _worst((began, _same_start(operation, run), _same_inputs(map_of(operation, "input"), inputs)))


def _goes_on(operation: Operation, run: Run, since: Since) -> Match:
    """A run that continues under its own id may keep its old start time; one that ended just before was not yet retried."""
    active = run.phase is Phase.ACTIVE
    moved = since.match(run.start_time) is Match.YES or since.match(run.end_time) is Match.YES
    return Match.YES if moved or (active and operation.verb == "retry") else Match.NO


def _same_start(operation: Operation, run: Run) -> Match:
    production, session = operation.params.get("production"), text_of(operation, "session")
    same = (
        not run.run_id
        and run.is_production_run in (None, production)
        and (not session or run.session_id in (None, session))
    )
    return Match.YES if same else Match.NO


def _same_inputs(wanted: Mapping[str, str], shown: Mapping[str, str] | None) -> Match:
    """`shown` None: the run shows no inputs; it may have none, or the ACC doesn't report them.

    Input files are listed among a run's inputs under their own names, and an agent may add its defaults.
    """
    if shown is None:
        return Match.PERHAPS if wanted else Match.YES
    if any(shown.get(name) != value for name, value in wanted.items()):
        return Match.NO
    added = [name for name in shown if name not in wanted and not name.startswith("input_file_")]
    return Match.PERHAPS if added else Match.YES


def inputs_of(raw: Json) -> dict[str, str] | None:
    """The inputs that a run shows, JSON text according to the page; None for no or unreadable inputs."""
    try:
        value = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return {str(name): item if isinstance(item, str) else json.dumps(item) for name, item in value.items()}


async def known_inputs(ctx: AdapterContext, agent: Target) -> list[str]:
    """The inputs of an agent that the settings name, and those of its newest runs: the API describes none."""
    runs = (await ctx.client.runs(agent.id, _RUNS_READ)).items[:_RUNS_READ]
    used = [name for run in runs for name in inputs_of(run.input_parameters) or ()]
    return [*dict.fromkeys((*ctx.settings.inputs.get(agent.name, ()), *used))]


def _worst(matches: Iterable[Match]) -> Match:
    found = set(matches)
    return next((match for match in (Match.NO, Match.PERHAPS) if match in found), Match.YES)


def _looked(name: str, count: int, what: str, date: datetime | None) -> str:
    clocks = "" if date is not None else f", allowing for a clock difference of {SKEW.seconds} s"
    latest = what if count == 1 else plural(count, what)
    checked = f"Checked the latest {latest} of {name}" if count else f"{name} has no {what} yet"
    return f"{checked}{clocks}."


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
        next=(suggest("Refresh", "status", runs[0]),),
    )


async def job_done(ctx: AdapterContext, agent: Target, id: str, number: int | None) -> Done:
    """A run of the agent's job started; `number` is its number within the agent."""
    run = await ctx.finder.remembered(ctx.finder.part(JOB_RUN, id, agent))
    return Done(
        summary=f"The job of {agent.name} was started" + (f" as job run {number}." if number is not None else "."),
        run=run,
        backend_ref=id,
        next=(suggest("Refresh", "status", run),),
    )
