"""The one way in. A request is in the audit log when `submit` returns; everything after that happens beside the ack."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from bot.core.audit import Event
from bot.core.errors import Problem
from bot.core.intent import Actor, Command, Form, Intent, ParseError, Place, Press, Receipt, Source
from bot.core.records import stamp
from bot.features.replies.suggestions import suggest
from bot.intents.dispatcher import handle
from bot.intents.form import check, placed
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context
from bot.runtime.debounce import Pressed
from bot.runtime.rate_limit import AGAIN_AFTER, Shares

MOST_AT_ONCE = 10_000
RESERVED = 500  # beyond that, for what must get through a flood
URGENT_VERBS = frozenset({"stop", "revoke", "breakglass"})

_log = logging.getLogger("signalbox.front")


class TurnedAway(NamedTuple):
    """The code of the audit log's row, and the sentence for the person."""

    code: str
    says: str


class Intake:
    """Implements the doors' Front."""

    def __init__(self, ctx: Context) -> None:
        self._deps = ctx
        self.catalog = ctx.catalog
        self.accepted = 0
        self.repeated = 0
        self._shares = Shares()

    async def submit(self, intent: Intent) -> Receipt:
        """Store it, start the work, and say what the person has to know at once. Never raises a Problem."""
        ctx = self._deps
        if len(ctx.tasks) >= MOST_AT_ONCE + (RESERVED if _is_urgent(intent) else 0):
            return Receipt(say="Too much is under way; nothing was done. Try again in a minute.")
        try:
            if isinstance(intent.payload, Form) and (errors := await check(ctx, intent.payload)):
                return Receipt(errors=errors)
            with ctx.tasks.at_the_door():
                return await self._accept(intent)
        except Problem as problem:
            _log.error("request %s was not taken: %s", intent.request_id, problem.code)
            return Receipt(
                say=f"The audit log cannot be written, so nothing was done: {problem.summary} {problem.hint}".strip()
            )

    async def _accept(self, intent: Intent) -> Receipt:
        ctx = self._deps
        audit_writer = AuditWriter(ctx.secrets)
        if isinstance(intent.payload, Form):
            intent = await placed(ctx, intent, intent.payload)
        button = await ctx.store.button(intent.payload.button) if isinstance(intent.payload, Press) else None
        press = Pressed(intent.actor.user_id, ctx.clock.now(), intent.request_id)
        before = ctx.presses.last(button, press.user_id)
        if not ctx.presses.note(button, press):
            self.repeated += 1
            return Receipt()
        means = button.payload if button is not None and isinstance(button.payload, dict) else {}
        rows, no, user = [audit_writer.requested(intent, means)], self._turned_away(intent), _whose(intent)
        if no is not None:
            rows.append(audit_writer.plain(Event.DENIED, intent, ctx.clock.now(), code=no.code))
        with ExitStack() as unless_begun:
            unless_begun.callback(ctx.presses.put_back, button, press, before)
            self._shares.take(user)
            unless_begun.callback(self._shares.give, user)
            if not await ctx.store.accept(intent, rows, begun=no is None):
                self.repeated += 1
                return Receipt()
            self.accepted += 1
            if no is not None:
                await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
                return Receipt(say=no.says)
            if not self._work_on(intent, user):
                return Receipt(say="I am restarting; this is worked on as soon as I am back.")
            unless_begun.pop_all()
        return Receipt()

    def _turned_away(self, intent: Intent) -> TurnedAway | None:
        """Why this is registered and not worked on, None when it is."""
        foreign = "other_workspace" if intent.place.team_id != self._deps.home_team else intent.foreign
        if foreign is not None:
            return TurnedAway(foreign, f"This bot serves {foreign.replace('other_', 'another ')}; nothing was done.")
        if self._shares.is_full(_whose(intent), ends=_ends_things(intent)):
            return TurnedAway(
                "too_many",
                f"Too many of your requests are under way at once; nothing was done. Try again in {AGAIN_AFTER} s.",
            )
        return None

    def _work_on(self, intent: Intent, user: str) -> bool:
        """Begin it now when it is urgent, in its turn otherwise; False when nothing new is begun any more."""
        tasks = self._deps.tasks
        if _is_urgent(intent):
            return tasks.start(self._handled(intent, user), intent.request_id)
        return tasks.line_up(lambda: self._handled(intent, user), intent.request_id)

    async def _handled(self, intent: Intent, user: str) -> None:
        try:
            await handle(self._deps, intent)
        finally:
            self._shares.give(user)

    async def suggest(self, actor: Actor, place: Place, typed: str) -> Sequence[str]:
        """What fits what was typed into a menu of targets."""
        return await suggest(self._deps, actor, place, typed)


def _whose(intent: Intent) -> str:
    """Whose share it takes; time itself is nobody's."""
    return "" if intent.source is Source.TIMER else intent.actor.user_id


def _ends_things(intent: Intent) -> bool:
    return isinstance(intent.payload, Command) and intent.payload.verb in URGENT_VERBS


def _is_urgent(intent: Intent) -> bool:
    """What does not stand in the line: decisions, modals (their trigger is good for 3 s), time itself, and what ends things."""
    return _ends_things(intent) or not isinstance(intent.payload, Command | ParseError)
