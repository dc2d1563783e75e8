"""Refresh: read the thing of a card again and update that card in place."""

from __future__ import annotations

from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact
from bot.core.records import stamp
from bot.features.replies.answer import say
from bot.operations import cards
from bot.operations.audit_writer import Scribe
from bot.operations.authorize import Ruling, authorize
from bot.operations.backend_call import EVENTS, call
from bot.operations.next_steps import buttons_for
from bot.operations.resolve import Resolved
from bot.runtime.context import Deps


async def refresh(deps: Deps, intent: Intent, request_id: str) -> None:
    """The presser needs the right to read the status of the thing; the card stays the asker's."""
    inbox = await deps.store.request(request_id)
    target = await deps.store.run_of(request_id)
    if inbox is None or target is None:
        await say(deps, intent, "That request is no longer known; type `status` with its target.")
        return
    row = deps.catalog.row(target.backend, "status", target.kind)
    if row is None:
        await say(deps, intent, "This control plane has no status for that.")
        return
    look = Operation.of(row, request_id=intent.request_id, target=target, given={}, reason=None)
    ruling = await authorize(deps, intent, look, row)
    if not ruling.allowed:
        await say(deps, intent, f"You may not look at this here: {ruling.decision.reason}.")
        return
    await _update(deps, intent, Resolved(look, row), inbox.intent, inbox.operation, ruling)


async def _update(
    deps: Deps, intent: Intent, look: Resolved, original: Intent, operation: Operation | None, ruling: Ruling
) -> None:
    result = await call(deps, intent, look.operation, deps.backends[look.operation.target.backend])
    now = deps.clock.now()
    event = EVENTS[result.kind]
    row = Scribe(deps.secrets).about(
        event,
        look.operation,
        intent,
        now,
        detail=result.summary,
        code=None if isinstance(result, Done) else result.code,
        rule=ruling.decision.rule,
        policy_version=ruling.policy.version,
    )
    await deps.store.finish(intent.request_id, (row,), stamp(now))
    if not isinstance(result, Done):
        await deps.presenter.show(cards.private(intent, f"Not refreshed: {result.summary}"), intent.reply)
        return
    shown = operation or look.operation.model_copy(update={"request_id": original.request_id})
    buttons = await buttons_for(deps, original, shown, result.next, about=look.operation.target, refresh=True)
    fresh = result.model_copy(update={"facts": (*result.facts, Fact(label="Refreshed", value=now))})
    await deps.presenter.show(cards.outcome(shown, original, fresh, buttons, now))
