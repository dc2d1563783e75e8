"""The store on PostgreSQL: one connection that writes, a few that read, and one that listens."""

import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ClassVar, Final, TypeVar

import psycopg

from bot.core.ports.store import StoreAddress
from bot.store.database import Database, Job, Tx, Unit
from bot.store.errors import StoreProblem, corrupt, for_everyone
from bot.store.postgres.check import findings
from bot.store.postgres.errors import again, fenced, in_doubt, lost, mapped, reason
from bot.store.postgres.schema import prepare
from bot.store.postgres.session import END_SESSION, WHO_AM_I, Session, connect, refuse_transaction_pooler
from bot.store.postgres.tx import (
    FORGET,
    SETTLE,
    FencedError,
    PostgresTx,
    UnitFailedError,
    WriteTx,
    in_progress,
    run_all,
    run_alone,
)

T = TypeVar("T")

READERS: Final = 4
CHANNEL: Final = "signalbox"
_NOTIFY: Final = f"NOTIFY {CHANNEL}".encode()
_WAITS: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds before each try; the last one again and again
_LISTEN_SECONDS: Final = 1.0
_WRITER_WAITS: Final = 3  # leases: longer than for a lock
_TIMELINE: Final = (
    b"SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()"
)

_TABLE: Final = "SELECT CAST(CAST(CAST('audit' AS regclass) AS oid) AS text)"
_OTHERS: Final = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'signalbox%'
    AND pid <> pg_backend_pid() AND pid <> ALL (CAST(string_to_array(?, ',') AS integer[]))"""

_log = logging.getLogger("signalbox.store")


def _others(own: str, tx: Tx) -> int:
    """How many sessions of the program there are, without those with these process ids."""
    return int(tx.execute(_OTHERS, (own,)).fetchone()[0])


class PostgresDatabase(Database):
    """The open database. Every method raises StoreProblem for errors of PostgreSQL and the network.

    `patience` is how many seconds a unit is tried again while the database can't be reached.
    """

    shared: ClassVar[bool] = True

    def __init__(self, address: StoreAddress, *, patience: float = 5.0, readers: int = READERS) -> None:
        super().__init__(readers)
        self.address = address
        self.keeps_files = not address.files
        self._patience = patience
        self._writer: Session | None = None
        self._epoch: int | None = None
        self._leads = False
        self._written_as: int | None = None  # the epoch of the batch; `_epoch` may change meanwhile
        self._doubts = 0
        self._named: int | None = None  # the epoch in the writer's application_name
        self._session: tuple[int, object] | None = None
        self._mark = secrets.token_hex(8)  # of this writer, with the number of its last transaction
        self._number = 0
        self._seen: tuple[int, str, int | None] | None = None  # the newest head, and the epoch under which it was seen
        self._cluster: tuple[str, str] | None = None
        self._listener: threading.Thread | None = None
        self._stop_listening = threading.Event()
        try:
            refuse_transaction_pooler(self._connected(), address)
            prepare(self._connected())
        except (psycopg.Error, StoreProblem) as error:
            self._hang_up()
            if isinstance(error, StoreProblem):
                raise
            raise mapped(error) from error
        self._thread.start()

    def fence(self, epoch: int | None, *, leads: bool = False) -> None:
        """From now on nothing is committed once the replica `epoch` was declared dead. Others notify the one that leads."""
        self._epoch, self._leads = epoch, leads

    def doubt(self) -> None:
        """Give up every connection: another one did not answer. A server that vanished, for example, closes none."""
        self._doubts += 1

    def wake(self, callback: Callable[[], None]) -> None:
        """Call `callback`, on a thread of its own, when another replica has committed something for the leader."""
        self._woken = callback
        if self._listener is not None:  # this replica leads again
            return
        self._listener = threading.Thread(target=self._listen, name="store-listener", daemon=True)
        self._listener.start()

    def cluster(self, tx: Tx) -> str | None:
        """The system identifier, the timeline, and the audit log's table, which a dump makes anew when it is restored."""
        return "/".join((*tx.execute(_TIMELINE.decode()).fetchone(), *tx.execute(_TABLE).fetchone()))

    def seen_head(self) -> tuple[int, str] | None:
        """The head of the audit log at the last commit of this process."""
        return self._seen[:2] if self._seen is not None else None

    def must_be_alone(self) -> None:
        """Raises StoreProblem (store_locked) when another program uses the database. The server shows a closed session for a
        while."""
        for wait in (*_WAITS, 1.6, 3.2):
            time.sleep(wait)
            own = ",".join(str(one.info.backend_pid) for one in (self._writer, *self._readers) if one is not None)
            if not self.read_sync(partial(_others, own)):
                break
        else:
            raise StoreProblem("A bot is running with this database.", "Stop every replica first.", "store_locked")

    def check_all(self) -> None:
        """Check that the guards of the audit log are there. PostgreSQL checks its pages itself. Raises StoreProblem."""
        missing = self.read_sync(lambda db: db.dialect.missing_guards(db))
        if missing:
            raise corrupt(f"Triggers of the audit log are missing: {', '.join(missing)}.")

    def findings(self) -> list[tuple[bool, str]]:
        """The judgement of the server, its settings, and the rights of this user."""
        with connect(self.address) as connection:
            return findings(connection, self.address)

    def save_head(self) -> None:
        """Nothing to do: the published head is the one to compare with."""

    # Writing

    def _enqueue(self, job: Job) -> None:
        job.epoch = self._epoch
        super()._enqueue(job)

    def load_sync(self, unit: Unit[T]) -> T:
        """Run `unit` on a connection of its own: it may take long."""
        return run_alone(self.address, unit)

    def _run(self, batch: list[Job]) -> None:
        """Under one epoch, however often it is tried. Units of an earlier one are refused: another replica has taken over."""
        epoch = self._written_as = self._epoch
        for job in batch:
            if job.epoch not in (epoch, None):
                job.error = fenced()
        batch = [job for job in batch if job.error is None]
        if not batch:
            return
        try:
            self._patiently(lambda: self._commit(batch, epoch), self._hang_up)
        except FencedError:
            for job in batch:
                job.error = fenced()
        except Exception as error:  # noqa: BLE001 - the callers must get any error and the thread must continue
            self._hang_up()
            _log.error("the store failed: %s", reason(error))
            for job in batch:
                job.error = for_everyone(error)

    def _commit(self, jobs: list[Job], epoch: int | None) -> None:
        """Run all units in one transaction. If one fails, each runs with its own savepoint, once it is sure that this replica
        lives: what another one has done since it took over must not look like a conflict."""
        for job in jobs:
            job.result = job.error = None
        try:
            self._together(jobs, epoch)
        except (UnitFailedError, psycopg.Error) as failed:
            error = failed.error if isinstance(failed, UnitFailedError) else failed
            if again(error):
                raise
            self._roll_back()
            self._one_by_one(jobs, epoch)

    def _patiently(self, work: Callable[[], T], hang_up: Callable[[], None]) -> T:
        """Do the work, again on a new connection while the database can't be reached. Raises StoreProblem."""
        end = time.monotonic() + self._patience  # noqa: TID251  how long a thread waits for a server
        for wait in itertools.chain(_WAITS, itertools.repeat(_WAITS[-1])):
            if wait:  # even a sleep of 0 seconds gives the processor away
                time.sleep(wait)
            try:
                return work()
            except psycopg.Error as error:
                hang_up()
                if not again(error) or time.monotonic() > end:  # noqa: TID251  see above
                    raise mapped(error) from error
        raise AssertionError

    def _together(self, jobs: list[Job], epoch: int | None) -> None:
        """The units of the batch in two round trips, and one for each result that a unit needs meanwhile."""
        tx = WriteTx(self._connected())
        tx.begin(epoch)
        run_all(tx, jobs)
        self._must_live(tx, epoch)
        self._end(tx, epoch)

    def _one_by_one(self, jobs: list[Job], epoch: int | None) -> None:
        tx = WriteTx(connection := self._connected())
        tx.begin(epoch)
        self._must_live(tx, epoch)
        for job in jobs:
            head = tx.head()
            tx.execute("SAVEPOINT unit")
            try:
                job.result = job.unit(tx)
                tx.flush()
                connection.sync()
            except Exception as error:
                if again(error):
                    raise
                job.error = mapped(error) if isinstance(error, psycopg.Error) else error
                with suppress(psycopg.Error):
                    connection.sync()
                tx.execute("ROLLBACK TO unit")
                tx.back_to(head)
            tx.execute("RELEASE unit")
        self._end(tx, epoch)

    def _must_live(self, tx: WriteTx, epoch: int | None) -> None:
        """Raises FencedError when another replica has taken over, or the database was restored under this epoch."""
        seen = self._seen if epoch is not None and self._seen is not None and self._seen[2] == epoch else None
        try:
            tx.must_live(seen[:2] if seen is not None else None)
        except FencedError:
            self._roll_back()
            raise

    def _end(self, tx: WriteTx, epoch: int | None) -> None:
        """Commit, and find out how it ended when the answer is lost. The leader is notified without waiting: it also looks every
        second."""
        tx.flush()
        self._number += 1
        tx.prove(self._mark, self._number)
        try:
            tx.commit()
        except psycopg.Error as error:
            if not lost(error):
                raise
            self._resolve(tx, error)
        if not self._leads and self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.post(_NOTIFY)
        head = tx.head()
        if head is not None and (self._seen is None or head[0] >= self._seen[0]):
            self._seen = (*head, epoch)

    def _resolve(self, tx: WriteTx, error: psycopg.Error) -> None:
        """The connection was lost in a commit: returns when it was committed, and raises `error` when it was rolled back.

        Raises StoreProblem (store_in_doubt) when no database answers that could say it.
        """
        cluster = self._cluster
        self._hang_up()
        end = time.monotonic() + self._patience + 2 * self.address.lease  # noqa: TID251  how long a thread waits
        committed: bool | None = None
        while committed is None and time.monotonic() < end:  # noqa: TID251  see above
            with suppress(psycopg.Error):
                committed = self._was_committed(tx, cluster)
            time.sleep(_WAITS[1] if committed is None else 0)
        if committed is None:
            raise in_doubt(error)
        if not committed:
            raise error

    def _was_committed(self, tx: WriteTx, cluster: tuple[str, str] | None) -> bool | None:
        """None while it is in progress. `cluster` is where it ran: in another one its number says nothing."""
        connection = self._connected()
        if self._cluster == cluster and in_progress(connection, tx.xid):
            return None
        if connection.execute(*tx.proof).fetchone() is None:
            return False
        # A commit that was cut off while it waited for a standby is only safe once a later one has reached it.
        connection.execute(SETTLE, (self._mark,))
        return True

    def _connected(self) -> Session:
        """The writer's connection. A session that was lost is ended first, because it may still hold the workspace's turn."""
        if self._writer is None or self._writer.closed:
            connection = self._connect(self._name(), _WRITER_WAITS * self.address.lease)
            self._named = self._written_as
            if self._session is not None:
                connection.execute(END_SESSION, self._session)
            self._session = connection.execute(WHO_AM_I).fetchone()
            self._cluster = connection.execute(_TIMELINE).fetchone()
            self._writer = connection
        elif self._named != self._written_as:
            self._named = self._written_as
            self._writer.execute("SELECT set_config('application_name', %s, false)", (self._name(),))
        return self._writer

    def _connect(self, name: str = "signalbox", limit: float = Session.limit) -> Session:
        """A new connection, which is given up when the heartbeat finds the database away."""
        doubts = self._doubts
        return connect(self.address, name, limit, lambda: self._doubts != doubts)

    def _name(self) -> str:
        """The name by which a new leader finds the sessions of the one before."""
        return "signalbox" if self._written_as is None else f"signalbox/{self._written_as}"

    def _roll_back(self) -> None:
        if self._writer is not None:
            self._writer.rollback()

    def _hang_up(self) -> None:
        if self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.close()
            self._writer = None

    # Reading

    async def glance(self, unit: Unit[T]) -> T:
        """`read` for one statement, which needs no transaction."""
        return await self._in_pool(self._glance, unit)

    def _glance(self, unit: Unit[T]) -> T:
        return self._patiently(lambda: unit(PostgresTx(self._reader())), self._forget_reader)

    def _read(self, unit: Unit[T]) -> T:
        return self._patiently(lambda: self._in_one_state(unit), self._forget_reader)

    def _in_one_state(self, unit: Unit[T]) -> T:
        tx = PostgresTx(reader := self._reader())
        try:
            tx.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            result = unit(tx)
            reader.post(b"ROLLBACK")
        except BaseException:
            reader.rollback()
            raise
        return result

    def _connect_reader(self) -> Session:
        reader = self._connect()
        reader.execute("SET default_transaction_read_only = on")
        return reader

    def _forget_reader(self) -> None:
        reader: Session | None = getattr(self._local, "reader", None)
        if reader is not None:
            self._local.reader = None
            self._readers.remove(reader)
            with suppress(psycopg.Error):
                reader.close()

    # Listening and the end

    def _listen(self) -> None:
        said = ""
        while not self._stop_listening.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    said = ""
                    while not self._stop_listening.is_set():
                        own = self._writer.info.backend_pid if self._writer is not None else 0
                        if any(
                            found.pid != own for found in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1)
                        ):
                            self._woken()
            except (psycopg.Error, StoreProblem) as error:
                if said != (said := reason(error)):
                    _log.warning("the store's listener connects again: %s", said)
                self._stop_listening.wait(_LISTEN_SECONDS)

    def _finish(self) -> None:
        if self._number and self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.execute(FORGET, (self._mark,))
        self._hang_up()

    def _release(self) -> None:
        self._stop_listening.set()
        if self._listener is not None:
            self._listener.join()
