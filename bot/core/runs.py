"""The newest runs of a target: as a table with a chart and buttons, and what is new in the list since the last look."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from bot.core.outcome import (
    MOST_POINTS,
    Chart,
    Done,
    Fact,
    FactValue,
    Phase,
    RecentRun,
    RunView,
    Series,
    Suggestion,
    Table,
)
from bot.core.text import plural, seconds_words, utc_text
from bot.core.value import Value
from bot.core.vendor_json import MARK, NOT_READABLE

WITH_BUTTONS: Final = 5  # the newest runs
DURATION: Final = "Duration"
WITH_DEFAULTS: Final = "Start with defaults"  # a list of runs has their results, not their parameters
_LONGEST_NUMBER: Final = 12
_COUNTED: Final[Mapping[Phase, tuple[str, str]]] = {  # how the phase is counted, and said of one run
    Phase.SUCCEEDED: ("succeeded", "succeeded"),
    Phase.FAILED: ("failed", "failed"),
    Phase.STOPPED: ("stopped", "was stopped"),
    Phase.ACTIVE: ("running", "is running"),
    Phase.WAITING: ("waiting", "is waiting"),
    Phase.UNREADABLE: ("in an unknown state", "is in an unknown state"),
}
_UNITS: Final = ((2 * 3_600, 3_600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))


def run_history(
    who: str,
    runs: Sequence[RecentRun],
    *,
    what: str = "run",
    show: Sequence[str] = (),
    total: int | None = None,
    note: str = "",
    start: Suggestion | None = None,
) -> Done:
    """The answer for these runs, newest first. `who` is the target's name, `show` are labels of facts with a column of their own.

    The `id` of a run is its path in a command, such as `run/4711`; it is empty when it can't be read. `start` begins another.
    """
    if not runs:
        return Done(summary=f"{who} has no {what}s.")
    names = _names(runs)
    return Done(
        summary=_summary(who, [run.view for run in runs], what),
        chart=_chart(who, list(zip(names, runs, strict=True)), what),
        table=_table(names, runs, show, total, note),
        details=tuple(
            Fact(label=f"{what.capitalize()} {name}", value=run.id)
            for name, run in zip(names, runs, strict=True)
            if run.id and run.id.rpartition("/")[2] != name
        ),
        next=(*_buttons(names, runs), *((start.model_copy(update={"label": WITH_DEFAULTS}),) if start else ())),
    )


def _names(runs: Sequence[RecentRun]) -> list[str]:
    """What each run is called here: the vendor's own number, otherwise its place in the list, the newest is 1."""
    ids = [run.id.rpartition("/")[2] for run in runs]
    if any(ids) and all(one.isdecimal() and len(one) <= _LONGEST_NUMBER for one in ids if one):
        return ids
    return [str(number) for number in range(1, len(ids) + 1)]


def _summary(who: str, views: Sequence[RunView], what: str) -> str:
    counts = Counter(view.phase for view in views)
    if len(views) == 1:
        return f"The latest {what} of {who} {_COUNTED[views[0].phase][1]}."
    parts = ", ".join(f"{counts[phase]} {words}" for phase, (words, _) in _COUNTED.items() if counts[phase])
    took = [length.total_seconds() for view in views if (length := _length(view)) is not None]
    usual = f" Usually {_duration(median(took))}." if len(took) > 2 else ""
    return f"The latest {plural(len(views), what)} of {who}: {parts}.{usual}"


def _length(view: RunView) -> timedelta | None:
    if view.started is None or view.ended is None or view.ended < view.started:
        return None
    return view.ended - view.started


def _duration(seconds: float) -> str:
    return seconds_words(seconds)


