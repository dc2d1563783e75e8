"""Several runs that one start began (`useMultipleSessions`), followed as one run that ends when the last of them ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.backends.sequentum.presentation import next_of_run
from bot.core.outcome import Fact, Phase, RunView, Suggestion

# In order of priority: while one run is active, all count as active; after that the worst outcome counts.
_GOING: Final = (Phase.ACTIVE, Phase.WAITING, Phase.UNREADABLE)
_ENDS: Final = (Phase.FAILED, Phase.STOPPED, Phase.SUCCEEDED)


def together(backend: str, views: Mapping[str, RunView]) -> RunView:
    """`views` by the ids of the runs, at least one, in the ACC's order."""
    worst = min(views.values(), key=lambda view: (*_GOING, *_ENDS).index(view.phase))
    over = [view for view in views.values() if view.phase.ended]
    starts = [view.started for view in views.values() if view.started]
    ends = [view.ended for view in over if view.ended]
    return RunView(
        state=worst.state,
        phase=worst.phase,
        facts=tuple(Fact(label=f"Run {number}", value=_line(view)) for number, view in enumerate(views.values(), 1)),
        details=tuple(Fact(label=f"Run {number}", value=id_) for number, id_ in enumerate(views, 1)),
        message="; ".join(_said(number, view) for number, view in enumerate(views.values(), 1))
        if worst.phase.ended
        else "",
        started=min(starts, default=None),
        ended=max(ends, default=None) if worst.phase.ended else None,
        done=len(over),
        total=len(views),
        counted="run",
        next=_next(backend, views),
    )


def _said(number: int, view: RunView) -> str:
    return f"run {number} {view.state}" + (f" ({view.message})" if view.message else "")


def _line(view: RunView) -> str:
    counts = [f"{fact.value:,} {fact.label.lower()}" for fact in view.facts if isinstance(fact.value, int | float)]
    return ", ".join([view.state, *counts])


def _next(backend: str, views: Mapping[str, RunView]) -> tuple[Suggestion, ...]:
    """The buttons of the failed runs, or of all runs if none failed; with several runs the label names the run."""
    numbered = list(enumerate(views.items(), 1))
    bad = [one for one in numbered if one[1][1].phase in (Phase.FAILED, Phase.STOPPED)]
    chosen = bad or numbered
    return tuple(
        step if len(chosen) == 1 else step.model_copy(update={"label": f"{step.label} run {number}"})
        for number, (id_, view) in chosen
        for step in next_of_run(backend, id_, view.phase)
    )
