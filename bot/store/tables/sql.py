"""Helpers of all tables: their columns, rows as dictionaries, JSON columns, and a compare-and-set."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from bot.core.masking.redact import redact_json
from bot.core.text import storable
from bot.core.value import Json, canonical
from bot.store.database import Statement, Tx

M = TypeVar("M", bound=BaseModel)

LIMIT: Final = 1000
_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # in JSON text; not after a backslash that is escaped itself
_log = logging.getLogger("signalbox.store")
_NO_SECRETS: Final = ("request_id", "dedupe_key", "actor", "place", "at", "source", "target", "verb")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table: texts, or integers with `#`, and with `!` when they are never NULL. `key` is the primary key.

    The order of arrival is the column `rowid` in both databases.
    """

    name: str
    columns: str
    key: str
    indexes: tuple[str, ...] = ()
    references: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name.rstrip("!#") for name in self.columns.split())

    def create(self, text: str, integer: str, arrival: str = "") -> list[str]:
        """The statements that make it. `text` and `integer` are types, `arrival` the column of a database without `rowid`."""
        columns = [
            f"{name} {integer if '#' in mark else text}{' NOT NULL' * ('!' in mark)}"
            for name, mark in zip(self.names, self.columns.split(), strict=True)
        ]
        parts = [*columns, arrival, f"PRIMARY KEY ({self.key})", self.references]
        return [f"CREATE TABLE {self.name} ({', '.join(filter(None, parts))})", *self.indexes]


def dumped(value: object) -> str | None:
    """JSON text of a value or of plain data, without what no database can keep, NUL and surrogate halves; None stays None."""
    if value is None:
        return None
    try:
        text = value.model_dump_json() if isinstance(value, BaseModel) else storable(canonical(value))
    except PydanticSerializationError:  # a surrogate half
        text = storable(canonical(cast("BaseModel", value).model_dump(mode="json")))
    return _NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text


def found(db: Tx, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query, each a dictionary by column."""
    rows = db.execute(sql, parameters)
    names = [column[0] for column in rows.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def as_model(model: type[M], record: Mapping[str, Any], json_columns: Iterable[str]) -> M:
    """A stored row as its value. `json_columns` contain JSON text.

    Columns and fields that a newer version added are left out, because it may run beside this one.
    """
    data = dict(record)
    for name in json_columns:
        if data[name] is not None:
            data[name] = json.loads(data[name])
    return model.model_validate(data, extra="ignore")


def as_models(model: type[M], records: Iterable[Mapping[str, Any]], json_columns: Iterable[str]) -> list[M]:
    """Stored rows as values. A row that only a newer version can read, such as a new kind of request, waits for it."""
    read: list[M] = []
    for record in records:
        try:
            read.append(as_model(model, record, json_columns))
        except ValidationError:
            _warn(model.__name__)
    return read


@cache
def _warn(name: str) -> None:
    """Once for each sort of row."""
    _log.warning("a stored %s is from a newer version; it waits until that version leads", name)


def as_one(model: type[M], records: Sequence[Mapping[str, Any]], json_columns: Iterable[str]) -> M | None:
    """The only row of a query as its value; None without one, and for one that only a newer version can read."""
    return next(iter(as_models(model, records, json_columns)), None)


def changed(db: Tx, statement: Statement) -> bool:
    """Run an UPDATE whose WHERE is a compare-and-set. True when it changed a row."""
    return db.execute(*statement).rowcount > 0


def inserted(db: Tx, name: str, values: Mapping[str, Any]) -> None:
    """Insert one row with fixed SQL, which a statement cache can reuse."""
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", tuple(values.values()))


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
