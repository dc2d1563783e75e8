"""The built-in command `incident`: open one in a channel or thread, show it, and close it with its timeline."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import Button, Card, Line, Tone
from bot.core.command.params import as_typed
from bot.core.command.parser import format_command
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent, Place, Source
from bot.core.outcome import Fact, Phase
from bot.core.records import ENDS, GIVEN, Filters, StoredEntry, done_by, stamp, what_of
from bot.core.text import ago_text, first_of, plural, shortened, utc_text
from bot.features import incidents
from bot.features.access.grants import NotPermittedError
from bot.features.approvals.cards import link_to
from bot.features.builtins import activity, audit
from bot.features.builtins.activity import (
    asker,
    granted_apart,
    happened,
    moves,
    nothing_done,
    people,
    stopped_as_asked,
    unknown,
)
from bot.features.incidents import Incident
from bot.features.pauses.pause import ENDED_BY_ORDER, ends_pause
from bot.features.replies.answer import named, reply_in_thread
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, visibility_of
from bot.operations.target_facts import given_in
from bot.runtime.context import Context
from bot.runtime.until_stored import sure, until_stored

_USAGE: Final = (
    "Write `incident open INC-42 -- what happens`, `incident close`, or `incident` to see what is open here."
)
_CLOSED: Final = "closed:"  # with the request that closes it: the incident, which its report is about
_OWN: Final = frozenset({Event.INCIDENT_OPENED, Event.INCIDENT_CLOSED})
_BAD: Final = frozenset({Event.FAILED, Event.DENIED, Event.UNKNOWN, Event.ABANDONED, Event.REJECTED})
_WAITS: Final = frozenset({Event.APPROVAL_REQUESTED, Event.CLAIMED, Event.RELEASED})
# Events after which nothing was done, unless it was sent and not refused.
_UNSENT: Final = _WAITS | {Event.FAILED, Event.ABANDONED, Event.EXPIRED, Event.APPROVED}
_LOOKED: Final = frozenset({Event.RECONCILED, Event.ABANDONED})
_MOST_LINES: Final = 20
_ROOM: Final = 1_600  # characters of all reasons there, and as many of the ends, so that they fit into one message
_LOOKED_AT: Final = 5  # openings and ends of one name, ends in one channel
_ASKED: Final = 160  # characters of how it ended in the question before it is closed
_IN_ONE: Final = 6  # lines in a paragraph
_NAME: Final = re.compile(r"(?!g-)[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # `g-` begins the ids of grants


class NotOpenError(BadRequest):
    """The incident can't be closed here; `close` is the button for the one that is open here, if any."""

    close: tuple[Button, ...] = ()


