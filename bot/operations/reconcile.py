"""Find out whether a call whose answer was lost took effect: by reads alone, never by sending it again."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.errors import BadReply, CallProblem, Problem, Redirected, Rejected, ServerError
from bot.core.intent import Due, Intent, Source
from bot.core.operation import Operation, Target, brief_id
from bot.core.outcome import Failed, LookBack, Outcome, Unknown, made_by
from bot.core.ports.services import Backend
from bot.core.records import Filters, StoredEntry, stamp, whose
from bot.core.text import capitalized, plural, sentences
from bot.operations import cards
from bot.operations.backend_call import claimed, faults, same_again
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

LOOK_BACK_SECONDS = 30.0  # for all reads together
RIVAL_FOR = timedelta(minutes=2)  # how long before a call an identical one may have been lost that had the same effect
_MOST_RIVALS = 50
_MOST_SENT = 500
_ANSWERED = frozenset({Event.DONE, Event.FAILED, Event.UNKNOWN, Event.RECONCILED, Event.ABANDONED})
# Answers to a call that may be repeated, after which part of it may have been done.
MAY_HAVE_DONE = frozenset({ServerError.code, BadReply.code, Redirected.code})
LOOK_AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0)  # seconds between two reads, while a later one may show more


def looking(operation: Operation) -> str:
    """The card's status meanwhile, with how long it takes. An idempotent call may be sent again after a restart."""
    once = "" if operation.idempotent else "Not sending it again; "
    text = f"{once}checking whether it took effect, for about {round(sum(LOOK_AGAIN_AFTER))} s"
    return f"No usable answer. {capitalized(text)}"


async def read_back(
    ctx: Context, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime, result: Unknown
) -> Outcome:
    """The outcome that the backend shows. It stays unknown when the backend can't tell. How a run was found stays on its card."""
    back = await _looks(ctx, intent, operation, backend, sent_at)
    newer = await changed_since(ctx, operation, sent_at) if operation.idempotent else None
    if newer is not None:
        what = f"`{newer.verb} {newer.target_name}` ({whose(newer, f'<@{newer.user_id}>')})"
        summary = sentences(result.summary, f"Since then, {what} was sent, so this is not sent again.")
        hint = f"Check the state of `{cards.written(operation.target)}` and what was changed before you run it again."
        result = result.model_copy(update={"summary": summary, "hint": hint})
    after = after_look_back(result, back, same_again(ctx, operation))
    if back.found is not None and back.found.run is not None:
        await ctx.store.set_value(cards.note_key(operation.request_id), lost_but(result, back), stamp(ctx.clock.now()))
    return after


async def changed_since(ctx: Context, operation: Operation, sent_at: datetime) -> StoredEntry | None:
    """The newest later order about the target, its parts or what it is a part of: to send this one again would undo it."""
    return await later_order(ctx, operation, sent_at, lambda other, _: _overlap(other.target, operation.target))


async def later_order(
    ctx: Context, operation: Operation, sent_at: datetime, counts: Callable[[Operation, bool], bool]
) -> StoredEntry | None:
    """The newest order of a person that was sent since then, that would undo this one or that this one would undo, and that
    `counts`, told the order and whether it surely took effect or is under way. One without effect is none, nor is the end of a
    pause at its time: nobody ordered that."""
    filters = Filters(event=Event.SENT, backend=operation.target.backend, since=stamp(sent_at))
    for entry in await ctx.store.search(filters, limit=_MOST_SENT):
        other = await ctx.store.operation_of(entry.request_id)
        if other is None or other.request_id == operation.request_id or entry.source == Source.TIMER:
            continue
        if _may_undo(ctx, other, operation):
            sure = await _took_effect(ctx, entry, other)
            if sure is not False and counts(other, sure is True):
                return entry
    return None


def _may_undo(ctx: Context, other: Operation, operation: Operation) -> bool:
    """Whether one of two orders about the same target may undo the other."""
    subject, its = (ctx.catalog.sets(one.target.backend, one.verb, one.target.kind) for one in (operation, other))
    return other.risk is not Risk.READ and its is not None and its == subject


async def _took_effect(ctx: Context, sent: StoredEntry, order: Operation) -> bool | None:
    """True when it is done or under way, False when it had no effect. None when it may have had one, or may still have: the stop
    of a run is only accepted until the run has ended."""
    entries = await ctx.store.search(Filters(request_id=sent.request_id))
    last = next((entry for entry in entries if entry.event in _ANSWERED), None)
    if last is None or last.event is Event.DONE or last.code == "done":
        accepted = order.starts_run and ctx.catalog.ends_pauses(order.target.backend, order.verb, order.target.kind)
        return True if not accepted or any(entry.event is Event.ENDED for entry in entries) else None
    return None if last.event in (Event.UNKNOWN, Event.ABANDONED) or last.code in MAY_HAVE_DONE else False


def _overlap(one: Target, other: Target) -> bool:
    """Whether they are the same, or one is a part of the other, as far as that is known."""
    unknown = None in (one.scope, other.scope)
    return unknown or one.text == other.text or one.id in (other.id, other.parent) or other.id == one.parent


