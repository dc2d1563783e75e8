"""Copies a whole store into an empty one, of the same or another database. The audit log is copied entry by entry, unchanged."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.core.ports.store import CLUSTER
from bot.core.records import Verdict, stamp
from bot.store.database import Tx
from bot.store.errors import StoreProblem
from bot.store.store import Store
from bot.store.tables import TABLES, audit, target_names
from bot.store.tables.sql import Table

CHUNK: Final = 2000
MOVED: Final = "store:moved"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows by table, and the head of the audit log, which is the same in both stores."""

    rows: dict[str, int]
    head: str | None


class _RehearsedError(Exception):
    """Rolls back a rehearsal."""


def copy_store(source: Store, target: Store, name: str, at: datetime, *, rehearse: bool = False) -> Copied:
    """Copy everything in one transaction, check both chains, and mark the source as moved to `name`. Blocks.

    Neither store may be in use. Raises StoreProblem, with the target empty and the source usable, when anything is wrong.
    """
    for store in (source, target):
        store.database.must_be_alone()
    refuse_moved(source)
    if target.database.read_sync(_filled):
        raise StoreProblem(
            "The target isn't empty. Nothing was copied.", "Name a new file or database.", "store_refused"
        )
    _checked(source.verify_sync(None), "source")
    head = source.head_sync()
    rows: dict[str, int] = {}

    def unit(tx: Tx) -> None:
        for table in TABLES:
            rows[table.name] = _fill(tx, table, source)
        tx.execute("DELETE FROM key_values WHERE key = ?", (CLUSTER,))  # nothing is missing in another cluster
        if audit.head(tx) != head:
            raise StoreProblem("The copied audit log has another head. Nothing was copied.", code="store_failed")
        source.database.must_be_alone()
        if source.head_sync() != head:
            raise StoreProblem(
                "The source changed meanwhile. Nothing was copied.", "Stop every replica first.", "store_locked"
            )
        if rehearse:
            raise _RehearsedError

    try:
        target.database.load_sync(unit)
    except _RehearsedError:
        return Copied(rows, head)
    _checked(target.verify_sync(head), "copy")
    source.database.write_sync(lambda tx: target_names.set_value(tx, MOVED, {"to": name}, stamp(at)))
    return Copied(rows, head)


def refuse_moved(store: Store) -> None:
    """Raises StoreProblem (store_moved) for a store that was copied to another one."""
    moved = store.database.read_sync(lambda tx: target_names.value(tx, MOVED))
    if isinstance(moved, dict):
        raise StoreProblem(
            f"This store was moved to {moved.get('to')}.", "Write that address into `[store] url`.", "store_moved"
        )


def _filled(tx: Tx) -> bool:
    return any(tx.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() for table in TABLES)


def _checked(verdict: Verdict, which: str) -> None:
    if not verdict.ok:
        raise StoreProblem(
            f"The audit log of the {which} isn't intact: {verdict.why} Nothing was copied.",
            "Run `signalbox audit verify`.",
            "store_corrupt",
        )


def _fill(tx: Tx, table: Table, source: Store) -> int:
    count = 0
    columns = audit.ORDER if table is audit.TABLE else table.names
    for rows in _chunks(table, columns, source):
        if table is audit.TABLE:
            tx.add_entries(rows)
        else:
            tx.load(table.name, columns, rows)
        count += len(rows)
    return count


def _chunks(table: Table, columns: Sequence[str], source: Store) -> Iterator[list[Sequence[Any]]]:
    """All rows in the order of their arrival, in short reads."""
    place = "seq" if table is audit.TABLE else "rowid"
    sql = f"SELECT {place}, {', '.join(columns)} FROM {table.name} WHERE {place} > ? ORDER BY {place} LIMIT ?"
    last = 0
    while True:
        after = last
        found = source.database.read_sync(lambda tx: tx.execute(sql, (after, CHUNK)).fetchall())  # noqa: B023  called at once
        if not found:
            return
        yield [row[1:] for row in found]
        last = found[-1][0]
