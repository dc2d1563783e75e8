"""What a person may have meant: commands for words that are not a command, best first. Pure; the caller passes what exists.

Mistyped commands (`strat acc:shop/prices`), targets without their backend (`start shop/prices`), another order
(`acc:shop/prices start`), other capitals, and sentences ("can you restart the prices agent please?"). rapidfuzz compares
spellings. Existing targets rank first, then what the person may do here, then what this channel used last.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.core.command.builtins import Takes
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.command.doubt import against, all_told, certain, right
from bot.core.command.flags import without_flags
from bot.core.command.lexer import REASON, in_one_form
from bot.core.command.offers import Said, Surroundings, commands_of, offers_for, target_of_thread, usual
from bot.core.command.orders import Order, only_tells, order_of, orders_in, words_in
from bot.core.command.phrases import (
    BULLETS,
    Phrase,
    implied,
    quoted,
    stated,
    take_phrases,
    without_ends,
)
from bot.core.command.ranking import (
    EDGES,
    HOLDS,
    LAST,
    MOST,
    Known,
    Named,
    forms_of,
    name_parts,
    parts_of,
    the_only,
)
from bot.core.command.rewording import DONE_BY, ENTRIES_OF, of_signalbox, of_the_audit_log, reworded
from bot.core.command.target_ref import SELECTORS
from bot.core.command.untargeted import (
    MENTION,
    about_none,
    created,
    declared,
    for_several,
    in_thread,
    numbered,
    of_it,
    of_its_run,
    orders_it,
    second_words,
    with_person,
    without_target,
)
from bot.core.command.vocabulary import (
    ACCESS,
    BY_NAME,
    FILLERS,
    GRANTING,
    HOW_TO,
    PERMISSION,
    POLITE,
    SYNONYMS,
    WHY_NOT,
)
from bot.core.command.wording import apart, exact_verb, meanings, readings, worded

_LONGEST: Final = 1_000  # characters of a sentence: each of its words is compared with each target
# A word that can only be a name: with `_`, or with a digit after letters; not an incident or a time.
_NAME: Final = re.compile(r"(?<!\S)(?!inc-?\d)[a-z][\w-]*(?:_\w|\d)[\w-]*(?![^\s,.;?!])", re.IGNORECASE)
_OF_RUNS: Final = re.compile(rf"@(?:{'|'.join(SELECTORS)})(?= |$)")  # a right is not for single runs
_SEEING: Final = frozenset({"see", "view", "look", "read"})
_PLEASE: Final = frozenset({"please", "pls", "plz"})
# The same again, and yet not the same: `retry, this time for south`.
_OTHERWISE: Final = re.compile(
    r"(?i)(?:[,;]|\bagain) (?:please )?(?:but(?! it\b| the\b| we\b| not\b)|this time|instead|only|deliver)\b|\bthis time\W*$"
)
_ACTING: Final = r"\b(?:pause|resume|stop|(?:re)?start|suspend|hold|unpause|status(?: of)?|health(?: of)?)"
_ENDS: Final = re.compile(r" (?:until|for)=")
_ON_IT: Final = re.compile(r"(?i)^(\w+(?: (?:off|on))?) (?:it|this|that)\b")


@dataclass(frozen=True, slots=True)
class Meant:
    """Commands, best first. `cannot` is the command that the words name without doubt, on a target that has no such verb."""

    commands: tuple[str, ...] = ("help",)
    cannot: str = ""
    later: bool = False  # what the words order is for a later time


def suggest(text: str, catalog: Catalog, around: Surroundings) -> tuple[str, ...]:
    """At most three commands, best first. `("help",)` if the words match nothing.

    Of several commands, only the first one that matches counts, so that no verb meets the target of another.
    """
    return meant(text, catalog, around).commands


def meant(text: str, catalog: Catalog, around: Surroundings) -> Meant:
    """The suggestions, and the change that the words name if the target's control plane can't do it."""
    if len(REASON.sub("", text)) > _LONGEST:
        return Meant()
    given = {name for names in around.parameters.values() for name in names}
    typed = without_flags(in_one_form(text), catalog, given)
    plain = _with_planes(reworded(typed), around.targets, catalog)
    plain = with_person(BY_NAME, plain, around.targets, catalog)  # `let ana start prices`
    asked = WHY_NOT.match(with_person(WHY_NOT, plain, around.targets, catalog))
    if asked and asked["who"][0] in "<@":
        found = _meant(asked["what"].rstrip("? "), catalog, around)
        return found if found == Meant() else Meant((f"why as={asked['who']} {found.commands[0]}",))
    body = REASON.sub("", plain)
    if reads := _of_a_person(body, catalog, around) or of_signalbox(body):
        return Meant(reads)
    parts = [plain] if GRANTING.search(plain) else orders_in(plain, catalog)
    inputs = _last_parts(*around.parameters.values()).union(*(declared(catalog, name) for name in catalog.backends))
    for part in parts:
        at_all = GRANTING.search(part) is None
        order = order_of(part, around.targets, catalog, in_thread=bool(around.about), inputs=inputs) if at_all else None
        found = _meant(order.text, catalog, around) if order else Meant()
        if order is not None and found == Meant() and around.about:  # `pause it for the maintenance until 8pm`
            named = _meant(_ON_IT.sub(rf"\1 {around.about}", order.text), catalog, around)
            found = named if _ENDS.search(named.commands[0]) else found
        is_order = order is not None and found != Meant()
        if order is None or found == Meant():
            order, found = Order("", part, body), _meant(part, catalog, around)
        if found != Meant():
            full = _with_reason(part if order.text == part else order.onwards, found, catalog, around)
            said = REASON.sub("", order.text)
            more = (
                is_order and order.named and not all_told(said, full.commands[0], inputs, around.targets, catalog)
            ) or _partly(said, full.commands[0], around)
            more = more or (not is_order and only_tells(part, catalog)) or _OTHERWISE.search(order.onwards) is not None
            commands = certain(full.commands, order.onwards, said, order.before, catalog, soon=order.soon, more=more)
            later, cannot = found.later or order.soon, "" if against(order.onwards) else full.cannot
            commands = of_its_run(commands, part, around.targets, catalog)
            if not order.named:
                used = [one for one in commands if {word.partition("@")[0] for word in one.split()} & {*around.recent}]
                kept = tuple(one for one in commands if one in used or not _changes(one, catalog))
                commands = kept or Meant().commands
            return replace(full, commands=commands, cannot=cannot, later=later)
    unknown = _NAME.findall(MENTION.sub(" ", body))
    verbs = exact_verb([word.strip(EDGES) for word in body.casefold().split()], catalog)[0]
    return Meant((f"find {unknown[0]}", "help")) if verbs and len(unknown) == 1 else Meant()


def _of_a_person(body: str, catalog: Catalog, around: Surroundings) -> tuple[str, ...]:
    """The searches of the audit log for what a person did, who may be named without `@`."""
    named = (with_person(pattern, body, around.targets, catalog) for pattern in (DONE_BY, ENTRIES_OF))
    return next((reads for one in named if (reads := of_the_audit_log(one))), ())


def _with_planes(text: str, targets: Sequence[Known], catalog: Catalog) -> str:
    """The text with `res:` for the vendor's name of a control plane that is a target itself: `pause resilio for the backup`."""
    for known in targets:
        if not known.name and known.backend in catalog.backends:
            vendor = re.escape(catalog.backends[known.backend].vendor)
            text = re.sub(rf"(?i)\b({vendor}) (?:sync|connect)\b", r"\1", text)
            named = rf"(?i)({_ACTING}(?: the)? ){vendor}(?: agent)?(?![\w:/]| (?:job|run))"
            text = re.sub(named, rf"\g<1>{known.written}", text)
    return text


