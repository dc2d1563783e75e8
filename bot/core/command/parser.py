"""`VERB [TARGET] [KEY=VALUE ...] [-- REASON]` -> Command or Misread, the same for every door. Never raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.core.command.builtins import Builtin, Takes
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import Unreadable, Word, split, unescape
from bot.core.command.target_ref import BACKEND_NAME, SELECTORS, TargetRef, quote
from bot.core.intent import Command, ParseError

_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_TIME: Final = re.compile(r"\d{1,2}:\d{2}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/@+,:<>#!^*|-]+")
_SPACED_KEYS: Final = frozenset({"until", "start", "since"})


def parse(text: str, catalog: Catalog, files: tuple[str, ...] = ()) -> Command | ParseError:
    """Read one command. The text may carry Slack's escapes; an empty text is the verb `help`."""
    plain = unescape(text).strip()
    try:
        words, reason = split(plain)
    except Unreadable as problem:
        return ParseError(text=plain[:500], problem=str(problem))
    if not words:
        return Command(verb="help", files=files)
    verb, taken = catalog.canonical_verb([word.text if word.bare else "" for word in words])
    if verb is None:
        return _unknown_verb(plain, words[0], catalog)
    rest = words[taken:]
    builtin = catalog.builtin(verb)
    if builtin is not None and builtin.takes is Takes.COMMAND:
        return _nested(plain, verb, rest, reason, words[taken - 1].end)
    params, bare = _params(rest)
    if builtin is not None and (builtin.takes is Takes.WORDS or _acts_as_words(builtin, bare)):
        return Command(verb=verb, params=params, words=tuple(w.text for w in bare), reason=reason, files=files)
    command = Command(verb=verb, params=params, reason=reason, files=files)
    return _with_target(plain, command, bare, catalog)


def _acts_as_words(builtin: Builtin, bare: Sequence[Word]) -> bool:
    return builtin.takes is Takes.NOTHING and bool(bare)


def _unknown_verb(text: str, word: Word, catalog: Catalog) -> ParseError:
    """The nearest verbs, each with the rest of what was typed, so that one press says it right."""
    rest = text[word.end :].strip()
    nearest = tuple(f"{verb} {rest}".strip() for verb in catalog.nearest_verbs(word.text))
    return ParseError(text=text[:500], problem=f"`{word.text[:60]}` is not a verb.", nearest=nearest)


def _nested(text: str, verb: str, rest: Sequence[Word], reason: str | None, start: int) -> Command:
    """`why as=@lee start acc:x` keeps the inner command as it was written."""
    params: list[tuple[str, str]] = []
    while rest and (pair := _pair(rest[0])) is not None and pair[0] == "as":
        params.append(pair)
        start, rest = rest[0].end, rest[1:]
    return Command(verb=verb, params=tuple(params), words=(text[start:].strip(),) if rest else (), reason=reason)


def _pair(word: Word) -> tuple[str, str] | None:
    match = _KEY.match(word.text)
    if match is None or word.text[match.end() : match.end() + 1] != "=" or any(word.quoted[: match.end() + 1]):
        return None
    return match.group(), word.text[match.end() + 1 :]


def _params(words: Sequence[Word]) -> tuple[tuple[tuple[str, str], ...], list[Word]]:
    """The `key=value` pairs in order, and the words that are none. `until=Mon 07:00` is one value."""
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


def _with_target(text: str, command: Command, bare: Sequence[Word], catalog: Catalog) -> Command | ParseError:
    if not bare:
        return command
    ref = read_target(bare[0], catalog)
    verb = command.verb
    if isinstance(ref, str):
        near = catalog.nearest_backends(bare[0].text.partition(":")[0])
        return ParseError(
            text=text[:500], problem=ref, understood=verb, nearest=tuple(f"{verb} {name}:" for name in near)
        )
    if len(bare) > 1:
        extra = " ".join(f"`{word.text[:60]}`" for word in bare[1:4])
        joined = quote(" ".join([ref.path, *(word.text for word in bare[1:])]))
        problem = f"{extra} is not `key=value`. If it belongs to the target, quote it: `{ref.backend}:{joined}`."
        return ParseError(text=text[:500], problem=problem, understood=f"{verb} {ref}")
    return command.model_copy(update={"target": str(ref)})


def read_target(word: Word, catalog: Catalog) -> TargetRef | str:
    """The target that a word names, or a sentence that says why it names none."""
    name, colon, path = word.text.partition(":")
    if not colon and name not in catalog.backends:
        return f"`{word.text[:80]}` is not a target. Write `backend:path`, for example `{_example(catalog)}`."
    if not BACKEND_NAME.fullmatch(name) or name not in catalog.backends:
        known = ", ".join(f"`{known}`" for known in sorted(catalog.backends))
        return f"There is no control plane `{name[:40]}`. There are: {known}."
    head, at, selector = path.rpartition("@")
    selected = bool(at) and selector in SELECTORS and not any(word.quoted[-len(selector) - 1 :])
    return TargetRef(backend=name, path=head if selected else path, selector=selector if selected else None)


def _example(catalog: Catalog) -> str:
    for name, rows in sorted(catalog.backends.items()):
        return f"{name}:{rows.default_target.example}"
    return "acc:shop/prices"


def parse_target(text: str, catalog: Catalog) -> TargetRef | str:
    """A target alone, as it stands in a Command or comes from a menu."""
    try:
        words, _ = split(text)
    except Unreadable as problem:
        return str(problem)
    if len(words) != 1:
        return f"`{text[:80]}` is not one target."
    return read_target(words[0], catalog)


def format_command(command: Command) -> str:
    """The command as text that parses to itself."""
    parts = [command.verb]
    if command.target is not None:
        parts.append(command.target)
    parts.extend(_value(word) for word in command.words)
    parts.extend(f"{key}={_value(value)}" for key, value in command.params)
    text = " ".join(parts)
    return f"{text} -- {command.reason}" if command.reason else text


def _value(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() != "because" and value != "--":
        return value
    return quote(value)
