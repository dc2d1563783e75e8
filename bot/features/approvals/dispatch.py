"""Dispatch of an approved request: read everything again, compare it with what was approved, and use it once.

Also the reminder, and the recovery of approvals that were open or approved when the program stopped.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Final

from bot.core.approval import ANY_PARAMETERS, KIND, Approval, Step, is_expired, may_dispatch
from bot.core.audit import AuditEntry, Event
from bot.core.card import Tone, approval_key, operation_key
from bot.core.command.capability import Capability
from bot.core.effects import Attempt, Ruling
from bot.core.intent import Actor, Source
from bot.core.operation import Operation
from bot.core.outcome import Failed, Refused
from bot.core.policy.decide import Allowed, GrantView, decide_in
from bot.core.records import Filters, Grant, done_by, grant_id, stamp
from bot.core.text import plural
from bot.features.access import grant_end, grants
from bot.features.approvals import cards as approval_cards
from bot.features.approvals import expiry, question
from bot.features.approvals.request import NOT_OFFERED, ask_again, hand_over
from bot.features.approvals.snapshot import TargetSnapshot, look
from bot.features.replies import grant_card
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, of_these
from bot.operations.backend_call import unfit
from bot.operations.execute import execute, target_lock
from bot.operations.restored import VOID, is_before_restore
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

ALLOWED_FOR: Final = 3_600  # seconds
RENEWED: Final = "The card shows the current state. Check it, then press again."
LAST: Final = 50
NEWS: Final = timedelta(days=7)
LEFT_FOR: Final = timedelta(seconds=60)  # longer than everything that is read between the last vote and the call
_ENDS: Final = frozenset({"rejected", "expired", "abandoned"})


async def dispatch(ctx: Context, pending_id: str) -> str | None:
    """Use an approved request if nothing changed. Returns None, or the reason for the person who voted last why it was not used.

    Safe to call again: it is used once.
    """
    waiting = Approval.of(await ctx.store.open_pending(pending_id))
    if waiting is None:
        return None
    # Taken before the last check, so that nothing changes between it and the call.
    async with target_lock(ctx, waiting.operation):
        approval = Approval.of(await ctx.store.open_pending(pending_id))
        if (
            approval is None
            or (approval.record.sort == "grant" and await _is_granted(ctx, approval))
            or approval.pending.state != "approved"
        ):
            return None
        if is_expired(approval.due, ctx.clock.now()):
            await expiry.expire(ctx, approval)
            return "it expired."
        if await ctx.store.open_pending(approval.next_id) is not None and await hand_over(ctx, approval):
            return RENEWED
        operation = approval.operation
        capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
        is_old = await is_before_restore(ctx, approval.pending.made_at)
        if capability is None or is_old:
            return await expiry.void(ctx, approval, VOID if is_old else NOT_OFFERED)
        current = await look(ctx, approval, capability)
        if current.ended is not None:
            return await expiry.void(ctx, approval, current.ended)
        policy = current.ruling.policy
        votes = await ctx.store.votes(approval.id)
        voters = map(attrgetter("user_id"), votes)
        who = await of_these(ctx, policy, current.demand.from_groups, approval.requester, voters, max_age=FRESH)
        misfit = await unfit(ctx, current.operation)
        if misfit is not None:
            return await expiry.void(ctx, approval, misfit)
        step, why = may_dispatch(
            approval, votes, who=who, now=ctx.clock.now(), aliases=policy.accounts, after=current.after
        )
        if step is Step.EXPIRE:
            await expiry.expire(ctx, approval)
            return "it expired."
        if step is Step.DRIFT:
            gap = await ask_again(ctx, approval, current, (why,))
            return await expiry.void(ctx, approval, gap) if gap is not None else f"{why}. {RENEWED}"
        agreed = tuple([vote.user_id for vote in votes if vote.vote == "approve" and vote.user_id in who.user_ids])
        return await _use(ctx, approval, capability, current, agreed)


async def _use(
    ctx: Context, approval: Approval, capability: Capability, current: TargetSnapshot, people: tuple[str, ...]
) -> str | None:
    pending, record = approval.pending, approval.record
    operation = approval.operation.model_copy(update={"approved_by": people})
    by = " and ".join([f"<@{user}>" for user in people])
    if record.sort == "grant":
        await _grant(ctx, approval, people, record.lasts)
        granted = await until_stored(ctx.clock, f"approval {approval.id}", partial(_is_granted, ctx, approval))
        return None if granted else await _overtaken(ctx, pending.id)
    await approval_cards.show(ctx, approval)
    ruling, grant = current.ruling, None
    if record.sort == "run":
        # The rule that demanded the approval is what allows it, even if the requester holds a grant by now.
        ruling = replace(ruling, decision=current.demand)
    if record.sort == "once":
        ruling = _once(ctx, approval, capability, ruling)
        if not isinstance(ruling.decision, Allowed):
            return await expiry.void(ctx, approval, f"the rules forbid it even with a grant: {ruling.decision.reason}")
        grant = _made(ctx, approval, people, 0)
    tell = partial(_claimed, ctx, approval, people, by)
    attempt = Attempt(pending.intent, operation, ruling, approval_id=pending.id)
    result = await execute(ctx, attempt, pending_id=pending.id, grant=grant, claimed=tell)
    if isinstance(result, Refused | Failed):
        await approval_cards.show_without_run(ctx, approval)
    return None if result is not None else await _overtaken(ctx, pending.id)


async def _is_granted(ctx: Context, approval: Approval) -> bool:
    """Whether the grant that is its whole use is stored. Completes what was left because something failed in between."""
    made = await ctx.store.grant_by_id(grant_id(approval.id))
    if made is not None:
        await _granted(ctx, approval, made)
    return made is not None


async def _granted(ctx: Context, approval: Approval, made: Grant) -> None:
    """Show once that the requester may do it for a while now, and tell them. The request ends as the last step."""
    if await ctx.store.message(f"{approval_cards.TOLD}{approval.id}:approved") is None:
        await _tell_granted(ctx, approval, made)
    pending, now = approval.pending, ctx.clock.now()
    # An older version left it approved.
    await ctx.store.end_pending(approval.id, "taken", pending.decided_by, (), pending.decided_at or now)
    await ctx.store.finish(pending.request_id, (), now)


async def _tell_granted(ctx: Context, approval: Approval, made: Grant) -> None:
    """The cards first, then a message to the requester."""
    people = made.granted_by.split(", ")
    by, lasts = " and ".join([f"<@{user}>" for user in people]), plural(approval.record.lasts // 60, "minute")
    await approval_cards.show(ctx, approval, why=f"Granted {approval.terms}{await _only(ctx, approval)}")
    late = made.state != "open" or made.until_at <= stamp(ctx.clock.now())
    who = f"<@{approval.requester}>" if await approval_cards.joined(ctx, approval) else "You"
    can = "That time is over" if late else f"{who} can `{approval.operation.verb}` it here {approval.terms}"
    over = await grant_end.entry_that_ended(ctx, made) if made.state == "revoked" else None
    if over is not None:
        can = f"It was revoked {done_by(over, f'<@{over.user_id}>')}"
        people.append(str(over.user_id))
    text = f"Approved by {by}{f' for {lasts}' if late else ''}. {can}."
    await approval_cards.close_requester(ctx, approval, Tone.GOOD, f"Granted for {lasts}", text, *people)
    await approval_cards.tell_requester(ctx, approval, "approved", text, *people, tone=Tone.GOOD)


async def announce(ctx: Context, operation: Operation, sent_at: datetime) -> None:
    """Tell what the program may not have told because it stopped after the entry `sent`, and allow the same for what is left of
    the hour."""
    entries = await ctx.store.search(Filters(request_id=operation.request_id, event=Event.SENT), limit=1)
    used = entries[0].approval_id if entries else None
    approval = Approval.of(await ctx.store.open_pending(used)) if used else None
    if approval is not None and await ctx.store.message(f"{approval_cards.TOLD}{approval.id}:approved") is None:
        left = ALLOWED_FOR - int((ctx.clock.now() - sent_at).total_seconds())
        people = operation.approved_by
        by = " and ".join([f"<@{user}>" for user in people])
        await _claimed(
            ctx, approval, people, by, left, "I was restarted while it was sent; the card shows its outcome."
        )


async def _claimed(
    ctx: Context,
    approval: Approval,
    people: tuple[str, ...],
    by: str,
    lasts: int = ALLOWED_FOR,
    what: str = "It runs now; the card shows its progress.",
) -> None:
    """The call is about to be made: tell the requester, and allow the same for an hour if an approver wanted that."""
    text = f"Approved by {by}. {what}"
    if approval.record.allows and await ctx.store.value(approval.allow_key) in people:
        why = "The allowed hour was over before I was started again, so it was not granted"
        told = f"{why}."
        if lasts > 0:
            await grant_card.show(ctx, await _grant(ctx, approval, people, lasts))
            minutes = max(1, round(lasts / 60))
            span = "1 hour" if minutes == 60 else plural(minutes, "minute")
            why = f"Allowed for {span}, {ANY_PARAMETERS}{await _only(ctx, approval)}"
            told = f"<@{approval.requester}> can run it here for {span} without asking again, {ANY_PARAMETERS}."
        await approval_cards.show(ctx, approval, why=why)
        text += f" {told}"
    await approval_cards.tell_requester(ctx, approval, "approved", text, *people, tone=Tone.GOOD)


async def _only(ctx: Context, approval: Approval) -> str:
    """Who of those who asked for it has the grant; empty when nobody joined the request."""
    return f", only for <@{approval.requester}>" if await approval_cards.joined(ctx, approval) else ""


async def _overtaken(ctx: Context, pending_id: str) -> str | None:
    """Why the approval could not be used after all; None when another attempt used it."""
    approval = Approval.of(await ctx.store.open_pending(pending_id))
    if approval is None or approval.pending.state == "taken":
        return None
    if approval.pending.state == "approved" and is_expired(approval.due, ctx.clock.now()):
        await expiry.expire(ctx, approval)
        return "it expired."
    return f"{question.head(approval.pending)}."


def _once(ctx: Context, approval: Approval, capability: Capability, ruling: Ruling) -> Ruling:
    """The decision with a grant for exactly this operation. The grant is never open in the store, so nothing else can use it."""
    grant = GrantView(
        id=grant_id(approval.id),
        user_id=approval.requester,
        verbs=(approval.operation.verb,),
        targets=(target_pattern(approval.operation),),
        until=approval.due,
        channel_id=approval.pending.intent.place.channel_id,
    )
    situation = replace(ruling.situation, grants=(grant,))
    operation = approval.operation
    decision = decide_in(situation, capability, operation.target, operation.params, ctx.clock.now())
    return replace(ruling, decision=decision)


def target_pattern(operation: Operation) -> str:
    """The one target as a rule names it; where the path is unknown only the whole backend would cover it."""
    return operation.target.scope or f"{operation.target.backend}:*"


async def _grant(ctx: Context, approval: Approval, people: tuple[str, ...], lasts: int) -> Grant:
    """Store the grant for that many seconds. One that is the whole use of the approval takes it, and is not stored once that has
    ended."""
    made, entry = _made(ctx, approval, people, lasts)
    return await grants.add(ctx, made, entry, uses=approval.id if approval.record.sort == "grant" else None)


def _made(ctx: Context, approval: Approval, people: tuple[str, ...], lasts: int) -> tuple[Grant, AuditEntry]:
    """The grant for that many seconds, and its entry as the act of who voted last. One for a single use, with none, has ended:
    the call with which it is stored uses it."""
    pending, operation = approval.pending, approval.operation
    now, once = ctx.clock.now(), not lasts
    grant = Grant(
        id=grant_id(pending.id),
        user_id=approval.requester,
        verbs=(operation.verb,),
        targets=(target_pattern(operation),),
        channel_id=pending.intent.place.channel_id,
        granted_by=", ".join(people),
        reason=operation.reason,
        from_at=stamp(now),
        until_at=stamp(now + timedelta(seconds=lasts)),
        state="expired" if once else "open",
        request_id=pending.request_id,
    )
    until = "for this one operation" if once else f"until {grant.until_at}"
    detail = f"to {grant.user_id} {until}, by {grant.granted_by}"
    writer = AuditWriter(ctx.secrets)
    giver = Actor(user_id=people[-1], team_id=ctx.home_team)
    by = pending.intent.model_copy(update={"actor": giver, "source": Source.BUTTON})
    return grant, writer.pending(Event.GRANTED, pending, now, by, rule=f"grant {grant.id}", detail=detail)


async def remind(ctx: Context, approval: Approval) -> None:
    """Notify those who may decide, once, after half of the time."""
    if approval.pending.state == "open" and await ctx.store.reminded(approval.pending, None):
        await approval_cards.remind(ctx, approval)


async def recover(ctx: Context) -> None:
    """After a restart: use what was approved, end what is over, show what was not shown."""
    await pick_up(ctx, every=True)
    for pending in await ctx.store.pending_decisions(state="open"):
        approval = Approval.of(pending)
        if approval is None or await hand_over(ctx, approval):
            continue
        if is_expired(approval.due, ctx.clock.now()):
            await expiry.expire(ctx, approval)
        elif await is_before_restore(ctx, pending.made_at):
            await expiry.void(ctx, approval, VOID)
        elif not await _is_shown(ctx, approval):
            await approval_cards.show(ctx, approval)
            await approval_cards.show_requester(ctx, approval)
    await _tell_ends(ctx)


async def pick_up(ctx: Context, *, every: bool = False) -> None:
    """What was approved and not used, or granted and not told, because something failed in between, is completed now or ended;
    after a restart `every` one. One that fails again keeps no other one waiting, and ends when it expires."""
    now = ctx.clock.now()
    for pending in await ctx.store.unfinished_pending():
        approval = Approval.of(pending)
        left = every or (pending.decided_at or pending.made_at) <= stamp(now - LEFT_FOR)
        if approval is not None and left:
            ctx.tasks.start(dispatch(ctx, pending.id), f"approval {pending.id}")


async def _tell_ends(ctx: Context) -> None:
    """Show ends that were stored but not shown before the program stopped. The message to the requester is the last step."""
    for pending in await ctx.store.untold_pending(KIND, approval_cards.TOLD, ctx.clock.now() - NEWS):
        approval = Approval.of(pending)
        if approval is None or await ctx.store.open_pending(approval.next_id) is not None:
            continue
        entries = await ctx.store.search(Filters(request_id=pending.request_id), limit=LAST)
        reasons = [
            entry.detail
            for entry in entries
            if entry.approval_id == pending.id and str(entry.event) in _ENDS and entry.detail
        ]
        await ctx.store.finish(pending.request_id, (), ctx.clock.now())
        text = f"{question.head(pending)}. {reasons[0] if reasons else ''}".strip()
        await expiry.close(ctx, pending.id, text)


async def _is_shown(ctx: Context, approval: Approval) -> bool:
    """Whether both cards carry the buttons of this very question."""
    found: set[object] = set()
    request_id = approval.pending.request_id
    for key in (approval_key(request_id), operation_key(request_id)):
        posted = await ctx.store.message(key)
        body = posted.body if posted is not None else None
        buttons = body.get("buttons") if isinstance(body, dict) else None
        if isinstance(buttons, list):
            found.update(button.get("id") for button in buttons if isinstance(button, dict))
    claimed = await ctx.store.value(approval.claim_key) is not None
    wanted = ("approve", "deny", "cancel", "release" if claimed else "claim")
    return all(button in found for choice, button in approval.record.buttons.items() if choice in wanted)
