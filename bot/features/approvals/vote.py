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
from bot.core.audit import Event, Row
from bot.core.card import FormField, FormView, Line, Tone
from bot.core.intent import Intent, Place
from bot.core.operation import Operation
from bot.core.records import Hold, HoldVote, VoteResult, stamp
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.approvers import of_these
from bot.features.approvals.dispatch import dispatch
from bot.features.approvals.record import before, claim_key, claimed_by, stale_votes, terms_of, view_of
from bot.features.approvals.request import ask_again, hand_over
from bot.features.approvals.snapshot import look
from bot.operations import cards
from bot.operations.audit_writer import Scribe
from bot.operations.authorize import FRESH
from bot.runtime.context import Deps

DENY_FORM = "deny"
REASON = "reason"
LONGEST_REASON = 1_000


async def decide(deps: Deps, intent: Intent, hold: Hold, choice: str) -> None:
    """A button of an approval was pressed, on either card."""
    if choice == "deny" and hold.state == "open" and hold.intent.actor.user_id != intent.actor.user_id:
        # Before anything slow: Slack opens a modal within three seconds of the press or not at all.
        await _open_deny(deps, intent, hold)
        return
    if await closed(deps, intent, hold):
        return
    if choice == "cancel":
        await _cancel(deps, intent, hold)
    elif choice == "claim":
        await _claim(deps, intent, hold)
    elif choice in ("approve", "deny"):
        await vote(deps, intent, hold, Choice(choice))
    else:
        await answer(deps, intent, "This button is of a version that is no longer understood.")


async def answer(deps: Deps, intent: Intent, text: str, *people: str, tone: Tone = Tone.WARN) -> None:
    """Tell the presser alone, and end their request."""
    await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
    mention = tuple(dict.fromkeys((intent.actor.user_id, *people)))
    await deps.presenter.show(cards.private(intent, text, tone=tone, mention=mention), intent.reply)


async def closed(deps: Deps, intent: Intent, hold: Hold) -> bool:
    """Answer a press that comes too late: decided by somebody, over, or replaced by a newer question."""
    if await hand_over(deps, hold):
        await answer(deps, intent, "The card was renewed because something changed. Look at it again, then press.")
        return True
    if hold.state == "open" and is_expired(datetime.fromisoformat(hold.due_at), deps.clock.now()):
        await expiry.expire(deps, hold)
        await answer(deps, intent, "Its time is over; nothing was done.")
        return True
    if hold.state != "open":
        await too_late(deps, intent, hold)
        return True
    return False


async def too_late(deps: Deps, intent: Intent, hold: Hold) -> None:
    """Who was first."""
    people = [hold.decided_by] if hold.decided_by else []
    at = datetime.fromisoformat(hold.decided_at or hold.due_at)
    await answer(deps, intent, f"Too late. {shown.head(hold)} at {at:%Y-%m-%d %H:%M:%S} UTC.", *people)


async def _open_deny(deps: Deps, intent: Intent, hold: Hold) -> None:
    operation = hold.operation
    token = deps.ids.secret()
    place = intent.place.model_dump(mode="json")
    kept = {"user": intent.actor.user_id, "hold": hold.id, "place": place}
    await deps.store.set_fact(f"form:{token}", kept, stamp(deps.clock.now()))
    field = FormField(name=REASON, label="Reason", type="lines", hint="The requester reads it.", optional=False)
    what = cards.title_of(operation) if operation is not None else hold.request_id
    form = FormView(
        form=DENY_FORM,
        token=token,
        title="Deny a request",
        submit="Deny",
        lines=(Line(text=what),),
        fields=(field,),
    )
    shown_in_time = intent.reply.trigger_id is not None and await deps.presenter.open_form(
        intent.reply.trigger_id, form
    )
    if shown_in_time:
        await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
    else:
        await answer(deps, intent, "The form could not be opened in time. Press Deny again.")


