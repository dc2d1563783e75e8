"""Connections to PostgreSQL with the settings on which the store's guarantees rest."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import TupleRow
from psycopg.waiting import Ready, Wait

from bot.core.ports.plugin import RereadSecret
from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.postgres.schema import SCHEMA

T = TypeVar("T")

_INTERVAL: Final = 0.1
_STATEMENT_SECONDS: Final = 60
_CONNECT_SECONDS: Final = 2  # for each host: the second one of a cluster must be reached before the lease is over
_MOST_PREPARED: Final = 200  # statements of one connection; searches have very many forms
_GOOD: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.PIPELINE_SYNC)
_Key = tuple[bytes, Sequence[int]]  # a statement and the types of its values
OLDEST: Final = 150_000
_VERIFIED: Final = ("verify-full", "verify-ca")
# The server also looks whether this machine is still there: a session whose connection was cut keeps its locks until then.
# Whoever runs the server may have set any of these for all, for a database or for a role.
_SETTINGS: Final = """
    SELECT set_config(name, value, false) FROM (VALUES ('search_path', %s), ('client_encoding', 'UTF8'), ('TimeZone', 'UTC'),
        ('DateStyle', 'ISO'), ('extra_float_digits', '1'), ('standard_conforming_strings', 'on'),
        ('quote_all_identifiers', 'off'), ('transform_null_equals', 'off'), ('default_transaction_isolation', 'read committed'),
        ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'),
        ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '10000'),
        ('application_name', %s), ('idle_in_transaction_session_timeout', %s), ('lock_timeout', %s), ('statement_timeout', %s),
        ('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
                               ELSE current_setting('synchronous_commit') END)) AS settings (name, value)"""
END_SESSION: Final = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
WHO_AM_I: Final = b"SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_PID = b"SELECT pg_backend_pid()"


class Answer:
    """The result of a statement, which arrives when it is first looked at."""

    __slots__ = ("_rows", "_session", "result")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.result: PGresult | None = None
        self._rows: Iterator[Any] | None = None

    @property
    def rowcount(self) -> int:
        """How many rows were changed or found."""
        return self._arrived().command_tuples or 0

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """The columns; the first item of each is its name."""
        result = self._arrived()
        return [((result.fname(index) or b"").decode(),) for index in range(result.nfields)] or None

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(iter(self), None)

    def fetchall(self) -> list[Any]:
        """The remaining rows."""
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        if self._rows is None:
            self._rows = iter(self._session.rows(self._arrived()))
        return self._rows

    def _arrived(self) -> PGresult:
        if self.result is None:
            self._session.sync()
        if self.result is None:
            raise psycopg.OperationalError("the connection was lost before the answer came")
        return self.result


class Session(psycopg.Connection[TupleRow]):
    """A connection that closes itself when no result comes within `limit` seconds, or when it `is_doubted`.

    psycopg waits forever when the server's answer gets lost on the way, for example in a proxy: the system sees a healthy
    connection to that proxy.

    `send` collects statements, and `sync` sends them all, so that together they cost one round trip. psycopg's own pipeline sends
    each one alone, which takes twice the processor time. Between two `sync`, everything that psycopg offers works as well.
    """

    limit: float = _STATEMENT_SECONDS + 5
    is_doubted: Callable[[], bool] = staticmethod(lambda: False)

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn)
        self._values = Transformer(self)
        self._prepared_as: dict[_Key, bytes] = {}
        self._numbers = itertools.count(1)
        # What the server will answer; without an Answer, nobody waits for it.
        self._due = deque[tuple[Answer | None, _Key | None]]()

    def send(self, sql: bytes, values: Sequence[Any] = (), *, prepare: bool = True) -> Answer:
        """Send a statement with the next `sync`. Its values are `$1`, `$2`..."""
        if not self._due:
            self.pgconn.enter_pipeline_mode()
        answer = Answer(self)
        bound = self._values.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = (self._values.types or (), self._values.formats) if values else ((), ())
        key = (sql, types)
        name = self._prepared_as.get(key)
        if name is None and prepare and len(self._prepared_as) < _MOST_PREPARED:
            name = self._prepared_as[key] = f"signalbox_{next(self._numbers)}".encode()
            self.pgconn.send_prepare(name, sql, types)
            self._due.append((Answer(self), key))
        if name is None:
            self.pgconn.send_query_params(sql, bound, types, formats)
        else:
            self.pgconn.send_query_prepared(name, bound, formats)
        self._due.append((answer, key))
        return answer

    def post(self, sql: bytes) -> None:
        """Send a statement now. Its answer is read by the next `sync`, which ignores its error."""
        if not self._due:
            self.pgconn.enter_pipeline_mode()
        self.pgconn.send_query_params(sql, None)
        self._due.append((None, None))
        self._flush()

    def _flush(self) -> None:
        self.pgconn.pipeline_sync()
        self._due.append((None, None))
        self.pgconn.flush()

    def sync(self) -> None:
        """Send the collected statements, and wait for all answers. Raises psycopg.Error, the first one."""
        if not self._due:
            return
        self._flush()
        self.wait(self._answers())

    def rows(self, result: PGresult) -> list[Any]:
        """The rows of a result."""
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, tuple)

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor for a statement that is sent at once."""
        self.sync()
        return super().cursor(*args, **options)

    def rollback(self) -> None:
        """Roll back."""
        with suppress(psycopg.Error):
            self.sync()
        super().rollback()

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:
        """Run a generator of psycopg to its end."""
        return super().wait(self._limited(gen), interval, timeout)

    def _answers(self) -> PQGen[None]:
        error: psycopg.Error | None = None
        while self._due:
            unsent = self.pgconn.flush()
            while not self.pgconn.is_busy() and self._due:
                result = self.pgconn.get_result()
                if result is not None:
                    failed = self._arrived(result)
                    error = error or failed
                elif self.pgconn.status == ConnStatus.BAD:
                    self._due.clear()
                    raise psycopg.OperationalError(self.pgconn.get_error_message())
            if self._due:
                ready = yield Wait.RW if unsent else Wait.R
                if ready & Ready.R:
                    self.pgconn.consume_input()
        self.pgconn.exit_pipeline_mode()
        if error is not None:
            raise error

    def _arrived(self, result: PGresult) -> psycopg.Error | None:
        """Pass a result on. A statement that failed is prepared again: its table may have changed."""
        answer, key = self._due.popleft()
        if answer is not None:
            answer.result = result
        if result.status in _GOOD:
            return None
        if key is not None:
            self._prepared_as.pop(key, None)
        return error_from_result(result) if answer is not None and result.status == ExecStatus.FATAL_ERROR else None

    def _limited(self, gen: PQGen[T]) -> PQGen[T]:
        end = time.monotonic() + self.limit  # noqa: TID251  how long a thread waits for a server
        try:
            wanted = next(gen)
            while True:
                ready: Ready | int = Ready.NONE
                while not ready:
                    if self.is_doubted() or time.monotonic() > end:  # noqa: TID251  see above
                        self.pgconn.finish()
                        raise psycopg.errors.ConnectionTimeout("the database did not answer in time")
                    ready = yield wanted
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result


