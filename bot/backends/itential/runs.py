"""Running a service: parameters checked by its schema, the forms of the reply, and the look-up after a lost answer."""

import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.backends import readable
from bot.backends.itential import presentation
from bot.backends.itential.client import GATEWAYS
from bot.backends.itential.models import Accepted, Broken, Finished, Service
from bot.backends.itential.schema import typed
from bot.backends.itential.targets import LISTED, AdapterContext, is_of, named
from bot.backends.logs import LONGEST_PREVIEW
from bot.core.command.params import map_of, texts_of, unseen
from bot.core.errors import BadRequest
from bot.core.operation import Operation, Target, brief_id
from bot.core.outcome import Done, Fact, Failed, LookBack, Phase, Refused, RunView, Suggestion, Weighs, facts_of
from bot.core.ports.services import Call
from bot.core.text import ending, plural, suggest, utc_text
from bot.core.value import Json
from bot.core.vendor_json import moment

SKEW: Final = timedelta(seconds=5)
TOFU: Final = "opentofu-plan"
_GOOD: Final = frozenset({"success", "ok", ""})
_LONGEST_REASON: Final = 400


def params_of(service: Service, operation: Operation) -> dict[str, Json]:
    """The parameters that will be sent, in the types of the schema; raises BadRequest for values that don't fit."""
    given: dict[str, Json] = dict(map_of(operation, "param"))
    if operation.verb == "destroy":
        if (service.service_metadata.type or TOFU) != TOFU:
            raise BadRequest(
                f"{service.path} is of type {service.service_metadata.type}, and only OpenTofu plans can be destroyed."
            )
        given["action"] = "destroy"
    sent = typed(service.service_metadata.decorator, given)
    for name, value in sent.items():
        if char := unseen("".join(texts_of(value))):
            raise BadRequest(f"`param.{name}=` contains {char}, an invisible character. Type it again.")
    return sent


def inventory_of(operation: Operation) -> list[dict[str, Json]]:
    """`inventory=dc1/r1,dc1/r2,lab` as the vendor's objects: the nodes r1 and r2 of dc1, and all of lab."""
    written = operation.params.get("inventory")
    nodes: dict[str, list[str]] = {}
    for word in written if isinstance(written, list) else []:
        name, _, node = str(word).partition("/")
        if not name.strip():
            raise BadRequest("Write an inventory as `NAME`, or a node as `NAME/NODE`.")
        nodes.setdefault(name.strip(), []).extend([node.strip()] if node.strip() else [])
    return [{"inventory": name, **({"nodeNames": list(found)} if found else {})} for name, found in nodes.items()]


async def check(ctx: AdapterContext, operation: Operation) -> Refused | None:
    """Reads the service; returns a refusal if it can't run. Raises BadRequest for parameters that don't fit."""
    if operation.verb not in ("start", "destroy"):
        return None
    service = await ctx.client.service(operation.target.id)
    params_of(service, operation)
    inventory_of(operation)
    return _has_its_own_verb(service, operation)


def _destroys(service: Service, action: str | None) -> bool:
    """Whether this action, in any case, destroys; for plans and for services of unknown type.

    Raises BadRequest for any action other than a plan's two: how the vendor handles it is not documented.
    """
    if (service.service_metadata.type or TOFU) != TOFU or action is None:
        return False
    if unicodedata.normalize("NFKC", action).strip().casefold() == "destroy":
        return True
    if service.service_metadata.type == TOFU and action != "apply":
        raise BadRequest("`param.action=` takes `apply` or `destroy`.")
    return False


def _has_its_own_verb(service: Service, operation: Operation) -> Refused | None:
    """Destroying has its own verb, so that it always shows a pre-flight (safety table of the reference)."""
    given = map_of(operation, "param")
    if operation.verb != "start" or not _destroys(service, given.get("action")):
        return None
    rest = tuple((f"param.{name}", value) for name, value in given.items() if name != "action")
    return Refused(
        code="use_destroy",
        summary=f"This destroys everything that {service.path} created. Use the verb `destroy`, which shows the effect first.",
        hint=f"Write `destroy {operation.target.text}`.",
        next=(suggest("Destroy", "destroy", operation.target, *rest),),
    )


