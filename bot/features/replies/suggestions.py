"""Type-ahead of targets: remembered names, their runs, and the typed text itself when it is a target."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from typing import Final

from bot.core.audit import Event
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE, unescape
from bot.core.command.parser import parse_target
from bot.core.command.search import plain
from bot.core.command.suggest import Known, Surroundings
from bot.core.command.suggest import suggest as suggest_commands
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.intent import Actor, Place
from bot.core.operation import Target
from bot.core.policy.visibility import Visibility, may
from bot.core.records import Filters
from bot.features.known_targets import KnownTarget, known_targets, matching
from bot.operations.authorize import read_situation, sight_of
from bot.operations.cards import written
from bot.runtime.context import Context

MOST: Final = 100  # options that Slack takes
_WORKED: Final = frozenset({Event.SENT, Event.DONE})
RECENT: Final = 200  # audit entries of the channel that show what it uses
_TOKEN: Final = re.compile(rf"(?:[{''.join(DOUBLE)}][^{''.join(DOUBLE)}]*[{''.join(DOUBLE)}]|\S)+")
_AROUND: Final = ".,;!?()[]'`*_~"
WITHIN: Final = 1.0  # seconds to wait for lists: Slack wants the options within three
FEW: Final = 10  # targets that are few enough to offer the runs of each as well


async def suggest(ctx: Context, actor: Actor, place: Place, typed: str) -> Sequence[str]:
    """Targets that this person may see, as they are typed, best first. The typed text itself comes last."""
    sight = await sight_of(ctx, actor, place)
    known = await known_targets(ctx, sight, within=WITHIN)
    own = as_target(typed, ctx.catalog) if known.targets or sight.patterns != () else None
    found = dict.fromkeys([*_matching(ctx, known.targets, typed)][: MOST - 1])
    return (*found, *([own] if own is not None and own not in found else []))


async def _known(ctx: Context, actor: Actor, place: Place) -> Sequence[Target]:
    """The known targets of all backends that this person may see."""
    found = await known_targets(ctx, await sight_of(ctx, actor, place), within=WITHIN)
    return [known.target for known in found.targets]


def _matching(ctx: Context, known: Sequence[KnownTarget], typed: str) -> Iterator[str]:
    part, at, picks = typed.strip().rpartition("@")
    found = matching(ctx, known, part if at else typed)
    if not at:
        yield from (one.text for one in found)
    if at or len(found) <= FEW:
        for one in found:
            ref = parse_target(one.text, ctx.catalog)
            if isinstance(ref, TargetRef) and ref.path and _has_runs(ctx.catalog, one.target.backend, ref.path):
                selectors = (selector for selector in SELECTORS if selector.startswith(picks.lower() if at else ""))
                yield from (f"{one.text}@{selector}" for selector in selectors)
    if at:  # an `@` that belongs to a name
        yield from (one.text for one in matching(ctx, known, typed))


def _has_runs(catalog: Catalog, backend: str, path: str) -> bool:
    return catalog.selects(backend) and catalog.split_path(backend, path)[0] is None


def as_target(typed: str, catalog: Catalog) -> str | None:
    """The typed text as a target, quoted where necessary; None when it is not a target."""
    text = typed.strip()
    ref = parse_target(text, catalog)
    backend, colon, path = text.partition(":")
    if isinstance(ref, str) and colon and backend in catalog.backends and not DOUBLE & set(path):
        ref = parse_target(str(TargetRef(backend=backend, path=path.strip())), catalog)
    if isinstance(ref, str) or (not ref.path and catalog.backends[ref.backend].default_target.example):
        return None
    return str(ref)


async def named_in(ctx: Context, actor: Actor, place: Place, text: str) -> str | None:
    """The first target in the text: a full target, otherwise a remembered name, otherwise a backend; None without any."""
    remembers = await _known(ctx, actor, place)
    whole = {plain(written(target)): target for target in remembers}
    words = [word for each in _TOKEN.findall(unescape(text)) for word in _taken(each, whole)]
    for word in words:
        if word in whole:
            return written(whole[word])
        if ":" in word and (target := as_target(word, ctx.catalog)) is not None:
            return target
    known = {target.name.lower(): target for target in remembers}
    remembered = next((known[word.lower()] for word in words if "/" in word and word.lower() in known), None)
    if remembered is not None:
        return written(remembered)
    seen = await sight_of(ctx, actor, place)
    told = [name for name in ctx.catalog.backends if seen.backend(name)]
    return next((f"{word.rstrip(':')}:" for word in words if word.rstrip(":") in told), None)


def _taken(token: str, whole: Container[str]) -> Sequence[str]:
    """The words of a token. Quoted text is one word when it is a remembered name with spaces."""
    bare = plain(token.strip(_AROUND).rstrip(":"))
    return [bare] if " " in bare and bare in whole else [word.strip(_AROUND) for word in token.split()]


async def commands_meant(ctx: Context, actor: Actor, place: Place, text: str) -> Sequence[str]:
    """Commands that the text may mean, best first, of those that this person may use and see here."""
    sight = await sight_of(ctx, actor, place)
    if sight.patterns == ():
        return ()
    now = await read_situation(ctx, actor, place)
    rows = [(name, row) for name, declared in ctx.catalog.backends.items() for row in declared.capabilities]
    usable = may(
        now.policy, rows=rows, subject=now.subject, where=now.where, home_team_id=ctx.home_team, grants=now.grants
    )
    allowed = {(backend, row.verb) for backend, row in usable}
    seen = await ctx.store.search(Filters(channel_id=place.channel_id), limit=RECENT) if place.channel_id else ()
    parameters: dict[str, tuple[str, ...]] = {}
    for entry in seen:
        if entry.target_name and entry.event in _WORKED and sight.written(entry.target_name):
            parameters[entry.target_name] = (*parameters.get(entry.target_name, ()), *_names_of(entry.params))
    around = Surroundings(
        targets=[
            *(Known(one.backend, one.kind, one.name, written(one)) for one in await _known(ctx, actor, place)),
            *_whole_backends(ctx.catalog, sight),
        ],
        recent=tuple(parameters),
        parameters=parameters,
        may=lambda verb, target: (target.partition(":")[0], verb) in allowed or not target,
    )
    return suggest_commands(text, ctx.catalog, around)


def _names_of(params: str) -> tuple[str, ...]:
    """The names of an entry's parameters as they are typed: `input.region`."""
    given = json.loads(params)
    nested = {f"{name}.{key}" for name, value in given.items() if isinstance(value, dict) for key in value}
    return (*(name for name, value in given.items() if not isinstance(value, dict)), *sorted(nested))


def _whole_backends(catalog: Catalog, sight: Visibility) -> Iterator[Known]:
    """Backends that are targets themselves, like a Resilio agent."""
    for name, rows in catalog.backends.items():
        if not rows.default_target.example and sight.backend(name):
            yield Known(name, rows.default_target.name, "", f"{name}:")
