"""The commands of docs/explanation/scaling.md run, with small numbers."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.docs import ROOT, commands_of
from tests.faults import __main__ as campaign
from tests.faults import measure
from tests.fork_server import ForkServer


def all_of(start: str) -> list[list[str]]:
    """The arguments of every such command of the page, with everything done once."""
    commands = commands_of("docs/explanation/scaling.md", start)
    return [re.sub(r"\b\d+\b", "1", command.removeprefix(start)).split() for command in commands]


def test_a_campaign_breaks_no_promise(fork_server: ForkServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The one with the most options: the others have no further one."""
    every = all_of(".venv/bin/python -m tests.faults ")
    most = max(every, key=len)
    assert all(set(one) <= set(most) for one in every)
    assert campaign.main(campaign.planned(most), fork_server) == 0
    assert capsys.readouterr().out.endswith("no promise was broken\n")


def test_times_are_measured(fork_server: ForkServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With one deploy of the two, where they aren't left out."""
    assert sorted(all_of(".venv/bin/python -m tests.faults.measure ")) == [
        ["--number", "1"],
        ["--number", "1", "--modes"],
    ]
    measure.main(measure.asked(["--number", "1", "--modes", "http", "--rate", "5"]), fork_server)
    printed = capsys.readouterr().out
    assert "the store's part of an ack: n 1, " in printed
    assert re.search(r"rolling deploy of three replicas, http mode, 5 commands per second: \d+ commands in ", printed)


def test_requests_are_accepted_to_be_counted() -> None:
    """Without valgrind, which counts the instructions."""
    ((*_, program, count),) = all_of("PYTHONPATH=TREE valgrind ")
    ended = subprocess.run(
        [sys.executable, program, count],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert re.fullmatch(r"\d+ us of processor time, median \d+ us\n", ended.stdout)
