"""Pauses: what is switched off with `for=2h` or `until=Mon 07:00` switches on again by itself.

The newest request about a target wins: it ends, replaces or keeps the earlier pauses of that target.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.all_of import all_of
from bot.core.audit import AuditEntry, Event
from bot.core.card import Card, Line, Tone, operation_key
from bot.core.command.until import ends_at
from bot.core.effects import NOTHING, Attempt, Consequences
from bot.core.errors import Problem
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Done, Failed, Outcome, Unknown
from bot.core.records import UNSURE, Filters, Pause, StoredEntry, stamp, whose
from bot.core.text import capitalized, rough_span, utc_text
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter, columns_of
from bot.operations.backend_call import enabled_key
from bot.operations.execute import whole_of
from bot.operations.reconcile import MAY_HAVE_DONE, later_order
from bot.operations.target_facts import FACTS_WITHIN
from bot.runtime.context import Context

# What `resume` and `schedule on` bring back: a state without an end, the end of the next one, that it ends by itself, and what
# was so before.
_RESUMED: Final = (
    "Paused until someone runs `{}`",
    "Next time, add `for=2h`, and it resumes automatically.",
    "It resumes",
    ("Paused, as it was before", "It was paused before, so it stays paused until someone runs `resume`."),
)
_ON: Final = (
    "Off until someone runs `{}`",
    "Next time, add `for=2h`, and it switches on again automatically.",
    "It turns on again",
    ("Off, as it was before", "It was off before, so it stays off until someone switches it on."),
)
_NO_END: Final = tuple(words[0].partition("`")[0] for words in (_RESUMED, _ON))
_ADVICE: Final = tuple(words[1] for words in (_RESUMED, _ON))
_CALLS: Final = 50  # the newest pauses, among which are those without an end

# Codes and texts of audit entries about pauses. They are read again after a restart, so they never change.
REPLACED: Final = "replaced"
NO_END: Final = "no_end"
BY_HAND: Final = "by_hand"
ENDED: Final = "ended"
ENDED_BY_ORDER: Final = frozenset({REPLACED, NO_END, BY_HAND, ENDED})
ENDINGS: Final = (
    Event.PAUSED,
    Event.RESUMED,
    Event.PAUSE_ENDED,
    Event.ABANDONED,
)  # of entries about the end of a pause
_UNTIL: Final = "until "
_MAY_BE: Final = "It may be paused now."
_UNSEEN: Final = (
    "I was stopped before I noted what was on, so nothing is switched on again automatically. Look at it, and run `{}` for what "
    "should be on."
)
_SHORT: Final = 600  # seconds: of a pause that is shorter, the card shows the seconds too
_ASKED: Final = 10  # states that are read for one line
_ENDS: Final = "ends the pause {0.request_id} of {0.user_id}, which was to last until {0.until_at}"
_ENDED: Final = re.compile(r"(?:ends the )?pause ([^\s:]+)")


def _may_be_off(result: Outcome) -> bool:
    """Whether the call may have switched it off, although its answer does not say so."""
    return isinstance(result, Unknown) or (isinstance(result, Failed) and result.code in MAY_HAVE_DONE)


async def settle(ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> Consequences:
    """The pauses that this outcome begins or ends; writes nothing, see `Store.finish`. `for=` counts from the call.

    A target that may be off is switched on again like one that is off: the requester relies on the end, and switching on
    twice is harmless. For the same reason a pause continues while it is unknown whether it was ended by hand.

    A late outcome, of another look or after a restart, begins nothing a second time, and what was ordered after its call
    counts: it neither ends later pauses nor switches on again what a later call paused or resumed.
    """
    intent, operation, sent_at = attempt.intent, attempt.operation, attempt.sent_at
    late = attempt.began is None
    done = isinstance(result, Done)
    if not done and not _may_be_off(result):
        return NOTHING
    if is_end(ctx, operation):
        # What is only accepted takes effect later, or not at all: see `end_with`.
        held = await _held(ctx, operation, None) if done and not operation.starts_run else ()
        return _over(ctx, attempt, held, now, Event.PAUSE_ENDED, ENDED)
    own = await ctx.store.pauses_of(operation.request_id) if late else ()
    later = await _later_order(ctx, attempt, operation.target) if late and not own else None
    if later is not None:
        return _overtaken(later, operation, result)
    before = stamp(sent_at) if late and sent_at is not None else None
    if ctx.catalog.resumes(operation.target.backend, operation.verb):
        held = await _held(ctx, operation, operation.verb, before) if done else ()
        return _over(ctx, attempt, held, now, Event.RESUMED, BY_HAND)
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    if capability is None or capability.resumes is None:
        return NOTHING
    no_end, with_end, ending, (as_before, stays) = _RESUMED if capability.resumes == "resume" else _ON
    until = ends_at(operation, intent.at, sent_at or now, ctx.zone) if capability.pausable else None
    if own:
        ends = next((pause.until_at for pause in own if pause.state == "open"), None)
        return _shown(ends, now, ending, done=done) if ends is not None else NOTHING
    held = await _held(ctx, operation, capability.resumes, before)
    if until is None:
        over = _over(ctx, attempt, held, now, Event.PAUSED, NO_END)
        status, lines = no_end.format(capability.resumes), (Line(text=with_end),)
        return over + Consequences(status=status, lines=lines) if done else over
    off = await _switched_off(ctx, operation, own_timer=capability.own_timer)
    unseen = (Line(text=_UNSEEN.format(capability.resumes)),) if off is None else ()
    still = [one for one in off or () if not late or await _later_order(ctx, attempt, one) is None]
    targets = (*still, *(pause.target for pause in held))
    opened = tuple(
        Pause(
            id=ctx.ids.secret(),
            backend=target.backend,
            verb_back=capability.resumes,
            target=target,
            request_id=operation.request_id,
            user_id=intent.actor.user_id,
            channel_id=intent.place.channel_id,
            reason=AuditWriter(ctx.secrets).clean(operation.reason),
            from_at=stamp(now),
            until_at=stamp(until),
            message_key=operation_key(operation.request_id),
        )
        for target in {(target.kind, target.id): target for target in targets}.values()
    )
    if not opened:
        was_off = Consequences(status=as_before, lines=(Line(text=stays),)) if done else NOTHING
        return was_off if off == () else Consequences(lines=unseen)  # or deleted meanwhile, or ordered otherwise
    ends, code = opened[0].until_at, None if done else UNSURE
    first = AuditWriter(ctx.secrets).about(Event.PAUSED, operation, intent, now, code=code, detail=f"{_UNTIL}{ends}")
    return _shown(ends, now, ending, done=done) + Consequences(
        opened=opened,
        over=held,
        over_state="replaced",
        entries=(first, *_entries(ctx, intent, operation, Event.PAUSED, REPLACED, held, now)),
        lines=(*_end_lines("Replaces", held), *unseen),
    )


async def _later_order(ctx: Context, attempt: Attempt, target: Target) -> StoredEntry | None:
    """The newest order about pauses of the target, or of what it is a part of, that was sent after this one. One that only may
    have resumed, deleted or stopped it doesn't count."""
    wholes = await _wholes(ctx, target)

    def counts(other: Operation, sure: bool) -> bool:
        of = other.target
        about_pauses = of.id in wholes and ctx.catalog.about_pauses(of.backend, other.verb, of.kind)
        return about_pauses and (sure or not (ctx.catalog.resumes(of.backend, other.verb) or is_end(ctx, other)))

    return await later_order(ctx, attempt.operation, attempt.sent_at or ctx.clock.now(), counts)


