"""Approve, Deny, Claim, Release, Allow and Cancel. The presser is read from Slack again, and the first change of state wins."""

from dataclasses import replace
from functools import partial

from bot.core.approval import Approval, Choice, VoteRefused, drift, is_expired, judge_vote, stale_votes
from bot.core.audit import AuditEntry, Event
from bot.core.card import FormField, FormView, Line, Tone, approval_key
from bot.core.errors import Problem
from bot.core.intent import Intent
from bot.core.outcome import facts_of
from bot.core.policy.compile import Policy
from bot.core.policy.rights import person_of
from bot.core.records import CastVote, VoteResult, stamp
from bot.core.text import utc_text
from bot.features.approvals import cards as approval_cards
from bot.features.approvals import expiry, question
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.request import NOT_OFFERED, ask_again, hand_over
from bot.features.approvals.snapshot import TargetSnapshot, look
from bot.features.forms.opened import open_form
from bot.features.replies.answer import say
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, FRESH, everybody, of_these
from bot.runtime.context import Context
from bot.runtime.until_stored import IN_DOUBT, sure, until_stored

DENY_FORM = "deny"
REASON = "reason"
LONGEST_REASON = 1_000


async def decide(ctx: Context, intent: Intent, approval: Approval, choice: str) -> None:
    """A button of an approval was pressed, on either card."""
    if choice == "deny" and approval.pending.state == "open" and intent.actor.user_id in approval.record.eligible:
        await _open_deny(ctx, intent, approval)  # before anything slow: the modal has to open within three seconds
    elif await closed(ctx, intent, approval):
        return
    elif choice == "cancel":
        await _cancel(ctx, intent, approval)
    elif choice == "release":
        await _release(ctx, intent, approval)
    elif choice in ("approve", "deny", "claim"):
        await vote(ctx, intent, approval, Choice(choice))
    elif choice == "allow" and approval.record.allows:
        await vote(ctx, intent, approval, Choice.APPROVE, allow=True)
    else:
        await _tell(ctx, intent, approval, "This button is from a version of the bot that is no longer supported.")


async def _tell(
    ctx: Context, intent: Intent, approval: Approval, text: str, *people: str, tone: Tone = Tone.WARN
) -> None:
    """Answer a press, and name the request. The answer to one on a Home tab is a direct message, so it leads to its card."""
    at_home = not intent.place.channel_id
    link = await approval_cards.link_to(ctx, approval_key(approval.pending.request_id), "Open the request")
    rows = facts_of((("Request", question.asked(approval)),))
    await say(ctx, intent, text, *people, tone=tone, rows=rows, link=link if at_home else None)


async def closed(ctx: Context, intent: Intent, approval: Approval) -> bool:
    """Answer a press that comes too late: the approval is decided, expired or replaced by a newer one. False when it is open."""
    if await ctx.store.open_pending(approval.next_id) is not None:
        await hand_over(ctx, approval)
        await _tell(ctx, intent, approval, "Something changed, so the card was updated. Check it, then press again.")
    elif approval.pending.state != "open":
        await too_late(ctx, intent, approval)
    elif is_expired(approval.due, ctx.clock.now()):
        await expiry.expire(ctx, approval)
        await _tell(ctx, intent, approval, "This request expired. Nothing was done.")
    else:
        return False
    return True


async def too_late(ctx: Context, intent: Intent, approval: Approval) -> None:
    """Answer with who decided."""
    pending = approval.pending
    people = [pending.decided_by] if pending.decided_by else []
    at = utc_text(pending.decided_at or pending.due_at)
    await _tell(ctx, intent, approval, f"Too late. {question.head(pending)} {at}.", *people)


async def _open_deny(ctx: Context, intent: Intent, approval: Approval) -> None:
    reason = FormField(name=REASON, label="Reason", type="lines", hint="The requester reads it.", optional=False)
    form = FormView(
        form=DENY_FORM,
        token=ctx.ids.secret(),
        title="Deny a request",
        submit="Deny",
        lines=(Line(text=question.asked(approval)),),
        fields=(reason,),
    )
    await open_form(ctx, intent, form, {"pending": approval.id}, "Press Deny again.")


async def denied(ctx: Context, intent: Intent, pending_id: str, reason: str) -> None:
    """The form of a denial was submitted."""
    approval = Approval.of(await ctx.store.open_pending(pending_id))
    if approval is None:
        await say(ctx, intent, "That request is no longer known.")
    elif not await closed(ctx, intent, approval):
        await vote(ctx, intent, approval, Choice.DENY, reason.strip())


async def _cancel(ctx: Context, intent: Intent, approval: Approval) -> None:
    if intent.actor.user_id != approval.requester:
        await _tell(ctx, intent, approval, "Only the requester can cancel it.")
    elif await expiry.withdraw(ctx, intent, approval):
        await ctx.store.finish(intent.request_id, (), ctx.clock.now())
    else:
        await _lost(ctx, intent, approval)


