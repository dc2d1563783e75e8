"""What a start costs, in processor time against the least that could be done, so that a busy machine changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
EVERYTHING = "import bot.running; from bot import plugins; [plugins.load(kind) for kind in plugins.kinds()]"


def spent(code: str) -> float:
    """Seconds of processor time of a fresh process that does this, its interpreter included."""
    ends = f"{code}\nimport sys, time; print(time.process_time(), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ends], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stderr)


def times_as_dear(code: str, least: str) -> float:
    """The median of five pairs by turns: a processor that changes its pace changes both of a pair."""
    return median(spent(code) / spent(least) for _ in range(5))


def test_help_costs_little_more_than_the_interpreter() -> None:
    """0.4 s is the bar; the interpreter alone takes a twentieth of it."""
    assert times_as_dear("from bot.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass", "pass") < 4


def test_what_a_start_loads_costs_little_more_than_bolt_alone() -> None:
    """2 s to ready is the bar; Bolt alone takes a fifth of it."""
    assert times_as_dear(EVERYTHING, "import slack_bolt.async_app") < 5