def _overtaken(later: StoredEntry, operation: Operation, result: Outcome) -> Consequences:
    """How the card shows that a later order counts."""
    if operation.idempotent and not isinstance(result, Done):
        return NOTHING  # what came of the look names it
    who = whose(later, cards.person(later.user_id))
    told = f"`{later.verb} {later.target_name}` was sent after this, at {utc_text(later.at)} ({who})."
    return Consequences(lines=(Line(text=f"{told} That counts."),))


def _shown(ends: str, now: datetime, ending: str, *, done: bool) -> Consequences:
    """How a card shows a pause until then, or that it may be paused."""
    if not done:
        return Consequences(lines=(Line(text=f"{_MAY_BE} {ending} automatically: {utc_text(ends)}."),))
    left = rough_span(datetime.fromisoformat(ends) - now, _SHORT)
    return Consequences(status=f"Paused until {utc_text(ends)} ({left}). {ending} automatically.")


def is_end(ctx: Context, operation: Operation) -> bool:
    """Whether nothing is left to resume after this operation."""
    return ctx.catalog.ends_pauses(operation.target.backend, operation.verb, operation.target.kind)


async def end_with(ctx: Context, attempt: Attempt) -> None:
    """End the pauses of the run that this operation has stopped. Whoever repeats it shows what has ended."""
    request_id, now = attempt.operation.request_id, ctx.clock.now()
    if held := await _held(ctx, attempt.operation, None):
        over = _over(ctx, attempt, held, now, Event.PAUSE_ENDED, ENDED)
        await ctx.store.finish(request_id, over.entries, now, over=over.over, over_state=over.over_state)
        ctx.stale_homes.stale(attempt.intent.actor.user_id, *(pause.user_id for pause in held))
    for entry in await ctx.store.search(Filters(request_id=request_id, event=Event.PAUSE_ENDED)):
        await show_over_again(ctx, entry)
    await show_no_end_over(ctx, attempt)


