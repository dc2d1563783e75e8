"""Answers for one person that end a request."""

import re
from collections.abc import Container, Sequence
from itertools import takewhile
from typing import Any, Final

from bot.all_of import both
from bot.core.audit import AuditEntry
from bot.core.card import Button, Line, Tone
from bot.core.command.builtins import Takes
from bot.core.command.lexer import unescape
from bot.core.command.parser import format_command, parse
from bot.core.command.until import with_moments
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.masking.redact import with_name
from bot.core.outcome import Table
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

MOST_NEAR: Final = 4
PRESS_AGAIN: Final = "Slack delivered this press late, so it doesn't count. Press again if you still mean it."
_MENTIONED: Final = re.compile(r"<@([UW][A-Z0-9]+)>")
_LIVE: Final = re.compile(r"<[@#]([CGUW][A-Z0-9]+)>")
_CODE: Final = re.compile(r"(`[^`]*`)")
ONCE: Final = "once"
_MENTIONING: Final = (8, 800)  # rows, and characters in them, of a table that is surely no code
LONGEST_BUTTON: Final = 70  # characters: a button must show all of what it does


async def say(
    ctx: Context,
    intent: Intent,
    text: str,
    *people: str,
    entries: Sequence[AuditEntry] = (),
    tone: Tone = Tone.WARN,
    replace: bool = False,
    **parts: Any,
) -> None:
    """End the request with these audit entries and a card for the requester alone, in which `people` may be named.

    `replace` puts it over the message that was pressed; `parts` are further parts of the card. Both are written at once, in
    this order, so that the end of the program between them does not leave a request without an answer.
    """
    mention = tuple(dict.fromkeys((intent.actor.user_id, *people))) if people else ()
    text, status = await _named_in_code(ctx, text), await _named_in_code(ctx, parts.pop("status", ""))
    card = cards.private(intent, text, tone=tone, **{"mention": mention, "status": status, **parts})
    await both(
        ctx.store.finish(intent.request_id, entries, ctx.clock.now()),
        ctx.presenter.show(card, intent.reply, replace=replace),
    )


async def reply(ctx: Context, intent: Intent, title: str, **parts: Any) -> None:
    """A card for the requester alone. `parts` are further parts of the card."""
    await ctx.presenter.show(cards.private(intent, title, **parts), intent.reply)


async def reply_in_thread(ctx: Context, intent: Intent, title: str, **parts: Any) -> None:
    """The same for who asked in a thread and doesn't see the card, which is in the channel."""
    if intent.place.aside.thread_ts is not None:
        await reply(ctx, intent, title, **parts)


def clean(ctx: Context, text: str) -> str:
    """The text of a message with secrets masked."""
    return AuditWriter(ctx.secrets).clean(text, 40_000) or ""


async def shown_as(ctx: Context, command: str) -> str:
    """The command with secrets masked. The name of a target that a control plane has is not one, whatever it looks like."""
    masked = clean(ctx, command)
    read = parse(command, ctx.catalog) if masked != command else None
    target = read.target if isinstance(read, Command) else None
    known = await ctx.target_cache.known((target or "").partition(":")[0]) if target else ()
    return with_name(masked, command, target) if target in [cards.written(one) for one, _ in known] else masked


def command_button(
    ctx: Context, intent: Intent, text: str, *, label: str = "", confirm: str | None = None, once: bool = False
) -> Button:
    """A button that runs this command as if the person had typed it. `once`: the message is over when it is pressed."""
    return Button(
        label=label or text,
        action="say",
        id=ctx.ids.secret(),
        confirm=confirm,
        only_user=intent.actor.user_id,
        means=cards.say_means(text) | ({ONCE: True} if once else {}),
    )


