"""The current facts about a target from the backend and the audit log, for pre-flights and approval cards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.command.catalog import Catalog
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadRequest, NoSuchTarget, Problem
from bot.core.intent import Command
from bot.core.operation import Operation, Target
from bot.core.outcome import Binding, Binds, Fact, Unread, Weighs, binding_of
from bot.core.policy.match import risk_or_verb
from bot.core.records import Filters, StoredEntry
from bot.core.text import first_of, sentences, utc_text
from bot.operations import cards
from bot.operations.reconcile import MAY_HAVE_DONE
from bot.operations.resolve import find_target
from bot.runtime.context import Context

FACTS_WITHIN: Final = 6.0
LAST_OUTCOMES: Final = 5
NOT_DONE: Final = "not done"
_ENTRIES: Final = 3  # of one request at most: unknown, found, ended
UNDONE: Final = 20  # of what would be taken back, in words
_PAGE: Final = 500  # entries
_OUTCOMES: Final = frozenset({Event.DONE, Event.FAILED, Event.UNKNOWN, Event.RECONCILED, Event.ABANDONED})
_UNSURE: Final = frozenset({"sent", "unknown"})
UNREADABLE: Final = "not readable"
_Found: TypeAlias = Sequence[tuple[str, str]]


async def what_is(ctx: Context, operation: Operation) -> tuple[tuple[Fact, ...], Binding]:
    """The facts about the target from the control plane and the audit log, and what they bind. No answer is a fact too."""
    readings = await all_of(
        _read_at(ctx, reading)
        for reading in (_from_backend(ctx, operation), _undone(ctx, operation), _from_audit_log(ctx, operation))
    )
    facts = [
        Fact(label=one[0], value=one[1], at=at, weighs=isinstance(one, Weighs))
        for found, at in readings
        for one in found
    ]
    binding = binding_of(one for found, _ in readings for one in found)
    return (*facts, *_freezes(ctx, operation, ctx.clock.now())), binding


async def _read_at(ctx: Context, reading: Awaitable[_Found]) -> tuple[_Found, datetime]:
    """What was found, and when."""
    return await reading, ctx.clock.now()


def _freezes(ctx: Context, operation: Operation, now: datetime) -> tuple[Fact, ...]:
    """The freezes that are in force, also for a person who is exempt from them."""
    found = [
        f"{freeze.because or freeze.label} until {utc_text(freeze.ends)}"
        for freeze in ctx.policy().policy.freezes
        if freeze.begins is not None and freeze.ends is not None and freeze.begins <= now < freeze.ends
        if any(risk_or_verb(verb, operation.verb, operation.risk, own_verb=False, wide=True) for verb in freeze.verbs)
    ]
    return (Fact(label="Freeze", value="; ".join(found) or "none", at=now, weighs=bool(found)),)


async def _from_backend(ctx: Context, operation: Operation) -> _Found:
    backend = ctx.backends[operation.target.backend]
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            return await backend.preflight(operation)
    except TimeoutError:
        return [Unread("Control plane", f"did not answer within {FACTS_WITHIN:g} s")]
    except Problem as problem:
        return [Unread("Control plane", f"did not answer: {problem.summary}")]


async def what_binds(ctx: Context, operation: Operation) -> Binding:
    """What the operation is about now."""
    found = await all_of((_from_backend(ctx, operation), _undone(ctx, operation)))
    return binding_of(one for each in found for one in each)


async def _undone(ctx: Context, operation: Operation) -> _Found:
    """What was made through Signalbox and would be taken back, where the control plane can't list it."""
    target = operation.target
    capability = ctx.catalog.capability(target.backend, operation.verb, target.kind)
    if capability is None or not capability.undoes:
        return ()
    declared = ctx.catalog.backends[target.backend].capabilities
    for_good = next(one.verb for one in declared if (one.target, one.undoes) == (capability.target, capability.undoes))
    since = 0
    async for clearing, outcome in _requests(ctx, target, for_good, since):
        if went(ctx.catalog, outcome) == "done":
            since = clearing.seq
            break
    sent, unsure = {}, {}
    made = [one for verb in capability.undoes async for one in _requests(ctx, target, verb, since)]
    for entry, outcome in sorted(made, key=lambda one: -one[0].seq):
        word = went(ctx.catalog, outcome)
        if word == "done":
            sent[entry.request_id] = f"{outcome.detail} ({utc_text(outcome.at)})"
        elif word in _UNSURE or outcome.code in MAY_HAVE_DONE:
            given = f"{entry.verb} {cards.short(entry.given)}".strip()
            unsure[entry.request_id] = f"{given} ({utc_text(entry.at)})"
    words = sentences(
        f"Sent through Signalbox: {first_of(sent.values(), UNDONE, ' ')}" if sent else "",
        f"May have been sent: {first_of(unsure.values(), UNDONE)}" if unsure else "",
    )
    told = f"{words or 'Nothing was sent through Signalbox.'} {target.backend} can't list what else is there."
    return [Binds("What it affects", told, {**sent, **unsure})]


