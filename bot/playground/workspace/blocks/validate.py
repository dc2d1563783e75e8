"""Slack's verdict on the blocks of a message, on a view, and on the options of an external menu."""

from __future__ import annotations

from typing import Any

from . import rules
from .limits import MESSAGE_BLOCKS, OPTIONS_ANSWERED
from .walker import Fault, Walker


def check_blocks(blocks: Any, surface: str = "message", pointer: str = "/blocks") -> list[Fault]:
    """The faults of a list of blocks on a surface: message, modal or home."""
    walker = Walker()
    walker.check(f"[@{surface}_block]", blocks, pointer, MESSAGE_BLOCKS if surface == "message" else None)
    rules.apply(walker)
    if surface == "message":
        rules.message_totals(walker, pointer)
    return walker.faults


def check_view(view: Any, kind: str, pointer: str = "/view") -> list[Fault]:
    """The faults of a view that should be a modal or a home."""
    if not isinstance(view, dict):
        return [Fault(pointer, "must provide an object")]
    if view.get("type") != kind:
        return [Fault(f"{pointer}/type", f"must be one of: {kind}")]
    walker = Walker()
    walker.object(kind, view, pointer, typed=True)
    rules.apply(walker)
    if kind == "modal" and "submit" not in view and any(row == "input" for _, row, _ in walker.seen):
        walker.fault(pointer, "missing required field: submit")
    return walker.faults


def check_options(answer: Any, pointer: str = "") -> list[Fault]:
    """The faults of the answer to a block_suggestion: `{"options": [...]}` or `{"option_groups": [...]}`."""
    walker = Walker()
    given = [n for n in ("options", "option_groups") if isinstance(answer, dict) and n in answer]
    if len(given) != 1:
        return [Fault(pointer or "/", "exactly one of these fields is needed: options, option_groups")]
    inner = "[#option]" if given[0] == "options" else "[#option_group]"
    walker.check(inner, answer[given[0]], f"{pointer}/{given[0]}", OPTIONS_ANSWERED)
    for where, row, option in list(walker.seen):
        if row == "option" and "value" not in option:
            walker.fault(where, "missing required field: value")
    return walker.faults
