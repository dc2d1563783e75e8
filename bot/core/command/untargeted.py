"""Sentences about nothing that exists on a control plane yet: an incident, a new agent, a request, the audit log. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from types import MappingProxyType
from typing import Final

from bot.core.command.builtins import Takes
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.command.ranking import Known, forms_of, name_parts, parts_of
from bot.core.command.target_ref import PICKS, TargetRef
from bot.core.command.vocabulary import (
    ALL,
    ASKED_OF_IT,
    ASKING,
    CONDITIONS,
    FILLERS,
    GREETINGS,
    NEGATED,
    NO_TARGET,
    NUMBERS,
    OF_AN_INCIDENT,
    POLITE,
    PRONOUNS,
    REPORT_OF_AN_INCIDENT,
    SECOND_WORDS,
    SMALL_TALK,
    STATES,
    SYNONYMS,
    TIMES,
)
from bot.core.command.wording import Reading, Wording, readings, worded

_ITS_NAME: Final = re.compile(r"(?:please )?(?:open|declare|close|resolve|end) inc-?\d+\b")
_APOSTROPHES: Final = re.compile(r"['\u2019]")
_APART: Final = re.compile(r"[^\w\s]+")
QUOTES: Final = "\"'\u201c\u201d\u2018\u2019"
MENTION: Final = re.compile(r"<@[^>]*>|^\s*/\w+\s|(?<!\S)@\w[\w.-]*(?=\s)")
_RUN_IT: Final = re.compile(r"(?i)\brun (?:it|this|that|the|my|our|failed job)\b")
_CLOCK: Final = re.compile(r"\d{1,2}(?:[:.]\d\d)?(?:[ap]m)?")
STARTING: Final = ("start", "retry", "restart")
_OPEN: Final = MappingProxyType(dict.fromkeys(("schedule on", "resume"), "pauses"))  # `end the pause`, without a target
_POINTING: Final = frozenset({"the", "its", "this", "that", "their", "our", "my"})
_IT: Final = frozenset({"it", "this", "that"})
_BEFORE_IT: Final = frozenset(
    {"on", "off", "up", "down", "back", "again", "please", "now", "the", "schedule", "schedules", "of", "just"}
)
_BEFORE_A_RIGHT: Final = frozenset({"you", "so", "then", "now", "yes", "kindly", "and", "also", "but"})
_OVER: Final = frozenset({"over", "done", "resolved", "finish", "close"})
_CONDITION: Final = frozenset({"when", "whenever", "once", "after", "if", "unless", "until", "till"})
_SAYS_NOTHING: Final = FILLERS | GREETINGS | _OVER | {"them"}  # after an order: `close the incident now`
_AT_ITS_END: Final = re.compile(
    r"\b(?:when|once|if|as soon as|until (?:it|this))\b.*\b(?:done|over|through|ready|ends?|ended|finish(?:es|ed)?|complete)\b",
    re.IGNORECASE,
)
_NOT_OVER: Final = re.compile(r"\b(?:until|till|while|before|during|tell|notify|ping|know)\b")
_CREATING: Final = frozenset({"create", "register", "make", "add"})


def second_words(spoken: Wording, reason: str) -> tuple[str, ...]:
    """`incident open INC-77 -- database down` for `open incident INC-77 database down`, and `timeline` for `incident report`."""
    text = " ".join(spoken.typed).casefold()
    if found := next((commands for pattern, commands in NO_TARGET if pattern.search(text)), ()):
        return found
    if _ITS_NAME.match(text):  # `close INC-77`
        spoken = replace(spoken, typed=("incident", *spoken.typed), said=("incident", *spoken.said))
    said = spoken.said
    after = "".join(spoken.typed[1:2]).rstrip(":").casefold()
    known = OF_AN_INCIDENT.get(after) if said[:1] == ("incident",) else None
    if known is not None and not any(char.isdigit() for word in said for char in word):
        return known
    asks = REPORT_OF_AN_INCIDENT.search(" ".join(said)) if not reason else None
    before = {word.casefold() for word in spoken.typed[: said.index("incident")]} if asks else set[str]()
    if asks and before.isdisjoint(set[str]().union(*SECOND_WORDS.values())):
        return OF_AN_INCIDENT[asks[1]]
    for (verb, second), called in SECOND_WORDS.items():
        at = next((at for at, word in enumerate(said) if word in called), None)
        if verb not in said or at is None or not _orders_both(spoken, at, said.index(verb)):
            continue
        name = next((at for at, word in enumerate(said) if at and _names_one(word, said[at - 1])), 0)
        last = max(at, said.index(verb), name) + 1
        text = reason or (" ".join(spoken.typed[last:]) if not _SAYS_NOTHING.issuperset(said[last:]) else "")
        named = [spoken.typed[name].rstrip(":")] if name else []
        return (" ".join([verb, second, *named, *(["--", text] if text else [])]),)
    return ()


def _orders_both(spoken: Wording, at: int, thing: int) -> bool:
    """Whether these two words are an order about one thing: `open an incident`, not `an incident is open` or `start it, there
    was an incident`."""
    first, last = sorted((at, thing))
    small = FILLERS | {"new", "our", "another"} if at < thing or spoken.said[at] in _OVER else {"please"}
    between = all(word in small or any(char.isdigit() for char in word) for word in spoken.said[first + 1 : last])
    whole, together = " ".join(spoken.said), any({first, last} <= {*clause} for clause in spoken.clauses())
    unless = _NOT_OVER.search(" ".join(spoken.said[: max(at, thing)])) or spoken.said[0] in ASKING
    doubts = (
        unless
        or spoken.asked
        or NEGATED.search(" ".join(spoken.said[:at]))
        or CONDITIONS.search(whole)
        or spoken.later(at)
    )
    ordered = at > thing or spoken.orders(at)  # not `before we close the incident`
    return between and together and ordered and thing not in spoken.guessed and not doubts


def _names_one(word: str, before: str) -> bool:
    """Whether a word is the name of an incident: `INC-4`, or `4` after `incident`."""
    return re.search(r"\d", word) is not None and (word[0].isalpha() or before in ("incident", "number", "nr"))


def created(spoken: Wording, catalog: Catalog) -> str:
    """`create pre:"new/Refund Helper"` for `make a new agent called Refund Helper`; without a name, how to create one."""
    said = spoken.said
    at = next((at for at, word in enumerate(said) if word in _CREATING), None)
    thing = next((word for word in said if word in ("agent", "gateway", "group")), "")
    verb = "create" if thing == "agent" else f"{thing} create"
    if at is None or "new" not in said or not spoken.orders(at) or spoken.asks(catalog):
        return ""
    homes = {
        name: kind.prefix
        for name, spec in sorted(catalog.backends.items(), key=lambda one: one[1].vendor.casefold() not in said)
        for kind in spec.targets
        if kind.prefix and catalog.capability(name, verb, kind.name)
    }
    after = next((at for at, word in enumerate(said, 1) if word in ("called", "named")), len(said))
    named = takewhile(lambda word: word.casefold() not in FILLERS, spoken.typed[after:])
    if not (name := " ".join(named).strip(QUOTES)):
        return f"help {verb}" if homes else ""
    return next((f"{verb} {TargetRef(backend=own, path=f'{prefix}/{name}')}" for own, prefix in homes.items()), "")


def with_person(pattern: re.Pattern[str], text: str, targets: Sequence[Known], catalog: Catalog) -> str:
    """The text with `@ana` for a name at the group `who` of the pattern, unless that word means something else."""
    match = pattern.search(text)
    if match is None or match["who"][0] in "<@":
        return text
    name, parts = match["who"].casefold(), frozenset[str]().union(*(forms_of(known.name) for known in targets))
    said = worded([name], catalog, parts=parts)
    known = name in said.known | PRONOUNS or said.names_with(name)
    return text if known else f"{text[: match.start('who')]}@{name}{text[match.end('who') :]}"


def of_its_run(commands: tuple[str, ...], text: str, targets: Sequence[Known], catalog: Catalog) -> tuple[str, ...]:
    """The commands, after a watch of the run that goes on now if the text asks about its end: `tell me when prices is done`."""
    verb, _, typed = commands[0].partition(" ")
    target = next((one for one in targets if one.written == typed), None) if verb == "watch" else None
    kind = catalog.backends[target.backend].default_target if target is not None else None
    its = target is not None and kind is not None and kind.selects and kind.name == target.kind
    named = target is not None and not {*name_parts(target.name)}.isdisjoint(parts_of(text))
    return (f"{commands[0]}@last", *commands)[:3] if its and named and _AT_ITS_END.search(text) else commands


def small_talk(text: str) -> str:
    """The answer to words that want no command, such as thanks; otherwise empty."""
    return _as_a_whole(text, SMALL_TALK)


def asked_of_it(text: str) -> list[str]:
    """The verbs for what a text in the thread of a card asks about its run. None if it names something else."""
    return [] if _RUN_IT.search(text) else _as_a_whole(text, ASKED_OF_IT).split()


def _as_a_whole(text: str, table: Sequence[tuple[frozenset[str], frozenset[str], str]]) -> str:
    """What a text of only these words means."""
    said = set(_APART.sub(" ", _APOSTROPHES.sub("", MENTION.sub(" ", f" {text} "))).casefold().split())
    return next((means for needed, words, means in table if needed & said and said <= words), "")


def without_target(verbs: Sequence[str], catalog: Catalog) -> bool:
    """Whether these are built-in verbs that take no target: `export audit` is not about `acc:audit-network`."""
    builtins = [catalog.builtin(verb) for verb in verbs]
    return bool(builtins) and all(one is not None and one.takes is not Takes.TARGET for one in builtins)


def about_none(verbs: Sequence[str], spoken: Wording, used: Collection[int], catalog: Catalog) -> list[str]:
    """Reads without a target that such words may mean as well: `cancel` and `approve` alone may be about a request. None for a
    verb that is typed as it is, unless it is dangerous: `stop it` lists what runs, and `stop` needs a target."""
    exact = any(spoken.said[at] == verbs[0] for at in used)
    danger = len(spoken.said) > 1 and any(
        capability.risk is Risk.DANGER for _, capability in catalog.capabilities(verbs[0])
    )
    own = [
        verb for verb in verbs if (one := catalog.builtin(verb)) and (one.takes is Takes.NOTHING or verb == "status")
    ]
    own = ["approvals"] if "request" in spoken.said else own
    return own[:1] if catalog.changes(verbs[0]) and (danger or not exact) else []


def numbered(said: Sequence[str]) -> set[str]:
    """The numbers that name something: `remove agent 7`."""
    return {word for kind, word in pairwise(said) if kind in ("agent", "job", "task", "server") and word.isdigit()}


def for_several(
    verbs: list[str], targets: int, rest: Wording, spoken: Wording, inputs: Collection[str], catalog: Catalog
) -> tuple[list[str], bool]:
    """The verbs for words that name no target, or several, and whether they name none. The `inputs` of the target of the thread
    are set aside with their values only where it is to start again. A change of `everything` is not offered for one of several,
    and `end the pause` and `switch everything back on` list the pauses."""
    more = {"request", "take", "done", "later", "back", "send"}
    small = FILLERS | SYNONYMS.keys() | catalog.verbs | PICKS.keys() | TIMES | NUMBERS.keys() | more
    wanted = next((verb for verb in verbs if verb != "status"), "")
    if wanted not in STARTING or NEGATED.search(_without_inputs(" ".join(spoken.said), inputs)):
        inputs = ()
    elif not {*inputs}.isdisjoint(rest.said):
        verbs = [verb for verb in verbs if verb in ("status", *STARTING)]
    said = [word for before, word in pairwise(["", *rest.said]) if not {before, word} & {*inputs}]
    others = [word for word in said if word not in small and len(word) > 2 and not _CLOCK.fullmatch(word)]
    if ALL & set(spoken.said) and verbs and catalog.changes(verbs[0]):
        if verbs[0] in _OPEN and not others:
            return [_OPEN[verbs[0]]], True
        return (["status", *verbs] if targets > 1 else verbs), False
    unnamed = bool(verbs) and not others and not numbered(spoken.said)
    ends = unnamed and not rest.said and "pause" in spoken.said and verbs[0] in _OPEN
    return ([_OPEN[verbs[0]]] if ends else verbs), unnamed


def declared(catalog: Catalog, backend: str) -> set[str]:
    """The names of the parameters with which something is started on a control plane."""
    names = {param.name.casefold() for verb in STARTING for param in catalog.params(verb, backend)}
    return {name for name in names - FILLERS if name.isalpha()}


def _without_inputs(text: str, inputs: Collection[str]) -> str:
    """The text without what it says of parameters: `not in production`, `production: no`."""
    names = "|".join(map(re.escape, inputs)) or "(?!)"
    return re.sub(rf"\b(?:(?:not in|not|without|no) )?(?:{names})\b(?: (?:no|off|false|not))?", "", text)


def told_beside(spoken: Wording, used: Collection[int], inputs: Collection[str]) -> set[int]:
    """The places of the words of other clauses than these that name no other target: what is told, such as a reason, in which a
    word may also be of a name. A whole name before them counts, and one of which nothing is told."""
    said, found = spoken.said, set[int]()
    places = {at for at in used if said[at] not in FILLERS}
    for clause in spoken.clauses() if places else ():
        words = [said[at] for at in clause]
        told, text = not STATES.isdisjoint(words), f" {' '.join(words)} "
        named = not told or any(f" {name} " in text for name in spoken.names)
        if {*inputs}.isdisjoint(words) and places.isdisjoint(clause) and (clause.start > min(places) or not named):
            found |= {
                at for at in clause if not {":", "/"} & {*spoken.typed[at]} and (told or said[at] not in spoken.names)
            }
    return found


def in_thread(
    spoken: Wording, verbs: list[str], used: Collection[int], inputs: Collection[str], catalog: Catalog
) -> tuple[list[str], set[int]]:
    """The verbs that the words may mean in a thread, and the places of those that name no other target than that of the thread:
    what is told beside a change, a condition after its verb, and `the schedule` and the like. A text about a schedule changes
    nothing else: `pause its schedule` pauses no job."""
    said, kinds = (
        spoken.said,
        {kind.name for spec in catalog.backends.values() for kind in spec.targets} | {"schedules"},
    )
    others = [verb for verb in verbs if verb.startswith("schedule") or not catalog.changes(verb)]
    verbs = verbs if {"schedule", "schedules"}.isdisjoint(said) else others
    if not any(map(catalog.changes, verbs)):
        return verbs, set()
    start = next((at for at in range(min(used, default=0) + 1, len(said)) if said[at] in _CONDITION), len(said))
    its = {at for at in range(1, len(said)) if said[at] in kinds and said[at - 1] in _POINTING}
    return verbs, told_beside(spoken, used, inputs) | its | {*range(start, len(said))}


def _is_of_it(spoken: Wording, used: Collection[int]) -> bool:
    """Whether the verb at these places is about `it`, `this` or `that`: in a thread, its target."""
    said, places = spoken.said, {at for at in used if spoken.said[at] not in _IT}
    if not places:
        return False
    clause = next(one for one in spoken.clauses() if min(places) in one)
    after = [at for at in clause if min(places) < at and at not in places and said[at] not in _BEFORE_IT]
    headed = spoken.typed[0].endswith(":") and spoken.names_with(said[0])  # `prices: stop it`
    topic = headed or any(
        one.start < clause.start and all(spoken.names_with(said[at]) for at in one) for one in spoken.clauses()
    )
    if topic or not after or said[after[0]] not in _IT:  # `weekly close, turn it off`
        return False
    follows = said[after[0] + 1] if after[0] + 1 in clause else ""
    return (
        said[after[0]] == "it"
        or not follows
        or follows in _BEFORE_IT | {"one", "run", "job", "agent", "task"}
        or follows in TIMES
    )


def of_it(spoken: Wording, catalog: Catalog) -> tuple[list[Reading], bool]:
    """The readings in a thread, and whether they are changes of `it`: then a name beside it is of something else."""
    every = [*readings(spoken, catalog)]
    its = [(verbs, used) for verbs, used in every if any(map(catalog.changes, verbs)) and _is_of_it(spoken, used)]
    return its or every, bool(its)


def orders_it(text: str) -> bool:
    """Whether only small words stand before a right: not `please don't`, `did you` or `we cannot`."""
    last = re.split(r"[,.;:!?]", MENTION.sub(" ", f" {text}").casefold())[-1]
    return all(word in POLITE | GREETINGS | _BEFORE_A_RIGHT for word in last.split())
