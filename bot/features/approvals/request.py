"""Asks approvers if enough people can decide, and asks again when something on the card has changed."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from bot.all_of import both
from bot.core.approval import (
    KIND,
    Approval,
    ApprovalRecord,
    Sort,
    approval_id,
    due_at,
    is_expired,
    reminder_at,
    unshowable,
)
from bot.core.audit import Event
from bot.core.card import Line, Tone, approval_key
from bot.core.command.capability import Risk
from bot.core.effects import Ruling
from bot.core.errors import Problem
from bot.core.intent import Command, Intent
from bot.core.operation import Operation
from bot.core.outcome import Fact, facts_of
from bot.core.policy.decide import NeedsApproval, why_not_breakglass
from bot.core.records import PendingDecision, stamp
from bot.core.text import capitalized
from bot.features.approvals import cards as approval_cards
from bot.features.approvals import question
from bot.features.approvals.snapshot import TargetSnapshot
from bot.features.replies.answer import reply, say
from bot.features.replies.refusal import denial_entry
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, FRESH, everybody
from bot.operations.cards import rules_named, written
from bot.operations.resolve import Resolved
from bot.operations.target_facts import find_now, what_is
from bot.runtime.context import Context
from bot.runtime.until_stored import IN_DOUBT, until_stored

CHOICES = ("approve", "deny", "claim", "release", "allow", "cancel")
NOT_OFFERED = "the backend no longer supports it"
NO_PERSON = (
    "A workflow or a bot asks for this, and Slack does not show who started it, so nobody can rule out that they "
    "approve their own request. A person has to type the command."
)

NOBODY_LOOKS = (
    "Approvers can't see this direct message. Type the command in a channel, or set `in` in "
    "the rule to the channel where its approvers decide."
)


class Terms(NamedTuple):
    """What is asked: to run what the rule of `demand` allows with an approval, to run it once, or a grant for `lasts` seconds."""

    demand: NeedsApproval
    sort: Sort = "run"
    lasts: int = 0


async def request(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Ask the approvers that the rule requires, or refuse at once when nobody can decide."""
    demand = ruling.decision
    if not isinstance(demand, NeedsApproval):
        raise TypeError("only what needs approval is put to approvers")
    await open_approval(ctx, intent, resolved, ruling, Terms(demand))


async def was_asked(ctx: Context, request_id: str) -> bool:
    """Whether this request was put to approvers."""
    return await ctx.store.open_pending(approval_id(request_id, 1)) is not None


async def open_approval(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling, terms: Terms) -> None:
    """Store the pending decision and show both cards, or refuse. The same request is never asked twice, and one that waits for
    the same already is joined."""
    if not await was_asked(ctx, intent.request_id):
        while not await _ask(ctx, intent, resolved, ruling, terms):
            pass


def same_wish(other: Approval, intent: Intent, operation: Operation) -> bool:
    """Whether the approval is about the same verb, target, parameters and files, in the same channel."""
    here = other.pending.intent.place.channel_id == intent.place.channel_id
    return here and _what(other.operation) == _what(operation)


def _what(one: Operation) -> tuple[object, ...]:
    return one.verb, one.target.backend, one.target.kind, one.target.id, one.params, one.files


async def led_to_card(ctx: Context, intent: Intent, typed: Operation | Command) -> bool:
    """Whether the same command waits for this person's decision: they are led to its card."""
    other = theirs_to_decide(ctx, intent, typed, await ctx.store.pending_decisions(state="open"))
    return other is not None and await _joined(ctx, intent, other, None)


def theirs_to_decide(
    ctx: Context, intent: Intent, typed: Operation | Command, open_ones: Sequence[PendingDecision]
) -> Approval | None:
    """The same command among those that wait for this person's decision, wherever it was asked for. `typed` is a Command where
    its target may not be looked up."""

    def is_same(one: Operation) -> bool:
        if isinstance(typed, Operation):
            return _what(one) == _what(typed)
        words = one.verb, {*one.words}
        return (typed.verb, {*typed.params}) == words and typed.target in (written(one.target), one.target.text)

    now, user = ctx.clock.now(), intent.actor.user_id
    found = [Approval.of(pending) for pending in open_ones]
    mine = [one for one in found if one is not None and user in one.record.eligible and not is_expired(one.due, now)]
    return next((one for one in mine if is_same(one.operation)), None)


def who_asked(other: Approval, intent: Intent) -> tuple[str, tuple[str, ...]]:
    """Who asked for it already, in which other channel, and the ids that this names."""
    channel, asked = other.pending.intent.place.channel_id, other.requester
    if channel in (intent.place.channel_id, "") or channel[0] == "D":
        return f"<@{asked}> already asked for this", (asked,)
    return f"<@{asked}> already asked for this in <#{channel}>", (asked, channel)


