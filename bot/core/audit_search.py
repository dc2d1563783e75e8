"""What the words of a search in the audit log stand for: events, incidents, people and times. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.core.audit import SAID, Event
from bot.core.command.params import duration_seconds
from bot.core.command.past import past_in
from bot.core.records import Filters, StoredEntry

OPENINGS: Final = Filters(event=Event.INCIDENT_OPENED)
# Of break-glass: its uses, its reviews, and its ends, which are for all verbs and targets, unlike those of a grant.
_BREAKGLASS: Final = (
    {"event": "breakglass"},
    {"event": "reviewed"},
    {"event": "revoked", "verb": "*", "target_name": "*"},
    {"event": "expired", "verb": "*", "target_name": "*"},
)
_GLASS: Final = frozenset({"break-glass", "breakglass"})
_IN_TWO_WORDS: Final = re.compile(r"\bbreak glass\b", re.IGNORECASE)

_GLUE: Final = frozenset({"by", "of", "on", "in", "the", "from", "for", "to", "and"})
_NO_NAMES: Final = frozenset({"mark"})  # also a verb
_LONGEST_NAME: Final = 3  # words
_QUESTIONS: Final = frozenset({"audit", Event.MISREAD, Event.ABANDONED, "cancelled"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The words to search for, how many seconds back, and whose entries."""

    text: str = ""
    since: int | None = None
    user: str | None = None


def asked_in(words: Sequence[str], names: Mapping[str, object]) -> Asked:
    """What typed words ask for: `denied by lee since yesterday`. `names` are those that the bot has seen, by id. A word with
    spaces was in quotes: it is searched for."""
    said = ["-" if " " in word else word.casefold().strip(",.?!") for word in words]
    left, since, user = list[str | None](words), None, None
    if past := past_in(" ".join(said)):
        match, reach = past
        first = " ".join(said)[: match.start()].count(" ")
        since = duration_seconds(reach)
        for at in range(first, first + match[0].count(" ") + 1):
            left[at], said[at] = None, "-"
    runs = [(at, size) for size in range(_LONGEST_NAME, 0, -1) for at in range(len(said) - size + 1)]
    for at, size in runs:
        name = " ".join(said[at : at + size])
        ids = called(name, names) if name not in _NO_NAMES or said[:at][-1:] == ["by"] else []
        if len(ids) == 1:
            user, left[at : at + size] = ids[0], [None] * size
            break
    kept = [word for word in left if word is not None and word.casefold() not in _GLUE]
    return Asked(" ".join(kept), since, user)


def called(name: str, names: Mapping[str, object]) -> list[str]:
    """The ids of the people who have this name or first name."""
    name = name.removeprefix("@").casefold()
    people = ((known, map(str, kept)) for known, kept in names.items() if known[0] in "UW" and isinstance(kept, list))
    return [known for known, kept in people if any(name in (one, *one.split()[:1]) for one in map(str.casefold, kept))]


def asks_for_questions(filters: Filters) -> bool:
    """Whether the search may be one for requests that were not understood, cancelled, or searches themselves."""
    words = {*(filters.text or "").casefold().split()}
    return not words or filters.event is not None or not words.isdisjoint(_QUESTIONS)


def is_question(entry: StoredEntry) -> bool:
    """Whether the entry is only a question: words that were not understood, a read that was not made, or a search of this log."""
    unread = entry.event is Event.ABANDONED and entry.risk == "read"
    return unread or entry.event is Event.MISREAD or entry.verb == "audit"


def without_words(filters: Filters) -> str:
    """The name of the event among the words, which remains when the others are left out."""
    words = (filters.text or "").lower().split()
    return next((one for one in words if _columns(one)), "") or ("breakglass" if _GLASS & {*words} else "")


def searches(filters: Filters, opened: Iterable[StoredEntry] = ()) -> list[Filters]:
    """These filters, and those that find the entries of an event or an incident whose name is a word of the text: `denied shop`,
    `INC-42`. `opened` are the openings of incidents, newest first."""
    filters = replace(filters, text=_IN_TWO_WORDS.sub("break-glass", filters.text)) if filters.text else filters
    found = [replace(filters, **columns) for columns in _columns(filters.event)] if filters.event else [filters]
    words = (filters.text or "").split()
    event = next((one for one in words if _columns(one) and one.lower() not in _GLASS), None)
    glass = next((one for one in words if one.lower() in _GLASS), None)
    if event is not None and filters.event is None:
        found += [_without(filters, event, columns) for columns in _columns(event)]
    if glass is not None:
        found += [
            _without(one, glass, columns)
            for one in found
            for columns in _BREAKGLASS
            if one.event in (None, columns["event"])
        ]
    began = {str(entry.incident).casefold(): entry for entry in opened}
    incident = next((one for one in words if one.casefold() in began), None)
    if incident is not None and filters.incident is None:
        first = began[incident.casefold()]
        since = max(first.at, filters.since or "")
        found += [_without(one, incident, {"incident": str(first.incident), "since": since}) for one in found]
    return found


def _columns(event: str) -> Sequence[Mapping[str, str]]:
    """The columns of the entries of an event by its name or by what lists call it; empty for another word."""
    own = ({"event": event.lower()},) if event.lower() in set(Event) else ()
    return SAID.get(event.lower(), own)


def _without(filters: Filters, word: str, columns: Mapping[str, str]) -> Filters:
    rest = [other for other in (filters.text or "").split() if other != word]
    return replace(filters, text=" ".join(rest) or None, **columns)
