"""The PostgreSQL driver: units share a commit and nothing else, a lost answer is resolved, and a fenced leader writes nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from bot.core.audit import Event
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters
from bot.store.database import Tx
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.postgres.database import PostgresDatabase
from bot.store.postgres.errors import again, mapped
from bot.store.postgres.server import LocalServer
from bot.store.postgres.session import WHO_AM_I, connect, parameters
from bot.store.postgres.tx import WriteTx
from bot.store.store import Store
from tests.faults.link import FROM, TO, Link
from tests.postgres import new_database
from tests.store.batches import batch_behind
from tests.store.postgres.proxy import Proxy
from tests.store.samples import NOW, ballot, intent, operation, outgoing, pending, row


@pytest.fixture
async def store(address: StoreAddress) -> AsyncIterator[Store]:
    opened = open_store(address)
    yield opened
    await opened.close()


@pytest.fixture
def proxy(postgres: LocalServer) -> Iterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="sb-px-") as folder:
        made = Proxy(Path(folder), postgres.folder)
        yield made
        made.close()


def through(proxy: Proxy, address: StoreAddress) -> StoreAddress:
    """The same store behind the proxy."""
    return replace(address, url=address.url.partition("?")[0] + f"?host={proxy.folder}")


def superuser(address: StoreAddress) -> psycopg.Connection:
    connection = psycopg.connect(address.url, autocommit=True)
    connection.execute("SET search_path = signalbox")
    return connection


async def test_a_unit_that_fails_is_rolled_back_alone(store: Store) -> None:
    def broken(db: Tx) -> None:
        db.execute("INSERT INTO key_values VALUES ('broken', '1', 'now')")
        raise ValueError("mine")

    def twice(db: Tx) -> None:
        for _ in range(2):
            db.execute("INSERT INTO key_values VALUES ('twice', '1', 'now')")

    write, append = store.database.write, partial(store.append, row())
    answers = await batch_behind(store, append, lambda: write(broken), append, lambda: write(twice), append)
    assert [answers[0], answers[2], answers[4]] == [1, 2, 3]
    assert isinstance(answers[1], ValueError)
    assert isinstance(answers[3], StoreProblem)
    assert answers[3].code == "store_refused"
    assert [await store.value(key) for key in ("broken", "twice")] == [None, None]
    assert store.verify_sync(await store.head()).rows == 3


def test_what_is_prepared_for_a_batch_outlives_psycopg_s_own_statements(address: StoreAddress) -> None:
    """psycopg prepares what it runs often, and at a rollback it would remove everything that is prepared."""
    with connect(address) as session:
        for _ in range(10):
            session.execute("SELECT 1")
        first = session.send(b"SELECT 2")
        session.sync()
        session.execute("BEGIN")
        session.rollback()
        again = session.send(b"SELECT 2")
        assert [first.fetchone(), again.fetchone()] == [(2,), (2,)]


async def test_a_hundred_requests_are_one_commit_of_two_round_trips(proxy: Proxy, address: StoreAddress) -> None:
    """Each time the client waits, it sends a Sync, which is the end of what it sends together. It doesn't wait after a NOTIFY."""
    store = open_store(through(proxy, address))
    await store.accept(intent("first"), [row(request_id="first")])
    sent: list[bytes] = []
    proxy.cut = lambda direction, data: bool(direction == "to" and sent.append(data))
    calls = [partial(store.accept, intent(f"r{n}"), [row(request_id=f"r{n}")]) for n in range(100)]
    answers = await batch_behind(store, *calls)
    assert answers == [True] * 100
    stream = b"".join(sent)
    assert stream.count(b"S\0\0\0\4") - stream.count(b"NOTIFY") <= 4, "two for the batch before, two for this one"
    assert stream.count(b"COMMIT") <= 2
    await store.close()


