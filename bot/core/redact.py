"""What may never be shown or written: secrets are found in text and masked.

Pure rules over text: named keys with a value, credentials of HTTP, JSON web tokens, private keys, keys of well-known
services, passwords in connection strings, long random words behind a secret-like word, and values that are known to be
secret. Sources: security.md D44 (redact before upload, entropy and known values, chunk edges) and F8 (where secrets leak).

A value never crosses the end of a line, but a private key does: `Redactor` keeps that state, so text may be fed to it in
blocks of whole lines, which `LineSplitter` makes of chunks that were cut anywhere.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from bot.core.value import Json

MASK: Final = "[redacted]"
SHORTEST_KNOWN: Final = 4
LONGEST_LINE: Final = 64 * 1024
_LONGEST_TAIL: Final = 8 * 1024
_LONGEST_KEY_LINES: Final = 200

_SUFFIX: Final = r"(?:[_-]?(?:id|key|value|text|hash|b64|base64|\d{1,3}))?"
_NAMES: Final = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[ _-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key"
    r"|private[_-]?key|encryption[_-]?key|signing[_-]?key|shared[_-]?access[_-]?key|credentials?|session[_-]?id|signature)"
    + _SUFFIX
)
# Short names count only where no letter stands before them: `compass` is none, `db_pass` is one.
_SHORT_NAMES: Final = rf"(?<![a-z])(?:pass|auth|sig){_SUFFIX}"
_NAME_HINTS: Final = "pass pwd secret token key credential session signature"
_SEPARATOR: Final = r"[\"']?\s{0,3}(?:=>|:=|=|:)\s{0,3}"
_VALUE: Final = r"\"(?:[^\"\\\r\n]|\\.){1,4000}\"|'(?:[^'\\\r\n]|\\.){1,4000}'|[^\s,;&\"'<>(){}\[\]]{1,4000}"
_REST_OF_LINE: Final = r"[^\r\n\"']{1,8000}"
_PLAIN_VALUE: Final = re.compile(r"(?i)null|none|nil|true|false|yes|no|undefined|-|\d{1,3}|\*+|x{3,}|\.\.\.|redacted")
_KEY_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(65, 91)}
_WORD_EDGE: Final = re.compile(r"[\s,;&\"'<>]")


def entropy(word: str) -> float:
    """Shannon entropy in bits a character."""
    total = len(word)
    return -sum(n / total * math.log2(n / total) for n in Counter(word).values()) if total else 0.0


def looks_random(word: str) -> bool:
    """True for words that no person would write: long, letters with digits, and hardly repeating."""
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return len(word) >= 16 and mixed and entropy(word) > 2.9


class _Rule(NamedTuple):
    """`name` is searched in the lower-cased text and `value` expected right behind it in the text itself; `masked` gives
    what to put for a value, None to leave it. A rule without a name searches its values in the text.

    Searching lower-cased text is twenty times as fast as searching without regard to case."""

    hints: tuple[str, ...]
    name: re.Pattern[str] | None
    value: re.Pattern[str]
    masked: Callable[[str], str | None]


def _whole(value: str) -> str | None:
    return MASK


def _unless_plain(value: str) -> str | None:
    bare = value.strip("\"'")
    if not bare or bare.startswith(MASK[:-1]) or _PLAIN_VALUE.fullmatch(bare):
        return None
    edge = value[0] if value[0] in "\"'" else ""
    return f"{edge}{MASK}{edge}"


def _unless_masked(value: str) -> str | None:
    return None if not value.strip() or value.strip() == MASK else MASK


def _unless_word(value: str) -> str | None:
    return None if value.isalpha() and (value.islower() or value.istitle()) else MASK


def _if_random(value: str) -> str | None:
    return MASK if looks_random(value) else None


def _in_address(value: str) -> str | None:
    head, password = value[:-1].rsplit(":", 1)
    return None if password == MASK else f"{head}:{MASK}@"


def _named(hints: str, name: str, value: str, masked: Callable[[str], str | None]) -> _Rule:
    return _Rule(tuple(hints.split()), re.compile(name), re.compile(value), masked)


def _shaped(hints: str, value: str, masked: Callable[[str], str | None] = _whole) -> _Rule:
    return _Rule(tuple(hints.split()), None, re.compile(value), masked)


_RULES: Final[tuple[_Rule, ...]] = (
    _named("authorization", r"authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?", _REST_OF_LINE, _unless_masked),
    _named("cookie", r"cookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?", _REST_OF_LINE, _unless_masked),
    _shaped("eyj", r"eyJ[\w-]{8,4000}\.[\w-]{4,8000}(?:\.[\w-]{0,4000})?"),
    _named(
        "bearer basic apikey negotiate",
        r"\b(?:bearer|basic|apikey|negotiate)\s{1,3}",
        r"[\w.~+/=-]{8,8000}",
        _unless_word,
    ),
    _shaped("://", r"://[^\s/:@\"'<>]{0,100}:[^\s@\"'<>/]{1,256}@", _in_address),
    _shaped("akia asia", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _shaped("aiza", r"\bAIza[\w-]{35}"),
    _shaped("ya29.", r"\bya29\.[\w-]{20,2000}"),
    _shaped("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{20,255}"),
    _shaped("github_pat_", r"\bgithub_pat_\w{20,255}"),
    _shaped("glpat-", r"\bglpat-[\w-]{16,255}"),
    _shaped("npm_", r"\bnpm_[A-Za-z0-9]{30,255}"),
    _shaped("xox xapp-", r"\bx(?:ox[abcdeoprs]|app)-[\w-]{8,500}"),
    _named("hooks.slack", r"hooks\.slack[\w.-]{0,20}/(?:services|workflows|triggers)/", r"[\w/-]{8,200}", _whole),
    _shaped("sk_ pk_ rk_ sk-", r"\b(?:[spr]k_(?:live|test)_[A-Za-z0-9]{10,255}|sk-[\w-]{20,255})"),
    _shaped("sg.", r"\bSG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _named(_NAME_HINTS, _NAMES + _SEPARATOR, _VALUE, _unless_plain),
    _named("pass auth sig", _SHORT_NAMES + _SEPARATOR, _VALUE, _unless_plain),
    _named(_NAME_HINTS, rf"(?<=-){_NAMES}\s{{1,3}}", _VALUE, _unless_plain),
    _named("key= code=", r"[?&](?:key|code)=", r"[^&\s\"'#<>]{6,4000}", _unless_plain),
    _named(
        "password passwd pwd secret token key credential",
        r"(?:password|passwd|pwd|secret|token|key|credential)s?\b[\"']?\s{0,3}(?:(?:is|was|[:=])\s{0,3})?[\"']?",
        r"[\w+/=.-]{16,4000}",
        _if_random,
    ),
)
# Most texts hold none of them, and one pass in C over all hints is a tenth of the price of asking rule by rule.
_ALL_HINTS: Final = tuple(dict.fromkeys(hint for rule in _RULES for hint in rule.hints))


def _forms(secret: str) -> set[str]:
    coded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], coded, coded.rstrip("=")}


@lru_cache(maxsize=16)
def _pattern(known: tuple[str, ...]) -> re.Pattern[str] | None:
    """What finds these values in every form; None for none. Kept, because a program has one set of them and asks at every row."""
    forms = {form for secret in known if len(secret) >= SHORTEST_KNOWN for form in _forms(secret)}
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _lowered(text: str) -> str:
    """Lower case, letter for letter: some letters outside ASCII would become two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_ASCII_LOWER)


