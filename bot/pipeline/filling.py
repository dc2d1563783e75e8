"""A form made from what the control plane says of one target's parameters, for who does not know their names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.card import Button, FormField, FormView
from bot.core.grammar import format_command, parse_target
from bot.core.intent import Command, Form, Intent
from bot.core.operation import Operation
from bot.core.params import Param, ParamType
from bot.core.problems import Problem
from bot.core.rows import stamp
from bot.core.value import Json
from bot.pipeline import cards
from bot.pipeline.deps import Deps
from bot.pipeline.resolve import find_target
from bot.pipeline.say import say

TAG: Final = "fill1"
FORM: Final = "fill"
WITHIN: Final = 2.0  # the modal has to be open within three seconds
MOST_FIELDS: Final = 40
_TYPES: Final = {
    ParamType.CHOICE: "choice",
    ParamType.BOOLEAN: "flag",
    ParamType.INTEGER: "number",
    ParamType.JSON: "lines",
}


async def fill_buttons(deps: Deps, intent: Intent, operation: Operation, code: str) -> tuple[Button, ...]:
    """`Fill in`, when parameters did not fit and the control plane describes them."""
    if code not in ("bad_parameter", "missing_parameter") or not await fields_of(deps, operation):
        return ()
    means: dict[str, Json] = {
        "tag": TAG,
        "verb": operation.verb,
        "target": cards.written(operation.target),
        "reason": operation.reason,
    }
    me = intent.actor.user_id
    return (Button(label="Fill in", action="fill", id=deps.ids.secret(), style="primary", means=means, only_user=me),)


async def fields_of(deps: Deps, operation: Operation) -> Sequence[Param]:
    """What the control plane says of the target's parameters; nothing when it does not answer in time."""
    try:
        async with asyncio.timeout(WITHIN):
            return await deps.backends[operation.target.backend].form(operation.target)
    except (TimeoutError, Problem):
        return ()


async def open_fill(deps: Deps, intent: Intent, means: Mapping[str, Json]) -> None:
    """Open the form; what was typed before is gone, what has a default stands there."""
    command = Command(verb=str(means.get("verb")), target=str(means.get("target")))
    try:
        async with asyncio.timeout(WITHIN):
            params = await _params(deps, command)
    except (TimeoutError, Problem):
        params = ()
    token = deps.ids.secret()
    kept: dict[str, Json] = {
        "user": intent.actor.user_id,
        "place": intent.place.model_dump(mode="json"),
        "verb": command.verb,
        "target": command.target,
        "reason": means.get("reason"),
    }
    await deps.store.set_fact(f"form:{token}", kept, stamp(deps.clock.now()))
    title = f"{command.verb} {command.target}"
    view = FormView(form=FORM, token=token, title=title, submit="Go", fields=tuple(_field(param) for param in params))
    trigger = intent.reply.trigger_id
    if not params or trigger is None or not await deps.presenter.open_form(trigger, view):
        await say(deps, intent, f"The form could not be opened. Type `{deps.command} {format_command(command)} ...`.")
        return
    await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))


async def _params(deps: Deps, command: Command) -> Sequence[Param]:
    ref = parse_target(command.target or "", deps.catalog)
    if isinstance(ref, str):
        return ()
    target = await find_target(deps, ref, command)
    return (await deps.backends[target.backend].form(target))[:MOST_FIELDS]


def _field(param: Param) -> FormField:
    return FormField(
        name=param.name,
        label=param.name.partition(".")[2] or param.name,
        type=_TYPES.get(param.type, "text"),
        hint=param.help,
        optional=not param.required,
        initial=None if param.default is None else cards.value_text(param.default),
        choices=param.choices,
    )


def filled(ask: Form, kept: Mapping[str, Json]) -> Command:
    """The command that the form stands for."""
    pairs = tuple(
        (name, value if isinstance(value, str) else ",".join(value)) for name, value in ask.values.items() if value
    )
    reason = kept.get("reason")
    return Command(
        verb=str(kept.get("verb")),
        target=str(kept.get("target")),
        params=pairs,
        reason=reason if isinstance(reason, str) else None,
    )
