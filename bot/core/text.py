"""How targets, times, counts and sentences are written, and which characters a name may contain."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import Final

from bot.core.command.params import INVISIBLE
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadRequest
from bot.core.intent import LONG_AGO, Intent
from bot.core.operation import Target
from bot.core.outcome import Suggestion

LONGEST_NAME: Final = 250
# Spreadsheets take these for a formula or command, also after blanks; the wide forms in East Asian locales.
_DANGEROUS: Final = re.compile(
    r"['\t\r\n]|[\s\u200b\u200c\u200d\u2060\ufeff\x00]*[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]"
)
_PERSON: Final = re.compile(r"<?@?([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>?")


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC")
_YOU: Final = re.compile(r"(?i)`[^`]*`|\b(?:you are|you|your|yourself)\b")
_PRONOUNS: Final = {"you are": "it is", "you": "it", "your": "its", "yourself": "itself"}
_ONE_WORD: Final = "\x00"  # instead of a blank
_LEVEL: Final = re.compile(r"(?:(?:INFO|ERROR)\b:?\s+|[Ee]rror:\s+)+")


def without_level(text: str) -> str:
    """The text of an error without the level that a log writes in front: `INFO ERROR: it broke`."""
    level = _LEVEL.match(text)
    return text[level.end() :] if level is not None else text


def person_in(typed: object) -> str | None:
    """The user id in a mention or a typed id; None for anything else."""
    found = _PERSON.fullmatch(typed) if isinstance(typed, str) else None
    return found.group(1) if found is not None else None


def written(backend: str, path: str = "") -> str:
    """A target as a person would type it."""
    return str(TargetRef(backend=backend, path=path))


def suggest(label: str, verb: str, target: Target, *params: tuple[str, str]) -> Suggestion:
    """A next step on this target."""
    return Suggestion(label=label, verb=verb, target=written(target.backend, target.name), params=params)


def utc_text(when: datetime | str | None, *, seconds: bool = False) -> str:
    """`2026-11-22 02:23 UTC` for an aware time or a stored stamp, or a dash. Slack shows it in the reader's time zone."""
    if not when:
        return "-"
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC" if seconds else "%Y-%m-%d %H:%M UTC")


def span_words(span: timedelta) -> str:
    """`1 h 30 min`: the two largest units, with tenths of a second below ten seconds."""
    if span < timedelta(0):
        return f"minus {span_words(-span)}" if span > timedelta.min else "minus a very long time"
    if span < timedelta(seconds=1):
        return "0 s" if not span else f"{max(1, round(span.total_seconds() * 1000))} ms"
    if span < timedelta(seconds=10) and span.microseconds:
        return f"{int(span.total_seconds() * 10) / 10:g} s"
    left = span.days * 86_400 + span.seconds
    words: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            words.append(plural(count, "day") if unit == "d" else f"{count} {unit}")
        elif words:
            break
        if len(words) == 2:
            break
    return " ".join(words)


def seconds_words(seconds: float) -> str:
    """A number of seconds as `span_words` writes it."""
    return span_words(timedelta(seconds=round(seconds)))