def _found(rule: _Rule, text: str, lowered: str) -> Iterator[re.Match[str]]:
    if rule.name is None:
        yield from rule.value.finditer(text)
        return
    for name in rule.name.finditer(lowered):
        value = rule.value.match(text, name.end())
        if value is not None:
            yield value


def _applied(rule: _Rule, text: str, lowered: str) -> tuple[str, int]:
    kept: list[str] = []
    at = hits = 0
    for value in _found(rule, text, lowered):
        new = rule.masked(value[0]) if value.start() >= at else None
        if new is not None:
            kept += [text[at : value.start()], new]
            at = value.end()
            hits += 1
    return "".join([*kept, text[at:]]), hits


class Redactor:
    """Masks text that comes in blocks of whole lines. `count` is how many values it masked so far.

    `known` are values that are secret wherever they stand, also percent-encoded, JSON-escaped or in base64; those
    shorter than four characters are left alone, for they would mask half the language.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = _pattern(tuple(known))
        self._key_lines = 0
        self.count = 0

    def __repr__(self) -> str:
        return f"Redactor(count={self.count})"

    def feed(self, text: str) -> str:
        """The text, masked. A private key that does not end here is masked on in the next block."""
        if self._key_lines or "-----BEGIN" in text:
            text = self._private_keys(text)
        if self._known is not None:
            text, hits = self._known.subn(MASK, text)
            self.count += hits
        lowered = _lowered(text)
        if not any(map(lowered.__contains__, _ALL_HINTS)):
            return text
        for rule in _RULES:
            if any(hint in lowered for hint in rule.hints):
                text, hits = _applied(rule, text, lowered)
                if hits:
                    self.count += hits
                    lowered = _lowered(text)
        return text

    def _private_keys(self, text: str) -> str:
        kept: list[str] = []
        at = 0
        while at < len(text):
            if not self._key_lines:
                begin = _KEY_BEGIN.search(text, at)
                if begin is None:
                    kept.append(text[at:])
                    break
                kept += [text[at : begin.start()], MASK]
                self.count += 1
                self._key_lines = 1
                at = begin.end()
            at = self._skip_key(text, at, kept)
        return "".join(kept)

    def _skip_key(self, text: str, at: int, kept: list[str]) -> int:
        end = _KEY_END.search(text, at)
        body = text[at : end.start() if end else len(text)]
        kept.append("\n" * body.count("\n"))
        # A header whose end never comes must not swallow the rest of a log.
        self._key_lines += body.count("\n")
        if end is not None or self._key_lines > _LONGEST_KEY_LINES:
            self._key_lines = 0
        return end.end() if end else len(text)


def redact(text: str, known: Iterable[str] = ()) -> tuple[str, int]:
    """The text with every secret masked, and how many there were."""
    redactor = Redactor(known)
    return redactor.feed(text), redactor.count


def redact_json(value: Json, key: str = "", known: Iterable[str] = ()) -> Json:
    """The value with every secret in it masked: by what a text looks like, and by the name of the key that it stands under.

    Pairs of a list (`["password", "..."]`) count as key and value, as parameters are kept in the order in which they were typed.
    """
    known = tuple(known)
    if isinstance(value, str):
        masked, count = redact(f"{key}={value}" if key else value, known)
        return (masked[len(key) + 1 :] if key else masked) if count else value
    if isinstance(value, dict):
        return {name: redact_json(inner, name, known) for name, inner in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(part, str) for part in value):
            return [value[0], redact_json(value[1], str(value[0]), known)]
        return [redact_json(inner, key, known) for inner in value]
    return value


class LineSplitter:
    """Makes blocks of whole lines from chunks that were cut anywhere, holding at most one line.

    A line longer than `longest` characters is cut back to the last blank before that, and its rest is dropped with a note:
    a secret that straddles a cut would be seen by nobody.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._open = ""
        self._dropping = False
        self.cut_lines = 0

    def feed(self, chunk: str) -> str:
        """Everything up to the last end of line; may be empty."""
        if self._dropping:
            _, newline, chunk = chunk.partition("\n")
            if not newline:
                return ""
            self._dropping = False
        head, newline, tail = (self._open + chunk).rpartition("\n")
        self._open = tail
        done = self._shortened(head + newline)
        if len(self._open) > self._longest:
            done += self._cut(self._open) + "\n"
            self._open = ""
            self._dropping = True
        return done

    def flush(self) -> str:
        """The last line, when it had no end."""
        rest, self._open = self._open, ""
        return rest

    def _shortened(self, text: str) -> str:
        if len(text) <= self._longest:
            return text
        lines: Sequence[str] = text.split("\n")
        return "\n".join(self._cut(line) if len(line) > self._longest else line for line in lines)

    def _cut(self, line: str) -> str:
        self.cut_lines += 1
        kept = line[: self._longest]
        tail = kept[-_LONGEST_TAIL:]
        edges = [edge.start() for edge in _WORD_EDGE.finditer(tail)]
        end = len(kept) - len(tail) + (edges[-1] if edges else 0)
        return kept[:end] + " [line cut here]"