async def denied(deps: Deps, intent: Intent, hold_id: str, place: Place, reason: str) -> None:
    """The form of a denial came back."""
    intent = intent.model_copy(update={"place": place})
    hold = await deps.store.open_hold(hold_id)
    if hold is None:
        await answer(deps, intent, "That request is no longer known.")
    elif not await closed(deps, intent, hold):
        await vote(deps, intent, hold, Choice.DENY, reason.strip())


async def _cancel(deps: Deps, intent: Intent, hold: Hold) -> None:
    if intent.actor.user_id != hold.intent.actor.user_id:
        await answer(deps, intent, "Only the person who asked may cancel it.")
    elif await expiry.withdraw(deps, intent, hold):
        await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
    else:
        await _lost(deps, intent, hold)


async def _lost(deps: Deps, intent: Intent, hold: Hold) -> None:
    """Somebody was faster between the look and the change."""
    fresh = await deps.store.open_hold(hold.id)
    if fresh is not None and not await closed(deps, intent, fresh):
        await answer(deps, intent, "It changed in this moment. Look at the card again.")


async def _judged(
    deps: Deps, intent: Intent, hold: Hold, choice: Choice, reason: str = ""
) -> tuple[VoteCounts | VoteRefused, Eligible, tuple[HoldVote, ...]]:
    """What the rules of approvals say to this press, with the presser and those who voted read from Slack now."""
    votes = await deps.store.votes(hold.id)
    policy = deps.policy().policy
    users = (intent.actor.user_id, *(one.user_id for one in votes))
    who = await of_these(deps, policy, terms_of(hold).groups, hold.intent.actor.user_id, users, max_age=FRESH)
    view = view_of(hold, votes, await claimed_by(deps, hold))
    found = judge_vote(
        view,
        choice,
        intent.actor.user_id,
        who=who,
        now=deps.clock.now(),
        aliases=policy.accounts,
        reason=reason,
    )
    if intent.actor.team_id not in ("", deps.home_team):
        found = VoteRefused("not_eligible", "You may not decide this: you are from another workspace.")
    return found, who, votes


async def _refused(deps: Deps, intent: Intent, hold: Hold, refused: VoteRefused) -> None:
    """A press that changes nothing is registered too: an attempt to approve one's own request is news."""
    operation = hold.operation
    if operation is not None and refused.code in ("own_request", "not_eligible"):
        row = _row(
            deps, Event.DENIED, operation, intent, hold, deps.clock.now(), code=refused.code, detail=refused.sentence
        )
        await deps.store.append(row)
    await answer(deps, intent, refused.sentence)


def _row(
    deps: Deps,
    event: Event,
    operation: Operation,
    intent: Intent,
    hold: Hold,
    now: datetime,
    **columns: str | None,
) -> Row:
    return Scribe(deps.secrets).about(
        event,
        operation,
        intent,
        now,
        rule=terms_of(hold).rule,
        policy_version=hold.policy_version,
        digest=hold.digest,
        approval_id=hold.id,
        **columns,
    )


async def _claim(deps: Deps, intent: Intent, hold: Hold) -> None:
    found, _, _ = await _judged(deps, intent, hold, Choice.CLAIM)
    if isinstance(found, VoteRefused):
        await _refused(deps, intent, hold, found)
        return
    now = deps.clock.now()
    operation = hold.operation
    rows = () if operation is None else (_row(deps, Event.CLAIMED, operation, intent, hold, now),)
    if not await deps.store.claim(claim_key(hold), intent.actor.user_id, rows, now):
        await _claim(deps, intent, hold)  # somebody was faster: the rules say it in words now
        return
    await deps.store.finish(intent.request_id, (), stamp(now))
    await shown.show(deps, hold)


