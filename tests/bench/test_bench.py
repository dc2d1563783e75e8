"""The benchmarks run, tiny, and measure what they say; their bars are held by `make bench` on a quiet machine."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator

import pytest

from bot.runtime import event_loop
from tests.bench.__main__ import main
from tests.bench.ack import compared
from tests.bench.bars import held, line, percentile
from tests.docs import blocks, recipe, typed


@pytest.fixture(autouse=True)
def unsettled() -> Iterator[None]:
    """What a benchmark sets for its whole process ends with the test, and its garbage is collected."""
    yield
    gc.unfreeze()
    event_loop.settle()


# What a command of the page measures -> the bars of what is printed.
BARS = {
    "From slash command to ack": {"", "< 2", "< 1.2", "< 10", "> 1000", "< 1"},
    "Audit log": {"", "< 2", "< 5", "> 300000"},
    "Start of the program": {"< 4", "< 5"},
    "Masking of hostile text": {"< 24", "< 10"},
    "Runs that are followed": {"", "< 1.01", "< 25", "< 300"},
    "A large log": {"", "< 60"},
    "A steady rate": {"", "< 50", "< 1"},
}
COMMANDS = {
    "make bench": tuple(BARS)[:4],
    'make bench ARGS="--watched 10000"': ("Runs that are followed",),
    'make bench ARGS="--log 200"': ("A large log",),
    'make bench ARGS="--minutes 10"': ("A steady rate",),
}
SMALLER = {"10000": "300", "200": "2", "10": "0.01"}
Numbers = dict[str, tuple[float, str]]


def printed_by(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Numbers]:
    """Title -> name -> value and bar. What make would run is run here, with small numbers."""
    python, option, module, *arguments = recipe(command)
    assert (python, option, module) == (".venv/bin/python", "-m", "tests.bench")
    code = main([*(SMALLER.get(word, word) for word in arguments), "--rows", "1000", "--quick"])
    lines = capsys.readouterr().out.splitlines()
    assert code == any(line.endswith("MISSED") for line in lines)
    printed: dict[str, Numbers] = {}
    for text in lines:
        if not text.startswith("  "):
            numbers = printed.setdefault(text, {})
            continue
        found = re.fullmatch(r"  (.*\S) +([\d.,e+-]+) \S.*?(?:  bar (.+): \w+)?", text)
        assert found is not None, text
        numbers[found[1]] = float(found[2].replace(",", "")), found[3] or ""
    return printed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_benchmark_of_the_page_runs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every number is there, and nothing is lost. How long it takes is no promise of a busy machine."""
    printed = printed_by(command, capsys)
    assert tuple(printed) == COMMANDS[command]
    for title, numbers in printed.items():
        assert {bar for _, bar in numbers.values()} == BARS[title]
        nothing = {name for name, (value, _) in numbers.items() if value == 0}
        assert nothing - {"acked and not yet done when the last one was acked"} == {
            name for name in ("lost or doubled", "refused, because too much was under way") if name in numbers
        }
    names = " ".join(printed.get("Audit log", {}))
    for words in ("time against a bare insert", "last 50 of a channel, p99", "text, a rare word, p99", "verify"):
        assert not names or words in names


def test_the_commands_of_the_page_are_those() -> None:
    assert [line for block in blocks("sh") for line in typed(block.text) if line.startswith("make bench")] == list(
        COMMANDS
    )


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