def _changes(command: str, catalog: Catalog) -> bool:
    return catalog.changes(catalog.canonical_verb(command.split())[0] or "")


def _partly(said: str, command: str, around: Surroundings) -> bool:
    """Whether, in a thread, a command is about another target, of whose name only a part was said: `stop the sync`."""
    words = {word.partition("@")[0] for word in command.split()}
    named = next((one for one in around.targets if one.written in words and one.written != around.about), None)
    if not around.about or named is None or {":", "/"} & {*said}:
        return False
    last, parts = named.name.rpartition("/")[2], {*parts_of(said)}
    only = "".join(forms_of(last) & parts) if len(forms_of(last) & parts) == 1 else ""
    whole = {*name_parts(last)} <= parts or not only
    return (
        not whole
        and re.search(rf"(?i)\b(?:the|an?|our|my|this)(?: \S+)? {re.escape(only)}(?![^\s,.;!?])", said) is not None
    )


def _with_reason(text: str, found: Meant, catalog: Catalog, around: Surroundings) -> Meant:
    """A clause that adds nothing to a change is its reason, as words after a whole command are: `stop prices, it hangs`."""
    command = found.commands[0]
    head, comma, tail = text.partition(f"{command} " if text.startswith(f"{command} ") else ", ")
    verb, _ = catalog.canonical_verb(command.split())
    small = FILLERS.union(SYNONYMS, catalog.verbs, *(name_parts(known.name) for known in around.targets))
    says = " -- " not in command and tail[-1:] != "?" and set(parts_of(tail)) - small
    if not comma or not says or verb is None or not catalog.changes(verb):
        return found
    if _OTHERWISE.search(f", {tail}"):  # `again, but south`
        return found
    same = not head or _meant(head, catalog, around).commands[0] == command
    return replace(found, commands=(f"{command} -- {tail}", *found.commands[1:])) if same else found


