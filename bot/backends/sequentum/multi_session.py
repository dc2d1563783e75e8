"""Several runs that one start began (`useMultipleSessions`), seen as one thing that ends when the last of them does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.backends.sequentum.presentation import next_of_run
from bot.core.outcome import Fact, Phase, RunView, Suggestion

_DETAILS: Final = ("Errors", "Data rows")
# The first that any run is in is what all together are in: while one goes on, they go on; then the worst end counts.
_GOING: Final = (Phase.ACTIVE, Phase.WAITING, Phase.UNREADABLE)
_ENDS: Final = (Phase.FAILED, Phase.STOPPED, Phase.SUCCEEDED)


def together(backend: str, views: Mapping[str, RunView]) -> RunView:
    """`views` by the ids of the runs, one at least, in the order in which the ACC named them."""
    worst = min(views.values(), key=lambda view: (*_GOING, *_ENDS).index(view.phase))
    over = [view for view in views.values() if view.phase.ended]
    starts = [view.started for view in views.values() if view.started]
    ends = [view.ended for view in over if view.ended]
    return RunView(
        state=worst.state,
        phase=worst.phase,
        facts=tuple(
            Fact(label=f"Run {number}", value=_line(id_, view)) for number, (id_, view) in enumerate(views.items(), 1)
        ),
        message="; ".join(_said(id_, view) for id_, view in views.items()) if worst.phase.ended else "",
        started=min(starts, default=None),
        ended=max(ends, default=None) if worst.phase.ended else None,
        done=len(over),
        total=len(views),
        next=_next(backend, views),
    )


def _said(id: str, view: RunView) -> str:
    return f"run {id} {view.state}" + (f" ({view.message})" if view.message else "")


def _line(id: str, view: RunView) -> str:
    details = [f"{fact.label.lower()} {fact.value}" for fact in view.facts if fact.label in _DETAILS]
    return ", ".join([f"{view.state}: {id}", *details])


def _next(backend: str, views: Mapping[str, RunView]) -> tuple[Suggestion, ...]:
    """The steps of the runs that went wrong, or of all when none did; a label tells which run when there are several."""
    numbered = list(enumerate(views.items(), 1))
    bad = [one for one in numbered if one[1][1].phase in (Phase.FAILED, Phase.STOPPED)]
    chosen = bad or numbered
    return tuple(
        step if len(chosen) == 1 else step.model_copy(update={"label": f"{step.label} run {number}"})
        for number, (id_, view) in chosen
        for step in next_of_run(backend, id_, view.phase)
    )
