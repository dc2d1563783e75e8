"""`Run it` and `Cancel` on a pre-flight, and what is checked again before anything runs."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.card import Tone
from bot.core.command.capability import Capability
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.records import Hold, stamp
from bot.features import approvals
from bot.features.access.breakglass import perform
from bot.features.replies import refusal
from bot.features.replies.answer import say
from bot.operations.audit_writer import Scribe
from bot.operations.authorize import FRESH, authorize
from bot.operations.resolve import Resolved
from bot.runtime.context import Deps


async def decide_preflight(deps: Deps, intent: Intent, hold: Hold, choice: str) -> None:
    """The asker looked and decided. Time, rules and person are checked again."""
    operation = hold.operation
    now = deps.clock.now()
    if operation is None or hold.intent.actor != intent.actor:
        await say(deps, intent, "Only the person who asked may press this.")
        return
    if stamp(now) >= hold.due_at:
        await end(deps, hold, operation, "expired", Event.EXPIRED, intent, "expired")
        await say(deps, intent, "The ten minutes are over. Type the command again.", replace=True)
        return
    if choice == "cancel":
        await end(deps, hold, operation, "cancelled", Event.ABANDONED, intent, "cancelled")
        await say(deps, intent, "Cancelled. Nothing was done.", tone=Tone.PLAIN, replace=True)
        return
    row = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        await say(deps, intent, "This control plane no longer offers that.", replace=True)
        return
    await _run(deps, intent, hold, operation, row)


async def _run(deps: Deps, intent: Intent, hold: Hold, operation: Operation, row: Capability) -> None:
    ruling = await authorize(deps, hold.intent, operation, row, max_age=FRESH)
    if ruling.denied:
        await deps.store.end_hold(hold.id, "cancelled", intent.actor.user_id, (), deps.clock.now())
        await refusal.denied(deps, hold.intent, operation, ruling)
        await say(deps, intent, "The rules no longer allow it. Nothing was done.", replace=True)
        return
    if ruling.digest != hold.digest:
        await end(deps, hold, operation, "cancelled", Event.ABANDONED, intent, "stale")
        await say(deps, intent, "The rules changed since this was shown. Type the command again.", replace=True)
        return
    misfit = await approvals.unfit(deps, operation)
    if misfit is not None:
        await end(deps, hold, operation, "cancelled", Event.ABANDONED, intent, "stale")
        await say(deps, intent, f"{misfit} Nothing was done.", replace=True)
        return
    if ruling.needs_approval:
        # The approval is opened before the pre-flight ends: a crash between the two loses neither.
        await approvals.request(deps, hold.intent, Resolved(operation, row), ruling)
        await deps.store.end_hold(hold.id, "taken", intent.actor.user_id, (), deps.clock.now())
        asked = await approvals.was_asked(deps, hold.request_id)
        text = "The approvers are asked; the card in the channel shows it." if asked else "Nothing was done."
        await say(deps, intent, text, tone=Tone.PLAIN, replace=True)
        return
    await say(deps, intent, "Running; the card in the channel shows it.", tone=Tone.PLAIN, replace=True)
    if await perform(deps, hold.intent, Resolved(operation, row), ruling, hold_id=hold.id) is None:
        await say(deps, intent, "This was pressed already.", tone=Tone.PLAIN)


async def end(
    deps: Deps, hold: Hold, operation: Operation, state: str, event: Event, intent: Intent, code: str
) -> bool:
    """End a hold and its request with one row; False when somebody was first."""
    now = deps.clock.now()
    row = Scribe(deps.secrets).about(
        event,
        operation,
        intent,
        now,
        code=code,
        approval_id=hold.id,
        digest=hold.digest,
        policy_version=hold.policy_version,
    )
    won = await deps.store.end_hold(hold.id, state, intent.actor.user_id, (row,), now)
    if won:
        await deps.store.finish(hold.request_id, (), stamp(now))
    return won
