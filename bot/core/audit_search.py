"""What the words of a search in the audit log stand for: the names of events and of incidents. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.core.audit import SAID, Event
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
