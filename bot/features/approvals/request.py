"""Asking: an approval is opened only when enough people can decide it; and opened anew when what it was about changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bot.core.approval import due_at, reminder_at, unshowable
from bot.core.audit import AuditEntry, Event
from bot.core.card import Line, Tone
from bot.core.effects import Ruling
from bot.core.errors import Problem
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.policy.decide import NeedsApproval, Policy, why_not_breakglass
from bot.core.records import PendingDecision, stamp
from bot.features.approvals import cards as shown
from bot.features.approvals.approvers import everybody
from bot.features.approvals.record import KIND, ApprovalRecord, Sort, next_id, pending_id, record_of
from bot.features.approvals.snapshot import TargetSnapshot, sight
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, FRESH
from bot.operations.resolve import Resolved
from bot.operations.target_facts import what_is
from bot.runtime.context import Context

CHOICES = ("approve", "deny", "claim", "cancel")
NO_PERSON = (
    "A workflow or a bot asks for it, and Slack does not prove who started that, so nobody could tell whether they "
    "approve their own request. A person has to type the command."
)

NOBODY_LOOKS = (
    "They would be asked in this direct message, where nobody but you looks. Type the command in a channel, or let the "
    "rule say with `in` where its approvers are asked."
)


async def request(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Put what a rule demands an approval for to those who decide, or say at once that nobody can."""
    demand = ruling.decision
    if not isinstance(demand, NeedsApproval):
        raise TypeError("only what needs approval is put to approvers")
    await open_approval(ctx, intent, resolved, ruling, demand)


async def was_asked(ctx: Context, request_id: str) -> bool:
    """Whether this request was put to approvers."""
    return await ctx.store.open_pending(pending_id(request_id, 1)) is not None


async def open_approval(
    ctx: Context,
    intent: Intent,
    resolved: Resolved,
    ruling: Ruling,
    demand: NeedsApproval,
    *,
    sort: Sort = "run",
    lasts: int = 0,
) -> bool:
    """Open the hold and show both cards; False when it was refused. A request that was asked already is not asked twice."""
    operation = resolved.operation
    if await was_asked(ctx, intent.request_id):
        return True
    who, gap = await everybody(ctx, ruling.policy, demand, intent.actor.user_id, max_age=CACHED)
    if ruling.subject.is_bot or ruling.subject.is_workflow_bot:
        gap = NO_PERSON
    if ruling.where.is_dm and demand.in_channel == intent.place.channel_id:
        gap = NOBODY_LOOKS
    hidden = unshowable(operation)
    if gap is not None or hidden is not None:
        code = "no_approvers" if gap is not None else "not_showable"
        words = gap or f"It cannot be put to anybody, because {hidden}."
        await _refuse(ctx, intent, operation, ruling, demand, code, words)
        return False
    record = await _terms(ctx, resolved, demand, who.user_ids, sort=sort, lasts=lasts)
    now = ctx.clock.now()
    due = due_at(now, demand.expires)
    pending = _pending(intent, operation, ruling, record, now, due)
    row = _row(ctx, pending, operation, now, detail=_asked_words(demand, who.user_ids, due))
    await ctx.store.wait(intent.request_id, pending, (row,), stamp(now))
    await shown.show(ctx, pending)
    await shown.show_requester(ctx, pending)
    return True


def _asked_words(demand: NeedsApproval, people: Sequence[str], due: datetime) -> str:
    return (
        f"needs {demand.count} of {', '.join(demand.from_groups)}, asked in {demand.in_channel} until {stamp(due)}; "
        f"may decide: {', '.join(people)}"
    )


async def _terms(
    ctx: Context, resolved: Resolved, demand: NeedsApproval, people: Sequence[str], *, sort: Sort, lasts: int
) -> ApprovalRecord:
    facts, (target, state) = await asyncio.gather(what_is(ctx, resolved.operation), sight(ctx, resolved.operation))
    return ApprovalRecord(
        sort=sort,
        lasts=lasts,
        rule=demand.rule,
        why=demand.reason,
        count=demand.count,
        groups=demand.from_groups,
        expires=demand.expires,
        channel=demand.in_channel,
        state=state,
        target_id=target.id if target is not None else "",
        eligible=tuple(people),
        effect=resolved.row.effect or resolved.row.help,
        shown=facts,
        buttons=_ids(ctx),
    )


def _ids(ctx: Context) -> dict[str, str]:
    return {choice: ctx.ids.secret() for choice in CHOICES}