def ago_text(age: timedelta) -> str:
    """A length of time in whole minutes, or in seconds below one minute: `3 h 12 min`, `40 s`."""
    seconds = int(age.total_seconds())
    return seconds_words(seconds if seconds < 60 else seconds // 60 * 60)


def asked_text(intent: Intent, now: datetime) -> str:
    """When a late request was made: `You asked for this 1 h ago`."""
    if intent.sent_at == LONG_AGO:
        return "Slack doesn't say when you asked for this"
    return f"You asked for this {ago_text(intent.age(now))} ago"


def rough_span(span: timedelta, minutes_from: int = 60) -> str:
    """`2 h`, `1 h 30 min`, `40 s`: a positive span without needless precision, in whole minutes from so many seconds on."""
    seconds = max(1, round(span.total_seconds()))
    size = 1 if seconds < 60 else 5 if seconds < minutes_from else 60 if seconds < 86_400 else 3_600
    return span_words(timedelta(seconds=round(seconds / size) * size))


def visible(text: str, what: str, *, also: str = "") -> str:
    """The text. Raises BadRequest for an invisible character or one of `also`; its message calls the text `what`."""
    for char in text:
        if char in also or unicodedata.category(char) in INVISIBLE:
            raise BadRequest(f"The {what} contains the character U+{ord(char):04X}, which is not allowed.")
    return text


def checked_name(text: str, example: str) -> str:
    """The text, stripped, if it can be a name or an id. Raises BadRequest when it is empty, long or has invisible characters."""
    if not text.strip():
        raise BadRequest(f"Give a name or an id, like `{example}`.")
    visible(text, "name")
    if len(text) > LONGEST_NAME:
        raise BadRequest(f"The name is longer than {LONGEST_NAME} characters.")
    return text.strip()


def plural(number: int, unit: str, units: str = "") -> str:
    """`1 row`, `1,200 rows`; `units` for an irregular plural."""
    return f"{number} {unit}" if number == 1 else f"{number:,} {units or f'{unit}s'}"


def some_of(number: int, groups: str) -> str:
    """So many people of these groups: `one of leads`, `2 of leads`."""
    return f"{'one' if number == 1 else number} of {groups}"


def first_of(items: Iterable[str], most: int, between: str = "; ") -> str:
    """The first `most` items, and how many more there are: `a; b; and 3 more`, `a, b and 3 more`."""
    every = list(items)
    more = f"{';' if between == '; ' else ''} and {len(every) - most} more" if len(every) > most else ""
    return between.join(every[:most]) + more


def shortened(text: str, longest: int) -> str:
    """The text on one line, cut between two words. A time is one word, and stays a time."""
    whole = _TIME.sub(lambda at: at[0].replace(" ", _ONE_WORD), text)
    return shorten(whole, longest, placeholder="…").replace(_ONE_WORD, " ")


def ending(text: str, longest: int, where: str = "") -> str:
    """The last lines of a long text, after how many are left out and `where` they are."""
    if len(text) <= longest:
        return text
    kept = text[-longest:]
    kept = kept.partition("\n")[2] or kept
    left = text.count("\n") - kept.count("\n")
    return f"... {plural(left, 'earlier line')}{where}\n{kept}" if left else f"...\n{kept}"


def with_article(noun: str) -> str:
    """`an agent`, `a run`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def capitalized(text: str) -> str:
    """The text as the start of a sentence. Only a first word of letters alone gets a capital: `labs/new` is a name."""
    first = text.partition(" ")[0].rstrip(",;:")
    return text[:1].upper() + text[1:] if first.isalpha() else text


def sentences(*parts: str) -> str:
    """The non-empty parts joined, each with a full stop unless it ends as a sentence does.

    The first letter stays as it is: a part may begin with a name.
    """
    return " ".join(_closed(part.strip()) for part in parts if part.strip())


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", ".)", ".”")) else f"{text}."


def no_line(words: str) -> str:
    """The answer when no line of a log matches."""
    return f"No line contains “{words}”."


def storable(text: str) -> str:
    """`text` as every database can keep it: surrogate halves are joined or become U+FFFD, and NUL becomes U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def guarded(cell: str) -> str:
    """`cell`, with an apostrophe in front when a spreadsheet might run it or when it starts with one."""
    return "'" + cell if _DANGEROUS.match(cell) else cell


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A header and rows as CSV (RFC 4180), every cell made safe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue()


def third_person(text: str) -> str:
    """The text about an app instead of its reader: `it is a bot` for `you are a bot`. Code in it stays as it is."""

    def instead(found: re.Match[str]) -> str:
        word = _PRONOUNS.get(found[0].lower(), found[0])
        return capitalized(word) if found[0][0].isupper() else word

    return _YOU.sub(instead, text)
