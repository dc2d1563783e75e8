"""The only way in. A request is in the audit log when `submit` returns; everything after that does not delay the ack."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, TypeVar

from bot.core.audit import AuditEntry, Event
from bot.core.card import Choice, Choices
from bot.core.errors import Problem
from bot.core.intent import Actor, Command, Doubt, Form, FormChange, Intent, ParseError, Place, Press, Receipt, Source
from bot.core.records import Filters, stamp
from bot.core.value import Json
from bot.features import incidents, stop_everything
from bot.features.forms import launcher
from bot.features.replies import refusal
from bot.intents.dispatcher import ends_things, handle, is_urgent
from bot.intents.form import check, placed
from bot.operations.audit_writer import AuditWriter
from bot.operations.newer_run import meant
from bot.runtime.context import Context
from bot.runtime.task_queue import AGAIN_AFTER, RateLimit
from bot.runtime.until_stored import IN_DOUBT, until_stored

T = TypeVar("T")

IN_TIME: Final = timedelta(seconds=2.5)  # Slack shows the person an error when no ack came within 3 s
PATIENCE: Final = timedelta(seconds=2)  # for the store, so that the ack still says in time that nothing is done
UNSURE: Final = (
    "The audit log did not answer in time. If it has your request, a card appears here soon; otherwise nothing is done. "
    "Wait a minute before you ask again."
)
TOO_SLOW: Final = "The audit log did not answer in time, so nothing was done. Try again in a minute."
_SHOWS_AN_ERROR: Final = frozenset({Source.COMMAND, Source.BUTTON, Source.MODAL, Source.HOME})
_GIVEN_BACK: Final = frozenset({str(Doubt.TOO_LATE), "too_many"})  # a form that ended so may be sent again

_log = logging.getLogger("signalbox.front")


class TurnedAway(NamedTuple):
    """The code of the audit entry, and the sentence for the person."""

    code: str
    says: str


class Intake:
    """Implements the port that the sources hand their intents to."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.catalog = ctx.catalog
        self.accepted = 0
        self.repeated = 0
        self._limit = RateLimit()

    async def submit(self, intent: Intent) -> Receipt:
        """Store the request, start the work, and return what the person must see at once. Never raises a Problem."""
        ctx = self._ctx
        if self._limit.all_are_full(len(ctx.tasks), urgent=is_urgent(intent)):
            return Receipt(say="Too many requests are in progress. Nothing was done. Try again in a minute.")
        try:
            with ctx.tasks.acking():
                return await self._accept(intent)
        except Problem as problem:
            _log.error("request %s was not taken: %s", intent.request_id, problem.code)
            return Receipt(
                say=f"The audit log can't be written, so nothing was done: {problem.summary} {problem.hint}".strip()
            )

    async def _accept(self, intent: Intent) -> Receipt:
        ctx = self._ctx
        audit_writer = AuditWriter(ctx.secrets)
        means: Mapping[str, Json] = {}
        if isinstance(intent.payload, Form | Press) or intent.edited_at is not None:
            try:
                async with asyncio.timeout(self._patience(intent)):
                    intent, means, errors = await self._looked_up(intent)
            except TimeoutError:
                return Receipt(say=TOO_SLOW)
            if errors:
                return Receipt(errors=errors)
        means = means or stop_everything.meaning(intent)
        pressed = isinstance(intent.payload, Press) and "pending" not in means  # not a decision
        command = meant(self.catalog, means) if pressed else None
        entries, no, user = [audit_writer.requested(intent, means, command)], self._turned_away(intent), _whose(intent)
        if no is not None:
            entries.append(audit_writer.plain(Event.DENIED, intent, ctx.clock.now(), code=no.code))
        with ExitStack() as unless_begun:
            self._limit.take(user)
            unless_begun.callback(self._limit.give, user)
            storing = await ctx.tasks.wait(self._store(intent, entries), self._patience(intent))
            if not storing.done() or _in_doubt(storing):
                ctx.tasks.start(self._abandon_when_stored(storing, intent, command), f"late {intent.request_id}")
                return Receipt(say=UNSURE)
            stored = storing.result()
            if not stored:
                self.repeated += 1
                return Receipt()
            self.accepted += 1
            intent = _marked(intent, stored)
            if no is not None:
                await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
                return Receipt(say=no.says)
            if self._is_too_late(intent, means):
                await refusal.set_aside(ctx, intent, Doubt.TOO_LATE, command)
                return Receipt()
            if not self._work_on(intent, user):
                return Receipt(say="I am restarting and will work on this as soon as I am back.")
            unless_begun.pop_all()
        return Receipt()

    def _patience(self, intent: Intent) -> float:
        """Seconds that the ack can still wait for the store, also when the clock was set back meanwhile."""
        age = max(timedelta(), intent.age_here(self._ctx.clock.now()))
        return max(0.5, (PATIENCE - age).total_seconds())

    async def _looked_up(self, intent: Intent) -> tuple[Intent, Mapping[str, Json], dict[str, str]]:
        """The request with its place, what its button stands for, and the errors of its form."""
        if isinstance(intent.payload, Form):
            if errors := await check(self._ctx, intent, intent.payload):
                return intent, {}, errors
            intent = await placed(self._ctx, intent, intent.payload)
        if intent.edited_at is not None:
            intent = await self._of_edit(intent, intent.edited_at)
        return intent, await self._meaning(intent), {}

    async def _meaning(self, intent: Intent) -> Mapping[str, Json]:
        """What a pressed button stands for, and for a decision the operation that it is about."""
        button = await self._ctx.store.button(intent.payload.button) if isinstance(intent.payload, Press) else None
        means = button.means if button is not None else {}
        pending = await self._ctx.store.open_pending(str(means["pending"])) if "pending" in means else None
        operation = pending.operation if pending is not None else None
        return means if operation is None else {**means, "target": operation.target.text, "about": operation.verb}

    async def _of_edit(self, intent: Intent, edited_at: datetime) -> Intent:
        """The request that an edited message is: its first one when nothing was asked before, else one correction of what could
        not be read. Any other is a request of its own that does nothing, or the earlier one again when the words are the same."""
        corrected = f"{intent.dedupe_key}:corrected"
        store = self._ctx.store
        earlier = await store.request_by_key(corrected) or await store.request_by_key(intent.dedupe_key)
        if earlier is None or (earlier.intent.typed == intent.typed and earlier.intent.payload == intent.payload):
            return intent if earlier is None else intent.model_copy(update={"dedupe_key": earlier.dedupe_key})
        if not isinstance(earlier.intent.payload, ParseError):
            key = f"{intent.dedupe_key}:{stamp(edited_at)}"
            return intent.model_copy(update={"dedupe_key": key, "doubt": Doubt.EDITED})
        key = f"{intent.dedupe_key}:{stamp(edited_at)}" if isinstance(intent.payload, ParseError) else corrected
        return intent.model_copy(update={"dedupe_key": key, "sent_at": edited_at})

    def _store(self, intent: Intent, entries: Sequence[AuditEntry]) -> Awaitable[bool | str]:
        """Store it, from now on, with the incident of its place, whose name is returned, unless it follows from the request of
        another. False when it was stored before."""
        keys = incidents.keys(intent.place) if intent.incident is None else ()
        storing = self._ctx.store.accept(intent, entries, begun=True, incidents=keys)
        return self._again(storing, intent, entries) if isinstance(intent.payload, Form) else storing

    async def _again(self, storing: Awaitable[bool | str], intent: Intent, entries: Sequence[AuditEntry]) -> bool | str:
        """The same for a form: one that was sent again after it was given back counts as new."""
        if stored := await storing:
            return stored
        store = self._ctx.store
        earlier = await store.request_by_key(intent.dedupe_key)
        if earlier is None or earlier.intent.reply.trigger_id == intent.reply.trigger_id:
            return False
        ends = await store.search(Filters(request_id=earlier.request_id))
        if not any(entry.code in _GIVEN_BACK for entry in ends):
            return False
        again = intent.model_copy(update={"dedupe_key": f"{intent.dedupe_key}:{intent.reply.trigger_id}"})
        return await store.accept(again, entries, begun=True, incidents=incidents.keys(again.place))

    async def _abandon_when_stored(
        self, storing: asyncio.Future[bool | str], intent: Intent, command: Command | None
    ) -> None:
        """End a request that the store accepted late, and say so. When this program ends before, the next one executes it.
        `command` is that of a pressed button."""
        storing.add_done_callback(lambda done: done.cancelled() or done.exception())  # read it also when this task ends
        await asyncio.wait({storing})
        if _in_doubt(storing):
            found = await self._insist(intent, lambda: self._ctx.store.request(intent.request_id))
            late = None if found is None else found.intent
        else:
            stored = storing.result()
            late = _marked(intent, stored) if stored else None
        if late is not None:
            await self._insist(late, lambda: refusal.set_aside(self._ctx, late, Doubt.TOO_LATE, command))

    async def _insist(self, intent: Intent, work: Callable[[], Awaitable[T]]) -> T:
        return await until_stored(self._ctx.clock, f"request {intent.request_id}", work)

    def _is_too_late(self, intent: Intent, means: Mapping[str, Json]) -> bool:
        """Whether Slack has already shown the person an error, so that running it could run it twice."""
        if intent.source not in _SHOWS_AN_ERROR or intent.age_here(self._ctx.clock.now()) <= IN_TIME:
            return False
        ask = intent.payload
        if isinstance(ask, Form):
            return True
        command = meant(self.catalog, means) if isinstance(ask, Press) else ask
        return isinstance(command, Command) and self.catalog.acts_once(command.verb, command.target)

    def _turned_away(self, intent: Intent) -> TurnedAway | None:
        """Why the request is recorded but not handled, None when it is handled."""
        foreign = "other_workspace" if intent.place.team_id != self._ctx.home_team else intent.foreign
        if foreign is not None:
            return TurnedAway(foreign, f"This bot serves {foreign.replace('other_', 'another ')}; nothing was done.")
        if self._limit.person_is_full(_whose(intent), urgent=ends_things(intent)):
            return TurnedAway(
                "too_many",
                f"Too many of your requests are in progress. Nothing was done. Try again in {AGAIN_AFTER} s.",
            )
        return None

    def _work_on(self, intent: Intent, user: str) -> bool:
        """Start it now when it is urgent, otherwise queue it; a follower leaves it to the leader. False when the program is
        stopping."""
        ctx, give = self._ctx, partial(self._limit.give, user)
        if not ctx.leadership.leads:
            return ctx.tasks.start(self._hand_over(intent), intent.request_id, give)
        if is_urgent(intent):
            return ctx.tasks.start(handle(ctx, intent), intent.request_id, give)
        return ctx.tasks.enqueue(partial(handle, ctx, intent), intent.request_id, give)

    async def _hand_over(self, intent: Intent) -> None:
        """Leave it to the leader, however long the store can't be written: otherwise it would wait for this process to end."""
        await self._insist(intent, lambda: self._ctx.store.release(intent.request_id, self._ctx.clock.now()))

    async def suggest(self, actor: Actor, place: Place, typed: str, *, menu: str, token: str) -> Sequence[Choices]:
        """What fits what was typed into a menu of verbs or targets."""
        found = await launcher.suggest(self._ctx, actor, place, typed, menu=menu, token=token)
        return [group.model_copy(update={"choices": self._without_secrets(group)}) for group in found]

    def _without_secrets(self, group: Choices) -> tuple[Choice, ...]:
        """A masked option could not be picked, so one with a known secret is left out."""
        hide = self._ctx.secrets.hide
        return tuple([one for one in group.choices if hide(text := f"{one.value} {one.text} {one.note}") == text])

    async def changed(self, change: FormChange) -> None:
        """Redraw a modal after a change of a live field. Nothing is run or recorded."""
        if change.form.form == launcher.FORM:
            await launcher.changed(self._ctx, change)


def _marked(intent: Intent, stored: bool | str) -> Intent:
    """The request as it was stored: with the incident that is open in its place."""
    return intent.model_copy(update={"incident": stored}) if isinstance(stored, str) else intent


def _in_doubt(storing: asyncio.Future[bool | str]) -> bool:
    """Whether nobody knows if it is stored."""
    error = storing.exception()
    return isinstance(error, Problem) and error.code == IN_DOUBT


def _whose(intent: Intent) -> str:
    """The user id whose limit it counts against; empty for timers."""
    return "" if intent.source is Source.TIMER else intent.actor.user_id