def _over(
    ctx: Context, attempt: Attempt, held: tuple[Pause, ...], now: datetime, event: Event, code: str
) -> Consequences:
    """The earlier pauses are over, and none begins: someone switched it on, off without an end, or ended it."""
    entries = _entries(ctx, attempt.intent, attempt.operation, event, code, held, now)
    return Consequences(over=held, over_state="cancelled", entries=entries, lines=_end_lines("Ends", held))


async def _switched_off(ctx: Context, operation: Operation, *, own_timer: bool) -> tuple[Target, ...] | None:
    """What the call switched off, as noted before it. None when the program was stopped before that: nobody knows what was on."""
    noted = await ctx.store.value(enabled_key(operation.request_id))
    if isinstance(noted, list):
        return tuple(Target.stored(target) for target in noted)
    return (operation.target,) if own_timer else None


async def _held(
    ctx: Context, operation: Operation, verb_back: str | None, before: str | None = None
) -> tuple[Pause, ...]:
    """The open pauses of the target and of its parts: those that `verb_back` ends, or all; those that began before, or all."""
    target = operation.target
    held = []
    for pause in await ctx.store.open_pauses():
        wanted = pause.backend == target.backend and verb_back in (None, pause.verb_back)
        wanted = wanted and (before is None or pause.from_at <= before)
        if wanted and target.id in await _wholes(ctx, pause.target):
            held.append(pause)
    return tuple(held)


async def _wholes(ctx: Context, target: Target) -> frozenset[str | None]:
    """The ids of the target and of what it is a part of."""
    return frozenset({target.id, await whole_of(ctx, target), target.group or None})


def _entries(
    ctx: Context, intent: Intent, operation: Operation, event: Event, code: str, over: Sequence[Pause], now: datetime
) -> tuple[AuditEntry, ...]:
    """An entry for every pause that ends here, about exactly what it had switched off."""
    audit_writer = AuditWriter(ctx.secrets)
    return tuple(
        audit_writer.about(
            event, operation, intent, now, code=code, detail=_ENDS.format(pause), **columns_of(pause.target)
        )
        for pause in over
    )


def _end_lines(verb: str, over: Sequence[Pause]) -> tuple[Line, ...]:
    """One line for every request whose pause ends here."""
    orders = {pause.request_id: pause for pause in over}
    return tuple(
        Line(text=f"{verb} the pause until {utc_text(pause.until_at)} by <@{pause.user_id}>.")
        for pause in orders.values()
    )