async def _requests(
    ctx: Context, target: Target, verb: str, since: int
) -> AsyncIterator[tuple[StoredEntry, StoredEntry]]:
    """The requests with this verb that were sent, the newest first: each entry `sent` with the newest one about how it went,
    or itself while there is none. Without those that ended before the entry number `since`."""
    filters, before = Filters(target_id=target.id, backend=target.backend, verb=verb), None
    newest: dict[str | None, StoredEntry] = {}
    while page := await ctx.store.search(filters, before_seq=before, limit=_PAGE):
        for entry in page:
            if entry.event in _OUTCOMES and entry.seq > since:
                newest.setdefault(entry.request_id, entry)
            elif entry.event is Event.SENT and (outcome := newest.pop(entry.request_id, entry)).seq > since:
                yield entry, outcome
        before = page[-1].seq
        if before <= since and not newest:
            return


async def _from_audit_log(ctx: Context, operation: Operation) -> _Found:
    entries = await ctx.store.last_outcomes(operation.target, _ENTRIES * LAST_OUTCOMES)
    if not entries:
        return [("Last outcomes here", "none in the audit log")]
    newest = {entry.request_id: entry for entry in reversed(entries)}.values()
    outcomes = sorted(newest, key=lambda entry: -entry.seq)[:LAST_OUTCOMES]
    words = "; ".join(f"{entry.verb} {went(ctx.catalog, entry)} {utc_text(entry.at)}" for entry in outcomes)
    return [("Last outcomes here", words)]


def went(catalog: Catalog, entry: StoredEntry) -> str:
    """How a request went, as its last entry says: `not done` for what failed before a run began."""
    word = cards.happened(catalog, entry)
    return NOT_DONE if word == "failed" and entry.event is not Event.ENDED else word


async def at_present(ctx: Context, operation: Operation) -> Operation:
    """The operation on the run that is there now, if the target alone means whichever runs."""
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            target = await ctx.backends[operation.target.backend].this_run(operation)
    except (TimeoutError, Problem):
        return operation
    return operation.model_copy(update={"target": target})


async def find_now(ctx: Context, operation: Operation) -> tuple[Target | None, str]:
    """The target that has the name now (None when there is none) and its state; `not readable` is a state too.

    A run, and a target that is named by its id, stays the same.
    """
    target = operation.target
    if target.scope is not None and target.parent is None:
        ref = TargetRef(backend=target.backend, path=target.scope.partition(":")[2])
        try:
            async with asyncio.timeout(FACTS_WITHIN):
                found = await find_target(ctx, ref, Command(verb=operation.verb))
        except NoSuchTarget:
            return None, ""
        except (BadRequest, Ambiguous):
            found = target
        except (TimeoutError, Problem):
            return target, UNREADABLE
        target = found if found.kind == target.kind else target
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            return target, await ctx.backends[target.backend].state_of(target)
    except (TimeoutError, Problem):
        return target, UNREADABLE


async def given_in(ctx: Context, entries: Iterable[StoredEntry]) -> dict[str, str]:
    """The parameters of each request as they were typed or chosen in a form, in one short line."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.event is not Event.REQUESTED or entry.request_id is None:
            continue
        given, of_form = entry.given, (entry.verb or "").startswith("form ")
        if of_form and (stored := await ctx.store.request(entry.request_id)) is not None and stored.operation:
            given = " ".join(f"{name}={text}" for name, text in stored.operation.masked_words)
        found[entry.request_id] = cards.short(given)
    return found
