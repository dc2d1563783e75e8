"""Who asks the bot of `tests/station.py`, and where. Imports nothing of it: a process that only sends commands needs this too."""

from __future__ import annotations

from typing import Final

SIGNING_SECRET: Final = "benchmark-signing-not-a-secret"
TEAM, CHANNEL = "T0BENCH", "C0BENCH"
PEOPLE: Final = tuple(f"U0BENCH{number:02}" for number in range(100))  # a hundred, because each person has a rate limit
