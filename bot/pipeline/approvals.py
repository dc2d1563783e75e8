"""Operations that others have to agree to."""

from __future__ import annotations

from bot.core.card import Line, Tone
from bot.core.intent import Intent
from bot.core.policy import NeedsApproval
from bot.core.register import Event
from bot.core.rows import stamp
from bot.pipeline import cards
from bot.pipeline.authorize import Ruling
from bot.pipeline.deps import Deps
from bot.pipeline.record import Scribe
from bot.pipeline.resolve import Resolved


async def request(deps: Deps, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Say that it needs approval; nothing is sent."""
    decision = ruling.decision
    if not isinstance(decision, NeedsApproval):
        raise TypeError("only what needs approval is put to approvers")
    now = deps.clock.now()
    row = Scribe(deps.secrets).about(
        Event.DENIED,
        resolved.operation,
        intent,
        now,
        rule=decision.rule,
        policy_version=ruling.policy.version,
        digest=ruling.digest,
        code="needs_approval",
        detail=f"needs {decision.count} of {', '.join(decision.from_groups)}",
    )
    await deps.store.finish(intent.request_id, (row,), stamp(now))
    who = ", ".join(f"`{name}`" for name in decision.from_groups)
    card = cards.private(
        intent,
        f"Needs approval: {cards.title_of(resolved.operation)}",
        tone=Tone.WARN,
        lines=(Line(text=f"The rule {decision.rule} asks for {decision.count} of {who}. Nothing was sent."),),
    )
    await deps.presenter.show(card, intent.reply)
