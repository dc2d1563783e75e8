"""The one way in. A request is in the register when `submit` returns; everything after that happens beside the ack."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from bot.core.intent import Actor, Command, Form, Intent, Misread, Place, Press
from bot.core.problems import Problem
from bot.core.receipt import Receipt
from bot.core.register import Event
from bot.core.rows import stamp
from bot.core.value import Json
from bot.pipeline.deps import Deps
from bot.pipeline.forms import check, placed
from bot.pipeline.handle import handle
from bot.pipeline.record import Scribe
from bot.pipeline.suggest import suggest

MOST_AT_ONCE = 10_000
RESERVED = 500  # beyond that, for what must get through a flood
URGENT_VERBS = frozenset({"stop", "revoke", "breakglass"})
DOUBLE_CLICK = 3.0  # seconds in which one person's second press of the same button is the first one again
MOST_PRESSES = 1_000

_log = logging.getLogger("signalbox.front")


class Pipeline:
    """Implements the doors' Front."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self.catalog = deps.catalog
        self.accepted = 0
        self.repeated = 0
        self._pressed: dict[tuple[str, str], float] = {}

    async def submit(self, intent: Intent) -> Receipt:
        """Store it, start the work, and say what the person has to know at once. Never raises a Problem."""
        deps = self._deps
        if len(deps.drain) >= MOST_AT_ONCE + (RESERVED if _is_urgent(intent) else 0):
            return Receipt(say="Too much is under way; nothing was done. Try again in a minute.")
        try:
            if isinstance(intent.ask, Form) and (errors := await check(deps, intent.ask)):
                return Receipt(errors=errors)
            with deps.drain.at_the_door():
                return await self._accept(intent)
        except Problem as problem:
            if isinstance(intent.ask, Press):
                self._pressed.pop((intent.ask.button, intent.actor.user_id), None)
            _log.error("request %s was not taken: %s", intent.request_id, problem.code)
            return Receipt(
                say=f"The register cannot be written, so nothing was done: {problem.summary} {problem.hint}".strip()
            )

    async def _accept(self, intent: Intent) -> Receipt:
        deps = self._deps
        scribe = Scribe(deps.secrets)
        if isinstance(intent.ask, Form):
            intent = await placed(deps, intent, intent.ask)
        means = await self._means(intent)
        if self._is_double_click(intent, means):
            self.repeated += 1
            return Receipt()
        rows = [scribe.requested(intent, means)]
        foreign = "other_workspace" if intent.place.team_id != deps.home_team else intent.foreign
        if foreign is not None:
            rows.append(scribe.plain(Event.DENIED, intent, deps.clock.now(), code=foreign))
        if not await deps.store.accept(intent, rows, begun=foreign is None):
            self.repeated += 1
            return Receipt()
        self.accepted += 1
        if foreign is not None:
            await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
            return Receipt(say=f"This bot serves {foreign.replace('other_', 'another ')}; nothing was done.")
        if not self._work_on(intent):
            return Receipt(say="I am restarting; this is worked on as soon as I am back.")
        return Receipt()

    def _work_on(self, intent: Intent) -> bool:
        """Begin it now when it is urgent, in its turn otherwise; False when nothing new is begun any more."""
        deps = self._deps
        if _is_urgent(intent):
            return deps.drain.start(handle(deps, intent), intent.request_id)
        return deps.drain.line_up(lambda: handle(deps, intent), intent.request_id)

    async def _means(self, intent: Intent) -> dict[str, Json]:
        if not isinstance(intent.ask, Press):
            return {}
        row = await self._deps.store.button(intent.ask.button)
        return row.payload if row is not None and isinstance(row.payload, dict) else {}

    def _is_double_click(self, intent: Intent, means: Mapping[str, Json]) -> bool:
        """Whether this press of a button that stands for a command repeats one of a moment ago: the same wish, not a second."""
        if not isinstance(intent.ask, Press) or means.get("tag") not in ("command1", "say1"):
            return False
        key, now = (intent.ask.button, intent.actor.user_id), self._deps.clock.monotonic()
        before = self._pressed.get(key)
        if len(self._pressed) >= MOST_PRESSES:
            self._pressed.clear()
        self._pressed[key] = now
        return before is not None and now - before < DOUBLE_CLICK

    async def suggest(self, actor: Actor, place: Place, typed: str) -> Sequence[str]:
        """What fits what was typed into a menu of targets."""
        return await suggest(self._deps, actor, place, typed)


def _is_urgent(intent: Intent) -> bool:
    """What does not stand in the line: decisions, modals (their trigger is good for 3 s), time itself, and what ends things."""
    ask = intent.ask
    return ask.verb in URGENT_VERBS if isinstance(ask, Command) else not isinstance(ask, Misread)
