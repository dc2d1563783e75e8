"""The built-in command `timeline`, and entries of the audit log for a reader."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.audit_search import is_question
from bot.core.card import Delivery, Line, operation_key
from bot.core.intent import Command, Intent, Place, Source
from bot.core.masking.redact import redact
from bot.core.masking.values import MASK
from bot.core.operation import Target
from bot.core.outcome import LOST, FileOut, Phase
from bot.core.policy.visibility import Visibility
from bot.core.records import Filters, StoredEntry, newest_of, of_timer, stamp, what_of, whose
from bot.core.text import csv_text, plural, sentences, shortened, utc_text
from bot.core.value import canonical
from bot.features import incidents
from bot.features.builtins.activity import (
    OUTCOMES,
    activity,
    asker,
    ends_of,
    happened,
    is_look,
    moves,
    nothing_done,
    of_requests,
    stopped_as_asked,
    with_ends,
)
from bot.features.incidents import Incident
from bot.features.replies.answer import reply
from bot.operations import cards
from bot.operations.audit_writer import of_parent
from bot.operations.authorize import visibility_of
from bot.runtime.context import Context

_COLUMNS = ("Seq", "When", "Who", "Event", "What", "Parameters", "Reason", "Detail")
PAGE, _MOST = 500, 5_000
FAR = (
    f"Only the newest {_MOST:,} entries were searched. To look further back, name a target or a person: "
    "`{0} audit BACKEND:PATH` or `{0} audit user=@NAME`."
)
_CUT = f"Only the newest {_MOST:,} entries are here and in the files; `signalbox audit export` writes all of them."
_SHOWN = 24  # entries on the card; the files have all
_ROOM = 2_000  # characters of all details there, so that the newest entries fit into one message
IN_ONE = 8  # entries in a paragraph
MOST_LISTED = 40  # entries of the audit log in paragraphs
_MADE_OF_IDS = frozenset(  # events and codes
    {"granted", "revoked", "expired", "breakglass", "approval_requested", "reviewed", "sent", "paused", "resumed"}
    | {"pause_ended", "pressed_already", "place_frozen"}
)
_WITH_REASON = frozenset({"reviewed", "requested", "incident_opened", "incident_closed"})  # besides the detail
_AGES = re.compile(r"(?:; |\s*\(|^)person read \d[^()]{0,60} ago\)?$")
_DECIDERS = re.compile(r"; may decide: [A-Z0-9, ]+$")  # their names are in the files
_IN_A_REQUEST = re.compile(r"(?:^pause|,? in|,?) r-[a-z0-9]+\b(?:: )?")  # its id is in the files
# With a digit: a group may be called CREW. Not in a mention or a link of a reason.
_AN_ID = re.compile(r"(?<![@#/])\b[CUW](?=[A-Z]*\d)[A-Z0-9]{2,30}\b")
_NAMED_IN = re.compile(r"<[@#]([A-Z0-9]+)>")
_ANSWERS = OUTCOMES | {Event.DENIED, Event.APPROVAL_REQUESTED, Event.ABANDONED, Event.EXPIRED}


async def timeline(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """What happened in this channel or thread, oldest first. While an incident is open here, what belongs to it."""
    asked, thread = bool(dict(ask.params).get("since")), intent.place.thread_ts
    incident = None if asked else await incidents.open_in(ctx.store, intent.place)
    if incident is not None:
        every, cut = await of_incident(ctx, incident)
        oldest_first, name = await told(ctx, intent, every), incident.name
        start, whose = datetime.fromisoformat(cut or incident.opened_at), f"of {name} "
    else:
        start, name = ctx.clock.now() - timedelta(seconds=given["since"]), "this thread" if thread else "this channel"
        filters = Filters(channel_id=intent.place.channel_id, since=stamp(start))
        newest, cut = await newest_told(ctx, filters, _MOST, intent)
        newest = newest_of([newest, await _elsewhere(ctx, intent, newest)], _MOST)
        oldest_first, start, whose = newest[::-1], datetime.fromisoformat(cut) if cut else start, ""
        if thread is not None:
            # The entries of requests that were made in the thread, or whose card began it.
            ids = dict.fromkeys(str(entry.request_id) for entry in oldest_first if entry.request_id)
            here = {request_id for request_id in ids if await _is_of_thread(ctx, request_id, thread)}
            oldest_first = of_requests(oldest_first, here)
            start = datetime.fromisoformat(oldest_first[0].at) if oldest_first and not asked else start
            whose = "of this thread "
    # Otherwise some of those that were read are not for the reader.
    told_most = incident is not None or len(oldest_first) == _MOST
    title = f"Timeline {whose}since {utc_text(start)}"
    far = "" if not cut else _CUT if told_most else FAR.format(ctx.command)
    await _show_timeline(ctx, intent, title, oldest_first, start if incident or asked else None, far)
    if oldest_first:
        await deliver(ctx, intent, oldest_first, name=name, place=cards.place_of(intent))


async def _elsewhere(ctx: Context, intent: Intent, newest: Sequence[StoredEntry]) -> list[StoredEntry]:
    """What was decided about these requests in another channel or on a Home tab, and the end and the review of what one gave."""
    asked = dict.fromkeys(entry.request_id for entry in newest if entry.event is Event.APPROVAL_REQUESTED)
    decided = (Event.APPROVED, Event.REJECTED)
    filters = [Filters(request_id=one, event=event) for one in [*asked][:MOST_LISTED] for event in decided]
    pages = [*await all_of(ctx.store.search(one) for one in filters), await ends_of(ctx.store, newest)]
    there = [entry for page in pages for entry in page if entry.channel_id != intent.place.channel_id]
    return await told(ctx, intent, sorted(there, key=lambda entry: -entry.seq))


async def _is_of_thread(ctx: Context, request_id: str, thread_ts: str) -> bool:
    request = await ctx.store.request(request_id)
    if request is not None and thread_ts in (request.intent.place.thread_ts, request.intent.place.message_ts):
        return True
    card = await ctx.store.message(operation_key(request_id))
    return card is not None and card.ts == thread_ts


async def _show_timeline(
    ctx: Context, intent: Intent, title: str, oldest_first: Sequence[StoredEntry], start: datetime | None, far: str
) -> None:
    """The chart, since `start` or of what it shows, and the newest moves, on lines, which a phone wraps and a table cuts."""
    shown = await readable(ctx, intent, _with_reasons(ctx, moves(ctx.catalog, with_ends(oldest_first))))
    undone = nothing_done(oldest_first)
    earlier, left = len(shown) - _SHOWN, len(oldest_first) - len(shown)
    notes = [f"{plural(earlier, 'earlier entry', 'earlier entries')} in the files."] if earlier > 0 else []
    if left:
        notes.append(f"{plural(left, 'more entry', 'more entries')} (reads and intermediate steps) in the files.")
    notes.append(far if oldest_first else none_found(far))
    starts = range(max(0, len(shown) - _SHOWN), len(shown), IN_ONE)
    longest = min(300, _ROOM // max(1, min(len(shown), _SHOWN)))
    told = [sentence(ctx, entry, longest, undone=undone) for entry in shown]
    lines = [Line(text="\n".join(told[at : at + IN_ONE])) for at in starts]
    counted = [one for one in oldest_first if not is_look(ctx.catalog, one) and one.request_id not in undone]
    await reply(
        ctx,
        intent,
        title,
        lines=(*lines, Line(text=" ".join(note for note in notes if note))),
        chart=activity(counted, start, ctx.clock.now()),
        mention=named_in(told[-_SHOWN:]),
    )


def _with_reasons(ctx: Context, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """These entries without the requests whose question or outcome is among them, the first of which gets the reason, and
    without those of built-in commands, whose effect is an entry."""
    answers = {entry.request_id: entry for entry in reversed(entries) if entry.event in _ANSWERS}
    requests = [entry for entry in entries if entry.event is Event.REQUESTED and entry.request_id in answers]
    asked = {entry.request_id: entry for entry in requests}
    ended = {entry.request_id for entry in entries if entry.event is Event.ENDED}
    left = (entry for entry in entries if asked.get(entry.request_id) is not entry)
    told = (one for one in left if one.event is not Event.REQUESTED or not ctx.catalog.builtin(one.verb or ""))
    asks = {one.seq: asked.get(one.request_id) for one in answers.values()}
    return [_reasoned(ctx, one, asks.get(one.seq), ends=one.request_id in ended) for one in told]


def _reasoned(ctx: Context, entry: StoredEntry, asked: StoredEntry | None, *, ends: bool) -> StoredEntry:
    """The entry with the reason of its request, and without what other words say: that a run was started which `ends` in another
    entry, or in which state of the vendor it succeeded. Of a run that isn't followed, nothing else tells what happened."""
    word, detail = happened(ctx.catalog, entry), _AGES.sub("", entry.detail or "")
    repeated = f"{(entry.target_name or '').partition(':')[2]} was {word}."
    says_enough = (ends and word in ("started", "accepted", str(Phase.SUCCEEDED))) or detail == repeated
    reason = asked.reason if asked is not None else None
    if says_enough and entry.event in (Event.DONE, Event.ENDED):
        return entry.model_copy(update={"detail": reason, "reason": None})
    if reason and entry.event is Event.APPROVAL_REQUESTED:
        return entry.model_copy(update={"detail": f"{reason} · {detail}"})
    return entry.model_copy(
        update={"detail": sentences(reason, detail) if reason and detail else reason or detail or None}
    )


