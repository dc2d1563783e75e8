"""The options of the launcher's menus: verbs by what they do and targets that fit, best first."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

from bot.core.card import Choice, Choices
from bot.core.command.builtins import ALIASES
from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse_target
from bot.core.command.ranking import rank, words_of
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.intent import Actor, Command, Place
from bot.features.known_targets import PICKS, WITHIN, KnownTarget, known_targets, matching, used_here
from bot.features.replies.suggestions import as_target
from bot.operations.authorize import catalog_of, usable, visibility_of
from bot.runtime.context import Context

MOST: Final = 100  # options that Slack takes
NOTE: Final = 75  # characters of a note that Slack shows
FEW: Final = 10  # targets that are few enough to offer the runs of each as well
MOST_USED: Final = 5
COMMON: Final = ("start", "status", "logs", "stop", "retry")
RISKS: Final[Mapping[Risk, str]] = {Risk.READ: "Read", Risk.CHANGE: "Change", Risk.DANGER: "Danger: asks you first"}
_ORDER: Final = tuple(RISKS)
_NEAR: Final = 72.0  # of 100: a misspelled verb
WHICH: Final = {"last": "its newest run", "failed": "its newest failed run", "running": "its run in progress"}

Capabilities = Sequence[tuple[str, Capability]]


async def verbs(ctx: Context, actor: Actor, place: Place, target: str, typed: str) -> Sequence[Choices]:
    """Verbs that this person may use here, on this target if one is chosen: what the channel uses first, then by risk."""
    capabilities = fitting(await catalog_of(ctx, actor, place), await usable_capabilities(ctx, actor, place), target)
    by_verb: dict[str, list[Capability]] = {}
    for _, capability in capabilities:
        by_verb.setdefault(capability.verb, []).append(capability)
    found = {verb: Choice(value=verb, note=of[0].help) for verb, of in sorted(by_verb.items())}
    if typed.strip():
        return [Choices(choices=tuple(found[verb] for verb in _ranked(typed, found)))]
    used = (await used_here(ctx, place, await visibility_of(ctx, actor, place))).verbs
    often = [verb for verb in used if verb in found][: MOST_USED - 1]  # one place is left for `start`
    first = [verb for verb in dict.fromkeys([*often, *COMMON]) if verb in found][:MOST_USED]
    groups = [Choices(label="Common here", choices=tuple(found[verb] for verb in first))]
    for risk, label in RISKS.items():
        there = [
            verb
            for verb, of in by_verb.items()
            if max((capability.risk for capability in of), key=_ORDER.index) is risk
        ]
        groups.append(Choices(label=label, choices=tuple(found[verb] for verb in sorted(set(there) - set(first)))))
    return [group for group in groups if group.choices]


async def usable_capabilities(ctx: Context, actor: Actor, place: Place) -> Capabilities:
    """What this person may use here; everything when the channel is not chosen yet."""
    if place.channel_id:
        return await usable(ctx, actor, place)
    visible = await visibility_of(ctx, actor, place)
    named = [(name, spec) for name, spec in sorted(ctx.catalog.backends.items()) if visible.backend(name)]
    return [(name, capability) for name, spec in named for capability in spec.capabilities]


def _ranked(typed: str, verbs: Mapping[str, object]) -> list[str]:
    """The verbs that fit, the exact one first, then those that begin so; misspelled ones only if no other fits."""
    words, names = words_of(typed), sorted(verbs, key=lambda verb: (len(verb), verb))
    meant = ALIASES.get(" ".join(words), "")
    found = sorted(
        rank(words, names, near=_NEAR), key=lambda one: (-one[0], not set(words) <= set(names[one[1]].split()))
    )
    return list(dict.fromkeys([*([meant] if meant in verbs else []), *(names[at] for _, at in found)]))


def fitting(catalog: Catalog, capabilities: Capabilities, target: str) -> Capabilities:
    """The capabilities that act on that written target, on its runs if it selects one; all of them without a target."""
    ref = parse_target(target, catalog) if target else ""
    if isinstance(ref, str):
        return capabilities
    there = [(name, capability) for name, capability in capabilities if name == ref.backend]
    runs = catalog.backends[ref.backend].selected if catalog.has_runs(ref) else ()
    fits = [one for one in there if one[1] in catalog.meant(one[1].verb, ref) or one[1].target in runs]
    return fits if ref.selector is not None else fits or there


def on_its_run(catalog: Catalog, command: Command) -> Command:
    """The command on the run that its verb is usually about, when it works on runs and the target has some."""
    ref = parse_target(command.target, catalog) if command.target else ""
    if isinstance(ref, str) or not ref.path or catalog.meant(command.verb, ref) or not catalog.has_runs(ref):
        return command
    picked = ref.model_copy(update={"selector": PICKS.get(command.verb, "last")})
    return command.model_copy(update={"target": str(picked)}) if catalog.meant(command.verb, picked) else command


async def targets(ctx: Context, actor: Actor, place: Place, verb: str, typed: str) -> Sequence[Choices]:
    """Targets that the person may see and the verb acts on, best first; the typed text comes last if it is a target.

    A backend that doesn't answer has its own heading: its names may be missing.
    """
    visible = await visibility_of(ctx, actor, place)
    known = await known_targets(ctx, visible, within=WITHIN)
    recent = tuple((await used_here(ctx, place, visible)).targets)
    own = as_target(typed, ctx.catalog, visible)
    offered = _offered(ctx, known.targets, verb, typed, recent)
    found = {one.value: one for one in islice(offered, MOST)}
    if own is not None and own not in found:
        found = {**dict([*found.items()][: MOST - 1]), own: Choice(value=own)}
    groups = [Choices(label="Targets", choices=tuple(found.values())[:MOST])]
    for name in known.silent:
        there = tuple(one for one in groups[0].choices if one.value.startswith(f"{name}:"))
        others = tuple(one for one in groups[0].choices if one not in there)
        hint = Choice(value=f"{name}:", text=f"{name}: type the full name")
        groups[0] = groups[0].model_copy(update={"choices": others})
        groups.append(Choices(label=f"{name} doesn't answer; names may be missing", choices=there or (hint,)))
    groups = [group for group in groups if group.choices]
    return groups if known.silent else [group.model_copy(update={"label": ""}) for group in groups]


def _offered(
    ctx: Context, known: Sequence[KnownTarget], verb: str, typed: str, recent: Sequence[str]
) -> Iterator[Choice]:
    part, at, picks = typed.strip().rpartition("@")
    kinds = {(kind, capability.target) for kind, capability in ctx.catalog.capabilities(verb)} if verb else None
    fits = [one for one in known if kinds is None or _acts_on(ctx, kinds, one) or _on_runs(ctx, kinds, one)]
    found = matching(ctx, fits, part if at else typed, recent)
    picked = [selector for selector in SELECTORS if selector.startswith(picks.lower() if at else "")]
    picked = picked if at or len(found) <= FEW or kinds is not None else []
    offered: list[tuple[int, Choice]] = []
    for one in found:
        if not at and (kinds is None or _acts_on(ctx, kinds, one)):
            offered.append((2 if one.target.parent_name else 0, _choice(one)))  # known by its id: after `@last`
        if picked and _has_runs(ctx.catalog, one) and (kinds is None or _on_runs(ctx, kinds, one)):
            rank = 0 if verb else 1
            offered += [(rank, Choice(value=f"{one.text}@{name}", note=WHICH[name])) for name in picked]
    yield from (choice for _, choice in sorted(offered, key=itemgetter(0)))
    if at:  # an `@` that belongs to a name
        yield from (_choice(one) for one in matching(ctx, fits, typed, recent))


def _choice(known: KnownTarget) -> Choice:
    whose = f" of {known.target.parent_name}" if known.target.parent_name else ""
    note = ", ".join(filter(None, (f"{known.target.kind}{whose}", known.state(detail=False))))
    uncut = len(note) <= NOTE or not known.past  # its time would be cut
    return Choice(value=known.text, note=note if uncut else f"{known.target.kind}{whose}")


def _acts_on(ctx: Context, kinds: set[tuple[str, str]], known: KnownTarget) -> bool:
    return (ctx.catalog.backends[known.target.backend].kind, known.target.kind) in kinds


def _on_runs(ctx: Context, kinds: set[tuple[str, str]], known: KnownTarget) -> bool:
    """Whether the verb acts on runs of that target, which a selector picks."""
    spec = ctx.catalog.backends[known.target.backend]
    usual = spec.default_target
    runs = {(spec.kind, kind) for kind in spec.selected}
    return usual.selects and known.target.kind == usual.name and bool(kinds & runs)


def _has_runs(catalog: Catalog, known: KnownTarget) -> bool:
    ref = parse_target(known.text, catalog)
    return isinstance(ref, TargetRef) and bool(ref.path) and catalog.has_runs(ref)
