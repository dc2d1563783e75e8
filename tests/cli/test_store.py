"""`signalbox store`: a store moves to PostgreSQL and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.exit_codes import CliError
from bot.cli.store import copy
from bot.core.errors import Problem
from bot.core.records import Filters
from bot.store.open import open_store
from tests.store.samples import row


def test_a_store_moves_to_postgresql_and_back(tmp_path: Path, database_url: str) -> None:
    here, there, back = f"sqlite:///{tmp_path}/here.db", database_url, f"sqlite:///{tmp_path}/back.db"
    first = open_store(tmp_path / "here.db")
    first.append_sync(row(reason="once"))
    first.close_sync()
    lines: list[str] = []
    copy(here, there, lines.append, rehearse=True)
    assert "Nothing was changed" in lines[-1]
    copy(here, there, lines.append, rehearse=False)
    assert lines[-1] == f'Write url = "{there}" into [store], then start the bot.'
    assert "Both audit logs are intact" in lines[-2]
    with pytest.raises(Problem, match="This store was moved to"):
        copy(here, there, lines.append, rehearse=False)
    copy(there, back, lines.append, rehearse=False)
    assert lines[-1] == f'Write url = "{back}" into [store], then start the bot.'
    last = open_store(tmp_path / "back.db")
    assert len(last.search_sync(Filters(text="once"))) == 1
    last.close_sync()


def test_the_way_back_names_the_earlier_file_that_is_in_its_place(tmp_path: Path, database_url: str) -> None:
    file, here = tmp_path / "here.db", f"sqlite:///{tmp_path}/here.db"
    first = open_store(file, exclusive=True)
    first.append_sync(row(reason="once"))
    first.close_sync()
    copy(here, database_url, str, rehearse=False)
    move = r"Nothing was copied\. Move here\.db and here\.db\.head away first"
    with pytest.raises(CliError, match=move):
        copy(database_url, here, str, rehearse=False)
    file.rename(tmp_path / "kept.db")
    with pytest.raises(CliError, match=move):
        copy(database_url, here, str, rehearse=False)
    (tmp_path / "here.db.head").unlink()
    copy(database_url, here, str, rehearse=False)
    last = open_store(file, exclusive=True)
    assert len(last.search_sync(Filters(text="once"))) == 1
    last.close_sync()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("postgresql://a:secret@h/x", "into the environment variable PGPASSWORD"),
        ("sqlite:///nothing.db", "no store found"),
        ("mysql://x", "write sqlite:///signalbox.db or postgresql://USER@HOST/DATABASE"),
    ],
)
def test_an_address_that_cannot_be_used_is_told(source: str, words: str) -> None:
    with pytest.raises(CliError, match=words) as problem:
        copy(source, "sqlite:///y.db", str, rehearse=False)
    assert "secret" not in str(problem.value)
