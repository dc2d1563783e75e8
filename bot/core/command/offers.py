"""The commands that are offered for what words mean, best first, and the targets that a verb usually has. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Final, NamedTuple

from bot.core.command.builtins import Takes
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.command.params import Param
from bot.core.command.phrases import Phrase, fitting, stated
from bot.core.command.ranking import MOST, Known, instead
from bot.core.command.target_ref import SELECTORS
from bot.core.command.vocabulary import ALONE
from bot.core.command.wording import Wording

_OF_MANY: Final = frozenset({"for", "until", "since", "tail", "count", "grep"})  # parameters of verbs of several kinds
_WORDLESS: Final = MappingProxyType({"revoke": "grants", "find": "help"})  # what these need is not in the sentence


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The input of suggestions. `may` returns whether the person may use a verb on a written target here.

    `recent` are written targets that this channel used, newest first, and `about` is the one of this thread; `parameters` are
    the names that were given for a written target before.
    """

    targets: Sequence[Known] = ()
    recent: Sequence[str] = ()
    about: str = ""
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    may: Callable[[str, str], bool] = lambda verb, target: True


class Offer(NamedTuple):
    """A command, its verb, and what it is about; empty without a target."""

    text: str
    verb: str
    on: str


@dataclass(frozen=True, slots=True)
class Said:
    """One reading of the words: verbs, parameters as typed and in words, the other words, and whether it is without doubt."""

    verbs: Sequence[str]
    pairs: Sequence[str]
    phrases: Sequence[Phrase]
    rest: Wording
    reason: str
    sure: bool
    failed: bool


def offers_for(said: Said, choices: Sequence[Known | None], catalog: Catalog, around: Surroundings) -> list[Offer]:
    """The commands, best first: what the person may do, what is not dangerous if in doubt, then in the order of
    the targets and verbs. A command without the target that the words name comes last."""
    found: dict[Offer, tuple[int, ...]] = {}
    looks = said.verbs[0] == "status"
    for target, meant in product(choices, said.verbs):
        found_here = commands_of(meant, target, catalog, failed=said.failed)
        switched = any(verb != meant for verb, *_ in found_here) or commands_of("start", target, catalog)
        if meant == "resume" and said.verbs[0] == "start" and switched:
            continue  # `run check-links`, `start nightly`
        for verb, at, written in found_here:
            backend = target.backend if target is not None else None
            declared = catalog.params(verb, backend)
            used = around.parameters.get(target.written, ()) if target is not None else ()
            own = [pair for pair in said.pairs if _is_given(pair, declared)]
            given = own if target is None else fitting(said.pairs, catalog, verb, target.backend, target.kind, used)
            doubt = not said.sure and any(
                capability.risk is Risk.DANGER for _, capability in catalog.capabilities(verb, backend)
            )
            order = (not around.may(verb, written), doubt, target is not None and not at, said.failed and "@" not in at)
            clear = [phrase for phrase in said.phrases if not phrase.unclear]  # a watch may do without its end
            for phrases in (said.phrases, *([] if catalog.changes(verb) else [clear])):
                more = [*stated(declared, phrases, said.rest.typed, said.rest.said, used)]
                pairs = {pair.partition("=")[0]: pair for pair in (*more, *given)}.values()
                whole = " ".join([*filter(None, (verb, at)), *pairs, *(["--", said.reason] if said.reason else [])])
                inputs = sum(pair.partition("=")[0] not in _OF_MANY for pair in more)  # a retry takes none
                found.setdefault(Offer(whole, verb, at), (*order, looks and meant != "status", -inputs))
    return sorted(found, key=found.__getitem__)


def target_of_thread(around: Surroundings) -> list[Known]:
    """The target of this thread."""
    return [known for known in around.targets if known.written == around.about]


