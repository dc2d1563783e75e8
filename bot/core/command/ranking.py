"""The one ranking of names: how well typed words fit the name of a target or a verb. Pure.

`find`, type-ahead and the launcher rank by all typed words at once; sentences rank each word against existing targets.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE
from bot.core.command.target_ref import PICKS, SHORT_ID, plain
from bot.core.command.vocabulary import FILLERS
from bot.core.command.wording import Wording, pairs_of

EDGES: Final = ".,;!?()[]{}'`*_~"
_ENDS: Final = EDGES + ":<>"  # after a target
MOST: Final = 3  # commands that are offered
SAME, LAST, BEGINS, HOLDS = 110.0, 104.0, 98.0, 92.0
OWN: Final = 5.0  # more for a target of the backend that the word names
NEAR: Final = 75.0  # of 100: a misspelled name; an exchange of two letters counts as one mistake
_ID: Final = re.compile(r"(?=.*\d)[0-9A-Za-z-]{12,64}")
_ID_ENDS: Final = re.compile(r"[/?&=#<>|:]")
_ALIKE: Final = OSA.normalized_similarity
_SWITCHED: Final = MappingProxyType({"schedule on": "true", "schedule off": "false"})  # `disable` a gateway
ADJECTIVES: Final = frozenset({"new", "slow", "broken", "old", "big", "last", "first", "next"})
_AT: Final = frozenset({"on", "at", "in"})
_MARKS: Final = frozenset(":/@\\;")  # in a word that is written as a target
_BEFORE_ADJECTIVES: Final = frozenset(
    {"is", "are", "was", "were", "it's", "its", "too", "so", "very", "a", "an", "gets", "got"}
)
_PART: Final = re.compile(r"[^\W_]+")
_NUMBER: Final = re.compile(r"\d+")
_LETTERS: Final = re.compile(r"[^\W\d_]+|\d+")
_JOINED: Final = re.compile(r"\b([^\W\d_]{2,})(\d{1,2})\b")  # `us1` for `us-1`


@dataclass(frozen=True, slots=True)
class Known:
    """A target that exists: its backend, its kind, its name, and how it is written in a command (`acc:shop/prices`)."""

    backend: str
    kind: str
    name: str
    written: str


def words_of(typed: str) -> tuple[str, ...]:
    """The parts of a name that were typed, for `rank`."""
    return tuple(plain(typed).split())


def parts_of(text: str) -> list[str]:
    """The words and numbers of a name or a text: `us-1/Process Server` has four."""
    return _PART.findall(_JOINED.sub(r"\1 \2", text.casefold()))


@lru_cache(maxsize=32_768)  # as for `plain`: the same names are compared again and again
def name_parts(name: str) -> tuple[str, ...]:
    """The `parts_of` the name of a target."""
    return tuple(parts_of(name))


@lru_cache(maxsize=32_768)
def initials(name: str) -> str:
    """How people shorten the last part of a name of several words: `dis` for `eu-1/Data Integration Server`; otherwise empty."""
    last = name_parts(name.rpartition("/")[2])
    short = "".join(part[0] for part in last)
    return short if len(last) > 1 and short not in FILLERS else ""


@lru_cache(maxsize=32_768)
def forms_of(name: str) -> frozenset[str]:
    """What a word of a text may have of a name: its parts, all of them as one word, and its initials."""
    parts = name_parts(name)
    return frozenset(form for form in (*parts, "".join(parts), initials(name)) if form)


@lru_cache(maxsize=32_768)
def _ends(name: str) -> tuple[str, str]:
    """The path of a plain name, and its last part."""
    path = name.rpartition(":")[2]
    return path, path.rpartition("/")[2]


def fit(words: Sequence[str], name: str) -> float:
    """How well a plain name (`acc:shop/prices`) fits: SAME is the name itself, LAST its last part, BEGINS beginnings of its
    words, HOLDS any parts, 0 when a word is missing."""
    if not words:
        return HOLDS
    if not all(word in name for word in words):
        return 0.0
    whole, path = " ".join(words), name.rpartition(":")[2]
    if whole in (name, path):
        return SAME
    if whole == path.rpartition("/")[2]:
        return LAST
    starts = {match.start() for match in _PART.finditer(name)}
    return BEGINS if all(any(name.startswith(word, at) for at in starts) for word in words) else HOLDS


def rank(words: Sequence[str], names: Sequence[str], near: float | None) -> list[tuple[float, int]]:
    """The scores and places of the plain names that fit. Only if none does: of those whose path or last part is spelled like the
    words, with a likeness of at least `near` of 100, unless that is None."""
    first = words[0] if words else ""
    found = [(how, at) for at, name in enumerate(names) if first in name and (how := fit(words, name))]
    if found or near is None or not names:
        return found
    ends, whole = zip(*map(_ends, names), strict=True), " ".join(words)
    numbers = _NUMBER.findall(whole)  # nobody means `cluster_1` by `cluster_3`
    close = (process.extract(whole, end, scorer=_ALIKE, score_cutoff=near / 100, limit=None) for end in ends)
    likely = (one for of in close for one in of if not numbers or _NUMBER.findall(one[0]) == numbers)
    best = {at: score for _, score, at in sorted(likely, key=lambda one: one[1])}
    return sorted(((100 * score, at) for at, score in best.items()), key=lambda one: -one[0])


def covered(parts: Collection[str], said: Collection[str], known: Known) -> float:
    """A score for a name of several words, of which at least two are among the parts of the text; otherwise 0. `said` are the
    parts of all names that are there, also misspelled."""
    own = name_parts(known.name)
    short = name_parts(known.name.rpartition("/")[2]) if initials(known.name) in parts else ()
    hits = [part for part in own if part in said or part in short]
    if len(hits) < 2 or all(part in FILLERS or part.isdigit() for part in hits):
        return 0.0
    return 100.0 + 3 * len(hits) - 2 * (len(own) - len(hits))


def scores(
    word: str, catalog: Catalog, targets: Sequence[Known], names: Sequence[str], near: float | None
) -> Iterator[tuple[float, Known]]:
    """How well one word of a sentence matches each target, whose plain names are `names`. A selector (`@failed`) stays with the
    target. `near` as for `rank`."""
    bare = "".join(char for char in word if char not in '"“”').casefold().strip(EDGES)
    bare = bare if bare.removesuffix(":") in catalog.backends else bare.removesuffix(":")  # `prices: pause`
    base, at, selector = bare.rpartition("@")
    selected = bool(at) and selector in PICKS
    backend, colon, path = (base if selected else bare).partition(":")
    only = backend if colon and backend in catalog.backends else None
    if colon and only is None and process.extractOne(backend, list(catalog.backends), score_cutoff=60) is None:
        return  # a backend that does not exist
    wanted = path if colon else backend
    if len(wanted) < 3 or (wanted in FILLERS and only is None):
        return
    in_words = wanted.isalpha() and len(wanted) < 6  # a part of an id only by chance, as `add` may be
    for score, place in rank((wanted,), names, near):
        known = targets[place]
        by_chance = in_words and score < LAST and _ID.fullmatch(known.name.rpartition("/")[2])
        if (len(wanted) > 3 or score >= BEGINS) and not by_chance:
            more = OWN if only == known.backend else 0
            yield score + more, replace(known, written=f"{known.written}@{PICKS[selector]}") if selected else known


class Named:
    """The targets that the words of a text name."""

    def __init__(self, text: Wording, catalog: Catalog, targets: Sequence[Known], recent: Sequence[str]) -> None:
        self.catalog, self.planes = catalog, [known for known in targets if not known.name]
        parts = parts_of(" ".join(text.typed))
        self.places = {part: at for at, part in reversed([*enumerate(parts)])}
        self.numbered = {pair for pair in pairwise(parts) if pair[0].isalpha() and pair[1].isdigit()}
        self.located = {
            (one, other)
            for at, one, other in zip(parts, parts[1:], parts[2:], strict=False)
            if at in _AT and other.isdigit()
        }
        self.joined = [
            {*_LETTERS.findall(word.casefold())} - FILLERS - {"s"} for word in text.typed if not _MARKS & {*word}
        ]
        self.recent = {text: at for at, text in enumerate(recent)}
        backends = {name for word in text.said for name in _backends(word, catalog)}
        own, in_text = {part for known in targets for part in name_parts(known.name)}, frozenset(parts)
        there = {part for part in own if _is_said(part, in_text)}
        names = [plain(known.name) for known in targets]

        def more(score: float, known: Known) -> tuple[float, Known]:
            return score + 3.0 * (known.backend in backends) + 2.0 * (known.kind in text.said), known

        self.there = there
        self.several = [more(score, known) for known in targets if (score := covered(in_text, there, known))]
        said = dict(zip(text.typed, text.said, strict=True))
        found = {
            word: [*scores(word, catalog, targets, names, None if said[word] in text.known else NEAR)] for word in said
        }
        self.whole = {word: _whole(own) for word, own in found.items() if {":", "/"} & set(word)}
        self.words = {word: [more(*one) for one in own] for word, own in found.items()}

    def by(self, words: Wording) -> list[tuple[float, Known]]:
        """Those that these words may mean with their scores, the likeliest first: exact names, then parts, then other
        spellings; equal ones in the order of the text, then by what the channel used last. A name of several words may have some
        of them anywhere in the text. A target that is typed in full (`acc:shop/prices`) leaves no other."""
        as_typed = {word.casefold() for word in words.typed}
        if plane := next((one for one in self.planes if one.written in as_typed), None):
            return [(SAME, plane)]
        whole = {one for word in words.typed for one in self.whole.get(word, ())}
        scored: dict[str, tuple[float, Known]] = {}
        nouns = [word for word in words.typed if word.casefold() not in ADJECTIVES]  # `a new file for prices`
        named = bool(self.several) or any(self.words[word] for word in nouns)
        said = ["", *(word.casefold() for word in words.typed)]
        alone = {word for before, word in pairwise(said) if word in ADJECTIVES and before not in _BEFORE_ADJECTIVES}
        used = nouns if named else [word for word in words.typed if word in nouns or word.casefold() in alone]
        for found in (self.several, *(self.words[word] for word in used)):
            for score, known in found:
                fits = (not whole and not self._elsewhere(known)) or (known.backend, known.name) in whole
                if fits and scored.get(known.written, (0.0,))[0] < score:
                    scored[known.written] = (score, known)
        scored = {text: one for text, one in scored.items() if not self._less(one[1], scored.values())}
        typed = [] if scored else _as_typed(words, self.catalog)
        if any(score >= LAST for score, _ in scored.values()):  # `cluster_1` is no `cluster_1/check-links`
            scored = {text: one for text, one in scored.items() if one[0] >= LAST}
        return sorted(scored.values(), key=self._order) or [(HOLDS, one) for one in typed]

    def _elsewhere(self, known: Known) -> bool:
        """Whether the text names another number, place or longer name than the target has: `process server on eu-2`,
        `load_orders_eu`."""
        parts = name_parts(known.name)
        own = {pair for pair in pairwise(parts) if pair[0].isalpha() and pair[1].isdigit()}
        words = {word for word, _ in own}
        others = {pair for pair in self.numbered if pair[0] in words}
        letters = {*_LETTERS.findall(known.name.casefold())}
        longer = any(letters < word for word in self.joined)
        return longer or (bool(own) and ((bool(others) and others.isdisjoint(own)) or not self.located <= own))

    def _less(self, known: Known, scored: Iterable[tuple[float, Known]]) -> bool:
        """Whether a target of several words, all of which are said, has what is said of this one, and more."""
        own = self.there.intersection(name_parts(known.name))
        others = ({*name_parts(one.name)} for score, one in scored if score > LAST)
        return len(own) > 1 and any(own < other <= self.there for other in others)

    def _order(self, one: tuple[float, Known]) -> tuple[float, int, int, int, int, str]:
        score, known = one
        places = [self.places[part] for part in name_parts(known.name) if part in self.places] or [0]
        return (
            -score,
            min(places),
            max(places),
            self.recent.get(known.written, len(self.recent)),
            len(known.name),
            known.written,
        )


def _is_said(part: str, parts: Collection[str]) -> bool:
    """Whether a part of a name is among the parts of a text, a long one also misspelled."""
    if part in parts:
        return True
    return len(part) > 4 and process.extractOne(part, parts, scorer=_ALIKE, score_cutoff=0.8) is not None


def _whole(found: Sequence[tuple[float, Known]]) -> set[tuple[str, str]]:
    """The targets, by backend and name, whose whole name or last part the word is: the best ones. Otherwise none."""
    best = max((score for score, _ in found), default=0.0)
    return {(known.backend, known.name) for score, known in found if score == best >= LAST + OWN}


def _backends(word: str, catalog: Catalog) -> list[str]:
    """The backends that a word names: by their name, or by their vendor."""
    name = word.partition(":")[0].casefold()
    return [own for own, spec in catalog.backends.items() if name in (own, spec.vendor.casefold())]


def _as_typed(words: Wording, catalog: Catalog) -> list[Known]:
    """The target as it was typed: an unknown one that may still exist, one that looks like an id, or a backend alone."""
    for word in words.typed:
        name, _, path = word.partition(":")
        path = path.rstrip(_ENDS if path[:1] in DOUBLE else _ENDS + '"“”')
        if path.strip(EDGES) and (name := name.casefold()) in catalog.backends:
            kind = catalog.split_path(name, path)[0] or catalog.backends[name].default_target.name
            return [Known(name, kind, path, f"{name}:{path}")]
    for part in (part for word in words.typed for part in _ID_ENDS.split(word) if _ID.fullmatch(part)):
        like = [
            Known(name, kind.name, part, f"{name}:{kind.prefix}/{part}")
            for name, spec in catalog.backends.items()
            for kind in spec.targets
            if kind.prefix and _shape(kind.example.rpartition("/")[2]) == _shape(part)
        ]
        if like:
            return like
    for name in (name for word in words.said for name in _backends(word, catalog)):
        return [Known(name, catalog.backends[name].whole, "", f"{name}:")]
    return []


def _shape(key: str) -> tuple[list[int], bool]:
    """How long the parts of an id are, and whether it is hexadecimal."""
    return [len(part) for part in key.split("-")], re.fullmatch(r"[0-9a-fA-F-]+", key) is not None


def instead(verb: str, target: Known, catalog: Catalog) -> tuple[str, str] | None:
    """What a kind of target has in place of the verb: `disable` a gateway is `gateway set ... enabled=false`, `delete` it is
    `gateway delete`, `status` of a server is `health`, and the jobs of one service are among those of all."""

    def capability(own: str) -> Capability | None:
        return catalog.capability(target.backend, own, target.kind)

    if verb == "jobs" and catalog.capabilities(verb, target.backend):
        return verb, f"{target.backend}:"
    setting = capability(f"{target.kind} set")
    if verb in _SWITCHED and setting is not None and any(param.name == "enabled" for param in setting.params):
        return f"{target.kind} set", f"{target.written} enabled={_SWITCHED[verb]}"
    others = [*pairs_of(target.kind, verb, catalog.verbs), *(["health"] if verb == "status" else [])]
    return next(((own, target.written) for own in others if capability(verb) is None and capability(own)), None)


def the_only(word: str, catalog: Catalog, targets: Sequence[Known]) -> Known | None:
    """The only target with that name: as written, without its backend, by its last part, or by the beginning of its id."""
    backend, colon, rest = word.casefold().partition(":")
    least = BEGINS if SHORT_ID.fullmatch(rest if colon else backend) else LAST
    found = [
        one
        for one in scores(word, catalog, targets, [plain(known.name) for known in targets], None)
        if one[0] >= least and (not colon or one[1].backend == backend)
    ]
    best = [known for score, known in found if score == max(found, key=itemgetter(0))[0]]
    return best[0] if len(best) == 1 else None