async def paused_lines(ctx: Context, operation: Operation, run: Target | None = None) -> tuple[Line, ...]:
    """Until when the target or its parts are paused, who paused them, and whether the control plane says otherwise: one line for
    every request. It names people without a mention, so that nobody is called because someone looks, and what is paused where
    that is one of several or another run than the shown one."""
    orders: dict[str, list[Pause]] = {}
    for pause in await _held(ctx, operation, None):
        orders.setdefault(pause.request_id, []).append(pause)
    names = await ctx.directory.names({held[0].user_id for held in orders.values() if held[0].user_id})
    lines = []
    for held in orders.values():
        target = held[0].target
        listed = target.parent is None and target.id != operation.target.id  # one of the schedules of the organization
        other = run is not None and target.kind == run.kind and target.id != run.id
        lines.append(Line(text=(f"{target.label}: " if listed or other else "") + await _paused_line(ctx, held, names)))
    return tuple(lines)


async def paused_word(ctx: Context, pause: Pause) -> str:
    """`paused`, or `may be paused` while nobody knows whether its call took effect."""
    entries = await ctx.store.search(Filters(request_id=pause.request_id))
    found = any(entry.event is Event.RECONCILED and entry.code == "done" for entry in entries)
    unsure = any(entry.event is Event.PAUSED and entry.code == UNSURE for entry in entries)
    return "may be paused" if unsure and not found else "paused"


async def _paused_line(ctx: Context, held: Sequence[Pause], names: Mapping[str, str]) -> str:
    name, word = names.get(held[0].user_id or ""), await paused_word(ctx, held[0])
    until = f"until {utc_text(held[0].until_at)}{f' by {name}' if name else ''}"
    if says := await vendor_says(ctx, held):
        return f"{says}, although {'it ' if word != 'paused' else ''}{word} here {until}."
    return f"{capitalized(word)} {until}. {_RESUMED[2] if held[0].verb_back == 'resume' else _ON[2]} automatically."


async def vendor_says(ctx: Context, held: Sequence[Pause]) -> str:
    """`Sequentum says that 1 of 2 is on`: how many of the pauses of a request the control plane reports as on. Empty for none."""
    states = await all_of(is_held(ctx, pause.target) for pause in held[:_ASKED])
    if not (again := states.count(False)):
        return ""
    alone = "it isn't paused any more" if held[0].verb_back == "resume" else "it is on"
    what = alone if len(held) == 1 else f"{again} of {len(held)} {'is' if again == 1 else 'are'} on"
    return f"{ctx.catalog.backends[held[0].backend].vendor} says that {what}"


async def is_held(ctx: Context, target: Target) -> bool | None:
    """Whether the control plane reports the target as off or paused. None when it doesn't tell, or not soon."""
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            state = await ctx.backends[target.backend].state_of(target)
    except (TimeoutError, Problem):
        return None
    word = state.partition(",")[0]
    if word in ("", GONE) or word.startswith("unknown"):
        return None
    return word in ("off", "paused")


def ends_pause(entry: StoredEntry, request_id: str) -> bool:
    """Whether the entry is the end of a pause that this request began."""
    named = _ENDED.match(entry.detail or "") if entry.event in ENDINGS else None
    return named is not None and named[1] == request_id


async def show_over(ctx: Context, intent: Intent, operation: Operation, settled: Consequences) -> None:
    """Show on the cards of the earlier requests that their pauses are over."""
    ends = settled.opened[0].until_at if settled.opened else None
    for request_id in dict.fromkeys(pause.request_id for pause in settled.over):
        if request_id != operation.request_id:
            await _say_ended(ctx, request_id, operation, intent.actor.user_id, settled.entries[0], ends)


