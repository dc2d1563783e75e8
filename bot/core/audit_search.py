"""What the words of a search in the audit log stand for: the names of events and of incidents. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.core.audit import Event
from bot.core.records import Filters, StoredEntry

OPENINGS: Final = Filters(event=Event.INCIDENT_OPENED)
# Of break-glass: its uses, its reviews, and its ends, which are for all verbs, unlike those of a grant.
_BREAKGLASS: Final = (
    {"event": "breakglass"},
    {"event": "reviewed"},
    {"event": "revoked", "verb": "*"},
    {"event": "expired", "verb": "*"},
)
# What cards and lists call these events.
_SAID: Final[Mapping[str, Sequence[Mapping[str, str]]]] = {
    "denied": ({"event": "denied"}, {"event": "rejected"}),
    "cancelled": ({"event": "abandoned"},),
    "break-glass": _BREAKGLASS,
    "breakglass": _BREAKGLASS,
}
_IN_TWO_WORDS: Final = re.compile(r"\bbreak glass\b", re.IGNORECASE)


def searches(filters: Filters, opened: Iterable[StoredEntry] = ()) -> list[Filters]:
    """These filters, and those that find the entries of an event or an incident whose name is a word of the text: `denied shop`,
    `INC-42`. `opened` are the openings of incidents, newest first."""
    filters = replace(filters, text=_IN_TWO_WORDS.sub("break-glass", filters.text)) if filters.text else filters
    began = {str(entry.incident).casefold(): entry for entry in opened}
    named: dict[str, list[tuple[str, Mapping[str, str]]]] = {"event": [], "incident": []}
    for word in (filters.text or "").split():
        own = ({"event": word.lower()},) if word.lower() in set(Event) else ()
        if filters.event is None and not named["event"]:
            named["event"] = [(word, columns) for columns in _SAID.get(word.lower(), own)]
        if filters.incident is None and not named["incident"] and (first := began.get(word.casefold())) is not None:
            since = max(first.at, filters.since or "")
            named["incident"] = [(word, {"incident": str(first.incident), "since": since})]
    found = [filters]
    for names in named.values():
        found += [_without(one, word, columns) for one in found for word, columns in names]
    return found


def _without(filters: Filters, word: str, columns: Mapping[str, str]) -> Filters:
    said = (word, columns.get("event"))  # `break-glass reviewed`
    rest = [other for other in (filters.text or "").split() if other not in said]
    return replace(filters, text=" ".join(rest) or None, **columns)
