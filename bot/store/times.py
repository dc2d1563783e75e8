"""Arithmetic on stamps; no clock is read here."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.rows import stamp


def earlier(at: str, seconds: float) -> str:
    """The stamp that many seconds before `at`."""
    return stamp(datetime.fromisoformat(at) - timedelta(seconds=seconds))


def later(at: str, seconds: float) -> str:
    """The stamp that many seconds after `at`."""
    return stamp(datetime.fromisoformat(at) + timedelta(seconds=seconds))
