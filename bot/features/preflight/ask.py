"""Before something dangerous or late: what will happen, what runs now, how it ended last. For the requester alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Button, Card, Line, Tone
from bot.core.command.capability import Risk
from bot.core.command.params import ago_text
from bot.core.effects import Ruling
from bot.core.intent import LATE, Intent, Source
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.records import PendingDecision, stamp
from bot.core.text import sentences
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.resolve import Resolved
from bot.operations.target_facts import what_is
from bot.runtime.context import Context

LIVES: Final = timedelta(minutes=10)


async def ask(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Store the pending decision and show it to the requester with `Run it` and `Cancel`.

    A terminal has no buttons: its request ends here, and `--yes` answers in advance.
    """
    now = ctx.clock.now()
    operation = resolved.operation
    if intent.source is Source.TERMINAL:
        entry = AuditWriter(ctx.secrets).about(
            Event.ABANDONED, operation, intent, now, code="not_confirmed", policy_version=ruling.policy.version
        )
        await ctx.store.finish(intent.request_id, (entry,), stamp(now))
        await ctx.presenter.show(
            await _card(ctx, intent, resolved, ruling, "Not run. Pass `--yes` to run it."), intent.reply
        )
        return
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
    late = f"You asked for this {ago_text(intent.age(now))} ago" if intent.age(now) > LATE else ""
    danger = "Dangerous: look, then decide" if operation.risk is Risk.DANGER else "Run it only if you still want it"
    card = await _card(ctx, intent, resolved, ruling, sentences(late, danger) if late else danger)
    footer = (*card.footer, "good for 10 minutes")
    card = card.model_copy(update={"key": f"hold:{pending.id}", "buttons": buttons, "footer": footer})
    await ctx.presenter.show(card, intent.reply)


async def _card(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling, status: str) -> Card:
    operation = resolved.operation
    facts = await what_is(ctx, operation)
    lines = [Line(heading="What will happen", text=resolved.row.effect or resolved.row.help)]
    if operation.reason:
        lines.append(Line(heading="Reason", text=operation.reason))
    if ruling.needs_approval:
        lines.append(Line(text="`Run it` asks the approvers; nothing is sent before they agree."))
    return cards.private(
        intent,
        operation.title,
        tone=Tone.ASK,
        status=status,
        lines=tuple(lines),
        facts=(*_exact(operation), *cards.given_facts(operation), *facts),
        footer=(f"request {intent.request_id}", f"digest {ruling.digest[:12]}"),
        at=ctx.clock.now(),
    )


def _exact(operation: Operation) -> tuple[Fact, ...]:
    """The whole id of what a title names in part."""
    target = operation.target
    return (Fact(label="Exact id", value=target.id),) if target.parent is not None else ()
