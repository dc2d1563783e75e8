"""How the program uses Python, in a fresh process: it changes the whole one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURE = """
import gc, time
from bot import interpreter

kept = [{"number": [number]} for number in range(300_000)]

def looked_through() -> float:
    began = time.process_time()
    gc.collect()
    return time.process_time() - began

before = min(looked_through() for _ in range(3))
interpreter.settle()
print(before / max(min(looked_through() for _ in range(3)), 1e-6))
"""


def test_what_stands_after_the_start_is_not_looked_through_for_garbage_again() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) > 5
