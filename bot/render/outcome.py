"""Core's outcomes as parts of a card. Refused, failed and unknown look different and say different things."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.core.card import Card, Line, Tone
from bot.core.outcome import Done, Fact, Failed, Outcome, Phase, Refused, RunView, Unknown

_PHASES: Final[dict[Phase, tuple[Tone, str]]] = {
    Phase.WAITING: (Tone.WORKING, "Waiting to start"),
    Phase.ACTIVE: (Tone.WORKING, "Running"),
    Phase.SUCCEEDED: (Tone.GOOD, "Succeeded"),
    Phase.FAILED: (Tone.BAD, "Failed"),
    Phase.STOPPED: (Tone.WARN, "Stopped"),
    Phase.UNREADABLE: (Tone.UNSURE, "In a state that nobody documented"),
}


def tone_of(what: Outcome | Phase) -> Tone:
    """The tone of an outcome or a phase. A run that can be seen lends its own tone to the outcome that carries it."""
    if isinstance(what, Phase):
        return _PHASES[what][0]
    if isinstance(what, Done):
        return tone_of(what.view.phase) if what.view else Tone.GOOD
    return {"refused": Tone.WARN, "failed": Tone.BAD, "unknown": Tone.UNSURE}[what.kind]


def status_of(what: Outcome | Phase) -> str:
    """The sentence that says how it stands, and what that means for whether anything happened."""
    if isinstance(what, Phase):
        return _PHASES[what][1]
    if isinstance(what, Refused):
        return "Refused: nothing happened."
    if isinstance(what, Failed):
        return (
            "Failed: it was tried and did not work." if what.sent else "Failed: it was not sent, so nothing happened."
        )
    if isinstance(what, Unknown):
        return "Unknown: it may or may not have happened; it was not sent again."
    if what.view:
        return status_of(what.view.phase)
    return "Accepted." if what.run else "Done."


def facts_of(view: RunView, now: datetime | None = None) -> tuple[Fact, ...]:
    """State, times and the vendor's facts of a run. `now` gives a run without an end its time so far."""
    facts = [Fact(label="State", value=view.state or None)]
    if view.started:
        facts.append(Fact(label="Started", value=view.started))
    if view.ended:
        facts.append(Fact(label="Ended", value=view.ended))
    until = view.ended or (None if view.phase.ended else now)
    if view.started and until and (view.started.tzinfo is None) == (until.tzinfo is None) and until >= view.started:
        facts.append(Fact(label="Took" if view.ended else "So far", value=until - view.started))
    return (*facts, *view.facts)


def progress_of(view: RunView) -> tuple[int, int] | None:
    """(done, total) when the vendor counts; the total is 0 when only what is done is known."""
    if view.done is None:
        return None
    return view.done, view.total or 0


def lines_of(outcome: Outcome) -> tuple[Line, ...]:
    """Summary, what to do next, the run's own message and a preview as code."""
    lines = [Line(text=outcome.summary)] if outcome.summary else []
    if isinstance(outcome, Done):
        if outcome.view and outcome.view.message:
            lines.append(Line(text=outcome.view.message))
        if outcome.preview:
            lines.append(Line(text=outcome.preview, heading="Preview", code=True))
    elif outcome.hint:
        lines.append(Line(text=outcome.hint, heading="What next"))
    return tuple(lines)


def with_outcome(card: Card, outcome: Outcome, now: datetime | None = None) -> Card:
    """`card` showing this outcome: its own facts stay first, its lines, table and progress give way. Buttons are gone;
    what `outcome.next` suggests becomes buttons where the store can give them ids."""
    view = outcome.view if isinstance(outcome, Done) else None
    return card.model_copy(
        update={
            "tone": tone_of(outcome),
            "status": status_of(outcome),
            "lines": lines_of(outcome),
            "facts": (*card.facts, *(facts_of(view, now) if view else ()), *outcome.facts),
            "table": outcome.table if isinstance(outcome, Done) else None,
            "progress": progress_of(view) if view else None,
            "buttons": (),
        }
    )
