"""The built-in command `audit`: search the audit log."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.core.audit_search import OPENINGS, asked_in, asks_for_questions, called, searches, without_words
from bot.core.card import Line
from bot.core.command.params import as_typed, duration_text
from bot.core.command.target_ref import quote
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.outcome import Table
from bot.core.policy.decide import why_not_administrator
from bot.core.records import NAME_KEY, Filters, StoredEntry, newest_of, stamp
from bot.core.text import person_in, plural
from bot.features.builtins.activity import asker
from bot.features.builtins.audit import (
    FAR,
    IN_ONE,
    MOST_LISTED,
    PAGE,
    named_in,
    newest_told,
    none_found,
    readable,
    row,
    sentence,
)
from bot.features.replies.answer import reply, say_buttons
from bot.operations.authorize import rules_and_person
from bot.runtime.context import Context

_IN_TABLE = 14  # entries in a table; more don't fit into a message with times and people as elements
_SHORT = 80  # characters of a detail in paragraphs
_REQUEST = re.compile(r"r-[0-9a-z]{14}")


async def audit(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Entries of this channel, newest first; for administrators those of every channel."""
    policy, subject = await rules_and_person(ctx, intent.actor)
    everywhere = why_not_administrator(policy, subject, ctx.home_team) is None
    names = await ctx.store.values(NAME_KEY)
    user = _person(given["user"], names) if given.get("user") is not None else None
    # A mention among the words is whose entries are wanted. `WARN` is a word, although an id may look like it.
    mentioned = [word for word in ask.words if word.startswith("<@") and user is None][:1]
    words = [word for at, word in enumerate(ask.words) if word not in mentioned and (at or word != "search")]
    if (first := " ".join(words).partition(" ")[0]) in ("verify", "export"):
        where = f"`audit {first}` works in the terminal, where the bot is installed: `signalbox audit {first}`."
        raise BadRequest(where, f"`{ctx.command} audit {first}*` searches for the word.", "bad_parameter")
    who = user or person_in(next(iter(mentioned), None))
    asked = asked_in(words, {} if who else names)
    who, since = who or asked.user, given.get("since") or asked.since
    text = " ".join(filter(None, (asked.text, given.get("target"))))
    incident = given.get("incident")
    opened = await ctx.store.search(OPENINGS, limit=PAGE) if text or incident else ()
    known = (str(entry.incident) for entry in opened)
    incident = next((one for one in known if incident and one.casefold() == incident.casefold()), incident)
    filters = Filters(
        channel_id=None if everywhere else intent.place.channel_id,
        user_id=who,
        event=given.get("event"),
        incident=incident,
        since=stamp(ctx.clock.now() - timedelta(seconds=since)) if since else None,
        request_id=text if _REQUEST.fullmatch(text) else None,
        text=None if text == "*" or _REQUEST.fullmatch(text) else text or None,
    )
    most = (count := given["count"]) + 2  # its own request, and one that shows that there are more
    both = (True,) if asks_for_questions(filters) else (False, True)
    entries, far, more = list[StoredEntry](), "", False
    for questions in both:
        found = [await newest_told(ctx, one, most, intent, questions=questions) for one in searches(filters, opened)]
        newest = newest_of([one for one, _ in found], most)
        entries = [entry for entry in newest if entry.request_id != intent.request_id]
        far, more = FAR.format(ctx.command) if any(cut for _, cut in found) else "", len(entries) > count
        if entries:
            break
    where = f"{f'what <@{who}> did, ' if who else ''}{'every' if everywhere else 'this'} channel"
    nothing = not entries or (len(both) == 2 and questions)
    shown = await readable(ctx, intent, entries[:count])
    instead = _instead(filters, since) if nothing else ()
    if entries and nothing:
        far = f"Only questions and searches match. {far}".rstrip()
    note = _searched(filters, since) if nothing else ""
    await _show(ctx, intent, f"Audit log, {where}", shown, far, more=more, note=note, instead=instead)


def _person(typed: str, names: Mapping[str, object]) -> str:
    """The id of a person: from a mention, an id, or a name that the bot has seen."""
    ids = [known] if (known := person_in(typed)) is not None else called(typed, names)
    if len(ids) != 1:
        what = f"Several people are called {as_typed(typed)}." if ids else f"`user={typed}` is not a person."
        raise BadRequest(what, "Write a mention, or an id like U0ANA.", "bad_parameter")
    return ids[0]


def _searched(filters: Filters, since: int | None) -> str:
    """Which words and filters were searched; empty without any."""
    parts = [as_typed(filters.text)] if filters.text else []
    parts += [f"`event={filters.event}`"] if filters.event else []
    parts += [f"`incident={filters.incident}`"] if filters.incident else []
    parts += [f"<@{filters.user_id}>"] if filters.user_id else []
    parts += [f"the last `{duration_text(since)}`"] if since else []
    return f"Searched for: {', '.join(parts)}." if parts else ""


def _instead(filters: Filters, since: int | None) -> tuple[str, ...]:
    """The search without the words, but for an event among them, and that for everything."""
    event = filters.event or without_words(filters)
    parts = [f"user=<@{filters.user_id}>"] if filters.user_id else []
    parts += [f"event={event}"] if event else []
    parts += [f"incident={quote(filters.incident)}"] if filters.incident else []
    parts += [f"since={duration_text(since)}"] if since else []
    own = bool(filters.text) and filters.text != event
    return (*([" ".join(["audit", *parts])] if own and parts else []), *(["audit"] if parts or own else []))


async def _show(
    ctx: Context,
    intent: Intent,
    title: str,
    entries: Sequence[StoredEntry],
    far: str,
    *,
    more: bool,
    note: str = "",
    instead: Sequence[str] = (),
) -> None:
    """A table that can be sorted; more than fit into one are paragraphs, which a phone wraps. `far`: how far was looked. `more`:
    older entries match too."""
    left = len(entries) - MOST_LISTED
    if left > 0:
        older = plural(left, "older entry", "older entries")
        far = f"{'More than ' * more}{older}: `signalbox audit search` lists all. {far}".rstrip()
    elif more:
        longer = f"add `count={MOST_LISTED}`, or use `signalbox audit search`."
        far = f"Older entries match too: {longer if left else '`signalbox audit search` lists all.'}"
    if len(entries) <= _IN_TABLE:
        rows = tuple(
            (what, event, at, asker(entry), detail, seq)
            for entry in entries
            for seq, at, _, event, what, _, _, detail in (row(entry),)
        )
        table = Table(columns=("What", "Event", "When", "Who", "Detail", "Seq"), rows=rows) if rows else None
        told = [Line(text=" ".join(part for part in (far if rows else none_found(far), note) if part))]
        buttons = await say_buttons(ctx, intent, instead, told)
        await reply(ctx, intent, title, lines=told, table=table, buttons=buttons, mention=named_in([title, note]))
        return
    texts = [f"{entry.seq} · {sentence(ctx, entry, _SHORT)}" for entry in entries[:MOST_LISTED]]
    lines = [Line(text="\n".join(texts[at : at + IN_ONE])) for at in range(0, len(texts), IN_ONE)]
    lines.append(Line(text=far))
    await reply(ctx, intent, title, lines=tuple(lines), mention=named_in([title, *texts]))
