"""What a poll of a watched target tells: failures, and the first success after one, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.core.outcome import Phase, RecentRun, RunView
from bot.core.runs import SeenRuns, news

PHASES = {"+": Phase.SUCCEEDED, "-": Phase.FAILED, "~": Phase.ACTIVE, "x": Phase.STOPPED}


NOON = datetime(2026, 7, 16, 12, tzinfo=UTC)


def runs(text: str) -> list[RecentRun]:
    """`b- a+`: newest first, each with its phase; `a+7` ended seven minutes after noon; `photos:a+` is of the job photos."""
    return [
        RecentRun(
            id=word[0],
            job=job,
            view=RunView(
                state=word[1],
                phase=PHASES[word[1]],
                ended=datetime(2026, 7, 16, 12, int(word[2:]), tzinfo=UTC) if word[2:] else None,
            ),
        )
        for job, _, word in (one.rpartition(":") for one in text.split())
    ]


def news_of(*polls: str) -> list[str]:
    """What each poll tells."""
    seen: SeenRuns | None = None
    lines = []
    for poll in polls:
        seen, found = news(seen, runs(poll))
        lines.append(" ".join(f"{run.id}{run.view.state}" for run in found))
    return lines


def test_what_was_there_at_the_beginning_is_not_told() -> None:
    assert news_of("c~ b- a+") == [""]


def test_each_failure_is_told_once_and_the_first_success_after_it() -> None:
    assert news_of("a+", "b- a+", "b- a+", "c- b- a+", "d+ c- b- a+", "e+ d+ c- b- a+") == [
        "",
        "b-",
        "",
        "c-",
        "d+",
        "",
    ]


def test_a_target_that_was_failing_when_it_was_first_seen_recovers_too() -> None:
    assert news_of("a-", "b+ a-") == ["", "b+"]


def test_the_success_of_another_job_of_the_target_is_no_recovery() -> None:
    polls = "photos:a-", "clean:b+ photos:a-", "clean:d+ photos:c+ clean:b+ photos:a-"
    assert news_of(*polls) == ["", "", "c+"]


def test_runs_that_ended_between_two_polls_are_told_in_their_order() -> None:
    assert news_of("a+", "d- c+ b- a+") == ["", "b- c+ d-"]


def test_a_run_that_was_stopped_says_nothing_and_changes_nothing() -> None:
    assert news_of("a-", "bx a-", "c+ bx a-") == ["", "", "c+"]


def test_a_run_that_began_before_the_one_that_failed_is_no_recovery() -> None:
    assert news_of("a~", "b- a~", "b- a+", "c+ b- a+") == ["", "b-", "", "c+"]


def test_a_run_that_went_on_beside_the_one_that_failed_is_no_recovery() -> None:
    """Two sessions of one start: the second began before the first failed."""

    def run(id: str, phase: Phase, began: int, ended: int) -> RecentRun:
        began_at, ended_at = (NOON + timedelta(minutes=at) for at in (began, ended))
        return RecentRun(id=id, view=RunView(state="x", phase=phase, started=began_at, ended=ended_at))

    failed, beside = run("a", Phase.FAILED, 0, 5), run("b", Phase.SUCCEEDED, 1, 6)
    later = run("c", Phase.SUCCEEDED, 5, 9)
    seen, _ = news(None, [])
    seen, first = news(seen, [failed])
    seen, second = news(seen, [beside, failed])
    _, third = news(seen, [later, beside, failed])
    assert [first, second, third] == [(failed,), (), (later,)]


def test_a_run_that_goes_on_is_told_when_it_ends_although_a_later_one_ended_before() -> None:
    assert news_of("a~", "b+ a~", "b+ a-") == ["", "", "a-"]


def test_an_old_run_that_comes_back_into_the_list_is_not_new() -> None:
    """The list holds the latest two; one was deleted on the control plane."""
    assert news_of("c+ b+", "c+ a-") == ["", ""]


def test_a_retry_that_ends_the_same_run_again_is_told_again() -> None:
    assert news_of("a-", "a~", "a-", "a~", "a+") == ["", "", "a-", "", "a+"]


def test_a_retry_that_begins_and_ends_between_two_polls_is_told_too() -> None:
    """The same run has a later end. An end whose time the control plane adds later is told once."""
    assert news_of("b-1", "b+5", "b+5", "b-8") == ["", "b+", "", "b-"]
    assert news_of("a+", "b- a+", "b-3 a+1", "b-3 a+1") == ["", "b-", "", ""]


def test_a_target_without_runs_tells_its_first_failure() -> None:
    assert news_of("", "a-") == ["", "a-"]
