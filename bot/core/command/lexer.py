"""Text as Slack sends it -> words. Quotes of every shape, Slack's escapes and formatting, and where the reason starts."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from unicodedata import normalize

DOUBLE: Final = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb')
_SINGLE: Final = frozenset("'\u2018\u2019\u201a\u201b")
_OPENS_SINGLE_AFTER: Final = frozenset("=:/")
_DASHES: Final = frozenset({"--", "\u2014", "\u2013", "\u2013\u2013", "\u2014\u2014"})
_ENTITY: Final = re.compile(r"<([^<>\s|]*[^<>|]*)(?:\|([^<>]*))?>")
_RUN: Final = re.compile(rf"[^\s{''.join(sorted(DOUBLE | _SINGLE))}]+")
_APOSTROPHE: Final = re.compile(r"(?<=\w)[\u2018\u2019\u02bc\u00b4`](?=\w)")
MARKERS: Final = frozenset("`*_~")  # how Slack writes code, bold, italic and struck text
_NO_WIDTH: Final = frozenset("\u00ad\u200b\u2060\ufeff")  # invisible and meaningless anywhere
EDGES: Final = "".join(_NO_WIDTH) + "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BLANKS: Final = re.compile(
    r"(?<=\s)(?:([A-Za-z][\w.-]*)(?:\s+=\s*|=\s+)"
    r"|((?:input|param|parameters?)\.[\w.-]+|for|until|since|grep|tail|count|days|as|version)\s*:\s*)(?=[^\s=])"
)
_STRIKE_ENDS: Final = re.compile(r"[^\s~]~+(?!\w)")
_LEAD: Final = re.compile(rf"[\s{EDGES}]*")
_SLASH_COMMAND: Final = re.compile(r"/[a-z0-9_-]{1,31}")
LONGEST: Final = 12_000
# Also a reason in words: `because the shop is down`.
REASON: Final = re.compile(
    r"(?:^|\s)(?:(?:(?:--|\u2013|\u2014)\s*)?(?i:reason:)|--|\u2013|\u2014"
    r"|(?i:because(?: of)?|cause|cuz|due to|weil|(?<!soon )(?<!long )(?:since|as) (?=(?:we|it|they|the)\b))\b)\s*(.+)$",
    re.DOTALL,
)  # phones turn `--` into a dash


class Word(NamedTuple):
    """A word and, for each character, whether it was in quotes. `start` and `end` are its offsets in the text."""

    text: str
    quoted: tuple[bool, ...]
    start: int
    end: int

    @property
    def bare(self) -> bool:
        """True when no character was in quotes."""
        return not any(self.quoted)

    def cut(self, first: int, last: int) -> Word:
        """The word without its first and last characters, as many as given."""
        keep = slice(first, len(self.text) - last)
        return self._replace(text=self.text[keep], quoted=self.quoted[keep])


class Unreadable(ValueError):
    """The words can't be split; the text says why."""