def _is_same(pending: PendingDecision, intent: Intent, operation: Operation, terms: Terms, now: datetime) -> bool:
    """Whether another request for the same thing waits under the same terms."""
    other = Approval.of(pending)
    if other is None or not same_wish(other, intent, operation) or is_expired(other.due, now):
        return False
    return Terms(other.record.demand, other.record.sort, other.record.lasts) == terms


async def _joined(ctx: Context, intent: Intent, other: Approval, reason: str | None) -> bool:
    """Tell the person that it waits already; add them unless they are the requester or may decide it. False when it was
    decided meanwhile."""
    now, user, asked = ctx.clock.now(), intent.actor.user_id, other.requester
    mine, decides = user == asked, user in other.record.eligible
    if not (mine or decides):
        await ctx.store.set_value(other.joined_key(user), {"request": intent.request_id, "reason": reason}, now)
        found = await ctx.store.open_pending(other.id)
        if found is None or found.state != "open":
            return False
        await approval_cards.show(ctx, other)
    already, named = who_asked(other, intent)
    code = "already_waiting" if mine or decides else "joined"
    entry = AuditWriter(ctx.secrets).plain(
        Event.ABANDONED,
        intent,
        now,
        verb=other.operation.verb,
        target_name=other.operation.target.text,
        approval_id=other.id,
        code=code,
        detail=f"<@{asked}> already asked for the same, in {other.pending.request_id}",
    )
    text = (
        "You already asked for this; it is still waiting for approval."
        if mine
        else f"{already}, and you can decide it."
        if decides
        else f"{already}. I added you to the request, and I'll tell you how it ends."
    )
    await say(
        ctx,
        intent,
        text,
        *named,
        entries=(entry,),
        tone=Tone.PLAIN,
        rows=(Fact(label="Expires", value=other.due),),
        link=await approval_cards.link_to(ctx, approval_key(other.pending.request_id), "Open the request"),
    )
    return True


async def _ask(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling, terms: Terms) -> bool:
    """False when another request for the same thing came or went meanwhile: look again."""
    operation, demand = resolved.operation, terms.demand
    who, gap = await everybody(ctx, ruling.policy, demand, intent.actor.user_id, max_age=CACHED)
    if ruling.subject.is_bot or ruling.subject.is_workflow_bot:
        gap = NO_PERSON
    if ruling.where.is_dm and demand.in_channel == intent.place.channel_id:
        gap = NOBODY_LOOKS
    unseen = unshowable(operation)
    now = ctx.clock.now()
    is_same = partial(_is_same, intent=intent, operation=operation, terms=terms, now=now)
    other = Approval.of(next(filter(is_same, await ctx.store.pending_decisions(state="open")), None))
    decides = other is not None and intent.actor.user_id in other.record.eligible
    if (gap is not None or unseen is not None) and not decides:
        code = "no_approvers" if gap is not None else "not_showable"
        await _refuse(ctx, intent, operation, ruling, demand, code, gap or f"Nobody can approve it, because {unseen}.")
        return True
    if other is not None:
        return await _joined(ctx, intent, other, operation.reason)
    record = await _record(ctx, resolved, ruling, terms, who.user_ids)
    due = due_at(now, demand.expires)
    pending = PendingDecision(
        id=approval_id(intent.request_id, record.round),
        kind=KIND,
        request_id=intent.request_id,
        operation=operation,
        digest=ruling.digest,
        policy_version=ruling.policy.version,
        intent=intent,
        record=record.model_dump(mode="json"),
        due_at=stamp(due),
        remind_at=stamp(reminder_at(now, due)),
        made_at=stamp(now),
    )
    detail = (
        f"needs {demand.count} of {', '.join(demand.from_groups)}, asked in {demand.in_channel} until {stamp(due)}; "
        f"may decide: {', '.join(who.user_ids)}"
    )
    entry = AuditWriter(ctx.secrets).pending(Event.APPROVAL_REQUESTED, pending, now, detail=detail)
    try:
        if await ctx.store.wait(intent.request_id, pending, (entry,), now, unless=is_same) is not None:
            return False
    except Problem as problem:
        look = partial(ctx.store.open_pending, pending.id)
        if problem.code != IN_DOUBT or not await until_stored(ctx.clock, f"request {intent.request_id}", look):
            raise
    approval = Approval(pending, operation, record)
    await approval_cards.show(ctx, approval)
    await approval_cards.show_requester(ctx, approval)
    return True


def grantable(operation: Operation) -> bool:
    """Whether a grant can be limited to this target alone: its path is known and not a pattern."""
    return operation.target.scope is not None and "*" not in operation.target.scope


