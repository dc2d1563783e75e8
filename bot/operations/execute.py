"""The call: registered before it, registered after it, and never sent twice when nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Refused, Unknown
from bot.core.records import stamp
from bot.operations import cards
from bot.operations.authorize import Ruling, ages
from bot.operations.backend_call import EVENTS, AnyOutcome, call
from bot.operations.completion import Attempt, finish
from bot.operations.reconcile import read_back
from bot.runtime.context import Context


async def execute(
    ctx: Context,
    intent: Intent,
    operation: Operation,
    ruling: Ruling,
    *,
    pending_id: str | None = None,
    approved_by: str = "",
    taken: Callable[[], Awaitable[None]] | None = None,
) -> AnyOutcome | None:
    """Run an operation that is allowed. None when somebody else already took it. The card is shown at the end.

    Whoever calls it holds the turn of what the operation switches, see `pauses.turn_of`. `taken` is called once the operation
    is ours and before its call: from here on nobody can cancel it.
    """
    attempt = Attempt.under(ctx, intent, operation, ruling, pending_id if approved_by else None)
    if not await _mark_sent(ctx, attempt, ruling, pending_id):
        return None
    if taken is not None:
        await taken()
    if operation.risk is not Risk.READ:
        await ctx.presenter.show(cards.working(operation, intent, "Working on it"))
    sent_at = ctx.clock.now()
    backend = ctx.backends[operation.target.backend]
    result = await call(ctx, intent, operation, backend)
    event = EVENTS[result.kind]
    if isinstance(result, Unknown):
        await ctx.store.append(attempt.outcome_row(ctx, result))
        result = await read_back(ctx, intent, operation, backend, sent_at, result)
        event = Event.ABANDONED if isinstance(result, Unknown) else Event.RECONCILED
    await finish(ctx, replace(attempt, sent_at=sent_at), result, event)
    return result


async def refuse_unsent(ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, refused: Refused) -> None:
    """End it without a call, with the answer that the call would have had."""
    await finish(ctx, Attempt.under(ctx, intent, operation, ruling), refused, Event.FAILED)


async def _mark_sent(ctx: Context, attempt: Attempt, ruling: Ruling, pending_id: str | None) -> bool:
    """The row before the call. A read that nobody had to decide about writes only its outcome."""
    operation = attempt.operation
    if operation.risk is Risk.READ and pending_id is None:
        return True
    approved = f"approved by {', '.join(operation.approved_by)}; " if operation.approved_by else ""
    row = attempt.row(ctx, Event.SENT, approved + ages(ruling))
    return await ctx.store.sending(operation.request_id, operation, row, stamp(ctx.clock.now()), pending_id=pending_id)
