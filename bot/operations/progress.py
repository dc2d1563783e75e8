"""How far a run is and how long it still takes: from the vendor's counts or forecast, else from how long it usually takes."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.core.outcome import RunView
from bot.core.text import plural, span_words

_STEPS: Final = 10  # cells of the bar
_LEAST: Final = timedelta(seconds=3)  # of a run before its rate says anything
_LEAST_SHARE: Final = 0.05


class Progress(NamedTuple):
    """What is done and the total, and the words for it."""

    done: int
    total: int
    note: str


def progress_of(view: RunView, now: datetime) -> Progress | None:
    """The progress of an active run, None where neither counts nor a forecast allow one."""
    if view.phase.ended:
        return None
    expected = _expected(view)
    elapsed = now - view.started if view.started is not None else None
    if view.done is not None and view.total:
        left = _left(view, now, elapsed, min(max(view.done, 0), view.total) / view.total)
        counts = f"{min(max(view.done, 0), view.total):,} of {plural(view.total, view.counted)}" if view.counted else ""
        return Progress(view.done, view.total, ", ".join(part for part in (left, counts) if part))
    if expected is None or elapsed is None or not timedelta(0) <= elapsed < expected:
        return None
    whole = max(1, round(expected.total_seconds() * 1000))
    return Progress(round(elapsed.total_seconds() * 1000), whole, left_words(expected - elapsed))


def late_words(view: RunView, now: datetime) -> str:
    """A sentence about an active run that takes longer than usual; empty for any other."""
    if view.usual is None or view.started is None or view.phase.ended or _expected(view) != view.usual:
        return ""
    return f"It usually takes {span_words(view.usual)}." if now - view.started > view.usual else ""


def moved(view: RunView, before: datetime, now: datetime) -> bool:
    """Whether time alone moved the progress between two polls by a cell of the bar."""
    first, second = progress_of(view, before), progress_of(view, now)
    if first is None or second is None:
        return first is not second
    return first.done * _STEPS // first.total != second.done * _STEPS // second.total


def _expected(view: RunView) -> timedelta | None:
    """How long the run takes: the vendor's forecast, else what is usual."""
    if view.started is not None and view.expected_end is not None and view.expected_end > view.started:
        return view.expected_end - view.started
    return view.usual


def _left(view: RunView, now: datetime, elapsed: timedelta | None, share: float) -> str:
    """The time left: as the vendor says, else at the rate so far."""
    if view.left is not None:
        return left_words(view.left)
    if view.expected_end is not None and view.expected_end > now:
        return left_words(view.expected_end - now)
    if elapsed is None or elapsed < _LEAST or not _LEAST_SHARE <= share < 1:
        return ""
    return left_words(elapsed * ((1 - share) / share))


def left_words(left: timedelta) -> str:
    """`about 25 s left`, `about 4 min left`, `about 1 h 10 min left`."""
    seconds = max(1, round(left.total_seconds()))
    if seconds > 10:
        size = 5 if seconds < 60 else 60 if seconds < 3_600 else 600
        seconds = -(-seconds // size) * size
    return f"about {span_words(timedelta(seconds=seconds))} left"