def _may_allow(operation: Operation, ruling: Ruling, demand: NeedsApproval) -> bool:
    """Whether an approver may allow the same for an hour: one approval is enough, the rule has no limits on parameters, and it
    isn't dangerous."""
    channel = ruling.policy.channels.get(ruling.where.channel_id)
    rules = [rule for rule in channel.allows if rule.label == demand.rule] if channel is not None else []
    limited = any(rule.params for rule in rules)
    return (
        demand.count == 1 and bool(rules) and not limited and operation.risk is not Risk.DANGER and grantable(operation)
    )


async def _record(
    ctx: Context, resolved: Resolved, ruling: Ruling, terms: Terms, people: Sequence[str]
) -> ApprovalRecord:
    demand = terms.demand
    (facts, binding), (target, state) = await both(what_is(ctx, resolved.operation), find_now(ctx, resolved.operation))
    return ApprovalRecord(
        sort=terms.sort,
        lasts=terms.lasts,
        rule=demand.rule,
        why=demand.reason,
        count=demand.count,
        groups=demand.from_groups,
        expires=demand.expires,
        channel=demand.in_channel,
        state=state,
        target_id=target.id if target is not None else "",
        eligible=tuple(people),
        effect=resolved.capability.effect or resolved.capability.help,
        shown=facts,
        binding={**binding},
        allows=terms.sort == "run" and _may_allow(resolved.operation, ruling, demand),
        buttons={choice: ctx.ids.secret() for choice in CHOICES},
    )


async def ask_again(ctx: Context, approval: Approval, current: TargetSnapshot, reasons: Sequence[str]) -> str | None:
    """Replace the approval by a new one that shows the current state. None when done, otherwise why nobody can decide it: also
    what was decided while the current state was read.

    The new one has a known id, so that two who notice at once make one; votes on the old one do not count for it.
    The time at which it expires stays the same.
    """
    pending, old = approval.pending, approval.record
    operation, policy = current.operation, current.ruling.policy
    who, gap = await everybody(ctx, policy, current.demand, approval.requester, max_age=FRESH)
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    if gap is not None or capability is None:
        return gap or NOT_OFFERED
    resolved = Resolved(operation, capability)
    terms = Terms(current.demand, old.sort, old.lasts)
    record = await _record(ctx, resolved, current.ruling, terms, who.user_ids)
    note = "; ".join(reasons)
    record = record.model_copy(update={"round": old.round + 1, "note": capitalized(note)})
    now = ctx.clock.now()
    changed = {
        "id": approval.next_id,
        "state": "open",
        "operation": operation,
        "digest": operation.digest(pending.intent.actor, pending.intent.place, policy.version),
        "policy_version": policy.version,
        "record": record.model_dump(mode="json"),
        "remind_at": pending.remind_at if pending.remind_at and pending.remind_at > stamp(now) else None,
        "decided_by": None,
        "decided_at": None,
        "made_at": stamp(now),
    }
    again = pending.model_copy(update=changed)
    entry = AuditWriter(ctx.secrets).pending(Event.APPROVAL_REQUESTED, again, now, code="asked_again", detail=note)
    try:
        if await ctx.store.wait(pending.request_id, again, (entry,), now, replaces=pending) is not None:
            newest = await ctx.store.open_pending(approval.id)
            return question.head(newest or pending)
    except Problem:
        if await ctx.store.open_pending(again.id) is None:
            raise
    await hand_over(ctx, approval)
    return None


async def hand_over(ctx: Context, approval: Approval) -> bool:
    """End an approval that a newer one replaces, and show the newer one. False when there is none."""
    newer = Approval.of(await ctx.store.open_pending(approval.next_id))
    if newer is None:
        return False
    await ctx.store.end_pending(approval.id, "cancelled", None, (), ctx.clock.now())
    await approval_cards.show(ctx, newer)
    if newer.pending.state == "open":
        await approval_cards.show_requester(ctx, newer)
        await approval_cards.call_back(ctx, approval, newer)
    return True


async def _refuse(
    ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, demand: NeedsApproval, code: str, words: str
) -> None:
    """Deny a request that nobody can approve at once, instead of letting it expire."""
    entry = denial_entry(ctx, intent, operation, ruling, rule=demand.rule, code=code, detail=words)
    await ctx.store.finish(intent.request_id, (entry,), ctx.clock.now())
    lines = [Line(text=words)]
    if why_not_breakglass(ruling.policy, ruling.subject, ctx.home_team) is None:
        text = f"In an emergency: `{ctx.command} breakglass for=30m -- why`. It is reviewed afterwards."
        lines.append(Line(text=text))
    await reply(
        ctx,
        intent,
        f"Denied: {operation.title}",
        tone=Tone.BAD,
        status="Nobody can approve it now, so no one was asked",
        lines=tuple(lines),
        details=facts_of((("Rule", rules_named(demand.rule)), ("Request", intent.request_id), ("Code", code))),
        mention=(intent.place.channel_id,),
    )
