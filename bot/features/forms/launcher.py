"""The launcher: a modal that makes the same command as typing does. `Fill in` opens it for a command whose parameters don't fit.

Verb and target are live fields: a change of one redraws the modal with the parameters of that command and with what
sending it will do.
"""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.card import Button, Choices, FormField, FormView, Line
from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.lexer import unescape
from bot.core.command.params import ParamType
from bot.core.command.parser import parse
from bot.core.command.until import with_moments
from bot.core.effects import NOTHING, Attempt, Consequences, OfRefusals
from bot.core.errors import BadRequest
from bot.core.intent import Actor, Command, Form, FormChange, Intent, Open, Place, Source
from bot.core.masking.redact import is_secret, redact
from bot.core.outcome import Outcome, Refused
from bot.core.value import Json
from bot.features.favourites import last_channel
from bot.features.forms import fields, menus
from bot.features.forms.opened import keep, kept_of, open_form, place_of
from bot.features.forms.prospect import Prospect, capability_of, misfit, prospect
from bot.operations import cards
from bot.operations.authorize import catalog_of
from bot.runtime.context import Context

FORM: Final = "launcher"
FILL_TAG: Final = "fill1"
MOST_FIELDS: Final = 40
# Codes of problems with parameters; `bad_request` is an adapter's, for those that contradict each other.
_UNFIT: Final = frozenset({"bad_parameter", "missing_parameter", "unknown_parameter", "reason_missing", "bad_request"})
_PARAM: Final = "param:"  # before the names of the fields of parameters


@dataclass(frozen=True, slots=True)
class Draft:
    """What the modal holds. `asks_channel`: Slack named none when it was opened, so the modal has a field for it."""

    token: str
    command: Command
    asks_channel: bool = False

    @property
    def kept(self) -> dict[str, Json]:
        """What the store remembers of it, for type-ahead and for the next change."""
        command = self.command
        return {
            "verb": command.verb,
            "target": command.target or "",
            "files": list(command.files),
            "asks_channel": self.asks_channel,
        }


def command_in(catalog: Catalog, verbs: Container[str], text: str) -> Command | None:
    """The command in the text of a message, None when it is not one of these verbs."""
    read_as = parse(text, catalog) if text.strip() else None
    return read_as if isinstance(read_as, Command) and read_as.verb in verbs else None


def drafted(opening: Open, token: str, known: Command | None, named: str | None, *, asks_channel: bool) -> Draft:
    """The modal as it opens. A message that is a command fills the form as it is. Another one fills in the target that it
    names (`named`), and its text as the reason, unless the bot wrote it."""
    if known is None:
        words = "" if opening.own else " ".join(unescape(opening.text).split())
        known = Command(verb="", target=named, reason=words)
    return Draft(token, known.model_copy(update={"files": opening.files}), asks_channel)


