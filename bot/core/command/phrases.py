"""Parameters that a sentence states in words: `for two hours`, `the last 50 lines`, `until Monday`, `region north`. Pure.

Each is offered to the command only if that command takes such a parameter; a button shows the whole command before it runs.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.command.ends import length, stated_ends
from bot.core.command.later import MONTH
from bot.core.command.params import BadParam, Param, ParamType
from bot.core.command.past import LENGTHS, past_in
from bot.core.command.ranking import EDGES, Known
from bot.core.command.target_ref import quote
from bot.core.command.untargeted import QUOTES
from bot.core.command.until import MONTHS
from bot.core.command.vocabulary import CALLED, FILLERS, NUMBERS

_NUMBER: Final = rf"(?P<number>\d{{1,6}}|(?:{'|'.join(NUMBERS)})(?= ))"
_DAY_AND_MONTH: Final = re.compile(
    rf"(?i)(?<!\S)(?:zum )?(\d{{1,2}})\.(?: of)? ({MONTH}|januar|februar|märz|mai|juni|juli|oktober|dezember)\b"
)
_MONTH_AND_DAY: Final = re.compile(rf"(?i)\b({MONTH})\.(?= \d)")
_GERMAN: Final = MappingProxyType({"mär": "Mar", "mai": "May", "okt": "Oct", "dez": "Dec"})
_DOTTED: Final = re.compile(r"(?<!\S)(\d{1,2})\.(0?[1-9]|1[0-2])\.(20\d\d)?(?!\S)")
_NO_ZERO: Final = re.compile(r"(?<!\S)\.(?=\d)")
# What each pattern states; the first that fits a part of the text counts. Those of the past come before an end.
_PAST, _AMOUNTS = (
    tuple((re.compile(rf"(?<!\S){pattern}(?!\S)"), names) for pattern, names in patterns)
    for patterns in (
        (
            *((pattern, ("since",)) for pattern in LENGTHS),
            (r"(?<!end )(?<!rest )(?:of|in|from|during) (?:this|the) (?P<unit>week)", ("since",)),
        ),
        (
            (r"(?P<when>last night|yesterday|this morning)", ()),  # not the agent `nightly`
            (rf"(?:the )?(?:last |latest )?{_NUMBER} lines?|(?:tail|head) (?P<of>\d{{1,4}})", ("tail",)),
            (rf"(?:the )?(?:last |latest )?{_NUMBER} (?:runs?|jobs?|instances?|executions?)", ("count",)),
            (rf"(?:the )?(?:last |latest ){_NUMBER}", ("count", "tail")),
            (r"(?P<number>\d{1,4})$", ("tail", "count")),
        ),
    )
)
# What a phrase is about, if no verb takes it. A bare number says too little.
_IMPLIED: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        ("tail",): ("logs",),
        ("grep",): ("logs",),
        ("count",): ("history",),
        ("count", "tail"): ("history",),
        ("since",): ("timeline",),
    }
)
# The first word of a question about what was: every time in it is one of the past.
_ASKS: Final = frozenset(
    {"who", "what", "which", "when", "any", "audit", "list", "show", "did", "was", "were", "denied"}
)
_STOPS: Final = frozenset(",.;!?-)")  # at the end of a clause
TOKEN: Final = re.compile(r'[^\s"“”]*["“”][^"“”]*["“”]\S*|\S+')
BULLETS: Final = frozenset("•◦▪‣·")
_QUOTED_WORD: Final = re.compile(r'^["“”]([^\s"“”]+)["“”]$')
_END_OF_VALUE: Final = re.compile(r"(?<=[^=])[,.;!?]+$")  # `with region=south, please`
_QUOTED: Final = re.compile(rf"(?<!\S)[{QUOTES}]([^{QUOTES}]{{2,60}})[{QUOTES}](?![^\s,.?!])")
_NEAR_PARAM: Final = 72.0
_NEAR_CHOICE: Final = 60.0  # `success` is `succeeded`
_NOT: Final = frozenset({"not", "no", "non", "without", "outside", "never", "dont"})
_OFF: Final = frozenset({"off", "false", "no", "not", "disabled"})
_BEFORE_A_VALUE: Final = frozenset({"set", "is", "to", "equals", "be"})
_NO_VALUE: Final = FILLERS | {"not", "from", "this", "time", "no"}
_MEANS: Final = frozenset(
    {"to", "as", "is", "=", "into"}
)  # before the value of a parameter: `set the description to ...`


def lexed(text: str) -> tuple[list[str], list[str], list[str], set[int]]:
    """The tokens, the `key=value` pairs among them, the words without punctuation, and the places of words after punctuation."""
    tokens = TOKEN.findall(with_months(text))
    pairs = [token for token in tokens if re.match(r'[^\W\d"][\w.\-]*=', token)]
    words, breaks = list[str](), set[int]()
    for token in tokens:
        word = "" if token in pairs or token in BULLETS else _QUOTED_WORD.sub(r"\1", token.strip(EDGES))
        words += [word] if word else []
        if token[-1:] in _STOPS:
            breaks.add(len(words))
    return tokens, [_END_OF_VALUE.sub("", pair) for pair in pairs], words, breaks


def with_months(text: str) -> str:
    """The text with the names of months in dates: `10 Dec` for `10.12.` and `10. Dezember`, which name no time of day and end no
    clause; and `0.5` for `.5`."""
    text = _MONTH_AND_DAY.sub(lambda month: month[1][:3], _NO_ZERO.sub("0.", text))
    text = _DAY_AND_MONTH.sub(
        lambda date: f"{date[1]} {_GERMAN.get(date[2][:3].lower(), date[2][:3].capitalize())}", text
    )
    return _DOTTED.sub(lambda date: f"{date[1]} {MONTHS[int(date[2]) - 1]} {date[3] or ''}".rstrip(), text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stated parameter: the names that it may have, and its value; whether that is words which name no time; the places
    of the words of an end that is sure to be one."""

    names: tuple[str, ...]
    value: str
    unclear: bool = False
    ends: range = range(0)


