"""Text that was made to confuse the patterns of masking: its cost grows with its length, not with the square of it."""

from __future__ import annotations

import time
from typing import Final

from bot.core.masking.redact import redact
from tests.bench.bars import Measure

HOSTILE: Final = ("password", "=", "token:", "://", "eyJ", "a")
LENGTH: Final = 60_000
TIMES: Final = 8  # work that grows with the square of the length costs 64 times as much


def run(length: int = LENGTH) -> list[Measure]:
    """For each hostile text, what a text that is eight times as long costs, as a multiple of the short one's cost."""
    measures: list[Measure] = []
    for word in HOSTILE:
        text = word * (length // len(word))
        ratio = _cost(text) / _cost(text[: len(text) // TIMES])
        measures.append((f"masking `{word}` repeated, {TIMES} times as long", ratio, "x", "< 24"))
    return measures


def _cost(text: str) -> float:
    """Processor seconds to mask it; the least of five, because other work only adds to it."""
    found = []
    for _ in range(5):
        began = time.process_time()
        redact(text, ["some-known-value"])
        found.append(time.process_time() - began)
    return max(min(found), 1e-6)
