"""The newest runs of a target: grammar, table, chart, buttons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.core.outcome import Done, Fact, Phase, RecentRun, RunView, Suggestion
from bot.core.runs import run_history

NOON = datetime(2026, 7, 16, 12, tzinfo=UTC)


def run(number: int, phase: Phase = Phase.SUCCEEDED, seconds: int | None = 60, **more: object) -> RecentRun:
    """A run; the higher its number, the earlier it was."""
    started = NOON - timedelta(hours=number)
    ended = started + timedelta(seconds=seconds) if seconds is not None else None
    log = Suggestion(label="Log", verb="logs", target=f"acc:run/{number}")
    retry = Suggestion(label="Retry", verb="retry", target=f"acc:run/{number}")
    view = RunView(
        state=phase.value.title(),
        phase=phase,
        started=started,
        ended=ended,
        next=(log, retry) if phase is Phase.FAILED else (log,),
        **more,
    )
    return RecentRun(id=f"run/{number:08}-aaaa-bbbb", view=view)


def history(*runs: RecentRun, **more: object) -> Done:
    return run_history("shop/prices", runs, **more)


def test_the_summary_counts_what_there_is_and_reads_as_a_sentence() -> None:
    assert history().summary == "shop/prices has no runs."
    assert history(run(1, Phase.FAILED)).summary == "The latest run of shop/prices failed."
    assert history(run(1, Phase.ACTIVE, None)).summary == "The latest run of shop/prices is running."
    found = history(run(1), run(2, Phase.FAILED, 20), run(3, seconds=100)).summary
    assert found == "The latest 3 runs of shop/prices: 2 succeeded, 1 failed. Usually 1 min."


def test_the_table_has_numbers_durations_and_no_empty_column() -> None:
    done = history(run(1), run(2, Phase.FAILED, 90, message="no\nlogin"), run(3, Phase.ACTIVE, None), show=("Rows",))
    assert done.table is not None
    assert done.table.columns == ("Run", "State", "Duration", "Started", "Message")
    assert [row[:3] for row in done.table.rows] == [
        ("1", "Succeeded", "1 min"),
        ("2", "Failed", "1 min 30 s"),
        ("3", "Active", ""),
    ]
    assert done.table.rows[1][-1] == "no login"
    assert done.details[0] == Fact(label="Run 1", value="run/00000001-aaaa-bbbb")


def test_runs_that_the_vendor_numbers_keep_their_numbers() -> None:
    numbered = [RecentRun(id=number, view=run(1).view) for number in ("4711", "", "4709")]
    done = history(*numbered)
    assert done.table is not None
    assert [row[0] for row in done.table.rows] == ["4711", "", "4709"]
    assert done.details == ()


def test_the_chart_shows_ended_runs_from_the_oldest_each_result_in_its_series() -> None:
    chart = history(run(1, Phase.ACTIVE, None), run(2, Phase.FAILED, 90), run(3, seconds=300)).chart
    assert chart is not None
    assert chart.labels == ("3", "2")
    assert [(one.name, one.values) for one in chart.series] == [("Succeeded", (5.0, 0.0)), ("Failed", (0.0, 1.5))]
    assert chart.unit == "minutes"
    assert chart.words == "Durations of shop/prices: the longest is 5 min (run 3); failed: run 2."
    assert history(run(1)).chart is None


def test_the_newest_runs_have_buttons_with_their_numbers() -> None:
    start = Suggestion(label="Start", verb="start", target="acc:shop/prices")
    found = history(*(run(n, Phase.FAILED if n == 2 else Phase.SUCCEEDED) for n in range(1, 9)), start=start).next
    assert [step.label for step in found] == [
        "Log 1",
        "Log 2",
        "Retry 2",
        "Log 3",
        "Log 4",
        "Log 5",
        "Start with defaults",
    ]