def lasting(ctx: Context, intent: Intent, text: str, *, reader: str = "") -> str:
    """The command as a button keeps it, with the instant for each time: pressed a day later, `18:00` would be another one. It is
    on the clock of the zone `reader`, where one is given."""
    read = parse(text, ctx.catalog) if "until" in text else None
    if not isinstance(read, Command):
        return text
    backend = (read.target or "").partition(":")[0]
    declared = ctx.catalog.params(read.verb, backend)
    try:
        params = with_moments(declared, read.params, ctx.zone, intent.asked_at, reader=reader)
    except BadRequest:  # which a press says as well
        return text
    return text if params == read.params else format_command(read.model_copy(update={"params": params}))


def to_copy(ctx: Context, intent: Intent, text: str) -> str:
    """The command as a text, which Slack doesn't adapt: it has the instant for each time, on the clock of its reader."""
    return lasting(ctx, intent, text, reader=str(ctx.directory.zone(intent.actor.user_id) or ctx.zone))


async def say_buttons(ctx: Context, intent: Intent, commands: Sequence[str], lines: list[Line]) -> tuple[Button, ...]:
    """Buttons for up to four commands. One that is too long, lacks its reason, or has a secret, which a button would keep, goes
    into the lines, as a person types it; with a person, who has to be mentioned, it is not code."""
    texts = [lasting(ctx, intent, one) for one in commands[:MOST_NEAR]]
    shown = [(text, await shown_as(ctx, text), await named(ctx, text)) for text in texts]
    why = {text: " -- why" if _lacks_reason(ctx, text) else "" for text in texts}
    short = {
        text
        for text, masked, label in shown
        if masked == text and max(len(text), len(label)) <= LONGEST_BUTTON and not why[text]
    }
    lines += [
        Line(
            heading="Type",
            text=f"{ctx.command} {to_copy(ctx, intent, masked)}{why[text]}",
            code=_MENTIONED.search(text) is None,
        )
        for text, masked, _ in shown
        if text not in short
    ]
    return tuple(command_button(ctx, intent, text, label=label) for text, _, label in shown if text in short)


def named_in(lines: Sequence[Line], text: str = "") -> list[str]:
    """The people and channels that these texts mention outside of code."""
    return [one for part in (text, *(line.text for line in lines)) for one in _LIVE.findall(_CODE.sub("", part))]


def _lacks_reason(ctx: Context, text: str) -> bool:
    """Whether it is a built-in command that is complete but for its reason, for which it has no form."""
    read = parse(text, ctx.catalog)
    builtin = ctx.catalog.builtin(read.verb) if isinstance(read, Command) and not read.reason else None
    bare = builtin is not None and builtin.takes is Takes.WORDS and " " not in text
    return builtin is not None and builtin.reason_required and not bare


async def named(ctx: Context, text: str, *, live: Container[str] = ()) -> str:
    """The text with the names of the people that it mentions, but for the `live` ones: Slack shows no mention on a button or in
    code."""
    names = await ctx.directory.names({one for one in _MENTIONED.findall(text) if one not in live})
    return _MENTIONED.sub(lambda at: at[0] if at[1] in live else f"@{names.get(at[1], at[1])}", text)


async def with_names(ctx: Context, table: Table) -> Table:
    """The table; a long one, which may be shown as code, with names in place of mentions."""
    most, characters = _MENTIONING
    if len(table.rows) <= most and sum(len(cell) for row in table.rows for cell in row) <= characters:
        return table
    rows = [tuple([await named(ctx, cell) for cell in row]) for row in table.rows]
    return table.model_copy(update={"rows": tuple(rows)})


async def _named_in_code(ctx: Context, text: str) -> str:
    return "".join([await named(ctx, part) if part[:1] == "`" else part for part in _CODE.split(text)])


def as_typed(intent: Intent) -> str:
    """The words before the parameters and the reason, as they were typed: a name reads the same whether it exists or not."""
    words = unescape(intent.typed).replace("`", "").partition("--")[0].split()
    return " ".join(takewhile(lambda word: "=" not in word, words))[:LONGEST_BUTTON]