def _table(names: Sequence[str], runs: Sequence[RecentRun], show: Sequence[str], total: int | None, note: str) -> Table:
    rows = [(name, *_cells(run.view, show)) for name, run in zip(names, runs, strict=True)]
    columns = ("Run", "State", DURATION, "Started", "Message", *show)
    kept = [at for at, cells in enumerate(zip(*rows, strict=True)) if at < 4 or set(cells) - {"", "0"}]
    return Table(
        columns=tuple(columns[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in rows),
        total=total,
        note=note,
        exact=("Run",),
    )


def _cells(view: RunView, show: Sequence[str]) -> tuple[str, ...]:
    facts_shown = (*view.details, *view.facts)
    odd = any(fact.label == NOT_READABLE for fact in facts_shown)
    length = _length(view)
    facts = {fact.label: fact.value for fact in facts_shown}
    return (
        f"{view.state} {MARK}" if odd else view.state,
        "" if length is None else _duration(length.total_seconds()),
        "" if view.started is None else utc_text(view.started, seconds=True),
        "" if view.phase is Phase.SUCCEEDED else " ".join(view.message.split()),
        *(_cell(facts.get(label)) for label in show),
    )


def _cell(value: FactValue) -> str:
    if isinstance(value, datetime):
        return utc_text(value, seconds=True)
    return f"{value:,}" if isinstance(value, int | float) else str(value or "")


def _chart(who: str, named: Sequence[tuple[str, RecentRun]], what: str) -> Chart | None:
    """Durations of the ended runs, the oldest first, each result in its own colour. None for fewer than two."""
    found = [
        (name, run.view.phase, length) for name, run in named if name and (length := _length(run.view)) is not None
    ]
    found = found[:MOST_POINTS][::-1]
    seconds = [length.total_seconds() for _, _, length in found]
    if len(found) < 2 or not max(seconds):
        return None
    _, size, unit = next(row for row in _UNITS if max(seconds) >= row[0])
    usual = (Phase.SUCCEEDED, Phase.FAILED)  # always there, so that each result keeps its colour
    phases = [phase for phase in _COUNTED if phase in usual or any(phase is other for _, other, _ in found)]
    longest = found[seconds.index(max(seconds))][0]
    failed = [name for name, phase, _ in reversed(found) if phase is Phase.FAILED]
    return Chart(
        title=f"Duration of the latest {plural(len(found), what)}",
        labels=tuple(name for name, _, _ in found),
        series=tuple(
            Series(
                name=_COUNTED[phase][0].capitalize(),
                values=tuple(
                    round(length / size, 2) if phase is other else 0.0
                    for (_, other, _), length in zip(found, seconds, strict=True)
                ),
            )
            for phase in phases
        ),
        unit=unit,
        about=f"{what.capitalize()}, oldest first",
        words=f"Durations of {who}: the longest is {_duration(max(seconds))} ({what} {longest})"
        + (f"; failed: {what} {', '.join(failed)}." if failed else "."),
        beside=DURATION,
    )


def _buttons(names: Sequence[str], runs: Sequence[RecentRun]) -> Iterator[Suggestion]:
    """The next steps of the newest runs, each with what the run is called on it."""
    for name, run in zip(names[:WITH_BUTTONS], runs, strict=False):
        for step in run.view.next:
            if step.verb in ("logs", "retry", "stop"):
                yield step.model_copy(update={"label": f"{step.label} {name}"})


class SeenRuns(Value):
    """What a poll found. `listed` are the ids of its runs, `ended` of those that had ended, `ends` when. `failed`: the last one
    that ended in success or failure failed; `failing` are the jobs of which that is true, where the target has several, and
    `broken` the ids of the runs that failed."""

    listed: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    ends: tuple[tuple[str, datetime], ...] = ()
    failed: bool = False
    failing: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


def news(before: SeenRuns | None, runs: Sequence[RecentRun]) -> tuple[SeenRuns, tuple[RecentRun, ...]]:
    """What to compare the next poll with, and the runs to tell about, oldest first. `runs` are the newest first.

    The first poll tells nothing. A job recovers when the run that failed, or one that began after it, succeeds. A run that is
    older than all that were listed before is not new: the list reaches further back because others were deleted from it. A retry
    may end the same run twice, also between two polls.
    """
    past, reported = before or SeenRuns(), []
    failing = dict.fromkeys((*past.failing, *([""] if past.failed else [])), "") | dict(past.broken)
    for run in reversed(_newly_ended(past, runs)):  # what a person stopped changes nothing
        if run.view.phase is Phase.FAILED:
            reported.append(run)
            failing[run.job] = run.id
        elif run.view.phase is Phase.SUCCEEDED and run.job in failing and _recovers(run, failing[run.job], runs):
            reported.append(run)
            del failing[run.job]
    ended = [run for run in runs if run.view.phase.ended]
    seen = SeenRuns(
        listed=tuple(run.id for run in runs),
        ended=tuple(run.id for run in ended),
        ends=tuple((run.id, run.view.ended) for run in ended if run.view.ended is not None),
        failed="" in failing,
        failing=tuple(sorted(failing.keys() - {""})),
        broken=tuple(failing.items()),
    )
    return seen, tuple(reported) if before is not None else ()


def _recovers(run: RecentRun, failed_id: str, runs: Sequence[RecentRun]) -> bool:
    """Whether the success comes after the failure: a run that went on beside the failed one says nothing of it."""
    place = {one.id: at for at, one in enumerate(runs)}
    failed = runs[place[failed_id]].view if failed_id in place else None
    if run.id == failed_id or failed is None:
        return True
    beside = run.view.started is not None and failed.ended is not None and run.view.started < failed.ended
    return place[run.id] < place[failed_id] and not beside


def _newly_ended(before: SeenRuns, runs: Sequence[RecentRun]) -> list[RecentRun]:
    listed, ended, ends = frozenset(before.listed), frozenset(before.ended), dict(before.ends)
    found, newer = [], True
    for run in runs:
        newer = newer and run.id not in listed
        later = run.view.ended is not None and run.id in ends and run.view.ended > ends[run.id]
        if run.view.phase.ended and (later or run.id not in ended) and (newer or run.id in listed):
            found.append(run)
    return found
