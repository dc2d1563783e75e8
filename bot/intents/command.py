"""A command in words: resolved, authorized, confirmed where it is dangerous, approved where the rules say so, run."""

from __future__ import annotations

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.command.until import ends_at
from bot.core.effects import Attempt, Ruling
from bot.core.errors import BadRequest, Problem
from bot.core.intent import LATE, Command, Doubt, Intent, Source
from bot.core.operation import Operation
from bot.core.policy.decide import Denied
from bot.features import approvals
from bot.features.builtins import answer
from bot.features.forms.parameter_form import unfit_buttons
from bot.features.preflight import ask as preflight
from bot.features.replies import refusal
from bot.operations.authorize import authorize, hidden, not_admitted
from bot.operations.backend_call import check
from bot.operations.completion import finish
from bot.operations.execute import execute
from bot.operations.resolve import Resolved, resolve
from bot.runtime.context import Context


async def command(ctx: Context, intent: Intent, ask: Command) -> None:
    """Everything that can be typed comes through here, from whatever door."""
    if await _is_for_the_desk(ctx, intent, ask):
        builtin = ctx.catalog.builtin(ask.verb)
        if builtin is not None and builtin.risk is not Risk.READ and is_late(ctx, intent):
            await refusal.set_aside(ctx, intent, Doubt.LATE, ask)
        else:
            await answer(ctx, intent, ask)
        return
    try:
        resolved = await resolve(ctx, intent, ask)
        if resolved.row.pausable:
            ends_at(resolved.operation, ctx.clock.now(), ctx.zone)
    except Problem as trouble:
        refused = await not_admitted(ctx, intent) or await _out_of_sight(ctx, intent, ask)
        if refused is not None:  # an outsider's guess is not answered with the names that it is near to
            await refusal.turned_away(ctx, intent, ask, refused)
        else:
            await refusal.problem(ctx, intent, trouble, more=unfit_buttons(ctx, intent, ask, trouble.code))
        return
    ruling = await authorize(ctx, intent, resolved.operation, resolved.row)
    if ruling.denied:
        buttons = approvals.ask_buttons(ctx, intent, resolved.operation, ruling)
        await refusal.denied(ctx, intent, resolved.operation, ruling, buttons)
        return
    try:
        misfit = await check(ctx, resolved.operation)
    except Problem as trouble:
        await refusal.problem(ctx, intent, trouble, resolved.operation)
        return
    if misfit is not None:
        attempt = Attempt(intent, resolved.operation, ruling, began=ctx.clock.monotonic())
        await finish(ctx, attempt, misfit, Event.FAILED)
        return
    await proceed(ctx, intent, resolved, ruling)


async def _out_of_sight(ctx: Context, intent: Intent, ask: Command) -> Denied | None:
    return None if ask.target is None else await hidden(ctx, intent, ask.target)


async def proceed(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """What was not denied: shown first when it is dangerous or late, put to approvers when the rule says so, else run."""
    late = resolved.operation.risk is not Risk.READ and is_late(ctx, intent)
    shown_first = (resolved.operation.risk is Risk.DANGER or late) and not intent.confirmed
    if shown_first and intent.source is Source.STEP:
        await refusal.problem(ctx, intent, _needs_a_person(resolved.operation, late=late), resolved.operation)
    elif shown_first:
        await preflight.ask(ctx, intent, resolved, ruling)
    elif ruling.needs_approval:
        await approvals.request(ctx, intent, resolved, ruling)
    else:
        await execute(ctx, Attempt(intent, resolved.operation, ruling))


def is_late(ctx: Context, intent: Intent) -> bool:
    """Whether the person asked so long ago that a change is confirmed first."""
    return intent.age(ctx.clock.now()) > LATE


def _needs_a_person(operation: Operation, *, late: bool) -> BadRequest:
    why = "Slack delivered this request late" if late else f"`{operation.verb}` is dangerous"
    return BadRequest(
        f"{why}: a person has to look at what will happen first, and a workflow can't press `Run it`.",
        "Type the command in the channel.",
        "needs_person",
    )


async def _is_for_the_desk(ctx: Context, intent: Intent, ask: Command) -> bool:
    """A built-in verb; one that a backend has too (`status`, `health`) belongs to the backend once there is a target."""
    if ctx.catalog.builtin(ask.verb) is None:
        return False
    if not ctx.catalog.rows(ask.verb):
        return True
    if ask.target is not None:
        backend, _, path = ask.target.partition(":")
        return not path and not _row_on_backend_itself(ctx, ask.verb, backend)
    if intent.place.thread_ts is None:
        return True
    return await ctx.store.thread_target(intent.place.channel_id, intent.place.thread_ts) is None


def _row_on_backend_itself(ctx: Context, verb: str, backend: str) -> bool:
    """Whether `backend:` alone is a target of that verb, as for an agent that is its own control plane."""
    rows = ctx.catalog.backends.get(backend)
    if rows is None:
        return False
    kind = rows.default_target
    return not kind.example and ctx.catalog.row(backend, verb, kind.name) is not None
