"""Text that was made to confuse the patterns of masking: its cost grows with its length, not with the square of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from bot.core.masking.redact import redact
from tests.bench.bars import Measure

ORDINARY: Final = Path(__file__).parents[1] / "core/data/ordinary.log"
HOSTILE: Final = (
    "password", "=", "token:", "://", "eyJ", "a", "secret,=", "pwd;", "pw|", "--arg -p ", "az login ", "token ", "apikey ",
    "sshpass -p ", "bearer ", "\\u0070assword,", "\\e]", ";",
)  # fmt: skip
BEFORE: Final = {";": "password="}  # what a text begins with
LENGTH: Final = 60_000
TIMES: Final = 8  # work that grows with the square of the length costs 64 times as much


def run(length: int = LENGTH) -> list[Measure]:
    """For each hostile text: what one that is eight times as long costs, as a multiple of the short one's cost, and what it costs
    as a multiple of an ordinary log of the same length."""
    measures: list[Measure] = []
    ordinary = _cost(ORDINARY.read_text(encoding="utf-8")[:length])
    for word in HOSTILE:
        text = BEFORE.get(word, "") + word * (length // len(word))
        cost = _cost(text)
        measures.append(
            (f"masking `{word}` repeated, {TIMES} times as long", cost / _cost(text[: len(text) // TIMES]), "x", "< 24")
        )
        measures.append((f"masking `{word}` repeated, against an ordinary log", cost / ordinary, "x", "< 10"))
    return measures


def _cost(text: str) -> float:
    """Processor seconds to mask it; the least of five, because other work only adds to it."""
    found = []
    for _ in range(5):
        began = time.process_time()
        redact(text, ["some-known-value"])
        found.append(time.process_time() - began)
    return max(min(found), 1e-6)