async def show_over_again(ctx: Context, entry: StoredEntry) -> None:
    """The same for a pause that ended with this entry, when the program stopped before its card was updated."""
    ended, request = _ENDED.match(entry.detail or ""), await ctx.store.request(entry.request_id)
    if ended is None or request is None or request.operation is None:
        return
    entries = await ctx.store.search(Filters(request_id=entry.request_id, event=str(Event.PAUSED)))
    details = [other.detail or "" for other in entries]
    ends = next((text.removeprefix(_UNTIL) for text in details if text.startswith(_UNTIL)), None)
    await _say_ended(ctx, ended[1], request.operation, request.intent.actor.user_id, entry, ends)


async def _say_ended(
    ctx: Context, request_id: str, operation: Operation, user: str, entry: AuditEntry, ends: str | None
) -> None:
    paused = f"paused until {utc_text(ends)}" if ends is not None else "paused without an end"
    new = paused if entry.event is not Event.RESUMED else "resumed" if operation.verb == "resume" else "switched on"
    if entry.code == ENDED:
        new = "deleted" if operation.verb.endswith("delete") else "stopped"
    await say_over(ctx, request_id, f"{new} by <@{user}>.", operation.target.label, user)


async def show_no_end_over(ctx: Context, attempt: Attempt) -> None:
    """Show on the cards of earlier requests that what they paused without an end was resumed or ended: no pause is stored for
    it."""
    operation, over, user = attempt.operation, is_end(ctx, attempt.operation), attempt.intent.actor.user_id
    back, target, sent_at = operation.verb, operation.target, stamp(attempt.sent_at or ctx.clock.now())
    rows = [row for row in ctx.catalog.backends[target.backend].capabilities if row.resumes is not None]
    event, code = (Event.PAUSE_ENDED, ENDED) if over else (Event.RESUMED, BY_HAND)
    entry = AuditWriter(ctx.secrets).about(event, operation, attempt.intent, ctx.clock.now(), code=code)  # not stored
    for verb in {row.verb for row in rows if over or row.resumes == back}:
        sent = Filters(event=Event.SENT, backend=target.backend, verb=verb)
        for earlier in await ctx.store.search(sent, limit=_CALLS):
            request = await ctx.store.request(earlier.request_id)
            paused = request.operation if request is not None and earlier.at < sent_at else None
            if paused is None or target.id not in await _wholes(ctx, paused.target):
                continue
            posted = await ctx.store.message(operation_key(paused.request_id))
            if posted is not None and posted.body and Card.stored(posted.body).status.startswith(_NO_END):
                await _say_ended(ctx, paused.request_id, operation, user, entry, None)


async def say_over(ctx: Context, request_id: str, what: str, about: str, user: str | None) -> None:
    """Show once on the card of a request that its pause, or the pause of its part `about`, is over. The last one removes the
    buttons. A card that the store no longer has stays as it is."""
    posted = await ctx.store.message(operation_key(request_id))
    if posted is None or posted.body is None:
        return
    card, every = Card.stored(posted.body), await ctx.store.pauses_of(request_id)
    left, line = any(one.state == "open" for one in every), Line(text=f"{about}: {what}")
    told = any(text.text.startswith(f"{one.target.label}: ") for one in every for text in card.lines)
    status = "This pause is over" if told else f"This pause is over: {what}"
    if line in card.lines or (card.status == status and not told):
        return
    # What was true then, or may be true of a lost call, and the advice are over too.
    entries = await ctx.store.search(Filters(request_id=request_id))
    answers = {one.detail for one in entries if one.event in (Event.DONE, Event.RECONCILED)}
    untrue = {one for one in card.lines if one.heading == "What to do" or one.text.startswith((_MAY_BE, *_ADVICE))}
    untrue |= {one for one in card.lines if one.text in answers}
    lines = card.lines if left else tuple(one for one in card.lines if one not in untrue)
    changed = {
        "status": card.status if left else status,
        "tone": Tone.PLAIN if card.tone is Tone.WORKING and not left else card.tone,
        "lines": (*lines, line) if left or told else lines,
        "buttons": card.buttons if left else (),
        "mention": tuple(dict.fromkeys((*card.mention, *((user,) if user else ())))),
    }
    await ctx.presenter.show(card.model_copy(update=changed))
