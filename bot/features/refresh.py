"""Refresh: read the thing of a card again and update that card in place."""

from __future__ import annotations

from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact
from bot.core.records import stamp
from bot.features.replies.answer import say
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import Ruling, authorize
from bot.operations.backend_call import EVENTS, call
from bot.operations.next_steps import buttons_for
from bot.operations.resolve import Resolved
from bot.runtime.context import Context


async def refresh(ctx: Context, intent: Intent, request_id: str) -> None:
    """The presser needs the right to read the status of the thing; the card stays the asker's."""
    inbox = await ctx.store.request(request_id)
    target = await ctx.store.run_of(request_id)
    if inbox is None or target is None:
        await say(ctx, intent, "That request is no longer known; type `status` with its target.")
        return
    row = ctx.catalog.row(target.backend, "status", target.kind)
    if row is None:
        await say(ctx, intent, "This control plane has no status for that.")
        return
    look = Operation.of(row, request_id=intent.request_id, target=target, given={}, reason=None)
    ruling = await authorize(ctx, intent, look, row)
    if not ruling.allowed:
        await say(ctx, intent, f"You may not look at this here: {ruling.decision.reason}.")
        return
    await _update(ctx, intent, Resolved(look, row), inbox.intent, inbox.operation, ruling)


async def _update(
    ctx: Context, intent: Intent, look: Resolved, original: Intent, operation: Operation | None, ruling: Ruling
) -> None:
    result = await call(ctx, intent, look.operation, ctx.backends[look.operation.target.backend])
    now = ctx.clock.now()
    event = EVENTS[result.kind]
    row = AuditWriter(ctx.secrets).about(
        event,
        look.operation,
        intent,
        now,
        detail=result.summary,
        code=None if isinstance(result, Done) else result.code,
        rule=ruling.decision.rule,
        policy_version=ruling.policy.version,
    )
    await ctx.store.finish(intent.request_id, (row,), stamp(now))
    if not isinstance(result, Done):
        await ctx.presenter.show(cards.private(intent, f"Not refreshed: {result.summary}"), intent.reply)
        return
    shown = operation or look.operation.model_copy(update={"request_id": original.request_id})
    buttons = await buttons_for(ctx, original, shown, result.next, about=look.operation.target, refresh=True)
    fresh = result.model_copy(update={"facts": (*result.facts, Fact(label="Refreshed", value=now))})
    await ctx.presenter.show(cards.outcome(shown, original, fresh, buttons, now))
