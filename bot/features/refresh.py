"""Refresh: read the thing of a card again and update that card in place."""

from __future__ import annotations

from bot.core.effects import Attempt
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.features.replies.answer import say
from bot.operations.authorize import authorize
from bot.operations.execute import execute
from bot.runtime.context import Context


async def refresh(ctx: Context, intent: Intent, request_id: str) -> None:
    """The presser needs the right to read the status of the thing; the card stays the asker's."""
    request = await ctx.store.request(request_id)
    target = await ctx.store.run_of(request_id)
    if request is None or target is None:
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
    shown = request.operation or look.model_copy(update={"request_id": request_id})
    await execute(ctx, Attempt(intent, look, ruling, refreshes=(request.intent, shown)))
