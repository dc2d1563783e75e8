"""Refresh and Check again: read the target of a card again and update that card in place."""

from datetime import datetime

from bot.core.effects import Attempt
from bot.core.errors import Lost
from bot.core.intent import Due, Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Unknown, facts_of
from bot.core.records import StoredRequest
from bot.features.replies.answer import say
from bot.operations import cards
from bot.operations.authorize import authorize
from bot.operations.execute import execute, look_up
from bot.operations.reconcile import looking
from bot.runtime.context import Context


async def refresh(ctx: Context, intent: Intent, request_id: str) -> None:
    """The person who presses needs the right to read the status of the target; the card stays that of the requester."""
    request = await ctx.store.request(request_id)
    run = await ctx.store.run_of(request_id)
    lost = request.operation if request is not None and run is None and request.sent_at is not None else None
    target = run or (lost.target if lost is not None else None)
    if request is None or target is None:
        await say(ctx, intent, "That request is no longer known. Type `status` with its target.")
        return
    look = await _allowed(ctx, intent, target)
    if look is None:
        return
    if lost is not None and request.state == "sending":  # its outcome is the recovery's, which looks every few seconds
        await say(ctx, intent, "No sign of it yet. I look every few seconds, and update the card.")
        return
    if lost is not None and isinstance(request.intent.payload, Due):  # a button from before: that card is of its pause
        status = f"`{ctx.command} status {cards.written(lost.target)}`"
        await say(
            ctx,
            intent,
            f"The end of a pause is tried again by itself, and its card says so. {status} shows the target now.",
        )
        return
    if lost is not None:
        await _check_again(ctx, request, lost)
        await ctx.store.finish(intent.request_id, (), ctx.clock.now())
        return
    shown = request.operation or look.operation.model_copy(update={"request_id": request_id})
    await execute(ctx, Attempt(intent, look.operation, look.ruling, refreshes=(request.intent, shown)))


async def _allowed(ctx: Context, intent: Intent, target: Target) -> Attempt | None:
    """The look at the target, if this person may look; otherwise None, and the person is told why."""
    capability = ctx.catalog.capability(target.backend, "status", target.kind)
    if capability is None:
        await say(ctx, intent, f"`{target.backend}` does not support `status` for a {target.kind}.")
        return None
    look = Operation.of(capability, request_id=intent.request_id, target=target, given={}, reason=None)
    ruling = await authorize(ctx, intent, look, capability)
    if not ruling.allowed:
        await say(ctx, intent, f"You can't see this here: {ruling.decision.reason}.")
        return None
    return Attempt(intent, look, ruling)


async def _check_again(ctx: Context, request: StoredRequest, lost: Operation) -> None:
    """Look once more whether a call whose answer was lost took effect. Two presses make one look."""
    async with ctx.locks.of(f"check:{request.request_id}"):
        if await ctx.store.run_of(request.request_id) is not None:
            return
        await ctx.presenter.show(cards.working(lost, request.intent, looking(lost)))
        sent_at = datetime.fromisoformat(request.sent_at) if request.sent_at else None
        checked = facts_of((("Checked again", ctx.clock.now()),))
        unknown = Unknown(code=Lost.code, summary="The answer was lost.", facts=checked)
        await look_up(ctx, Attempt(request.intent, lost, sent_at=sent_at), unknown)
