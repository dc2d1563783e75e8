"""The built-in commands `audit` and `timeline`: search the audit log, and report an incident."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.core.audit import Event
from bot.core.card import Delivery, Line
from bot.core.command.capability import Risk
from bot.core.intent import Command, Intent, Place
from bot.core.outcome import FileOut, Table
from bot.core.policy.decide import why_not_administrator
from bot.core.records import Filters, StoredEntry, stamp
from bot.core.safe_csv import csv_text
from bot.core.text import plural, utc_text
from bot.core.value import canonical
from bot.features import incidents
from bot.features.incidents import Incident
from bot.operations import cards
from bot.operations.authorize import facts
from bot.runtime.context import Context

_COLUMNS = ("Seq", "When", "Who", "Event", "What", "Detail")
_PAGE = 500
_MOST = 5_000
_OUTCOMES = frozenset({Event.DONE, Event.FAILED, Event.UNKNOWN})
_REQUEST = re.compile(r"r-[0-9a-z]{14}")
_PERSON = re.compile(r"<?@?([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>?")


async def audit(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Entries of this channel, newest first; for administrators those of every channel."""
    policy, subject, _ = await facts(ctx, intent.actor, intent.place)
    everywhere = why_not_administrator(policy, subject, ctx.home_team) is None
    person = _PERSON.fullmatch(str(given.get("user") or ""))
    since = given.get("since")
    text = " ".join([*ask.words, str(given.get("target") or "")]).strip()
    filters = Filters(
        channel_id=None if everywhere else intent.place.channel_id,
        user_id=person.group(1) if person else None,
        since=stamp(ctx.clock.now() - timedelta(seconds=since)) if isinstance(since, int) else None,
        request_id=text if _REQUEST.fullmatch(text) else None,
        text=None if _REQUEST.fullmatch(text) else text or None,
    )
    entries = await ctx.store.search(filters, limit=given["count"])
    where = "every channel" if everywhere else "this channel"
    await _show(ctx, intent, f"Audit log, {where}", entries)


async def timeline(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """What happened in this channel, oldest first. While an incident is open here, what belongs to it."""
    incident = await incidents.open_in(ctx.store, intent.place) if not dict(ask.params).get("since") else None
    if incident is not None:
        oldest_first = await of_incident(ctx, incident)
        title = f"Timeline of {incident.name} since {utc_text(incident.opened_at)}"
    else:
        start = ctx.clock.now() - timedelta(seconds=given["since"])
        filters = Filters(channel_id=intent.place.channel_id, since=stamp(start))
        oldest_first = list(reversed(await ctx.store.search(filters, limit=200)))
        title = f"Timeline since {utc_text(start)}"
    shown = moves(ctx, oldest_first)
    note = f"{plural(len(oldest_first) - len(shown), 'more entry', 'more entries')} (reads and intermediate steps) in the files."
    await _show(ctx, intent, title, shown, note if len(shown) < len(oldest_first) else "")
    if oldest_first:
        name = incident.name if incident is not None else "this channel"
        await deliver(ctx, intent, oldest_first, name=name, place=cards.place_of(intent))


async def of_incident(ctx: Context, incident: Incident) -> list[StoredEntry]:
    """The entries of an incident since it was opened, oldest first; the newest ones when they are very many."""
    filters = Filters(incident=incident.name, since=incident.opened_at)
    found: list[StoredEntry] = []
    page = await ctx.store.search(filters, limit=_PAGE)
    while page:
        found += page
        before = page[-1].seq
        page = await ctx.store.search(filters, before_seq=before, limit=_PAGE) if len(found) < _MOST else ()
    return list(reversed(incidents.of_place(found, incident)))


def moves(ctx: Context, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """The entries that a timeline needs: no reads, nothing that was opened and left, of each call its outcome or `sent`."""
    looks = {str(entry.request_id) for entry in entries if _is_look(ctx, entry)}
    began = {entry.request_id for entry in entries if entry.event is not Event.REQUESTED}
    answered = {entry.request_id for entry in entries if entry.event in _OUTCOMES}
    return [
        entry
        for entry in entries
        if entry.request_id in began - looks
        and not (entry.event is Event.SENT and entry.request_id in answered)
        and not (entry.event is Event.DONE and entry.detail is None)  # the event column already shows it
    ]


def _is_look(ctx: Context, entry: StoredEntry) -> bool:
    """A read, a built-in read, or a command that could not be read. A read that was denied is not one: it is told."""
    builtin = ctx.catalog.builtin(entry.verb or "")
    asked = builtin is not None and builtin.risk is Risk.READ
    return entry.event is Event.MISREAD or (entry.event is not Event.DENIED and (asked or entry.risk == str(Risk.READ)))


async def deliver(
    ctx: Context, intent: Intent, entries: Sequence[StoredEntry], *, name: str, place: Place, under: str | None = None
) -> None:
    """All entries as files for a report: Markdown to read, CSV to count, JSON Lines with the hashes as proof."""
    readable = "\n".join([f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}", *map(_markdown, entries)])
    exact = "\n".join(canonical(entry.model_dump(mode="json")) for entry in entries)
    counted = csv_text(_COLUMNS, map(_row, entries)).rstrip("\r\n")
    texts = (("md", readable), ("csv", counted), ("jsonl", exact))
    files = tuple([await _file(ctx, f"timeline.{end}", text) for end, text in texts])
    await ctx.presenter.deliver(
        Delivery(
            key=f"file:{intent.request_id}",
            place=place,
            under=under,
            files=files,
            comment=f"Timeline of {name}, {plural(len(entries), 'entry', 'entries')}, last hash {entries[-1].hash[:12]}.",
        )
    )


async def _file(ctx: Context, name: str, text: str) -> FileOut:
    data = (text + "\n").encode()
    async with ctx.spool.create(f".{name}") as file:
        file.write(data)
    return FileOut(path=file.name, name=name, title=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _markdown(entry: StoredEntry) -> str:
    cells = (part.replace("|", "\\|").replace("\n", " ") for part in _row(entry))
    return f"| {' | '.join(cells)} |"


async def _show(ctx: Context, intent: Intent, title: str, entries: Sequence[StoredEntry], note: str = "") -> None:
    lines = () if entries or note else (Line(text="No matching entries."),)
    table = table_of(entries, note) if entries or note else None
    await ctx.presenter.show(cards.private(intent, title, lines=lines, table=table), intent.reply)


def table_of(entries: Sequence[StoredEntry], note: str = "") -> Table:
    """These entries as rows."""
    rows = tuple((seq, at, cards.person(who), *rest) for seq, at, who, *rest in map(_row, entries))
    return Table(columns=_COLUMNS, rows=rows, note=note)


def _row(entry: StoredEntry) -> tuple[str, ...]:
    what = " ".join(part for part in (entry.verb, entry.target_name) if part)
    return (
        str(entry.seq),
        utc_text(entry.at, seconds=True),
        entry.user_id or "",
        str(entry.event),
        what,
        entry.detail or entry.reason or "",
    )