def quoted(text: str, targets: Sequence[Known], catalog: Catalog) -> list[str]:
    """The texts in quotes that are neither a verb nor a part of a name, as values of a parameter."""
    found = _QUOTED.findall(text)
    names = "\n".join(known.name for known in targets).casefold() if found else ""
    own = [one for one in found if one.casefold() not in names and one.casefold() not in catalog.verbs]
    return [one if re.fullmatch(r"[\w.][\w.:/+-]*", one) else quote(one) for one in own]


def take_phrases(
    said: Sequence[str], names: Container[str], typed: Sequence[str] = (), breaks: Container[int] = ()
) -> tuple[list[Phrase], set[int]]:
    """The stated parameters, and the places of their words. A number in `names` is a target, and a clause begins at each of the
    `breaks`. What is not understood of a time is kept as `typed`."""
    left, found = list(said), list[Phrase]()
    if not _ASKS.isdisjoint(said[:1]) and (past := past_in(" ".join(said))) and past[0][0] not in names:
        found.append(Phrase(("since",), past[1]))
        _take(left, " ".join(said)[: past[0].start()].count(" "), past[0][0].count(" ") + 1)
    for patterns in (_PAST, _AMOUNTS):
        for pattern, keys in patterns:
            text = " ".join(left)
            match = pattern.search(text)
            value = _value(match) if match is not None else ""
            if match is None or not value or match[0] in names or any(keys == phrase.names for phrase in found):
                continue
            found.append(Phrase(keys, value))
            _take(left, text[: match.start()].count(" "), match[0].count(" ") + 1)
        if patterns is _PAST:
            for end in stated_ends(left, typed or said, names, breaks):
                bare = left[end.places.start] in NUMBERS or left[end.places.start][0].isdigit()  # `it took 2 hours`
                begins = left[end.places.start] in ("over", "during")  # with a time that comes later
                sure = end.places if end.names and (begins or not end.unclear) and not bare else range(0)
                found.append(Phrase(end.names, end.value, end.unclear, sure))
                _take(left, end.places.start, len(end.places))
    return found, {at for at, word in enumerate(left) if word == "\0"}


def without_ends(text: str) -> tuple[str, list[Phrase]]:
    """The text without the ends that it states, and those."""
    typed = with_months(text).split()
    words, breaks = (
        [word.strip(EDGES) for word in typed],
        {at for at, word in enumerate(typed, 1) if word[-1] in _STOPS},
    )
    ends = [*stated_ends([word.casefold() for word in words], words, (), breaks)]
    taken = {at for end in ends for at in end.places}
    kept = (word if at not in taken else word[-1:] if word[-1:] in _STOPS else "" for at, word in enumerate(typed))
    return " ".join(filter(None, kept)), [Phrase(end.names, end.value) for end in ends]


def _take(left: list[str], first: int, count: int) -> None:
    left[first : first + count] = ["\0"] * count


def _value(match: re.Match[str]) -> str:
    parts: Mapping[str, str | None] = match.groupdict()
    if "when" in parts:
        return match[0]
    if parts.get("unit") is not None:
        return length(parts)
    word = parts.get("number") or parts.get("of") or "1"
    number = NUMBERS.get(word, 0) if not word.isdigit() else int(word)
    return str(number) if number else ""


