"""Find out whether a call whose answer was lost took effect: by reads alone, never by sending it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bot.core.errors import BadReply, CallProblem, Problem, Redirected, Rejected, ServerError
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Failed, LookBack, Outcome, Unknown, made_by
from bot.core.ports.services import Backend
from bot.core.records import stamp
from bot.core.text import sentences
from bot.operations import cards
from bot.operations.backend_call import claimed
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

LOOK_BACK_SECONDS = 30.0  # for all reads together
LOOK_AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0)  # seconds between two reads, while a later one may show more


def looking() -> str:
    """The card's status meanwhile, with how long it takes."""
    seconds = round(sum(LOOK_AGAIN_AFTER))
    return f"No usable answer. Not sending it again; checking whether it took effect, for about {seconds} s"


async def read_back(
    ctx: Context, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime, result: Unknown
) -> Outcome:
    """The outcome that the backend shows. It stays unknown when the backend can't tell. How a run was found stays on its card."""
    back = await _looks(ctx, intent, operation, backend, sent_at)
    after = after_look_back(result, back)
    if back.found is not None and back.found.run is not None:
        await ctx.store.set_value(cards.note_key(operation.request_id), lost_but(result, back), stamp(ctx.clock.now()))
    return after


async def _looks(ctx: Context, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime) -> LookBack:
    """Whether it happened. Reads are repeated for a while where that may help: a queued start may still begin.

    After a takeover many calls are looked up. The wait for others doesn't count as a wait for the backend.
    """
    back, left = LookBack(evidence="The control plane did not answer the check."), LOOK_BACK_SECONDS
    for pause in (0.0, *LOOK_AGAIN_AFTER):
        if pause:
            await ctx.presenter.show(cards.working(operation, intent, looking()))
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
        back = await backend.look_back(operation, sent_at, await claimed(ctx, operation, sent_at))
    except Problem as problem:
        again = isinstance(problem, CallProblem) and not isinstance(problem, Rejected)
        return LookBack(evidence=sentences(f"The control plane could not be checked: {problem.summary}"), again=again)
    made = made_by(operation, back.found) if back.found is not None else ()
    if not made:
        return back
    request = operation.request_id
    open_calls = await until_stored(ctx.clock, f"request {request}", ctx.store.being_sent)
    rivals = [one.request_id for one in open_calls if _may_have_made(one, operation, back.compared)]
    claim = partial(ctx.store.claim_made, request, backend.name, made, ctx.clock.now())
    if not rivals and await until_stored(ctx.clock, f"request {request}", claim):
        return back
    other = f"{', '.join(rivals)} waits" if rivals else "Another request looked"
    seen = f"{', '.join(made)} may be this one, but {other} for the same."
    return LookBack(evidence=sentences(back.evidence, seen), again=True, hint="Check which of them took effect.")


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


def after_look_back(result: Unknown, back: LookBack) -> Outcome:
    """Done if it was found, failed if it is absent after an error; otherwise unknown, with what was seen."""
    if back.found is not None:
        return back.found.model_copy(update={"summary": sentences(back.found.summary, lost_but(result, back))})
    summary = sentences(result.summary, back.evidence)
    if back.absent and result.code in (ServerError.code, Redirected.code):
        return Failed(code=result.code, summary=summary, hint=result.hint)
    hint = sentences(back.hint, result.hint) or "Check the control plane before you start it again."
    return result.model_copy(update={"summary": summary, "hint": hint})
