"""One call to a control plane, under its deadline, and what every problem with it means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.errors import (
    Ambiguous,
    BadReply,
    BadRequest,
    CallProblem,
    CredentialRefused,
    Lost,
    NoSuchTarget,
    NotSent,
    Problem,
    RateLimited,
    Rejected,
    ServerError,
)
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Refused, Unknown
from bot.core.ports.services import Backend, Clock, Ids, SlackFile, SlackFiles, Spool
from bot.features.pauses.pause import ends_at, note_was_on
from bot.operations import cards
from bot.runtime.context import Context

Told = Callable[[str], Awaitable[None]]
Noted = Callable[[Sequence[Target]], Awaitable[None]]
AnyOutcome = Done | Refused | Failed | Unknown

EVENTS: Final = {"done": Event.DONE, "refused": Event.FAILED, "failed": Event.FAILED, "unknown": Event.UNKNOWN}


@dataclass(frozen=True, slots=True)
class OneCall:
    """Implements core.ports.Call for one operation of one person in one channel."""

    clock: Clock
    ids: Ids
    spool: Spool
    files: SlackFiles
    channel_id: str
    user_id: str
    tell: Told
    note: Noted
    ends: datetime | None = None

    async def progress(self, text: str) -> None:
        """Show how far it is."""
        await self.tell(text)

    async def file(self, file_id: str) -> SlackFile:
        """A file that was attached in this channel or by this person."""
        return await self.files.open(file_id, self.channel_id, self.user_id)

    async def note_enabled(self, targets: Sequence[Target]) -> None:
        """Remember what is about to be switched off."""
        await self.note(targets)


async def call(ctx: Context, intent: Intent, operation: Operation, backend: Backend) -> AnyOutcome:
    """One call under its deadline; whatever goes wrong is an outcome."""

    async def tell(text: str) -> None:
        await ctx.presenter.show(cards.working(operation, intent, text))

    async def note(targets: Sequence[Target]) -> None:
        await note_was_on(ctx, operation.request_id, targets)

    channel, user = intent.place.channel_id, intent.actor.user_id
    try:
        ends = ends_at(operation, ctx.clock.now(), ctx.zone)
        parts = OneCall(ctx.clock, ctx.ids, ctx.spool, ctx.files, channel, user, tell, note, ends)
        with ctx.tasks.outside():
            async with asyncio.timeout(operation.deadline):
                return await backend.run(operation, parts)
    except TimeoutError:
        return outcome_of(Lost(f"No answer within {operation.deadline:g} s.", code="deadline"), operation)
    except Problem as problem:
        return outcome_of(problem, operation)


def outcome_of(problem: Problem, operation: Operation) -> AnyOutcome:
    """What a problem means for this operation: the one place that decides between refused, failed and unknown."""
    code, summary, hint = problem.code, problem.summary, problem.hint
    if isinstance(problem, NotSent):
        return Failed(code=code, summary=summary, hint=hint, sent=False)
    if isinstance(problem, CredentialRefused | RateLimited):
        return Failed(
            code=code, summary=summary, hint=hint or "It was turned away before anything was done; ask again later."
        )
    if isinstance(problem, Rejected | NoSuchTarget | BadRequest | Ambiguous):
        return Refused(code=code, summary=summary, hint=hint)
    if operation.risk is not Risk.READ:
        if isinstance(problem, Lost) and operation.repeat_safe:
            return Unknown(
                code=code, summary=summary, hint=hint or "It ends in the same state when you ask for it again."
            )
        if isinstance(problem, Lost | BadReply | ServerError) and not operation.repeat_safe:
            return Unknown(code=code, summary=summary, hint=hint)
    return Failed(code=code, summary=summary, hint=hint, sent=isinstance(problem, CallProblem))


async def against(ctx: Context, operation: Operation) -> Refused | None:
    """What the target has against it, as the call itself would answer; raises Problem where nobody can tell."""
    try:
        with ctx.tasks.outside():
            return await ctx.backends[operation.target.backend].check(operation)
    except Problem as problem:
        found = outcome_of(problem, operation)
        if isinstance(found, Refused):
            return found
        raise