def _pending(
    intent: Intent, operation: Operation, ruling: Ruling, record: ApprovalRecord, now: datetime, due: datetime
) -> PendingDecision:
    return PendingDecision(
        id=pending_id(intent.request_id, record.round),
        kind=KIND,
        request_id=intent.request_id,
        operation=operation,
        digest=ruling.digest,
        policy_version=ruling.policy.version,
        intent=intent,
        facts=record.model_dump(mode="json"),
        due_at=stamp(due),
        remind_at=stamp(reminder_at(now, due)),
        made_at=stamp(now),
    )


def _row(
    ctx: Context, pending: PendingDecision, operation: Operation, now: datetime, **columns: str | None
) -> AuditEntry:
    return AuditWriter(ctx.secrets).about(
        Event.APPROVAL_REQUESTED,
        operation,
        pending.intent,
        now,
        rule=record_of(pending).rule,
        policy_version=pending.policy_version,
        digest=pending.digest,
        approval_id=pending.id,
        **columns,
    )


async def ask_again(
    ctx: Context, pending: PendingDecision, now_is: TargetSnapshot, reasons: Sequence[str]
) -> str | None:
    """Replace the approval by a new one that shows how things stand now. None when done, else why nobody can decide it.

    The new one has a known id, so that two who notice at once make one; votes on what no longer is do not count for it.
    The end of the time stays what it was.
    """
    operation, policy = now_is.operation, now_is.ruling.policy
    who, gap = await everybody(ctx, policy, now_is.demand, pending.intent.actor.user_id, max_age=FRESH)
    row = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if gap is not None or row is None:
        return gap or "the control plane no longer offers it"
    old = record_of(pending)
    record = await _terms(ctx, Resolved(operation, row), now_is.demand, who.user_ids, sort=old.sort, lasts=old.lasts)
    note = "; ".join(reasons)
    record = record.model_copy(update={"round": old.round + 1, "note": note[:1].upper() + note[1:]})
    now = ctx.clock.now()
    changed = {
        "id": next_id(pending),
        "state": "open",
        "operation": operation,
        "digest": operation.digest(pending.intent.actor, pending.intent.place, policy.version),
        "policy_version": policy.version,
        "facts": record.model_dump(mode="json"),
        "remind_at": pending.remind_at if pending.remind_at and pending.remind_at > stamp(now) else None,
        "decided_by": None,
        "decided_at": None,
        "made_at": stamp(now),
    }
    again = pending.model_copy(update=changed)
    asked = _row(ctx, again, operation, now, code="asked_again", detail=note)
    try:
        await ctx.store.wait(pending.request_id, again, (asked,), stamp(now))
    except Problem:
        if await ctx.store.open_pending(again.id) is None:
            raise
    await hand_over(ctx, pending)
    return None


async def hand_over(ctx: Context, pending: PendingDecision) -> bool:
    """End an approval that was asked again and show the newer one; False when there is no newer one."""
    newer = await ctx.store.open_pending(next_id(pending))
    if newer is None:
        return False
    await ctx.store.end_pending(pending.id, "cancelled", None, (), ctx.clock.now())
    await shown.show(ctx, newer)
    if newer.state == "open":
        await shown.show_requester(ctx, newer)
        await shown.call_back(ctx, pending, newer)
    return True


async def _refuse(
    ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, demand: NeedsApproval, code: str, words: str
) -> None:
    """Nobody could decide it: said now, not when it expires."""
    now = ctx.clock.now()
    row = AuditWriter(ctx.secrets).about(
        Event.DENIED,
        operation,
        intent,
        now,
        rule=demand.rule,
        policy_version=ruling.policy.version,
        digest=ruling.digest,
        code=code,
        detail=words,
    )
    await ctx.store.finish(intent.request_id, (row,), stamp(now))
    lines = [Line(text=words)]
    if _may_break_glass(ctx, ruling.policy, ruling):
        lines.append(
            Line(text=f"In an emergency: `{ctx.command} breakglass for=30m -- why`. It is reviewed afterwards.")
        )
    card = cards.private(
        intent,
        f"Denied: {cards.title_of(operation)}",
        tone=Tone.BAD,
        status="Nobody could approve it now, so it was not asked for",
        lines=tuple(lines),
        footer=(f"rule {demand.rule}", f"request {intent.request_id}", f"code {code}"),
    )
    await ctx.presenter.show(card, intent.reply)


def _may_break_glass(ctx: Context, policy: Policy, ruling: Ruling) -> bool:
    return why_not_breakglass(policy, ruling.subject, ctx.home_team) is None
