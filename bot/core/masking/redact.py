"""Finds and masks secrets in text, which must never be shown or written.

Masks known secret values, and text that looks like a secret (`patterns`): named values, HTTP credentials, web tokens,
private keys, keys of well-known services. Encodings are removed first (`views`). This can't find every secret, so no
text claims that it does. Sources: security.md D44 (redact before upload, chunk edges) and F8.

Feed text in blocks of whole lines; `LineSplitter` makes them from chunks that were cut anywhere. `Redactor` remembers a value
that continues on the next line.
"""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote, quote_plus

from bot.core.masking.blocks import Open, opened
from bot.core.masking.patterns import spans
from bot.core.masking.values import MASK, hinted
from bot.core.masking.views import encoded, folded, shown, views
from bot.core.value import Json

T = TypeVar("T")

SHORTEST_KNOWN: Final = 4
_SHORTEST_CUT: Final = 12  # characters of a value whose end was cut
_CUT: Final = "…"
LONGEST_LINE: Final = 64 * 1024
MOST_FETCHED: Final = 500
_LONGEST_TAIL: Final = 8 * 1024
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(65, 91)}
_WORD_EDGE: Final = re.compile(r"[\s,;&\"'<>]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


def _forms(secret: str) -> Iterator[str]:
    """The forms in which a program may write a known secret value."""
    yield from (secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), secret.encode().hex())
    yield secret.replace("`", "'")  # as in a sentence, see `as_typed`
    escaped = secret
    for _ in range(3):
        escaped = json.dumps(escaped)[1:-1]
        yield escaped
    # Base64 of a longer text that holds the value: three alignments, without the letters that depend on neighbouring bytes.
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        inner = coded[(0, 2, 3)[before] : len(coded) - (before + len(secret.encode())) % 3 or None]
        if len(inner) >= SHORTEST_KNOWN + 2 or not before:
            yield from (inner, inner.translate({43: "-", 47: "_"}))
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= 16 and "-----" not in line)


class _Known:
    """Known values in every form. Each form is looked for in turn: a pattern of all takes six times as long, and its compilation
    up to seconds."""

    def __init__(self, known: Iterable[str]) -> None:
        self._forms = {form for secret in known if len(secret) >= SHORTEST_KNOWN for form in _forms(secret)}

    def inside(self, text: str) -> bool:
        """True if the text has one of the values."""
        for form in self._forms:  # a loop takes half the time of `any` with a generator
            if form in text:
                return True
        return _CUT in text and any(True for _ in self._cut(text))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the values are, also those that overlap."""
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)
        if _CUT in text:
            yield from self._cut(text)

    def _cut(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the beginnings of values are that were cut before they were masked."""
        for form in self._forms:
            begin = form[:_SHORTEST_CUT]
            at = text.find(begin) if len(form) > _SHORTEST_CUT else -1
            while at >= 0:
                end = text.find(_CUT, at, at + len(form))
                if end >= 0 and form.startswith(text[at:end]):
                    yield at, end
                at = text.find(begin, at + 1)


# Cached, because every entry uses the same set of values.
_known = lru_cache(maxsize=16)(_Known)


def _lowered(text: str) -> str:
    """Lower case, one letter for each letter: `str.lower` turns some letters outside ASCII into two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_ASCII_LOWER)


def _texts(value: Any, found: list[str]) -> list[str]:
    """What was found before, and every text in a JSON value, keys included."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, (dict, list)):
        found.extend(value if isinstance(value, dict) else ())
        for inner in value.values() if isinstance(value, dict) else value:
            _texts(inner, found)
    return found


