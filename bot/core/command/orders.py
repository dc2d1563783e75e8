"""The clause of a text that orders something: of `Rui has stopped it, please start prices, the db is back` the middle one. Pure.

What stands before an order tells why, and what comes after it is a reason or another order. Neither a verb nor a name of
theirs is of the order: `start` in `please stop prices, it was started by mistake` is not.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import dropwhile, groupby, pairwise, takewhile
from typing import Final, NamedTuple

from bot.core.command.builtins import ALIASES
from bot.core.command.catalog import Catalog
from bot.core.command.later import LATER, LATER_IN_CLAUSE, MONTH
from bot.core.command.lexer import REASON
from bot.core.command.phrases import TOKEN, lexed
from bot.core.command.ranking import ADJECTIVES, EDGES, Known, forms_of, name_parts, parts_of
from bot.core.command.untargeted import MENTION
from bot.core.command.vocabulary import (
    BEFORE_A_VERB,
    CONDITIONS,
    FILLERS,
    GREETINGS,
    NUMBERS,
    REQUESTING,
    SYNONYMS,
    TIMES,
    TOLD_OF,
)
from bot.core.command.wording import readings, worded

_FLAG: Final = re.compile(r"(?<!\S)--(?=[\w.-]+=)")  # `--region=north`, as on a command line
_CUT: Final = re.compile(r"[\r\n]+|;\s|(?=<@[^>]*>)")
# What comes after an order and names what is to be left as it is.
_KEPT: Final = re.compile(
    r"[,;]? (?:(?:but|and|while) )*(?:not|without|leave|keep|instead of|rather than|don'?t touch|do not touch)"
    r" (?P<what>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_CLAUSE: Final = re.compile(
    r"^\d[.)]\s+|(?<=\s)\d[.)]\s+(?=(?:re)?(?:start|stop|try|pause|delete|kill)\b)|(?:[,;!?()]+|(?<!\d)[.]+(?=\s|$))\s*|\s(?:[-\u2013\u2014&+]|&&)\s"
    r"|\s(?:and(?: then| also)?|then|but|so(?: that)?|because|plus|otherwise"
    r"|before|while|whilst|although|(?<!soon )(?<!long )(?:as|since)(?= (?:it|they|we|you|he|she|the|there|i)\b)"
    r"|(?:that|which|who)(?= (?:was|were|is|has|had|it)\b))\s+",
    re.IGNORECASE,
)
_BEGIN_A_VERB: Final = frozenset({"turn", "switch", "put", "take", "bring", "shut", "run"})
_NO_ORDER: Final = frozenset(
    {"go", "again", "on", "off", "back", "get", "give", "let", "make", "set", "queue", "submit"}
)
_JOINING: Final = frozenset({"and", "but", "then", "so", "also"})
_LEFT: Final = frozenset({"not", "without", "keep", "leave", "no", "dont"})
_GOES_ON: Final = re.compile(
    r"(?i)\b(?:can|may|should|is|are|already|still) (?:go|run|stay|continue|keep|be|already|still|fine|ok)"
)
_OF_IT: Final = re.compile(r"(?i)\w+(?: (?:off|on|up|down))? (?:it|them|this\W*$)(?!\w)")
_AS_IT_IS: Final = re.compile(r"(?i)[,;]? (?:(?:but|and|while) )*(?:without|leave|keep|don'?t touch|do not touch)")
_MAY_I: Final = re.compile(r"(?i)(?:(?:should|shall) (?:i|we)|(?:can|could|may) i)\b(?!.*\b(?:please|pls)\b)")
_WAITS: Final = re.compile(r" ?(?:once|as soon as(?! possible)|the (?:moment|minute|second) |whenever)\b")
_WHEN: Final = frozenset({"if", "when", "once", "unless", "after", "as"})
_OF_INCIDENTS: Final = frozenset({"close", "open", "resolve", "declare"})
_INCIDENT: Final = re.compile(r"^(?:(?:the|an?|our|this|new) )*(?:incident\b|inc-?\d)")
_STATES: Final = re.compile(r"\W*[\w.]+(?: ?: ?\S+| (?:is |= ?)?(?:on|off|true|false|yes|no))\W*")
_END: Final = re.compile(r"\b(?:until|till|for (?=\d|an? |one |two |three |half )).+$", re.IGNORECASE)
_TOLD: Final = re.compile(
    r"(?i)\b(?:had|was|were|been|since|took|did|waited|hung|\w+ed)\b"
)  # `it was slow for 2 hours`
_AT: Final = ("at", "um", "gegen")
_BEEN: Final = re.compile(r"(?i)\b(?:fails|failing|broken|down|hangs?|hanging|stuck|slow|offline|out|already)\b")
_SUBJECT: Final = re.compile(r"(?i)(?:the|our|my|this|that|their|his|her|an?|we|they|i|it|there|he|she|<@[^>]*>)\b")
_WANTED: Final = re.compile(r"(?i)\b(?:need|want|should|must|would|like|have to|has to|do (?:it|this|that)|please)\b")
_LASTS: Final = re.compile(r"(?:pause|suspend|snooze|schedule|turn|switch|disable|hold)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\s,;!?()]*[^\W_][^\s,;!?()]*")
_BENEATH: Final = frozenset({"because", "before", "while", "whilst", "although", "as", "since", "that", "which", "who"})
_PLACED: Final = r"^(?:(?:on|at) )+|(?: (?:on|at))+$"
_IT: Final = frozenset({"it", "this", "that", "them", "its", "their"})


class Order(NamedTuple):
    """What stands before an order, the order, and the text from it on up to another order."""

    before: str
    text: str
    onwards: str
    named: bool = True  # not `restart it` where nothing was named
    soon: bool = False  # a later time was told before it: `the maintenance starts at 6pm, please pause prices`


def orders_in(plain: str, catalog: Catalog) -> list[str]:
    """The text cut at each line, `;` or mention that a verb follows."""
    parts: list[str] = []
    for part in _CUT.split(plain):
        words = [token.strip(EDGES) for token in TOKEN.findall(REASON.sub("", part))]
        said = worded([word for word in words if word and "=" not in word], catalog)
        if parts and not any(readings(said, catalog)):
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    return parts


def order_of(
    text: str, targets: Sequence[Known], catalog: Catalog, *, in_thread: bool, inputs: Collection[str] = ()
) -> Order | None:
    """The first clause that begins with a verb that changes something and names a target, or `it`, which in a channel is the
    target that was named before. None if no clause is like that, or if it is for a later time or on a condition. `inputs` are
    names of parameters, which may have clauses of their own."""
    why = REASON.search(text)
    text, reason = (text[: why.start()], text[why.start() :]) if why else (text, "")
    kinds = {kind.name for spec in catalog.backends.values() for kind in spec.targets} | {"schedules"}
    parts = frozenset[str]().union(*(name_parts(known.name) for known in targets)) - FILLERS - kinds
    planes = {
        word
        for known in targets
        if not known.name and known.backend in catalog.backends
        for word in (known.backend, catalog.backends[known.backend].vendor.casefold())
    }
    whole_names = planes | {known.name.casefold().rpartition("/")[2] for known in targets if known.name}
    names = (
        planes | {part for part in parts if not part.isdigit()} | {name for name in whole_names if not name.isalpha()}
    )
    verbs = _verbs(catalog)
    pieces = [part for piece in _pieces(text) for part in _cut(piece, names, verbs)]
    begin = [
        None if piece.after.strip() in _BENEATH else _verb_of(piece.text, names, verbs, in_thread=in_thread)
        for piece in pieces
    ]
    orders = [at for at, verb in enumerate(begin) if verb is not None]
    first = pieces[orders[0]] if orders else None
    if (
        first is None
        or _MAY_I.match(text)
        or _is_for_later([piece.text for piece in pieces[: orders[0]]], first.text[: begin[orders[0]]], names)
        or _is_asked(text, first)
    ):
        return None
    others = [
        piece
        for piece in pieces[orders[0] + 1 :]
        if _verb_of(piece.text, names, verbs) is not None
        or (_left(piece.text) and not names.isdisjoint(parts_of(piece.text)))
    ]
    end, verb = others[0].start if others else len(text), first.start + (begin[orders[0]] or 0)
    later = [piece for piece in pieces[orders[0] + 1 :] if piece.start < end]
    ends = _END.search(first.text) is not None
    beside = [
        *takewhile(
            lambda piece: _goes_on(piece.text, names, inputs) and not (ends and _has_end(piece.text, names)), later
        )
    ]
    stop = beside[-1].start + len(beside[-1].text) if beside else first.start + len(first.text)
    more = [
        piece.text
        for piece in later[len(beside) :]
        if _goes_on(piece.text, names, inputs) and not _END.search(piece.text)
    ]
    head = _without_left(text[verb:stop], names)
    whole, before = ", ".join([head, *more]), text[: first.start]
    topic = pieces[orders[0] - 1].text.strip(f"{EDGES}: ") if orders[0] else ""  # `weekly close, turn it off`
    topic = topic if {*parts_of(topic)} <= names else ""
    named = not topic if in_thread else names & {*parts_of(whole)}
    around = [] if _END.search(whole) or not _LASTS.match(whole) else [*pieces[: orders[0]], *later[len(beside) :]]
    lasting = (_lasts(piece.text) for piece in around)
    whole += "".join(f", {match[0]}" for match in lasting if match)
    last = whole_names - ADJECTIVES
    order = (
        whole
        if named
        else _with_name(
            whole,
            [topic] if topic else [one.text for one in pieces[: orders[0]]],
            names | kinds | _in_names(targets),
            last,
        )
    )
    same = order == whole and not _AS_IT_IS.match(text[verb + len(head) : stop])
    onwards = text[first.start : end].rstrip() if same else order
    known = in_thread or order != whole or not _OF_IT.match(whole)
    soon = _is_soon([piece.text for piece in pieces[: orders[0]]], names)
    return Order(before, order + reason, onwards + reason, named=known, soon=soon)


class _Piece(NamedTuple):
    """A clause, where it begins, and what separates it from the one before."""

    start: int
    text: str
    after: str


def _is_for_later(before: Sequence[str], beginning: str, names: AbstractSet[str]) -> bool:
    """Whether a time or a condition stands before an order, rather than what happens at a time: `it starts at 6pm, stop it`."""
    clauses = [*before, beginning]
    said = [_without_names(one, names) for one in clauses]
    times = [one for one, clause in zip(said, clauses, strict=True) if clause is beginning or not _tells(clause, names)]
    conditions = (_WAITS.match(one) or CONDITIONS.search(one) or LATER_IN_CLAUSE.fullmatch(one) for one in said)
    return any(map(LATER.search, times)) or any(conditions)


def _is_soon(before: Sequence[str], names: AbstractSet[str]) -> bool:
    """Whether one of these clauses tells of a later time. `it failed at 3am` does not."""
    times = ((LATER.search(one), _TOLD.search(one)) for one in (_without_names(clause, names) for clause in before))
    return any(time and not (told and time[0].startswith(_AT)) for time, told in times)


def _without_names(clause: str, names: AbstractSet[str]) -> str:
    """The clause without names: a target may be called `nightly`."""
    return " ".join("" if {*parts_of(word)} <= names else word for word in clause.casefold().split())


def _tells(clause: str, names: AbstractSet[str]) -> bool:
    """Whether a clause says what happens or happened, and neither when something is to be done nor what is wanted."""
    named = {*parts_of(clause.partition(" ")[0])} <= names
    return (_SUBJECT.match(clause) is not None or named) and _WANTED.search(clause) is None


def _is_asked(text: str, order: _Piece) -> bool:
    """Whether an order is a question."""
    asked = text[order.start :].rstrip().endswith("?") or text[order.start + len(order.text) :].startswith("?")
    return asked and REQUESTING.search(order.text.casefold()) is None


def _pieces(text: str) -> list[_Piece]:
    """Each clause, and where it begins."""
    cuts = [(0, 0), *(match.span() for match in _CLAUSE.finditer(text)), (len(text), len(text))]
    pieces = (_Piece(one[1], text[one[1] : other[0]], text[slice(*one)].casefold()) for one, other in pairwise(cuts))
    return [piece for piece in pieces if piece.text.strip()]


def _cut(piece: _Piece, names: AbstractSet[str], verbs: AbstractSet[str]) -> Iterator[_Piece]:
    """The clause cut before each verb that stands between two names: `stop load_orders start sync_customers`."""
    words, start, after = [*_WORD.finditer(piece.text)], 0, piece.after
    of_name = [not names.isdisjoint(parts_of(word[0])) for word in words]
    for at in range(2, len(words) - 1):
        before = at - 1 if words[at - 1][0].casefold() not in ("please", "pls", "to") else at - 2
        if words[at][0].casefold() in verbs and not of_name[at] and of_name[before] and of_name[at + 1]:
            yield _Piece(piece.start + start, piece.text[start : words[at].start()], after)
            start, after = words[at].start(), " "
    yield _Piece(piece.start + start, piece.text[start:], after)


@lru_cache(maxsize=8)
def _verbs(catalog: Catalog) -> frozenset[str]:
    """The words, in their basic form, that an order may begin with."""
    words = {*(verb for verb in catalog.verbs if " " not in verb), *ALIASES, *SYNONYMS}
    acts = {word for word in words if catalog.changes(ALIASES.get(word, SYNONYMS.get(word, (word,))[0]))}
    return frozenset(acts | _BEGIN_A_VERB | {"watch"} | {verb for verb in catalog.verbs if " " in verb}) - _NO_ORDER


def _verb_of(text: str, names: AbstractSet[str], verbs: AbstractSet[str], *, in_thread: bool = False) -> int | None:
    """Where the verb of an order begins; None if the text is none."""
    words = [*_WORD.finditer(text)]
    said = [word[0].casefold() for word in words]
    for at, word in enumerate(said):
        if word in _OF_INCIDENTS and _INCIDENT.search(" ".join(said[at + 1 :])):
            return words[at].start()
        if word in verbs or " ".join(said[at : at + 2]) in verbs:
            after = {part for one in said[at + 1 :] for part in parts_of(one)}
            told = not TOLD_OF.isdisjoint(said[at + 1 : at + 2]) or ("will" in said[:at] and "you" not in said[:at])
            return (
                words[at].start() if not told and (in_thread or (after | {*said[at + 1 :]}) & (_IT | names)) else None
            )
        if word in names or not (word in BEFORE_A_VERB or word.isdigit()):
            return None
    return None


def only_tells(text: str, catalog: Catalog) -> bool:
    """Whether the verbs of a text only tell what something does, and none begins a clause as an order has it: `prices starts too
    early`, `starts since noon`."""
    verbs = _verbs(catalog)
    told = False
    for piece in _pieces(REASON.sub("", text)):
        said = [word.casefold() for word in _WORD.findall(piece.text)]
        begins = next((word for word in said if word not in BEFORE_A_VERB), "")
        if begins in verbs:
            return False
        told = told or any({word.removesuffix("s"), word.removesuffix("es")} & (verbs - {word}) for word in said)
    return told and REQUESTING.search(text.casefold()) is None


def _goes_on(text: str, names: AbstractSet[str], inputs: Collection[str]) -> bool:
    """Whether a clause only adds a target, an end, a parameter or a condition to the order before it."""
    words = _words(text)
    known = names | FILLERS | TIMES | NUMBERS.keys() | GREETINGS | {"for", "until", "only", "am", "pm"}
    small = "runs" not in words and all(
        word in known or word[0].isdigit() or re.fullmatch(MONTH, word) for word in words
    )
    states = _STATES.fullmatch(text) is not None  # `production: no`
    denied = words[:1] in (["not"], ["without"], ["outside"]) or (words[:1] in (["no"], ["non"]) and len(words) == 2)
    beside = denied and names.isdisjoint(words)  # `not in production`
    goes_on = _GOES_ON.search(text) is not None or (
        _BEEN.search(text) is not None and _END.search(text) is not None
    )  # `stop prices, stock can go on`
    given = len(words) <= 4 and not {*inputs}.difference(names).isdisjoint(
        words[:2]
    )  # `region south`, `with region south`
    return (
        given
        or (small and _LEFT.isdisjoint(words) and not goes_on)
        or beside
        or states
        or "=" in text
        or not _WHEN.isdisjoint(words[:1])
    )


def _lasts(clause: str) -> re.Match[str] | None:
    """The end that a clause states, unless it tells how long something took or has been so."""
    end = _END.search(clause)
    past = _TOLD.search(clause) or (end and end[0].casefold().startswith("for") and _BEEN.search(clause))
    return None if past else end


def _has_end(text: str, names: AbstractSet[str]) -> bool:
    """Whether a clause has an end for a target of its own: `and stock for 2h`."""
    return _END.search(text) is not None and not names.isdisjoint(parts_of(text))


def _left(text: str) -> bool:
    """Whether a clause says what is to be left as it is."""
    return not _LEFT.isdisjoint(_words(text)[:1])


def _words(text: str) -> list[str]:
    """The words of a clause without what joins it to the one before."""
    return [*dropwhile(_JOINING.__contains__, parts_of(text))]


def _without_left(text: str, names: AbstractSet[str]) -> str:
    left = _KEPT.search(text)
    return text[: left.start()] if left and left.start() and not names.isdisjoint(parts_of(left["what"])) else text


def _in_names(targets: Sequence[Known]) -> frozenset[str]:
    """What a name of several words may be said with: `process server`, `us-1`, `dis`."""
    words = (known.name.casefold().replace("/", " ").split() for known in targets)
    return frozenset[str]().union(*words, *(forms_of(known.name) for known in targets)) - FILLERS - ADJECTIVES


def _with_name(text: str, before: Sequence[str], names: AbstractSet[str], last: AbstractSet[str]) -> str:
    """The order with a name in place of `it`: what the nearest clause before it that names a target is about, if there is one.
    `last` are whole names, or their last parts."""
    named = [said for clause in before if (said := _named(clause, names, last))]
    several = re.search(r"(?i)\b(?:them|their)\b", text)
    name = " and ".join(one for said in named for one in said) if several else "".join(named[-1][:1] if named else [])
    return re.sub(r"(?i)\b(?:it|this|that|them|its|their)\b", lambda _: name, text, count=1) if name else text


def _named(clause: str, names: AbstractSet[str], last: AbstractSet[str]) -> list[str]:
    """The clause if it is a name, otherwise the whole names in it, or several words in a row that are parts of one."""
    if {*parts_of(clause)} <= names:
        return [clause.strip(f"{EDGES}: ")]
    said = [token.strip(f"{EDGES}:") for token in TOKEN.findall(clause)]
    typed = [one for one in said if "/" in one or ":" in one]
    parts, every = names | {"on", "at"}, groupby(said, lambda one: one.casefold() in names or {*parts_of(one)} <= parts)
    rows = (" ".join(row) for of_name, row in every if of_name)
    several = [
        row for row in (re.sub(_PLACED, "", row) for row in rows) if len({*row.split()} - ADJECTIVES) > 1
    ]  # `process server on eu-1`
    return typed or [*several, *(one for one in said if one.casefold() in last)]


def words_in(plain: str) -> tuple[list[str], list[str], list[str], set[int], str]:
    """What `lexed` finds in the text, and the reason."""
    bare = _FLAG.sub(" ", MENTION.sub(" ", f" {plain}")).strip()
    match = REASON.search(bare)
    return *lexed(bare[: match.start()] if match else bare), match[1].strip() if match else ""
