"""The card of a run that was run again says so, and no longer offers that button.

The store keeps, for each card, the newest request of each of its buttons that start a run. How that request ended is read
from the audit log, so that it is true after a restart as well.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Button, Card, Line, Tone, operation_key
from bot.core.command.catalog import Catalog
from bot.core.command.parser import format_command, parse, parse_target
from bot.core.effects import Attempt, Consequences, OfNewerRuns
from bot.core.errors import Problem
from bot.core.intent import Command, Intent, Press
from bot.core.operation import Operation, brief_id
from bot.core.outcome import Outcome
from bot.core.records import ABANDONED_AS, Filters, StoredButton, StoredEntry, StoredRequest, newest_of
from bot.core.text import sentences
from bot.core.value import Json
from bot.operations.cards import written
from bot.operations.resolve import find_target
from bot.runtime.context import Context

HEADING: Final = "Newer run"
AGAIN: Final = "again"  # in the meaning of a button that asks an expired question again
_DONE_BY: Final = {"retry": "Retried", "restart": "Restarted", "start": "Started"}
_CARDS: Final = ("op:", "watch:")  # keys of cards that everyone sees: of requests, and of what a watch tells
RERUNS: Final = ("retry", "restart")  # verbs on a run
_MOST_RERUNS: Final = 100  # entries of each verb
_TURN: Final = timedelta(seconds=3)  # longer than from the look for an earlier request until this one is recorded
_LOOKS_AGAIN: Final = 0.1  # seconds
_LOOKS_WITHIN: Final = 6.0  # seconds
_WAITS: Final = "waiting for approval"
_LOST: Final = "the answer was lost"
_STATES: Final = {
    Event.SENT: "sent, the answer is awaited",
    Event.DONE: "running",
    Event.UNKNOWN: _LOST,
    Event.ABANDONED: _LOST,
}


def meant(catalog: Catalog, means: Mapping[str, Json]) -> Command | None:
    """The command that a button stands for, None for any other button."""
    if means.get("tag") == "command1":
        params = means.get("params")
        pairs = [(str(pair[0]), str(pair[1])) for pair in params] if isinstance(params, list) else []
        why = means.get("reason")
        return Command(
            verb=str(means.get("verb")),
            target=str(means.get("target")),
            params=tuple(pairs),
            reason=why if isinstance(why, str) else None,
        )
    read = parse(str(means.get("text")), catalog) if means.get("tag") == "say1" else None
    return read if isinstance(read, Command) else None


def _slot(catalog: Catalog, means: Mapping[str, Json]) -> str | None:
    """What tells a card's buttons that start a run from one another, None for a button that starts none."""
    command = meant(catalog, means)
    return None if command is None or not catalog.starts_run(command.verb, command.target) else _slot_of(command)


