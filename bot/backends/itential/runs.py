"""Running a service: parameters checked by its schema, both forms of the reply, and what became of a lost answer."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Final

from bot.backends.itential.context import AdapterContext
from bot.backends.itential.models import Accepted, Broken, Finished, Job, Service, moment
from bot.backends.itential.presentation import output_facts, output_text
from bot.backends.itential.schema import typed
from bot.backends.itential.states import run_state
from bot.core.errors import BadRequest, CallProblem, NoSuchTarget, Rejected
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Failed, LookBack, Phase, Refused, RunView
from bot.core.ports.services import Call
from bot.core.text import plural, suggest, utc_text
from bot.core.value import Json

SKEW: Final = timedelta(seconds=5)
TOFU: Final = "opentofu-plan"
_RUNS: Final = ("start", "destroy")
_LOOKED_AT: Final = 50
_GOOD: Final = frozenset({"success", "ok"})
_BAD: Final = frozenset({"error", "failed", "failure"})
_LONGEST_PREVIEW: Final = 2_800
_LONGEST_REASON: Final = 400


def given_params(operation: Operation) -> dict[str, Json]:
    """What was written as `param.NAME=VALUE`."""
    value = operation.params.get("param")
    return dict(value) if isinstance(value, dict) else {}


def params_of(service: Service, operation: Operation) -> dict[str, Json]:
    """The parameters that will be sent, in the types of the schema; raises BadRequest for what does not fit."""
    given = given_params(operation)
    if operation.verb == "destroy":
        _check_destroy(service)
        given["action"] = "destroy"
    return typed(service.service_metadata.decorator, given)


def _check_destroy(service: Service) -> None:
    if (service.service_metadata.type or TOFU) != TOFU:
        raise BadRequest(
            f"{service.path} is of type {service.service_metadata.type}, and only OpenTofu plans can be destroyed."
        )


async def check(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """Reads the service, and tells what it has against a run; raises BadRequest for parameters that do not fit."""
    if operation.verb not in _RUNS:
        return None
    service = await ctx.client.service(operation.target.id)
    params_of(service, operation)
    return _has_its_own_verb(service, operation)


def _destroys(service: Service, action: Json) -> bool:
    """Whether that action of a plan, or of a service of untold type, destroys, in whatever letters it is written.

    Raises BadRequest for what is neither of a plan's two actions: nobody says what the vendor makes of it.
    """
    if (service.service_metadata.type or TOFU) != TOFU or action is None:
        return False
    if unicodedata.normalize("NFKC", str(action)).strip().casefold() == "destroy":
        return True
    if service.service_metadata.type == TOFU and action != "apply":
        raise BadRequest("`param.action=` takes one of apply, destroy.")
    return False


def _has_its_own_verb(service: Service, operation: Operation) -> Refused | None:
    """Destroying is a verb of its own, so that it always shows a pre-flight (safety table of the reference)."""
    given = given_params(operation)
    if operation.verb == "start" and _destroys(service, given.get("action")):
        rest = tuple((f"param.{k}", str(v)) for k, v in given.items() if k != "action")
        return Refused(
            code="use_destroy",
            summary=f"{service.path} would be destroyed. That has a verb of its own, which shows what it means first.",
            hint=f"Write `destroy {operation.target.text}`.",
            next=(suggest("Destroy", "destroy", operation.target, *rest),),
        )
    return None


async def run(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Failed | Refused:
    """Run it; `destroy` runs an OpenTofu plan with action=destroy."""
    service = await ctx.client.service(operation.target.id)
    refused = _has_its_own_verb(service, operation)
    if refused is not None:
        return refused
    params = params_of(service, operation)
    meta = service.service_metadata
    await call.progress(f"Running {service.path}; some platforms answer only when it has ended.")
    reply = await ctx.client.run(meta.name, meta.location, params)
    if isinstance(reply, Broken):
        return Failed(
            code="run_failed",
            summary=f"{service.path} did not run: {ctx.clean(reply.text)[:_LONGEST_REASON]}",
            next=(suggest("Log", "logs", operation.target),),
        )
    if isinstance(reply, Finished):
        return _finished(ctx, operation.target, reply)
    return await _accepted(ctx, operation.target, reply)


def _finished(ctx: AdapterContext, target: Target, reply: Finished) -> Done | Failed:
    """The synchronous reply: the run is over."""
    output = reply.output
    state, phase = run_state(output)
    text, _ = ctx.masked(output_text(output))
    facts = tuple(output_facts(output))
    # A status that contradicts a return code of 0 is no success.
    odd = reply.status not in (None, "completed")
    if phase is Phase.FAILED or odd:
        said = ctx.clean((output.stderr or "")[-_LONGEST_REASON:]) or "It wrote nothing to stderr."
        named = f"status {reply.status}, {state}" if odd and phase is not Phase.FAILED else state
        return Failed(
            code="return_code",
            summary=f"{target.name} ended with {named}. {said}",
            facts=facts,
            next=(suggest("Log", "logs", target), suggest("Run again", "start", target)),
        )
    view = RunView(
        state="completed", phase=Phase.SUCCEEDED, started=moment(output.start_time), ended=moment(output.end_time)
    )
    return Done(
        summary=f"{target.name} has run and ended with return code 0.",
        facts=facts,
        view=view,
        preview=_tail(text),
        next=(suggest("Log", "logs", target),),
    )


def _tail(text: str) -> str:
    if len(text) <= _LONGEST_PREVIEW:
        return text
    return "...\n" + text[-_LONGEST_PREVIEW:].partition("\n")[2]


async def _accepted(ctx: AdapterContext, target: Target, reply: Accepted) -> Done:
    """The asynchronous reply: a job runs now."""
    word = (reply.state or "").casefold()
    said = ctx.clean(reply.message or "")
    if word in _BAD:
        raise Rejected(f"{ctx.name} said no: {said or reply.state}")
    facts = [Fact(label="Itential says", value=said)] if said else []
    if word not in _GOOD and word:
        facts.append(Fact(label="State of the reply", value=f"unknown ({(reply.state or '')[:40]})"))
    if reply.data:
        facts.append(Fact(label="Data", value=reply.data))
    if not reply.job_id or not ctx.settings.jobs:
        ref = reply.job_id or reply.id
        return Done(
            summary=f"{target.name} was started. Its run cannot be followed here.",
            facts=(*facts, *((Fact(label="Id", value=ref),) if ref else ())),
            backend_ref=ref,
            next=(suggest("Refresh", "status", target), suggest("Log", "logs", target)),
        )
    run = await ctx.finder.learn_job(reply.job_id, target)
    return _following(run, target, tuple(facts))


def _following(run: Target, target: Target, facts: tuple[Fact, ...]) -> Done:
    steps = (suggest("Refresh", "status", run), suggest("Stop", "stop", run))
    view = RunView(state="accepted", phase=Phase.WAITING, facts=(Fact(label="Job", value=run.id), *facts), next=steps)
    return Done(
        summary=f"{target.name} was started as job {run.id}.", run=run, view=view, backend_ref=run.id, next=steps
    )


# --- a lost answer -------------------------------------------------------------------------------


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether a run whose answer was lost began: by the service's last run, and by the newest jobs.

    GUESS: a job of a service carries the service's name in its variables or in its own name.
    """
    target, since = operation.target, sent_at - SKEW
    service = await ctx.client.service(target.id)
    last = service.last_run
    ids: dict[str, str] = {}
    if last is not None and last.job_id and (began := moment(last.start_time)) is not None and began >= since:
        ids[last.job_id] = utc_text(began)
    jobs: list[Job] = []
    listed = False
    if ctx.settings.jobs:
        try:
            jobs = await ctx.client.jobs(_LOOKED_AT)
            listed = True
        except (CallProblem, NoSuchTarget):
            listed = False
    for job in jobs:
        if job.began is not None and job.began >= since and is_of(job, service):
            ids[job.id] = utc_text(job.began)
    known = {one.id for one, seen in await ctx.names.known(ctx.name, "job") if seen < sent_at}
    found = {job_id: began for job_id, began in ids.items() if job_id not in known}
    looked = f"Looked at the last run of {target.name} and the newest {plural(len(jobs), 'job')}."
    if not found:
        # A platform that runs it within the call lists no job of it, so that an empty list says nothing.
        lists = listed and (bool(last and last.job_id) or any(is_of(job, service) for job in jobs))
        return LookBack(absent=lists, again=not lists, evidence=f"{looked} None began since.")
    if len(found) > 1:
        return LookBack(
            evidence=f"{looked} {len(found)} began since: {', '.join(found)}; nothing tells whose they are."
        )
    job_id, began_text = next(iter(found.items()))
    run = await ctx.finder.learn_job(job_id, target)
    return LookBack(
        found=_following(run, target, ()),
        evidence=f"{looked} Job {job_id} began at {began_text}; nothing says who began it.",
    )


def is_of(job: Job, service: Service) -> bool:
    """Whether a listed job is a run of this service; see `look_back`."""
    meta, variables = service.service_metadata, job.variables or {}
    if "serviceName" in variables:
        return variables["serviceName"] == meta.name and variables.get("clusterId") in (None, meta.location)
    return meta.name in (job.name or "").split()