def sentence(ctx: Context, entry: StoredEntry, longest: int, *, undone: Collection[str] = ()) -> str:
    """When, what and how it went, who did it and why, with at most so many characters of the detail. `undone`: requests of which
    nothing was done, which is not a failure of what they are about."""
    _, at, _, _, what, _, _, detail = row(entry)
    refused = entry.request_id in undone and entry.event is Event.FAILED
    word = "not done" if refused else happened(ctx.catalog, entry)
    good = word in ("done", str(Phase.SUCCEEDED)) or stopped_as_asked(entry)
    bad = entry.event in (Event.FAILED, Event.DENIED, Event.ENDED) and not good
    mark = "✅ " if good else "⚠️ " if refused else "❔ " if word in ("unknown", LOST) else "❌ " if bad else ""
    state, _, why = detail.partition(": ")
    if entry.event is Event.ENDED and (good or state.casefold() == word):
        detail = "" if good else why
    ended = mark + (word if word.startswith(what) else f"{what} {word}")
    detail = shortened(detail, longest)
    return " · ".join(part for part in (at, ended, asker(entry), detail) if part)


async def newest_told(
    ctx: Context, filters: Filters, most: int, reader: Intent | None = None, *, questions: bool = True
) -> tuple[list[StoredEntry], str]:
    """At most so many entries, newest first, and the time of the oldest one looked at if _MOST were: with a reader those entries
    that they may be told, so that hidden ones take no place."""
    found: list[StoredEntry] = []
    before, read, size = None, 0, min(most, PAGE)
    while size and len(found) < most and read < _MOST:
        page = await ctx.store.search(filters, before_seq=before, limit=size)
        kept = page if questions else [entry for entry in page if not is_question(entry)]
        found += kept if reader is None else await told(ctx, reader, kept)
        before, read, size = (page[-1].seq, read + size, PAGE) if len(page) == size else (None, read, 0)
    return found[:most], page[-1].at if size and read >= _MOST else ""


