"""Prefactor's error bodies: a plain shape, and one with a map of fields (SEED: both under `default`).

`{"status":"error","code","message"}` or `{"status":"error","code":"validation_errors","errors","message"}`. The type of
`errors` is not stated: a map of field to messages is what clients see (CODE), and any nesting of maps, lists and texts is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bot.core.errors import Rejected
from bot.core.masking.redact import redact

INVALID: Final = "validation_errors"
_MOST_FIELDS: Final = 20
_LONGEST: Final = 200
_DEEPEST: Final = 4


class Invalid(Rejected):
    """Fields were refused; `fields` are pairs of a field and its problem."""

    code = INVALID

    def __init__(self, summary: str, fields: tuple[tuple[str, str], ...], status: int | None) -> None:
        super().__init__(summary, "Correct them and send the command again. Nothing was changed.", status=status)
        self.fields = fields


def refusal(name: str, body: bytes, status: int, secrets: Iterable[str]) -> Rejected | None:
    """The problem in an error body of either shape; None for any other body."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("status") != "error":
        return None
    secrets = tuple(secrets)
    code = _line(str(value.get("code") or "error"), secrets)[:40]
    message = _line(str(value.get("message") or ""), secrets)
    fields = fields_of(value.get("errors"), secrets)
    tail = f": {message}" if message else "."
    if code == INVALID or fields:
        told = "; ".join(f"{field} {wrong}" for field, wrong in fields[:5])
        return Invalid(
            f"{name} refused these fields: {told}." if told else f"{name} refused the request{tail}", fields, status
        )
    return Rejected(
        f"{name} refused the request ({code}){tail}", code=code if code == "invalid_action" else None, status=status
    )


def fields_of(errors: Any, secrets: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """The problems by field, at most twenty; a problem without a field is under `request`."""
    secrets = tuple(secrets)
    found: dict[str, list[str]] = {}
    for field, wrong in _walk(errors, "", 0):
        name = _line(field.removeprefix("details."), secrets)[:60] or "request"
        if name in found or len(found) < _MOST_FIELDS:
            found.setdefault(name, []).append(_line(wrong, secrets))
    return tuple((field, "; ".join(dict.fromkeys(wrongs))[:_LONGEST]) for field, wrongs in found.items())


def _walk(errors: Any, field: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST or errors is None or errors == "":
        return
    if isinstance(errors, list):
        for item in errors:
            yield from _walk(item, field, depth + 1)
    elif isinstance(errors, dict):
        named = errors.get("field") or errors.get("path")
        said = errors.get("message") or errors.get("detail")
        if isinstance(named, str) and isinstance(said, str):
            yield named, said
            return
        for key, item in errors.items():
            yield from _walk(item, f"{field}.{key}" if field else str(key), depth + 1)
    else:
        yield field, str(errors)


def _line(text: str, secrets: tuple[str, ...]) -> str:
    return redact(" ".join(text[:2000].split()), secrets)[0][:_LONGEST]
