"""The schema's history. A migration that was released is never edited again: what changes is a new one at the end."""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database, Migrations

from bot.store.sqlite.errors import StoreProblem
from bot.store.sqlite.tables import audit as register
from bot.store.sqlite.tables import buttons, grants, holds, messages, pauses, watches
from bot.store.sqlite.tables import requests as inbox
from bot.store.sqlite.tables import target_names as names

MIGRATIONS: Final = Migrations("signalbox")
# One value per file for Datasette and `file`: the ASCII letters "SgBx".
APPLICATION_ID: Final = 0x53674278


@MIGRATIONS()
def m001_first_tables(db: Database) -> None:
    """Every table of the first release."""
    for module in (register, inbox, messages, buttons, holds, watches, pauses, grants, names):
        module.create(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@MIGRATIONS()
def m002_tries_of_pauses(db: Database) -> None:
    """How often the end of a pause came to nothing, so that the next attempt can wait longer."""
    pauses.count_tries(db)


RELEASED: Final = (m001_first_tables.__name__, m002_tries_of_pauses.__name__)


def pending(db: Database) -> list[str]:
    """Names of the migrations that this file still needs."""
    return [migration.name for migration in MIGRATIONS.pending(db)]


def applied(db: Database) -> list[str]:
    """Names of the migrations that this file has had, in order."""
    return [migration.name for migration in MIGRATIONS.applied(db)]


def refuse_foreign(db: Database) -> None:
    """Raise StoreProblem when the file is another program's, or was written by a newer version of this one."""
    tables = set(db.table_names())
    if tables and MIGRATIONS.migrations_table not in tables:
        raise StoreProblem(
            "The store's file is a SQLite database of another program.",
            "Check `[store] url`.",
            "store_not_a_database",
        )
    unknown = [name for name in applied(db) if name not in RELEASED]
    if unknown:
        raise StoreProblem(
            f"The store was written by a newer signalbox (it has {', '.join(unknown)}).",
            "Install that version again, or restore the backup that was made before the upgrade.",
            "store_newer",
        )


def migrate(db: Database) -> list[str]:
    """Bring the file up to date in the transaction that is open; the names of what was applied now."""
    todo = pending(db)
    if todo:
        MIGRATIONS.apply(db)
    return todo
