"""What is new in the list of a target's runs: which of them failed, and which is the first success after a failure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.outcome import Phase, RecentRun
from bot.core.value import Value


class SeenRuns(Value):
    """What a poll found. `listed` are the ids of its runs, `ended` of those that had ended. `failed`: the last one that ended in
    success or failure failed."""

    listed: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    failed: bool = False


def news(before: SeenRuns | None, runs: Sequence[RecentRun]) -> tuple[SeenRuns, tuple[RecentRun, ...]]:
    """What to compare the next poll with, and the runs to tell about, oldest first. `runs` are the newest first.

    The first poll tells nothing. A run that is older than all that were listed before is not new: the list reaches further back
    because others were deleted from it. A retry may end the same run twice.
    """
    failed, reported = before is not None and before.failed, []
    for run in reversed(_newly_ended(before or SeenRuns(), runs)):
        if run.view.phase is Phase.FAILED or (run.view.phase is Phase.SUCCEEDED and failed):
            reported.append(run)
        failed = _fails(run, failed)
    seen = SeenRuns(
        listed=tuple(run.id for run in runs),
        ended=tuple(run.id for run in runs if run.view.phase.ended),
        failed=failed,
    )
    return seen, tuple(reported) if before is not None else ()


def _newly_ended(before: SeenRuns, runs: Sequence[RecentRun]) -> list[RecentRun]:
    listed, ended = frozenset(before.listed), frozenset(before.ended)
    found, newer = [], True
    for run in runs:
        newer = newer and run.id not in listed
        if run.view.phase.ended and run.id not in ended and (newer or run.id in listed):
            found.append(run)
    return found


def _fails(run: RecentRun, failed: bool) -> bool:
    """Whether the target counts as failing after this run. A run that a person stopped changes nothing."""
    if run.view.phase is Phase.STOPPED:
        return failed
    return run.view.phase is Phase.FAILED