def certain_read(text: str, catalog: Catalog, targets: Sequence[Known]) -> str | None:
    """The read-only command that the words name without doubt, in any order and in any capitals: one verb, and the whole name
    or the last part of the name of one target. A target alone means `status`, a greeting alone means `help`. A bullet, a
    `please`, and quotes around a word change nothing. `--count 3` is a slip, which is offered."""
    typed = in_one_form(text)
    if without_flags(typed, catalog, ()) != typed:
        return None
    tokens, pairs, words, _, reason = words_in(typed)
    tokens = [token for token in tokens if token not in BULLETS]
    folded = [word.casefold() for word in words]
    if words and not pairs and set(folded) <= POLITE:
        return "help"
    verbs, used = exact_verb(folded, catalog)
    rest = [word for at, word in enumerate(words) if at not in used and folded[at] not in _PLEASE]
    if len(rest) != 1 or not (verbs or {":", "/"} & set(rest[0])) or len(tokens) != len(words) + len(pairs):
        return None
    found = the_only(rest[0], catalog, targets)
    verb = verbs[0] if verbs else "status"
    if found is None or any(
        capability.risk is not Risk.READ for _, capability in catalog.capabilities(verb, found.backend)
    ):
        return None
    commands = commands_of(verb, found, catalog) if catalog.capabilities(verb, found.backend) else []
    return " ".join([*commands[0][:2], *pairs, *(["--", reason] if reason else [])]) if commands else None