async def _lost(ctx: Context, intent: Intent, approval: Approval) -> None:
    """Answer a press that lost against another one at the same moment."""
    newest = Approval.of(await ctx.store.open_pending(approval.id))
    if newest is not None and not await closed(ctx, intent, newest):
        await _tell(ctx, intent, approval, "It changed just now. Check the card again.")


async def vote(
    ctx: Context, intent: Intent, approval: Approval, choice: Choice, reason: str = "", *, allow: bool = False
) -> None:
    """Approve, deny or claim. An approval counts only for what the card showed: what changed since is asked again. With `allow`
    the requester may also do the same for an hour.

    The presser and those who voted before are read from Slack now.
    """
    votes = await ctx.store.votes(approval.id)
    claimed = await ctx.store.value(approval.claim_key)
    policy = ctx.policy().policy
    users = (intent.actor.user_id, *[one.user_id for one in votes])
    who = await of_these(ctx, policy, approval.record.groups, approval.requester, users, max_age=FRESH)
    refused = judge_vote(
        approval,
        votes,
        choice,
        intent.actor.user_id,
        claimed_by=claimed if isinstance(claimed, str) else None,
        who=who,
        now=ctx.clock.now(),
        aliases=policy.accounts,
        reason=reason,
    )
    if intent.actor.team_id not in ("", ctx.home_team):
        refused = VoteRefused("not_eligible", "You can't decide this: you are from another workspace.")
    elif await ctx.store.value(approval.joined_key(intent.actor.user_id)) is not None:
        refused = VoteRefused("own_request", "You asked for this too, so you can't decide it.")
    # A vote that counts already is answered so only while the card shows what is true.
    counts = choice is Choice.APPROVE and (refused is None or refused.code == "counted")
    other_rules = approval.pending.policy_version != policy.version
    if counts or (other_rules and refused is not None and refused.code == "not_eligible"):
        operation = approval.operation
        capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
        current = await look(ctx, approval, capability) if capability is not None else None
        theirs = counts or await _theirs_now(ctx, intent, approval, current)
        if theirs and not await _is_current(ctx, intent, approval, current):
            return
    if refused is not None:
        await _refused(ctx, intent, approval, refused)
    elif choice is Choice.CLAIM:
        await _claim(ctx, intent, approval)
    else:
        user = intent.actor.user_id
        if allow or await ctx.store.value(approval.allow_key) == user:
            await ctx.store.set_value(approval.allow_key, user if allow else None, ctx.clock.now())
        await _count(ctx, intent, approval, choice, reason, policy, stale_votes(votes, who, policy.accounts))


async def _theirs_now(ctx: Context, intent: Intent, approval: Approval, current: TargetSnapshot | None) -> bool:
    """Whether the rules of now let this person decide it, which those of the card don't."""
    if current is None:
        return False
    policy, user, groups = current.ruling.policy, intent.actor.user_id, current.demand.from_groups
    who = await of_these(ctx, policy, groups, approval.requester, (user,), max_age=FRESH)
    return any(user in accounts for accounts in who.people.values())


async def _is_current(ctx: Context, intent: Intent, approval: Approval, current: TargetSnapshot | None) -> bool:
    """Whether the card shows what is true. Otherwise ask again or end the request, and answer why the press doesn't count."""
    ended = current.ended if current is not None else NOT_OFFERED
    changes = () if current is None or ended is not None else drift(approval.before, current.after)
    if current is not None and changes:
        ended = await ask_again(ctx, approval, current, changes)
    if ended is not None:
        newest = Approval.of(await ctx.store.open_pending(approval.id))
        if newest is None or not await closed(ctx, intent, newest):
            await _tell(ctx, intent, approval, f"Nothing was done: {await expiry.void(ctx, approval, ended)}")
    elif changes:
        words = f"Not counted: {'; '.join(changes)}. Check the updated card, then press again."
        await _tell(ctx, intent, approval, words)
    return ended is None and not changes


async def _refused(ctx: Context, intent: Intent, approval: Approval, refused: VoteRefused) -> None:
    """Answer a press that changes nothing; an attempt to approve one's own request is in the audit log."""
    if refused.code == "reason_missing":  # they became one of the approvers after the request was made
        await _open_deny(ctx, intent, approval)
        return
    who: list[str] = []
    if refused.code in ("own_request", "not_eligible"):
        now = ctx.clock.now()
        columns = {"code": refused.code, "detail": refused.sentence}
        await ctx.store.append(AuditWriter(ctx.secrets).pending(Event.DENIED, approval.pending, now, intent, **columns))
        # The people whom the card names may have left.
        policy, demand = ctx.policy().policy, approval.record.demand
        found, _ = await everybody(ctx, policy, demand, approval.requester, max_age=CACHED)
        who = [user for user in found.user_ids if user != intent.actor.user_id][: question.MOST_NAMED]
    can = f" {', '.join(f'<@{user}>' for user in who)} can." if who else ""
    await _tell(ctx, intent, approval, f"{refused.sentence}{can}", *who)


