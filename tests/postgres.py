"""A real PostgreSQL for tests. `python -m tests.postgres FILE` finds or installs one and writes its folder to FILE."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.store.open import open_store
from bot.store.postgres.server import LocalServer, ServerProblem, binaries
from tests import own_time, system_package

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalServer]:
    """A server of this test process. Databases survive a crash of the server, not of the machine."""
    folder = Path(tempfile.mkdtemp(prefix="sb-pg-"))
    try:
        server = LocalServer(folder, durable=False, settings={"track_commit_timestamp": "on"})
        server.start()
    except ServerProblem as problem:
        pytest.fail(problem.summary, pytrace=False)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def administrate(server: LocalServer, *commands: str) -> None:
    """Run commands as the superuser, each in a transaction of its own."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for command in commands:
            connection.execute(command.encode())


@contextmanager
def new_database(server: LocalServer, more: str = "") -> Iterator[str]:
    """The name of a new database, which is dropped afterwards. `more` are words behind CREATE DATABASE NAME."""
    own_time.keep_pace()
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        # To copy the files takes half as long as to log each page, which newer servers do. The others know no other way.
        copied = "STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f"CREATE DATABASE {name} {more} {copied}".encode())
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@pytest.fixture
def database_url(postgres: LocalServer) -> Iterator[str]:
    """The address of a new, empty database."""
    with new_database(postgres) as name:
        yield postgres.url(name)


@pytest.fixture(scope="session")
def empty_store(postgres: LocalServer) -> Iterator[str]:
    """The name of a database with an empty store, to copy."""
    with new_database(postgres) as name:
        open_store(postgres.url(name)).close_sync()
        yield name


@pytest.fixture
def store_url(postgres: LocalServer, empty_store: str) -> Iterator[str]:
    """The address of a new database with an empty store: to copy it takes a third of the time that its tables take."""
    with new_database(postgres, f"TEMPLATE {empty_store}") as name:
        yield postgres.url(name)


def ensure() -> Path:
    """The folder with PostgreSQL's programs; installs the system's package if need be. Raises ServerProblem."""
    try:
        return binaries()
    except ServerProblem:
        system_package.install("postgresql")
        return binaries()


if __name__ == "__main__":
    try:
        Path(sys.argv[1]).write_text(f"{ensure()}\n", encoding="utf-8")
    except ServerProblem as missing:
        sys.exit(missing.summary)