def _meant(text: str, catalog: Catalog, around: Surroundings) -> Meant:
    """What one text means: a command about another command, or one of its own."""
    bare = MENTION.sub(" ", f" {text}").strip()
    granted, asked = GRANTING.search(text), PERMISSION.match(bare)
    if granted is None and (told := _in_advance(bare, catalog, around)):
        return told
    if granted is None and asked is None:
        return _said_in(text, catalog, around)
    if granted is not None and not orders_it(text[: granted.start()]):  # `don't let @rui start prices`
        return Meant(("grants",))
    what = granted["what"] if granted else asked["what"].rstrip("? ") if asked else ""
    kept, ends = without_ends(REASON.sub("", what)) if granted else ("", [])
    if ends:  # of the right, not of the start: `give @lee the right to start prices for 2 hours`
        what = kept + (reason[0] if (reason := REASON.search(what)) else "")
    verb, _, rest = what.partition(" ")  # `who can approve start acc:labs/new`
    if granted and verb.casefold() == "approve" and not {":", "/"} & {*rest.partition(" ")[0]}:
        return Meant(("approvals",))  # who approves stands in the rules
    if granted and not (what := right(what, catalog, about=around.about)):
        return Meant(("help grant", "grants"))
    other = verb.casefold() == "approve" and catalog.canonical_verb(rest.split())[0] is not None
    found = _meant(rest if other else what, catalog, around)
    if found == Meant() or granted is None:  # `can I start prices?`
        nothing = found == Meant() or found.commands[0].startswith("status")  # nobody was told what it is
        return found if nothing else Meant((f"why {found.commands[0]}", *found.commands)[:MOST])
    words = kept.casefold().split()
    changes = [one for one in found.commands if _changes(one, catalog)]
    first = next((one for one in changes if one.split()[0] in words), "".join(changes[:1]))  # `start it again`
    verb, _ = catalog.canonical_verb(found.commands[0].split())
    if found.commands[0] not in changes and not _SEEING.union((verb or "").split()).isdisjoint(words):
        first = found.commands[0]
    if not first or found.cannot:
        return Meant(("help grant", "grants"))  # `give @rui access to labs/slow`
    command, dashes, said = _OF_RUNS.sub("", first).partition(" -- ")
    more = stated(catalog.params("grant"), ends, (), (), ())
    whole = " ".join(["grant", granted["who"] or granted["person"], command, *more]) + dashes + said
    return Meant((whole,), later=found.later)


def _in_advance(bare: str, catalog: Catalog, around: Surroundings) -> Meant | None:
    """What a text means that asks for access to something, or how to do it: what tells that, then the command itself."""
    access, how = ACCESS.search(bare), HOW_TO.match(bare)
    head, comma, _ = bare.partition(", ")
    orders = comma and access and catalog.canonical_verb(_said_in(head, catalog, around).commands[0].split())[0]
    first = bool(orders) and catalog.changes(str(orders))  # `restart prices, we lack rights to do it`
    if (asked := access or how) is None or first:
        return None
    found = _meant(asked["what"].rstrip("? "), catalog, around)
    verb, _ = catalog.canonical_verb((command := found.cannot or found.commands[0]).split())
    typed, _ = catalog.canonical_verb(asked["what"].split())
    changes = verb is not None and catalog.changes(verb)
    if access:
        more = found.commands if found != Meant() else ()
        return Meant((f"why {command}" if changes else "whoami", *more)[:MOST])
    if not changes and typed is not None and catalog.changes(typed):  # `how do I revoke a grant`
        verb, changes = typed, True
    return Meant((f"help {verb}", *found.commands)[:MOST], found.cannot) if changes else found


def _said_in(text: str, catalog: Catalog, around: Surroundings) -> Meant:
    text = apart(text, catalog.verbs)
    _, pairs, typed, breaks, reason = words_in(text)
    names = frozenset(known.name.casefold().rpartition("/")[2] for known in around.targets)
    parts = frozenset[str]().union(*(forms_of(known.name) for known in around.targets))
    given = _last_parts(around.parameters.get(around.about, ()))
    spoken = worded(typed, catalog, names, parts | given, breaks, asked=text.rstrip().endswith("?"))
    if (whole := second_words(spoken, reason) or (created(spoken, catalog),))[0]:
        return Meant(whole)
    numbers = numbered(spoken.said).union(part for part in parts if part.isdigit())
    phrases, taken = take_phrases(spoken.said, names | numbers, typed, breaks)
    phrases += [Phrase(("grep",), said) for said in quoted(text, around.targets, catalog)[:1]]
    spoken = spoken.stating({at for phrase in phrases for at in phrase.ends})
    failed, spoken = "failed" in spoken.said, spoken.without(taken)
    inputs = given | declared(catalog, around.about.partition(":")[0]) if around.about else set[str]()
    return _best(Said((), pairs, phrases, spoken, reason, sure=False, failed=failed), inputs, catalog, around)


