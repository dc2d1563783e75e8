"""The schema's migrations; see bot/store/migrations.py. A released migration never changes: add a new one at the end."""

from typing import Final

from sqlite_utils import Database, Migrations

from bot.store.errors import StoreProblem
from bot.store.migrations import refuse_unreadable
from bot.store.sqlite.dialect import FULL_TEXT, GUARDS
from bot.store.tables import TABLES
from bot.store.tables.audit import operations_sql

MIGRATIONS: Final = Migrations("signalbox")
# One value per file for Datasette and `file`: the ASCII letters "SgBx".
APPLICATION_ID: Final = 0x53674278


@MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Make all tables of the first release."""
    for table in TABLES:
        for sql in table.create("TEXT", "INTEGER"):
            db.execute(sql)
    for sql in (FULL_TEXT, *GUARDS.values()):
        db.execute(sql)
    db.create_view("operations", operations_sql("group_concat(user_id)"))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@MIGRATIONS()
def m002_operations_of_forms(db: Database) -> None:
    """Make the view anew: the verb of a request from a form is what it asked for."""
    db.create_view("operations", operations_sql("group_concat(user_id)"), replace=True)


RELEASED: Final = (m001_tables.__name__, m002_operations_of_forms.__name__)


def applied(db: Database) -> list[str]:
    """Names of the applied migrations of this file, in order."""
    return [migration.name for migration in MIGRATIONS.applied(db)]


def refuse_foreign(db: Database) -> None:
    """Raises StoreProblem when the file belongs to another program, or to a version that is too old or too new."""
    tables = set(db.table_names())
    if tables and MIGRATIONS.migrations_table not in tables:
        raise StoreProblem(
            "The store's file is another program's SQLite database.", "Check `[store] url`.", "store_not_a_database"
        )
    refuse_unreadable(applied(db), RELEASED)


def migrate(db: Database, migrations: Migrations = MIGRATIONS) -> list[str]:
    """Apply the missing migrations in the open transaction. Returns their names."""
    todo = [migration.name for migration in migrations.pending(db)]
    if todo:
        migrations.apply(db)
    return todo
