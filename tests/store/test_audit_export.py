"""Exports: whole files for one's own eyes, exact as JSON Lines, safe in a spreadsheet and reversible as CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.audit import COLUMNS, Event, chain
from bot.core.records import Filters
from bot.core.text import storable
from bot.store.store import Store
from bot.store.tables import audit_export
from bot.store.tables.audit_export import guarded
from tests.store.samples import row

EVIL = [
    "=1+1", "+1", "-1", "@SUM(A1)", "|calc", "%0", "\t=1", "\r=1", "\n=1", " =1", "   +1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "\x00=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "\t", "\rx", "\nx", " \t-1", "'=1", "''=1", "'", '=HYPERLINK("http://x","y")',
]  # fmt: skip
TAME = ["", " ", "a=1", "shop/prices", "1-1", "é", "a\nb", 'a "quoted", word', "x'y", "5"]


@pytest.mark.parametrize("cell", EVIL)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == "'" + cell


@pytest.mark.parametrize("cell", TAME)
def test_what_is_harmless_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell


def unguarded(cell: str) -> str:
    """What a reader of the file takes a cell for."""
    return cell.removeprefix("'")


@given(st.text() | st.sampled_from(EVIL + TAME))
def test_the_guard_is_reversible(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


def partial_files(folder: Path) -> list[str]:
    return [left.name for left in folder.iterdir() if "partial" in left.name]


@pytest.fixture
async def filled(store: Store) -> Store:
    await store.append(*(row(Event.SENT, f"r{n}", reason=text, duration_ms=n) for n, text in enumerate(EVIL + TAME)))
    return store


async def test_json_lines_say_everything_exactly(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert filled.export_sync(str(file), "jsonl") == len(EVIL + TAME)
    last = "0" * 64
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    for line in lines:
        assert tuple(line) == COLUMNS
        assert (line["prev_hash"], line["hash"]) == (last, chain(last, line))
        last = line["hash"]
    assert [line["reason"] for line in lines] == [storable(text) for text in EVIL + TAME]


async def test_csv_comes_back_as_it_was_and_runs_nothing(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    assert filled.export_sync(str(file), "csv") == len(EVIL + TAME)
    with file.open(encoding="utf-8", newline="") as opened:
        header, *cells = list(csv.reader(opened))
    assert tuple(header) == COLUMNS
    entries = list(reversed(await filled.search(Filters(), limit=500)))
    for line, entry in zip(cells, entries, strict=True):
        for name, cell in zip(COLUMNS, line, strict=True):
            stored = getattr(entry, name)
            assert unguarded(cell) == ("" if stored is None else str(stored))
            assert cell.lstrip()[:1] not in set("=+-@|%")


async def test_an_export_is_private_and_replaces_the_file_at_once(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    file.write_text("before")
    file.chmod(0o644)
    filled.export_sync(str(file), "csv")
    assert file.stat().st_mode & 0o777 == 0o600
    assert partial_files(tmp_path) == []


async def test_an_export_that_fails_leaves_what_was_there(filled: Store, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    file.write_text("before")
    calls = 0

    def read(unit: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError("the disk is gone")
        return filled.database.read_sync(unit)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="gone"):
        audit_export.export(read, str(file), "csv")
    assert file.read_text() == "before"
    assert partial_files(tmp_path) == []


async def test_an_export_to_nowhere_and_in_no_form_is_refused(filled: Store, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        filled.export_sync(str(tmp_path / "nowhere" / "x.csv"), "csv")
    with pytest.raises(ValueError, match="xlsx"):
        filled.export_sync(str(tmp_path / "x"), "xlsx")


async def test_an_export_of_many_rows_is_whole(store: Store, tmp_path: Path) -> None:
    count = audit_export.CHUNK + 7
    for start in range(0, count, 250):
        await store.append(*(row(request_id=f"r{number}") for number in range(start, min(start + 250, count))))
    file = tmp_path / "audit.jsonl"
    assert store.export_sync(str(file), "jsonl") == count
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == list(range(1, count + 1))
