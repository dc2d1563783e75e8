"""Before something dangerous: what will happen, what runs now, what came of it last. Only the asker sees it and may press."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.card import Button, Line, Tone
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.records import PendingDecision, stamp
from bot.operations import cards
from bot.operations.authorize import Ruling
from bot.operations.resolve import Resolved
from bot.operations.target_facts import what_is
from bot.runtime.context import Context

LIVES: Final = timedelta(minutes=10)


async def ask(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Hold the operation and show it to the asker with `Run it` and `Cancel`."""
    now = ctx.clock.now()
    operation = resolved.operation
    pending = PendingDecision(
        id=ctx.ids.secret(),
        kind="preflight",
        request_id=intent.request_id,
        operation=operation,
        digest=ruling.digest,
        policy_version=ruling.policy.version,
        intent=intent,
        due_at=stamp(now + LIVES),
        made_at=stamp(now),
    )
    await ctx.store.wait(intent.request_id, pending, (), stamp(now))
    facts = await what_is(ctx, operation)
    me = intent.actor.user_id
    buttons = (
        Button(
            label="Run it",
            action="run_it",
            id=ctx.ids.secret(),
            style="danger",
            means=cards.pending_means(pending.id, "run"),
            only_user=me,
        ),
        Button(
            label="Cancel",
            action="cancel",
            id=ctx.ids.secret(),
            means=cards.pending_means(pending.id, "cancel"),
            only_user=me,
        ),
    )
    lines = [Line(heading="What will happen", text=resolved.row.effect or resolved.row.help)]
    if operation.reason:
        lines.append(Line(heading="Reason", text=operation.reason))
    if ruling.needs_approval:
        lines.append(Line(text="`Run it` asks the approvers; nothing is sent before they agree."))
    card = cards.private(
        intent,
        cards.title_of(operation),
        key=f"hold:{pending.id}",
        tone=Tone.ASK,
        status="Dangerous: look, then decide",
        lines=tuple(lines),
        facts=(*_exact(operation), *cards.given_facts(operation), *facts),
        buttons=buttons,
        footer=(f"request {intent.request_id}", f"digest {ruling.digest[:12]}", "good for 10 minutes"),
        at=now,
    )
    await ctx.presenter.show(card, intent.reply)


def _exact(operation: Operation) -> tuple[Fact, ...]:
    """The whole id of what a title names in part."""
    target = operation.target
    return (Fact(label="Exact id", value=target.id),) if target.parent is not None else ()
