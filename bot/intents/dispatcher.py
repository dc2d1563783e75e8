"""One request from its acceptance to its end. Catches everything that the call to a backend doesn't catch itself."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from bot.core.approval import Approval
from bot.core.effects import Attempt
from bot.core.intent import Command, Doubt, Due, Form, Intent, Open, ParseError, Press
from bot.features import approvals, preflight
from bot.features.access import breakglass, grant_end
from bot.features.pauses.resume import resume
from bot.intents.button import press
from bot.intents.command import doubted, run_command, run_misread
from bot.intents.form import opened, submitted
from bot.operations.authorize import rules_and_person
from bot.operations.execute import lock_of, target_lock
from bot.operations.interrupted import end_unknown, last_words
from bot.operations.reconcile import is_undecided
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

LOOK_AGAIN: Final = 0.5  # seconds until it is looked again whether a call is decided
URGENT_VERBS: Final = frozenset({"stop", "revoke", "breakglass"})


async def due(ctx: Context, intent: Intent, what: Due) -> None:
    """End it, or remind of it."""
    if what.what == "pause":
        if await _pause_over(ctx, intent, what.row):
            return
    elif what.what == "grant":
        if (grant := await ctx.store.grant_by_id(what.row)) is not None:
            await grant_end.expire(ctx, intent, grant)
    else:
        await until_stored(ctx.clock, f"{what.what} {what.row}", partial(_pending_due, ctx, intent, what))
    await ctx.store.finish(intent.request_id, (), ctx.clock.now())


async def _pause_over(ctx: Context, intent: Intent, pause_id: str) -> bool:
    """False when the pause is no longer open: an operation in progress, or one that recovery decides, may end or replace it."""
    while (pause := await ctx.store.pause_by_id(pause_id)) is not None:
        async with lock_of(ctx, pause.target):
            undecided, pause = await is_undecided(ctx, pause.target), await ctx.store.pause_by_id(pause_id)
            if pause is None or pause.state != "open":
                return False
            if not undecided:
                await resume(ctx, intent, pause)
                return True
        await ctx.clock.sleep(LOOK_AGAIN)
    return False


async def _pending_due(ctx: Context, intent: Intent, what: Due) -> None:
    """Remind of a pending decision or end it; whoever repeats the end completes what an earlier try left."""
    pending = await ctx.store.open_pending(what.row)
    if pending is None or pending.state not in ("open", "expired"):
        return
    approval, reminds = Approval.of(pending), what.what == "remind"
    if reminds:
        if approval is not None and pending.state == "open":
            await approvals.remind(ctx, approval)
    elif approval is not None:
        await approvals.expire(ctx, approval)
    elif pending.kind == breakglass.KIND:
        await breakglass.nag(ctx, intent, pending)
    elif pending.operation is not None:
        await preflight.expire(ctx, pending)


def ends_things(intent: Intent) -> bool:
    """Whether it is a command that stops something."""
    return isinstance(intent.payload, Command) and intent.payload.verb in URGENT_VERBS


def is_urgent(intent: Intent) -> bool:
    """Whether it skips the queue: decisions, modals (their trigger is valid for 3 s), timers, and stopping commands."""
    return ends_things(intent) or not isinstance(intent.payload, Command | ParseError)


async def handle(ctx: Context, intent: Intent) -> None:
    """Handle a request that is marked as begun."""
    await guarded(ctx, intent, partial(_dispatch, ctx, intent))


async def guarded(ctx: Context, intent: Intent, work: Callable[[], Awaitable[None]]) -> None:
    """Work on a request. Every exception ends in a recorded outcome, also one in the recovery of a call."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001  a request must end in a recorded outcome
        await until_stored(ctx.clock, f"request {intent.request_id}", partial(_broken, ctx, intent, error))


async def _broken(ctx: Context, intent: Intent, error: Exception) -> None:
    request, what = await ctx.store.request(intent.request_id), intent.payload
    pause = await ctx.store.pause_by_id(what.row) if isinstance(what, Due) else None
    over = isinstance(what, Due) and (pause is None or pause.state != "open")
    if request is None or request.state != "sending" or request.operation is None or over:
        await last_words(ctx, intent, error)
        return
    async with target_lock(ctx, request.operation):
        await end_unknown(ctx, Attempt(intent, request.operation, pause=pause), error)


async def _dispatch(ctx: Context, intent: Intent) -> None:
    payload = intent.payload
    if intent.doubt is not None and not await _posts_for_itself(ctx, intent):
        await doubted(ctx, intent, intent.doubt)
    elif isinstance(payload, Command):
        await run_command(ctx, intent, payload)
    elif isinstance(payload, ParseError):
        await run_misread(ctx, intent, payload)
    elif isinstance(payload, Press):
        await press(ctx, intent, payload, lambda part: ctx.tasks.start(handle(ctx, part), part.request_id))
    elif isinstance(payload, Form):
        await submitted(ctx, intent, payload)
    elif isinstance(payload, Open):
        await opened(ctx, intent, payload)
    elif isinstance(payload, Due):
        await due(ctx, intent, payload)


async def _posts_for_itself(ctx: Context, intent: Intent) -> bool:
    """Whether an app posted the text under its own name: then the rules decide about it as about any bot that they name."""
    if intent.doubt is not Doubt.BY_APP:
        return False
    _, subject = await rules_and_person(ctx, intent.actor)
    return subject.known and subject.is_bot
