"""Every target that is configured, listed or was seen, for `find`, `targets` and type-ahead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.audit import Event
from bot.core.command.search import fit, plain, words_of
from bot.core.intent import Place
from bot.core.operation import Target
from bot.core.outcome import Named
from bot.core.policy.visibility import Visibility
from bot.core.records import Filters
from bot.operations.cards import written
from bot.runtime.context import Context
from bot.runtime.listings import Listing

_CLOSE: Final = 70.0  # of 100: a misspelled name
MOST_CLOSE: Final = 5
RECENT: Final = 200  # audit entries
_WORKED: Final = frozenset({Event.SENT, Event.DONE})


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """`text` is how it is typed, `plain` the same for comparing. `listed` is its row in the last list of its backend.
    `seen` is when it was last seen, None for one that is only in the configuration."""

    target: Target
    text: str
    plain: str
    listed: Named | None = None
    seen: datetime | None = None

    def order(self, default_kind: str) -> tuple[bool, bool, str]:
        """The order among equally good matches: main kinds first, then what is listed now, then by name."""
        return (self.target.kind != default_kind, self.listed is None, self.plain)


@dataclass(frozen=True, slots=True)
class KnownTargets:
    """The targets of the backends that a person may see. `silent` says for each backend without a current list why."""

    targets: Sequence[KnownTarget]
    silent: Mapping[str, str]


async def known_targets(ctx: Context, sight: Visibility, *, within: float, only: Collection[str] = ()) -> KnownTargets:
    """The targets that the person may see. Waits `within` seconds at most for backends that have not been listed lately."""
    names = sorted(name for name in only or ctx.backends if sight.backend(name))
    listings = await ctx.listings.read(names, within)
    found = [
        known for name in names for known in await _of_backend(ctx, name, listings[name]) if sight.target(known.target)
    ]
    return KnownTargets(found, {name: one.problem for name, one in listings.items() if one.problem})


async def _of_backend(ctx: Context, name: str, listing: Listing) -> Sequence[KnownTarget]:
    found: dict[tuple[str, str], KnownTarget] = {}
    for target, seen in await ctx.target_cache.known(name):
        text = written(target)
        found[target.kind, target.id] = KnownTarget(target, text, plain(text), None, seen)
    for named in listing.named:
        target = named.target
        before = found.get((target.kind, target.id))
        when = before.seen if before is not None else listing.at
        found[target.kind, target.id] = KnownTarget(target, named.text, plain(named.text), named, when)
    if listing.problem:  # a current list has the configured ones, under their ids
        there = {known.text for known in found.values()}
        for named in ctx.backends[name].configured():
            if named.text not in there:
                target = named.target
                found[target.kind, target.id] = KnownTarget(target, named.text, plain(named.text))
    return tuple(found.values())


def matching(ctx: Context, known: Sequence[KnownTarget], typed: str, recent: Sequence[str] = ()) -> list[KnownTarget]:
    """Those that have every typed word in their name, best first. `recent` are written targets that come before equal ones."""
    words = words_of(typed)
    position = {text: at for at, text in enumerate(recent)}
    kinds = {name: spec.default_target.name for name, spec in ctx.catalog.backends.items()}
    found = [
        (how, position.get(one.text, len(position)), one.order(kinds[one.target.backend]), at)
        for at, one in enumerate(known)
        if (how := fit(words, one.plain)) is not None
    ]
    return [known[at] for *_, at in sorted(found)]


def close_to(known: Sequence[KnownTarget], typed: str) -> list[KnownTarget]:
    """A few targets whose name, or its last part, is spelled like the typed words, closest first."""
    wanted = " ".join(words_of(typed))
    names = {at: one.plain.rpartition("/" if "/" not in wanted else ":")[2] for at, one in enumerate(known)}
    near = process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=MOST_CLOSE)
    return [known[at] for _, _, at in near]


@dataclass(frozen=True, slots=True)
class UsedHere:
    """What worked in a channel lately. `targets` are written targets, newest first, with the names of parameters that were
    given for each; `verbs` and `commands` (verb, written target) come most used first."""

    targets: Mapping[str, tuple[str, ...]]
    verbs: Sequence[str]
    commands: Sequence[tuple[str, str]]


async def used_here(ctx: Context, place: Place, sight: Visibility) -> UsedHere:
    """What this channel used lately, as far as the person may see the targets."""
    entries = await ctx.store.search(Filters(channel_id=place.channel_id), limit=RECENT) if place.channel_id else ()
    targets: dict[str, tuple[str, ...]] = {}
    commands: dict[str, tuple[str, str]] = {}
    for entry in entries:
        written = entry.target_name
        if entry.event in _WORKED and entry.verb and written and sight.written(written):
            targets[written] = (*targets.get(written, ()), *_names_of(entry.params))
            commands[entry.request_id] = (entry.verb, written)
    used = Counter(commands.values())
    verbs = Counter(verb for verb, _ in commands.values())
    return UsedHere(targets, [verb for verb, _ in verbs.most_common()], [command for command, _ in used.most_common()])


def _names_of(params: str) -> tuple[str, ...]:
    """The names of an entry's parameters as they are typed: `input.region`."""
    given = json.loads(params)
    nested = {f"{name}.{key}" for name, value in given.items() if isinstance(value, dict) for key in value}
    return (*(name for name, value in given.items() if not isinstance(value, dict)), *sorted(nested))