def stated(
    params: Sequence[Param], phrases: Sequence[Phrase], words: Sequence[str], said: Sequence[str], used: Sequence[str]
) -> Iterator[str]:
    """`key=value` for each parameter that these words state. `used` are names given for the target before."""
    names = {param.name: param for param in params}
    for phrase in phrases:
        wanted = (*phrase.names, "for") if phrase.names == ("until",) else phrase.names  # which then says what it takes
        taken = [name for name in wanted if name in names][:1]
        yield from [f"{name}={phrase.value}" for name in taken if not _is_usual(names[name], phrase.value)]
    for param in params:
        if param.type is ParamType.CHOICE:
            small = [one.casefold() for one in param.choices]
            near = [word for at, word in enumerate(said) if word in small and not _negated(said, at)]
            fit = (one for one in param.choices if one.casefold() in near and one.casefold() not in FILLERS)
            yield from [f"{param.name}={one}" for one in fit][:1]
            continue
        called = {param.name.casefold(), *CALLED.get(param.name, ())}
        at = next((at for at, word in enumerate(said) if word.replace("-", "") in called), None)
        if at is not None and param.type is ParamType.BOOLEAN:
            yield f"{param.name}={'false' if _negated(said, at) else 'true'}"
        elif at is not None and param.type in (ParamType.TEXT, ParamType.INTEGER):
            after = next(
                (here for here in range(at, len(said)) if said[here] in _MEANS), at if param.name in CALLED else None
            )
            word = "".join(words[after + 1 : after + 2]) if after is not None else ""
            if word and (param.type is ParamType.TEXT or word.isdigit()):
                yield f"{param.name}={word}"
    own = [name for name in used if "*" in names or name in names or name.partition(".")[0] in names]  # of this verb
    short = {name.rpartition(".")[2].casefold(): name for name in own}
    for at, word in enumerate(said):
        after = next((here for here in range(at + 1, len(said)) if said[here] not in _BEFORE_A_VALUE), None)
        if (
            word not in short
            or after is None
            or said[after] in short
            or (said[after] in _NO_VALUE and ":" not in words[at])
        ):
            continue
        if _takes(names.get(short[word]), words[after]):
            yield f"{short[word]}={words[after]}"


def _is_usual(param: Param, value: str) -> bool:
    """Whether a command looks as far back as this anyway."""
    return param.name == "since" and param.default is not None and param.check([value]) == param.default


def _negated(said: Sequence[str], at: int) -> bool:
    """Whether the word at this place is denied: `not in production`, `production switched off`."""
    before, after = said[max(at - 3, 0) : at], said[at + 1 : at + 3]
    return not _NOT.isdisjoint(before) or not _OFF.isdisjoint(after)


def _takes(param: Param | None, word: str) -> bool:
    """Whether this can be the value after the name of the parameter. A name of a map takes any; `until` takes phrases only."""
    if param is None or param.type is ParamType.UNTIL:
        return param is None
    try:
        param.check([word])
    except BadParam:
        return False
    return True


def implied(verbs: list[str], phrases: Sequence[Phrase], catalog: Catalog, *, named: bool) -> list[str]:
    """The verbs, or what a phrase such as `the last 50 lines` is about when none of them takes it or changes anything. A
    timeline is of no target that is `named`."""
    taken = {param.name for verb in verbs for param in catalog.params(verb)}
    for phrase in phrases:
        meant = [
            verb
            for verb in _IMPLIED.get(phrase.names, ())
            if verb in catalog.verbs and not (named and verb == "timeline")
        ]
        vague = not verbs or verbs[0] == "status" or ("since" in phrase.names and not catalog.changes(verbs[0]))
        if meant and taken.isdisjoint(phrase.names) and vague:
            return meant
    return verbs


def fitting(
    pairs: Sequence[str], catalog: Catalog, verb: str, backend: str, kind: str, used: Sequence[str]
) -> list[str]:
    """The typed parameters, renamed to those of this verb: `regin=north` as `input.region=north`. A verb of runs has no
    capability of the kind of their agent."""
    of_runs = next((one for _, one in catalog.capabilities(verb, backend)), None)
    capability = catalog.capability(backend, verb, kind) or of_runs
    return list(pairs) if capability is None else [*filter(None, (corrected(pair, capability, used) for pair in pairs))]


def corrected(pair: str, capability: Capability, used: Sequence[str]) -> str:
    """A typed `key=value` with the names and values that the capability takes. `used` are names given for the target before. A
    read does without what it doesn't take."""
    key, _, value = pair.partition("=")
    choices = param.choices if (param := capability.param(key)) is not None else ()
    near = process.extractOne(value.casefold(), choices, scorer=fuzz.ratio, score_cutoff=_NEAR_CHOICE)
    if near is not None:
        return f"{key}={near[0]}"
    names = [param.name for param in capability.params if param.type is not ParamType.MAP]
    maps = [param.name for param in capability.params if param.type is ParamType.MAP and param.name != "*"]
    if key in names or any(key.startswith(f"{name}.") for name in maps):
        return pair
    taken = used if capability.param("*") is not None else [name for name in used if name.partition(".")[0] in maps]
    candidates = {name: name for name in names} | {name.partition(".")[2] or name: name for name in taken}
    if longer := [name for name in candidates if len(key) > 2 and name.startswith(key)]:
        return f"{candidates[longer[0]]}={value}"
    if exchanged := [name for name in candidates if sorted(name) == sorted(key)]:
        return f"{candidates[exchanged[0]]}={value}"
    near = process.extractOne(key, list(candidates), scorer=fuzz.ratio, score_cutoff=_NEAR_PARAM)
    if near is not None:
        return f"{candidates[near[0]]}={value}"
    return f"{maps[0]}.{pair}" if maps else "" if capability.risk is Risk.READ else pair
