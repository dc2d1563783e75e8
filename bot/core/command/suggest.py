"""What a person may have meant: commands for words that are not a command, best first. Pure; the caller passes what exists.

Mistyped commands (`strat acc:shop/prices`), targets without their backend (`start shop/prices`), another order
(`acc:shop/prices start`), other capitals, and sentences ("can you restart the prices agent please?"). rapidfuzz compares
spellings. Existing targets rank first, then what the person may do here, then what this channel used last.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.command.builtins import ALIASES, Takes
from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import unescape, unwrap
from bot.core.command.params import ParamType
from bot.core.command.phrases import implied, params_of, stated, take_phrases
from bot.core.command.target_match import EDGES, Known, covered, parts_of, scores
from bot.core.command.target_ref import SELECTORS, SHORT_ID
from bot.core.command.vocabulary import (
    ALONE,
    ASKING,
    FILLERS,
    GRAMMAR,
    OF_A_PAIR,
    PERMISSION,
    POLITE,
    QUESTIONS,
    SYNONYMS,
    WONDERING,
)

MOST: Final = 3
_NEAR_VERB: Final = 72.0
_NEAR_BACKEND: Final = 85.0
_NEAR_PAIR: Final = 90.0
_MENTION: Final = re.compile(r"<@[^>]*>|^\s*/\w+\s|(?<!\S)@\w[\w.-]*(?=\s)")
_CUT: Final = re.compile(r"[\r\n]+|;\s|(?=<@[^>]*>)")
_TOKEN: Final = re.compile(r'[^\s"“”]*["“”][^"“”]*["“”]\S*|\S+')
_BULLETS: Final = frozenset("•◦▪‣·")
_QUOTED_WORD: Final = re.compile(r'^["“”]([^\s"“”]+)["“”]$')
_FLAG: Final = re.compile(r"(?<!\S)--(?=[\w.-]+=)")  # `--region=north`, as on a command line
_PLEASE: Final = frozenset({"please", "pls", "plz"})
_REASON: Final = re.compile(r"(?:^|\s)(?:--|–|—)\s*(.+)$", re.DOTALL)  # noqa: RUF001  phones turn `--` into a dash


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The input of suggestions. `may` returns whether the person may use a verb on a written target here.

    `recent` are written targets that this channel used, newest first; `parameters` are the names that were given for a
    written target before.
    """

    targets: Sequence[Known] = ()
    recent: Sequence[str] = ()
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    may: Callable[[str, str], bool] = lambda verb, target: True


def suggest(text: str, catalog: Catalog, around: Surroundings) -> tuple[str, ...]:
    """At most three commands, best first. `("help",)` if the words match nothing.

    Of several commands, only the first one that matches counts, so that no verb meets the target of another.
    """
    plain = unwrap(unescape(unicodedata.normalize("NFKC", text)))
    found = (_suggest(part, catalog, around) for part in _parts(plain, catalog))
    return next((commands for commands in found if commands != ("help",)), ("help",))


def certain_read(text: str, catalog: Catalog, targets: Sequence[Known]) -> str | None:
    """The read-only command that the words name without doubt, in any order and in any capitals: one verb, and the whole name
    or the last part of the name of one target. A target alone means `status`, a greeting alone means `help`. A bullet, a
    `please`, and quotes around a word change nothing."""
    tokens, pairs, words, reason = _read(unwrap(unescape(unicodedata.normalize("NFKC", text))))
    tokens = [token for token in tokens if token not in _BULLETS]
    folded = [word.casefold() for word in words]
    if words and not pairs and set(folded) <= set(POLITE.split()):
        return "help"
    verbs, used = _exact_verb(folded, catalog) or ([], set())
    rest = [word for at, word in enumerate(words) if at not in used and folded[at] not in _PLEASE]
    if len(rest) != 1 or not (verbs or {":", "/"} & set(rest[0])) or len(tokens) != len(words) + len(pairs):
        return None
    found = _named(rest[0], targets)
    verb = verbs[0] if verbs else "status"
    if found is None or any(row.risk is not Risk.READ for _, row in catalog.rows(verb, found.backend)):
        return None
    commands = _commands(verb, found, catalog) if catalog.rows(verb, found.backend) else []
    return " ".join([commands[0][0], *pairs, *(["--", reason] if reason else [])]) if commands else None