async def is_undecided(ctx: Context, target: Target) -> bool:
    """Whether an order about pauses of the target, its parts or what it is a part of is being sent, or may have been."""
    return any(
        one.target.backend == target.backend
        and ctx.catalog.about_pauses(one.target.backend, one.verb, one.target.kind)
        and _overlap(one.target, target)
        for one in await ctx.store.being_sent()
    )


async def _looks(ctx: Context, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime) -> LookBack:
    """Whether it happened. Reads are repeated for a while where that may help: a queued start may still begin.

    After a takeover many calls are looked up. The wait for others doesn't count as a wait for the backend.
    """
    back, left = LookBack(evidence="The control plane did not answer the check."), LOOK_BACK_SECONDS
    for pause in (0.0, *LOOK_AGAIN_AFTER):
        if pause:
            if not isinstance(intent.payload, Due):  # the end of a pause is told on the card of the pause
                await ctx.presenter.show(cards.working(operation, intent, looking(operation)))
            await ctx.clock.sleep(pause)
        async with ctx.looks[backend.name]:
            began = ctx.clock.monotonic()
            try:
                async with asyncio.timeout(left):
                    back = await look_once(ctx, operation, backend, sent_at)
            except TimeoutError:
                return back
            left -= pause + ctx.clock.monotonic() - began
        if not back.again or left <= 0:
            return back
    return back


async def look_once(ctx: Context, operation: Operation, backend: Backend, sent_at: datetime) -> LookBack:
    """One read; without an answer it stays unknown. What it finds is recorded as made by this call, and by no other one."""
    try:
        with faults(operation):
            back = await backend.look_back(operation, sent_at, await claimed(ctx, operation, sent_at))
    except Problem as problem:
        again = isinstance(problem, CallProblem) and not isinstance(problem, Rejected)
        return LookBack(evidence=sentences(f"The control plane could not be checked: {problem.summary}"), again=again)
    if not back.fits and (back.found is None or not made_by(operation, back.found)):
        return back
    request = operation.request_id
    rivals = await until_stored(ctx.clock, f"request {request}", lambda: _rivals(ctx, operation, back, sent_at))
    same = sorted((request, *rivals))
    fits = back.fits or tuple(filter(None, (back.found,)))
    if len(fits) == len(same):  # as many as requests: each took effect, and identical ones are interchangeable
        own = fits[same.index(request)]
        claim = partial(ctx.store.claim_made, request, backend.name, made_by(operation, own), ctx.clock.now())
        if await until_stored(ctx.clock, f"request {request}", claim):
            all_began = f"{len(same)} identical requests were lost, and as many took effect." if rivals else ""
            return back.model_copy(
                update={"found": own, "fits": (), "again": False, "evidence": sentences(back.evidence, all_began)}
            )
    if not rivals and back.found is None:
        return back
    refs = [ref.rpartition("#") for done in fits for ref in made_by(operation, done)]  # `infa:nightly#7` is run 7
    which = ", ".join(number if of else brief_id(number) for of, _, number in refs)
    others = plural(len(rivals), "other request")
    other = f"{others} may have had the same effect" if rivals else "another request has it"
    seen = f"{which} may be this one, but {other}."
    return LookBack(evidence=sentences(back.evidence, seen), again=True, hint="Check which of them took effect.")


async def _rivals(ctx: Context, operation: Operation, back: LookBack, sent_at: datetime) -> list[str]:
    """The other requests that may have had this effect: those whose outcome is open, and those of which it stayed unknown."""
    calls = [*await ctx.store.being_sent()]
    ended = Filters(event=Event.ABANDONED, backend=operation.target.backend, since=stamp(sent_at - RIVAL_FOR))
    for entry in await ctx.store.search(ended, limit=_MOST_RIVALS):
        other = await ctx.store.request(entry.request_id)
        lost = other is not None and other.sent_at is not None and await ctx.store.run_of(entry.request_id) is None
        if other is not None and other.operation is not None and lost:
            calls.append(other.operation)
    return list(dict.fromkeys(one.request_id for one in calls if _may_have_made(one, operation, back.compared)))


def _may_have_made(other: Operation, operation: Operation, compared: Sequence[str]) -> bool:
    """Whether another call whose outcome is open may have made what this one seems to have made."""
    mine, its = operation.target, other.target
    return (
        other.request_id != operation.request_id
        and (its.backend, its.scope or its.id) == (mine.backend, mine.scope or mine.id)
        and not other.idempotent
        and all(other.params.get(name) == operation.params.get(name) for name in compared)
    )


def lost_but(result: Unknown, back: LookBack) -> str:
    """How the effect of a call was found whose answer was lost or not usable."""
    told_nothing = result.code in (ServerError.code, BadReply.code, Redirected.code)
    return sentences("The answer was not usable" if told_nothing else "The answer was lost", back.evidence)


def after_look_back(result: Unknown, back: LookBack, advice: str) -> Outcome:
    """Done if it was found, failed if it is absent after an error; otherwise unknown, with what was seen."""
    if back.found is not None:
        return back.found.model_copy(update={"summary": sentences(back.found.summary, lost_but(result, back))})
    summary = sentences(result.summary, back.evidence)
    if back.absent and result.code in (ServerError.code, Redirected.code):
        return Failed(code=result.code, summary=summary, hint=result.hint)
    first = back.hint or ("" if advice else "Check the control plane before you run it again.")
    return result.model_copy(update={"summary": summary, "hint": sentences(first, result.hint or advice)})
