"""From approved to done: everything is read once more, compared with what was approved, and used once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.core.approval import Step, is_expired, may_dispatch
from bot.core.audit import Event, Row
from bot.core.card import Tone
from bot.core.errors import Problem
from bot.core.operation import Operation
from bot.core.policy.decide import Allowed, GrantView, decide
from bot.core.records import Grant, Hold, grant_id, stamp
from bot.core.text import plural
from bot.features.approvals import cards as shown
from bot.features.approvals import expiry
from bot.features.approvals.approvers import of_these
from bot.features.approvals.record import Terms, before, terms_of, view_of
from bot.features.approvals.request import ask_again, hand_over
from bot.features.approvals.snapshot import Look, look, unfit
from bot.features.pauses.pause import check_pause, turn_of
from bot.operations.audit_writer import Scribe
from bot.operations.authorize import FRESH, Ruling, asked
from bot.operations.execute import execute
from bot.runtime.context import Deps

RENEWED: Final = "The card shows how things stand now; look, then press again."


async def dispatch(deps: Deps, hold_id: str) -> str | None:
    """Use an approved hold, if everything is still so; else the reason, for who gave the last vote.

    Safe to call again: it is used once.
    """
    waiting = await deps.store.open_hold(hold_id)
    if waiting is None or waiting.operation is None:
        return None
    async with turn_of(deps, waiting.operation):  # before the last look, so that nothing lies between it and the call
        return await _dispatch(deps, hold_id)


async def _dispatch(deps: Deps, hold_id: str) -> str | None:
    hold = await deps.store.open_hold(hold_id)
    if hold is None or hold.state != "approved" or hold.operation is None or await _granted(deps, hold):
        return None
    if await hand_over(deps, hold):
        return RENEWED
    operation = hold.operation
    row = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        return await _void(deps, hold, "the control plane no longer offers it")
    now_is = await look(deps, hold, operation, row)
    if now_is.ended is not None:
        return await _void(deps, hold, now_is.ended)
    try:
        check_pause(row, operation, deps.clock.now(), deps.zone)
    except Problem as trouble:
        return await _void(deps, hold, trouble.summary)
    misfit = await unfit(deps, now_is.operation)
    if misfit is not None:
        return await _void(deps, hold, misfit)
    step, why, people = await _step(deps, hold, now_is)
    if step is Step.EXPIRE:
        await expiry.expire(deps, hold)
        return "its time was over."
    if step is Step.DRIFT:
        gap = await ask_again(deps, hold, now_is, (why,))
        return await _void(deps, hold, gap) if gap is not None else f"{why}. {RENEWED}"
    return await _use(deps, hold, operation, now_is, people)


async def _void(deps: Deps, hold: Hold, why: str) -> str:
    await expiry.void(deps, hold, why)
    return f"{why.rstrip('.')}."


async def _step(deps: Deps, hold: Hold, now_is: Look) -> tuple[Step, str, tuple[str, ...]]:
    """The pure rule, with those who agreed read from Slack now; and who of them still counts."""
    votes = await deps.store.votes(hold.id)
    who = await of_these(
        deps,
        now_is.ruling.policy,
        now_is.demand.from_groups,
        hold.intent.actor.user_id,
        [vote.user_id for vote in votes],
        max_age=FRESH,
    )
    step, why = may_dispatch(
        view_of(hold, votes),
        who=who,
        now=deps.clock.now(),
        aliases=now_is.ruling.policy.accounts,
        before=before(hold),
        after=now_is.after,
    )
    return step, why, tuple(vote.user_id for vote in votes if vote.vote == "approve" and vote.user_id in who.user_ids)


async def _use(deps: Deps, hold: Hold, operation: Operation, now_is: Look, people: tuple[str, ...]) -> str | None:
    terms = terms_of(hold)
    operation = operation.model_copy(update={"approved_by": people})
    by = " and ".join(f"<@{user}>" for user in people)
    await shown.show(deps, hold)
    if terms.sort == "grant":
        await _grant(deps, hold, terms, operation, people)
        text = f"Approved by {by}: you may `{operation.verb}` it here for {plural(terms.lasts // 60, 'minute')}."
        await shown.close_requester(
            deps, hold, Tone.GOOD, f"Granted for {plural(terms.lasts // 60, 'minute')}", text, *people
        )
        await shown.tell_requester(deps, hold, "approved", text, *people, tone=Tone.GOOD)
        return None
    ruling = now_is.ruling
    if terms.sort == "run":
        # The rule that demanded the approval is what allows it, even if the requester holds a grant by now.
        ruling = Ruling(now_is.demand, ruling.policy, ruling.subject, ruling.where, ruling.digest)
    if terms.sort == "once":
        ruling = _once(deps, hold, operation, ruling)
        if not isinstance(ruling.decision, Allowed):
            return await _void(deps, hold, f"even with a grant the rules forbid it: {ruling.decision.reason}")
        await _grant(deps, hold, terms, operation, people)

    async def tell() -> None:
        text = f"Approved by {by}: it runs now, and the card shows it."
        await shown.tell_requester(deps, hold, "approved", text, *people, tone=Tone.GOOD)

    agreed = ", ".join(people)
    result = await execute(deps, hold.intent, operation, ruling, hold_id=hold.id, approved_by=agreed, taken=tell)
    return None if result is not None else await _overtaken(deps, hold.id)


async def _overtaken(deps: Deps, hold_id: str) -> str | None:
    """Somebody or the time was faster in the very last moment; None when it was used by another attempt."""
    hold = await deps.store.open_hold(hold_id)
    if hold is None or hold.state == "taken":
        return None
    if hold.state == "approved" and is_expired(datetime.fromisoformat(hold.due_at), deps.clock.now()):
        await expiry.expire(deps, hold)
        return "its time was over."
    return f"{shown.head(hold)}."


def _once(deps: Deps, hold: Hold, operation: Operation, ruling: Ruling) -> Ruling:
    """What the rules say with a grant for exactly this. It is never open in the store, so nothing else can run on it."""
    row = deps.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
    if row is None:
        return ruling
    grant = GrantView(
        id=grant_id(hold.id),
        user_id=hold.intent.actor.user_id,
        verbs=(operation.verb,),
        targets=(target_pattern(operation),),
        until=datetime.fromisoformat(hold.due_at),
        channel_id=hold.intent.place.channel_id,
    )
    decision = decide(ruling.policy, **asked(deps, row, operation, ruling.subject, ruling.where, (grant,)))
    return Ruling(decision, ruling.policy, ruling.subject, ruling.where, ruling.digest)


def target_pattern(operation: Operation) -> str:
    """The one target as a rule names it; where the path is unknown only the whole backend would cover it."""
    return operation.target.scope or f"{operation.target.backend}:*"


async def _granted(deps: Deps, hold: Hold) -> bool:
    """A grant for some time was made of it: there is nothing left to do."""
    return terms_of(hold).sort == "grant" and await deps.store.grant_by_id(grant_id(hold.id)) is not None


async def _grant(deps: Deps, hold: Hold, terms: Terms, operation: Operation, people: tuple[str, ...]) -> None:
    """Keep the grant. One for a single use is kept as ended: it is used by this very operation."""
    if await deps.store.grant_by_id(grant_id(hold.id)) is not None:
        return
    now = deps.clock.now()
    once = terms.sort == "once"
    until = now if once else now + timedelta(seconds=terms.lasts)
    grant = Grant(
        id=grant_id(hold.id),
        user_id=hold.intent.actor.user_id,
        verbs=(operation.verb,),
        targets=(target_pattern(operation),),
        channel_id=hold.intent.place.channel_id,
        granted_by=", ".join(people),
        reason=operation.reason,
        from_at=stamp(now),
        until_at=stamp(until),
        state="expired" if once else "open",
        request_id=hold.request_id,
    )
    await deps.store.add_grant(grant, (_row(deps, hold, operation, grant, once=once),))
    if not once:
        await deps.store.finish(hold.request_id, (), stamp(now))


def _row(deps: Deps, hold: Hold, operation: Operation, grant: Grant, *, once: bool) -> Row:
    lasts = "for this one operation" if once else f"until {grant.until_at}"
    return Scribe(deps.secrets).about(
        Event.GRANTED,
        operation,
        hold.intent,
        deps.clock.now(),
        rule=f"grant {grant.id}",
        policy_version=hold.policy_version,
        digest=hold.digest,
        approval_id=hold.id,
        detail=f"to {grant.user_id} {lasts}, by {grant.granted_by}",
    )
