"""How far a run is: only what counts, a forecast or earlier runs allow to say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.outcome import Phase, RunView
from bot.operations.progress import Progress, late_words, left_words, moved, progress_of

NOON = datetime(2026, 7, 16, 12, tzinfo=UTC)


def view(**parts: object) -> RunView:
    return RunView.model_validate({"state": "Running", "phase": Phase.ACTIVE, "started": NOON, **parts})


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_counts_give_the_share_and_the_time_left_at_the_rate_so_far() -> None:
    made = progress_of(view(done=60, total=120, counted="page"), after(30))
    assert made == Progress(60, 120, "about 30 s left, 60 of 120 pages")


def test_a_share_has_no_counts_and_a_vendors_own_time_left_wins() -> None:
    made = progress_of(view(done=60, total=100, left=timedelta(seconds=300)), after(30))
    assert made == Progress(60, 100, "about 5 min left")


def test_too_early_a_rate_says_nothing() -> None:
    assert progress_of(view(done=1, total=100), after(30)) == Progress(1, 100, "")
    assert progress_of(view(done=50, total=100), after(1)) == Progress(50, 100, "")


def test_a_forecast_makes_a_bar_without_counts() -> None:
    made = progress_of(view(expected_end=after(50)), after(30))
    assert made is not None
    assert (made.done, made.total, made.note) == (30_000, 50_000, "about 20 s left")


def test_the_usual_duration_makes_a_bar_until_it_is_over() -> None:
    usual = view(usual=timedelta(seconds=80))
    assert progress_of(usual, after(60)) == Progress(60_000, 80_000, "about 20 s left")
    assert late_words(usual, after(60)) == ""
    assert progress_of(usual, after(81)) is None
    assert late_words(usual, after(81)) == "It usually takes 1 min 20 s."


@pytest.mark.parametrize(
    "parts", [{}, {"started": None, "usual": timedelta(60)}, {"total": 10}, {"done": 3, "total": 0}]
)
def test_without_counts_or_forecast_there_is_no_bar(parts: dict[str, object]) -> None:
    assert progress_of(view(**parts), after(5)) is None


def test_an_ended_run_has_no_bar() -> None:
    assert progress_of(view(phase=Phase.SUCCEEDED, done=1, total=2), after(5)) is None


def test_time_alone_moves_the_card_by_cells_of_the_bar() -> None:
    """So that a card is updated ten times and not at every poll."""
    slow = view(usual=timedelta(seconds=1_000))
    assert not moved(slow, after(110), after(112))
    assert moved(slow, after(199), after(201))
    assert moved(slow, after(999), after(1_001))
    assert not moved(view(), after(1), after(3))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (5, "5 s"), (11, "15 s"), (58, "1 min"), (61, "2 min"), (3_599, "1 h"), (4_000, "1 h 10 min")],
)
def test_time_left_is_rounded_up_to_what_can_be_said(seconds: float, words: str) -> None:
    assert left_words(timedelta(seconds=seconds)) == f"about {words} left"