def sound(text: str) -> str:
    """The text with surrogate halves joined, or replaced by U+FFFD, so that it can be stored."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unwrap(text: str) -> str:
    """The text without what copying and formatting add around it: blanks, invisible characters, a code fence, backticks, a
    pair of bold, italic or strike marks, and the slash command in front."""
    text = text.strip()
    if text.isascii() and text[:1].isalnum():  # the usual case
        return text
    while True:
        before, text = text, _LEAD.sub("", text, count=1).rstrip().rstrip(EDGES)
        mark = text[:1]
        run = len(text) - len(text.lstrip(mark)) if mark in MARKERS else 0
        if run and len(text) > 2 * run and text.endswith(mark * run) and mark not in text[run:-run]:
            text = text[run:-run]
        named = _SLASH_COMMAND.match(text)
        if named is not None and not text[named.end() : named.end() + 1].strip():
            text = text[named.end() :]
        if text == before:
            return text


def unescape(text: str) -> str:
    """Undo Slack's escaping: links become their address or label, mentions stay as `<@U..>`, `<#C..>`, `<!subteam^S..>`."""
    plain = _ENTITY.sub(_entity, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _entity(match: re.Match[str]) -> str:
    body, label = match.group(1), match.group(2)
    if body[:1] in ("@", "#"):
        return f"<{body}>"
    if body.startswith("!"):
        return f"<{body}>"
    if label and body.endswith(label):
        return label
    if body.startswith(("http://", "https://", "mailto:", "tel:")):
        return body.removeprefix("mailto:").removeprefix("tel:")
    return match.group(0)


def split(text: str) -> tuple[list[Word], str | None]:
    """The words before the reason, and the reason (the text after a lone `--` or the word `because`) or None.

    Formatting marks and invisible characters around a word are not part of it. Raises Unreadable for an open quote or a
    text longer than LONGEST characters.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"The command is longer than {LONGEST:,} characters.")
    words, at = _until_reason(text)
    return _unformatted(words), " ".join(text[at:].split()) or None


def _until_reason(text: str) -> tuple[list[Word], int]:
    """The words before the reason, with their formatting marks, and the offset of the reason."""
    words: list[Word] = []
    at = 0
    while True:
        at = _skip_blanks(text, at)
        if at >= len(text):
            return words, at
        read = _word(text, at)
        word, at = _visible(read), read.end
        if words and word.bare and (word.text in _DASHES or word.text.lower() == "because"):
            return words, at
        if word.text or not read.text:
            words.append(word)


def struck(text: str) -> bool:
    """Whether a strike mark (`~`) opens before a word of the command, outside quotes, and closes after a later one."""
    try:
        words, _ = _until_reason(text)
    except Unreadable:
        return False
    for word in words:
        lead = len(word.text) - len(word.text.lstrip("".join(MARKERS)))
        if "~" in word.text[:lead] and not word.quoted[0] and _STRIKE_ENDS.search(text, word.start + lead):
            return True
    return False


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _word(text: str, at: int) -> Word:
    run = _RUN.match(text, at)
    if run is not None and (run.end() == len(text) or text[run.end()].isspace()):
        return Word(run.group(), (False,) * (run.end() - at), at, run.end())
    out: list[str] = []
    quoted: list[bool] = []
    start = at
    while at < len(text) and not text[at].isspace():
        char = text[at]
        if char in DOUBLE or (char in _SINGLE and (at == start or text[at - 1] in _OPENS_SINGLE_AFTER)):
            inside, at = _quoted(text, at)
            out.extend(inside)
            quoted.extend([True] * len(inside))
            continue
        out.append(char)
        quoted.append(False)
        at += 1
    return Word("".join(out), tuple(quoted), start, at)


def _visible(word: Word) -> Word:
    """The word without invisible characters outside quotes."""
    if word.text.isascii():
        return word
    kept = [(char, q) for char, q in zip(word.text, word.quoted, strict=True) if q or char not in _NO_WIDTH]
    while kept and kept[0][0] in EDGES and not kept[0][1]:
        del kept[0]
    while kept and kept[-1][0] in EDGES and not kept[-1][1]:
        del kept[-1]
    return word._replace(text="".join(char for char, _ in kept), quoted=tuple(q for _, q in kept))


def _unformatted(words: list[Word]) -> list[Word]:
    """The words without pairs of formatting marks: `*status* acc:x` and `_status acc:x_` are `status acc:x`."""
    if MARKERS.isdisjoint(word.text[:1] for word in words):
        return words
    first = 0
    while first < len(words):
        word = words[first]
        run = len(word.text) - len(word.text.lstrip(word.text[:1])) if word.text[:1] in MARKERS else 0
        last = _closes(words, first, run) if run and not word.quoted[0] else None
        if last is None:
            first += 1
            continue
        words[last] = words[last].cut(0, run)
        words[first] = words[first].cut(run, 0)
    return words


def _closes(words: list[Word], first: int, run: int) -> int | None:
    """The word that closes the formatting mark of the first word, or None."""
    mark = words[first].text[:run]
    for last in range(first, len(words)):
        end = words[last]
        inside = len(words[first].text) > run and len(end.text) > (2 * run if last == first else run)
        if inside and end.text.endswith(mark) and not any(end.quoted[-run:]):
            return last
    return None


def _quoted(text: str, at: int) -> tuple[str, int]:
    closers = DOUBLE if text[at] in DOUBLE else _SINGLE
    escapes = closers is DOUBLE
    out: list[str] = []
    at += 1
    while at < len(text):
        char = text[at]
        if escapes and char == "\\" and at + 1 < len(text) and (text[at + 1] in closers or text[at + 1] == "\\"):
            out.append(text[at + 1])
            at += 2
            continue
        if char in closers:
            return "".join(out), at + 1
        out.append(char)
        at += 1
    raise Unreadable('A quote is not closed. Close it, or put a backslash before it: `\\"`.')


def in_one_form(text: str) -> str:
    """The text as typed, with one form of each character. Keyboards have several apostrophes."""
    return unwrap(unescape(normalize("NFKC", _APOSTROPHE.sub("'", text))))


def tight(text: str) -> str:
    """The text with `region=south` for `region = south`, and for `input.region: south`, up to its reason."""
    head, dashes, reason = text.partition(" -- ")
    return _BLANKS.sub(lambda found: f"{found[1] or found[2]}=", head) + dashes + reason
