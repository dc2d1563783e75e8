"""What a start costs, in processor time against the least that could be done: pairs by turns, so a busy machine changes both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.bench.bars import Measure

ROOT = Path(__file__).parents[2]
EVERYTHING = "import bot.cli.run; from bot import plugins; [plugins.load(kind) for kind in plugins.kinds()]"
HELP = "from bot.cli.main import main; main(['--help'])"


def run(times: int = 5) -> list[Measure]:
    """`signalbox --help` against a bare interpreter, and what `signalbox run` imports against Bolt alone."""
    return [
        ("signalbox --help / a bare interpreter, processor time", _ratio(HELP, "pass", times), "x", "< 4"),
        (
            "imports of a start / Bolt alone, processor time",
            _ratio(EVERYTHING, "import slack_bolt.async_app", times),
            "x",
            "< 5",
        ),
    ]


def _spent(code: str) -> float:
    """Seconds of processor time of a fresh process that runs `code`, its interpreter included."""
    ends = f"{code}\nimport sys, time; print(time.process_time(), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ends], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stderr)


def _ratio(code: str, least: str, times: int) -> float:
    return median(_spent(code) / _spent(least) for _ in range(times))
