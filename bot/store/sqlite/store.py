"""The store. Changes that belong together are one method and one transaction."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlite_utils

from bot.core.audit import AuditEntry
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.records import Filters, Pause, PendingDecision, StoredEntry, StoredRequest, Verdict, Watch, stamp
from bot.core.redact import SecretList
from bot.core.value import Json
from bot.store.sqlite.approvals import StoredDecisions
from bot.store.sqlite.connection import Database
from bot.store.sqlite.errors import StoreProblem, conflict, corrupt
from bot.store.sqlite.file_guard import kept_head, rolled_back, save_head
from bot.store.sqlite.lock import FileLock, single
from bot.store.sqlite.messages import StoredMessages
from bot.store.sqlite.migrations import migrate, refuse_foreign
from bot.store.sqlite.request_targets import RequestTargets, run_key
from bot.store.sqlite.tables import (
    audit,
    audit_export,
    audit_query,
    audit_verify,
    pending_decisions,
    requests,
    retention,
    target_names,
    watches,
)
from bot.store.sqlite.tables import pauses as pauses_table
from bot.store.sqlite.timed import TimedRows

# Above this size only the small tables are checked at the start, which must take less than 2 seconds.
QUICK_CHECK_BYTES: Final = 128 * 1024 * 1024


class Store(StoredDecisions, StoredMessages, RequestTargets, TimedRows):
    """Everything that survives a restart, in one SQLite file.

    Every method that writes is one transaction, on the disk when it returns, and raises StoreProblem when nothing was
    written. Times may be given as aware datetimes or as stamps.
    """

    def __init__(self, database: Database, lock: FileLock | None) -> None:
        super().__init__(database)
        self._lock = lock
        self.secrets = SecretList()  # masked in requests and decisions that ended

    @classmethod
    def open(cls, path: str, *, exclusive: bool = False, patience: float = 5.0) -> Store:
        """Open or make the file (mode 0600), apply migrations, and check it. Blocks.

        `exclusive` is for the bot: a second one gets store_locked. `patience`: seconds to wait for another writer.
        """
        lock = single(path) if exclusive else None
        try:
            _make_private(path)
            database = Database(path, patience=patience)
            try:
                database.write_sync(_prepare)
                database.read_sync(_check)
                if exclusive:
                    _check_head(database)
            except BaseException:
                database.close_sync()
                raise
        except BaseException:
            if lock is not None:
                lock.close()
            raise
        return cls(database, lock)

    async def close(self) -> None:
        """Finish the waiting units and close the file. A second call does nothing."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_sync)

    def close_sync(self) -> None:
        """`close` for a thread without an event loop."""
        with suppress(StoreProblem):
            if self._lock is not None:
                self.check_file()
                self.save_head_sync()
        self.database.close_sync()
        self._unlock()

    async def accept(self, intent: Intent, rows: Sequence[AuditEntry], *, begun: bool = False) -> bool:
        """Store a request once. False, with nothing written, when its dedupe key is known.

        `begun`: this process works on it from now on, like `begin` but without a second commit.
        """
        state = "working" if begun else "new"
        return await self._change(lambda db: requests.accept(db, intent, state), rows, urgent=True)

    async def append(self, *rows: AuditEntry) -> int:
        """Append entries without another change. Returns the seq of the last one."""
        return await self.database.write(lambda db: audit.append(db, rows))

    async def begin(self, request_id: str, at: datetime | str) -> bool:
        """New -> working. False when it is not new."""
        return await self.database.write(lambda db: requests.begin(db, request_id, stamp(at)))

    async def sending(
        self,
        request_id: str,
        operation: Operation,
        row: AuditEntry,
        at: datetime | str,
        *,
        pending_id: str | None = None,
    ) -> bool:
        """Working or waiting -> sending: True for one caller only, who may then call the backend, once.

        With `pending_id` it also takes the pending decision: an approved one, or an open pre-flight or question before its
        expiry. Nothing is written when the request or the pending decision is in another state.
        """
        when = stamp(at)

        def unit(db: sqlite_utils.Database) -> bool:
            if pending_id is not None and not pending_decisions.take(db, pending_id, request_id, when):
                return False
            if not requests.sending(db, request_id, operation, when):
                if pending_id is None:
                    return False
                raise _NotNowError
            audit.append(db, [row])
            return True

        try:
            return await self.database.write(unit)
        except _NotNowError:
            return False

    async def finish(
        self,
        request_id: str,
        rows: Sequence[AuditEntry],
        at: datetime | str,
        *,
        watch: Watch | None = None,
        pauses: Sequence[Pause] = (),
        over: Sequence[Pause] = (),
        over_state: str = "",
        run: Target | None = None,
    ) -> None:
        """Any state -> ended, with its watches, its pauses, and the subject of the request.

        `over` are open pauses that it ends with the state `over_state`: resumed, replaced, cancelled or failed.
        """

        def unit(db: sqlite_utils.Database) -> None:
            if not requests.finish(db, request_id, stamp(at)):
                raise conflict(f"The request {request_id} is unknown")
            if watch is not None:
                watches.add(db, watch)
            for pause in over:
                pauses_table.end(db, pause.id, over_state)
            for pause in pauses:
                pauses_table.add(db, pause)
            if run is not None:
                target_names.set_value(db, run_key(request_id), run.model_dump(mode="json"), stamp(at))
            requests.scrub(db, request_id, self.secrets)
            pending_decisions.scrub(db, request_id, self.secrets)
            audit.append(db, rows)

        await self.database.write(unit)

    async def wait(
        self, request_id: str, pending: PendingDecision, rows: Sequence[AuditEntry], at: datetime | str
    ) -> None:
        """New or working -> waiting, for a person's decision."""

        def unit(db: sqlite_utils.Database) -> None:
            if not requests.waiting(db, request_id, stamp(at)):
                raise conflict(f"The request {request_id} can't wait anymore")
            pending_decisions.add(db, pending)
            audit.append(db, rows)

        await self.database.write(unit)

    async def unfinished(self) -> Sequence[StoredRequest]:
        """Requests that were new, working or sending when the program stopped, oldest first."""
        return await self.database.read(requests.unfinished)

    async def request(self, request_id: str) -> StoredRequest | None:
        """One request."""
        return await self.database.glance(lambda db: requests.by_id(db, request_id))

    async def request_by_key(self, dedupe_key: str) -> StoredRequest | None:
        """The request with this identity."""
        return await self.database.glance(lambda db: requests.by_key(db, dedupe_key))

    async def prune(self, before: datetime | str, limit: int = 1000) -> int:
        """Delete what ended before then, at most `limit` of each sort. Returns the counts. The audit log keeps everything."""
        return await self.database.write(lambda db: retention.prune(db, stamp(before), limit))

    async def remember(self, targets: Sequence[Target], at: datetime | str) -> None:
        """Store names of vendors' ids (see `target_names.StoreTargetCache` for the port)."""
        if targets:
            await self.database.write(lambda db: target_names.remember(db, targets, stamp(at)))

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None:
        """A remembered target."""
        return await self.database.glance(lambda db: target_names.by_id(db, backend, kind, id))

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        """All remembered targets of a backend, with the time when each was last seen."""
        found = await self.database.read(lambda db: target_names.known(db, backend, kind))
        return [(target, datetime.fromisoformat(seen_at)) for target, seen_at in found]

    async def value(self, key: str) -> Json:
        """A small value by its key, or None."""
        return await self.database.glance(lambda db: target_names.value(db, key))

    async def keys_since(self, prefix: str, at: datetime | str) -> Sequence[str]:
        """The keys with that prefix that were set at or after a time."""
        return await self.database.read(lambda db: target_names.keys_since(db, prefix, stamp(at)))

    async def set_value(self, key: str, value: Json, at: datetime | str, rows: Sequence[AuditEntry] = ()) -> None:
        """Store a small value and append its audit entries."""

        def unit(db: sqlite_utils.Database) -> None:
            target_names.set_value(db, key, value, stamp(at))
            audit.append(db, rows)

        await self.database.write(unit)

    async def search(
        self, filters: Filters, *, before_seq: int | None = None, limit: int = 50
    ) -> Sequence[StoredEntry]:
        """The matching audit entries, newest first, at most 500. For the next page pass the last one's seq."""
        return await self.database.read(lambda db: audit_query.search(db, filters, before_seq, limit))

    def search_sync(self, filters: Filters, *, before_seq: int | None = None, limit: int = 50) -> Sequence[StoredEntry]:
        """`search` for the command line."""
        return self.database.read_sync(lambda db: audit_query.search(db, filters, before_seq, limit))

    async def head(self) -> str | None:
        """`SEQ:HASH` of the last audit entry."""
        return await self.database.read(audit.head)

    def head_sync(self) -> str | None:
        """`head` for the command line."""
        return self.database.read_sync(audit.head)

    def verify_sync(self, head: str | None = None) -> Verdict:
        """Check the audit log's chain. `head` is a published `SEQ:HASH`. Blocks for 3 s per million entries."""
        return audit_verify.verify(self.database.read_sync, head)

    def export_sync(self, path: str, form: str) -> int:
        """Write the audit log to `path` as `csv` or `jsonl`. Returns the number of entries. Blocks. Raises OSError."""
        return audit_export.export(self.database.read_sync, path, form)

    def check_file(self) -> None:
        """Raises StoreProblem (store_replaced) when the file on the disk is not the open one."""
        self.database.guard.check()

    def save_head_sync(self) -> None:
        """Save the head of the audit log next to the file, for the check at the next start."""
        with suppress(OSError):  # a full disk: the earlier head stays
            save_head(self.database.path, self.head_sync())

    def append_sync(self, *rows: AuditEntry) -> int:
        """`append` for the command line."""
        return self.database.write_sync(lambda db: audit.append(db, rows))

    def check_sync(self) -> None:
        """SQLite's own check of the whole file. Raises StoreProblem (store_corrupt). Blocks for some seconds per gigabyte."""
        self.database.read_sync(_check_all)

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class _NotNowError(Exception):
    """Rolls back a unit that found a request in another state."""


