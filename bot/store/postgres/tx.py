"""A transaction on PostgreSQL whose statements are sent when a result is needed, together with all before it.

So a batch of units costs few round trips, whatever its size.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import psycopg

from bot.core.audit import ZERO_HASH
from bot.core.ports.store import StoreAddress
from bot.core.text import storable
from bot.store.database import Dialect, Job, Unit
from bot.store.postgres.dialect import PostgresDialect, search_vector
from bot.store.postgres.errors import mapped
from bot.store.postgres.session import Answer, Session, connect
from bot.store.tables import audit
from bot.store.tables.audit import Change

T = TypeVar("T")
_LOCK: Final = "SELECT seq, hash, pg_current_xact_id()::text FROM chain FOR UPDATE"
_LIVE: Final = "SELECT 1 FROM replicas WHERE epoch = ? AND state = 'live' FOR KEY SHARE"
SETTLE: Final = (
    b"INSERT INTO commits (writer, n, at) VALUES (%s, 0, now()) ON CONFLICT (writer) DO UPDATE SET at = now()"
)
FORGET: Final = b"DELETE FROM commits WHERE writer = %s OR at < now() - interval '1 day'"
_INSERT: Final = f"""INSERT INTO audit ({", ".join(audit.ORDER)}, words) VALUES ({", ".join("?" * len(audit.ORDER))},
    CAST(? AS tsvector))"""  # noqa: S608  names
_ADVANCE: Final = "UPDATE chain SET seq = ?, hash = ?"
_MARK: Final = """INSERT INTO commits (writer, n, at) VALUES (?, ?, now())
    ON CONFLICT (writer) DO UPDATE SET n = excluded.n, at = excluded.at"""
_ENTRY: Final = b"SELECT 1 FROM audit WHERE seq = %s AND hash = %s"
_STATUS: Final = b"SELECT pg_xact_status(%s::text::xid8)"
_MARKED: Final = b"SELECT 1 FROM commits WHERE writer = %s AND n = %s"
_FEW: Final = 100  # entries that are inserted one by one
_MANY: Final = 2000  # entries are not kept in memory beyond that
_SEQ: Final = audit.ORDER.index("seq")


@lru_cache(maxsize=512)
def _query(sql: str) -> bytes:
    """`sql` with `$1`, `$2`... instead of `?`."""
    first, *others = sql.split("?")
    return "".join((first, *(f"${number}{part}" for number, part in enumerate(others, 1)))).encode()


def _clean(values: Sequence[Any]) -> list[Any]:
    return [storable(value) if isinstance(value, str) else value for value in values]


class FencedError(Exception):
    """This replica was declared dead."""


class PostgresTx:
    """Implements the port `Tx`. Statements are sent when a result is needed."""

    dialect: Dialect = PostgresDialect()

    def __init__(self, connection: Session) -> None:
        self.connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Answer:
        """Send a statement."""
        return self.connection.send(_query(sql), _clean(values))

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Send a statement for each row."""
        for row in rows:
            self.execute(sql, row)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows with COPY."""
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
        if len(rows) > _FEW:
            self.load("audit", (*audit.ORDER, "words"), rows)
        else:
            self.executemany(_INSERT, rows)


class WriteTx(PostgresTx):
    """A transaction that has the workspace's turn: it locks the head of the chain first. Entries are sent by `flush`."""

    def begin(self, epoch: int | None) -> None:
        """Open it. With `epoch`, see `must_live`."""
        self.execute("BEGIN")
        self._locked = self.execute(_LOCK)
        self._live = None if epoch is None else self.execute(_LIVE, (epoch,))
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

    def must_live(self, seen: tuple[int, str] | None) -> None:
        """Raises FencedError when this replica was declared dead. Otherwise it can't be before the transaction ends.

        Also when the log ends before the entry `seen`, because the database was restored: the replica has to start anew first.
        """
        self.start()
        dead = self._live is not None and self._live.fetchone() is None
        if dead or (seen is not None and self._began is not None and self._began != seen and self._began[0] <= seen[0]):
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

    def flush(self) -> None:
        """Send the entries."""
        if self._records and self._head is not None:
            super().add_entries(self._records)
            self.execute(_ADVANCE, self._head)
            self._records = []

    def commit(self) -> None:
        """Commit, and wait for the answer."""
        self.connection.send(b"COMMIT", prepare=False)
        self.connection.sync()

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


class UnitFailedError(Exception):
    """A unit of a batch raised; the other units are not affected."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def run_alone(address: StoreAddress, unit: Unit[T]) -> T:
    """Run one unit in a transaction on a connection of its own. Raises StoreProblem."""
    try:
        with connect(address) as connection:
            tx = WriteTx(connection)
            tx.begin(None)
            result = unit(tx)
            tx.flush()
            tx.commit()
            return result
    except psycopg.Error as error:
        raise mapped(error) from error


def run_all(tx: WriteTx, jobs: list[Job]) -> None:
    """Run the units in their order. The statements of neighbouring compare-and-sets are sent together."""
    place = 0
    while place < len(jobs):
        changes = _changes(jobs, place)
        try:
            if changes:
                sent = [change.send(tx) for change in changes]
                for job, change, result in zip(jobs[place:], changes, sent, strict=False):
                    job.result = change.complete(tx, result)
            else:
                jobs[place].result = jobs[place].unit(tx)
        except psycopg.Error:
            raise
        except Exception as error:
            raise UnitFailedError(error) from error
        place += len(changes) or 1


def _changes(jobs: list[Job], place: int) -> list[Change]:
    found: list[Change] = []
    for job in jobs[place:]:
        if not isinstance(job.unit, Change):
            break
        found.append(job.unit)
    return found
