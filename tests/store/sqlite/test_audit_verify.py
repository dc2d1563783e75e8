"""Verify finds every change of a stored row, and with a published head every cut and every audit log written anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from bot.core.audit import COLUMNS, Event, chain
from bot.core.records import Verdict
from bot.store.open import open_store
from bot.store.sqlite.database import SqliteTx
from bot.store.sqlite.dialect import GUARDS
from bot.store.sqlite.driver import sqlite3
from bot.store.tables import audit_verify
from tests.store.samples import after, row

ROWS = 6


def sample(number: int) -> Any:
    texts = {
        name: f"{name} é {number}"
        for name in ("reason", "rule", "detail", "target_name", "target_id", "code", "digest")
    }
    return row(Event.SENT, f"r{number}", at=after(number), params='{"a":1}', duration_ms=number + 10, **texts)


@pytest.fixture
def written(tmp_path: Path) -> str:
    path = str(tmp_path / "signalbox.db")
    store = open_store(path)
    store.append_sync(*(sample(number) for number in range(ROWS)))
    store.close_sync()
    return path


@pytest.fixture
def forger(written: str) -> Iterator[sqlite_utils.Database]:
    """A connection of somebody who may write the file and has taken the guards away."""
    db = sqlite_utils.Database(sqlite3.connect(written, isolation_level=None), recursive_triggers=False)
    yield db
    db.close()


def unguarded(db: sqlite_utils.Database) -> sqlite_utils.Database:
    for name in GUARDS:
        db.execute(f"DROP TRIGGER {name}")
    return db


def guarded_again(db: sqlite_utils.Database) -> None:
    for sql in GUARDS.values():
        db.execute(sql)


def judged(path: str, head: str | None = None) -> Verdict:
    store = open_store(path)
    try:
        return store.verify_sync(head)
    finally:
        store.close_sync()


def head_of(db: sqlite_utils.Database) -> str:
    seq, digest = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return f"{seq}:{digest}"


def test_an_untouched_audit_log_is_well_and_says_what_it_could_not_see(written: str) -> None:
    verdict = judged(written)
    assert (verdict.ok, verdict.rows, verdict.first_bad_seq, verdict.tail_checked) == (True, ROWS, None, False)
    assert "deleted last entries" in verdict.why
    with_head = judged(written, verdict.head)
    assert (with_head.ok, with_head.tail_checked, with_head.why) == (True, True, "")


def test_an_empty_audit_log_is_well(path: str) -> None:
    assert judged(path) == Verdict(
        True, 0, None, "Without a published head, deleted last entries can't be detected.", None, False
    )


def test_every_flip_of_one_byte_of_a_row_is_found(forger: sqlite_utils.Database) -> None:
    """Each byte of each column of one row in the middle, in two of its bits, and each null made empty."""
    db = unguarded(forger)
    db.conn.text_factory = bytes
    stored = dict(zip(COLUMNS, db.execute("SELECT * FROM audit WHERE seq = 3").fetchone(), strict=True))
    db.conn.text_factory = str
    tried = 0
    for column, value in stored.items():
        for changed in _flips(value):
            db.execute("BEGIN")
            db.execute(f"UPDATE audit SET {column} = {changed[0]} WHERE seq = 3", changed[1:])
            verdict = audit_verify.verify(lambda unit: unit(SqliteTx(db.conn)))
            assert not verdict.ok, (column, changed)
            assert verdict.first_bad_seq == 3, (column, changed, verdict)
            db.execute("ROLLBACK")
            tried += 1
    assert tried > 600


def _flips(value: object) -> Iterator[tuple[Any, ...]]:
    if value is None:
        yield ("''",)
        yield ("0",)
    elif isinstance(value, int):
        yield from (("?", value ^ (1 << bit)) for bit in (3, 10, 40, 62))
        yield ("NULL",) if value not in (1, 3) else ("?", 1 << 50)  # `v` and `seq` are never null
    elif isinstance(value, bytes):
        for place in range(len(value)):
            for bit in (0x01, 0x80):
                flipped = bytearray(value)
                flipped[place] ^= bit
                yield ("CAST(? AS TEXT)", bytes(flipped))
        yield ("CAST(? AS BLOB)", value)
        yield ("?", value.decode() + " ")


@pytest.mark.parametrize("seq", [1, 3, ROWS])
def test_a_dropped_row_is_found(written: str, forger: sqlite_utils.Database, seq: int) -> None:
    head = head_of(forger)
    unguarded(forger).execute("DELETE FROM audit WHERE seq = ?", [seq])
    guarded_again(forger)
    forger.close()
    verdict = judged(written, head)
    assert (verdict.ok, verdict.first_bad_seq) == (False, seq)
    assert judged(written).ok is (seq == ROWS), "without a head only a cut tail goes unseen"


def test_a_dropped_row_whose_gap_was_closed_is_found(written: str, forger: sqlite_utils.Database) -> None:
    unguarded(forger).execute("DELETE FROM audit WHERE seq = 3")
    forger.execute("UPDATE audit SET seq = seq - 1 WHERE seq > 3")
    guarded_again(forger)
    forger.close()
    assert (judged(written).ok, judged(written).first_bad_seq) == (False, 3)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 5), (5, 6)])
def test_two_rows_that_changed_places_are_found(
    written: str, forger: sqlite_utils.Database, one: int, other: int
) -> None:
    unguarded(forger)
    for old, new in ((one, 99), (other, one), (99, other)):
        forger.execute("UPDATE audit SET seq = ? WHERE seq = ?", [new, old])
    guarded_again(forger)
    forger.close()
    assert (judged(written).ok, judged(written).first_bad_seq) == (False, one)


@pytest.mark.parametrize("keep", [0, 1, 4])
def test_a_cut_tail_is_found_with_the_published_head(written: str, forger: sqlite_utils.Database, keep: int) -> None:
    head = head_of(forger)
    unguarded(forger).execute("DELETE FROM audit WHERE seq > ?", [keep])
    guarded_again(forger)
    forger.close()
    verdict = judged(written, head)
    assert (verdict.ok, verdict.first_bad_seq, verdict.tail_checked) == (False, keep + 1, True)
    assert "the last entries were deleted" in verdict.why


def test_an_audit_log_written_anew_is_found_with_the_published_head(
    written: str, forger: sqlite_utils.Database
) -> None:
    """Somebody who changes a row and computes every hash behind it again makes a good chain, with another head."""
    head = head_of(forger)
    unguarded(forger).execute("UPDATE audit SET user_id = 'U0EVIL' WHERE seq = 2")
    last = "0" * 64
    for record in list(forger.query("SELECT * FROM audit ORDER BY seq")):
        digest = chain(last, record)
        forger.execute("UPDATE audit SET prev_hash = ?, hash = ? WHERE seq = ?", [last, digest, record["seq"]])
        last = digest
    guarded_again(forger)
    forger.close()
    assert judged(written).ok
    verdict = judged(written, head)
    assert (verdict.ok, verdict.first_bad_seq) == (False, ROWS)
    assert "published" in verdict.why


def test_an_older_head_still_fits_after_more_rows(written: str) -> None:
    store = open_store(written)
    head = store.head_sync()
    store.append_sync(*(sample(number) for number in range(3)))
    assert store.verify_sync(head).ok
    assert store.verify_sync(f"4:{'0' * 64}").first_bad_seq == 4
    store.close_sync()


@pytest.mark.parametrize("head", ["", "7", "x:y", "1:abc", f"-1:{'0' * 64}", f"1:{'G' * 64}"])
def test_a_head_that_is_none_is_refused(written: str, head: str) -> None:
    verdict = judged(written, head)
    assert not verdict.ok
    assert "SEQ:HASH" in verdict.why


@pytest.mark.parametrize("guard", list(GUARDS))
def test_a_missing_or_changed_guard_is_told(written: str, forger: sqlite_utils.Database, guard: str) -> None:
    forger.execute(f"DROP TRIGGER {guard}")
    forger.execute(f"CREATE TRIGGER {guard} BEFORE DELETE ON audit WHEN 0 BEGIN SELECT 1; END")
    forger.close()
    verdict = judged(written)
    assert not verdict.ok
    assert guard in verdict.why
