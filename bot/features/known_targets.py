"""Every target that is configured, listed or was seen, for `find`, `targets` and type-ahead, and likely commands on them."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from bot.core.audit import Event
from bot.core.command.capability import Capability, Risk
from bot.core.command.ranking import HOLDS, rank, words_of
from bot.core.command.target_ref import plain
from bot.core.intent import Actor, Place
from bot.core.operation import Target
from bot.core.outcome import Named, Phase
from bot.core.policy.decide import Allowed, Denied
from bot.core.policy.match import Situation
from bot.core.policy.visibility import Visibility
from bot.core.records import Filters
from bot.core.text import utc_text
from bot.core.text import written as written_path
from bot.operations.authorize import foresee, read_situation, usable, visibility_of
from bot.operations.cards import written
from bot.runtime.context import Context
from bot.runtime.listings import NOW, Listing

_CLOSE: Final = 65.0  # of 100: a misspelled name
MOST_CLOSE: Final = 5
RECENT: Final = 200  # audit entries
_COMMON: Final = ("start", "status", "logs", "retry", "history", "schedules", "pause", "health", "schedule off")
PICKS: Final = {"logs": "last", "retry": "failed", "restart": "last", "data": "last", "stop": "running"}
_TRIED: Final = 40  # targets of a backend that are tried for a verb
CHANGED: Final = "not read since a change"
WITHIN: Final = 1.0  # seconds to wait for lists: Slack wants the options of a menu within three


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """`text` is how it is typed, `plain` the same for comparing. `listed` is its line in the last list of its backend.
    `seen` is when it was last seen, None for one that is only in the configuration. `past`: its state is not that of now."""

    target: Target
    text: str
    plain: str
    listed: Named | None = None
    seen: datetime | None = None
    past: bool = False

    def state(self, *, detail: bool) -> str:
        """What its list says of it: of another moment than now with the time, and nothing that a change may have ended."""
        if self.listed is None:
            return ""
        text = ", ".join(filter(None, (self.listed.state, self.listed.detail if detail else "")))
        return f"{text} (as of {utc_text(self.seen)})" if self.past and self.listed.state else text

    def order(self, default_kind: str) -> tuple[bool, bool, str]:
        """The order among equally good matches: main kinds first, then what is listed now, then by name."""
        return (self.target.kind != default_kind, self.listed is None, self.plain)


@dataclass(frozen=True, slots=True)
class KnownTargets:
    """The targets of the backends that a person may see. `silent` says for each backend without a current list why."""

    targets: Sequence[KnownTarget]
    silent: Mapping[str, str]


async def known_targets(
    ctx: Context, visible: Visibility, *, within: float, only: Collection[str] = ()
) -> KnownTargets:
    """The targets that the person may see. Waits `within` seconds at most for backends that have not been listed lately."""
    names = sorted(name for name in only or ctx.backends if visible.backend(name))
    listings = await ctx.listings.read(names, within)
    found = [
        known
        for name in names
        for known in await _of_backend(ctx, name, listings[name])
        if visible.target(known.target)
    ]
    return KnownTargets(found, {name: one.problem for name, one in listings.items() if one.problem})


async def _of_backend(ctx: Context, name: str, listing: Listing) -> Sequence[KnownTarget]:
    found: dict[tuple[str, str], KnownTarget] = {}
    for target, seen in await ctx.target_cache.known(name):
        text = written(target)
        found[target.kind, target.id] = KnownTarget(target, text, plain(text), None, seen)
    old = listing.outdated or (listing.at is not None and ctx.clock.now() - listing.at > NOW)
    for named in listing.named:
        target, past = named.target, old and bool(named.state)
        shown = named.model_copy(update={"state": "", "detail": CHANGED}) if past and listing.outdated else named
        found[target.kind, target.id] = KnownTarget(target, named.text, plain(named.text), shown, listing.at, past)
    if listing.problem:  # a current list has the configured ones, under their ids
        there = {known.text for known in found.values()}
        for named in ctx.backends[name].configured():
            if named.text not in there:
                target = named.target
                found[target.kind, target.id] = KnownTarget(target, named.text, plain(named.text))
    return tuple(found.values())


def matching(ctx: Context, known: Sequence[KnownTarget], typed: str, recent: Sequence[str] = ()) -> list[KnownTarget]:
    """Those that have every typed word in their name, best first; if there are none, a few that are spelled like it. `recent` are
    written targets that come before equal ones."""
    words = words_of(typed)
    position = {text: at for at, text in enumerate(recent)}
    kinds = {name: spec.default_target.name for name, spec in ctx.catalog.backends.items()}

    def order(one: tuple[float, int]) -> tuple[float, int, tuple[bool, bool, str], int]:
        how, at = one
        text, main = known[at].text, kinds[known[at].target.backend]
        return -how, position.get(text, len(position)), known[at].order(main), at

    found = sorted(rank(words, [one.plain for one in known], near=_CLOSE), key=order)
    return [known[at] for how, at in found if how >= HOLDS] or [known[at] for _, at in found[:MOST_CLOSE]]


@dataclass(frozen=True, slots=True)
class UsedHere:
    """What worked in a channel lately. `targets` are written targets, newest first, with the names of parameters that were
    given for each; `verbs` and `commands` (verb, written target) come most used first. A run of each of `failed` failed."""

    targets: Mapping[str, tuple[str, ...]]
    verbs: Sequence[str]
    commands: Sequence[tuple[str, str]]
    failed: frozenset[str]


async def used_here(ctx: Context, place: Place, visible: Visibility) -> UsedHere:
    """What this channel used lately, as far as the person may see the targets."""
    entries = await ctx.store.search(Filters(channel_id=place.channel_id), limit=RECENT) if place.channel_id else ()
    targets: dict[str, tuple[str, ...]] = {}
    commands: dict[str, tuple[str, str]] = {}
    failed = [one.target_name for one in entries if one.event is Event.ENDED and one.code == Phase.FAILED]
    for entry in entries:
        written = entry.target_name
        if entry.event is Event.DONE and entry.verb and written and visible.written(written):
            targets[written] = (*targets.get(written, ()), *_names_of(entry.params))
            commands[entry.request_id] = (entry.verb, written)
    used = Counter(commands.values())
    verbs = Counter(verb for verb, _ in commands.values())
    return UsedHere(
        targets,
        [verb for verb, _ in verbs.most_common()],
        [command for command, _ in used.most_common()],
        frozenset(written for written in failed if written),
    )


def _names_of(params: str) -> tuple[str, ...]:
    """The names of an entry's parameters as they are typed: `input.region`."""
    given = json.loads(params)
    nested = {f"{name}.{key}" for name, value in given.items() if isinstance(value, dict) for key in value}
    return (*(name for name, value in given.items() if not isinstance(value, dict)), *sorted(nested))