async def test_two_last_votes_of_two_replicas_at_once_decide_once(store: Store, address: StoreAddress) -> None:
    other = open_store(address)
    for number in range(10):
        name, key = f"r{number}", f"h{number}"
        await store.accept(intent(name), [])
        await store.wait(name, pending(key, request_id=name), [], NOW)
        results = await asyncio.gather(
            *(
                one.vote(key, ballot(f"U{n}"), lambda _: [row(Event.APPROVED)], needed=2, now=NOW)
                for n, one in enumerate((store, other))
            )
        )
        assert sorted(result.won for result in results) == [False, True]
    assert store.verify_sync(await store.head()).rows == 20
    await other.close()


async def test_replicas_keep_one_chain(address: StoreAddress) -> None:
    stores = [open_store(address) for _ in range(3)]
    await asyncio.gather(*(one.append(row(request_id=f"r{n}")) for n in range(40) for one in stores))
    assert stores[0].verify_sync(await stores[1].head()).rows == 120
    for one in stores:
        await one.close()


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_whose_answer_is_lost_is_neither_repeated_nor_forgotten(
    proxy: Proxy, address: StoreAddress, committed: bool
) -> None:
    """The connection breaks before the COMMIT arrives, or before its answer does; in both the caller's answer is true."""
    store = open_store(through(proxy, address))
    await store.append(row())
    state = {"seen": False, "cut": 0}

    def cut(direction: str, data: bytes) -> bool:
        if state["cut"]:
            return False
        if direction == "to" and b"COMMIT" in data:
            state["seen"] = True
        if state["seen"] and (direction == "from") is committed:
            state["cut"] = 1
            return True
        return False

    proxy.cut = cut
    assert await store.accept(intent("once"), [row(request_id="once")])
    assert state["cut"] == 1
    assert len(await store.search(Filters(request_id="once"))) == 1
    assert store.verify_sync(await store.head()).rows == 2
    await store.close()


async def test_a_lost_commit_that_nobody_can_tell_of_is_in_doubt(proxy: Proxy, address: StoreAddress) -> None:
    """No server answers anymore: neither `done` nor `nothing was recorded` would be true."""
    store = open_store(through(proxy, replace(address, lease=0.2)), patience=0.2)
    state = {"seen": False}

    def cut(direction: str, data: bytes) -> bool:
        state["seen"] = state["seen"] or (direction == "to" and b"COMMIT" in data)
        return state["seen"] and direction == "from"

    proxy.cut = cut
    with pytest.raises(StoreProblem) as problem:
        await store.append(row())
    assert problem.value.code == "store_in_doubt"
    proxy.cut = lambda _direction, _sent: False
    await store.close()


async def test_it_works_again_after_the_server_was_restarted(store: Store, address: StoreAddress) -> None:
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    end_all = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}".encode()
    await store.append(row())
    with superuser(address) as other:
        other.execute(end_all)
    assert await store.append(row()) == 2
    assert len(await store.search(Filters())) == 2
    with superuser(address) as other:
        other.execute(end_all)
    assert await store.head() is not None


async def test_a_server_that_is_away_is_told(postgres: LocalServer) -> None:
    with pytest.raises(StoreProblem) as problem:
        open_store(StoreAddress("postgresql://postgres@127.0.0.1:1/x"), patience=0.1)
    assert problem.value.code == "store_unreachable"
    with pytest.raises(StoreProblem) as problem:
        open_store(postgres.url("nothing"))
    assert "doesn't exist" in problem.value.summary


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        ("SSL error: certificate verify failed", "certificate"),
        ('server certificate for "a" does not match host name "b"', "certificate"),
        ('root certificate file "ca.pem" does not exist', "certificate"),
        ("server does not support SSL, but SSL was required", "certificate"),
        ("fe_sendauth: no password supplied", "login"),
        ('FATAL:  no pg_hba.conf entry for host "::1", user "x", database "y", no encryption', "login"),
        ('FATAL:  role "x" does not exist', "login"),
        ('FATAL:  database "x" does not exist', "doesn't exist"),
        ("session is read-only", "read-only"),
        ('FATAL:  permission denied for database "x"', "login"),
        ('FATAL:  database "x" is not currently accepting connections', "login"),
        ("Connection refused", "can't be reached"),
    ],
)
def test_why_a_server_can_t_be_used_is_told(said: str, summary: str) -> None:
    """An error of the connection has no code, only words."""
    assert summary in mapped(psycopg.OperationalError(f"connection failed: {said}")).summary