def connect(
    address: StoreAddress,
    name: str = "signalbox",
    limit: float = Session.limit,
    is_doubted: Callable[[], bool] = Session.is_doubted,
) -> Session:
    """A new connection in autocommit mode; `name` is its application_name. Raises psycopg.Error and StoreProblem.

    A stopped process must not hold the workspace's turn for longer than the lease, so the server ends its session then.
    """
    # psycopg must prepare nothing itself: at a rollback it would remove all prepared statements, those of `send` included.
    connection = Session.connect(**parameters(address), autocommit=True, prepare_threshold=None)
    connection.limit, connection.is_doubted = limit, is_doubted
    try:
        _refuse_unfit(connection.info)
        lease = round(address.lease * 1000)
        values = (SCHEMA, name, str(lease), str(2 * lease), str(_STATEMENT_SECONDS * 1000))
        connection.execute(_SETTINGS, values).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_unfit(info: psycopg.ConnectionInfo) -> None:
    if info.server_version < OLDEST:
        version = info.server_version // 10_000
        raise StoreProblem(f"PostgreSQL {version} is too old.", "Use version 15 or newer.", "store_too_old")
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreProblem(
            f"The database's encoding is {encoding}, which has no place for every text.",
            "Make it anew with `createdb --encoding=UTF8 --template=template0`.",
            "store_refused",
        )