def usual(verbs: Sequence[str], catalog: Catalog, around: Surroundings, *, itself: bool = False) -> list[Known]:
    """Targets for a verb that needs one, those used here last first; `itself`: only for the first verb. None if it needs none."""
    builtin = catalog.builtin(verbs[0])
    if verbs[0] == "targets":
        used = [known.partition(":")[0] for known in around.recent]
        return [Known(name, "", "", f"{name}:") for name in dict.fromkeys([*used, *catalog.backends]) if name][:MOST]
    if builtin is not None and (builtin.takes is not Takes.TARGET or builtin.verb in ALONE):
        return target_of_thread(around) if any(catalog.changes(verb) for verb in verbs) and not itself else []
    by_text = {known.written: known for known in around.targets}
    recent = [by_text[text] for text in around.recent if text in by_text]
    named = (one for one in (*recent, *around.targets) if one.kind not in catalog.backends[one.backend].selected)
    said = {one: [own for verb in verbs for own, *_ in commands_of(verb, one, catalog)] for one in named}
    if around.about:  # in a thread, no other target is meant that nobody named
        return [one for one in target_of_thread(around) if verbs[0] in said[one] or (said[one] and not itself)]
    may = [one for one, own in said.items() if verbs[0] in own and around.may(verbs[0], one.written)]
    able = [one for one in may if one.name or one in recent]  # no whole control plane that nobody named
    danger = any(one.risk is Risk.DANGER for _, one in catalog.capabilities(verbs[0]))
    others = [one for one, own in said.items() if own and (not danger or (one in recent and verbs[0] in own))]
    fit = able if itself else others  # no run: nobody knows its id
    return sorted(fit, key=lambda one: not around.may(verbs[0], one.written))[:MOST]


def commands_of(
    verb: str, target: Known | None, catalog: Catalog, *, failed: bool = False
) -> list[tuple[str, str, str]]:
    """Commands as (verb, its object, target as written) that the verb may stand for. For a verb of runs, a run of the agent is
    selected."""
    builtin = catalog.builtin(verb)
    if target is None:
        if builtin is not None and (builtin.takes in (Takes.NOTHING, Takes.WORDS) or verb in ALONE - {"targets"}):
            return [(_WORDLESS.get(verb, verb), "", "")]
        return [(verb, f"{name}:", f"{name}:") for name in _without_a_name(verb, catalog)]
    if own := instead(verb, target, catalog):
        return [(*own, target.written)]
    capabilities = catalog.capabilities(verb, target.backend)
    kinds = {capability.target for _, capability in capabilities}
    base, at, selector = target.written.rpartition("@")
    if at and selector in SELECTORS:
        if kinds:
            return [(verb, target.written, base)]
    elif target.kind in kinds:
        return [(verb, target.written, target.written)]
    default = catalog.backends[target.backend].default_target
    if kinds & catalog.backends[target.backend].selected and default.selects and target.kind == default.name:
        selector = "failed" if verb == "retry" or failed else "running" if verb in ("stop", "pause") else "last"
        return [(verb, f"{target.written}@{selector}", target.written)]
    if builtin is not None and builtin.takes is Takes.TARGET and not (target.name and verb in ALONE):
        return [(verb, base or target.written, target.written)]
    if builtin is not None and not capabilities:
        word = target.name.rpartition("/")[2] if builtin.takes is Takes.WORDS else ""
        return [
            (verb, word, target.written) if builtin.needs is None else (_WORDLESS.get(verb, verb), "", target.written)
        ]
    return []


def _is_given(pair: str, declared: Sequence[Param]) -> bool:
    """Whether a pair has a value for one of these parameters."""
    name, _, value = pair.partition("=")
    return value != "" and name in {param.name for param in declared}


def _without_a_name(verb: str, catalog: Catalog) -> list[str]:
    """The control planes that a verb without a target may be for. A change needs one, unless there is only one control plane
    and it has no parts."""
    able = [name for name in catalog.backends if catalog.capabilities(verb, name)]
    only = len(catalog.backends) == 1 and not any(catalog.backends[name].default_target.example for name in able)
    return able if only or not catalog.changes(verb) else []
