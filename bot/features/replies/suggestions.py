"""Type-ahead of targets: what is remembered, the runs of what is remembered, and what was typed itself when it is a target."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from typing import Final

from bot.core.audit import Event
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE, unescape
from bot.core.command.parser import parse_target
from bot.core.command.suggest import Known, Surroundings
from bot.core.command.suggest import suggest as suggest_commands
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.intent import Actor, Place
from bot.core.operation import Target
from bot.core.policy.visibility import Visibility, may
from bot.core.records import Filters
from bot.operations.authorize import read_situation, sight_of
from bot.operations.cards import written
from bot.runtime.context import Context

MOST: Final = 100  # options that Slack takes
_WORKED: Final = frozenset({Event.SENT, Event.DONE})
RECENT: Final = 200  # audit entries of the channel that show what it uses
_TOKEN: Final = re.compile(rf"(?:[{''.join(DOUBLE)}][^{''.join(DOUBLE)}]*[{''.join(DOUBLE)}]|\S)+")
_AROUND: Final = ".,;!?()[]'`*_~"
FEW: Final = 10  # targets that are few enough to offer the runs of each as well


async def suggest(ctx: Context, actor: Actor, place: Place, typed: str) -> Sequence[str]:
    """Targets as a person writes them, best first, of those that this person may be told; what was typed comes last."""
    known = [(target.backend, written(target)) for target in await _known(ctx, actor, place)]
    own = as_target(typed, ctx.catalog) if known or (await sight_of(ctx, actor, place)).patterns != () else None
    found = dict.fromkeys([*_matching(ctx.catalog, known, typed)][: MOST - 1])
    return (*found, *([own] if own is not None and own not in found else []))


async def _known(ctx: Context, actor: Actor, place: Place) -> Sequence[Target]:
    """The remembered targets of all backends that this person may be told."""
    seen = await sight_of(ctx, actor, place)
    every = [target for name in sorted(ctx.backends) for target, _ in await ctx.names.known(name)]
    return [target for target in every if seen.target(target)]


def _matching(catalog: Catalog, known: Sequence[tuple[str, str]], typed: str) -> Iterator[str]:
    part, at, picks = _bare(typed).rpartition("@")
    part, picks = (part, picks) if at else (picks, "")
    found = [(name, text) for name, text in known if part in _bare(text)]
    if not at:
        yield from (text for _, text in found)
    if at or len(found) <= FEW:
        for name, text in found:
            ref = parse_target(text, catalog)
            if isinstance(ref, TargetRef) and ref.path and _has_runs(catalog, name, ref.path):
                yield from (f"{text}@{selector}" for selector in SELECTORS if selector.startswith(picks))
    if at:  # an `@` that belongs to a name
        yield from (text for _, text in known if _bare(typed) in _bare(text))


def _has_runs(catalog: Catalog, backend: str, path: str) -> bool:
    return catalog.selects(backend) and catalog.split_path(backend, path)[0] is None


def _bare(text: str) -> str:
    """In lower case and without the quotes that a target may need and nobody types first."""
    return "".join(char for char in text.strip().lower() if char not in DOUBLE)


def as_target(typed: str, catalog: Catalog) -> str | None:
    """What was typed as the target that it names, quoted where it has to be; None when it names none."""
    text = typed.strip()
    ref = parse_target(text, catalog)
    backend, colon, path = text.partition(":")
    if isinstance(ref, str) and colon and backend in catalog.backends and not DOUBLE & set(path):
        ref = parse_target(str(TargetRef(backend=backend, path=path.strip())), catalog)
    if isinstance(ref, str) or (not ref.path and catalog.backends[ref.backend].default_target.example):
        return None
    return str(ref)


async def named_in(ctx: Context, actor: Actor, place: Place, text: str) -> str | None:
    """The first target that these words name: one written out, else one remembered, else a backend; None without any."""
    remembers = await _known(ctx, actor, place)
    whole = {_bare(written(target)): target for target in remembers}
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
    """A word as it is; what stands in quotes as one word if it is a name with blanks that is remembered, else its words."""
    bare = _bare(token.strip(_AROUND).rstrip(":"))
    return [bare] if " " in bare and bare in whole else [word.strip(_AROUND) for word in token.split()]


async def commands_meant(ctx: Context, actor: Actor, place: Place, text: str) -> Sequence[str]:
    """Commands that these words may mean, best first, of what this person may use and be told here."""
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