class SecretList(Iterable[str]):
    """The one list of values that must never leave the process: configured ones, and ones fetched at run time.

    Code that fetches a credential adds it here. Everything that is shown, stored or logged passes through `clean`. Only the
    newest fetched values are kept, so that a token renewed every hour doesn't fill the memory.
    """

    def __init__(self, configured: Iterable[str] = ()) -> None:
        self._configured: tuple[str, ...] = ()
        self._fetched: dict[str, None] = {}
        self.configure(*configured)

    def __repr__(self) -> str:
        return f"SecretList({len(self._all)} values)"

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def configure(self, *values: str) -> None:
        """Add values from the configuration, which are kept while the program runs."""
        self._configured = tuple(dict.fromkeys((*self._configured, *filter(None, values))))
        self._all = (*self._configured, *self._fetched)

    def add(self, *values: str) -> None:
        """Add fetched values, which are secret from now on."""
        new = [value for value in values if value and value not in self._configured and value not in self._fetched]
        if not new:
            return
        self._fetched.update(dict.fromkeys(new))
        while len(self._fetched) > MOST_FETCHED:
            del self._fetched[next(iter(self._fetched))]
        self._all = (*self._configured, *self._fetched)

    def clean(self, text: str) -> str:
        """The text with known secrets, and text that looks like a secret, masked."""
        return redact(text, self._all)[0]

    def hide(self, text: str) -> str:
        """The text with only known secrets masked."""
        known = _known(self._all)
        return _masked(text, known.spans(text))[0] if known.inside(text) else text

    def hide_in(self, value: T) -> T:
        """Applies `hide` to every text in a JSON value, keys included. Most have nothing to hide: all are searched at once."""
        return cast("T", self._hidden(value)) if _known(self._all).inside("\n".join(_texts(value, []))) else value

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(name): self._hidden(inner) for name, inner in value.items()}
        return [self._hidden(inner) for inner in value] if isinstance(value, list) else value


class Redactor:
    """Masks text in blocks of whole lines. `count` is the number of values masked so far.

    `known` values are masked everywhere, also percent-encoded, escaped, in hex or in base64. Values shorter than four
    characters are ignored, because they would match ordinary words.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = _known(tuple(known))
        self._open: Open | None = None
        self.count = 0

    def __repr__(self) -> str:
        return f"Redactor(count={self.count})"

    def feed(self, text: str) -> str:
        """The masked text, without terminal sequences. If a value doesn't end here, masking continues in the next block."""
        text = shown(text)
        plain = folded(text)
        known = self._known.inside(plain)
        coded = bool(_BASE64.search(text))
        lowered = _lowered(plain)
        if self._open is None and not known and not coded and not hinted(lowered):
            return text
        lines, probes = text.split("\n"), lowered.split("\n")
        ends = len(lines) - 1  # after the last line end there is no text yet
        simple: list[int] = []
        for at, probe in enumerate(probes):
            line = lines[at]
            if self._open is not None and (line or at < ends):
                lines[at] = self._go_on(line, self._open)
            elif known or hinted(probe) or (coded and _BASE64.search(line)):
                block = opened(line, probe)
                if block is None and not encoded(line) and not (coded and _BASE64.search(line)):
                    simple.append(at)
                else:
                    lines[at] = self._line(line, block)
        # Lines without an encoding are searched together, which costs a third of searching each one.
        masked = self._masked("\n".join(lines[at] for at in simple), self._in_text)
        for at, line in zip(simple, masked.split("\n"), strict=False):
            lines[at] = line
        return "\n".join(lines)

    def _go_on(self, line: str, block: Open) -> str:
        """Mask a line that continues a value of the line before."""
        cut = block.next(line)
        self._open = block if cut.goes_on else None
        self.count += cut.counts
        rest = line[cut.end :]
        mask = MASK if cut.shows and cut.end > cut.start else ""
        if not rest.strip():
            return f"{line[: cut.start]}{mask}{rest}"
        return f"{line[: cut.start]}{mask}{self._line(rest, None if cut.goes_on else opened(rest, rest.lower()))}"

    def _line(self, line: str, block: Open | None) -> str:
        """Mask a line in all its views. The line may open a block."""
        self._open = block or self._open
        if block is None or block.cut is None:
            return self._masked(line, self._found)
        self.count += 1
        return self._masked(line[: block.cut], self._found) + MASK

    def _masked(self, text: str, find: Callable[[str], Iterator[tuple[int, int]]]) -> str:
        masked, count = _masked(text, find(text))
        self.count += count
        return masked

    def _found(self, line: str) -> Iterator[tuple[int, int]]:
        for view in views(line):
            for start, end in self._in_text(view.text):
                yield view.span(start, end)
        for word in _BASE64.finditer(line):
            text = _decoded(word[0])
            if text and any(True for _ in self._in_text(text)):
                yield word.span()

    def _in_text(self, text: str) -> Iterator[tuple[int, int]]:
        yield from self._known.spans(text)
        lowered = _lowered(text)
        if hinted(lowered):
            yield from spans(text, lowered)