@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.DatabaseError, psycopg.InterfaceError])
def test_whatever_libpq_says_about_a_lost_connection_is_tried_again(kind: type[psycopg.Error]) -> None:
    """Its own words have no code, and psycopg gives them the class of all errors when they come as a result."""
    error = kind("server closed the connection unexpectedly")
    assert (mapped(error).code, again(error)) == ("store_unreachable", True)


async def test_an_error_that_nobody_knows_is_told_without_its_text(store: Store) -> None:
    """PostgreSQL writes values into it. They are for its own log."""
    with pytest.raises(StoreProblem) as problem:
        await store.database.write(lambda db: db.execute("DO $$BEGIN RAISE EXCEPTION 'the value'; END$$"))
    assert (problem.value.code, problem.value.summary) == (
        "store_failed",
        "The store failed (P0001). Nothing was recorded.",
    )


async def test_tables_that_are_gone_are_told(store: Store, address: StoreAddress) -> None:
    with superuser(address) as admin:
        admin.execute("ALTER TABLE requests RENAME TO others")
    with pytest.raises(StoreProblem, match="tables of the bot are missing") as problem:
        await store.accept(intent("r1"), [row(request_id="r1")])
    assert problem.value.code == "store_corrupt"


async def test_what_a_role_or_a_database_sets_for_its_sessions_changes_nothing(
    store: Store, address: StoreAddress
) -> None:
    """Times are read as the driver knows them, and one writer waits for the other."""
    name = address.url.partition("?")[0].rpartition("/")[2]
    odd = {"datestyle": "SQL, DMY", "timezone": "Asia/Kathmandu", "extra_float_digits": -15, "search_path": "pg_temp"}
    odd |= {"default_transaction_isolation": "serializable", "standard_conforming_strings": "off"}
    odd |= {"idle_session_timeout": "1h", "transform_null_equals": "on", "synchronous_commit": "off"}
    odd |= {"client_encoding": "LATIN1", "quote_all_identifiers": "on"}
    with superuser(address) as admin:
        for setting, value in odd.items():
            admin.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'".encode())
    store.database.doubt()
    other = open_store(address)
    try:
        works = [one.append(row(detail=f"⏳ {number}")) for number in range(20) for one in (store, other)]
        assert len(set(await asyncio.gather(*works))) == 40
        assert other.verify_sync(await store.head()).ok
    finally:
        await other.close()
    with connect(address) as connection:
        names = ("DateStyle", "TimeZone", "default_transaction_isolation", "synchronous_commit", "idle_session_timeout")
        found = [connection.execute(f"SHOW {one}".encode()).fetchone() for one in names]
    assert found == [("ISO, DMY",), ("UTC",), ("read committed",), ("on",), ("0",)]