def _named(word: str, targets: Sequence[Known]) -> Known | None:
    """The only target with that name: as written, without its backend, by its last part, or by the beginning of its id."""
    base, at, selector = "".join(char for char in word if char not in '"“”').casefold().rpartition("@")
    picked = bool(at) and selector in SELECTORS
    wanted = base if picked else f"{base}{at}{selector}"
    spelled = [(f"{one.backend}:{one.name}".casefold(), one.name.casefold(), one) for one in targets if one.name]
    for same in (
        [one for whole, _, one in spelled if whole == wanted],
        [one for _, name, one in spelled if name == wanted],
        [one for _, name, one in spelled if name.rpartition("/")[2] == wanted],
        [one for _, name, one in spelled if SHORT_ID.fullmatch(wanted) and name.rpartition("/")[2].startswith(wanted)],
    ):
        if same:
            one = same[0]
            return (replace(one, written=f"{one.written}@{selector}") if picked else one) if len(same) == 1 else None
    return None


def _read(plain: str) -> tuple[list[str], list[str], list[str], str]:
    """The tokens, the `key=value` pairs among them, the words without punctuation, and the reason."""
    bare = _FLAG.sub(" ", _MENTION.sub(" ", f" {plain}")).strip()
    match = _REASON.search(bare)
    tokens = _TOKEN.findall(bare[: match.start()] if match else bare)
    pairs = [token for token in tokens if re.match(r'[^\W\d"][\w.\-]*=', token)]
    words = [
        word
        for token in tokens
        if token not in pairs and token not in _BULLETS and (word := _QUOTED_WORD.sub(r"\1", token.strip(EDGES)))
    ]
    return tokens, pairs, words, match[1].strip() if match else ""


def _parts(plain: str, catalog: Catalog) -> list[str]:
    """The text cut at each line, `;` or mention that a verb follows."""
    parts: list[str] = []
    for part in _CUT.split(plain):
        words = [token.strip(EDGES) for token in _TOKEN.findall(_REASON.sub("", part))]
        if parts and not _verbs([word for word in words if word and "=" not in word], catalog)[0]:
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    return parts


def _suggest(text: str, catalog: Catalog, around: Surroundings) -> tuple[str, ...]:
    bare = _MENTION.sub(" ", f" {text}").strip()
    if asked := PERMISSION.match(bare):  # `can I start prices?`
        inner = _suggest(bare[asked.end() :], catalog, around)
        return inner if inner == ("help",) else (f"why {inner[0]}", *inner)[:MOST]
    _, pairs, typed, reason = _read(text)
    names = frozenset(_last(known.name) for known in around.targets)
    numbers = {part for known in around.targets for part in parts_of(known.name) if part.isdigit()}
    phrases, words = take_phrases(typed, names | numbers)
    verbs, used = _verbs(words, catalog, names)
    rest = [word for at, word in enumerate(words) if at not in used]
    verbs = implied(verbs, phrases, catalog)
    other = SYNONYMS.keys() | catalog.verbs
    unnamed = bool(verbs) and not _names_something([word for word in rest if word.casefold() not in other])
    targets = _targets(rest, words, catalog, around) or _targets(words, words, catalog, around)
    targets = targets or (_usual(verbs, catalog, around) if unnamed else [])
    searches = [one for verb in verbs if (one := catalog.builtin(verb)) is not None and one.takes is not Takes.TARGET]
    if not targets and not unnamed and not searches:
        return ("help",)
    found: dict[str, tuple[bool, bool]] = {}
    choices: Sequence[Known | None] = targets or [None]
    for target in choices:
        for verb in verbs or ["status"]:
            for command, written in _commands(
                verb, target, catalog, failed="failed" in (word.casefold() for word in words)
            ):
                given = [] if target is None else _pairs(pairs, catalog, verb, target, around)
                known = around.parameters.get(target.written, ()) if target is not None else ()
                keys = {pair.partition("=")[0] for pair in given}
                more = stated(params_of(catalog, verb, target.backend if target else None), phrases, rest, known)
                given += [pair for pair in more if pair.partition("=")[0] not in keys]
                whole = " ".join([command, *given, *(["--", reason] if reason else [])])
                # A command without the target that the words name comes last.
                found.setdefault(whole, (not around.may(verb, written), target is not None and " " not in command))
    if not found and targets and len(own := [word for word in words if not _is_part(word, targets[0])]) < len(words):
        # `stoppe data integration server`: `data` is a part of the name, and not the verb.
        return _suggest(" ".join([*own, targets[0].written, *pairs]), catalog, around) if own else ("help",)
    ranked = sorted(found, key=found.__getitem__)
    return tuple(ranked[:MOST]) or ("help",)


