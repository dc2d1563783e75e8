"""The store notices that its file is gone, is another one, or is older than it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.store import Store
from tests.store.samples import row


def opened(path: Path) -> Store:
    """The store of a running bot, with one entry."""
    store = open_store(str(path), exclusive=True)
    store.append_sync(row())
    return store


@pytest.mark.parametrize("lost", ["db", "db-wal"])
@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_nothing_is_recorded_in_a_file_that_is_not_the_open_one(tmp_path: Path, lost: str, how: str) -> None:
    """A deleted or replaced file or WAL refuses every write, also when a file lies there again."""
    store = opened(tmp_path / "signalbox.db")
    path = tmp_path / f"signalbox.{lost}"
    copy = tmp_path / "copy"
    shutil.copy(path, copy)
    path.unlink()
    if how == "replaced":
        shutil.copy(copy, path)
    for _ in range(2):
        with pytest.raises(StoreProblem) as problem:
            store.append_sync(row())
        assert problem.value.code == "store_replaced"
        assert "deleted, replaced or overwritten" in problem.value.summary
    with pytest.raises(StoreProblem):
        store.check_file()
    store.close_sync()


def test_an_older_copy_is_refused_at_the_start(tmp_path: Path) -> None:
    """The head of the last run is kept beside the file; a copy without it is refused, with what to do."""
    path, copy = tmp_path / "signalbox.db", tmp_path / "copy"
    opened(path).close_sync()
    shutil.copy(path, copy)
    opened(path).close_sync()
    shutil.copy(copy, path)
    with pytest.raises(StoreProblem) as problem:
        open_store(str(path), exclusive=True)
    assert problem.value.code == "store_rolled_back"
    assert "entry 2 of its audit log is missing" in problem.value.summary
    assert "delete signalbox.db.head" in problem.value.hint


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """A deleted store is not replaced by an empty one without a word."""
    path = tmp_path / "signalbox.db"
    opened(path).close_sync()
    path.unlink()
    with pytest.raises(StoreProblem, match="not the file of the last run"):
        open_store(str(path), exclusive=True)


def test_an_older_copy_is_accepted_when_its_kept_head_was_deleted(tmp_path: Path) -> None:
    """Which is how a person says that the older file is right."""
    path, copy = tmp_path / "signalbox.db", tmp_path / "copy"
    opened(path).close_sync()
    shutil.copy(path, copy)
    opened(path).close_sync()
    shutil.copy(copy, path)
    (tmp_path / "signalbox.db.head").unlink()
    opened(path).close_sync()
    assert (tmp_path / "signalbox.db.head").read_text().startswith("2:")
    assert (tmp_path / "signalbox.db.head").stat().st_mode & 0o077 == 0


def test_other_programs_may_read_and_write_the_file(tmp_path: Path) -> None:
    """A second connection that opens, writes and closes is no reason for alarm."""
    store = opened(tmp_path / "signalbox.db")
    other = open_store(str(tmp_path / "signalbox.db"))
    other.append_sync(row())
    other.close_sync()
    store.check_file()
    assert store.append_sync(row()) == 3
    store.close_sync()


def overwrite(path: Path, copy: Path) -> None:
    """As `cp copy path` does: the same file with other content."""
    path.write_bytes(copy.read_bytes())


@pytest.mark.parametrize("with_wal", [False, True])
def test_an_older_copy_over_the_open_file_is_noticed(tmp_path: Path, *, with_wal: bool) -> None:
    """The file keeps its identity. Whether or not its WAL is overwritten too, the next write is refused, and every later one."""
    path, wal = tmp_path / "signalbox.db", tmp_path / "signalbox.db-wal"
    opened(path).close_sync()
    shutil.copy(path, tmp_path / "old")
    store = open_store(str(path), exclusive=True)
    for _ in range(300):
        store.append_sync(*[row()] * 20)
    store.close_sync()
    store = open_store(str(path), exclusive=True)
    store.append_sync(row())
    overwrite(path, tmp_path / "old")
    if with_wal:
        wal.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(StoreProblem) as problem:
            store.append_sync(row())
        assert problem.value.code == "store_replaced"
    with pytest.raises(StoreProblem):
        store.check_file()
    store.close_sync()


def test_an_overwritten_wal_is_noticed(tmp_path: Path) -> None:
    path, wal = tmp_path / "signalbox.db", tmp_path / "signalbox.db-wal"
    store = opened(path)
    shutil.copy(wal, tmp_path / "old-wal")
    store.append_sync(row())
    overwrite(wal, tmp_path / "old-wal")
    with pytest.raises(StoreProblem) as problem:
        store.append_sync(row())
    assert problem.value.code == "store_replaced"
    store.close_sync()


def test_writing_back_the_wal_is_no_change_by_another(tmp_path: Path) -> None:
    """The bot's own checkpoints, and entries of other processes in between, are no reason for alarm."""
    store = opened(tmp_path / "signalbox.db")
    before = (tmp_path / "signalbox.db").stat().st_mtime_ns
    other = open_store(str(tmp_path / "signalbox.db"))
    for number in range(60):
        store.append_sync(*[row(detail="x" * 2_000)] * 100)
        if number % 10 == 0:
            other.append_sync(row())
    assert (tmp_path / "signalbox.db").stat().st_mtime_ns != before
    other.close_sync()
    assert store.append_sync(row()) == 1 + 6_000 + 6 + 1
    store.close_sync()
