"""The only way to a backend call: recorded before and after it. Without a known outcome only an idempotent one is sent again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Final

from bot.core.audit import AuditEntry, Event
from bot.core.command.capability import Risk
from bot.core.effects import Attempt, concerned
from bot.core.errors import NotSent, Problem
from bot.core.operation import Operation, Target
from bot.core.outcome import Failed, Outcome, Unknown
from bot.core.records import Grant, stamp
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.backend_call import EVENTS, call
from bot.operations.completion import finish
from bot.operations.interrupted import end_unknown, record_unknown
from bot.operations.reconcile import read_back
from bot.runtime.context import Context
from bot.runtime.until_stored import IN_DOUBT, until_stored

TYPE_AGAIN: Final = "Type the command again if you still want it."


async def execute(
    ctx: Context,
    attempt: Attempt,
    *,
    pending_id: str | None = None,
    grant: tuple[Grant, AuditEntry] | None = None,
    claimed: Callable[[], Awaitable[None]] | None = None,
    again: bool = False,
) -> Outcome | None:
    """Run an allowed operation and show its card. None when another press or process took it first, or the next leader will.

    `pending_id` is the decision that it uses up, and `grant` a grant for this call alone, stored when that is used. `claimed` is
    called before the call, once no other press can take or cancel it. `again` repeats an idempotent call that was recorded as
    sent before a restart.
    """
    attempt = begun(ctx, attempt)
    # A read that needed no decision writes only its outcome.
    recorded = not again and (attempt.operation.risk is not Risk.READ or pending_id is not None)
    async with target_lock(ctx, attempt.operation):
        try:
            if recorded and not await _take(ctx, attempt, pending_id, grant):
                return None
            work = _carry_out(ctx, attempt, claimed, again=again)
        except NotSent as problem:
            work = _not_sent(ctx, attempt, problem)
        try:
            return await work
        except Exception as error:
            if not (recorded or again):  # only read: whoever works on the request tells it
                raise
            return await end_unknown(ctx, attempt, error)


async def _carry_out(
    ctx: Context, attempt: Attempt, claimed: Callable[[], Awaitable[None]] | None, *, again: bool
) -> Outcome:
    """Make the call and finish it."""
    try:
        if not again:
            await _announce(ctx, attempt, claimed)
    except NotSent as problem:
        return await _not_sent(ctx, attempt, problem)
    attempt = replace(attempt, sent_at=ctx.clock.now())
    result = await call(ctx, attempt, again=again)
    if isinstance(result, Unknown) and attempt.pause is None:
        if not again:  # otherwise recorded already
            await record_unknown(ctx, attempt, result)
        return await look_up(ctx, attempt, result)
    event = Event.RECONCILED if again and attempt.pause is None else EVENTS[result.kind]
    return await finish(ctx, attempt, result, event)


async def _not_sent(ctx: Context, attempt: Attempt, problem: NotSent) -> Outcome:
    """Finish it without the call. It is not sent later either: its person may have given up."""
    failed = Failed(code=problem.code, summary=problem.summary, hint=TYPE_AGAIN, sent=False)
    return await finish(ctx, attempt, failed, Event.FAILED)


def begun(ctx: Context, attempt: Attempt) -> Attempt:
    """The attempt as the features mark it, from now on."""
    attempt = replace(attempt, began=ctx.clock.monotonic())
    for effect in concerned(ctx.effects, ctx.catalog, attempt):
        attempt = effect.before_call(ctx, attempt)
    return attempt


async def _take(ctx: Context, attempt: Attempt, pending_id: str | None, grant: tuple[Grant, AuditEntry] | None) -> bool:
    """Record that it is sent, once. Raises NotSent when that is recorded, but so late that it is not sent anymore."""
    operation, now = attempt.operation, ctx.clock.now()
    if not ctx.leadership.leads:
        await ctx.store.release(operation.request_id, now)
        return False
    approved = f"approved by {', '.join(operation.approved_by)}; " if operation.approved_by else ""
    detail = approved + attempt.ruling.ages if attempt.ruling is not None else None
    entry = AuditWriter(ctx.secrets).attempted(attempt, Event.SENT, now, detail=detail)
    try:
        return await ctx.store.sending(operation.request_id, operation, entry, now, pending_id=pending_id, grant=grant)
    except Problem as problem:
        if problem.code != IN_DOUBT:
            raise
        look = partial(ctx.store.request, operation.request_id)
        found = await until_stored(ctx.clock, f"request {operation.request_id}", look)
        if found is None or found.state != "sending" or found.sent_at != stamp(now):
            raise
        raise NotSent(problem.summary, problem.hint, problem.code) from problem


async def _announce(ctx: Context, attempt: Attempt, claimed: Callable[[], Awaitable[None]] | None) -> None:
    """Show that it is sent now. Raises NotSent when the store fails meanwhile."""
    try:
        if claimed is not None:
            await claimed()
        if attempt.operation.risk is not Risk.READ and attempt.pause is None:
            card = cards.working(attempt.operation, attempt.intent, "Working on it")
            await ctx.presenter.show(card, attempt.intent.reply)
    except Problem as problem:
        raise NotSent(problem.summary, problem.hint, problem.code) from problem


async def look_up(ctx: Context, attempt: Attempt, lost: Unknown) -> Outcome:
    """Finish a call whose answer is lost: find its outcome in the backend, by reads alone."""
    backend = ctx.backends.get(attempt.operation.target.backend)
    result: Outcome = lost
    if backend is not None:
        sent_at = attempt.sent_at or ctx.clock.now()
        result = await read_back(ctx, attempt.intent, attempt.operation, backend, sent_at, lost)
    event = Event.ABANDONED if isinstance(result, Unknown) else Event.RECONCILED
    return await finish(ctx, attempt, result, event)


def target_lock(ctx: Context, operation: Operation) -> AbstractAsyncContextManager[None]:
    """The lock of the target that the operation switches on or off; a free one for other operations."""
    target = operation.target
    if ctx.catalog.switches(target.backend, operation.verb, target.kind):
        return lock_of(ctx, target)
    return nullcontext()


@asynccontextmanager
async def lock_of(ctx: Context, target: Target) -> AsyncIterator[None]:
    """One operation at a time on a target and its parts: reading what is on, switching it off, and keeping its pause."""
    async with ctx.locks.of(f"{target.backend}:{await whole_of(ctx, target)}"):
        yield


async def whole_of(ctx: Context, target: Target) -> str:
    """The id of what the target is a part of, which may have become known after the target was found; otherwise its own."""
    seen = await ctx.target_cache.by_id(target.backend, target.kind, target.id) if target.parent is None else None
    return target.parent or (seen.parent if seen is not None else None) or target.id