def _is_part(word: str, target: Known) -> bool:
    return set(parts_of(word)) <= set(parts_of(target.name))


def _verbs(words: Sequence[str], catalog: Catalog, names: Collection[str] = frozenset()) -> tuple[list[str], set[int]]:
    """Verbs that these words may mean, the likeliest first, and the words that each one used. `names` are those of targets."""
    folded = [word.casefold().strip(":") for word in words]
    folded = [word if word in names or (bare := word.replace("-", "")) not in ALIASES else bare for word in folded]
    asks = _question(["\0" if word in names else word for word in folded], catalog)
    found = (
        (asks if folded[:1] and folded[0] in ASKING else None)
        or _exact_pair(folded, catalog)
        or _near_pair(folded, catalog)
        or (None if (folded[:1] and folded[0] in WONDERING) or "watching" in folded else _exact_change(folded, catalog))
        or asks
        or _exact_verb(folded, catalog)
        or _synonym(folded, words, catalog)
        or _near_verb(folded, catalog)
        or ([], set())
    )
    if "again" in folded and "start" in found[0]:
        return _meanings("again", catalog), found[1]
    return found


def _question(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    if len(folded) < 2 or folded[0] in (catalog.verbs | set(ALIASES)) - {"why", "stop"}:
        return None
    whole = " ".join(folded)
    for pattern, verbs in QUESTIONS:
        if match := pattern.search(whole):
            matched = match[0].split()
            known = [verb for verb in verbs if verb in catalog.verbs]
            return known, {at for at, word in enumerate(folded) if word in matched}
    return None


def _exact_pair(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    """A verb of two words, in any order, with small words between them: `turn off the schedules`."""
    small = set(f"{POLITE} {GRAMMAR}".split()) - {"on"}
    places = [at for at, word in enumerate(folded) if word not in small]
    for first, second in pairwise(places):
        one, other = (
            word if word in catalog.verbs else word.removesuffix("s") for word in (folded[first], folded[second])
        )
        for thing, act in ((one, other), (other, one)):
            verb = f"{thing.removesuffix('s')} {OF_A_PAIR.get(act, act)}"
            if verb in catalog.verbs:
                return [verb], {first, second}
    return None


def _near_pair(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    """A misspelled verb of two words at the beginning: `schedul off`."""
    if not folded or folded[0] in catalog.verbs:
        return None
    verbs = [verb for verb in catalog.verbs if " " in verb]
    near = process.extractOne(" ".join(folded[:2]), verbs, scorer=fuzz.ratio, score_cutoff=_NEAR_PAIR)
    return ([near[0]], {0, 1}) if near is not None else None


def _exact_verb(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    for at, word in enumerate(folded):
        verb = ALIASES.get(word, word)
        if verb in catalog.verbs and word not in FILLERS:
            return _meanings(verb, catalog), {at}
    return None


def _exact_change(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    """A verb that changes something, wherever it is in a text that doesn't ask: `shop/prices rerun failed`."""
    found = _exact_verb(folded, catalog)
    rows = catalog.rows(found[0][0]) if found is not None else ()
    return found if any(row.risk is not Risk.READ for _, row in rows) else None


def _synonym(folded: Sequence[str], words: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    for at, word in enumerate(folded):
        switch = word in ("on", "off") and at + 1 < len(folded) and not {"turn", "switch", "put", "kick"} & set(folded)
        if word in SYNONYMS and ":" not in words[at] and not switch:
            return _meanings(word, catalog), {at}
    if "run" in folded and len(folded) > 1:
        return _meanings("start", catalog), {folded.index("run")}
    return None


def _near_verb(folded: Sequence[str], catalog: Catalog) -> tuple[list[str], set[int]] | None:
    candidates = sorted(catalog.verbs | set(ALIASES) | set(SYNONYMS))
    for at, word in enumerate(folded):
        if len(word) < 3 or word in FILLERS or ":" in word or "/" in word:
            continue
        near = process.extract(word, candidates, scorer=fuzz.ratio, score_cutoff=_NEAR_VERB, limit=2)
        if near:
            return [verb for name, _, _ in near for verb in _meanings(ALIASES.get(name, name), catalog)], {at}
    return None


def _meanings(word: str, catalog: Catalog) -> list[str]:
    verbs = [word] if word in catalog.verbs else []
    return list(dict.fromkeys([*verbs, *(verb for verb in SYNONYMS.get(word, ()) if verb in catalog.verbs)]))


def _names_something(words: Sequence[str]) -> bool:
    return any(word.casefold() not in FILLERS and len(word) > 2 for word in words)


def _usual(verbs: Sequence[str], catalog: Catalog, around: Surroundings) -> list[Known]:
    """Targets for a verb that needs one: those that this channel used last, then others. None for a verb that needs none."""
    builtin = catalog.builtin(verbs[0])
    if verbs[0] == "targets":
        used = [known.partition(":")[0] for known in around.recent]
        return [Known(name, "", "", f"{name}:") for name in dict.fromkeys([*used, *catalog.backends]) if name][:MOST]
    if builtin is not None and (builtin.takes is not Takes.TARGET or builtin.verb in ALONE):
        return []
    by_text = {known.written: known for known in around.targets}
    recent = [by_text[text] for text in around.recent if text in by_text]
    fit = [one for one in (*recent, *around.targets) if any(_commands(verb, one, catalog) for verb in verbs)]
    return sorted(dict.fromkeys(fit), key=lambda one: not around.may(verbs[0], one.written))[:MOST]


def _targets(words: Sequence[str], text: Sequence[str], catalog: Catalog, around: Surroundings) -> list[Known]:
    """Targets that these words may mean, the likeliest first: exact names, then parts, then other spellings. A name of several
    words may have some of them in all of the `text`."""
    scored: dict[str, tuple[float, int, Known]] = {}
    position = {text: at for at, text in enumerate(around.recent)}
    parts = frozenset(parts_of(" ".join(text)))
    several = ((score, known) for known in around.targets if (score := covered(parts, known)))
    for found in (several, *(scores(word, catalog, around.targets) for word in words)):
        for score, known in found:
            if scored.get(known.written, (0.0,))[0] < score:
                scored[known.written] = (score, position.get(known.written, len(position)), known)
    ordered = sorted(scored.values(), key=lambda one: (-one[0], one[1], len(one[2].name), one[2].written))
    return [known for _, _, known in ordered[:MOST]] or _as_typed(words, catalog)


def _last(name: str) -> str:
    return name.casefold().rpartition("/")[2]


def _as_typed(words: Sequence[str], catalog: Catalog) -> list[Known]:
    """The target as it was typed: an unknown one that may still exist, or a backend alone."""
    named = [word for word in words if word.casefold() not in FILLERS]
    vendors = {spec.vendor.casefold(): name for name, spec in catalog.backends.items()}
    for word in named:
        name, colon, path = word.partition(":")
        name = vendors.get(name.casefold(), name.casefold())
        if len(named) == 1 and not path and name not in catalog.backends:
            near = process.extractOne(name, list(catalog.backends), scorer=fuzz.ratio, score_cutoff=_NEAR_BACKEND)
            name = near[0] if near is not None else name
        if name not in catalog.backends:
            continue
        if colon and path.strip(EDGES):
            kind = catalog.split_path(name, path)[0] or catalog.backends[name].default_target.name
            return [Known(name, kind, path, f"{name}:{path}")]
        if colon or len(named) == 1:
            kind = next((kind.name for kind in catalog.backends[name].targets if not kind.example), "")
            return [Known(name, kind, "", f"{name}:")]
    return []


def _commands(verb: str, target: Known | None, catalog: Catalog, *, failed: bool = False) -> list[tuple[str, str]]:
    """Commands with this verb, each with the target as written. For a verb of runs, a run of the agent is selected."""
    builtin = catalog.builtin(verb)
    if target is None:
        if builtin is not None and (builtin.takes in (Takes.NOTHING, Takes.WORDS) or verb in ALONE - {"targets"}):
            return [(verb, "")]
        return [(f"{verb} {name}:", f"{name}:") for name in catalog.backends if catalog.rows(verb, name)]
    rows = catalog.rows(verb, target.backend)
    kinds = {row.target for _, row in rows}
    base, at, _ = target.written.rpartition("@")
    picked = bool(at) and target.written.rpartition("@")[2] in SELECTORS
    if target.kind in kinds and not picked:
        return [(f"{verb} {target.written}", target.written)]
    if picked and kinds:
        return [(f"{verb} {target.written}", base)]
    default = catalog.backends[target.backend].default_target
    if kinds & {"run", "instance"} and default.selects and target.kind == default.name:
        selector = "failed" if verb == "retry" or failed else "running" if verb == "stop" else "last"
        return [(f"{verb} {target.written}@{selector}", target.written)]
    if builtin is not None and builtin.takes is Takes.TARGET and not (target.name and verb in ALONE):
        return [(f"{verb} {base or target.written}", target.written)]
    if builtin is not None and not rows:
        words = f" {target.name.rpartition('/')[2]}" if builtin.takes is Takes.WORDS and target.name else ""
        return [(f"{verb}{words}", target.written)]
    return []


def _pairs(pairs: Sequence[str], catalog: Catalog, verb: str, target: Known, around: Surroundings) -> list[str]:
    """The given parameters, renamed to those of this verb: `regin=north` as `input.region=north`."""
    row = catalog.row(target.backend, verb, target.kind)
    if row is None:
        return list(pairs)
    used = around.parameters.get(target.written, ())
    return [_pair(pair, row, used) for pair in pairs]


def _pair(pair: str, row: Capability, used: Sequence[str]) -> str:
    key, _, value = pair.partition("=")
    names = [param.name for param in row.params if param.type is not ParamType.MAP]
    maps = [param.name for param in row.params if param.type is ParamType.MAP and param.name != "*"]
    if key in names or any(key.startswith(f"{name}.") for name in maps):
        return pair
    candidates = {name: name for name in names} | {name.partition(".")[2] or name: name for name in used}
    near = process.extractOne(key, list(candidates), scorer=fuzz.ratio, score_cutoff=_NEAR_VERB)
    if near is not None:
        return f"{candidates[near[0]]}={value}"
    return f"{maps[0]}.{pair}" if maps else pair