@dataclass(frozen=True, slots=True)
class LikelyCommand:
    """A command that the person may run here, or ask approval for. `at_once`: it changes something as soon as it is sent."""

    text: str
    at_once: bool


async def likely_commands(ctx: Context, actor: Actor, place: Place, most: int) -> Sequence[LikelyCommand]:
    """At most so many commands that this person can use here. None of them is dangerous."""
    capabilities = [(name, one) for name, one in await usable(ctx, actor, place) if one.risk is not Risk.DANGER]
    if not capabilities:
        return ()
    now, visible = await read_situation(ctx, actor, place), await visibility_of(ctx, actor, place)
    known, used = await known_targets(ctx, visible, within=WITHIN), await used_here(ctx, place, visible)
    order = matching(ctx, known.targets, "", tuple(used.targets))
    chooser = _Chooser(ctx, now, capabilities, order, used.failed)
    found: dict[str, LikelyCommand] = {}
    for one in (*chooser.used(used.commands), *chooser.common()):
        found.setdefault(one.text, one)
    return tuple(islice(found.values(), most))


@dataclass(frozen=True, slots=True)
class _Chooser:
    ctx: Context
    now: Situation
    capabilities: Sequence[tuple[str, Capability]]
    known: Sequence[KnownTarget]
    failed: frozenset[str]

    def used(self, commands: Sequence[tuple[str, str]]) -> Iterator[LikelyCommand]:
        """Those of the channel's commands whose target is still known; a run or another part, known by its id, is of no use
        to others."""
        by_text = {one.text: one for one in self.known if one.target.parent is None}
        for verb, text in commands:
            if (target := by_text.get(text)) is None:
                continue
            if (path := self._owner(target)) is not None:
                owner = by_text.get(path)
                if owner is not None and (made := self._first(verb, owner)):
                    yield made
                continue
            capabilities = [
                one for name, one in self.capabilities if name == target.target.backend and one.verb == verb
            ]
            for capability in capabilities:
                if capability.target == target.target.kind and (made := self._on(capability, target)):
                    yield made

    def _owner(self, known: KnownTarget) -> str | None:
        """The written target that a run belongs to, None for any other target. Nobody knows a run by its id."""
        target, spec = known.target, self.ctx.catalog.backends[known.target.backend]
        usual = spec.default_target
        is_run = usual.selects and spec.kind_of(target.kind).part_of == usual.name
        return written_path(target.backend, target.parent_name or "") if is_run else None

    def common(self) -> Iterator[LikelyCommand]:
        """One command for each common verb, on the target that this channel used last if the verb fits it."""
        for verb in _COMMON:
            backends = {name: capability for name, capability in self.capabilities if capability.verb == verb}
            tries = (
                made for one in self._tried() if one.target.backend in backends and (made := self._first(verb, one))
            )
            yield from islice(tries, 1)

    def _tried(self) -> Iterator[KnownTarget]:
        """The first targets of each backend."""
        for name in dict.fromkeys(one.target.backend for one in self.known):
            known = (one for one in self.known if one.target.backend == name and self._owner(one) is None)
            yield from islice(known, _TRIED)

    def _first(self, verb: str, known: KnownTarget) -> LikelyCommand | None:
        spec = self.ctx.catalog.backends[known.target.backend]
        for name, capability in self.capabilities:
            if name != known.target.backend or capability.verb != verb:
                continue
            if capability.target == known.target.kind:
                return self._on(capability, known)
            usual = spec.default_target
            if usual.selects and known.target.kind == usual.name and capability.target in spec.selected:
                pick = PICKS.get(verb, "last")
                # Of other targets nobody knows whether they have a failed run.
                return self._on(capability, known, pick) if pick != "failed" or known.text in self.failed else None
        return None

    def _on(self, capability: Capability, known: KnownTarget, pick: str = "") -> LikelyCommand | None:
        """The command, None where the rules deny it or it needs more than its target."""
        if capability.reason_required or any(param.required for param in capability.params):
            return None
        decision = foresee(self.ctx, self.now, capability, known.target)
        if isinstance(decision, Denied):
            return None
        text = f"{capability.verb} {known.text}{f'@{pick}' if pick else ''}"
        return LikelyCommand(text, capability.risk is not Risk.READ and isinstance(decision, Allowed))
