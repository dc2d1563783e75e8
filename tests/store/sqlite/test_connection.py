"""The writer: units that wait share a commit and nothing else; what goes wrong has a code and leaves no trace."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
import sqlite_utils

from bot.core.errors import Problem
from bot.core.records import Filters
from bot.store.database import Tx
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.sqlite.database import SqliteDatabase
from bot.store.sqlite.driver import sqlite3, sqlite_version, sqlite_warning
from bot.store.sqlite.file_guard import WriteGate
from bot.store.store import Store
from tests.store.batches import Blocker, batch_behind
from tests.store.samples import row


def side_files(path: str) -> list[str]:
    return [left.name for left in Path(path).parent.iterdir() if left.name.endswith(("-wal", "-shm"))]


async def test_what_nobody_outside_waits_for_is_committed_with_what_comes_next(store: Store) -> None:
    patient = [asyncio.ensure_future(store.append(row(request_id=f"r{number}"))) for number in range(3)]
    await asyncio.sleep(0)
    urgent = await store.database.write(lambda db: len(db.execute("SELECT 1 FROM audit").fetchall()), urgent=True)
    assert urgent == 3, "in their order"
    assert sorted(await asyncio.gather(*patient)) == [1, 2, 3]


async def test_a_unit_that_raises_is_rolled_back_alone(store: Store) -> None:
    def broken(db: Tx) -> int:
        db.execute("INSERT INTO key_values VALUES ('broken', '1', 'now')")
        raise ValueError("mine")

    before, behind = (
        [partial(store.append, row(request_id=f"r{number}")) for number in numbers]
        for numbers in (range(7), range(7, 19))
    )
    answers = await batch_behind(store, *before, lambda: store.database.write(broken), *behind)
    assert isinstance(answers[7], ValueError)
    assert [answer for answer in answers if isinstance(answer, int)] == list(range(1, 20))
    assert await store.value("broken") is None
    assert store.verify_sync(await store.head()).rows == 19


async def test_a_unit_that_sqlite_refuses_is_rolled_back_alone(store: Store) -> None:
    def twice(db: Tx) -> None:
        for _ in range(2):
            db.execute("INSERT INTO key_values VALUES ('twice', '1', 'now')")

    append = partial(store.append, row())
    answers = await batch_behind(store, append, lambda: store.database.write(twice), append)
    assert answers[0] == 1
    assert isinstance(answers[1], StoreProblem)
    assert answers[1].code == "store_refused"
    assert answers[2] == 2
    assert await store.value("twice") is None


async def test_an_error_that_nobody_knows_is_told_without_its_text(store: Store) -> None:
    with pytest.raises(StoreProblem) as problem:
        await store.database.write(lambda db: db.execute("SELECT the_value FROM audit"))
    assert (problem.value.code, problem.value.summary) == ("store_failed", "The store failed (SQLITE_ERROR).")


async def test_a_unit_that_ends_the_transaction_fails_the_whole_batch_and_no_half_of_it(store: Store) -> None:
    append = partial(store.append, row())
    answers = await batch_behind(store, append, lambda: store.database.write(lambda db: db.rollback() or 1 / 0), append)
    assert isinstance(answers[1], ZeroDivisionError)
    assert [type(answers[0]), type(answers[2])] == [StoreProblem, StoreProblem]
    assert await store.head() is None
    assert await store.append(row()) == 1


async def test_a_commit_that_fails_fails_every_waiter(store: Store) -> None:
    """A deferred foreign key is checked at the commit, which one bad unit of the batch makes fail."""

    def bad(db: Tx) -> None:
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO votes VALUES ('nobody', 'U', 'U', 'approve', NULL, 'now')")

    append = partial(store.append, row())
    answers = await batch_behind(store, append, lambda: store.database.write(bad), append)
    assert [answer.code for answer in answers if isinstance(answer, Problem)] == ["store_refused"] * 3
    assert await store.head() is None
    assert await store.append(row()) == 1


async def test_a_waiter_that_was_cancelled_harms_nobody(store: Store) -> None:
    blocker = Blocker()
    first = asyncio.ensure_future(store.database.write(blocker.unit))
    await asyncio.get_running_loop().run_in_executor(None, blocker.entered.wait, 60)
    given_up = asyncio.ensure_future(store.append(row()))
    other = asyncio.ensure_future(store.append(row()))
    await asyncio.sleep(0.05)
    given_up.cancel()
    blocker.go.set()
    await first
    assert await other == 2
    assert given_up.cancelled()


async def test_closing_finishes_what_waits_and_then_refuses(path: str) -> None:
    store = open_store(path)
    calls = [asyncio.ensure_future(store.append(row())) for _ in range(300)]
    await asyncio.sleep(0)
    await store.close()
    assert sorted(await asyncio.gather(*calls)) == list(range(1, 301))
    for call in (store.append(row()), store.head()):
        with pytest.raises(StoreProblem) as problem:
            await call
        assert problem.value.code == "store_closed"
    await store.close()
    assert side_files(path) == [], "a clean stop leaves one whole file"


async def test_readers_cannot_write_and_see_what_was_committed(store: Store) -> None:
    await store.append(row())
    with pytest.raises(StoreProblem) as problem:
        await store.database.read(lambda db: db.execute("DELETE FROM key_values"))
    assert problem.value.code == "store_readonly"
    assert len(await store.search(Filters())) == 1


async def test_the_connection_is_set_up_to_lose_nothing(store: Store) -> None:
    def settings(db: Tx) -> list[object]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await store.database.write(settings) == ["wal", 2, 1]


async def test_the_files_are_the_bots_alone(path: str, store: Store) -> None:
    await store.append(row())
    modes = {name.name: name.stat().st_mode & 0o777 for name in Path(path).parent.iterdir()}
    assert len(modes) >= 4
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(path: str) -> None:
    open_store(path).close_sync()
    Path(path).chmod(0o644)
    open_store(path).close_sync()
    assert Path(path).stat().st_mode & 0o777 == 0o600


async def test_a_second_bot_is_refused_until_the_first_stops(path: str) -> None:
    first = open_store(path, exclusive=True)
    with pytest.raises(StoreProblem) as problem:
        open_store(path, exclusive=True)
    assert problem.value.code == "store_locked"
    beside = open_store(path)
    assert beside.append_sync(row()) == 1
    beside.close_sync()
    assert await first.append(row()) == 2
    await first.close()
    await open_store(path, exclusive=True).close()


async def test_a_full_disk_is_told_and_leaves_a_good_audit_log(store: Store) -> None:
    await store.append(row())
    pages = await store.database.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store.database.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 8}").fetchone())

    async def fill() -> None:
        for number in range(200):
            await store.append(row(request_id=f"r{number}", detail="x" * 2000))

    with pytest.raises(StoreProblem) as problem:
        await fill()
    assert problem.value.code == "store_full"
    assert problem.value.hint
    before = await store.head()
    assert store.verify_sync(before).ok
    await store.database.write(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())
    await store.append(row())
    assert store.verify_sync(before).ok


async def test_a_full_disk_in_a_batch_fails_those_that_did_not_fit_and_only_those(store: Store) -> None:
    pages = await store.database.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store.database.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 8}").fetchone())
    calls = [partial(store.append, row(request_id=f"r{number}", detail="x" * 2000)) for number in range(60)]
    answers = await batch_behind(store, *calls)
    failed = [answer.code for answer in answers if isinstance(answer, StoreProblem)]
    assert set(failed) == {"store_full"}
    verdict = store.verify_sync(await store.head())
    assert verdict.ok
    assert verdict.rows == len(answers) - len(failed)


async def test_a_connection_that_may_not_write_is_told(store: Store) -> None:
    await store.database.write(lambda db: db.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreProblem) as problem:
        await store.append(row())
    assert problem.value.code == "store_readonly"


def test_a_file_that_the_user_may_not_write_is_told() -> None:
    """In a child of its own, because root may write everything."""
    code = (
        "import os, sys\n"
        "from bot.store.open import open_store\n"
        "from bot.store.errors import StoreProblem\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: open_store(sys.argv[1])\n"
        "except StoreProblem as problem: print(problem.code)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "signalbox.db")
        open_store(path).close_sync()
        for made in Path(folder).iterdir():
            made.chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=False
        )
        Path(folder).chmod(0o755)
    assert done.stdout.strip() == "store_readonly", done.stderr


def test_a_file_that_is_no_database_is_told_and_not_touched(path: str) -> None:
    text = "This is not a database. " * 100
    Path(path).write_text(text)
    with pytest.raises(StoreProblem) as problem:
        open_store(path)
    assert problem.value.code == "store_not_a_database"
    assert Path(path).read_text() == text


def test_a_database_of_another_program_is_told_and_not_touched(path: str) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    with pytest.raises(StoreProblem) as problem:
        open_store(path)
    assert problem.value.code == "store_not_a_database"
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
    other.close()


def test_a_damaged_file_is_told_at_the_start(path: str) -> None:
    store = open_store(path)
    store.append_sync(*(row(request_id=f"r{number}", detail="x" * 500) for number in range(200)))
    store.close_sync()
    content = bytearray(Path(path).read_bytes())
    for page in range(20, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 200] = os.urandom(200)
    Path(path).write_bytes(content)
    with pytest.raises(StoreProblem) as problem:
        open_store(path)
    assert problem.value.code == "store_corrupt"


def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreProblem) as problem:
        open_store(str(tmp_path / "nowhere" / "signalbox.db"))
    assert problem.value.code == "store_unreachable"


async def test_a_locked_database_is_told_after_some_patience_and_works_again(path: str) -> None:
    store = open_store(path, patience=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreProblem) as problem:
        await store.append(row())
    assert problem.value.code == "store_busy"
    other.execute("ROLLBACK")
    other.close()
    assert await store.append(row()) == 1
    await store.close()


async def test_nobody_commits_or_checkpoints_while_another_process_does(path: str) -> None:
    """What keeps clear of SQLite's WAL-reset bug, in any of its versions."""
    store = open_store(path, patience=0.1)
    gate = WriteGate(path, 1.0)
    with gate.held():
        with pytest.raises(StoreProblem) as problem:
            await store.append(row())
        assert problem.value.code == "store_busy"
        with pytest.raises(StoreProblem):
            SqliteDatabase(path, patience=0.05)
    assert await store.append(row()) == 1
    gate.close()
    await store.close()


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("3.6.23", False),
        ("3.7.0", True),
        ("3.40.1", True),
        ("3.44.5", True),
        ("3.44.6", False),
        ("3.45.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.51.2", True),
        ("3.51.3", False),
        ("3.54.1", False),
    ],
)
def test_versions_with_the_wal_reset_bug_are_warned_of(version: str, warned: bool) -> None:
    assert (sqlite_warning(version) is not None) is warned


def test_the_warning_is_about_the_sqlite_that_is_used() -> None:
    assert sqlite_version() == sqlite_utils.Database(memory=True).execute("SELECT sqlite_version()").fetchone()[0]
    assert sqlite_warning() == sqlite_warning(sqlite_version())
