"""The launcher: a modal that makes the same command as typing does."""

from __future__ import annotations

from collections.abc import Container

from bot.core.card import FormField, FormView, Line
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.lexer import unescape
from bot.core.command.parser import format_command, parse, parse_target
from bot.core.errors import BadRequest
from bot.core.intent import Command, Form, Open, ParseError

FORM = "launcher"


def command_in(catalog: Catalog, verbs: Container[str], text: str) -> Command | None:
    """The command in the text of a message, None when it is not one of these verbs."""
    read = parse(text, catalog) if text.strip() else None
    return read if isinstance(read, Command) and read.verb in verbs else None


def view(
    catalog: Catalog, verbs: tuple[str, ...], ask: Open, token: str, channel_known: bool, named: str | None = None
) -> FormView:
    """Verb, target, parameters, reason; the channel too when the shortcut carries none.

    A message that is a command fills the form as it is. Another one fills in the target that it names (`named`), and its
    text as the reason, unless the bot wrote it.
    """
    known = command_in(catalog, verbs, ask.text)
    words = "" if ask.own else " ".join(unescape(ask.text).split())
    reason = known.reason if known is not None else words or None
    fields = [
        FormField(
            name="verb",
            label="What to do",
            type="choice",
            optional=False,
            choices=verbs[:100],
            initial=known.verb if known else None,
        ),
        FormField(
            name="target",
            label="Target",
            type="target",
            hint="backend:path; type part of the name",
            initial=known.target if known else named,
        ),
        FormField(
            name="params",
            label="Parameters",
            type="lines",
            hint="key=value, one per line or separated by spaces",
            initial=_params_text(known) if known else None,
        ),
        FormField(name="reason", label="Reason", type="text", initial=reason),
    ]
    if not channel_known:
        fields.append(FormField(name="channel", label="Channel", type="channel", optional=False))
    lines = (Line(text=f"{len(ask.files)} file(s) of the message go with it."),) if ask.files else ()
    return FormView(form=FORM, token=token, title="Signalbox", submit="Go", lines=lines, fields=tuple(fields))


def _params_text(command: Command) -> str:
    bare = command.model_copy(update={"target": None, "reason": None})
    return format_command(bare).removeprefix(command.verb).strip()


def read(catalog: Catalog, form: Form, files: tuple[str, ...]) -> Command | dict[str, str]:
    """The command, or what is wrong at each field."""
    verb, target = _text(form, "verb"), _text(form, "target")
    text = " ".join([verb, target, " ".join(_text(form, "params").split())]).strip()
    parsed = parse(text, catalog, files)
    if isinstance(parsed, ParseError):
        where = "target" if target and isinstance(parse_target(target, catalog), str) else "params"
        return {where: parsed.problem}
    rows = catalog.rows(parsed.verb, target.partition(":")[0] or None)
    if rows and not target:
        return {"target": f"{parsed.verb} needs a target."}
    if target and not rows and catalog.builtin(parsed.verb) is None:
        return {"verb": f"{target.partition(':')[0]} has no {parsed.verb}."}
    reason = _text(form, "reason") or None
    problems = []
    for _, row in rows:
        try:
            row.asked(check_params(row.params, parsed.params), reason, files if row.takes_files else ())
        except BadRequest as problem:
            problems.append(problem.summary)
    if rows and len(problems) == len(rows):
        return {"params": problems[0]}
    if rows and all(row.reason_required for _, row in rows) and not reason:
        return {"reason": f"{parsed.verb} needs a reason."}
    return parsed.model_copy(update={"reason": reason})


def _text(form: Form, name: str) -> str:
    value = form.values.get(name)
    if isinstance(value, list):
        return value[0] if value else ""
    return value or ""
