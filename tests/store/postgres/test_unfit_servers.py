"""A server that can't be used, or can't be used anymore: the administrator reads why, and the bot goes on as soon as it can."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import psycopg
import pytest
import trustme

from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.postgres.leadership import session_name
from bot.store.postgres.server import LocalServer
from tests.cli.program import Program, one_line
from tests.postgres import administrate
from tests.store.postgres.test_no_leader import Member
from tests.store.postgres.test_pooler import frame
from tests.world import world

pytestmark = pytest.mark.usefixtures("patient")
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'signalbox'"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server of its own, which asks for a password and offers TLS, and whose settings may be changed."""
    folder = Path(tempfile.mkdtemp(prefix="sb-pg-"))
    made = LocalServer(folder, durable=False, port=free_port())
    made.start()
    yield made
    made.stop()
    rmtree(folder, ignore_errors=True)


@pytest.fixture
def role(server: LocalServer) -> Iterator[str]:
    """The address of a new database, and of its owner who needs the password `fake-one`."""
    administrate(server, "CREATE ROLE signalbox LOGIN PASSWORD 'fake-one'", "CREATE DATABASE unfit OWNER signalbox")
    yield f"postgresql://signalbox@127.0.0.1:{server._port}/unfit"
    administrate(server, "DROP DATABASE unfit WITH (FORCE)", "DROP ROLE signalbox")


def with_password(url: str) -> str:
    """For the configuration: the password is in a file beside it."""
    return f'{url}"\npassword = "file:password"\nlease = 3\nfiles = "'


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)


async def test_a_password_that_was_rotated_in_its_file_is_used_at_the_next_connection(
    tmp_path: Path, server: LocalServer, role: str
) -> None:
    (tmp_path / "password").write_text("fake-one")
    async with world(tmp_path, store=with_password(role)) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        administrate(server, "ALTER ROLE signalbox PASSWORD 'fake-two'", END_ALL)
        await until(lambda: not env.bot._may_take())
        (tmp_path / "password").write_text("fake-two\n")
        await until(env.bot._may_take)
        await env.does("status acc:shop/stock", "shop/stock")


@pytest.fixture
async def member(role: str) -> AsyncIterator[Member]:
    """A replica that leads."""
    url = role.replace("signalbox@", "signalbox:fake-one@")
    open_store(StoreAddress(url)).close_sync()
    made = await Member(url, "one").join()
    await made.leads()
    yield made
    await made.vanish()
    await made.leadership.leave()


async def test_why_a_replica_is_not_ready_is_in_its_log_once(
    server: LocalServer, member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at each heartbeat: it tries again four times a second."""

    def said(words: str) -> int:
        return sum(words in record.getMessage() for record in caplog.records if record.name == "signalbox.leader")

    administrate(server, "ALTER ROLE signalbox CONNECTION LIMIT 0", END_ALL)
    await until(lambda: server.log.count("too many connections for role") >= 4)
    administrate(server, "ALTER ROLE signalbox CONNECTION LIMIT -1")
    await until(lambda: said("the database answers the heartbeat again"))
    assert said("The database has no connection left for this user. Each replica uses at most 7 connections") == 1


async def test_a_leader_whose_server_takes_no_writes_anymore_looks_for_the_primary(
    server: LocalServer, member: Member
) -> None:
    """An old primary may become a standby without ending its sessions: the address may name the new one as well."""
    name = session_name(member.leadership.epoch or 0)

    def session() -> object:
        with psycopg.connect(server.url()) as connection:
            return connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s", (name,)
            ).fetchone()

    before = session()
    assert before is not None
    try:
        administrate(server, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        await until(lambda: session() is None)
    finally:
        administrate(server, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
    await until(session)
    assert session() != before


@pytest.mark.parametrize("wrong", ["expired", "of another host"])
def test_a_certificate_that_does_not_fit_is_told(server: LocalServer, role: str, wrong: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    names, past = ("127.0.0.1", datetime(2020, 1, 2, tzinfo=UTC)) if wrong == "expired" else ("db.example.com", None)
    made = authority.issue_cert(names, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=past)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {"ssl_cert_file": made.cert_chain_pems[0], "ssl_key_file": made.private_key_pem}
    for setting, pem in files.items():
        path = server.folder / setting
        path.unlink(missing_ok=True)
        pem.write_to_path(path)
        path.chmod(0o600)
        server._own(path)
        administrate(server, f"ALTER SYSTEM SET {setting} = '{path}'")
    url = f"{role.replace('signalbox@', 'signalbox:fake-one@')}?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    try:
        administrate(server, "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
        problem = StoreProblem("")
        while "certificate" not in problem.summary:  # until the server has read its settings
            with pytest.raises(StoreProblem) as refused:
                open_store(StoreAddress(url), patience=0)
            problem = refused.value
    finally:
        administrate(server, "ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")
    assert problem.summary.startswith("The database's certificate can't be verified")
    assert "has not expired" in problem.hint


class Old:
    """Says that it is PostgreSQL 13, and answers what libpq asks it at the login."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        ready = frame(b"Z", b"I")
        with suppress(OSError), client:
            client.recv(65_536)
            told = frame(b"S", b"server_version\x0013.22\0") + frame(b"S", b"server_encoding\0UTF8\0")
            client.sendall(frame(b"R", b"\0\0\0\0") + told + frame(b"K", b"\0\0\0\7\0\0\0\7") + ready)
            while client.recv(65_536)[:1] == b"Q":  # SHOW transaction_read_only
                column = b"\0\1a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
                row = frame(b"T", column) + frame(b"D", b"\0\1\0\0\0\3off")
                client.sendall(row + frame(b"C", b"SHOW\0") + ready)


@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_server_older_than_15_is_told_and_not_used(tmp_path: Path, program: Program, command: str) -> None:
    old = Old()
    async with world(tmp_path) as env:
        toml = env.folder / "signalbox.toml"
        url = f"postgresql://signalbox@127.0.0.1:{old.port}/signalbox?sslmode=disable"
        toml.write_text(toml.read_text().replace("sqlite:///signalbox.db", url))
        ended = await program(command, folder=env.folder, environ=env.environ)
    old.close()
    told = "PostgreSQL 13 is too old. Use version 15 or newer."
    assert ended.code == 1
    assert f"FAIL  store: {told}" in ended.out if command == "check" else told in one_line(ended), ended
