"""`VERB [TARGET] [KEY=VALUE ...] [-- REASON]` -> Command or ParseError, the same for every source. Never raises."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise, takewhile
from typing import Final

from bot.core.command.builtins import FIRST_WORDS, Takes
from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import MARKERS, Unreadable, Word, split, struck, tight, unescape, unwrap
from bot.core.command.params import BadParam, as_typed, duration_seconds, trimmed
from bot.core.command.target_ref import BACKEND_NAME, PICKS, TargetRef, quote
from bot.core.command.until import parse_until
from bot.core.command.vocabulary import REFERRING, SYNONYMS
from bot.core.intent import Command, ParseError

ONE_TARGET: Final = "A command acts on one target."
NOT_HERE: Final = "No control plane here supports"
_EVERYTHING: Final = frozenset({"all", "everything", "every", "*"})
_KEY: Final = re.compile(r"[^\W\d][\w.\-]*")
_KEY_PART: Final = re.compile(r"[\w.\-]*")
_TIME: Final = re.compile(r"\d{1,2}:\d{2}")
_ELSEWHERE: Final = frozenset({"start", "stop", "restart", "retry", "pause", "resume", "history", "logs"})
_TARGET: Final = re.compile(r"[a-z][a-z0-9_-]*:(?!//).+")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/@+,:<>#!^*|-]+")
_SPACED_KEYS: Final = frozenset({"until", "start", "since"})
_SEPARATOR: Final = re.compile(r"[\r\n]+|;\s*")
_JOINED: Final = re.compile(
    r"(?:(?:[\u2022\u25e6\u25aa\u2023\u00b7*-]|\d{1,2}[.)])\s+)?(?:(?:and|then|also|next|please)\s+)*", re.IGNORECASE
)
_ANY_DAY: Final = datetime(2026, 1, 5, tzinfo=UTC)
_UNITS: Final = re.compile(r"(\d{1,6})\s*(second|minute|min|hour|hr|day|[smhd])s?", re.IGNORECASE)
_DAY_AND_HOUR: Final = re.compile(
    r"((?:mon|tue|tues|wed|wednes|thu|thurs|fri|sat|satur|sun)(?:day)?)(?:\s+at)?\s+(\d{1,2})(?::?(\d{2}))?\s*(am|pm)?",
    re.IGNORECASE,
)


def parse(text: str, catalog: Catalog, files: tuple[str, ...] = ()) -> Command | ParseError:
    """Read one command. The text may carry Slack's escapes and formatting; an empty text is the verb `help`.

    A message with several commands, on lines of their own or with `;` between them, is refused as a whole. A command
    that is struck out is refused and offered.
    """
    marked = unescape(text)
    plain = unwrap(marked)
    if plain.endswith(";"):
        kept = _kept_separator(plain)
        if kept is not None:
            return kept
        plain = plain.rstrip("; \t\r\n")
    if _SEPARATOR.search(plain):
        parts = _commands(plain, catalog)
        if len(parts) > 1 and isinstance(_parse(unwrap(parts[0]), catalog, ()), Command):
            return several(parts, catalog, plain)
    read = _parse(plain, catalog, files)
    if isinstance(read, ParseError) and not read.nearest and (joined := tight(plain)) != plain:
        meant = _parse(joined, catalog, files)
        problem = "A parameter has no blanks around its `=`."
        return (
            ParseError(text=text[:500], problem=problem, nearest=(format_command(meant),))
            if isinstance(meant, Command)
            else read
        )
    return struck_out(read, plain) if isinstance(read, Command) and "~" in marked and struck(marked) else read


def _kept_separator(text: str) -> ParseError | None:
    """The refusal of a `;` that ends both the message and a value, so that it may belong to either."""
    try:
        words, reason = split(text)
    except Unreadable:
        return None
    pair = _pair(words[-1]) if words and reason is None and words[-1].quoted[-1:] != (True,) else None
    if pair is None:
        return None
    name, value = pair
    before = text[: words[-1].start].rstrip()
    without, within = (f"{before} {_key(name)}={_value(one)}" for one in (value.rstrip(";"), value))
    problem = f"The `;` ends the command, or belongs to `{name}`. Quote the value to keep it."
    return ParseError(text=text[:500], problem=problem, understood=before, nearest=(without, within))


def struck_out(command: Command, text: str) -> ParseError:
    """The refusal of a command that its person struck out. It is offered as a button."""
    problem = "This command is struck out. Nothing was done."
    return ParseError(text=text[:500], problem=problem, nearest=(format_command(command),))


def several(texts: Sequence[str], catalog: Catalog, whole: str) -> ParseError:
    """The refusal of a message with several commands. Each readable one is offered as a button; of the others it says why."""
    read = [(_bare(text), _parse(_bare(text), catalog, ())) for text in texts]
    commands = tuple(
        text if command.words else format_command(command) for text, command in read if isinstance(command, Command)
    )
    problem = f"This message has {len(texts)} commands, and one message is one request. Nothing was done."
    for text, no in read:
        if isinstance(no, ParseError):
            begins = " ".join(takewhile(lambda word: "=" not in word and word != "--", text.split()[:3]))
            problem += f" {as_typed(begins)} can't run: {no.problem}"
    return ParseError(text=whole[:500], problem=problem, nearest=commands)


def _commands(text: str, catalog: Catalog) -> list[str]:
    """The text cut before each further command. What is not a command belongs to the one before it."""
    first, *others = _lines(text)
    parts = [first]
    for line in others:
        if is_command(line, catalog):
            parts.append(line)
        else:
            parts[-1] += f"\n{line}"
    return parts


def _lines(text: str) -> list[str]:
    """The lines of the text, cut at each `;` as well; a quote may span several."""
    starts = [match.end() for match in _SEPARATOR.finditer(text)]
    try:
        words, _ = split(text)
    except Unreadable:
        return [text]
    starts = [at for at in starts if not any(word.start < at < word.end for word in words)]
    return [text[at:end].strip().rstrip(";") for at, end in pairwise([0, *starts, len(text)])]


def is_complete(line: str, catalog: Catalog) -> bool:
    """Whether a line is a complete command, not only words that begin like one (`find out why`)."""
    read = _parse(unwrap(line), catalog, ()) if unwrap(line) else None
    if not isinstance(read, Command):
        return False
    builtin = catalog.builtin(read.verb)
    if builtin is None or read.target is not None or not read.words:
        return True
    return is_complete(read.words[0], catalog) if builtin.takes is Takes.COMMAND else builtin.risk is not Risk.READ


def is_command(line: str, catalog: Catalog) -> bool:
    """Whether a line is a complete command, or is written like one and can't run: its verb or backend isn't configured, its
    first word isn't a verb, or a value is wrong. Such a line has a verb, or a word that only a verb can be (`launch acc:x`, but
    not `see acc:x`), a target, and then `key=value` or a reason. Prose about a target has other words.
    """
    line = _bare(line)
    if is_complete(line, catalog):
        return True
    try:
        words, _ = split(line)
    except Unreadable:
        return False
    at = next((at for at, word in enumerate(words[:3]) if _TARGET.fullmatch(word.text)), 0)
    first, *second = (word.text.lower() for word in words[:at] or words[:1])
    known = words[at].text.partition(":")[0] in catalog.backends if at else False
    invented = (
        known and first.isalpha() and first not in REFERRING and (not second or second == ["off"] or first in SYNONYMS)
    )
    if not at or (first not in FIRST_WORDS and (not invented or not REFERRING.isdisjoint(second))):
        return False
    rest = words[at + 1 :]
    return not rest or any(_pair(word) for word in rest)


def _bare(line: str) -> str:
    """The line without its formatting, the bullet of a list, and the word that joins it to the line before."""
    return _JOINED.sub("", unwrap(line), count=1)


def _parse(plain: str, catalog: Catalog, files: tuple[str, ...]) -> Command | ParseError:
    try:
        words, reason = split(plain)
    except Unreadable as problem:
        return ParseError(text=plain[:500], problem=str(problem))
    if not words:
        return Command(verb="help", files=files)
    verb, taken = catalog.canonical_verb([word.text if word.bare else "" for word in words])
    if verb is None and _is_elsewhere(words, catalog):
        verb, taken = words[0].text.lower(), 1
    if verb is None:
        return ParseError(
            text=plain[:500], problem=not_here(words[0].text, catalog) or f"{as_typed(words[0].text)} is not a verb."
        )
    rest = words[taken:]
    builtin = catalog.builtin(verb)
    if builtin is not None and builtin.takes is Takes.COMMAND:
        return _nested(plain, verb, rest, reason, words[taken - 1].end)
    params, bare = _params(rest)
    if builtin is not None and (builtin.takes is Takes.WORDS or (builtin.takes is Takes.NOTHING and bare)):
        return Command(verb=verb, params=params, words=tuple(w.text for w in bare), reason=reason, files=files)
    ref = read_target(bare[0], catalog) if bare else None
    if isinstance(ref, str):
        return ParseError(text=plain[:500], problem=ref, understood=verb)
    target = None if ref is None else str(ref)
    command = Command(verb=verb, target=target, params=params, reason=reason, files=files)
    if ref is not None and len(bare) > 1:
        return _too_many_words(plain, command, rest, bare, ref, catalog)
    return command


def not_here(typed: str, catalog: Catalog) -> str:
    """The sentence for a word that begins verbs of other control planes only; empty for any other word."""
    word = typed.lower()
    begins = any(verb.split(" ", 1)[0] == word for verb in catalog.verbs)
    return f"{NOT_HERE} {as_typed(word)}." if word in FIRST_WORDS and not begins else ""


def _is_elsewhere(words: Sequence[Word], catalog: Catalog) -> bool:
    """Whether this is a common verb on a target, and no configured control plane has that verb: the answer says so."""
    verb, *rest = words
    backend = rest[0].text.partition(":")[0] if rest and ":" in rest[0].text else ""
    return verb.bare and verb.text.lower() in _ELSEWHERE and backend in catalog.backends


def _nested(text: str, verb: str, rest: Sequence[Word], reason: str | None, start: int) -> Command:
    """`why as=@lee start acc:x` keeps the inner command as it was typed."""
    params: list[tuple[str, str]] = []
    while rest and (pair := _pair(rest[0])) is not None and pair[0] == "as":
        params.append(pair)
        start, rest = rest[0].end, rest[1:]
    return Command(verb=verb, params=tuple(params), words=(text[start:].strip(),) if rest else (), reason=reason)


def _pair(word: Word) -> tuple[str, str] | None:
    """The name and the value of `key=value`. A name with blanks or special characters is quoted: `"input.Search Term"=x`."""
    if "=" not in word.text:
        return None
    if word.bare:
        key, _, value = word.text.partition("=")
        return (trimmed(key), value) if _KEY.fullmatch(key) else None
    at = next((i for i, char in enumerate(word.text) if char == "=" and not word.quoted[i]), 0)
    key, quoted = word.text[:at], word.quoted[:at]
    bare = "".join(char for char, inside in zip(key, quoted, strict=True) if not inside)
    if not key.strip() or not (_KEY_PART if any(quoted) else _KEY).fullmatch(bare):
        return None
    return trimmed(key), word.text[at + 1 :]


def _params(words: Sequence[Word]) -> tuple[tuple[tuple[str, str], ...], list[Word]]:
    """The `key=value` pairs in order, and the other words. `until=Mon 07:00` is one value."""
    pairs: list[tuple[str, str]] = []
    bare: list[Word] = []
    index = 0
    while index < len(words):
        pair = _pair(words[index])
        index += 1
        if pair is None:
            bare.append(words[index - 1])
            continue
        key, value = pair
        if key in _SPACED_KEYS and value and index < len(words) and _TIME.fullmatch(words[index].text):
            value = f"{value} {words[index].text}"
            index += 1
        pairs.append((key, value))
    return tuple(pairs), bare


def _too_many_words(
    text: str, command: Command, rest: Sequence[Word], bare: Sequence[Word], ref: TargetRef, catalog: Catalog
) -> ParseError:
    """The error for words without `key=`: in quotes they would belong to the value before them, or to the target."""
    if "\n" in text[bare[0].end : bare[1].start]:
        reason = " ".join(text[bare[1].start :].split())
        problem = f"{as_typed(reason)} isn't part of the command. If it's the reason, write `--` before it."
        whole = format_command(command.model_copy(update={"reason": reason}))
        nearest = (whole,) if rest[1 - len(bare) :] == bare[1:] else ()
        return ParseError(text=text[:500], problem=problem, understood=f"{command.verb} {ref}", nearest=nearest)
    before = rest[rest.index(bare[1]) - 1]
    pair = _pair(before) if before is not bare[0] else None
    if pair is None:
        targets = [one for word in bare if isinstance(one := read_target(word, catalog), TargetRef)]
        if len(targets) == len(bare):
            listed = (target.model_copy(update={"path": target.path.rstrip(",")}) for target in targets)
            each = tuple(f"{command.verb} {target}" for target in listed)
            return ParseError(text=text[:500], problem=ONE_TARGET, understood=command.verb, nearest=each)
        extra = " ".join(as_typed(word.text) for word in bare[1:4])
        joined = f"{ref.backend}:{quote(' '.join([ref.path, *(word.text for word in bare[1:])]))}"
        problem = f"{extra} is not `key=value`. If it belongs to the target, quote it: {as_typed(joined, 250)}."
        problem += " If it's the reason, write `--` before it."
        return ParseError(text=text[:500], problem=problem, understood=f"{command.verb} {ref}")
    name, value = pair
    whole = _tidied(name, " ".join([value, *(word.text for word in bare[1:])]).strip())
    if refusal := _refusal(name, whole, catalog.meant(command.verb, ref)):
        explained = refusal if refusal.startswith(f"`{name}") else f"`{name}=`: {refusal}"
        return ParseError(text=text[:500], problem=f"{explained}.", understood=f"{command.verb} {ref}")
    meant = f"{name}={_value(whole)}"
    params = tuple((key, meant.partition("=")[2]) if (key, old) == pair else (key, old) for key, old in command.params)
    problem = f"{as_typed(bare[1].text)} is not `key=value`. If it belongs to `{name}`, write `{meant}`."
    read = [*(f"{key}={val if key == name else _value(val)}" for key, val in params)]
    corrected = " ".join([command.verb, str(ref), *read, *(["--", command.reason] if command.reason else [])])
    return ParseError(text=text[:500], problem=problem, understood=f"{command.verb} {ref}", nearest=(corrected,))


def _tidied(name: str, value: str) -> str:
    """`2 hours` as `2h` and `Monday 7am` as `Mon 07:00`, the forms that those parameters take."""
    length = _UNITS.fullmatch(value)
    if length is not None:
        return f"{length[1]}{length[2][0].lower()}"
    when = _DAY_AND_HOUR.fullmatch(value) if name in _SPACED_KEYS else None
    if when is None:
        return value
    hour = int(when[2]) % 12 + (12 if when[4].lower() == "pm" else 0) if when[4] else int(when[2])
    return f"{when[1][:3].title()} {hour:02}:{when[3] or '00'}"


def _refusal(name: str, value: str, capabilities: Sequence[Capability]) -> str:
    """Why none of these capabilities takes that value at any time, or an empty text."""
    refused = ""
    for capability in capabilities:
        param = capability.param(name)
        try:
            if name == "until":
                parse_until(value, UTC, _ANY_DAY)
            elif name == "for":
                duration_seconds(value)
            elif param is not None:
                param.check([value])
        except BadParam as problem:
            refused = str(problem)
        else:
            return ""
    return refused


def read_target(word: Word, catalog: Catalog) -> TargetRef | str:
    """The target that a word names, or a sentence that says why it is not a target."""
    name, colon, path = word.text.partition(":")
    if name.lower() in _EVERYTHING and name not in catalog.backends:
        return f"{ONE_TARGET} `status` shows what runs here."
    if word.text[:2] in ("<@", "<#", "<!"):
        return "A person or a channel is not a target. Write `backend:path`. The command `find` searches for targets."
    if not colon and name not in catalog.backends:
        return (
            f"{as_typed(word.text, 80)} is not a target. Write `backend:path`. The command `find` searches for targets."
        )
    if not BACKEND_NAME.fullmatch(name) or name not in catalog.backends:
        return f"{as_typed(name, 40)} is not a backend. The command `backends` lists them."
    head, at, selector = path.rpartition("@")
    selected = bool(at) and selector in PICKS and not any(word.quoted[-len(selector) - 1 :])
    return TargetRef(backend=name, path=head if selected else path, selector=PICKS[selector] if selected else None)


def parse_target(text: str, catalog: Catalog) -> TargetRef | str:
    """A target alone, from a Command or a menu."""
    try:
        words, _ = split(text)
    except Unreadable as problem:
        return str(problem)
    if len(words) != 1:
        return f"{as_typed(text, 80)} is not one target."
    return read_target(words[0], catalog)


def format_command(command: Command) -> str:
    """The command as text that parses to itself."""
    parts = [command.verb]
    if command.target is not None:
        parts.append(command.target)
    parts.extend(_value(word) for word in command.words)
    parts.extend(f"{_key(key)}={_value(value)}" for key, value in command.params)
    text = " ".join(parts)
    return f"{text} -- {command.reason}" if command.reason else text


def _value(value: str) -> str:
    formatted = value[:1] in MARKERS and value.strip("".join(MARKERS))
    if _PLAIN.fullmatch(value) and not formatted and value.lower() != "because" and value != "--":
        return value
    return quote(value)


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) else quote(key)