def _last_parts(*given: Sequence[str]) -> set[str]:
    """`region` for `input.region`."""
    return {name.rpartition(".")[2].casefold() for names in given for name in names}


def _best(text: Said, inputs: Collection[str], catalog: Catalog, around: Surroundings) -> Meant:
    """What the likeliest reading of the words means that names something which exists, or is of no target."""
    spoken, phrases = text.rest, text.phrases
    stated = _last_parts(*around.parameters.values()).union(inputs)  # also of another target
    every = Named(spoken, catalog, around.targets, around.recent)
    cannot, lacks, general = "", "", Meant()
    found_in, its = of_it(spoken, catalog) if around.about else ([*readings(spoken, catalog)], False)
    for heard, used in (*found_in, (list[str](), set[int]())):
        if lacks or (not heard and general != Meant()):
            break
        anew = "again" in spoken.said and "over" not in spoken.said and "start" in heard
        again = meanings("again", catalog) if anew else []
        read, aside = in_thread(spoken, heard, used, stated, catalog) if around.about else (heard, set[int]())
        rest = spoken.without(used | aside)
        named = Named(spoken.without(aside), catalog, around.targets, around.recent) if aside else every
        no_name = without_target(read, catalog) or (read and around.about)  # the words of the verb
        exact = () if no_name or aside else (one for one in named.by(spoken) if one[0] >= LAST)
        others = (named.by(rest) or [*exact])[:MOST]
        targets = [] if its else others
        # A question first: `run it again?`
        verbs = implied([*read[: read[:1] == ["status"]], *again, *read], phrases, catalog, named=bool(targets))
        verbs, nothing = for_several(verbs, len(targets), rest, spoken, inputs, catalog)
        if nothing and verbs[0] == "unwatch" and not around.about:
            return Meant(("watches",))
        unnamed = nothing or (its and bool(others) and bool(verbs))
        sure = bool(targets) and targets[0][0] >= HOLDS and not used & spoken.guessed
        able = usual(verbs, catalog, around, itself=True) if unnamed and not rest.said else []  # `stop` alone
        choices = [known for _, known in targets] or able or (usual(verbs, catalog, around) if unnamed else [])
        searching = any((one := catalog.builtin(verb)) and one.takes is not Takes.TARGET for verb in verbs)
        if not choices and not searching and (around.about or not unnamed):
            lacks = verbs[0] if unnamed and catalog.capabilities(verbs[0]) else lacks
            continue
        is_stop = (
            verbs[:1] in (["stop"], ["restart"])
            and "request" not in spoken.said
            and target_of_thread(around) == choices[:1] != []
        )
        own = [] if targets or not unnamed or is_stop else about_none(verbs, spoken, used, catalog)
        no_doubt = sure or (is_stop and not used & spoken.guessed)
        said = replace(text, verbs=verbs[: 1 if able else None] or ["status"], rest=rest, sure=no_doubt)
        if own:
            return Meant((*own,))
        ranked = offers_for(said, choices or [None], catalog, around)
        acts = bool(ranked) and catalog.changes(ranked[0].verb)
        if no_doubt and verbs and not acts and catalog.changes(verbs[0]):
            cannot = cannot or f"{verbs[0]} {choices[0].written}"
        if ranked:
            alone = cannot and ranked[0].on  # the other words are no commands: `tag infa:nightly release`
            offered = tuple(one.text for one in ranked[:MOST] if one.on or not alone)
            found = Meant(offered, "" if acts else cannot, later=bool(used) and spoken.later(min(used)))
            if ranked[0].on or not targets:
                return found
            if general == Meant() and verbs[0] in spoken.said:  # `timeline` leaves out the target that the words name
                general = found
    of_thread = Meant(("status",), "" if catalog.builtin(lacks) else f"{lacks} {around.about}")
    return of_thread if lacks and general == Meant() else general