async def incident(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`incident`, `incident open NAME -- text`, `incident close -- text`."""
    word, *names = ask.words or ("",)
    if len(names) > 1 or word not in ("", "open", "close"):
        surplus = " The text comes after `--`." if word in ("open", "close") else ""
        what = f"`incident` doesn't take {as_typed(' '.join(ask.words), 80)}.{surplus}"
        raise BadRequest(what, _USAGE, "bad_parameter")
    if word == "open":
        await _open(ctx, intent, names[0] if names else "", ask.reason or "")
    elif word == "close":
        await _close(ctx, intent, names[0] if names else "", ask.reason or "")
    else:
        found = await incidents.open_in(ctx.store, intent.place)
        card = cards.private(intent, "No incident is open here", lines=(Line(text=_USAGE),))
        if found is not None:
            card = _card(ctx, found).model_copy(
                update={"key": card.key, "place": card.place, "only_for": card.only_for}
            )
        await ctx.presenter.show(card, intent.reply)


async def _open(ctx: Context, intent: Intent, name: str, text: str) -> None:
    if not _NAME.fullmatch(name) or ctx.secrets.hide(name) != name:
        raise BadRequest(
            "Name the incident, like `INC-42`: letters, digits, `.`, `_` and `-`.", _USAGE, "bad_parameter"
        )
    now, writer = ctx.clock.now(), AuditWriter(ctx.secrets)
    made = Incident(
        name=name,
        text=writer.clean(text) or "",
        channel_id=intent.place.channel_id,
        thread_ts=incidents.thread_of(intent.place),
        opened_at=stamp(now),
        opened_by=intent.actor.user_id,
        request_id=intent.request_id,
    )
    async with ctx.locks.of(made.key):
        found = await incidents.at(ctx.store, made.channel_id, made.thread_ts)
        if found is not None and found.request_id != made.request_id:
            hint = f"Close it first: `{ctx.command} incident close`."
            raise BadRequest(f"{found.name} is already open here.", hint, "open_already")
        if found is None and await ctx.store.search(Filters(request_id=intent.request_id, event=Event.INCIDENT_OPENED)):
            return  # repeated after it was closed
        if found is None:
            marked = intent.model_copy(update={"incident": name})
            columns = {"verb": "incident open", "reason": text or None, "detail": name}
            await _set(ctx, made, made, writer.plain(Event.INCIDENT_OPENED, marked, now, **columns))
        show = partial(ctx.presenter.show, _card(ctx, found or made))
        await until_stored(ctx.clock, f"incident {name}", show)


async def _set(ctx: Context, of: Incident, to: Incident | None, entry: AuditEntry) -> None:
    """Store what is open in its place from now on. What counts has to be told, so a commit in doubt is looked up."""
    value = to.model_dump(mode="json") if to is not None else None
    look = partial(ctx.store.search, Filters(request_id=entry.request_id, event=entry.event))
    await sure(ctx.clock, f"incident {of.name}", partial(ctx.store.set_value, of.key, value, entry.at, (entry,)), look)


async def _close(ctx: Context, intent: Intent, name: str, text: str) -> None:
    """Close it once, and tell everyone. Whoever repeats this completes what an earlier try left."""
    if not await ctx.store.search(Filters(request_id=intent.request_id, event=Event.INCIDENT_CLOSED)):
        await _end(ctx, intent, name, text)
    await until_stored(ctx.clock, f"request {intent.request_id}", partial(_tell_end, ctx, intent))


async def _end(ctx: Context, intent: Intent, name: str, text: str) -> None:
    """Without a name only the thread's own incident, so that a second `incident close` there doesn't end that of its channel."""
    if (await visibility_of(ctx, intent.actor, intent.place)).patterns is not None:
        raise NotPermittedError("An incident is closed by a full member: its report names everything that was done.")
    thread = incidents.thread_of(intent.place)
    here = [
        await incidents.at(ctx.store, intent.place.channel_id, at) for at in ((thread, None) if name else (thread,))
    ]
    found = next((one for one in here if one is not None and name in ("", one.name)), None)
    if found is None:
        raise await _not_open(ctx, intent, name, text)
    async with ctx.locks.of(found.key):
        if await incidents.at(ctx.store, found.channel_id, found.thread_ts) != found:
            raise await _not_open(ctx, intent, found.name, text)
        marked, now = intent.model_copy(update={"incident": found.name}), ctx.clock.now()
        columns = {"verb": "incident close", "reason": text or None, "detail": found.name}
        entry = AuditWriter(ctx.secrets).plain(Event.INCIDENT_CLOSED, marked, now, **columns)
        await ctx.store.set_value(f"{_CLOSED}{intent.request_id}", found.model_dump(mode="json"), now)
        await _set(ctx, found, None, entry)


async def _tell_end(ctx: Context, intent: Intent) -> None:
    """The first card, the report for everyone, and the files below it, which come last."""
    if await ctx.store.message(f"file:{intent.request_id}") is not None:
        return
    found = Incident.stored(await ctx.store.value(f"{_CLOSED}{intent.request_id}"))
    (entry,) = await ctx.store.search(Filters(request_id=intent.request_id, event=Event.INCIDENT_CLOSED))
    person, now = str(entry.user_id), datetime.fromisoformat(entry.at)
    lasted, by = ago_text(now - datetime.fromisoformat(found.opened_at)), done_by(entry, f"<@{person}>")
    await ctx.presenter.show(_card(ctx, found, f"Closed {by} after {lasted}", person))
    entries, cut = await audit.of_incident(ctx, found)
    done, not_done, others = await _story(ctx, intent, entries)
    since = f"Since {utc_text(cut)}; `signalbox audit export` has what was before. " if cut else ""
    report = Card(
        key=f"incident:{intent.request_id}:closed",
        place=_place(ctx, found),
        title=f"{found.name} is closed",
        tone=Tone.GOOD,
        status=f"After {lasted}, {by}",
        lines=tuple(
            Line(heading=heading, text=words)
            for heading, words in (
                ("What happened", found.text),
                ("How it ended", entry.reason or ""),
                *(
                    ("" if at else what, "\n".join(told[at : at + _IN_ONE]))
                    for what, told in (("What was done", done), ("What was not done", not_done))
                    for at in range(0, len(told), _IN_ONE)
                ),
            )
            if words
        ),
        rows=_counts(ctx, found, entries),
        footer=(f"{since}The timeline is {'in the thread' if found.thread_ts is None else 'below'}.",),
        mention=audit.named_in([f"<@{person}>", *(f"<@{entry.user_id}>" for entry in entries), *others]),
        at=now,
    )
    await ctx.presenter.show(report)
    if found.thread_ts is None:
        await reply_in_thread(ctx, intent, f"{report.title}. Its report is in the channel.", tone=Tone.GOOD)
    await audit.deliver(ctx, intent, entries, name=found.name, under=report.key, place=report.place)


async def _not_open(ctx: Context, intent: Intent, name: str, text: str) -> NotOpenError:
    """Why an incident can't be closed here: in which of the person's channels it is open, or who closed it and when, without a
    name that of this thread or channel. Offers to close what is open here."""
    here = await incidents.open_in(ctx.store, intent.place)
    outside = here is not None and here.thread_ts is None and incidents.thread_of(intent.place) is not None
    what = f"{name} isn't open here." if name else f"No incident is open {'in this thread' if outside else 'here'}."
    hint = _USAGE if here is None else f"{here.name} is open {'in the channel' if outside else 'here'}."
    entry, key = await _last(ctx, intent, name), ""
    if entry is not None and entry.event is Event.INCIDENT_CLOSED:
        key = f"incident:{entry.request_id}:closed"
        what = f"{entry.incident} was closed by <@{entry.user_id}> {utc_text(entry.at)}."
        hint = hint if here is not None else ""
    elif entry is not None:
        key, here = f"incident:{entry.request_id}", None
        place = "a thread here" if entry.channel_id == intent.place.channel_id else f"<#{entry.channel_id}>"
        what, hint = f"{name} is open in {place}.", "Close it there."
    no = NotOpenError(what, hint, "not_open")
    no.link = await link_to(ctx, key, f"Open {entry.incident}") if entry is not None else None
    no.close = (_close_button(ctx, here, text),) if here is not None else ()
    return no


async def _last(ctx: Context, intent: Intent, name: str) -> StoredEntry | None:
    """The newest opening or end of an incident of that name in a channel of this person; without a name, the newest end in this
    thread or channel."""
    closed = Filters(channel_id=intent.place.channel_id, event=Event.INCIDENT_CLOSED)
    named = [Filters(incident=name, event=event) for event in _OWN]
    found = [await ctx.store.search(one, limit=_LOOKED_AT) for one in (named if name else [closed])]
    for entry in sorted(chain.from_iterable(found), key=lambda one: -one.seq):
        if name and await ctx.directory.is_member(entry.channel_id or "", intent.actor.user_id, max_age=CACHED):
            return entry
        report = None if name else await ctx.store.message(f"incident:{entry.request_id}:closed")
        if report is not None and report.thread_ts == incidents.thread_of(intent.place):
            return entry
    return None


async def _story(
    ctx: Context, intent: Intent, entries: Sequence[StoredEntry]
) -> tuple[list[str], list[str], list[str]]:
    """What was done and what was not: one line for each request that changed something, was denied, or waits: when, who, what,
    and how it ended. Of many the newest. Then what these lines say of who was granted something or ended it, no reasons."""
    last: dict[str, StoredEntry] = {}
    entries = granted_apart(entries)
    undone = nothing_done(entries)
    unsure = dict.fromkeys((one.request_id for one in entries if happened(ctx.catalog, one) == "failed"), "failed")
    unsure |= dict.fromkeys(unknown(entries), "unknown")
    here = {entry.rule for entry in entries if entry.event in GIVEN}
    for entry in await audit.readable(ctx, intent, moves(ctx.catalog, entries)):
        # of a change that ended pauses, or of what was given here and is told with its end
        part = (entry.event is Event.RESUMED or entry.code in ENDED_BY_ORDER) and entry.request_id in last
        part = part or (entry.event is Event.EXPIRED and entry.rule in here)
        before = last.get(entry.request_id)
        # another look at a lost answer, which began no other pause
        part = part or (entry.event in _LOOKED and before is not None and before.event is Event.PAUSED)
        if entry.event is not Event.REQUESTED and entry.event not in _OWN and not part:
            last[entry.request_id] = entry
    first, typed = {entry.request_id: entry for entry in reversed(entries)}, await given_in(ctx, entries)
    sent = {entry.request_id for entry in entries if entry.event is Event.SENT}
    written = (entry for entry in reversed(entries) if entry.reason and entry.source != Source.TIMER)
    reasons = {entry.request_id: entry.reason or "" for entry in written}  # the first of each
    tried = (entry for entry in entries if entry.event in (Event.SENT, Event.FAILED) and entry.rule)
    allowed = {entry.request_id: str(entry.rule).partition(" ")[2] for entry in tried}
    acting = {str(entry.user_id) for entry in entries}
    grants = [await ctx.store.grant_by_id(one) for one in dict.fromkeys(allowed.values())]
    broken = {grant.id for grant in grants if grant is not None and grant.breakglass}
    ends = {entry.rule: entry for entry in entries if entry.event in (Event.REVOKED, Event.EXPIRED)}
    told, hidden = {True: list[str](), False: list[str]()}, {True: 0, False: 0}  # by whether it was done
    longest, others = min(300, _ROOM // max(1, min(len(last), _MOST_LINES))), list[str]()
    in_order = sorted(last.items(), key=lambda one: first[one[0]].seq)  # as they were asked for
    for number, (request_id, end) in enumerate(in_order, _MOST_LINES - len(last)):
        asked = first[request_id]
        over = end.event is Event.EXPIRED and end.backend is None  # a grant
        unsent = end.event in _UNSENT and not over and (request_id not in sent or request_id in undone)
        done = not unsent and end.event not in (Event.DENIED, Event.REJECTED)
        if number < 0:
            hidden[done] += 1
            continue
        why = f" ({shortened(reasons[request_id], longest)})" if request_id in reasons else ""
        agreed = [one for one in entries if one.request_id == request_id and one.event is Event.APPROVED]
        why += f", approved by {' and '.join(asker(one) for one in agreed)}" if agreed else ""
        why += ", with BREAK-GLASS" if allowed.get(request_id) in broken else ""
        who, when = asker(asked), utc_text(asked.at, seconds=True)
        given = typed.get(request_id or "", "") if end.backend is not None else ""
        if (unsent or end.code == "pressed_already") and end.backend is None:  # a built-in command
            given = shortened((asked.detail or "").replace("`", ""), longest)
        what = await named(ctx, " ".join(part for part in (what_of(end), given) if part))
        known = end.detail == reasons.get(request_id, "").replace("`", "")  # in `why`
        says = end.model_copy(update={"detail": None}) if known else end
        how = (
            await _paused(ctx, end, unsure.get(request_id))
            if end.event is Event.PAUSED
            else await named(ctx, _end_of(ctx, says, undone), live=acting)
        )
        how += await _of_whom(ctx, end, ends.get(end.rule))
        others += [how] if end.event is Event.PAUSED or end.event in GIVEN | ENDS else []
        told[done].append(f"• {when} {who} `{what.removesuffix(':')}`{why}: {shortened(how, longest)}")
    for done, many in hidden.items():
        told[done][:0] = [f"{plural(many, 'earlier one', 'earlier ones')}: in the timeline"] if many else []
    return told[True], told[False], others


async def _of_whom(ctx: Context, entry: StoredEntry, end: StoredEntry | None) -> str:
    """Whose grant was given, until when and how it ended, or was ended with this entry; empty for other entries."""
    if entry.event not in (*GIVEN, Event.REVOKED, Event.EXPIRED):
        return ""
    grant = await ctx.store.grant_by_id((entry.rule or "").partition(" ")[2])
    if entry.event not in GIVEN:
        word = "from" if entry.event is Event.REVOKED else "for"
        return f" {word} <@{grant.user_id}>" if grant is not None else ""
    to = f" to <@{grant.user_id}>" if grant is not None and not grant.breakglass else ""
    if end is not None:
        return f"{to}, ended {utc_text(end.at, seconds=True)}, {asker(end)}"
    timed = " until " in (entry.detail or "")  # not for one operation
    return to + (f" until {utc_text(grant.until_at)}" if grant is not None and timed else "")


async def _paused(ctx: Context, entry: StoredEntry, unsure: str | None) -> str:
    """Until when it is paused. Of a pause that is over: when and with whose command it ended, also outside of the incident.
    `unsure`: why it may not be paused."""
    if not (entry.detail or "").startswith("until "):
        return "paused"
    every = await ctx.store.pauses_of(entry.request_id or "")
    if any(one.state == "open" for one in every) or not every:
        return f"{unsure}, may be paused {entry.detail}" if unsure else f"paused {entry.detail}"
    paused = f"{unsure}, may have been paused" if unsure else "paused"
    found = await ctx.store.search(Filters(text=entry.request_id, since=entry.at, backend=entry.backend))
    end = next((one for one in found if ends_pause(one, entry.request_id or "")), None)
    if end is None:
        return f"{paused}, over by now"
    what = f"`{end.verb}`, {asker(end)}" if end.event is not Event.ABANDONED else (end.detail or "").partition(": ")[2]
    return f"{paused}, ended {utc_text(end.at, seconds=True)}: {what}"


def _end_of(ctx: Context, entry: StoredEntry, undone: Collection[str]) -> str:
    """The state of a run, and why it did not succeed; of other requests the event, and why nothing was done."""
    if entry.event in _WAITS:
        return "waits for approval"
    if entry.event is Event.FAILED and entry.request_id in undone:
        return f"not done: {entry.detail}" if entry.detail else "not done"
    good = entry.code == str(Phase.SUCCEEDED) or stopped_as_asked(entry)
    if entry.event is Event.ENDED and entry.detail and not good:
        return entry.detail
    word = activity.without_end(ctx.catalog, entry) or happened(ctx.catalog, entry)
    bad = entry.event in _BAD or word == "failed"
    return f"{word}: {entry.detail}" if bad and entry.detail else word


def _counts(ctx: Context, found: Incident, entries: Sequence[StoredEntry]) -> tuple[Fact, ...]:
    changes = {entry.request_id for entry in entries if entry.event is Event.SENT} - nothing_done(entries)
    bad = [entry for entry in entries if "failed" in (happened(ctx.catalog, entry), entry.code)]
    stopped = {entry.request_id for entry in entries if entry.code == str(Phase.STOPPED) and entry.verb != "stop"}
    failed, lost = len({entry.request_id for entry in bad} & changes), len(unknown(entries) & changes)
    counted = ((failed or "none", "failed"), (lost, "unknown"), (len(stopped), "stopped"))
    return (
        Fact(label="Opened", value=datetime.fromisoformat(found.opened_at)),
        Fact(
            label="Changes",
            value=", ".join([str(len(changes)), *(f"{many} {word}" for many, word in counted if many)])
            if changes
            else "none",
        ),
        Fact(label="People", value=first_of(people(entries), _MOST_LINES, ", ")),
    )


def _place(ctx: Context, found: Incident) -> Place:
    return Place(team_id=ctx.home_team, channel_id=found.channel_id, thread_ts=found.thread_ts)


def _card(ctx: Context, found: Incident, closed: str = "", *people: str) -> Card:
    """The card that was posted when it was opened."""
    recorded = f"every command in this {_where(found)}, until it is closed"
    timeline = Button(label="Timeline", action="timeline", id=ctx.ids.secret(), means=cards.say_means("timeline"))
    return Card(
        key=f"incident:{found.request_id}",
        place=_place(ctx, found),
        title=f"Incident {found.name}: {found.text}" if found.text else f"Incident {found.name}",
        tone=Tone.PLAIN if closed else Tone.WARN,
        status=closed or "Open",
        rows=(
            Fact(label="Opened", value=f"{utc_text(found.opened_at)} by <@{found.opened_by}>"),
            *(() if closed else (Fact(label="Recorded", value=recorded),)),
        ),
        buttons=() if closed else (timeline, _close_button(ctx, found)),
        mention=tuple(dict.fromkeys((found.opened_by, *people))),
    )


def _where(found: Incident) -> str:
    return "thread" if found.thread_ts is not None else "channel"


def _close_button(ctx: Context, found: Incident, text: str = "") -> Button:
    """A button that closes it with that text, after a question."""
    ask = Command(verb="incident", words=("close", found.name), reason=text or None)
    close = format_command(ask)
    how = f"How it ended: {shortened(text, _ASKED)}" if text else f"To say how it ended, type {close} -- how it ended."
    return Button(
        label=f"Close {found.name}",
        action=f"incident_close_{found.name}".lower(),
        id=ctx.ids.secret(),
        style="danger",
        confirm=f"Its report is posted for everyone in this {_where(found)}. {how}",
        means=cards.say_means(close),
    )
