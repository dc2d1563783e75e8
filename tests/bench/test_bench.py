"""The benchmarks run, tiny, and measure what they say; their bars are held by `make bench` on a quiet machine."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bot.runtime import event_loop
from tests.bench import log, masking, sustained, watched
from tests.bench.__main__ import Wanted, bench_all
from tests.bench.ack import compared, run
from tests.bench.bars import held, line, percentile


@pytest.fixture(autouse=True)
def unsettled() -> Iterator[None]:
    """What a benchmark sets for its whole process ends with the test, and its garbage is collected."""
    yield
    gc.unfreeze()
    event_loop.settle()


async def test_the_ack_is_measured_and_nothing_is_lost() -> None:
    """How long it takes is no promise of a busy machine; that every number is there, and that nothing is lost, is."""
    measures = {name: (value, bar) for name, value, _, bar in await run(600, requests=25, seconds=0.4)}
    values = {name: value for name, (value, _) in measures.items()}
    assert values.pop("lost or doubled") == 0
    assert all(value > 0 for value in values.values())
    assert {bar for _, bar in measures.values()} == {"", "< 2", "< 1.2", "< 10", "> 1000", "< 1"}


def test_an_ack_is_compared_with_a_bare_ack_and_a_bare_commit_and_a_full_bot_with_an_empty_one() -> None:
    """Medians, so that one slow request of each sort changes nothing."""
    times = {
        "bare": [9.0, 0.001, 0.002],
        "commit": [0.001, 9.0, 0.002],
        "empty": [0.003, 0.006, 9.0],
        "full": [0.009, 9.0, 0.001],
    }
    assert [(value, unit, bar) for _, value, unit, bar in compared(times, 5_000)] == [
        (pytest.approx(2.0), "ms", ""),
        (pytest.approx(2.0), "ms", ""),
        (pytest.approx(6.0), "ms", ""),
        (pytest.approx(1.5), "x", "< 2"),
        (pytest.approx(1.5), "x", "< 1.2"),
    ]
    assert "5,000 rows" in compared(times, 5_000)[-1][0]


async def test_a_steady_rate_is_measured_and_nothing_is_lost() -> None:
    measures = await sustained.run(0.01)
    values = {name: value for name, value, _, _ in measures}
    assert values.pop("lost or doubled") == 0
    assert values.pop("refused, because too much was under way") == 0
    assert all(value >= 0 for value in values.values())
    assert {bar for _, _, _, bar in measures} == {"", "< 50", "< 1"}


async def test_following_many_runs_is_measured() -> None:
    measures = await watched.run(300, seconds=0.2, before=0.1)
    assert all(value >= 0 for _, value, _, _ in measures)
    assert {bar for _, _, _, bar in measures} == {"", "< 1.01", "< 25", "< 300"}


async def test_a_log_goes_through_the_whole_program() -> None:
    """A small one: how much memory a large one takes is for a quiet machine, but that it is streamed can be told of any."""
    measures = {name: (value, bar) for name, value, _, bar in await log.run(6)}
    assert measures["the file of it in Slack"][0] > 0
    assert measures["memory, the most above idle"][1] == "< 60"


def test_masking_of_hostile_text_is_measured() -> None:
    measures = masking.run(800)
    assert all(value > 0 for _, value, _, _ in measures)
    assert {bar for _, _, _, bar in measures} == {"< 24", "< 10"}


def test_what_is_asked_for_is_measured_alone_and_a_missed_bar_is_told() -> None:
    lines: list[str] = []
    assert bench_all(Wanted(log=0.1), lines.append) == 0
    assert [row for row in lines if not row.startswith("  ")] == ["A large log"]


@pytest.mark.parametrize(
    ("value", "bar", "holds"), [(1.9, "< 2", True), (2.0, "< 2", False), (5.0, "> 4", True), (5.0, "", None)]
)
def test_a_bar_is_held_or_missed_and_the_line_says_so(value: float, bar: str, holds: bool | None) -> None:
    measure = ("a number", value, "x", bar)
    assert held(measure) is holds
    assert ("MISSED" in line(measure)) is (holds is False)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([1.0], 99) == 1.0
    assert percentile(list(map(float, range(1, 101))), 99) == 99.0
