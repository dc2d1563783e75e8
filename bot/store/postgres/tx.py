"""A transaction on PostgreSQL whose statements are sent without waiting for each result.

In a pipeline a statement is only sent when a result is needed, together with all before it. So a batch of units costs few round
trips, whatever its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg

from bot.core.audit import ZERO_HASH
from bot.core.text import storable
from bot.store.database import Dialect
from bot.store.postgres.dialect import PostgresDialect, search_vector
from bot.store.tables import audit

_LOCK: Final = b"SELECT seq, hash, pg_current_xact_id()::text FROM chain FOR UPDATE"
_LIVE: Final = b"SELECT 1 FROM replicas WHERE epoch = %s AND state = 'live' FOR KEY SHARE"
SETTLE: Final = (
    b"INSERT INTO commits (writer, n, at) VALUES (%s, 0, now()) ON CONFLICT (writer) DO UPDATE SET at = now()"
)
FORGET: Final = b"DELETE FROM commits WHERE writer = %s OR at < now() - interval '1 day'"
_INSERT: Final = (
    f"INSERT INTO audit ({', '.join(audit.ORDER)}, words) VALUES ({', '.join('?' * len(audit.ORDER))}, "  # noqa: S608  names
    "CAST(? AS tsvector))"
)
_ADVANCE: Final = "UPDATE chain SET seq = ?, hash = ?"
_MARK: Final = (
    "INSERT INTO commits (writer, n, at) VALUES (?, ?, now()) "
    "ON CONFLICT (writer) DO UPDATE SET n = excluded.n, at = excluded.at"
)
_ENTRY: Final = b"SELECT 1 FROM audit WHERE seq = %s AND hash = %s"
_STATUS: Final = b"SELECT pg_xact_status(%s::text::xid8)"
_MARKED: Final = b"SELECT 1 FROM commits WHERE writer = %s AND n = %s"
_FEW: Final = 100  # entries that are inserted one by one
_MANY: Final = 2000  # entries are not kept in memory beyond that
_SEQ: Final = audit.ORDER.index("seq")


@lru_cache(maxsize=512)
def _query(sql: str) -> bytes:
    """`sql` with psycopg's marks instead of `?`."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _clean(values: Sequence[Any]) -> list[Any]:
    return [storable(value) if isinstance(value, str) else value for value in values]


class FencedError(Exception):
    """This replica was declared dead."""


class PostgresRows:
    """The result of a statement, which arrives when it is first looked at."""

    __slots__ = ("_cursor", "_pipeline")

    def __init__(self, cursor: psycopg.Cursor, pipeline: psycopg.Pipeline | None) -> None:
        self._cursor = cursor
        self._pipeline = pipeline

    @property
    def rowcount(self) -> int:
        """How many rows were changed or found."""
        return self._arrived().rowcount

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """The columns; the first item of each is its name."""
        return self._arrived().description

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._arrived().fetchone()

    def fetchall(self) -> list[Any]:
        """The remaining rows."""
        return self._arrived().fetchall()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._arrived())

    def _arrived(self) -> psycopg.Cursor:
        if self._pipeline is not None and self._cursor.pgresult is None:
            self._pipeline.sync()
        return self._cursor


class PostgresTx:
    """Implements the port `Tx`. Without `pipeline` each statement waits for its result."""

    dialect: Dialect = PostgresDialect()

    def __init__(self, connection: psycopg.Connection, pipeline: psycopg.Pipeline | None = None) -> None:
        self.connection = connection
        self.pipeline = pipeline

    def execute(self, sql: str, values: Sequence[Any] = ()) -> PostgresRows:
        """Send a statement."""
        return PostgresRows(self.connection.execute(_query(sql), _clean(values)), self.pipeline)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Send a statement for each row."""
        if rows:
            self.connection.cursor().executemany(_query(sql), [_clean(row) for row in rows])

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows with COPY, which a pipeline doesn't allow."""
        copying = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self.connection.cursor() as cursor, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row(_clean(row))

    def head(self) -> tuple[int, str] | None:
        """The sequence number and the hash of the last audit entry."""
        row = self.execute(audit.HEAD).fetchone()
        return None if row is None else (row[0], row[1])

    def add_entries(self, records: Sequence[Sequence[Any]]) -> None:
        """Insert audit entries."""
        rows = [[*record, search_vector(dict(zip(audit.ORDER, record, strict=True)))] for record in records]
        if self.pipeline is None and len(rows) > _FEW:
            self.load("audit", (*audit.ORDER, "words"), rows)
        else:
            self.executemany(_INSERT, rows)


class WriteTx(PostgresTx):
    """A transaction that has the workspace's turn: it locks the head of the chain first. Entries are sent by `flush`."""

    def begin(self, epoch: int | None) -> None:
        """Open it. With `epoch`, see `must_live`."""
        self.connection.execute("BEGIN")
        self._locked = PostgresRows(self.connection.execute(_LOCK), self.pipeline)
        self._live = None
        if epoch is not None:
            self._live = PostgresRows(self.connection.execute(_LIVE, (epoch,)), self.pipeline)
        self._head: tuple[int, str] | None = None
        self._began: tuple[int, str] | None = None
        self._records: list[Sequence[Any]] = []
        self.xid = ""
        self.proof: tuple[bytes, tuple[Any, ...]] = (b"", ())

    def start(self) -> None:
        """Wait for the turn. Afterwards `xid` names the transaction."""
        if self._head is None:
            seq, digest, self.xid = self._locked.fetchone()
            self._head = self._began = (seq, digest)

    def prove(self, writer: str, number: int) -> None:
        """Set `proof`: a query that finds a row when this transaction was committed, in whichever server and timeline.

        That is its last entry. Without one it is a mark of its own, because PostgreSQL may use its number again after a crash.
        """
        if self._head is not None and self._head != self._began:
            self.proof = (_ENTRY, self._head)
        else:
            self.execute(_MARK, (writer, number))
            self.proof = (_MARKED, (writer, number))

    def must_live(self) -> None:
        """Raises FencedError when this replica was declared dead. Otherwise it can't be before the transaction ends."""
        if self._live is not None and self._live.fetchone() is None:
            raise FencedError

    def head(self) -> tuple[int, str] | None:
        """The sequence number and the hash of the last audit entry, those of this transaction included."""
        self.start()
        return self._head if self._head and self._head[0] else None

    def add_entries(self, records: Sequence[Sequence[Any]]) -> None:
        """Append audit entries."""
        self.start()
        self._records += records
        self._head = (records[-1][_SEQ], records[-1][-1])
        if len(self._records) >= _MANY:
            self.flush()
            if self.pipeline is not None:
                self.pipeline.sync()

    def flush(self) -> None:
        """Send the entries."""
        if self._records and self._head is not None:
            super().add_entries(self._records)
            self.execute(_ADVANCE, self._head)
            self._records = []

    def back_to(self, head: tuple[int, str] | None) -> None:
        """Forget what was appended since the head was `head`."""
        self._head = head or (0, ZERO_HASH)
        self._records = []


def in_progress(connection: psycopg.Connection, xid: str) -> bool:
    """Whether a transaction of the lost session has not ended yet."""
    try:
        row = connection.execute(_STATUS, (xid,)).fetchone()
    except psycopg.errors.InvalidParameterValue:  # a number of the future: a crash has forgotten it
        return False
    return row is not None and row[0] == "in progress"