async def test_a_database_that_has_no_place_for_every_text_is_refused(postgres: LocalServer) -> None:
    with (
        new_database(postgres, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0") as name,
        pytest.raises(StoreProblem, match="encoding is LATIN1") as problem,
    ):
        open_store(postgres.url(name))
    assert "UTF8" in (problem.value.hint or "")


async def test_a_database_that_takes_no_writes_is_told_as_read_only(address: StoreAddress) -> None:
    name = address.url.partition("?")[0].rpartition("/")[2]
    with superuser(address) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    with pytest.raises(StoreProblem, match="read-only") as problem:
        open_store(address, patience=0.1)
    assert problem.value.code == "store_readonly"


_LIVE = "INSERT INTO replicas VALUES ('a/{0}', {0}, 'live', now(), 'a', 0)"


async def test_a_server_without_a_connection_for_this_user_is_told_as_that(
    postgres: LocalServer, address: StoreAddress
) -> None:
    with superuser(address) as admin:
        admin.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        with pytest.raises(StoreProblem, match="no connection left") as problem:
            open_store(replace(address, url=address.url.replace("postgresql://", "postgresql://crowded@", 1)))
        assert "max_connections" in (problem.value.hint or "")
    finally:
        with superuser(address) as admin:
            admin.execute("DROP ROLE crowded")


async def test_a_replica_that_was_declared_dead_writes_nothing(store: Store, address: StoreAddress) -> None:
    """It does not even accept requests: the leader would take them over while this one may still refuse them."""
    with superuser(address) as other:
        other.execute(_LIVE.format(7).encode())
        store.fence(7)
        assert await store.append(row()) == 1
        other.execute("UPDATE replicas SET state = 'dead'")
        answers = await batch_behind_open(store)
    assert [answer.code for answer in answers if isinstance(answer, StoreProblem)] == ["store_fenced"] * 3
    assert store.verify_sync(await store.head()).rows == 1
    with superuser(address) as other:
        other.execute(_LIVE.format(8).encode())
    store.fence(8)
    assert await store.append(row()) == 2
    store.fence(0)
    assert isinstance((await batch_behind_open(store))[0], StoreProblem)


async def test_a_replica_that_was_declared_dead_learns_that_and_not_of_a_conflict(
    store: Store, address: StoreAddress
) -> None:
    """The new leader has ended the request that this one wants to let wait."""
    with superuser(address) as other:
        other.execute(_LIVE.format(7).encode())
        store.fence(7)
        await store.accept(intent(), [row()])
        other.execute("UPDATE replicas SET state = 'dead'")
        other.execute("UPDATE requests SET state = 'ended'")
        with pytest.raises(StoreProblem) as caught:
            await store.wait("r1", pending(), [], NOW)
    assert caught.value.code == "store_fenced"


async def test_the_leader_claims_what_no_live_replica_works_on(store: Store, address: StoreAddress) -> None:
    follower = open_store(address)
    with superuser(address) as other:
        for epoch in (3, 4):
            other.execute(_LIVE.format(epoch).encode())
        store.fence(3, leads=True)
        follower.fence(4)
        for name in ("kept", "given"):
            await follower.accept(intent(name), [], begun=True)
        assert await follower.release("given", NOW)
        assert [request.request_id for request in await store.claim_unfinished()] == ["given"]
        assert await store.claim_unfinished() == []
        await follower.sending("kept", operation("kept"), row(), NOW)
        assert [request.request_id for request in await store.sending_elsewhere()] == ["kept"]
        other.execute("UPDATE replicas SET state = 'dead', beat_at = now() - interval '5 s' WHERE epoch = 4")
    (left,) = await store.claim_unfinished()
    assert (left.request_id, left.state) == ("kept", "sending")
    assert left.silent is not None
    assert 5 <= left.silent < 30
    await follower.close()


async def batch_behind_open(store: Store) -> list[object]:
    """A leader's entry, a request, and a card, at the same time."""
    calls = (store.append(row()), store.accept(intent(), [row()]), store.show(outgoing()))
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def test_a_leader_is_told_of_what_another_replica_stored(store: Store, address: StoreAddress) -> None:
    woken = threading.Event()
    store.wake(woken.set)
    follower = open_store(address)

    async def until_woken() -> None:
        for number in range(600):
            await follower.accept(intent(f"r{number}"), [])
            if await asyncio.to_thread(woken.wait, 0.1):
                return

    await until_woken()
    assert woken.is_set()
    await follower.close()


async def test_its_session_says_whose_it_is_and_loses_nothing(store: Store, address: StoreAddress) -> None:
    def settings(db: Tx) -> dict[str, str]:
        names = ("application_name", "synchronous_commit", "idle_in_transaction_session_timeout", "search_path")
        return {name: db.execute(f"SHOW {name}").fetchone()[0] for name in names}

    store.fence(None)
    assert await store.database.write(settings) == {
        "application_name": "signalbox",
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": "6s",
        "search_path": "signalbox",
    }
    with superuser(address) as other:
        other.execute(_LIVE.format(9).encode())
        database = address.url.partition("?")[0].rpartition("/")[2]
        other.execute(f"ALTER DATABASE {database} SET synchronous_commit = off".encode())
    second = open_store(address)
    second.fence(9)
    found = await second.database.write(settings)
    assert (found["application_name"], found["synchronous_commit"]) == ("signalbox/9", "on")
    await second.close()


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://bot@127.0.0.1/x", None),
        ("postgresql://bot@/x?host=/run/postgresql", None),
        ("postgresql://bot@db.internal/x", "verify-full"),
        ("postgresql://bot@db.internal/x?sslmode=verify-ca", "verify-ca"),
        ("postgresql://bot@db.internal/x?sslmode=require", "refused"),
        ("postgresql://bot@127.0.0.1,db.internal/x?sslmode=disable", "refused"),
        ("postgresql://bot@localhost/x?hostaddr=192.0.2.1", "verify-full"),
        ("postgresql://bot@127.internal.example/x", "verify-full"),
        ("postgresql://bot@/x?service=elsewhere", "verify-full"),
    ],
)
def test_beyond_this_machine_the_certificate_is_verified(url: str, mode: str | None) -> None:
    if mode == "refused":
        with pytest.raises(StoreProblem, match="certificate"):
            parameters(StoreAddress(url))
    else:
        given = parameters(StoreAddress(url))
        assert given.get("sslmode") == mode
        assert given.get("sslrootcert") == ("system" if mode == "verify-full" else None)


