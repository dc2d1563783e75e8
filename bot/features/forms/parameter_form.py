"""`Fill in`: a form for the parameters of a command, for people who do not know their names or got one wrong.

Its fields are the parameters that the capability declares, and those that the control plane describes for this target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.core.card import Button, FormField, FormView, Line
from bot.core.command.capability import Capability
from bot.core.command.params import Param
from bot.core.command.parser import format_command, parse_target
from bot.core.effects import NOTHING, Attempt, Consequences, OfRefusals
from bot.core.errors import Problem
from bot.core.intent import Command, Form, Intent
from bot.core.masking.redact import redact
from bot.core.operation import Operation
from bot.core.outcome import Outcome, Refused
from bot.core.value import Json
from bot.features.forms import fields
from bot.features.forms.opened import open_form
from bot.features.replies.answer import say
from bot.operations import cards
from bot.operations.resolve import find_target
from bot.runtime.context import Context

TAG: Final = "fill1"
FORM: Final = "fill"
REASON: Final = "--"  # the field of the reason; no parameter can have that name
WITHIN: Final = 2.0  # the modal has to be open within three seconds
MOST_FIELDS: Final = 40
UNFIT: Final = frozenset({"bad_parameter", "missing_parameter", "unknown_parameter", "reason_missing"})
REFUSED: Final = UNFIT | {"bad_request"}  # an adapter's code for parameters that contradict each other


class FormEffect(OfRefusals[Context]):
    """`Fill in` on what the backend or its adapter refused because of its parameters."""

    async def after_outcome(self, ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Consequences:
        """The button, when there are fields to fill in."""
        operation = attempt.operation
        if not isinstance(result, Refused) or result.code not in REFUSED:
            return NOTHING
        capability = ctx.catalog.row(operation.target.backend, operation.verb, operation.target.kind)
        schema = result.code in UNFIT and bool(await fields_of(ctx, operation))
        if not schema and (capability is None or not capability.params):
            return NOTHING
        command = Command(
            verb=operation.verb,
            target=cards.written(operation.target),
            params=operation.words,
            reason=operation.reason,
            files=operation.files,
        )
        return Consequences(buttons=(_button(ctx, attempt.intent, command, schema=schema),))


def unfit_buttons(ctx: Context, intent: Intent, command: Command, code: str) -> tuple[Button, ...]:
    """`Fill in` for parameters that do not fit the declared ones. The rules have not decided, so no control plane is asked."""
    capability = capability_of(ctx, command)
    if code not in REFUSED or capability is None or not (capability.params or capability.reason_required):
        return ()
    return (_button(ctx, intent, command, schema=False),)


def _button(ctx: Context, intent: Intent, command: Command, *, schema: bool) -> Button:
    """The form shows the typed values again, except secrets: those are not stored."""
    kept = [[name, value] for name, value in command.params if not redact(f"{name}={value}", ctx.secrets)[1]]
    means: dict[str, Json] = {
        "tag": TAG,
        "verb": command.verb,
        "target": command.target,
        "reason": command.reason,
        "schema": schema,
        "params": [list(pair) for pair in kept],
        "files": list(command.files),
    }
    me = intent.actor.user_id
    return Button(label="Fill in", action="fill", id=ctx.ids.secret(), style="primary", means=means, only_user=me)


async def fields_of(ctx: Context, operation: Operation) -> Sequence[Param]:
    """The parameters that the control plane describes for the target; empty when it does not answer in time."""
    try:
        async with asyncio.timeout(WITHIN):
            return await ctx.backends[operation.target.backend].form(operation.target)
    except (TimeoutError, Problem):
        return ()


async def open_fill(ctx: Context, intent: Intent, means: Mapping[str, Json]) -> None:
    """Open the form with what was typed before."""
    command = _command(means)
    own = await _described(ctx, command) if means.get("schema", True) else ()
    shown = _fields(capability_of(ctx, command), own, command)
    kept: dict[str, Json] = {
        "verb": command.verb,
        "target": command.target,
        "reason": command.reason,
        "files": list(command.files),
    }
    words = format_command(command.model_copy(update={"params": (), "reason": None}))
    if not shown:
        await say(ctx, intent, f"There is nothing to fill in. Type `{ctx.command} {words} ...`.")
        return
    form = FormView(
        form=FORM,
        token=ctx.ids.secret(),
        title=command.verb,
        submit="Go",
        lines=(Line(text=words, code=True),),
        fields=shown,
    )
    await open_form(ctx, intent, form, kept, f"Type `{ctx.command} {words} ...`.")


def _command(means: Mapping[str, Json]) -> Command:
    """The command of a button or of an opened form; those of an earlier version have no parameters and no files."""
    target, reason, params, files = (means.get(name) for name in ("target", "reason", "params", "files"))
    pairs = (
        [(str(pair[0]), str(pair[1])) for pair in params if isinstance(pair, list)] if isinstance(params, list) else []
    )
    return Command(
        verb=str(means.get("verb")),
        target=target if isinstance(target, str) else None,
        params=tuple(pairs),
        reason=reason if isinstance(reason, str) else None,
        files=tuple(str(file) for file in files) if isinstance(files, list) else (),
    )


def capability_of(ctx: Context, command: Command) -> Capability | None:
    """The capability of the command, as far as its text alone determines it: a selector picks a run, whatever its kind."""
    if command.target is None:
        found = [capability for _, capability in ctx.catalog.rows(command.verb)]
        return found[0] if len(found) == 1 else None
    ref = parse_target(command.target, ctx.catalog)
    if isinstance(ref, str):
        return None
    if meant := ctx.catalog.meant(command.verb, ref):
        return meant[0]
    found = [capability for _, capability in ctx.catalog.rows(command.verb, ref.backend)]
    return found[0] if len(found) == 1 and ref.selector is None else None


async def _described(ctx: Context, command: Command) -> Sequence[Param]:
    ref = parse_target(command.target or "", ctx.catalog)
    if isinstance(ref, str):
        return ()
    try:
        async with asyncio.timeout(WITHIN):
            target = await find_target(ctx, ref, command)
            return await ctx.backends[target.backend].form(target)
    except (TimeoutError, Problem):
        return ()


def _fields(capability: Capability | None, own: Sequence[Param], command: Command) -> tuple[FormField, ...]:
    """The fields of the parameters, and of the reason when a required one is missing."""
    found = fields_for(capability, own, command.params)
    if capability is not None and capability.reason_required and not command.reason:
        found.append(FormField(name=REASON, label="Reason", type="text", optional=False))
    return tuple(found[:MOST_FIELDS])


def fields_for(capability: Capability | None, own: Sequence[Param], typed: fields.Pairs) -> list[FormField]:
    """The fields. A parameter that the control plane describes replaces the declared `param.NAME=` that it belongs to."""
    covered = {param.name.partition(".")[0] for param in own}
    params = [param for param in capability.params if param.name not in covered] if capability is not None else []
    values = dict(typed)
    found = [
        fields.described(param.model_copy(update={"default": values.get(param.name, param.default)})) for param in own
    ]
    return found + [fields.declared(param, typed) for param in params]


def check(ctx: Context, form: Form, kept: Mapping[str, Json]) -> dict[str, str]:
    """What is wrong at each field of a form that came back."""
    capability = capability_of(ctx, _command(kept))
    return fields.read(capability.params if capability is not None else (), _without_reason(form))[1]


def filled(ctx: Context, form: Form, kept: Mapping[str, Json]) -> Command:
    """The command that the form stands for."""
    command = _command(kept)
    capability = capability_of(ctx, command)
    pairs, _ = fields.read(capability.params if capability is not None else (), _without_reason(form))
    reason = form.values.get(REASON)
    return command.model_copy(
        update={"params": pairs, "reason": reason if isinstance(reason, str) and reason else command.reason}
    )


def _without_reason(form: Form) -> fields.Values:
    return {name: value for name, value in form.values.items() if name != REASON}
