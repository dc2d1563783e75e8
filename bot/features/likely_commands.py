"""Commands that a person is likely to want in a channel, on real targets: what it uses most, then the common verbs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from bot.core.command.capability import Capability, Risk
from bot.core.effects import Situation
from bot.core.intent import Actor, Place
from bot.core.policy.decide import Allowed, Denied
from bot.features.known_targets import KnownTarget, known_targets, matching, used_here
from bot.operations.authorize import foresee, read_situation, sight_of, usable
from bot.runtime.context import Context

_COMMON: Final = ("start", "status", "logs", "retry", "history", "schedule off", "pause", "health", "schedules")
_PICKS: Final = {"logs": "last", "retry": "failed", "restart": "last", "data": "last", "stop": "running"}
_TRIED: Final = 40  # targets of a backend that are tried for a verb
WITHIN: Final = 1.0  # seconds to wait for backends that have not been listed lately


@dataclass(frozen=True, slots=True)
class LikelyCommand:
    """A command that the person may run here, or ask approval for. `at_once`: it changes something as soon as it is sent."""

    text: str
    at_once: bool


async def likely_commands(ctx: Context, actor: Actor, place: Place, most: int) -> Sequence[LikelyCommand]:
    """At most so many commands that this person can use here. None of them is dangerous."""
    rows = [(name, row) for name, row in await usable(ctx, actor, place) if row.risk is not Risk.DANGER]
    if not rows:
        return ()
    now, sight = await read_situation(ctx, actor, place), await sight_of(ctx, actor, place)
    known, used = await known_targets(ctx, sight, within=WITHIN), await used_here(ctx, place, sight)
    order = matching(ctx, known.targets, "", tuple(used.targets))
    chooser = _Chooser(ctx, now, rows, order)
    found: dict[str, LikelyCommand] = {}
    for one in (*chooser.used(used.commands), *chooser.common()):
        found.setdefault(one.text, one)
    return tuple(islice(found.values(), most))


@dataclass(frozen=True, slots=True)
class _Chooser:
    ctx: Context
    now: Situation
    rows: Sequence[tuple[str, Capability]]
    known: Sequence[KnownTarget]

    def used(self, commands: Sequence[tuple[str, str]]) -> Iterator[LikelyCommand]:
        """Those of the channel's commands whose target is still known."""
        by_text = {one.text: one for one in self.known}
        for verb, written in commands:
            target = by_text.get(written)
            rows = [row for name, row in self.rows if target and name == target.target.backend and row.verb == verb]
            for row in rows:
                if target is not None and row.target == target.target.kind and (made := self._on(row, target)):
                    yield made

    def common(self) -> Iterator[LikelyCommand]:
        """One command for each common verb, on the target that this channel used last if the verb fits it."""
        for verb in _COMMON:
            backends = {name: row for name, row in self.rows if row.verb == verb}
            tries = (
                made for one in self._tried() if one.target.backend in backends and (made := self._first(verb, one))
            )
            yield from islice(tries, 1)

    def _tried(self) -> Iterator[KnownTarget]:
        """The first targets of each backend."""
        for name in dict.fromkeys(one.target.backend for one in self.known):
            yield from islice((one for one in self.known if one.target.backend == name), _TRIED)

    def _first(self, verb: str, known: KnownTarget) -> LikelyCommand | None:
        spec = self.ctx.catalog.backends[known.target.backend]
        for name, row in self.rows:
            if name != known.target.backend or row.verb != verb:
                continue
            if row.target == known.target.kind:
                return self._on(row, known)
            usual = spec.default_target
            if usual.selects and known.target.kind == usual.name and spec.kind_of(row.target).part_of == usual.name:
                return self._on(row, known, _PICKS.get(verb, "last"))
        return None

    def _on(self, row: Capability, known: KnownTarget, pick: str = "") -> LikelyCommand | None:
        """The command, None where the rules deny it or it needs more than its target."""
        if row.reason_required or any(param.required for param in row.params):
            return None
        decision = foresee(self.ctx, self.now, row, known.target)
        if isinstance(decision, Denied):
            return None
        text = f"{row.verb} {known.text}{f'@{pick}' if pick else ''}"
        return LikelyCommand(text, row.risk is not Risk.READ and isinstance(decision, Allowed))