def test_an_address_that_libpq_can_t_read_is_told_with_its_reason() -> None:
    with pytest.raises(StoreProblem, match=r"can't be read: .*timeout"):
        parameters(StoreAddress("postgresql://bot@/x?timeout=3"))


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE"])
def test_a_host_from_the_environment_is_verified_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parameters(StoreAddress("postgresql://bot@/x")).get("sslmode") is None
    monkeypatch.setenv(name, "192.0.2.1")
    assert parameters(StoreAddress("postgresql://bot@/x")).get("sslmode") == "verify-full"


async def test_text_that_postgresql_refuses_is_kept_without_what_it_refuses(store: Store) -> None:
    await store.set_value("key\0", "a\0b \ud800", NOW, [row(reason="x\0y \udc00z")])
    assert await store.value("key\ufffd") is not None
    (entry,) = await store.search(Filters())
    assert entry.reason == "x\ufffdy \ufffdz"
    assert store.verify_sync(await store.head()).ok


ATTACKS = [
    "UPDATE audit SET reason = 'other' WHERE seq = 2",
    "DELETE FROM audit WHERE seq = 2",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit SELECT * FROM audit WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET reason = 'other'",
    "INSERT INTO audit (seq, v, at, request_id, event, params, prev_hash, hash, words) VALUES (9, 1, '', '', '', '', '', '', '')",
    "INSERT INTO audit (seq, v, at, request_id, event, params, prev_hash, hash, words) VALUES (4, 1, '', '', '', '', '', '', '')",
]


@pytest.mark.parametrize("sql", ATTACKS)
async def test_a_plain_connection_cannot_change_the_audit_log(store: Store, address: StoreAddress, sql: str) -> None:
    """Not even the superuser's, not even as a replica of the database."""
    await store.append(*(row(request_id=f"r{number}") for number in range(3)))
    with superuser(address) as plain:
        for role in ("origin", "replica"):
            plain.execute(f"SET session_replication_role = {role}".encode())
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="audit log"):
                plain.execute(sql.encode())
    assert store.verify_sync(await store.head()).ok


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("UPDATE audit SET reason = 'other' WHERE seq = 3", 3),
        ("UPDATE audit SET reason = NULL WHERE seq = 3", 3),
        ("UPDATE audit SET v = 9 WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("UPDATE audit SET seq = CASE seq WHEN 2 THEN 99 ELSE seq END", 2),
    ],
)
async def test_every_change_is_found(store: Store, address: StoreAddress, change: str, first_bad: int) -> None:
    await store.append(*(row(request_id=f"r{number}", reason="so") for number in range(5)))
    head = await store.head()
    with superuser(address) as forger:
        forger.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        forger.execute(change.encode())
    verdict = store.verify_sync(head)
    assert (verdict.ok, verdict.first_bad_seq) == (False, first_bad)