def _make_private(path: str) -> None:
    """Make the file, or set its mode to 0600. An existing file is not opened: closing it would drop SQLite's locks."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        # Another user's file: SQLite reports whether it can be written.
        with suppress(PermissionError):
            if Path(path).stat().st_mode & 0o077:
                Path(path).chmod(0o600)
    except OSError as error:
        raise StoreProblem(
            f"The store's file can't be made: {error.strerror}.", "Check `[store] url`.", "store_unreachable"
        ) from error


def _prepare(db: sqlite_utils.Database) -> None:
    refuse_foreign(db)
    migrate(db)


def _check(db: sqlite_utils.Database) -> None:
    pages, size = (db.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if pages * size <= QUICK_CHECK_BYTES:
        _check_all(db)
        return
    for name in ("requests", "messages", "buttons", "pending_decisions", "watches", "pauses", "grants"):
        _expect_ok(db, f"PRAGMA quick_check({name})")


def _check_head(database: Database) -> None:
    """Check that the audit log still has the entry that the last run saved. Raises StoreProblem (store_rolled_back)."""
    kept = kept_head(database.path)
    if kept is None:
        return
    sql = "SELECT hash FROM audit WHERE seq = ?"
    row = database.read_sync(lambda db: db.conn.execute(sql, (kept[0],)).fetchone())
    if row is None or row[0] != kept[1]:
        raise rolled_back(database.path, kept[0])


def _check_all(db: sqlite_utils.Database) -> None:
    _expect_ok(db, "PRAGMA quick_check(1)")


def _expect_ok(db: sqlite_utils.Database, sql: str) -> None:
    answer = db.conn.execute(sql).fetchone()[0]
    if answer != "ok":
        raise corrupt(str(answer))
