"""Command -> Operation: the backend, the exact target, the capability and the checked parameters."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.params import ParamType
from bot.core.command.parser import parse_target
from bot.core.command.target_ref import SHORT_ID, TargetRef
from bot.core.command.until import with_moments
from bot.core.command.vocabulary import OF_A_PAIR, SYNONYMS
from bot.core.errors import Ambiguous, BadRequest, Problem
from bot.core.intent import Command, Intent, Source
from bot.core.operation import Operation, Target
from bot.core.policy.decide import Denied
from bot.core.text import with_article
from bot.operations.authorize import may_ask, visibility_of
from bot.runtime.context import Context

_MOST_NAMED: Final = 4
_PART_OF_ID: Final = re.compile(r"[0-9A-Za-z]{6,12}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resolved:
    """An operation and the capability that it comes from."""

    operation: Operation
    capability: Capability


async def resolve_seen(ctx: Context, intent: Intent, command: Command) -> Resolved | Denied:
    """`resolve`, or the denial for a person who may not see that target: the same whether it exists or not."""
    resolving = partial(resolve, ctx, intent, command)
    return await _if_seen(ctx, intent, command.target, resolving, lambda resolved: resolved.operation.target)


async def find_seen(ctx: Context, intent: Intent, command: Command) -> Target | Denied:
    """The typed target, or the denial for a person who may not see it."""
    written = command.target or ""
    return await _if_seen(
        ctx, intent, written, lambda: find_target(ctx, read_ref(ctx, written), command), lambda found: found
    )


async def _if_seen(
    ctx: Context,
    intent: Intent,
    written: str | None,
    look: Callable[[], Awaitable[T]],
    target_of: Callable[[T], Target],
) -> T | Denied:
    seen = await may_ask(ctx, intent, written)
    if isinstance(seen, Denied):
        return seen
    try:
        found = await look()
    except Problem:
        if written is None or seen.written(written.partition("@")[0]):
            raise
        return seen.hides(written)
    return found if seen.target(target_of(found)) else seen.hides(written or "the target of this thread")


def read_ref(ctx: Context, written: str) -> TargetRef:
    """The target as it was written. Raises BadRequest for words that are not a target."""
    ref = parse_target(written, ctx.catalog)
    if isinstance(ref, str):
        raise BadRequest(ref, code="no_such_backend")
    return ref


async def resolve(ctx: Context, intent: Intent, command: Command) -> Resolved:
    """The operation of the command. Raises a Problem for words that do not fit, unknown targets and silent backends."""
    if command.target is None:
        target = await _target_of_thread(ctx, intent, command.verb)
    else:
        ref = read_ref(ctx, command.target)
        _check_verb(ctx, command.verb, ref.backend)
        target = await find_target(ctx, ref, command)
        if command.run is not None:
            target = target.model_copy(update={"group": command.run})
    capability = _row(ctx, command.verb, target)
    try:
        words = with_moments(capability.params, command.params, ctx.zone, intent.asked_at)
    except BadRequest as problem:
        times = {param.name for param in capability.params if param.type is ParamType.UNTIL}
        try:
            check_params(capability.params, [pair for pair in command.params if pair[0] not in times])
        except BadRequest as other:
            raise BadRequest(f"{problem.summary} {other.summary}", code=other.code) from None
        raise
    given = check_params(capability.params, words)
    if capability.reason_required and not (command.reason or "").strip():
        raise BadRequest(
            f"`{capability.verb}` needs a reason. Write it after `--`, for example: `{capability.example}`.",
            code="reason_missing",
        )
    operation = Operation.of(
        capability,
        request_id=intent.request_id,
        target=target,
        given=given,
        reason=command.reason,
        files=command.files if capability.takes_files else (),
        words=words,
    )
    return Resolved(operation, capability)


def _check_verb(ctx: Context, verb: str, backend: str) -> None:
    if ctx.catalog.capabilities(verb, backend):
        return
    near = ", ".join(f"`{one}`" for one in nearest_changes(ctx.catalog, verb, backend)[:_MOST_NAMED])
    no_call = f": the API of {ctx.catalog.backends[backend].vendor} has no such call."
    raise BadRequest(
        f"`{backend}` doesn't support `{verb}`{f'. The nearest that it supports: {near}.' if near else no_call}",
        f"`{ctx.command} help {backend}` lists what it supports.",
        "no_such_verb",
    )


def nearest_changes(catalog: Catalog, verb: str, backend: str) -> list[str]:
    """The changes that this backend supports and that the verb may mean: `schedule set` for `create`, `schedule off` for
    `pause`."""
    acts = {*OF_A_PAIR.get(verb, (verb,))} - {"disable"}  # which is for one input file
    pairs = [one for one in sorted(catalog.verbs) if one.partition(" ")[2] in acts]
    found = dict.fromkeys((*SYNONYMS.get(verb, ()), *pairs))
    return [one for one in found if catalog.changes(one) and catalog.capabilities(one, backend)]


async def find_target(ctx: Context, ref: TargetRef, command: Command) -> Target:
    """The exact target that was written. With a selector, the kind of run is the one that the verb acts on."""
    kind, path = await _whole_id(ctx, ref.backend, *ctx.catalog.split_path(ref.backend, ref.path))
    backend = ctx.backends[ref.backend]
    if ref.selector is not None and dict(command.params).get("as") == "job":
        kind = "jobrun"
    return await backend.resolve(ref.model_copy(update={"path": path}), kind)


async def _whole_id(ctx: Context, backend: str, kind: str | None, path: str) -> tuple[str | None, str]:
    """Kind and path, with the whole id for a part of one, as cards and lists show it: `run/c7fb951b`, `c7fb951b`.

    Only what is remembered counts. Raises Ambiguous for several such ids.
    """
    path = path.removeprefix("…")
    if not (SHORT_ID if kind is None else _PART_OF_ID).fullmatch(path):
        return kind, path
    kinds = [one for one in ctx.catalog.backends[backend].targets if one.part_of and kind in (None, one.name)]
    if not kinds or (kind is not None and await ctx.target_cache.by_id(backend, kind, path) is not None):
        return kind, path
    known = [target for one in kinds for target, _ in await ctx.target_cache.known(backend, one.name)]
    found = [target for target in known if path != target.id and _shows(path, target.id)]
    if len(found) > 1:
        names = tuple(f"{target.kind}/{target.id}" for target in found[:_MOST_NAMED])
        raise Ambiguous(f"{len(found)} ids of {backend} have `{path}`.", names)
    return (found[0].kind, found[0].id) if found else (kind, path)


def _shows(part: str, whole: str) -> bool:
    """Whether a card shows that part of the id: its beginning, or its end where ids are made in order."""
    return whole.lower().startswith(part.lower()) or whole.lower().endswith(part.lower())


def _row(ctx: Context, verb: str, target: Target) -> Capability:
    capability = ctx.catalog.capability(target.backend, verb, target.kind)
    if capability is not None:
        return capability
    capabilities = ctx.catalog.capabilities(verb, target.backend)
    if not capabilities:
        _check_verb(ctx, verb, target.backend)
    kinds = " or ".join(with_article(kind) for kind in sorted({capability.target for _, capability in capabilities}))
    raise BadRequest(
        f"`{verb}` works on {kinds}, and `{target.text}` is {with_article(target.kind)}.",
        f"For example: `{capabilities[0][1].example}`.",
        "wrong_target_kind",
    )


async def _target_of_thread(ctx: Context, intent: Intent, verb: str) -> Target:
    """The run of the card in whose thread the command was typed, else the target that the card is about."""
    capabilities = ctx.catalog.capabilities(verb)
    found: Target | None = None
    if intent.place.thread_ts is not None:
        found = await ctx.store.thread_target(intent.place.channel_id, intent.place.thread_ts)
    if found is None:
        visible = await visibility_of(ctx, intent.actor, intent.place)
        kinds = {spec.kind for name, spec in ctx.catalog.backends.items() if visible.backend(name)}
        example = next(
            (capability.example for kind, capability in capabilities if kind in kinds), f"{verb} backend:path"
        )
        every = f"`{ctx.command} stop everything` lists the runs in progress that were started in this channel."
        of_all = f" {every}" if verb == "stop" and intent.source is not Source.TERMINAL else ""
        raise BadRequest(f"`{verb}` needs a target.", f"For example: `{example}`.{of_all}", "target_missing")
    if ctx.catalog.capability(found.backend, verb, found.kind) is not None or found.parent is None:
        return found
    ref = _owner(found)
    if any(one.newest_run for _, one in ctx.catalog.capabilities(verb, found.backend)):
        raise BadRequest(
            f"`{verb}` changes the newest job run of `{ref}`, which the run of this thread may not be.",
            f"To change the newest one, name the agent: `{verb} {ref}`.",
            "target_missing",
        )
    return await find_target(ctx, ref, Command(verb=verb))


async def owner_of(ctx: Context, run: Target, verb: str) -> Target:
    """What it is a run of, or the target itself."""
    is_run = run.kind in ctx.catalog.backends[run.backend].selected or run.parent == run.id
    return await find_target(ctx, _owner(run), Command(verb=verb)) if is_run and run.parent is not None else run


def _owner(run: Target) -> TargetRef:
    return TargetRef(backend=run.backend, path=run.parent_name or run.parent or "")
