"""Checks a payload against the rows and collects every fault with its JSON pointer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .groups import GROUPS, KNOWN_BLOCKS
from .limits import TEXT, Limit, limit_of
from .rows import ROWS

URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+$")
TEXT_ROWS = {"plain": ("plain_text",), "mrkdwn": ("mrkdwn",), "text": ("plain_text", "mrkdwn")}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its JSON pointer and message."""

    pointer: str
    message: str

    @property
    def text(self) -> str:
        """The text in Slack's response_metadata.messages."""
        return f"{self.message} [json-pointer:{self.pointer}]"


def is_number(value: object, *, whole: bool) -> bool:
    """A JSON number (an integer when `whole`); booleans don't count."""
    return not isinstance(value, bool) and isinstance(value, int if whole else int | float)


_SCALARS: dict[str, tuple[Callable[[object], bool], str]] = {
    "str": (lambda v: isinstance(v, str), "must provide a string"),
    "bool": (lambda v: isinstance(v, bool), "must provide a boolean"),
    "int": (lambda v: is_number(v, whole=True), "must provide an integer"),
    "num": (lambda v: is_number(v, whole=False), "must provide a number"),
    "url": (lambda v: isinstance(v, str), "must provide a string"),
}


@dataclass(slots=True)
class Walker:
    """One pass over one payload; `seen` has (pointer, row, object) of every well-formed object."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def fault(self, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message))

    def check(self, expected: str, value: Any, pointer: str, limit: Limit | None = None) -> None:
        """Check a value against one entry of a row (see rows.py) and a limit."""
        if expected in _SCALARS:
            self._scalar(expected, value, pointer, limit)
        elif expected in TEXT_ROWS:
            self._text(expected, value, pointer, limit or TEXT)
        elif expected[0] == "=":
            words = expected[1:].split("|")
            if isinstance(value, bool | list | dict) or str(value) not in words or value is None:
                self.fault(pointer, f"must be one of: {', '.join(words)}")
        elif expected[0] == "#":
            self.object(expected[1:], value, pointer, typed=False)
        elif expected[0] == "@":
            self._member(expected[1:], value, pointer)
        else:
            self._list(expected[1:-1], value, pointer, limit, None)

    def object(self, row: str, value: Any, pointer: str, *, typed: bool) -> None:
        """Check an object's keys against its row; `typed` allows "type"."""
        if not isinstance(value, dict):
            self.fault(pointer, "must provide an object")
            return
        keys = {key.rstrip("!"): expected for key, expected in ROWS[row].items()}
        for key in ROWS[row]:
            if key.endswith("!") and key[:-1] not in value:
                self.fault(pointer, f"missing required field: {key[:-1]}")
        for key, given in value.items():
            if key not in keys:
                if not (typed and key == "type"):
                    self.fault(pointer, f"invalid additional property: {key}")
                continue
            self._entry(row, key, keys[key], given, f"{pointer}/{key}")
        self.seen.append((pointer, row, value))

    def _entry(self, row: str, key: str, expected: str, given: Any, pointer: str) -> None:
        limit = limit_of(row, key)
        if expected[0] == "[":
            self._list(expected[1:-1], given, pointer, limit, limit_of(row, key + "[]"))
        else:
            self.check(expected, given, pointer, limit)

    def _list(self, inner: str, value: Any, pointer: str, limit: Limit | None, each: Limit | None) -> None:
        if not isinstance(value, list):
            self.fault(pointer, "must provide an array")
            return
        if limit is not None and len(value) < limit[0]:
            self.fault(pointer, f"no fewer than {limit[0]} items allowed")
        if limit is not None and len(value) > limit[1]:
            self.fault(pointer, f"no more than {limit[1]} items allowed")
        for index, given in enumerate(value):
            self.check(inner, given, f"{pointer}/{index}", each)

    def _scalar(self, expected: str, value: Any, pointer: str, limit: Limit | None) -> None:
        holds, complaint = _SCALARS[expected]
        if not holds(value):
            self.fault(pointer, complaint)
            return
        if isinstance(value, str):
            self._length(value, pointer, limit)
            if expected == "url" and value and not URL.match(value):
                self.fault(pointer, "must provide a valid url")
        elif limit is not None and not isinstance(value, bool) and not limit[0] <= value <= limit[1]:
            self.fault(pointer, f"must be between {limit[0]} and {limit[1]}")

    def _length(self, value: str, pointer: str, limit: Limit | None) -> None:
        if limit is None:
            return
        if len(value) < limit[0]:
            self.fault(pointer, f"must be more than {limit[0] - 1} characters")
        if len(value) > limit[1]:
            self.fault(pointer, f"must be less than {limit[1] + 1} characters")

    def _text(self, expected: str, value: Any, pointer: str, limit: Limit) -> None:
        allowed = TEXT_ROWS[expected]
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            self.fault(pointer, f"must provide a text object of type {' or '.join(allowed)}")
            return
        self.object(str(kind), value, pointer, typed=True)
        if isinstance(value.get("text"), str):
            self._length(value["text"], f"{pointer}/text", limit)

    def _member(self, group: str, value: Any, pointer: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(kind, str):
            self.fault(pointer, "must provide an object with a type")
            return
        row = GROUPS[group].get(kind)
        if row is None:
            known = group.endswith("_block") and kind in KNOWN_BLOCKS
            reason = f"unsupported type on this surface: {kind}" if known else f"unsupported type: {kind}"
            self.fault(pointer, reason)
            return
        self.object(row, value, pointer, typed=True)
        if kind in ("plain_text", "mrkdwn") and isinstance(value.get("text"), str):
            self._length(value["text"], f"{pointer}/text", TEXT)
