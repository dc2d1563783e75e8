"""The chart of a timeline: how much of what happened in each span."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.outcome import Chart, Phase, Series
from bot.core.records import StoredEntry
from bot.core.text import ago_text, plural, seconds_words

_SPANS: Final = 8
_SERIES: Final = ("Runs succeeded", "Failed", "Denied", "Actions")
_KINDS: Final = {Event.FAILED: "Failed", Event.UNKNOWN: "Failed", Event.DENIED: "Denied", Event.DONE: "Actions"}


def activity(entries: Sequence[StoredEntry], start: datetime | None, now: datetime) -> Chart | None:
    """The chart, the oldest span first: from `start` to now, or without it from the first to the last of what is counted. None
    when there is nothing to count.

    Its labels are lengths of time before now, because a label can't show a time in each reader's zone.
    """
    found = [(kind, datetime.fromisoformat(entry.at)) for entry in entries if (kind := _kind(entry)) is not None]
    if not found:
        return None
    times = [at for _, at in found]
    start, end = (min(times), max(times)) if start is None else (start, now)
    length = max((end - start) / _SPANS, timedelta(seconds=1))
    start = end - length * _SPANS
    counts = {name: [0.0] * _SPANS for name in _SERIES}
    for kind, at in found:
        counts[kind][min(_SPANS - 1, max(0, int((at - start) / length)))] += 1
    shown = [name for name in _SERIES if name in _SERIES[:2] or any(counts[name])]
    # Short spans need seconds: no two labels may be the same.
    text = ago_text if length >= timedelta(minutes=1) else lambda age: seconds_words(int(age.total_seconds()))
    return Chart(
        title="Runs and actions",
        labels=tuple(f"{text(now - start - length * span)} ago" for span in range(_SPANS)),
        series=tuple(Series(name=name, values=tuple(counts[name])) for name in shown),
        unit="count",
        about="Beginning of each span",
        words=f"{', '.join(_counted(name, int(sum(counts[name]))) for name in shown)}.",
    )


def _counted(name: str, number: int) -> str:
    if name == "Runs succeeded":
        return f"{plural(number, 'run')} succeeded"
    return plural(number, "action") if name == "Actions" else f"{number} {name.lower()}"


def _kind(entry: StoredEntry) -> str | None:
    """The series that counts the entry; None for one that is not an outcome."""
    if entry.event is Event.ENDED:
        return "Runs succeeded" if entry.code == Phase.SUCCEEDED else "Failed"
    return _KINDS.get(entry.event)
