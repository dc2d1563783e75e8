"""Capability rows for tests, with everything said that a test does not care about."""

from __future__ import annotations

from typing import Any

from bot.core.command.capability import Capability, Risk


def row(verb: str, target: str, risk: Risk = Risk.CHANGE, **more: Any) -> Capability:
    """A row that may be repeated and has 30 seconds, unless `more` says otherwise; `more` are fields of a Capability."""
    usual = {"idempotent": True, "timeout": 30.0, "help": "Do it", "example": f"{verb} {target}"}
    return Capability(verb=verb, target=target, risk=risk, **{**usual, **more})