async def told(ctx: Context, intent: Intent, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Those entries that the person may be told: their own, and those about targets that they may see. None differs from what it
    would be without the control planes that are hidden from the person."""
    visible = await visibility_of(ctx, intent.actor, intent.place)
    if visible.patterns is None:
        return list(entries)
    hidden = ctx.catalog.verbs - ctx.catalog.only(visible.backend).verbs
    seen: dict[tuple[str, str, str], bool] = {}
    for entry in entries:
        key = _target_of(entry)
        if key not in seen:
            known = await ctx.target_cache.by_id(*key) if all(key) else None
            seen[key] = known is not None and visible.target(known)
    return [
        entry
        for entry in entries
        if entry.verb not in hidden
        and (
            (entry.user_id == intent.actor.user_id and _was_read(entry, visible))
            or seen[_target_of(entry)]
            or visible.written((entry.target_name or "").partition("@")[0])
        )
    ]


def _was_read(entry: StoredEntry, visible: Visibility) -> bool:
    """Whether the reader's own words were read and name no hidden control plane: without that plane, they are not a command."""
    backend = entry.backend or (entry.target_name or "").partition(":")[0]
    return entry.event is not Event.MISREAD and entry.verb is not None and (not backend or visible.backend(backend))


async def readable(ctx: Context, intent: Intent, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """The entries as a person reads them, with each run named as on its card, `acc:shop/prices (run 7612c6ab)`, where the reader
    may see its parent. A name that looks like a secret is masked in what was stored, and shown here."""
    visible = await visibility_of(ctx, intent.actor, intent.place)
    names: dict[tuple[str, str, str], Target | None] = {}
    for entry in entries:
        key = _target_of(entry)
        if key not in names:
            known = await ctx.target_cache.by_id(*key) if all(key) else None
            names[key] = known if known is not None and visible.target(known) else None
    return [_told(_named(entry, known) if (known := names[_target_of(entry)]) else entry) for entry in entries]


def _named(entry: StoredEntry, target: Target) -> StoredEntry:
    detail = (entry.detail or "").removeprefix(of_parent(target)).removeprefix("; ")  # the label names it
    if MASK in detail:
        detail = detail.replace(redact(target.owner)[0], target.owner)
    return entry.model_copy(update={"target_name": target.label, "detail": detail})


def _target_of(entry: StoredEntry) -> tuple[str, str, str]:
    return entry.backend or "", entry.target_kind or "", entry.target_id or ""


async def of_incident(ctx: Context, incident: Incident) -> tuple[list[StoredEntry], str]:
    """The entries of an incident since it was opened, oldest first, and since when they are all if they are very many: those of
    its channel's requests, with the decisions about them elsewhere. Another channel may have an incident of the same name."""
    newest, cut = await newest_told(ctx, Filters(incident=incident.name, since=incident.opened_at), _MOST)
    here = {entry.request_id for entry in newest if entry.channel_id == incident.channel_id}
    every = newest_of([newest, await ends_of(ctx.store, newest)], _MOST)
    return of_requests(every, here)[::-1], cut


async def deliver(
    ctx: Context, intent: Intent, entries: Sequence[StoredEntry], *, name: str, place: Place, under: str | None = None
) -> None:
    """All entries as files for a report: Markdown to read, CSV to count, JSON Lines with the hashes as proof."""
    readable = "\n".join([f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}", *map(_markdown, entries)])
    exact = "\n".join(canonical(entry.model_dump(mode="json")) for entry in entries)
    counted = csv_text(_COLUMNS, map(row, entries)).rstrip("\r\n")
    texts = (("md", readable), ("csv", counted), ("jsonl", exact))
    files = tuple([await _file(ctx, f"timeline.{end}", text) for end, text in texts])
    await ctx.presenter.deliver(
        Delivery(
            key=f"file:{intent.request_id}",
            place=place,
            under=under,
            files=files,
            comment=f"Timeline of {name} for {cards.person(intent.actor.user_id)}: "
            f"{plural(len(entries), 'entry', 'entries')}, last hash {entries[-1].hash[:12]}.",
        )
    )


async def _file(ctx: Context, name: str, text: str) -> FileOut:
    data = (text + "\n").encode()
    async with ctx.spool.create(f".{name}") as file:
        file.write(data)
    return FileOut(path=file.name, name=name, title=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _markdown(entry: StoredEntry) -> str:
    cells = (part.replace("|", "\\|").replace("\n", " ") for part in row(entry))
    return f"| {' | '.join(cells)} |"


def none_found(far: str) -> str:
    """What an answer without entries says. `far`: how far was looked."""
    return f"No entries that you may see. {far}" if far else "No matching entries."


def _told(entry: StoredEntry) -> StoredEntry:
    """The entry with a detail to read: without marks and the ages of facts, and with people and channels by name where the
    detail is made of their ids. A reason is what a person wrote: nothing in it is an id."""
    entry = of_timer(entry)
    note = f": {entry.reason}" if entry.event in _WITH_REASON and entry.reason and entry.detail else ""
    detail = _DECIDERS.sub("", _AGES.sub("", entry.detail or entry.reason or "")).replace("`", "")
    detail = cards.rules_named(_IN_A_REQUEST.sub("", detail))
    if entry.detail and {entry.event, entry.code} & _MADE_OF_IDS:
        detail = _AN_ID.sub(lambda found: f"<{'@' if found[0][0] in 'UW' else '#'}{found[0]}>", detail)
    if entry.source == Source.TIMER and entry.detail == f"of {entry.user_id}":
        detail = ""  # "automatic, for" names them
    detail += note.replace("`", "")
    return entry.model_copy(update={"detail": detail or None, "reason": None})


def named_in(texts: Sequence[str]) -> tuple[str, ...]:
    """The ids that these sentences name."""
    return tuple(dict.fromkeys(one for text in texts for one in _NAMED_IN.findall(text)))


def row(entry: StoredEntry) -> tuple[str, ...]:
    """The cells of an entry in the files: its number, time, person, event, what, parameters, reason and detail."""
    return (
        str(entry.seq),
        utc_text(entry.at, seconds=True),
        whose(entry, entry.user_id or ""),
        "cancelled" if entry.event is Event.ABANDONED and entry.code == "cancelled" else str(entry.event),
        what_of(entry),
        entry.given,
        entry.reason or "",
        entry.detail or "",
    )
