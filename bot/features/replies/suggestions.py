"""Type-ahead of targets: what is remembered, the runs of what is remembered, and what was typed itself when it is a target."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from typing import Final

from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE, unescape
from bot.core.command.parser import format_command, parse, parse_target
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.intent import Actor, Command, Place
from bot.core.operation import Target
from bot.core.policy.decide import admits
from bot.core.policy.match import Standing, standing
from bot.operations.authorize import facts, sight_of
from bot.operations.cards import written
from bot.runtime.context import Context

MOST: Final = 100  # options that Slack takes
_TOKEN: Final = re.compile(rf"(?:[{''.join(DOUBLE)}][^{''.join(DOUBLE)}]*[{''.join(DOUBLE)}]|\S)+")
_AROUND: Final = ".,;!?()[]'`*_~"
FEW: Final = 10  # targets that are few enough to offer the runs of each as well


async def suggest(ctx: Context, actor: Actor, place: Place, typed: str) -> Sequence[str]:
    """Targets as they are written, best first; nothing for who may do nothing here."""
    if not await _admitted(ctx, actor, place):
        return ()
    known = [(target.backend, written(target)) for target in await _known(ctx, actor, place)]
    own = as_target(typed, ctx.catalog)
    found = dict.fromkeys([*_matching(ctx.catalog, known, typed)][: MOST - 1])
    return (*found, *([own] if own is not None and own not in found else []))


async def _known(ctx: Context, actor: Actor, place: Place) -> Sequence[Target]:
    """What is remembered of all control planes, as far as this person may be told."""
    seen = await sight_of(ctx, actor, place)
    every = [target for name in sorted(ctx.backends) for target, _ in await ctx.names.known(name)]
    return [target for target in every if seen.target(target)]


async def _admitted(ctx: Context, actor: Actor, place: Place) -> bool:
    policy, subject, where = await facts(ctx, actor, place)
    if place.channel_id:
        return admits(policy, subject=subject, where=where, home_team_id=ctx.home_team) is None
    return standing(subject, ctx.home_team)[0] is Standing.FULL  # a modal does not say where it was opened


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


async def named_in(ctx: Context, text: str) -> str | None:
    """The first target that these words name: one written out, else one remembered, else a control plane; None without any."""
    remembers = [target for name in ctx.backends for target, _ in await ctx.names.known(name)]
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
    return next((f"{word.rstrip(':')}:" for word in words if word.rstrip(":") in ctx.catalog.backends), None)


def _taken(token: str, whole: Container[str]) -> Sequence[str]:
    """A word as it is; what stands in quotes as one word if it is a name with blanks that is remembered, else its words."""
    bare = _bare(token.strip(_AROUND).rstrip(":"))
    return [bare] if " " in bare and bare in whole else [word.strip(_AROUND) for word in token.split()]


async def commands_meant(ctx: Context, actor: Actor, place: Place, text: str) -> Sequence[str]:
    """The command with a remembered target in place of a word that is one's name, or the only one with that word in it."""
    if not await _admitted(ctx, actor, place):
        return ()
    known = await _known(ctx, actor, place)
    for word in text.split()[1:]:
        same = [target for target in known if target.name.lower() == word.lower()]
        near = [target for target in known if word.lower() in target.name.lower()]
        meant = same or (near if len(near) == 1 else [])
        read = [parse(text.replace(word, written(target), 1), ctx.catalog) for target in meant]
        if commands := [format_command(one) for one in read if isinstance(one, Command)]:
            return tuple(dict.fromkeys(commands))
    return ()
