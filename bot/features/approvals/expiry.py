"""Endings without a decision: time is over, the requester cancels, or the question no longer makes sense."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.card import Tone
from bot.core.command.params import duration_text
from bot.core.intent import Intent
from bot.core.records import Hold, stamp
from bot.features.approvals import cards
from bot.features.approvals.record import terms_of
from bot.features.approvals.request import hand_over
from bot.operations.audit_writer import Scribe
from bot.runtime.context import Deps


async def end(
    deps: Deps, hold: Hold, state: str, event: Event, code: str, text: str, *, by: Intent | None = None
) -> bool:
    """End it with one row, close both cards and tell the requester; False when somebody was first."""
    operation = hold.operation
    if operation is None:
        return False
    now = deps.clock.now()
    row = Scribe(deps.secrets).about(
        event,
        operation,
        by or hold.intent,
        now,
        rule=terms_of(hold).rule,
        policy_version=hold.policy_version,
        digest=hold.digest,
        approval_id=hold.id,
        code=code,
        detail=text,
    )
    if not await deps.store.end_hold(hold.id, state, by.actor.user_id if by else None, (row,), now):
        return False
    await deps.store.finish(hold.request_id, (), stamp(now))
    await close(deps, hold.id, text)
    return True


async def close(deps: Deps, hold_id: str, text: str, *, status: str = "") -> None:
    """Both cards without buttons, and the requester called in the thread."""
    hold = await deps.store.open_hold(hold_id)
    if hold is None:
        return
    words = status or cards.head(hold)
    await cards.show(deps, hold, ended=words)
    people = [hold.decided_by] if hold.decided_by else []
    await cards.close_requester(deps, hold, Tone.WARN, words, text, *people)
    await cards.tell_requester(deps, hold, hold.state, text, *people, tone=Tone.WARN)
    if hold.intent.reply.step_id is not None:
        await deps.presenter.step(hold.intent.reply.step_id, ok=False, text=text)


async def expire(deps: Deps, hold: Hold) -> bool:
    """Its time is over. What was approved and not used in time ends too."""
    if await hand_over(deps, hold):
        return False
    terms = terms_of(hold)
    agreed = sum(vote.vote == "approve" for vote in await deps.store.votes(hold.id))
    who = f"Only {agreed} of {terms.count} agreed" if agreed else "Nobody decided"
    text = f"{who} within {duration_text(terms.expires)}, so nothing was done. Ask again if it is still wanted."
    state = "expired"
    if hold.state == "approved":
        state, text = "cancelled", "It was approved, and its time was over before it could run. Nothing was done."
    return await end(deps, hold, state, Event.EXPIRED, "expired", text)


async def void(deps: Deps, hold: Hold, why: str) -> bool:
    """Nobody can decide it any more, for this reason."""
    text = f"Nothing was done: {why.rstrip('.')}."
    return await end(deps, hold, "cancelled", Event.ABANDONED, "void", text)


async def withdraw(deps: Deps, intent: Intent, hold: Hold) -> bool:
    """The requester takes it back."""
    text = "Cancelled by the person who asked. Nothing was done."
    return await end(deps, hold, "cancelled", Event.ABANDONED, "cancelled", text, by=intent)
