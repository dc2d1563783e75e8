"""Migrations: applied once, listed, and a file is refused that an older version can't work with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlite_utils

from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.sqlite import database as unit
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.schema import MIGRATIONS, RELEASED, applied, m001_tables, migrate
from tests.store.samples import row


def test_a_new_file_needs_every_migration_and_then_none() -> None:
    db = sqlite_utils.Database(memory=True)
    assert applied(db) == []
    assert tuple(migrate(db)) == RELEASED
    assert tuple(applied(db)) == RELEASED
    assert migrate(db) == []
    db.close()


def test_migrations_are_numbered_in_order() -> None:
    assert [int(name[1:4]) for name in RELEASED] == list(range(1, len(RELEASED) + 1))


def test_opening_again_keeps_what_is_there(path: str) -> None:
    first = open_store(path)
    first.append_sync(row())
    first.close_sync()
    second = open_store(path)
    assert second.append_sync(row()) == 2
    assert second.database.read_sync(lambda tx: applied(sqlite_utils.Database(tx.connection))) == list(RELEASED)
    second.close_sync()


def later(*more: Callable[[sqlite_utils.Database], None]) -> sqlite_utils.Migrations:
    """The migrations of a later version."""
    migrations = sqlite_utils.Migrations("signalbox")
    for migration in (m001_tables, *more):
        migrations()(migration)
    return migrations


def m002_later(db: sqlite_utils.Database) -> None:
    db.execute("CREATE TABLE later (id TEXT)")
    db.execute("ALTER TABLE requests ADD COLUMN later TEXT")


def m003_contract_later(db: sqlite_utils.Database) -> None:
    db.execute("ALTER TABLE requests DROP COLUMN sent_at")


def apply(path: str, migrations: sqlite_utils.Migrations) -> list[str]:
    """What a later version applies at its start."""
    plain = sqlite3.connect(path)
    done = migrate(sqlite_utils.Database(plain), migrations)
    plain.commit()
    plain.close()
    return done


def test_a_later_version_adds_to_the_file_which_this_one_can_still_use(path: str) -> None:
    store = open_store(path)
    store.append_sync(row())
    store.close_sync()
    assert apply(path, later(m002_later)) == ["m002_later"]
    assert apply(path, later(m002_later)) == []
    store = open_store(path, exclusive=True)
    assert store.append_sync(row()) == 2
    assert store.verify_sync().ok
    store.close_sync()


def test_a_file_from_which_a_later_version_removed_something_is_refused(path: str) -> None:
    open_store(path).close_sync()
    assert apply(path, later(m002_later, m003_contract_later)) == ["m002_later", "m003_contract_later"]
    for _ in range(2):
        with pytest.raises(StoreProblem, match=r"newer signalbox .*m003_contract_later") as problem:
            open_store(path, exclusive=True)
        assert problem.value.code == "store_newer"


@pytest.mark.parametrize("name", ["m001_first_tables", "m001_schema"])
def test_a_file_from_before_the_first_release_is_refused_with_what_to_do(path: str, name: str) -> None:
    plain = sqlite3.connect(path, isolation_level=None)
    db = sqlite_utils.Database(plain)
    MIGRATIONS.ensure_migrations_table(db)
    plain.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('signalbox', ?, 'x')", (name,)
    )
    db.close()
    with pytest.raises(StoreProblem, match="before the first release") as problem:
        open_store(path)
    assert problem.value.code == "store_too_old"
    assert "Move the file away" in problem.value.hint


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: str) -> None:
    """Half of the first migration's tables are in the way of the other half."""
    plain = sqlite3.connect(path, isolation_level=None)
    db = sqlite_utils.Database(plain)
    MIGRATIONS.ensure_migrations_table(db)
    db.execute("CREATE TABLE watches (id TEXT)")
    db.close()
    with pytest.raises(StoreProblem):
        open_store(path)
    plain = sqlite3.connect(path)
    tables = {name for (name,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"_sqlite_migrations", "watches"}
    plain.close()


def test_a_large_file_is_opened_without_reading_all_of_it_and_checked_on_demand(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte takes SQLite seconds to check; the bot must be ready in two."""
    store = open_store(path)
    store.append_sync(*(row(request_id=f"r{number}", detail="x" * 500) for number in range(200)))
    page = store.database.read_sync(
        lambda db: db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_target_id'").fetchone()[0]
    )
    store.close_sync()
    with Path(path).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreProblem, match="damaged"):
        open_store(path)
    monkeypatch.setattr(unit, "QUICK_CHECK_BYTES", 0)
    store = open_store(path)
    with pytest.raises(StoreProblem, match="damaged") as problem:
        store.check_sync()
    assert problem.value.code == "store_corrupt"
    store.close_sync()