def _masked(text: str, found: Iterable[tuple[int, int]]) -> tuple[str, int]:
    """The text with a mask for each of the spans that were found, and their number."""
    pieces, at = list[str](), 0
    for start, end in _merged(sorted(found)):
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]]), len(pieces) // 2


def _merged(found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sorted spans, with overlapping ones merged."""
    at, over = 0, -1
    for start, end in found:
        if start < over:
            over = max(over, end)
            continue
        if over >= 0:
            yield at, over
        at, over = start, end
    if over >= 0:
        yield at, over


def _decoded(word: str) -> str | None:
    """The text that a base64 word encodes; None if it isn't base64 or doesn't encode text."""
    body = word.rstrip("=").translate({45: "+", 95: "/"})
    try:
        raw = binascii.a2b_base64(body[: len(body) - (len(body) % 4 == 1)] + "=" * (-len(body) % 4))
    except binascii.Error:
        return None
    return raw.decode() if raw.isascii() and all(byte >= 32 or byte in b"\t\r\n" for byte in raw) else None


def is_secret(pair: tuple[str, str], known: SecretList | None = None) -> bool:
    """Whether a typed parameter holds a secret, or the mask of one: no button or modal keeps it."""
    return MASK in pair[1] or redact("=".join(pair), known or ())[1] > 0


def redact(text: str, known: Iterable[str] = ()) -> tuple[str, int]:
    """The text with all known and likely secrets masked, and their number."""
    redactor = Redactor(known)
    return redactor.feed(text), redactor.count


def with_name(masked: str, text: str, name: str) -> str:
    """The masked text with this public name where the name itself looks like a secret. Nothing else of the text comes back."""
    hidden = redact(name)[0]
    return masked.replace(hidden, name) if hidden != name and masked.count(hidden) == text.count(name) else masked


def redact_json(value: Json, key: str = "", known: Iterable[str] = ()) -> Json:
    """The value with every secret masked, judged by how a text looks and by the name of its key.

    Pairs of a list (`["password", "..."]`) count as key and value: parameters are kept as pairs, in the order typed.
    """
    known = tuple(known)
    if isinstance(value, str):
        masked, count = redact(f"{key}={value}" if key else value, known)
        return (masked[len(key) + 1 :] if key else masked) if count else value
    if isinstance(value, dict):
        return {name: redact_json(inner, name, known) for name, inner in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(part, str) for part in value):
            first, second = (redact_json(part, key, known) for part in value)
            return [first, redact_json(second, str(value[0]), known)]
        return [redact_json(inner, key, known) for inner in value]
    return value


class LineSplitter:
    """Makes blocks of whole lines from chunks that were cut anywhere. Buffers at most one line.

    A line longer than `longest` characters is cut at the last blank before that, and its rest is replaced by a note:
    a secret across a cut could not be recognized.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._open = ""
        self._dropping = False
        self.cut_lines = 0

    def feed(self, chunk: str) -> str:
        """The text up to the last line end; may be empty."""
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
        """The last line, if it has no line end."""
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
