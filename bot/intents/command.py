"""A command in words: resolved, authorized, confirmed where it is dangerous, approved where the rules say so, run."""

from __future__ import annotations

from bot.core.command.capability import Risk
from bot.core.errors import BadRequest, Problem
from bot.core.intent import Command, Door, Intent
from bot.core.operation import Operation
from bot.core.policy.decide import Denied
from bot.features import approvals
from bot.features.access.breakglass import perform
from bot.features.builtins import answer
from bot.features.forms.parameter_form import unfit_buttons
from bot.features.pauses.pause import check_pause
from bot.features.preflight import ask as preflight
from bot.features.replies import refusal
from bot.operations.authorize import Ruling, authorize, hidden, not_admitted
from bot.operations.backend_call import against
from bot.operations.execute import refuse_unsent
from bot.operations.resolve import Resolved, resolve
from bot.runtime.context import Deps


async def command(deps: Deps, intent: Intent, ask: Command) -> None:
    """Everything that can be typed comes through here, from whatever door."""
    if await _is_for_the_desk(deps, intent, ask):
        await answer(deps, intent, ask)
        return
    try:
        resolved = await resolve(deps, intent, ask)
        check_pause(resolved.row, resolved.operation, deps.clock.now(), deps.zone)
    except Problem as trouble:
        refused = await not_admitted(deps, intent) or await _out_of_sight(deps, intent, ask)
        if refused is not None:  # an outsider's guess is not answered with the names that it is near to
            await refusal.turned_away(deps, intent, ask, refused)
        else:
            await refusal.problem(deps, intent, trouble, more=unfit_buttons(deps, intent, ask, trouble.code))
        return
    ruling = await authorize(deps, intent, resolved.operation, resolved.row)
    if ruling.denied:
        buttons = approvals.ask_buttons(deps, intent, resolved.operation, ruling)
        await refusal.denied(deps, intent, resolved.operation, ruling, buttons)
        return
    try:
        misfit = await against(deps, resolved.operation)
    except Problem as trouble:
        await refusal.problem(deps, intent, trouble, resolved.operation)
        return
    if misfit is not None:
        await refuse_unsent(deps, intent, resolved.operation, ruling, misfit)
        return
    await proceed(deps, intent, resolved, ruling)


async def _out_of_sight(deps: Deps, intent: Intent, ask: Command) -> Denied | None:
    return None if ask.target is None else await hidden(deps, intent, ask.target)


async def proceed(deps: Deps, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """What was not denied: shown first when dangerous, put to approvers when the rule says so, else run."""
    if resolved.operation.risk is Risk.DANGER and intent.door is Door.STEP:
        await refusal.problem(deps, intent, _needs_a_person(resolved.operation), resolved.operation)
    elif resolved.operation.risk is Risk.DANGER:
        await preflight.ask(deps, intent, resolved, ruling)
    elif ruling.needs_approval:
        await approvals.request(deps, intent, resolved, ruling)
    else:
        await perform(deps, intent, resolved, ruling)


def _needs_a_person(operation: Operation) -> BadRequest:
    return BadRequest(
        f"`{operation.verb}` is dangerous: a person has to look at what will happen first, and a workflow cannot press `Run it`.",
        "Type the command in the channel.",
        "needs_person",
    )


async def _is_for_the_desk(deps: Deps, intent: Intent, ask: Command) -> bool:
    """A built-in verb; one that a backend has too (`status`, `health`) belongs to the backend once there is a target."""
    if deps.catalog.builtin(ask.verb) is None:
        return False
    if not deps.catalog.rows(ask.verb):
        return True
    if ask.target is not None:
        backend, _, path = ask.target.partition(":")
        return not path and not _row_on_backend_itself(deps, ask.verb, backend)
    if intent.place.thread_ts is None:
        return True
    return await deps.store.thread_target(intent.place.channel_id, intent.place.thread_ts) is None


def _row_on_backend_itself(deps: Deps, verb: str, backend: str) -> bool:
    """Whether `backend:` alone is a target of that verb, as for an agent that is its own control plane."""
    rows = deps.catalog.backends.get(backend)
    if rows is None:
        return False
    kind = rows.default_target
    return not kind.example and deps.catalog.row(backend, verb, kind.name) is not None