class FormEffect(OfRefusals[Context]):
    """`Fill in` on what the backend or its adapter refused because of its parameters."""

    async def after_outcome(self, ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Consequences:
        """The button, when there are fields to fill in."""
        done = attempt.operation
        capability = ctx.catalog.capability(done.target.backend, done.verb, done.target.kind)
        if not isinstance(result, Refused) or result.code not in _UNFIT or capability is None or not capability.params:
            return NOTHING
        target = cards.written(done.target)
        command = Command(verb=done.verb, target=target, params=done.words, reason=done.reason, files=done.files)
        return Consequences(buttons=(_fill_button(ctx, attempt.intent, command),))


def unfit_buttons(ctx: Context, intent: Intent, command: Command, code: str) -> tuple[Button, ...]:
    """`Fill in` for parameters that do not fit the declared ones."""
    capability = capability_of(ctx.catalog, command)
    if code not in _UNFIT or capability is None or not (capability.params or capability.reason_required):
        return ()
    return (_fill_button(ctx, intent, command),)


def _fill_button(ctx: Context, intent: Intent, command: Command) -> Button:
    stored = _without_secrets(ctx, command).model_dump(mode="json")
    means: dict[str, Json] = {"tag": FILL_TAG, "verb": command.verb, "target": command.target, "command": stored}
    me = intent.actor.user_id
    return Button(label="Fill in", action="fill", id=ctx.ids.secret(), style="primary", means=means, only_user=me)


def _without_secrets(ctx: Context, command: Command) -> Command:
    """What a modal shows again of a command, and a button keeps for it: no parameter with a secret, and the reason with secrets
    masked. What a person has typed into the modal stays there when it is drawn again."""
    safe = tuple(pair for pair in command.params if not is_secret(pair, ctx.secrets))
    reason = redact(command.reason, ctx.secrets)[0] if command.reason else command.reason
    return command.model_copy(update={"params": safe, "reason": reason})


async def fill_in(ctx: Context, intent: Intent, means: Mapping[str, Json]) -> None:
    """Open the modal with what was typed before."""
    await launch(ctx, intent, Draft(ctx.ids.secret(), Command.stored(means.get("command"))))


async def launch(ctx: Context, intent: Intent, draft: Draft) -> None:
    """Open the modal. Where it asks for the channel, the one in which the person used the target, or any, last is chosen."""
    place, target, chosen = intent.place, draft.command.target, dict[str, Json]()
    if draft.asks_channel and (used := await last_channel(ctx, intent.actor.user_id, target)):
        place, chosen = place.model_copy(update={"channel_id": used, "chosen": True}), {"chosen": used}
    form = await view(ctx, intent.actor, place, draft)
    seen = await catalog_of(ctx, intent.actor, intent.place)
    kept: dict[str, Json] = {**draft.kept, **chosen, "backends": sorted(seen.backends)}
    await open_form(ctx, intent, form, kept, f"Type `{ctx.command} help` instead.")


async def view(ctx: Context, actor: Actor, place: Place, draft: Draft) -> FormView:
    """The modal: verb, target, channel if needed, the parameters of the command, reason, and what sending it will do."""
    command = draft.command
    found = await prospect(ctx, _as_intent(ctx, actor, place), command) if command.verb else Prospect("")
    shown = [
        FormField(
            name="verb", label="What to do", type="verb", optional=False, initial=command.verb or None, live=True
        ),
        FormField(
            name="target",
            label="Target",
            type="target",
            hint="Type any part of its name.",
            optional=not command.verb,
            initial=command.target or None,
            live=True,
        ),
    ]
    if draft.asks_channel:
        channel = place.channel_id or None
        shown.append(
            FormField(name="channel", label="Channel", type="channel", optional=False, initial=channel, live=True)
        )
    again = _without_secrets(ctx, command)
    params = fields.fields_for(found.capability, found.described, again.params, ctx.zone)[: MOST_FIELDS - len(shown)]
    params = [field.model_copy(update={"name": f"{_PARAM}{field.name}"}) for field in params]
    optional = found.capability is None or not found.capability.reason_required
    reason = FormField(name="reason", label="Reason", type="text", initial=again.reason or None, optional=optional)
    shown += [*(one for one in params if not one.optional), reason, *(one for one in params if one.optional)]
    return FormView(
        form=FORM,
        token=draft.token,
        title="Signalbox",
        submit=found.submit,
        lines=(Line(text=f"{len(command.files)} file(s) of the message go with it."),) if command.files else (),
        fields=tuple(shown),
        outlook=(Line(heading="What will happen", text=found.says),) if found.says else (),
        mention=found.mention,
    )


def _as_intent(ctx: Context, actor: Actor, place: Place) -> Intent:
    """The request that the modal would make, for questions about it. It is not stored."""
    now = ctx.clock.now()
    ask = Open(what=FORM)
    return Intent(request_id="", dedupe_key="", actor=actor, place=place, source=Source.MODAL, at=now, payload=ask)


async def changed(ctx: Context, change: FormChange) -> None:
    """Remember the change, so that type-ahead knows it, and redraw the modal in the background."""
    kept = await kept_of(ctx, change.actor, change.form.token)
    if kept is None:
        return
    draft = _draft(ctx.catalog, change.form, kept)
    place = place_of(kept, change.form)
    chosen = place.channel_id if place.chosen else ""
    await keep(ctx, draft.token, {**kept, **draft.kept, "chosen": chosen, "ts": change.ts})
    ctx.tasks.start(_redraw(ctx, change, place, draft), f"form {change.view_id}")


async def _redraw(ctx: Context, change: FormChange, place: Place, draft: Draft) -> None:
    """Draw the newest change. If an older one was drawn meanwhile, Slack refuses the hash, and this one is drawn over it."""
    form = await view(ctx, change.actor, place, draft)
    async with ctx.locks.of(f"form:{draft.token}"):  # without it, a slow call of an older change could arrive last
        for view_hash in (change.view_hash, ""):
            kept = await kept_of(ctx, change.actor, draft.token)
            if kept is None or kept.get("ts") != change.ts:
                return
            if await ctx.presenter.update_form(change.view_id, view_hash, form):
                return


async def suggest(ctx: Context, actor: Actor, place: Place, typed: str, *, menu: str, token: str) -> Sequence[Choices]:
    """The options of a menu of the modal, for what is chosen in its other fields."""
    kept = await kept_of(ctx, actor, token) or {}
    if kept:
        place = place_of(kept)
    if menu == "verb":
        return await menus.verbs(ctx, actor, place, _str(kept.get("target")), typed)
    return await menus.targets(ctx, actor, place, _str(kept.get("verb")), typed)


def _draft(catalog: Catalog, form: Form, kept: Mapping[str, Json]) -> Draft:
    """The state of the modal. Parameters are taken as text: they are checked when it is submitted."""
    files = kept.get("files")
    params = [
        (name.removeprefix(_PARAM), _str(value)) for name, value in form.values.items() if name.startswith(_PARAM)
    ]
    command = Command(
        verb=_str(form.values.get("verb")),
        target=_str(form.values.get("target")) or None,
        params=tuple(params),
        reason=_str(form.values.get("reason")) or None,
        files=tuple(str(file) for file in files) if isinstance(files, list) else (),
    )
    return Draft(form.token, menus.on_its_run(catalog, command), kept.get("asks_channel") is True)


def read(ctx: Context, intent: Intent, form: Form, kept: Mapping[str, Json]) -> Command | dict[str, str]:
    """The command, or what is wrong at each field, all at once.

    A target on a backend that the person could not see when the modal opened has no errors here, whether it exists or not:
    such a form was not filled in by its menus, and it is answered as the typed command is.
    """
    catalog = ctx.catalog
    command, backends = _draft(catalog, form, kept).command, kept.get("backends")
    if not command.target:
        return {"target": f"{command.verb} needs a target."}
    if not isinstance(backends, list) or command.target.partition(":")[0] not in backends:
        return command
    if (why := misfit(catalog, command)) is not None:
        supported = catalog.capabilities(command.verb, command.target.partition(":")[0])
        return {"target" if supported else "verb": why}
    capability = capability_of(catalog, command)
    if capability is None:
        return {"target": "This target doesn't fit."}
    pairs, errors = _params(capability, form)
    errors |= _bad_times(ctx, intent, capability, pairs)
    if capability.reason_required and not (command.reason or "").strip():
        errors["reason"] = f"{command.verb} needs a reason."
    if errors:
        return errors
    command = command.model_copy(update={"params": pairs})
    try:
        files = command.files if capability.takes_files else ()
        capability.asked(check_params(capability.params, command.params), command.reason, files)
    except BadRequest as problem:
        return {_field_of(capability, form, problem.summary): problem.summary}
    return command


def _params(capability: Capability, form: Form) -> tuple[fields.Pairs, dict[str, str]]:
    values = {name.removeprefix(_PARAM): value for name, value in form.values.items() if name.startswith(_PARAM)}
    maps = {param.name for param in capability.params if param.type is ParamType.MAP}
    known = {param.name for param in capability.params}
    strange = [name for name in values if name not in known and name.partition(".")[0] not in maps and "*" not in maps]
    pairs, errors = fields.read(
        capability.params, {name: value for name, value in values.items() if name not in strange}
    )
    errors |= {name: f"{capability.verb} has no {name}. Empty this field." for name in strange}
    return pairs, {f"{_PARAM}{name}": text for name, text in errors.items()}


def _bad_times(ctx: Context, intent: Intent, capability: Capability, pairs: fields.Pairs) -> dict[str, str]:
    """What is wrong at each field that takes a time to come."""
    errors: dict[str, str] = {}
    for pair in pairs:
        try:
            with_moments(capability.params, (pair,), ctx.zone, intent.asked_at)
        except BadRequest as problem:
            errors[f"{_PARAM}{pair[0]}"] = problem.summary
    return errors


def _field_of(capability: Capability, form: Form, says: str) -> str:
    """The filled field that a problem of the whole command names first, else the verb."""
    declared = {param.name for param in capability.params}
    named = (match[1] for match in re.finditer(r"`([\w.-]+)", says) if match[1] in declared)
    return next((f"{_PARAM}{name}" for name in named if f"{_PARAM}{name}" in form.values), "verb")


def _str(value: object) -> str:
    if isinstance(value, list):
        return str(value[0]) if value else ""
    return value if isinstance(value, str) else ""
