"""What the words of a text say: each word in its usual spelling, and the verbs that they may mean. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import Final
from unicodedata import combining, normalize

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.core.command.builtins import ALIASES
from bot.core.command.catalog import Catalog
from bot.core.command.later import AT_ONCE, LATER, LATER_IN_CLAUSE
from bot.core.command.lexicon import Lexicon, lexicon_of
from bot.core.command.vocabulary import (
    CONDITIONS,
    COURTESIES,
    DOING,
    EXPLAINING,
    FILLERS,
    GRAMMAR,
    GREETINGS,
    NEGATING,
    NOUNS,
    OF_A_PAIR,
    ORDERING,
    PHRASES,
    POLITE,
    QUESTIONS,
    REQUESTING,
    SYNONYMS,
    WISHING,
    WONDERING,
)

Reading = tuple[list[str], set[int]]  # verbs, the likeliest first, and the places of the words that say so

_NEAR: Final = 0.74  # of 1: a misspelled word; an exchange of two letters counts as one mistake
_NEAR_SECOND: Final = 0.65  # the same of the second word of a verb, which is short: `onn`
_SURE: Final = 0.8  # below, a word may be another one
_GAP: Final = r"(?: \S+){0,5}?"
_PHRASES: Final = tuple(
    (re.compile(rf"(?<!\S){phrase.replace(' ...', _GAP)}(?!\S)"), verbs) for phrase, verbs in PHRASES
)
_PART: Final = re.compile(r"[^\W_]+")
_JOINED: Final = re.compile(r"(?<!\S)[A-Za-z]+[-_]?[A-Za-z]+(?!\S)")
_JOINING: Final = ("and", "then", "but")
_TOLD_AFTER: Final = ("although", "though", "while", "whilst", "during")  # here a clause begins
_SO: Final = frozenset({"that", "nothing", "nobody", "we", "it", "they"})  # and at `so` before these
_DOUBLED: Final = re.compile(r"(?<=(.))\1$")  # `stopped` is `stop`
_APART: Final = (POLITE | GRAMMAR) - {"on"}  # words between the two words of a verb
_SMALL: Final = (FILLERS | GREETINGS) - {"go", "get", "let", "give"}  # before the verb of an order
_VAGUE: Final = ("status", "find", "targets")  # `show me the certificates` is about certificates
_ENDINGS: Final = ("s", "es", "e", "en", "et")
_PAST: Final = ("ied", "ed", "d", "ing")


@dataclass(frozen=True, slots=True)
class Wording:
    """`typed` are the words of a text, `said` the same in lower case and in their usual spelling. `guessed` are the places of
    those that may be other words, `breaks` those where a clause begins. `known` are all words that mean something, `names` the
    last parts of the names of targets, `parts` all of their parts. `asked`: the text ends with a question mark. `ends` are
    the places of those in whose clause an end was stated."""

    typed: tuple[str, ...]
    said: tuple[str, ...]
    guessed: frozenset[int]
    breaks: frozenset[int]
    known: frozenset[str]
    names: frozenset[str]
    parts: frozenset[str] = frozenset()
    asked: bool = False
    ends: frozenset[int] = frozenset()

    def clauses(self) -> list[range]:
        """The places of the words of each clause."""
        starts = sorted({0, *(at for at in self.breaks if at < len(self.said)), len(self.said)})
        return [range(start, stop) for start, stop in pairwise(starts)]

    def stating(self, ends: Collection[int]) -> Wording:
        """The same, where these words state an end. One that is a clause of its own is of all: `start prices, for 2 hours`."""
        of = [clause for clause in self.clauses() if not {*ends}.isdisjoint(clause)]
        small = FILLERS | {"only"}
        alone = any(all(at in ends or self.said[at] in small for at in clause) for clause in of)
        whole = range(len(self.said)) if alone else ()
        return replace(self, ends=frozenset({*whole, *(at for clause in of for at in clause)}))

    def without(self, places: Collection[int]) -> Wording:
        """The other words."""
        kept = [at for at in range(len(self.said)) if at not in places]
        moved = {old: new for new, old in enumerate(kept)}
        guessed, breaks, ends = (
            frozenset(moved[at] for at in of if at in moved) for of in (self.guessed, self.breaks, self.ends)
        )
        typed, said = (tuple(of[at] for at in kept) for of in (self.typed, self.said))
        return replace(self, typed=typed, said=said, guessed=guessed, breaks=breaks, ends=ends)

    def asks(self, catalog: Catalog) -> bool:
        """Whether it asks or forbids something: then it means no change."""
        whole, first = " ".join(self.said), next((word for word in self.said if word not in GREETINGS), "")
        clauses = [[self.said[at] for at in clause] for clause in self.clauses()]
        forbids = any(NEGATING.search(" ".join(one)) and any(_acts(word, catalog) for word in one) for one in clauses)
        return forbids or EXPLAINING.search(whole) is not None or (first in WONDERING and not REQUESTING.search(whole))

    def orders(self, at: int) -> bool:
        """Whether this person wants now what the word at this place says: only small words and names stand before it in its
        clause, and the text has no condition, no later time and no question that is not a request."""
        whole, start = " ".join(self.said), max((place for place in self.breaks if place <= at), default=0)
        doing = self.said and self.typed[at].endswith("ing") and not self.said[at].endswith("ing")
        doubts = CONDITIONS.search(whole) or self.later(at) or ((self.asked or doing) and not REQUESTING.search(whole))
        clause = self.said[start : min((place for place in self.breaks if place > at), default=None)]
        # `stock should be started now please`
        small = ORDERING | {"should"} if REQUESTING.search(" ".join(clause)) else ORDERING
        return not doubts and all(
            word in small or self.names_with(word) or ORDERING.issuperset(_PART.findall(word))
            for word in self.said[start:at]
        )

    def later(self, at: int) -> bool:
        """Whether what the word at this place says is for a later time, which its clause or one of its own states."""
        named = [word in self.names or "/" in word or (":" in word and not word[0].isdigit()) for word in self.said]
        words = ["\0" if of_name else word for of_name, word in zip(named, self.said, strict=True)]
        if LATER.search(" ".join(words if sum(named) < 2 else self.said)):  # a target called `nightly`
            return True
        ago = r" (?:since|from) " if self.said[at] in ("retry", "restart") else " since "  # `retry prices from friday`
        words = ["\1" if typed.endswith("'s") else word for typed, word in zip(self.typed, words, strict=True)]
        for clause in self.clauses() if AT_ONCE.search(" ".join(self.said)) is None else ():
            said = re.split(ago, " ".join(words[place] for place in clause))[0]
            if (LATER_IN_CLAUSE.search if at in clause else LATER_IN_CLAUSE.fullmatch)(COURTESIES.sub("", said)):
                return True
        return False

    def names_with(self, word: str) -> bool:
        """Whether the word may be of the name of a target or a kind, also misspelled."""
        known = self.names | self.parts
        if any(char.isdigit() or char in "/:" for char in word) or known.issuperset(_PART.findall(word)):
            return True
        return process.extractOne(word, known, scorer=OSA.normalized_similarity, score_cutoff=_NEAR) is not None


def worded(
    words: Sequence[str],
    catalog: Catalog,
    names: frozenset[str] = frozenset(),
    parts: frozenset[str] = frozenset(),
    breaks: Collection[int] = (),
    *,
    asked: bool = False,
) -> Wording:
    """The words with their usual spelling. A word that is nearer to one of the `parts` of names than to any other word stays."""
    acts = SYNONYMS.keys() | ALIASES.keys() | catalog.verbs
    past = _wished(words, breaks)
    backends = frozenset(name for own, spec in catalog.backends.items() for name in (own, spec.vendor.casefold()))
    kinds = {kind.name for spec in catalog.backends.values() for kind in spec.targets}
    lexicon, both = lexicon_of(catalog.verbs, backends), names | parts
    ordered = sorted(both)
    found = [
        _usual(word, at, lexicon, both, acts if at in past else frozenset(), ordered) for at, word in enumerate(words)
    ]
    said = tuple(word for word, _ in found)
    guessed = frozenset(at for at, (_, likeness) in enumerate(found) if likeness < _SURE)
    after = {at + (word in _JOINING) for at, word in enumerate(said) if word in (*_JOINING, *_TOLD_AFTER)}
    after |= {at for at, pair in enumerate(pairwise(said)) if pair[0] == "so" and pair[1] in _SO}
    of_names = (at for at, word in enumerate(said, 1) if word in names or "/" in word)
    after |= {at for at in of_names if said[at : at + 1] in (("it",), ("its",))}  # `stop load_orders it hangs`
    breaking = frozenset({0, *breaks, *after})
    return Wording(tuple(words), said, guessed, breaking, lexicon.words, names, parts | backends | kinds, asked)


def _wished(words: Sequence[str], breaks: Collection[int]) -> set[int]:
    """The places of the words of the clauses in which something is wished: `prices restarted please`, but not `prices restarted,
    please check`."""
    starts = sorted({0, *(at for at in breaks if at < len(words)), len(words)})
    clauses = [range(start, stop) for start, stop in pairwise(starts)]
    said = [{words[at].casefold() for at in clause} for clause in clauses]
    alone = any(words <= POLITE and words & WISHING for words in said)
    return {at for clause, own in zip(clauses, said, strict=True) if alone or own & WISHING for at in clause}


def apart(text: str, verbs: AbstractSet[str]) -> str:
    """The text with the verbs of two words that were written as one: `schedule off` for `scheduleoff` and `schedule-off`."""
    pairs = {verb.replace(" ", ""): verb for verb in verbs if " " in verb}

    def two(match: re.Match[str]) -> str:
        return pairs.get(re.sub("[-_]", "", match[0].casefold()), match[0])

    return _JOINED.sub(two, text)


def _usual(
    typed: str,
    at: int,
    lexicon: Lexicon,
    names: AbstractSet[str],
    past: AbstractSet[str],
    ordered: Sequence[str],
) -> tuple[str, float]:
    """The word, its basic form, what it abbreviates, or the nearest known word when it is a slip; and how near that is, of 1.
    `past` are verbs that also their past means: `I want it restarted`, but `prices stopped` tells of a state. `ordered` are the
    names in a fixed order: the first of equally near ones counts."""
    known = lexicon.words
    word = typed.casefold().strip(":").replace("'", "")
    joined = word.replace("-", "")
    word = joined if joined in known else word
    word = word if word in names else "".join(char for char in normalize("NFKD", word) if not combining(char))
    tense = word.endswith(("ed", "ing"))
    if word in names or word in SYNONYMS or (word in known and not tense):
        return word, 1.0
    for endings, basics in ((_PAST, past), (_ENDINGS, known)):
        for stem in (
            word.removesuffix(ending) for ending in endings if word.endswith(ending) and len(word) > len(ending) + 2
        ):
            if basic := next(
                (one for one in (stem, f"{stem}e", f"{stem}y", _DOUBLED.sub("", stem)) if one in basics), None
            ):
                return basic, 1.0
    if word in known or len(word) < (4 if at else 3) or not word.isalpha():
        return word, 1.0
    following = lexicon.ordered[bisect_left(lexicon.ordered, word) :] if len(word) > 3 else ()
    longer = [*takewhile(lambda one: one.startswith(word), following)]
    if longer:
        return min(longer, key=lambda one: (len(one), one)), 1.0
    if tense:
        return word, 1.0
    exchanged = lexicon.exchanged.get("".join(sorted(word)), ())
    if at:  # `prod` is no `drop`
        exchanged = [one for one in exchanged if OSA.distance(one, word) == 1]
    near, named = (
        process.extractOne(word, of, scorer=OSA.normalized_similarity, score_cutoff=_NEAR)
        for of in (lexicon.ordered, ordered)
    )
    likely = exchanged and (at == 0 or named is None)
    if likely and (near is None or near[1] <= 1 - 1 / len(word)):  # `granst` is `grants`, and as near to `grant`
        return min(exchanged), 1 - 1 / len(word)
    # `schedule` is a word of commands, also where a target is called that.
    usual = near is not None and (named is None or named[1] < near[1] or named[0] == near[0])
    return (near[0], near[1]) if near is not None and usual else (word, 1.0)


def readings(text: Wording, catalog: Catalog) -> Iterator[Reading]:
    """What the words may mean, the likeliest first. A text that asks or forbids something means nothing that changes anything,
    unless a question stands for it (`dont run prices tonight`). Orders come before what else the text says. A change that is
    not clearly an order comes after what else the text says, and after `status`."""
    said = ["\0" if word in text.names or {":", "/"} & set(word) else word for word in text.said]
    questions = [*_asked(text, said, catalog)]
    commands = [*_phrase(text, catalog), *_pair(text, said, catalog), *_exact(text, catalog, only_changes=True)]
    others = [*_exact(text, catalog), *_synonym(text, catalog)]
    asks = text.asks(catalog)
    changes = [one for one in (*commands, *others) if one[0] and catalog.changes(one[0][0])]
    unsure = (
        (verbs, used)
        for verbs, used in changes
        if asks
        or not text.orders(min(used, default=0))
        or (min(used, default=0) in text.ends and not _takes_end(verbs[0], catalog))
    )
    doubtful = [(["status", *(() if asks else verbs)], used) for verbs, used in unsure]
    unclear = [used for _, used in doubtful]
    commands, others = ([one for one in of if one[1] not in unclear] for of in (commands, others))
    firsts = {*_firsts(text, said)} - text.guessed
    orders = [one for one in (*commands, *others) if firsts & one[1] and one[0] and _leads(one[0][0], catalog)]
    orders.sort(key=lambda one: min(firsts & one[1]))
    yield from (*(questions if asks else orders), *commands, *questions, *others, *doubtful)


def _takes_end(verb: str, catalog: Catalog) -> bool:
    return any(param.name in ("for", "until") for param in catalog.params(verb))


def _leads(verb: str, catalog: Catalog) -> bool:
    return catalog.changes(verb) or verb in ("watch", "unwatch", "unstar")


def _acts(word: str, catalog: Catalog) -> bool:
    return any(catalog.changes(verb) for verb in meanings(ALIASES.get(word, word), catalog)[:1])


def _firsts(text: Wording, said: Sequence[str]) -> Iterator[int]:
    """The place of the first word of each clause that is neither small nor a name: `sorry, please cancel it` has one order."""
    for start in text.breaks:
        run = said[start : start + 1] == ["run"]
        yield from [at for at in range(start, len(said)) if run or (said[at] != "\0" and said[at] not in _SMALL)][:1]


def exact_verb(folded: Sequence[str], catalog: Catalog) -> Reading:
    """The verb that is one of these words as it stands, with what else it may mean, and its place."""
    for at, word in enumerate(folded):
        verb = ALIASES.get(word, word)
        if verb in catalog.verbs and word not in FILLERS:
            return meanings(verb, catalog), {at}
    return [], set()


def _found(text: Wording, words: str, verbs: Iterable[str], catalog: Catalog) -> Reading:
    matched = {word for word in words.split() if word in text.known - text.names}
    return [verb for verb in verbs if verb in catalog.verbs], {
        at for at, word in enumerate(text.said) if word in matched
    }


def _phrase(text: Wording, catalog: Catalog) -> Iterator[Reading]:
    for pattern, verbs in _PHRASES:
        if match := pattern.search(" ".join(text.said)):
            yield _found(text, match[0], verbs, catalog)


def _asked(text: Wording, said: Sequence[str], catalog: Catalog) -> list[Reading]:
    if len(said) < 2 or said[0] in (catalog.verbs | ALIASES.keys()) - {"why", "stop", "help"}:
        return []
    matches = ((pattern.search(" ".join(said)), verbs) for pattern, verbs in QUESTIONS)
    return [_found(text, match[0], verbs, catalog) for match, verbs in matches if match][:1]


def _pair(text: Wording, said: Sequence[str], catalog: Catalog) -> Iterator[Reading]:
    """A verb of two words, in any order, with small words and names between them: `turn off the schedules`."""
    places = [at for at, word in enumerate(said) if word not in _APART and word != "\0"]
    for first, second in pairwise(places):
        one, other = (word if word in catalog.verbs else word.removesuffix("s") for word in (said[first], said[second]))
        if other not in text.known and (act := _second(one, other, catalog.verbs)):
            yield [f"{one} {act}"], {first, second}
        for thing, act in ((one, other), (other, one)):
            if verbs := pairs_of(thing.removesuffix("s"), act, catalog.verbs):
                yield verbs, {first, second}


def _second(thing: str, typed: str, verbs: AbstractSet[str]) -> str:
    """The second word of a verb that begins with this thing, for its misspelling: `off` for `schedule fof`."""
    acts = [verb.removeprefix(f"{thing} ") for verb in sorted(verbs) if verb.startswith(f"{thing} ")]
    near = process.extractOne(typed, acts, scorer=OSA.normalized_similarity, score_cutoff=_NEAR_SECOND)
    return near[0] if near is not None else ""


def pairs_of(thing: str, act: str, verbs: AbstractSet[str]) -> list[str]:
    """The verbs of two words that a thing and what is done with it may mean: `schedule off` for `stop` and `schedule`."""
    return [verb for verb in (f"{thing} {own}" for own in OF_A_PAIR.get(act, (act,))) if verb in verbs]


def _exact(text: Wording, catalog: Catalog, *, only_changes: bool = False) -> Iterator[Reading]:
    """Verbs as they are, also misspelled ones; `only_changes`: those that change something on a control plane."""
    for at in sorted(range(len(text.said)), key=lambda at: (at in text.guessed, at)):
        word = text.said[at]
        verb = ALIASES.get(word, word)
        if verb not in catalog.verbs or text.typed[at].casefold() in text.names or _is_noun(text.said, at, catalog):
            continue
        if verb == "help" and at > 0 and len(text.said) > 2:  # `prices is broken, help`
            continue
        if (word not in FILLERS or (word == "run" and at in text.breaks)) and (
            not only_changes or (catalog.capabilities(verb) and catalog.changes(verb))
        ):
            yield meanings(verb, catalog), {at}


def _synonym(text: Wording, catalog: Catalog) -> Iterator[Reading]:
    known = [at for at, word in enumerate(text.said) if word in SYNONYMS and ":" not in text.typed[at]]
    for at in sorted(known, key=lambda at: SYNONYMS[text.said[at]][0] in _VAGUE):
        inside = text.said[at] in ("on", "off") and at + 1 < len(text.said)  # `on eu-1`
        if not inside and not _is_noun(text.said, at, catalog):
            yield meanings(text.said[at], catalog), {at}
    if "run" in text.said and len(text.said) > 1:
        yield meanings("start", catalog), {text.said.index("run")}


def _is_noun(said: Sequence[str], at: int, catalog: Catalog) -> bool:
    """Whether a word that may change something is used as a noun: `the last restart failed`."""
    before, after = NOUNS
    noun = (at > 0 and said[at - 1] in before) or (at + 1 < len(said) and said[at + 1] in after)
    return noun and DOING.isdisjoint(said[max(at - 2, 0) : at]) and _acts(said[at], catalog)


def near_verbs(verb: str, catalog: Catalog) -> list[str]:
    """Other verbs that a person may want who asks about this one: `schedule off` for `pause`, and all that begin with it."""
    begin = [one for one in sorted(catalog.verbs) if one.startswith(f"{verb} ")]
    return [one for one in dict.fromkeys((*meanings(verb, catalog), *begin)) if one != verb]


def meanings(word: str, catalog: Catalog) -> list[str]:
    """The verbs that one word may mean."""
    return [verb for verb in dict.fromkeys((word, *SYNONYMS.get(word, ()))) if verb in catalog.verbs]