async def _claim(ctx: Context, intent: Intent, approval: Approval) -> None:
    now, user, key = ctx.clock.now(), intent.actor.user_id, approval.claim_key
    entry = AuditWriter(ctx.secrets).pending(Event.CLAIMED, approval.pending, now, intent)

    async def claim() -> None:
        if not await ctx.store.claim(key, user, (entry,), now) and await ctx.store.value(key) is None:  # released
            await ctx.store.set_value(key, user, now, (entry,))

    async def is_claimed() -> bool:
        return await ctx.store.value(key) == user

    await sure(ctx.clock, f"claim {intent.request_id}", claim, is_claimed)
    if not await is_claimed():
        await vote(ctx, intent, approval, Choice.CLAIM)  # another press was faster: now the rules say who
        return
    await ctx.store.finish(intent.request_id, (), now)
    await approval_cards.show(ctx, approval)


async def _release(ctx: Context, intent: Intent, approval: Approval) -> None:
    """The person who claimed it gives it back."""
    claimed, now = await ctx.store.value(approval.claim_key), ctx.clock.now()
    if claimed != intent.actor.user_id:
        text = f"Only <@{claimed}> can release it." if claimed else "Nobody has claimed it."
        await _tell(ctx, intent, approval, text, *([str(claimed)] if claimed else []))
        return
    entry = AuditWriter(ctx.secrets).pending(Event.RELEASED, approval.pending, now, intent)

    async def is_released() -> bool:
        return await ctx.store.value(approval.claim_key) is None

    release = partial(ctx.store.set_value, approval.claim_key, None, now, (entry,))
    await sure(ctx.clock, f"release {intent.request_id}", release, is_released)
    await ctx.store.finish(intent.request_id, (), now)
    await approval_cards.show(ctx, approval)


async def _count(
    ctx: Context, intent: Intent, approval: Approval, choice: Choice, reason: str, policy: Policy, stale: int
) -> None:
    """Store the vote, and what it decides. `stale` votes of people who may no longer decide do not count."""
    pending, count = approval.pending, approval.record.count
    now, writer, user = ctx.clock.now(), AuditWriter(ctx.secrets), intent.actor.user_id
    cast = CastVote(
        user_id=user,
        person=person_of(user, policy.accounts),
        vote=choice.value,
        reason=writer.clean(reason or None, LONGEST_REASON),
        at=stamp(now),
    )

    def entries(result: VoteResult) -> tuple[AuditEntry, ...]:
        event = Event.APPROVED if choice is Choice.APPROVE else Event.REJECTED
        detail = reason if choice is Choice.DENY else f"{result.agreed - stale} of {count} agreed"
        return (writer.pending(event, pending, now, intent, detail=detail),)

    async def told() -> None:
        await ctx.store.finish(pending.request_id, (), now)
        await expiry.close(ctx, pending.id, f"Denied by <@{user}>: {writer.clean(reason)}")

    name = f"request {pending.request_id}"
    write = partial(ctx.store.vote, pending.id, cast, entries, needed=count + stale, now=now)
    try:
        result = await write()
    except Problem as problem:
        if problem.code != IN_DOUBT:
            raise
        result = await until_stored(ctx.clock, name, write)
        result = replace(result, counted=result.counted or cast in result.votes)
    agreed = result.agreed - stale
    if not result.counted:
        # Their vote is stored already: a denial still ends it, and it may be complete since an approver came back.
        state = "rejected" if choice is Choice.DENY else "approved"
        decides = result.state == "open" and (choice is Choice.DENY or agreed >= count)
        if not (decides and await ctx.store.end_pending(pending.id, state, user, entries(result), now)):
            await _lost(ctx, intent, approval)
            return
    elif result.state == "open":
        await approval_cards.show(ctx, approval, stale=stale)
        await approval_cards.show_requester(ctx, approval, stale=stale)
        await _tell(ctx, intent, approval, f"Your vote counts. {count - agreed} more needed.", tone=Tone.PLAIN)
        return
    await ctx.store.finish(intent.request_id, (), now)
    if choice is Choice.DENY:
        await until_stored(ctx.clock, name, told)
    elif (why_not := await dispatch(ctx, pending.id)) is not None:
        await _tell(ctx, intent, approval, f"Your vote counts, but it did not run: {why_not}")
