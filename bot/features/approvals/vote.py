"""Approve, Deny, Claim and Cancel: who presses is read anew, and the first change of state wins."""

from __future__ import annotations

from datetime import datetime

from bot.core.approval import (
    Choice,
    Eligible,
    VoteCounts,
    VoteRefused,
    drift,
    is_expired,
    judge_vote,
    person_of,
)
from bot.core.audit import AuditEntry, Event
from bot.core.card import FormField, FormView, Line, Tone
from bot.core.intent import Intent, Place
from bot.core.operation import Operation
from bot.core.records import CastVote, PendingDecision, VoteResult, stamp
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.approvers import of_these
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.record import before, claim_key, claimed_by, record_of, stale_votes, view_of
from bot.features.approvals.request import ask_again, hand_over
from bot.features.approvals.snapshot import look
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH
from bot.runtime.context import Context

DENY_FORM = "deny"
REASON = "reason"
LONGEST_REASON = 1_000


async def decide(ctx: Context, intent: Intent, pending: PendingDecision, choice: str) -> None:
    """A button of an approval was pressed, on either card."""
    if choice == "deny" and pending.state == "open" and pending.intent.actor.user_id != intent.actor.user_id:
        # Before anything slow: Slack opens a modal within three seconds of the press or not at all.
        await _open_deny(ctx, intent, pending)
        return
    if await closed(ctx, intent, pending):
        return
    if choice == "cancel":
        await _cancel(ctx, intent, pending)
    elif choice == "claim":
        await _claim(ctx, intent, pending)
    elif choice in ("approve", "deny"):
        await vote(ctx, intent, pending, Choice(choice))
    else:
        await answer(ctx, intent, "This button is of a version that is no longer understood.")


async def answer(ctx: Context, intent: Intent, text: str, *people: str, tone: Tone = Tone.WARN) -> None:
    """Tell the presser alone, and end their request."""
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    mention = tuple(dict.fromkeys((intent.actor.user_id, *people)))
    await ctx.presenter.show(cards.private(intent, text, tone=tone, mention=mention), intent.reply)


async def closed(ctx: Context, intent: Intent, pending: PendingDecision) -> bool:
    """Answer a press that comes too late: decided by somebody, over, or replaced by a newer question."""
    if await hand_over(ctx, pending):
        await answer(ctx, intent, "The card was renewed because something changed. Look at it again, then press.")
        return True
    if pending.state == "open" and is_expired(datetime.fromisoformat(pending.due_at), ctx.clock.now()):
        await expiry.expire(ctx, pending)
        await answer(ctx, intent, "Its time is over; nothing was done.")
        return True
    if pending.state != "open":
        await too_late(ctx, intent, pending)
        return True
    return False


