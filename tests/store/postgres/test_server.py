"""The server that tests and the demo start themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import psycopg
import pytest

from bot.store.postgres.server import VARIABLE, LocalServer, ServerProblem, binaries


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="sb-pg-"))
    yield made
    rmtree(made)


def one(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(query.encode())
        row = found.fetchone() if found.description else None
    return row and row[0]


def test_it_keeps_its_data_over_a_crash_and_a_stop(folder: Path) -> None:
    server = LocalServer(folder)
    server.start()
    one(server.url(), "CREATE TABLE kept (number) AS VALUES (7)")
    server.kill()
    server.start()
    assert one(server.url(), "SELECT number FROM kept") == 7
    server.stop()
    server.stop()
    again = LocalServer(folder)
    again.start()
    assert one(again.url(), "SELECT number FROM kept") == 7
    assert one(again.url(), "SHOW fsync") == "on"
    again.stop()


def test_a_server_that_an_earlier_run_left_is_replaced(folder: Path) -> None:
    left = LocalServer(folder)
    left.start()
    server = LocalServer(folder)
    server.start()
    assert one(server.url(), "SELECT 1") == 1
    server.stop()
    left.stop()


def test_it_runs_without_the_rights_of_root_and_lets_nobody_else_in(postgres: LocalServer) -> None:
    assert (postgres.folder / "data" / "postmaster.pid").stat().st_uid != 0
    assert postgres.folder.stat().st_mode & 0o077 == 0
    assert one(postgres.url(), "SHOW listen_addresses") == ""


def test_the_configured_folder_is_the_only_one(tmp_path: Path) -> None:
    with pytest.raises(ServerProblem, match="apt-get install postgresql"):
        binaries({VARIABLE: str(tmp_path)})
    assert binaries({VARIABLE: str(binaries())}) == binaries()