@pytest.mark.parametrize("name", ["audit_no_change", "audit_no_truncate", "audit_next_only"])
@pytest.mark.parametrize("how", ["DROP TRIGGER {0} ON audit", "ALTER TABLE audit DISABLE TRIGGER {0}"])
async def test_a_missing_guard_is_told(store: Store, address: StoreAddress, name: str, how: str) -> None:
    assert store.verify_sync().ok
    with superuser(address) as forger:
        forger.execute(how.format(name).encode())
    verdict = store.verify_sync()
    assert not verdict.ok
    assert name in verdict.why


def test_whoever_uses_sqlite_never_loads_psycopg() -> None:
    code = "import sys; import bot.app, bot.store.open; print([name for name in sys.modules if 'psycopg' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=True)
    assert done.stdout.strip() == "[]"


async def test_every_connection_is_opened_again_when_the_heartbeat_gets_no_answer(
    address: StoreAddress, postgres: LocalServer
) -> None:
    """Those that are in use wait for a server that has vanished: none of them is told so."""
    link = await Link(postgres.folder).open()
    name = address.url.partition("?")[0].rpartition("/")[2]
    through = replace(address, url=f"postgresql://postgres@127.0.0.1:{link.port}/{name}")
    store = await asyncio.to_thread(open_store, through)
    try:
        assert await store.accept(intent(), [row()])
        assert await store.head() is not None
        link.swallowed = frozenset((TO, FROM))
        work = asyncio.gather(store.accept(intent("r2"), [row("r2")]), store.head())
        await asyncio.sleep(0.3)
        link.swallowed = frozenset()  # for new connections: those that have lost something stay deaf
        store.doubt()
        async with asyncio.timeout(15):  # otherwise the writer waits for three leases, a reader for a minute
            accepted, _ = await work
        assert accepted
    finally:
        await store.close()
        await link.close()


async def test_a_lost_session_of_the_writer_is_ended_before_the_next_one_writes(address: StoreAddress) -> None:
    """It has the turn of the workspace, and the server would only end it after the lease, of a minute here."""
    store = await asyncio.to_thread(open_store, replace(address, lease=60))
    database = store.database
    assert isinstance(database, PostgresDatabase)
    with connect(address) as lost:
        lost.execute("BEGIN")
        lost.execute("SELECT 1 FROM chain FOR UPDATE")
        database._hang_up()
        database._session = lost.execute(WHO_AM_I).fetchone()
        async with asyncio.timeout(45):
            assert await store.append(row()) == 1
        with pytest.raises(psycopg.OperationalError):
            lost.execute("COMMIT")
    await store.close()


@pytest.mark.parametrize("same", [True, False])
async def test_in_another_cluster_the_number_of_a_lost_transaction_says_nothing(
    store: Store, address: StoreAddress, *, same: bool
) -> None:
    """There it is another transaction, which may be in progress for hours; the entry proves the commit."""
    await store.append(row())
    database = store.database
    assert isinstance(database, PostgresDatabase)
    with superuser(address) as other, other.transaction():
        (xid,) = other.execute("SELECT pg_current_xact_id()::text").fetchone() or ("",)
        tx = WriteTx(connect(address))
        tx.xid, tx.proof = xid, (b"SELECT 1", ())
        cluster = database._cluster if same else ("another system", "00000002")
        assert database._was_committed(tx, cluster) is (None if same else True)
        tx.connection.close()
