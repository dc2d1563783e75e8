"""One call to a backend within its timeout, and the outcome for each problem."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core import errors
from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.command.until import ends_at
from bot.core.effects import Attempt
from bot.core.operation import Operation, Target
from bot.core.outcome import NOT_LISTED, Failed, Outcome, Phase, Refused, Unknown
from bot.core.ports.services import CHANGES, Changes, Clock, Ids, SlackFile, Spool
from bot.core.text import sentences
from bot.operations import cards
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

CHECK_WITHIN: Final = 6.0
LATELY: Final = timedelta(minutes=15)  # longer than a backend's clock may be behind
SAME_STATE: Final = "You can run it again: it ends in the same state."
_NOTHING_DONE: Final = "Nothing was done. Try again later."
_log = logging.getLogger("signalbox.backend_call")
EVENTS: Final = {"done": Event.DONE, "refused": Event.FAILED, "failed": Event.FAILED, "unknown": Event.UNKNOWN}


def enabled_key(request_id: str) -> str:
    """Where the store keeps what was switched on before the call of a request."""
    return f"was_on:{request_id}"


@dataclass(frozen=True, slots=True)
class OneCall:
    """Implements core.ports.Call for one operation. `ends` is the moment of its `for=` or `until=`."""

    ctx: Context
    attempt: Attempt
    ends: datetime | None
    clock: Clock
    ids: Ids
    spool: Spool

    async def progress(self, text: str) -> None:
        """Show the progress. The end of a pause and a Refresh have no card for it. A store that is away doesn't end the call."""
        if self.attempt.pause is None and self.attempt.refreshes is None:
            with suppress(errors.Problem):
                await self.ctx.presenter.show(cards.working(self.attempt.operation, self.attempt.intent, text))

    async def file(self, file_id: str) -> SlackFile:
        """A file that was attached in this channel or by this person."""
        intent = self.attempt.intent
        return await self.ctx.files.open(file_id, intent.place.channel_id, intent.actor.user_id)

    async def claimed(self) -> frozenset[str]:
        """What other requests made on this backend lately."""
        return await claimed(self.ctx, self.attempt.operation, self.ctx.clock.now())

    async def note_enabled(self, targets: Sequence[Target]) -> None:
        """Store what the call switches off, once: when the call is repeated after a restart, everything is already off."""
        key = enabled_key(self.attempt.operation.request_id)
        try:
            if await self.ctx.store.value(key) is None:
                kept = [target.model_dump(mode="json") for target in targets]
                await self.ctx.store.set_value(key, kept, self.ctx.clock.now())
        except errors.Problem as problem:
            raise errors.NotSent(problem.summary, problem.hint, problem.code) from problem


async def claimed(ctx: Context, operation: Operation, sent_at: datetime) -> frozenset[str]:
    """What other requests made on the operation's backend, since shortly before it was sent. Waits for the store."""
    request, backend = operation.request_id, operation.target.backend
    return await until_stored(
        ctx.clock, f"request {request}", lambda: ctx.store.made_by_others(request, backend, sent_at - LATELY)
    )


async def call(ctx: Context, attempt: Attempt, *, again: bool = False) -> Outcome:
    """The outcome of one call within its timeout, whatever goes wrong. `again`: an earlier one may have had its effect, so a
    refusal does not mean that nothing was done, except at the end of a pause: there may be nothing left to end."""
    result = await _call(ctx, attempt, again=again)
    if not again or not isinstance(result, Refused | Failed):
        return result
    if attempt.pause is not None if isinstance(result, Refused) else not result.nothing_done:
        return result
    told = sentences("The bot stopped while it was sending this, and could not send it again", result.summary)
    hint = "" if result.hint == _NOTHING_DONE else result.hint
    return Unknown(code=errors.Lost.code, summary=told, hint=hint)


