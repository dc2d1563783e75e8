"""Helpers of all tables: rows as dictionaries, JSON columns, and a compare-and-set."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel
from sqlite_utils import Database
from sqlite_utils.db import Table

from bot.core.redact import redact_json
from bot.core.value import Json, canonical

M = TypeVar("M", bound=BaseModel)

LIMIT: Final = 1000
_NO_SECRETS: Final = ("request_id", "dedupe_key", "actor", "place", "at", "source", "target", "verb")


def table(db: Database, name: str) -> Table:
    """The table of that name, typed."""
    return cast(Table, db[name])


def dumped(value: object) -> str | None:
    """JSON text of a value or of plain data; None stays None."""
    if value is None:
        return None
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return canonical(value)


def found(db: Database, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query, each a dictionary by column."""
    cursor = db.conn.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def as_model(model: type[M], record: Mapping[str, Any], json_columns: Iterable[str]) -> M:
    """A stored row as its value. `json_columns` contain JSON text."""
    data = dict(record)
    for name in json_columns:
        if data[name] is not None:
            data[name] = json.loads(data[name])
    return model.model_validate(data)


def changed(db: Database, sql: str, parameters: Sequence[Any]) -> bool:
    """Run an UPDATE whose WHERE is a compare-and-set. True when it changed a row."""
    return db.conn.execute(sql, parameters).rowcount > 0


def inserted(db: Database, name: str, values: Mapping[str, Any]) -> None:
    """Insert one row with fixed SQL, which SQLite's statement cache can reuse."""
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    db.conn.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", tuple(values.values()))


def masked(text: str | None, secrets: Iterable[str]) -> str | None:
    """A JSON text with its secrets masked. Names and ids stay unchanged."""
    if text is None:
        return None
    document: dict[str, Json] = json.loads(text)
    changed = {
        name: value
        if name in _NO_SECRETS
        else redact_json(value, "" if isinstance(value, list | dict) else name, secrets)
        for name, value in document.items()
    }
    return text if changed == document else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
