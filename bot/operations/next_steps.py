"""Next steps -> buttons: only what this person may do, each with an opaque id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.core.card import Button
from bot.core.command.capability import Capability
from bot.core.command.catalog import check_params
from bot.core.command.parser import parse_target
from bot.core.errors import BadRequest
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Suggestion
from bot.core.policy.decide import Denied, decide
from bot.operations.authorize import asked, facts, grants_of
from bot.operations.cards import LABELS, command_means, refresh_means
from bot.runtime.context import Context

MOST = 5


async def buttons_for(
    ctx: Context,
    intent: Intent,
    operation: Operation,
    suggestions: Sequence[Suggestion],
    *,
    about: Target,
    refresh: bool,
) -> tuple[Button, ...]:
    """At most five: the adapter's suggestions that the rules allow here, and Refresh when there is something to look at."""
    may = await _ruled(ctx, intent, about) if suggestions else None
    out = [
        Button(
            label=_label(suggestion),
            action=f"do_{suggestion.verb.replace(' ', '_')}",
            id=ctx.ids.secret(),
            style="danger" if suggestion.verb == "stop" else None,
            means=command_means(suggestion.verb, suggestion.target, suggestion.params),
        )
        for suggestion in suggestions
        if may is not None and suggestion.verb != "status" and may(suggestion)
    ]
    if refresh:
        out.append(
            Button(label="Refresh", action="refresh", id=ctx.ids.secret(), means=refresh_means(operation.request_id))
        )
    return tuple(out[:MOST])


def _label(suggestion: Suggestion) -> str:
    """The label that a verb always has; behind it, which of several things is meant."""
    usual = LABELS.get(suggestion.verb, suggestion.label)
    return suggestion.label if suggestion.label.startswith(f"{usual} ") else usual


async def _ruled(ctx: Context, intent: Intent, about: Target) -> Callable[[Suggestion], bool]:
    """Whether the rules let this person do it to the thing that the card is about; decided again when it is pressed.

    What the rules need to know is read once for all suggestions.
    """
    policy, subject, where = await facts(ctx, intent.actor, intent.place)
    grants = await grants_of(ctx, intent.actor, intent.place)

    def may(suggestion: Suggestion) -> bool:
        found = _suggested(ctx, intent, suggestion, about)
        if found is None:
            return False
        row, operation = found
        return not isinstance(decide(policy, **asked(ctx, row, operation, subject, where, grants)), Denied)

    return may


def _suggested(
    ctx: Context, intent: Intent, suggestion: Suggestion, about: Target
) -> tuple[Capability, Operation] | None:
    """The row and the operation of a suggestion; None when it does not fit what is declared."""
    ref = parse_target(suggestion.target, ctx.catalog)
    if isinstance(ref, str):
        return None
    kind, _ = ctx.catalog.split_path(ref.backend, ref.path)
    kind = kind or ctx.catalog.backends[ref.backend].default_target.name
    row = ctx.catalog.row(ref.backend, suggestion.verb, kind)
    if row is None:
        return None
    try:
        given = check_params(row.params, suggestion.params)
        operation = Operation.of(row, request_id=intent.request_id, target=about, given=given, reason=None)
    except BadRequest:
        return None
    return row, operation
