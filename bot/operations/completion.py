"""An operation on its way to a stated outcome: its rows, and everything that its end brings about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.core.audit import AuditEntry, Event
from bot.core.card import Delivery
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Refused
from bot.core.records import Watch, stamp
from bot.features.forms.parameter_form import fill_buttons
from bot.features.pauses.pause import Settled, settle, show_over
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import Ruling
from bot.operations.backend_call import EVENTS, AnyOutcome
from bot.operations.next_steps import buttons_for
from bot.runtime.context import Context


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whose operation it is and by what it is allowed. `began` is monotonic seconds, None when it began before a restart;
    `sent_at` is when its call was made, and from when its `for=` counts."""

    intent: Intent
    operation: Operation
    rule: str = ""
    policy_version: str | None = None
    digest: str | None = None
    approval_id: str | None = None
    began: float | None = None
    sent_at: datetime | None = None

    @classmethod
    def under(
        cls, ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, approval_id: str | None = None
    ) -> Self:
        """One that begins now, by this ruling."""
        return cls(
            intent,
            operation,
            rule=ruling.decision.rule,
            policy_version=ruling.policy.version,
            digest=ruling.digest,
            approval_id=approval_id,
            began=ctx.clock.monotonic(),
        )

    def row(
        self,
        ctx: Context,
        event: Event,
        detail: str,
        *,
        code: str | None = None,
        backend_ref: str | None = None,
        duration_ms: int | None = None,
    ) -> AuditEntry:
        """A row of the audit log about it."""
        return AuditWriter(ctx.secrets).about(
            event,
            self.operation,
            self.intent,
            ctx.clock.now(),
            detail=detail,
            code=code,
            backend_ref=backend_ref,
            duration_ms=duration_ms,
            rule=self.rule or None,
            policy_version=self.policy_version,
            digest=self.digest,
            approval_id=self.approval_id,
        )

    def outcome_row(self, ctx: Context, result: AnyOutcome, event: Event | None = None) -> AuditEntry:
        """The row of an outcome; `event` where it is not the usual one."""
        took = None if self.began is None else round((ctx.clock.monotonic() - self.began) * 1000)
        event = event or EVENTS[result.kind]
        if isinstance(result, Done):
            code = "done" if event is Event.RECONCILED else None
            return self.row(ctx, event, result.summary, code=code, backend_ref=result.backend_ref, duration_ms=took)
        return self.row(ctx, event, result.summary, code=result.code, duration_ms=took)


async def finish(ctx: Context, attempt: Attempt, result: AnyOutcome, event: Event) -> None:
    """Write the outcome, start the watch and the pause, then show the card and hand over the files."""
    intent, operation, now = attempt.intent, attempt.operation, ctx.clock.now()
    settled = await settle(ctx, intent, operation, result, now, sent_at=attempt.sent_at)
    watch = watch_of(ctx, intent, operation, result)
    await ctx.store.finish(
        operation.request_id,
        (attempt.outcome_row(ctx, result, event), *settled.rows),
        stamp(now),
        watch=watch,
        pauses=settled.opened,
        over=settled.over,
        over_state=settled.state,
        run=_run(result, operation),
    )
    if watch is not None or settled.rows:
        ctx.stale_homes.stale(intent.actor.user_id, *(pause.user_id for pause in settled.over))
    await _show(ctx, attempt, result, settled)
    await show_over(ctx, intent, operation, settled)


def _run(result: AnyOutcome, operation: Operation) -> Target | None:
    """What a verb said in the card's thread means."""
    if not isinstance(result, Done):
        return None
    return result.run or operation.target


def watch_of(ctx: Context, intent: Intent, operation: Operation, result: AnyOutcome) -> Watch | None:
    """The row that follows what was started, None when there is nothing to follow."""
    if not isinstance(result, Done) or result.run is None or not operation.starts_run:
        return None
    now = stamp(ctx.clock.now())
    return Watch(
        id=ctx.ids.secret(),
        request_id=operation.request_id,
        backend=result.run.backend,
        group_key=result.run.group or result.run.id,
        target=result.run,
        message_key=cards.key_of(operation.request_id),
        channel_id=intent.place.channel_id,
        user_id=intent.actor.user_id,
        view=result.view,
        due_at=now,
        made_at=now,
    )


async def _show(ctx: Context, attempt: Attempt, result: AnyOutcome, settled: Settled) -> None:
    intent, operation = attempt.intent, attempt.operation
    about = result.run if isinstance(result, Done) and result.run is not None else operation.target
    buttons = await buttons_for(ctx, intent, operation, result.next, about=about, refresh=_refreshes(operation, result))
    if isinstance(result, Refused):
        buttons += await fill_buttons(ctx, intent, operation, result.code)
    card = cards.outcome(operation, intent, result, buttons, ctx.clock.now(), attempt.rule)
    await ctx.presenter.show(settled.on(card), intent.reply)
    if intent.reply.step_id is not None:
        await ctx.presenter.step(intent.reply.step_id, ok=isinstance(result, Done), text=result.summary)
    if isinstance(result, Done) and result.files:
        await deliver(ctx, intent, operation, result)


def _refreshes(operation: Operation, result: AnyOutcome) -> bool:
    return isinstance(result, Done) and (result.run is not None or operation.verb == "status")


async def deliver(ctx: Context, intent: Intent, operation: Operation, result: Done) -> None:
    """Put the files into the thread of the card."""
    masked = sum(file.redactions for file in result.files)
    comment = f"{masked} secret{'s' if masked != 1 else ''} masked." if masked else ""
    await ctx.presenter.deliver(
        Delivery(
            key=f"file:{operation.request_id}",
            place=cards.place_of(intent),
            under=cards.key_of(operation.request_id),
            files=result.files,
            comment=comment,
        )
    )