def _slot_of(command: Command) -> str:
    same = command.model_copy(update={"reason": None})
    return hashlib.sha256(format_command(same).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Older:
    """The cards that a request for a newer run is about, and the slot of their button for it."""

    slot: str
    cards: tuple[str, ...]


async def _older(ctx: Context, intent: Intent, operation: Operation | None) -> _Older | None:
    """The card that was pressed, and the card of the run itself: its retry may be typed, or pressed on another message."""
    button = await _pressed(ctx, intent)
    command = meant(ctx.catalog, button.means) if button is not None else None
    of_run = operation is not None and operation.target.parent is not None
    says_which = command is None or command.verb not in RERUNS or _run_named(ctx.catalog, command.target or "")
    if button is not None and (says_which or not of_run):  # not `retry` in a thread, or `retry acc:shop/prices@failed`
        pressed = [button.message_key, _about(button)]
    elif operation is not None and of_run:
        command, pressed = Command(verb=operation.verb, target=written(operation.target)), []
    else:
        return None
    if command is None or not ctx.catalog.starts_run(command.verb, command.target):
        return None
    return _Older(_slot_of(command), tuple(dict.fromkeys([*pressed, *await _card_of_run(ctx, command)])))


async def _card_of_run(ctx: Context, command: Command) -> list[str]:
    """The key of the card of the run that a command names, nothing when it names none or no request started it."""
    named = _run_named(ctx.catalog, command.target or "")
    maker = await ctx.store.maker_of(*named) if named is not None else None
    return [operation_key(maker)] if maker is not None else []


def _run_named(catalog: Catalog, text: str) -> tuple[str, str] | None:
    """The backend and the id in a written target such as `acc:run/ID`, None for a target without a prefix or with a selector."""
    ref = parse_target(text, catalog)
    if isinstance(ref, str) or ref.selector is not None:
        return None
    kind, run_id = catalog.split_path(ref.backend, ref.path)
    return (ref.backend, run_id) if kind is not None else None


async def asked_before(ctx: Context, intent: Intent, operation: Operation) -> StoredEntry | None:
    """The entry of the request that ran this run again already, unless the pressed button says that it did. Of two requests at
    the same moment, one waits until the other is recorded."""
    target, turn = operation.target, f"rerun:{operation.target.backend}:{operation.target.id}"
    if not ctx.catalog.starts_run(operation.verb, f"{target.backend}:"):
        return None
    button = await _pressed(ctx, intent)
    if button is not None and "card" in button.means:
        return None
    while (entry := await _rerun(ctx, target.backend, target.id)) is None:
        now = ctx.clock.now()
        if await ctx.store.take_turn(turn, now, now - _TURN):
            break
        await ctx.clock.sleep(_LOOKS_AGAIN)
    return entry


async def _rerun(ctx: Context, backend: str, run_id: str) -> StoredEntry | None:
    """The first entry of the newest request that ran this run again. None also for a run that went on under its own id and has
    ended: it may be retried once more."""
    asked = [Filters(target_id=run_id, backend=backend, verb=verb) for verb in RERUNS]
    entries = newest_of([await ctx.store.search(one, limit=_MOST_RERUNS) for one in asked], _MOST_RERUNS)
    for entry in {entry.request_id: entry for entry in entries}.values():
        state = await state_of(ctx, entry.request_id)
        if state is not None:
            made = await ctx.store.run_of(entry.request_id)
            goes_on = made is None or made.id != run_id or state in (_WAITS, *_STATES.values())
            return entry if goes_on else None
    return None


async def newest_instead(ctx: Context, command: Command, operation: Operation) -> str:
    """How the newest run stands, where `@failed` means an older run, and this starts it again; otherwise empty, also if the
    control plane doesn't say."""
    target, ref = operation.target, parse_target(command.target or "", ctx.catalog)
    rerun = ctx.catalog.starts_run(operation.verb, f"{target.backend}:")
    if not rerun or isinstance(ref, str) or ref.selector != "failed":
        return ""
    try:
        async with asyncio.timeout(_LOOKS_WITHIN):
            newest = await find_target(ctx, ref.model_copy(update={"selector": "last"}), command)
            state = await ctx.backends[ref.backend].state_of(newest) if newest.id != target.id else ""
    except (TimeoutError, Problem):
        return ""
    return state and sentences(
        f"{newest.kind} {brief_id(newest.id)}: {state}",
        f"This {operation.verb} is of an older one that failed, {target.kind} {brief_id(target.id)}",
    )


async def said_of(ctx: Context, entry: StoredEntry) -> str:
    """Who ran it again, and how that run stands."""
    state = await state_of(ctx, entry.request_id)
    return f"{_DONE_BY[entry.verb or '']} by <@{entry.user_id}>: {state}"


async def with_reruns(ctx: Context, card: Card) -> Card:
    """The answer to a lookup, with a line in place of each button that would run again what was run again already."""
    lines, kept, people = list[Line](), list[Button](), list[str]()
    for button in card.buttons:
        command = meant(ctx.catalog, button.means)
        named = (
            _run_named(ctx.catalog, command.target or "") if command is not None and command.verb in RERUNS else None
        )
        entry = await _rerun(ctx, *named) if named is not None else None
        if entry is None:
            kept.append(button)
            continue
        which = button.label.partition(" ")[2].removeprefix("run ")
        lines.append(Line(heading=f"Run {which}" if which else HEADING, text=await said_of(ctx, entry)))
        people.append(entry.user_id or "")
    more = {"lines": (*lines, *card.lines), "mention": tuple(dict.fromkeys((*card.mention, *people)))}
    return card.model_copy(update={"buttons": tuple(kept), **more})


class NewerRunEffect(OfNewerRuns[Context]):
    """Keeps that the request is the newest run of the cards that it is about, and shows those cards again.

    After "Run it anyway" these are two cards: the answer that has the button, and the card that the answer is about.
    """

    async def after_outcome(self, ctx: Context, attempt: Attempt, result: Outcome, now: datetime) -> None:
        """Keep it unless no run was started."""
        older = await _older(ctx, attempt.intent, attempt.operation)
        if older is None or result.kind not in ("done", "unknown"):
            return
        for card in older.cards:
            async with ctx.locks.of(_key(card)):
                newest = {**await _newest(ctx, card), older.slot: attempt.intent.request_id}
                await ctx.store.set_value(_key(card), newest, now)

    async def after_card(self, ctx: Context, attempt: Attempt, result: Outcome, consequences: Consequences) -> None:
        """Show the older cards."""
        await show_older(ctx, attempt.intent, attempt.operation)


async def waits(ctx: Context, intent: Intent) -> None:
    """A pressed button asked for an approval: its card says so and takes the button away until that is decided."""
    button = await _pressed(ctx, intent)
    if button is None or await state_of(ctx, intent.request_id) is None:
        return
    slot, of_request = _slot(ctx.catalog, button.means), button.message_key.startswith(_CARDS)
    posted = await ctx.store.message(button.message_key)
    card = Card.stored(posted.body) if posted is not None else None
    if card is not None and AGAIN in button.means and (slot is None or not of_request):
        person = intent.actor.user_id
        said = {"lines": (*card.lines, Line(text=f"Asked again by <@{person}>.")), "mention": (*card.mention, person)}
        await ctx.presenter.show(card.model_copy(update={"buttons": (), **said}))
        return
    if slot is None or not of_request:
        return
    own = next((one for one in card.buttons if one.id == button.id), None) if card is not None else None
    if own is None:
        return
    held = own.model_copy(update={"means": button.payload}).model_dump(mode="json")
    async with ctx.locks.of(_key(button.message_key)):
        newest = {**await _newest(ctx, button.message_key), slot: intent.request_id}
        await ctx.store.set_value(_key(button.message_key), newest, ctx.clock.now())
        await ctx.store.set_value(_held(button.message_key), {slot: held}, ctx.clock.now())
    await show_older(ctx, intent, None)


async def _pressed(ctx: Context, intent: Intent) -> StoredButton | None:
    """The button that made this request; the Home tab has no card that offers it."""
    button = await ctx.store.button(intent.payload.button) if isinstance(intent.payload, Press) else None
    return None if button is None or button.message_key.startswith("home:") else button


def _about(button: StoredButton) -> str:
    """The key of the card that a button is about: its own, or the one that `card` in its meaning names."""
    card = button.means.get("card")
    return card if isinstance(card, str) else button.message_key


async def show_older(ctx: Context, intent: Intent, operation: Operation | None) -> None:
    """Show the cards that this request is about with how its run stands; a private answer stays as it is."""
    older = await _older(ctx, intent, operation)
    for key in older.cards if older is not None else ():
        if key.startswith(_CARDS) and await _newest(ctx, key):
            async with ctx.locks.of(key):
                await _show_again(ctx, key)


async def _show_again(ctx: Context, key: str) -> None:
    posted = await ctx.store.message(key)
    if posted is None or posted.kind != "message":
        return
    card = Card.stored(posted.body)
    # The stored card is masked, what its buttons mean is not. A link has no meaning.
    kept = [(button, await ctx.store.button(button.id) if button.id else None) for button in card.buttons]
    buttons = [
        button.model_copy(update={"means": stored.payload if stored is not None else {}})
        for button, stored in kept
        if stored is not None or not button.id
    ]
    await ctx.presenter.show(await noted(ctx, card.model_copy(update={"buttons": tuple(buttons)})))


async def noted(ctx: Context, card: Card, *, fresh: bool = False) -> Card:
    """The card with a line about each newer run, without the buttons that started them.

    `fresh`: a target other than a run, such as a service, was read again; what its card offers now is a new offer.
    """
    if fresh and await _newest(ctx, card.key):
        await ctx.store.set_value(_key(card.key), {}, ctx.clock.now())
    newest = await _newest(ctx, card.key)
    lines, people, used = list[Line](), list[str](), set[str]()
    for slot, request_id in newest.items():
        request, state = await ctx.store.request(request_id), await state_of(ctx, request_id)
        operation = request.operation if request is not None else None
        if request is None or state is None or (operation is None and state != _WAITS):
            continue
        person = request.intent.actor.user_id
        lines.append(Line(heading=HEADING, text=f"{_done_by(card, operation, state)} by <@{person}>: {state}"))
        people.append(person)
        used.add(slot)
    if not newest:
        return card
    shown = {_slot(ctx.catalog, button.means): button for button in card.buttons if button.means}
    held = {
        slot: button for slot, button in (await _held_of(ctx, card.key)).items() if slot in newest and slot not in shown
    }
    buttons = (*[button.model_copy(update={"id": ctx.ids.secret()}) for button in held.values()], *card.buttons)
    return card.model_copy(
        update={
            "lines": (*lines, *(line for line in card.lines if line.heading != HEADING)),
            "buttons": tuple(button for button in buttons if _slot(ctx.catalog, button.means) not in used),
            "mention": tuple(dict.fromkeys((*card.mention, *people))),
        }
    )


async def newer_run(ctx: Context, button: StoredButton) -> StoredRequest | None:
    """The request that started the run of this button already, None when there is none."""
    command = meant(ctx.catalog, button.means)
    if command is None or not ctx.catalog.starts_run(command.verb, command.target):
        return None
    told = button.message_key if button.message_key.startswith("watch:") else ""
    for card in (button.message_key, *(await _card_of_run(ctx, command) if told else ())):
        request_id = (await _newest(ctx, card)).get(_slot_of(command))
        request = await ctx.store.request(request_id) if request_id is not None else None
        if request is None or await state_of(ctx, request.request_id) is None:
            continue
        if card == button.message_key or await _is_before(ctx, told, request.intent.at):
            return request
    return None


async def _is_before(ctx: Context, message_key: str, at: datetime) -> bool:
    """Whether the message is older: a vendor may keep a run's id for its retry, so newer news may be about that retry."""
    posted = await ctx.store.message(message_key)
    shown_at = Card.stored(posted.body).at if posted is not None else None
    return shown_at is not None and shown_at <= at


async def state_of(ctx: Context, request_id: str) -> str | None:
    """How the run that a request started stands, in words; None while nothing was started."""
    for entry in await ctx.store.search(Filters(request_id=request_id)):
        if entry.event is Event.ENDED:
            return entry.code
        if entry.event is Event.RECONCILED:
            return _STATES[Event.DONE] if entry.code == "done" else None
        if entry.event is Event.APPROVAL_REQUESTED:
            request = await ctx.store.request(request_id)
            return _WAITS if request is not None and request.state != "ended" else None
        if entry.event is Event.ABANDONED and entry.code in ABANDONED_AS:  # not a lost answer: nothing was sent
            return None
        if entry.event in (*_STATES, Event.FAILED):
            return _STATES.get(entry.event)
    return None


def _key(card: str) -> str:
    return f"newer:{card}"


def _held(card: str) -> str:
    return f"held:{card}"


async def _held_of(ctx: Context, card: str) -> dict[str, Button]:
    """The buttons whose press waits for an approval, by slot."""
    kept = await ctx.store.value(_held(card))
    return {slot: Button.stored(one) for slot, one in kept.items()} if isinstance(kept, dict) else {}


def _done_by(card: Card, operation: Operation | None, state: str) -> str:
    """What the newer run is to the card: a retry of a failed run, the same once more, or what its verb says."""
    if operation is None or card.title.startswith(f"{operation.verb} "):
        return "Retried" if card.tone is Tone.BAD else "Asked again" if state == _WAITS else "Run again"
    return _DONE_BY.get(operation.verb, "Run again")


async def _newest(ctx: Context, card: str) -> dict[str, str]:
    """The newest request by button."""
    kept = await ctx.store.value(_key(card))
    return {slot: str(request_id) for slot, request_id in kept.items()} if isinstance(kept, dict) else {}