class Heartbeat(psycopg.AsyncConnection[TupleRow]):
    """The connection of the leadership: each statement must be answered within `limit` seconds.

    Nothing is cancelled on the server then, because that would need an answer as well.
    """

    limit: float = 1.0

    async def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:  # noqa: ASYNC109
        """Run a generator of psycopg to its end. Raises OperationalError when the time is over."""
        return await super().wait(gen, interval, self.limit if timeout is None else timeout)


async def connect_async(address: StoreAddress) -> Heartbeat:
    """A connection for the leadership, whose statements must answer within half of the lease. Raises psycopg.Error and OSError.

    What waits for a lock is told so by the server before that. A replica that is stopped in the middle of a takeover holds up
    the next one for as long.
    """
    given = await asyncio.to_thread(parameters, address)
    hosts = str(given.get("host", "")).count(",") + 1
    async with asyncio.timeout(
        _CONNECT_SECONDS * hosts + address.lease / 2
    ):  # also for a name server that doesn't answer
        connection = await Heartbeat.connect(**given, autocommit=True)
    connection.limit = address.lease / 2
    third = str(round(address.lease * 1000 / 3))
    try:
        await connection.execute(_SETTINGS, (SCHEMA, "signalbox", third, third, third))
    except BaseException:
        await connection.close()
        raise
    return connection


def parameters(address: StoreAddress) -> dict[str, Any]:
    """What libpq is given. Beyond this machine, the server's certificate is verified."""
    try:
        given: dict[str, Any] = conninfo_to_dict(address.url)
    except psycopg.ProgrammingError as error:
        hint = "Write postgresql://USER@HOST/DATABASE; `?name=value` takes what libpq knows."
        raise StoreProblem(f"`[store] url` can't be read: {error}", hint, "store_unreachable") from None
    if not _is_here(given) and given.get("sslmode") not in _VERIFIED:
        if "sslmode" in given:
            raise StoreProblem(
                f"`sslmode={given['sslmode']}` doesn't verify the database's certificate.",
                "Write sslmode=verify-full into `[store] url`, and sslrootcert=FILE for a private authority.",
                "store_unreachable",
            )
        given["sslmode"] = "verify-full"
    if given.get("sslmode") == "verify-full":  # libpq takes the system's authorities for no other mode
        given.setdefault("sslrootcert", "system")
    secret = address.password
    if secret is not None:  # a file may have a newer one than at the start
        given["password"] = secret.latest() if isinstance(secret, RereadSecret) else secret.get_secret_value()
    defaults = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "target_session_attrs": "read-write",
    }
    return defaults | given


def _is_here(given: Mapping[str, Any]) -> bool:
    """Whether it stays on this machine. libpq also takes the host from the environment and from a service's file."""
    if given.get("service") or os.environ.get("PGSERVICE"):
        return False
    lists = [str(given.get(name) or os.environ.get(f"PG{name.upper()}", "")) for name in ("host", "hostaddr")]
    hosts = [host for hosts in lists for host in hosts.split(",")]
    return all(host in ("", "localhost") or host.startswith("/") or _is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def is_pooled(connection: psycopg.Connection) -> bool:
    """Whether the other side isn't the session that answers: a pooler invents the number that it gives at the login."""
    return connection.info.backend_pid != _session(connection)


def refuse_transaction_pooler(connection: psycopg.Connection, address: StoreAddress) -> None:
    """Raises StoreProblem (store_pooler) when a pooler gives a connection another session for each transaction or statement.

    A second connection takes the session that the first one has just used, and keeps it in a transaction. In transaction mode the
    first one then gets another session. The heartbeat's lock, LISTEN and the session's settings would be lost.
    """
    if not is_pooled(connection):
        return
    before, after = _session(connection), 0
    with suppress(psycopg.errors.ProtocolViolation), connect(address) as other, other.transaction():
        other.execute(_PID)  # statement mode refuses transactions
        after = _session(connection)
    if before != after:
        raise StoreProblem(
            "The pooler in front of PostgreSQL isn't in session mode, so locks, notifications and settings are lost.",
            "Write PostgreSQL's own address into `[store] url`, or set the pooler to session mode.",
            "store_pooler",
        )


def _session(connection: psycopg.Connection) -> int:
    row = connection.execute(_PID).fetchone()
    return int(row[0]) if row else 0
