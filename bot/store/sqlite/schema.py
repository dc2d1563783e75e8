"""The schema's migrations; see bot/store/migrations.py. A released migration never changes: add a new one at the end."""

from collections.abc import Iterable
from typing import Final

from sqlite_utils import Database, Migrations

from bot.store.errors import StoreProblem
from bot.store.migrations import refuse_contracted
from bot.store.sqlite.dialect import FULL_TEXT, GUARDS
from bot.store.tables import FIRST, subscriptions
from bot.store.tables.audit import operations_sql
from bot.store.tables.sql import Table

MIGRATIONS: Final = Migrations("signalbox")
# One value per file for Datasette and `file`: the ASCII letters "SgBx".
APPLICATION_ID: Final = 0x53674278


@MIGRATIONS()
def m001_schema(db: Database) -> None:
    """Make all tables of the first release."""
    _create(db, FIRST)
    for sql in (FULL_TEXT, *GUARDS.values()):
        db.execute(sql)
    db.create_view("operations", operations_sql("group_concat(user_id)"))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@MIGRATIONS()
def m002_subscriptions(db: Database) -> None:
    """Make the tables of `watch`."""
    _create(db, (subscriptions.TABLE, subscriptions.WATCHED))


def _create(db: Database, tables: Iterable[Table]) -> None:
    for table in tables:
        for sql in table.create("TEXT", "INTEGER"):
            db.execute(sql)


RELEASED: Final = (m001_schema.__name__, m002_subscriptions.__name__)
_BEFORE_RELEASE: Final = "m001_first_tables"


def pending(db: Database) -> list[str]:
    """Names of the migrations that this file still needs."""
    return [migration.name for migration in MIGRATIONS.pending(db)]


def applied(db: Database) -> list[str]:
    """Names of the applied migrations of this file, in order."""
    return [migration.name for migration in MIGRATIONS.applied(db)]


def refuse_foreign(db: Database) -> None:
    """Raises StoreProblem when the file belongs to another program or to a newer version of this one."""
    tables = set(db.table_names())
    if tables and MIGRATIONS.migrations_table not in tables:
        raise StoreProblem(
            "The store's file is another program's SQLite database.", "Check `[store] url`.", "store_not_a_database"
        )
    names = applied(db)
    if _BEFORE_RELEASE in names:
        raise StoreProblem(
            "The store was written before the first release. This version can't read it.",
            "Move the file away. The next start makes a new one.",
            "store_too_old",
        )
    refuse_contracted(names, RELEASED)


def migrate(db: Database) -> list[str]:
    """Apply the missing migrations in the open transaction. Returns their names."""
    todo = pending(db)
    if todo:
        MIGRATIONS.apply(db)
    return todo