async def run(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Failed | Refused:
    """Run it; `destroy` runs an OpenTofu plan with action=destroy."""
    target = operation.target
    service = await ctx.client.service(target.id)
    refused = _has_its_own_verb(service, operation)
    if refused is not None:
        return refused
    params = params_of(service, operation)
    await call.progress(f"Running {target.name}; some platforms answer only when it ends.")
    # The names of the target, not those of this reply, so that the approved service runs.
    reply = await ctx.client.run(named(target), target.group, params, inventory_of(operation))
    if isinstance(reply, Broken):
        error = ctx.clean(reply.text)[:_LONGEST_REASON]
        return Failed(code="run_failed", summary=f"{target.name} did not run: {error}", next=_retry(operation))
    return _finished(ctx, operation, reply) if isinstance(reply, Finished) else await _accepted(ctx, target, reply)


def _retry(operation: Operation) -> tuple[Suggestion, ...]:
    return (suggest("Retry", operation.verb, operation.target, *operation.words),)


def _finished(ctx: AdapterContext, operation: Operation, reply: Finished) -> Done | Failed:
    """The synchronous reply: the run is over. A bad status overrides a good result."""
    target, output, facts = operation.target, reply.output, presentation.output_facts(reply.output)
    odd = reply.status not in ("", "completed")
    if output.failed or odd:
        errors = ctx.clean(presentation.words_of(output.stderr)[-_LONGEST_REASON:])
        named = presentation.failure(output) if output.failed else f"status {reply.status}"
        summary = f"{target.name} ended with {named}. {errors or 'It wrote nothing to stderr.'}"
        return Failed(code="return_code", summary=summary, facts=facts, next=_retry(operation))
    view = RunView(
        state="completed", phase=Phase.SUCCEEDED, started=moment(output.start_time), ended=moment(output.end_time)
    )
    good = "return code 0" if output.return_code is not None else f"success on {plural(len(output.results), 'node')}"
    text = ctx.masked(presentation.output_text(output))[0]
    summary = f"{target.name} has run and ended with {good}."
    return Done(summary=summary, facts=facts, view=view, beside="", preview=ending(text, LONGEST_PREVIEW))


async def _accepted(ctx: AdapterContext, target: Target, reply: Accepted) -> Done:
    """The asynchronous reply: a job is running."""
    state = "" if reply.state.casefold() in _GOOD else f"unknown ({reply.state[:40]})"
    facts = facts_of((("Itential says", ctx.clean(reply.message)), ("State of the reply", state)))
    data = facts_of((("Data", reply.data),))
    if reply.job_id and ctx.settings.jobs:
        run = await ctx.finder.remembered(ctx.finder.job_target(reply.job_id, target))
        return _following(run, target, facts, data)
    ref = reply.job_id or reply.id
    return Done(
        summary=f"{target.name} was started. Signalbox can't follow this run.",
        facts=facts,
        details=(*data, *facts_of((("Id", ref),))),
        backend_ref=ref,
        next=(suggest("Refresh", "status", target),),
    )


def _following(run: Target, target: Target, facts: tuple[Fact, ...] = (), details: tuple[Fact, ...] = ()) -> Done:
    steps = (suggest("Refresh", "status", run), suggest("Stop", "stop", run))
    view = RunView(state="accepted", phase=Phase.WAITING, facts=facts, details=details, next=steps)
    return Done(summary=f"{target.name} was started.", run=run, view=view, backend_ref=run.id, next=steps)


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """The gateway with its connection, and what is sent; raises BadRequest for parameters that don't fit."""
    client = ctx.client
    service = await client.service(operation.target.id)
    meta = service.service_metadata
    connection = presentation.connection_word(await client.connections(), meta.location)
    states = [
        presentation.gateway_state(one, connection).text
        for one in await client.listed(GATEWAYS)
        if one.cluster_id == meta.location
    ]
    facts: list[tuple[str, str]] = [
        Weighs("Gateway", f"{meta.location}: {states[0] if states else f'not listed, {connection}'}")
    ]
    facts += [("Type", meta.type or "not reported")]
    facts += [("Last run", utc_text(last))] if (last := moment(service.last_run)) else []
    if operation.verb in ("start", "destroy"):
        sent = ", ".join(f"{name}={value}" for name, value in sorted(params_of(service, operation).items()))
        facts.append(("Parameters", ctx.clean(sent) or "none"))
    written = operation.params.get("inventory")
    facts += (
        [("Inventory", ", ".join(map(str, written)))] if isinstance(written, list) and inventory_of(operation) else []
    )
    return facts


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """Whether the service is active."""
    return (await ctx.client.service(target.id)).state


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> LookBack:
    """Whether a run whose answer was lost started, by the newest jobs (GUESS: see `is_of`)."""
    target, since = operation.target, sent_at - SKEW
    jobs = (await readable(ctx.client.jobs(LISTED)) if ctx.settings.jobs else None) or []
    mine = [job for job in jobs if job.id and is_of(job, target)]
    known = {one.id for one, seen in await ctx.target_cache.known(ctx.name, "job") if seen < sent_at}.union(claimed)
    found = {job.id: job.began for job in mine if job.began and job.began >= since and job.id not in known}
    looked = f"Checked the newest {plural(len(jobs), 'job')} for runs of {target.name}."
    if not found:
        # A platform that runs a service within the call lists no job for it, so an empty list proves nothing.
        return LookBack(
            absent=bool(mine), again=not mine, evidence=f"{looked} None that can be this one started since then."
        )
    if len(found) > 1:
        ids = ", ".join(map(brief_id, found))
        runs = [
            await ctx.finder.remembered(ctx.finder.job_target(one, target))
            for one in sorted(found, key=found.__getitem__)
        ]
        return LookBack(
            evidence=f"{looked} {len(found)} started since then: {ids}. Which is this one is unknown.",
            fits=tuple(_following(run, target) for run in runs),
        )
    job_id, began = next(iter(found.items()))
    run = await ctx.finder.remembered(ctx.finder.job_target(job_id, target))
    evidence = f"{looked} A job started {utc_text(began, seconds=True)}; who started it is unknown."
    return LookBack(found=_following(run, target), evidence=evidence)
