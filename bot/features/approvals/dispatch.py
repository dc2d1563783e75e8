"""From approved to done: everything is read once more, compared with what was approved, and used once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.core.approval import Step, is_expired, may_dispatch
from bot.core.audit import AuditEntry, Event
from bot.core.card import Tone
from bot.core.command.until import ends_at
from bot.core.effects import Attempt, Ruling
from bot.core.errors import Problem
from bot.core.operation import Operation
from bot.core.policy.decide import Allowed, GrantView, decide
from bot.core.records import Grant, PendingDecision, grant_id, stamp
from bot.core.text import plural
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.approvers import of_these
from bot.features.approvals.record import ApprovalRecord, before, record_of, view_of
from bot.features.approvals.request import ask_again, hand_over
from bot.features.approvals.snapshot import TargetSnapshot, look, unfit
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH
from bot.operations.execute import execute, target_lock
from bot.runtime.context import Context

RENEWED: Final = "The card shows how things stand now; look, then press again."


async def dispatch(ctx: Context, pending_id: str) -> str | None:
    """Use an approved hold, if everything is still so; else the reason, for who gave the last vote.

    Safe to call again: it is used once.
    """
    waiting = await ctx.store.open_pending(pending_id)
    if waiting is None or waiting.operation is None:
        return None
    async with target_lock(
        ctx, waiting.operation
    ):  # before the last look, so that nothing lies between it and the call
        return await _dispatch(ctx, pending_id)


async def _dispatch(ctx: Context, pending_id: str) -> str | None:
    pending = await ctx.store.open_pending(pending_id)
    if pending is None or pending.state != "approved" or pending.operation is None or await _granted(ctx, pending):
        return None
    if await hand_over(ctx, pending):
        return RENEWED
    operation = pending.operation
    row = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        return await _void(ctx, pending, "the control plane no longer offers it")
    now_is = await look(ctx, pending, operation, row)
    if now_is.ended is not None:
        return await _void(ctx, pending, now_is.ended)
    try:
        if row.pausable:
            ends_at(operation, ctx.clock.now(), ctx.zone)
    except Problem as trouble:
        return await _void(ctx, pending, trouble.summary)
    misfit = await unfit(ctx, now_is.operation)
    if misfit is not None:
        return await _void(ctx, pending, misfit)
    step, why, people = await _step(ctx, pending, now_is)
    if step is Step.EXPIRE:
        await expiry.expire(ctx, pending)
        return "its time was over."
    if step is Step.DRIFT:
        gap = await ask_again(ctx, pending, now_is, (why,))
        return await _void(ctx, pending, gap) if gap is not None else f"{why}. {RENEWED}"
    return await _use(ctx, pending, operation, now_is, people)


async def _void(ctx: Context, pending: PendingDecision, why: str) -> str:
    await expiry.void(ctx, pending, why)
    return f"{why.rstrip('.')}."


async def _step(ctx: Context, pending: PendingDecision, now_is: TargetSnapshot) -> tuple[Step, str, tuple[str, ...]]:
    """The pure rule, with those who agreed read from Slack now; and who of them still counts."""
    votes = await ctx.store.votes(pending.id)
    who = await of_these(
        ctx,
        now_is.ruling.policy,
        now_is.demand.from_groups,
        pending.intent.actor.user_id,
        [vote.user_id for vote in votes],
        max_age=FRESH,
    )
    step, why = may_dispatch(
        view_of(pending, votes),
        who=who,
        now=ctx.clock.now(),
        aliases=now_is.ruling.policy.accounts,
        before=before(pending),
        after=now_is.after,
    )
    return step, why, tuple(vote.user_id for vote in votes if vote.vote == "approve" and vote.user_id in who.user_ids)


async def _use(
    ctx: Context, pending: PendingDecision, operation: Operation, now_is: TargetSnapshot, people: tuple[str, ...]
) -> str | None:
    record = record_of(pending)
    operation = operation.model_copy(update={"approved_by": people})
    by = " and ".join(f"<@{user}>" for user in people)
    await shown.show(ctx, pending)
    if record.sort == "grant":
        await _grant(ctx, pending, record, operation, people)
        text = f"Approved by {by}: you may `{operation.verb}` it here for {plural(record.lasts // 60, 'minute')}."
        await shown.close_requester(
            ctx, pending, Tone.GOOD, f"Granted for {plural(record.lasts // 60, 'minute')}", text, *people
        )
        await shown.tell_requester(ctx, pending, "approved", text, *people, tone=Tone.GOOD)
        return None
    ruling = now_is.ruling
    if record.sort == "run":
        # The rule that demanded the approval is what allows it, even if the requester holds a grant by now.
        ruling = replace(ruling, decision=now_is.demand)
    if record.sort == "once":
        ruling = _once(ctx, pending, operation, ruling)
        if not isinstance(ruling.decision, Allowed):
            return await _void(ctx, pending, f"even with a grant the rules forbid it: {ruling.decision.reason}")
        await _grant(ctx, pending, record, operation, people)

    async def tell() -> None:
        text = f"Approved by {by}: it runs now, and the card shows it."
        await shown.tell_requester(ctx, pending, "approved", text, *people, tone=Tone.GOOD)

    attempt = Attempt(pending.intent, operation, ruling, approval_id=pending.id)
    result = await execute(ctx, attempt, pending_id=pending.id, claimed=tell)
    return None if result is not None else await _overtaken(ctx, pending.id)


async def _overtaken(ctx: Context, pending_id: str) -> str | None:
    """Somebody or the time was faster in the very last moment; None when it was used by another attempt."""
    pending = await ctx.store.open_pending(pending_id)
    if pending is None or pending.state == "taken":
        return None
    if pending.state == "approved" and is_expired(datetime.fromisoformat(pending.due_at), ctx.clock.now()):
        await expiry.expire(ctx, pending)
        return "its time was over."
    return f"{shown.head(pending)}."


def _once(ctx: Context, pending: PendingDecision, operation: Operation, ruling: Ruling) -> Ruling:
    """What the rules say with a grant for exactly this. It is never open in the store, so nothing else can run on it."""
    row = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        return ruling
    grant = GrantView(
        id=grant_id(pending.id),
        user_id=pending.intent.actor.user_id,
        verbs=(operation.verb,),
        targets=(target_pattern(operation),),
        until=datetime.fromisoformat(pending.due_at),
        channel_id=pending.intent.place.channel_id,
    )
    situation = replace(ruling.situation, grants=(grant,))
    return replace(ruling, decision=decide(ruling.policy, **situation.question(row, operation, ctx.clock.now())))


def target_pattern(operation: Operation) -> str:
    """The one target as a rule names it; where the path is unknown only the whole backend would cover it."""
    return operation.target.scope or f"{operation.target.backend}:*"


async def _granted(ctx: Context, pending: PendingDecision) -> bool:
    """A grant for some time was made of it: there is nothing left to do."""
    return record_of(pending).sort == "grant" and await ctx.store.grant_by_id(grant_id(pending.id)) is not None


async def _grant(
    ctx: Context, pending: PendingDecision, record: ApprovalRecord, operation: Operation, people: tuple[str, ...]
) -> None:
    """Keep the grant. One for a single use is kept as ended: it is used by this very operation."""
    if await ctx.store.grant_by_id(grant_id(pending.id)) is not None:
        return
    now = ctx.clock.now()
    once = record.sort == "once"
    until = now if once else now + timedelta(seconds=record.lasts)
    grant = Grant(
        id=grant_id(pending.id),
        user_id=pending.intent.actor.user_id,
        verbs=(operation.verb,),
        targets=(target_pattern(operation),),
        channel_id=pending.intent.place.channel_id,
        granted_by=", ".join(people),
        reason=operation.reason,
        from_at=stamp(now),
        until_at=stamp(until),
        state="expired" if once else "open",
        request_id=pending.request_id,
    )
    await ctx.store.add_grant(grant, (_row(ctx, pending, operation, grant, once=once),))
    if not once:
        await ctx.store.finish(pending.request_id, (), stamp(now))


def _row(ctx: Context, pending: PendingDecision, operation: Operation, grant: Grant, *, once: bool) -> AuditEntry:
    lasts = "for this one operation" if once else f"until {grant.until_at}"
    return AuditWriter(ctx.secrets).about(
        Event.GRANTED,
        operation,
        pending.intent,
        ctx.clock.now(),
        rule=f"grant {grant.id}",
        policy_version=pending.policy_version,
        digest=pending.digest,
        approval_id=pending.id,
        detail=f"to {grant.user_id} {lasts}, by {grant.granted_by}",
    )