async def _call(ctx: Context, attempt: Attempt, *, again: bool) -> Outcome:
    operation, changes = attempt.operation, Changes(begun=again)
    token = CHANGES.set(changes)
    try:
        async with asyncio.timeout(operation.timeout):
            with faults(operation):
                ends = ends_at(operation, attempt.intent.at, ctx.clock.now(), ctx.zone)
                given = OneCall(ctx, attempt, ends, ctx.clock, ctx.ids, ctx.spool)
                return await ctx.backends[operation.target.backend].run(operation, given)
    except TimeoutError:
        late = errors.Lost(f"No answer within {operation.timeout:g} s.", code="deadline")
        return outcome_of(ctx, late, operation, begun=changes.begun)
    except errors.Problem as problem:
        return outcome_of(ctx, problem, operation, begun=changes.begun)
    finally:
        CHANGES.reset(token)


@contextmanager
def faults(operation: Operation) -> Iterator[None]:
    """Log a fault of the bot in a call that changes something, or in the look at its effect, and raise it as a problem."""
    try:
        yield
    except (errors.Problem, TimeoutError):
        raise
    except Exception as error:
        if operation.risk is Risk.READ:
            raise
        fault = type(error).__name__
        _log.error("request %s broke: %s", operation.request_id, fault, exc_info=_log.isEnabledFor(logging.DEBUG))
        raise errors.Problem(f"The bot has a fault ({fault}).", code="internal") from None


def same_again(ctx: Context, operation: Operation) -> str:
    """The advice to run it again, where a new request for it does no more than this one; otherwise empty."""
    target = operation.target
    capability = ctx.catalog.capability(target.backend, operation.verb, target.kind)
    adds = capability is None or (capability.adds and not operation.given.get("id"))
    return SAME_STATE if operation.idempotent and not adds else ""


def outcome_of(ctx: Context, problem: errors.Problem, operation: Operation, *, begun: bool = True) -> Outcome:
    """The outcome of a problem for this operation. Only this function decides between refused, failed and unknown. What failed is
    offered once more, so a call that may have had its effect is unknown, unless a new request for it does no more. One in which
    no change has `begun` had none."""
    code, summary, hint = problem.code, problem.summary, problem.hint
    if isinstance(problem, errors.NotSent):
        return Failed(code=code, summary=summary, hint=hint, sent=False)
    if isinstance(problem, errors.Forbidden):
        return Refused(code=code, summary=summary, hint=hint)
    if isinstance(problem, errors.CredentialRefused | errors.RateLimited):
        return Failed(code=code, summary=summary, hint=hint or _NOTHING_DONE)
    if isinstance(problem, errors.Rejected | errors.NoSuchTarget | errors.BadRequest | errors.Ambiguous):
        return Refused(code=code, summary=summary, hint=hint)
    if operation.risk is not Risk.READ:
        if not begun:
            summary = sentences("Nothing was done: a step before the change failed", summary)
            return Failed(code=errors.NotSent.code, summary=summary, hint=hint, sent=False)
        vague = isinstance(problem, errors.BadReply | errors.ServerError) or code == errors.Redirected.code
        if isinstance(problem, errors.Lost) or (vague and not same_again(ctx, operation)):
            return Unknown(code=code, summary=summary, hint=hint)
        if not isinstance(
            problem, errors.CallProblem
        ):  # of the store, for example: before or after the request was sent
            return Unknown(code=code, summary=summary, hint=hint)
    return Failed(code=code, summary=summary, hint=hint, sent=isinstance(problem, errors.CallProblem))


async def check(ctx: Context, operation: Operation) -> Refused | None:
    """The refusal that the call would get, None when it would be accepted. Raises Problem when the backend can't tell."""
    try:
        refused = await ctx.backends[operation.target.backend].check(operation)
    except errors.Problem as problem:
        found = outcome_of(ctx, problem, operation)
        if isinstance(found, Refused):
            return found
        raise
    if refused is not None and refused.code == NOT_LISTED and await _awaited(ctx, operation.target):
        return None
    return refused


async def _awaited(ctx: Context, target: Target) -> bool:
    """Whether the bot started it and the backend doesn't list it yet."""
    return any(
        (watch.backend, watch.target.id) == (target.backend, target.id)
        and (watch.view is None or watch.view.phase is Phase.WAITING)
        for watch in await ctx.store.open_watches()
    )


async def unfit(ctx: Context, operation: Operation) -> str | None:
    """Why the call would be refused now, None when it would be accepted or the backend does not answer in time."""
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            refused = await check(ctx, operation)
    except (TimeoutError, errors.Problem):
        return None
    return refused.summary if refused is not None else None