async def too_late(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    """Who was first."""
    people = [pending.decided_by] if pending.decided_by else []
    at = datetime.fromisoformat(pending.decided_at or pending.due_at)
    await answer(ctx, intent, f"Too late. {shown.head(pending)} at {at:%Y-%m-%d %H:%M:%S} UTC.", *people)


async def _open_deny(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    operation = pending.operation
    token = ctx.ids.secret()
    place = intent.place.model_dump(mode="json")
    kept = {"user": intent.actor.user_id, "hold": pending.id, "place": place}
    await ctx.store.set_value(f"form:{token}", kept, stamp(ctx.clock.now()))
    field = FormField(name=REASON, label="Reason", type="lines", hint="The requester reads it.", optional=False)
    what = cards.title_of(operation) if operation is not None else pending.request_id
    form = FormView(
        form=DENY_FORM,
        token=token,
        title="Deny a request",
        submit="Deny",
        lines=(Line(text=what),),
        fields=(field,),
    )
    shown_in_time = intent.reply.trigger_id is not None and await ctx.presenter.open_form(intent.reply.trigger_id, form)
    if shown_in_time:
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    else:
        await answer(ctx, intent, "The form could not be opened in time. Press Deny again.")


async def denied(ctx: Context, intent: Intent, pending_id: str, place: Place, reason: str) -> None:
    """The form of a denial came back."""
    intent = intent.model_copy(update={"place": place})
    pending = await ctx.store.open_pending(pending_id)
    if pending is None:
        await answer(ctx, intent, "That request is no longer known.")
    elif not await closed(ctx, intent, pending):
        await vote(ctx, intent, pending, Choice.DENY, reason.strip())


async def _cancel(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    if intent.actor.user_id != pending.intent.actor.user_id:
        await answer(ctx, intent, "Only the person who asked may cancel it.")
    elif await expiry.withdraw(ctx, intent, pending):
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    else:
        await _lost(ctx, intent, pending)


async def _lost(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    """Somebody was faster between the look and the change."""
    fresh = await ctx.store.open_pending(pending.id)
    if fresh is not None and not await closed(ctx, intent, fresh):
        await answer(ctx, intent, "It changed in this moment. Look at the card again.")


async def _judged(
    ctx: Context, intent: Intent, pending: PendingDecision, choice: Choice, reason: str = ""
) -> tuple[VoteCounts | VoteRefused, Eligible, tuple[CastVote, ...]]:
    """What the rules of approvals say to this press, with the presser and those who voted read from Slack now."""
    votes = await ctx.store.votes(pending.id)
    policy = ctx.policy().policy
    users = (intent.actor.user_id, *(one.user_id for one in votes))
    who = await of_these(ctx, policy, record_of(pending).groups, pending.intent.actor.user_id, users, max_age=FRESH)
    view = view_of(pending, votes, await claimed_by(ctx, pending))
    found = judge_vote(
        view,
        choice,
        intent.actor.user_id,
        who=who,
        now=ctx.clock.now(),
        aliases=policy.accounts,
        reason=reason,
    )
    if intent.actor.team_id not in ("", ctx.home_team):
        found = VoteRefused("not_eligible", "You may not decide this: you are from another workspace.")
    return found, who, votes


async def _refused(ctx: Context, intent: Intent, pending: PendingDecision, refused: VoteRefused) -> None:
    """A press that changes nothing is registered too: an attempt to approve one's own request is news."""
    operation = pending.operation
    if operation is not None and refused.code in ("own_request", "not_eligible"):
        row = _row(
            ctx, Event.DENIED, operation, intent, pending, ctx.clock.now(), code=refused.code, detail=refused.sentence
        )
        await ctx.store.append(row)
    await answer(ctx, intent, refused.sentence)


def _row(
    ctx: Context,
    event: Event,
    operation: Operation,
    intent: Intent,
    pending: PendingDecision,
    now: datetime,
    **columns: str | None,
) -> AuditEntry:
    return AuditWriter(ctx.secrets).about(
        event,
        operation,
        intent,
        now,
        rule=record_of(pending).rule,
        policy_version=pending.policy_version,
        digest=pending.digest,
        approval_id=pending.id,
        **columns,
    )


async def _claim(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    found, _, _ = await _judged(ctx, intent, pending, Choice.CLAIM)
    if isinstance(found, VoteRefused):
        await _refused(ctx, intent, pending, found)
        return
    now = ctx.clock.now()
    operation = pending.operation
    rows = () if operation is None else (_row(ctx, Event.CLAIMED, operation, intent, pending, now),)
    if not await ctx.store.claim(claim_key(pending), intent.actor.user_id, rows, now):
        await _claim(ctx, intent, pending)  # somebody was faster: the rules say it in words now
        return
    await ctx.store.finish(intent.request_id, (), stamp(now))
    await shown.show(ctx, pending)


async def vote(ctx: Context, intent: Intent, pending: PendingDecision, choice: Choice, reason: str = "") -> None:
    """Approve or deny. An approval counts only for what the card showed: what changed since is shown and asked again."""
    operation = pending.operation
    found, who, votes = await _judged(ctx, intent, pending, choice, reason)
    if isinstance(found, VoteRefused) and found.code != "counted":
        await _refused(ctx, intent, pending, found)
        return
    if operation is None:
        await answer(ctx, intent, "That request is no longer known.")
        return
    if choice is Choice.APPROVE and await _changed(ctx, intent, pending, operation):
        return
    if isinstance(found, VoteRefused):
        await _refused(ctx, intent, pending, found)
        return
    known = ctx.policy().policy.accounts
    now = ctx.clock.now()
    cast = CastVote(
        user_id=intent.actor.user_id,
        person=person_of(intent.actor.user_id, known),
        vote=choice.value,
        reason=AuditWriter(ctx.secrets).clean(reason, LONGEST_REASON) or None,
        at=stamp(now),
    )
    count, stale = record_of(pending).count, stale_votes(votes, who, known)

    def agreed(result: VoteResult) -> int:
        return len([one for one in result.votes if one.vote == "approve"]) - stale

    def rows(result: VoteResult) -> tuple[AuditEntry, ...]:
        event = Event.APPROVED if choice is Choice.APPROVE else Event.REJECTED
        detail = reason if choice is Choice.DENY else f"{agreed(result)} of {count} agreed"
        return (_row(ctx, event, operation, intent, pending, now, detail=detail),)

    result = await ctx.store.vote(pending.id, cast, rows, needed=count + stale, now=now)
    await _after(ctx, intent, pending, choice, result, rows(result), agreed(result))


async def _after(
    ctx: Context,
    intent: Intent,
    pending: PendingDecision,
    choice: Choice,
    result: VoteResult,
    rows: tuple[AuditEntry, ...],
    agreed: int,
) -> None:
    if not result.counted:
        # Their word is on the disk already: a denial still ends it, and it may be complete since somebody came back.
        state = "rejected" if choice is Choice.DENY else "approved"
        decides = result.state == "open" and (choice is Choice.DENY or agreed >= record_of(pending).count)
        now = ctx.clock.now()
        if not (decides and await ctx.store.end_pending(pending.id, state, intent.actor.user_id, rows, now)):
            await _lost(ctx, intent, pending)
            return
    elif result.state == "open":
        left = record_of(pending).count - agreed
        await shown.show(ctx, pending, agreed=agreed)
        await answer(ctx, intent, f"Counted. {left} more needed.", tone=Tone.PLAIN)
        return
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    if choice is Choice.APPROVE:
        why_not = await dispatch(ctx, pending.id)
        if why_not is not None:
            await answer(ctx, intent, f"Counted, and not run: {why_not}")
        return
    await ctx.store.finish(pending.request_id, (), stamp(ctx.clock.now()))
    reason = rows[0].detail or ""
    await expiry.close(ctx, pending.id, f"Denied by <@{intent.actor.user_id}>: {reason}")


async def _changed(ctx: Context, intent: Intent, pending: PendingDecision, operation: Operation) -> bool:
    """Answer a press on a card that no longer shows what is: void, or shown anew and asked again."""
    row = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        await expiry.void(ctx, pending, "the control plane no longer offers it")
        await answer(ctx, intent, "The control plane no longer offers it; nothing was done.")
        return True
    now_is = await look(ctx, pending, operation, row)
    if now_is.ended is not None:
        await expiry.void(ctx, pending, now_is.ended)
        await answer(ctx, intent, f"Nothing was done: {now_is.ended}.")
        return True
    reasons = drift(before(pending), now_is.after)
    if not reasons:
        return False
    gap = await ask_again(ctx, pending, now_is, reasons)
    if gap is not None:
        await expiry.void(ctx, pending, gap)
        await answer(ctx, intent, f"Nothing was done: {gap}")
        return True
    words = "; ".join(reasons)
    await answer(ctx, intent, f"Not counted, because {words}. The card shows it now; look, then press again.")
    return True
