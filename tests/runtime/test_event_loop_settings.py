"""How the program uses Python, in a fresh process: it changes the whole one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc
from bot.runtime import event_loop

kept = [{"number": [number]} for number in range(1_000)]
event_loop.settle()
print(gc.get_freeze_count(), gc.get_count()[2])
"""


def test_what_exists_after_the_start_is_left_out_of_garbage_collection() -> None:
    """Everything that was allocated until then is frozen, so no later collection walks through it."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    frozen, _ = map(int, done.stdout.split())
    assert frozen > 2_000