async def vote(deps: Deps, intent: Intent, hold: Hold, choice: Choice, reason: str = "") -> None:
    """Approve or deny. An approval counts only for what the card showed: what changed since is shown and asked again."""
    operation = hold.operation
    found, who, votes = await _judged(deps, intent, hold, choice, reason)
    if isinstance(found, VoteRefused) and found.code != "counted":
        await _refused(deps, intent, hold, found)
        return
    if operation is None:
        await answer(deps, intent, "That request is no longer known.")
        return
    if choice is Choice.APPROVE and await _changed(deps, intent, hold, operation):
        return
    if isinstance(found, VoteRefused):
        await _refused(deps, intent, hold, found)
        return
    known = deps.policy().policy.accounts
    now = deps.clock.now()
    cast = HoldVote(
        user_id=intent.actor.user_id,
        person=person_of(intent.actor.user_id, known),
        vote=choice.value,
        reason=Scribe(deps.secrets).clean(reason, LONGEST_REASON) or None,
        at=stamp(now),
    )
    count, stale = terms_of(hold).count, stale_votes(votes, who, known)

    def agreed(result: VoteResult) -> int:
        return len([one for one in result.votes if one.vote == "approve"]) - stale

    def rows(result: VoteResult) -> tuple[Row, ...]:
        event = Event.APPROVED if choice is Choice.APPROVE else Event.REJECTED
        detail = reason if choice is Choice.DENY else f"{agreed(result)} of {count} agreed"
        return (_row(deps, event, operation, intent, hold, now, detail=detail),)

    result = await deps.store.vote(hold.id, cast, rows, needed=count + stale, now=now)
    await _after(deps, intent, hold, choice, result, rows(result), agreed(result))


async def _after(
    deps: Deps,
    intent: Intent,
    hold: Hold,
    choice: Choice,
    result: VoteResult,
    rows: tuple[Row, ...],
    agreed: int,
) -> None:
    if not result.counted:
        # Their word is on the disk already: a denial still ends it, and it may be complete since somebody came back.
        state = "rejected" if choice is Choice.DENY else "approved"
        decides = result.state == "open" and (choice is Choice.DENY or agreed >= terms_of(hold).count)
        now = deps.clock.now()
        if not (decides and await deps.store.end_hold(hold.id, state, intent.actor.user_id, rows, now)):
            await _lost(deps, intent, hold)
            return
    elif result.state == "open":
        left = terms_of(hold).count - agreed
        await shown.show(deps, hold, agreed=agreed)
        await answer(deps, intent, f"Counted. {left} more needed.", tone=Tone.PLAIN)
        return
    await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
    if choice is Choice.APPROVE:
        why_not = await dispatch(deps, hold.id)
        if why_not is not None:
            await answer(deps, intent, f"Counted, and not run: {why_not}")
        return
    await deps.store.finish(hold.request_id, (), stamp(deps.clock.now()))
    reason = rows[0].detail or ""
    await expiry.close(deps, hold.id, f"Denied by <@{intent.actor.user_id}>: {reason}")


async def _changed(deps: Deps, intent: Intent, hold: Hold, operation: Operation) -> bool:
    """Answer a press on a card that no longer shows what is: void, or shown anew and asked again."""
    row = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        await expiry.void(deps, hold, "the control plane no longer offers it")
        await answer(deps, intent, "The control plane no longer offers it; nothing was done.")
        return True
    now_is = await look(deps, hold, operation, row)
    if now_is.ended is not None:
        await expiry.void(deps, hold, now_is.ended)
        await answer(deps, intent, f"Nothing was done: {now_is.ended}.")
        return True
    reasons = drift(before(hold), now_is.after)
    if not reasons:
        return False
    gap = await ask_again(deps, hold, now_is, reasons)
    if gap is not None:
        await expiry.void(deps, hold, gap)
        await answer(deps, intent, f"Nothing was done: {gap}")
        return True
    words = "; ".join(reasons)
    await answer(deps, intent, f"Not counted, because {words}. The card shows it now; look, then press again.")
    return True
