"""The store. Changes that belong together are one method and one transaction."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.core.audit import AuditEntry
from bot.core.card import subject_key
from bot.core.intent import Intent
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.ports.services import Clock
from bot.core.records import (
    Filters,
    Grant,
    Pause,
    PendingDecision,
    StoredEntry,
    StoredRequest,
    Verdict,
    Watch,
    When,
    stamp,
)
from bot.core.value import Json
from bot.store import parts
from bot.store.database import Database, Rows, Statement, Tx
from bot.store.errors import StoreProblem, conflict
from bot.store.tables import (
    audit,
    audit_export,
    audit_query,
    audit_verify,
    grants,
    pending_decisions,
    requests,
    retention,
    target_names,
    watches,
)
from bot.store.tables import pauses as pauses_table

_log = logging.getLogger("signalbox.store")


class Store(parts.StoredDecisions, parts.StoredFiles, parts.StoredMessages, parts.RequestTargets, parts.TimedRows):
    """Everything that survives a restart, in one database.

    Every method that writes is one transaction, on the disk when it returns, and raises StoreProblem when nothing was
    written. Times may be given as aware datetimes or as stamps.
    """

    unfinished = parts.reads(requests.unfinished)
    request = parts.glances(requests.by_id)
    operation_of = parts.glances(requests.operation_of)
    request_by_key = parts.glances(requests.by_key)
    by_id = parts.glances(target_names.by_id)
    value = parts.glances(target_names.value)
    head = parts.reads(audit.head)
    begin = parts.changes(requests.begin)
    prune = parts.writes(retention.prune)
    known = parts.reads(target_names.known)
    keys_since = parts.reads(target_names.keys_since)
    values = parts.reads(target_names.values_with)
    take_turn = parts.changes(target_names.take_turn)
    search = parts.reads(audit_query.search)

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.shared = database.shared
        self._epoch = 0
        self.secrets = SecretList()  # masked in requests and decisions that ended

    async def close(self) -> None:
        """Finish the waiting units and close the database. A second call does nothing."""
        await self.database.close()

    def close_sync(self) -> None:
        """`close` for a thread without an event loop."""
        self.database.close_sync()

    def fence(self, epoch: int | None, *, leads: bool = False) -> None:
        """This replica's epoch, and whether it leads. It writes nothing once it was declared dead: then store_fenced."""
        self._epoch = epoch or 0
        self.database.fence(epoch, leads=leads)

    def doubt(self) -> None:
        """The database did not answer the heartbeat: open its connections again."""
        self.database.doubt()

    def able(self) -> bool:
        """Whether requests can be stored now. One bot alone has nobody to leave them to."""
        return not self.database.shared or self.database.able()

    def wake(self, callback: Callable[[], None]) -> None:
        """Call `callback`, on any thread, when another replica has stored something for the leader."""
        self.database.wake(callback)

    def accept(
        self, intent: Intent, entries: Sequence[AuditEntry], *, begun: bool = False, incidents: Sequence[str] = ()
    ) -> asyncio.Future[bool | str]:
        """Store a request once, from now on. False, with nothing written, when its dedupe key is known.

        `begun`: this process works on it from now on, like `begin` but without a second commit. `incidents` are up to two keys
        of values: when one has an open incident, the request and its entries are stored with its name, which is returned.
        """
        statement = requests.accept(intent, "working" if begun else "new")
        return self.database.write(_Accept(statement, entries, intent, target_names.incident(incidents)), urgent=True)

    async def append(self, *entries: AuditEntry) -> int:
        """Append entries without another change. Returns the seq of the last one."""
        return await self.database.write(lambda db: audit.append(db, entries))

    async def sending(
        self,
        request_id: str,
        operation: Operation,
        entry: AuditEntry,
        at: When,
        *,
        pending_id: str | None = None,
        grant: tuple[Grant, AuditEntry] | None = None,
    ) -> bool:
        """Working or waiting -> sending: True for one caller only, who may then call the backend, once.

        With `pending_id` it also takes the pending decision: an approved one, or an open pre-flight or question before its
        expiry. `grant` is what allows it, with its entry: both are stored unless an older version stored them. Nothing is written
        when the request or the pending decision is in another state.
        """
        when = stamp(at)

        def unit(db: Tx) -> bool:
            if pending_id is not None and not pending_decisions.take(db, pending_id, request_id, when):
                return False
            if not requests.sending(db, request_id, operation, when):
                if pending_id is None:
                    return False
                raise _NotNowError
            if grant is not None and grants.by_id(db, grant[0].id) is None:
                grants.add(db, grant[0])
                audit.append(db, [grant[1]])
            audit.append(db, [entry])
            return True

        try:
            return await self.database.write(unit)
        except _NotNowError:
            return False

    async def finish(
        self,
        request_id: str,
        entries: Sequence[AuditEntry],
        at: When,
        *,
        watch: Watch | None = None,
        pauses: Sequence[Pause] = (),
        over: Sequence[Pause] = (),
        over_state: str = "",
        run: Target | None = None,
        made: Sequence[str] = (),
    ) -> None:
        """Any state -> ended, with its watches, its pauses, the subject of the request, and what its call made.

        `over` are open pauses that it ends with the state `over_state`: resumed, replaced, cancelled or failed.
        """

        def unit(db: Tx) -> None:
            if not requests.finish(db, request_id, stamp(at)):
                raise conflict(f"The request {request_id} is unknown")
            if watch is not None:
                watches.add(db, watch)
            for pause in over:
                pauses_table.end(db, pause.id, over_state)
            for pause in pauses:
                pauses_table.add(db, pause)
            if run is not None:
                target_names.set_value(db, subject_key(request_id), run.model_dump(mode="json"), stamp(at))
            if run is not None and made:
                target_names.claim(db, run.backend, made, request_id, stamp(at))
            requests.scrub(db, request_id, self.secrets)
            pending_decisions.scrub(db, request_id, self.secrets)
            audit.append(db, entries)

        await self.database.write(unit)

    async def wait(
        self,
        request_id: str,
        pending: PendingDecision,
        entries: Sequence[AuditEntry],
        at: When,
        *,
        unless: Callable[[PendingDecision], bool] | None = None,
        replaces: PendingDecision | None = None,
    ) -> PendingDecision | None:
        """New or working -> waiting, for a person's decision. Nothing changes if `unless` is true of another open one, which is
        returned: no other replica can add one in between.

        `replaces` is cancelled by it. When that one was decided or used meanwhile, nothing changes and it is returned.
        """

        def unit(db: Tx) -> PendingDecision | None:
            if unless is not None:
                others = pending_decisions.listed(db, "open", None)
                if (same := next(filter(unless, others), None)) is not None:
                    return same
            if replaces is not None and not pending_decisions.replaced(db, replaces, stamp(at)):
                return replaces
            if not requests.waiting(db, request_id, stamp(at)):
                raise conflict(f"The request {request_id} can't wait anymore")
            pending_decisions.add(db, pending)
            audit.append(db, entries)
            return None

        return await self.database.write(unit)

    async def claim_unfinished(self) -> Sequence[StoredRequest]:
        """`unfinished` that no other replica works on: this one works on them from now on."""
        if not self.shared:
            return await self.unfinished()
        return await self.database.write(lambda db: requests.claim(db, self._epoch))

    async def sending_elsewhere(self) -> Sequence[StoredRequest]:
        """Requests in `sending` of other live replicas, such as the previous leader that finishes its calls."""
        if not self.shared:
            return ()
        return await self.database.read(lambda db: requests.sending_elsewhere(db, self._epoch))

    async def release(self, request_id: str, at: When) -> bool:
        """Working -> new: the leader continues it. False when it is not working, or another replica works on it."""
        epoch = self._epoch if self.shared else None
        return await self._change(requests.release(request_id, stamp(at), epoch))

    async def remember(self, targets: Sequence[Target], at: When) -> None:
        """Store names of vendors' ids (see `StoreTargetCache` for the port)."""
        if targets:
            await self.database.write(lambda db: target_names.remember(db, targets, stamp(at)))

    def values_sync(self, prefix: str) -> Mapping[str, Json]:
        """The small values whose keys begin with that prefix, by the rest of their keys; for the command line."""
        return self.database.read_sync(lambda db: target_names.values_with(db, prefix))

    async def cluster(self) -> str | None:
        """Which server's and timeline's database it is; None for a file."""
        return await self.database.read(self.database.cluster)

    async def lacks(self, head: str | None) -> list[str]:
        """The heads that the audit log should have, `head` and the last one of this process, but doesn't have."""
        seen = self.database.seen_head()
        known = [f"{seen[0]}:{seen[1]}"] if seen is not None else []
        known += [head] if head is not None else []
        return [one for one in known if not await self.database.read(partial(audit.has_head, one))]

    async def set_value(self, key: str, value: Json, at: When, entries: Sequence[AuditEntry] = ()) -> None:
        """Store a small value and append its audit entries."""

        def unit(db: Tx) -> None:
            target_names.set_value(db, key, value, stamp(at))
            audit.append(db, entries)

        await self.database.write(unit)

    def search_sync(self, filters: Filters, *, before_seq: int | None = None, limit: int = 50) -> Sequence[StoredEntry]:
        """`search` for the command line."""
        return self.database.read_sync(lambda db: audit_query.search(db, filters, before_seq=before_seq, limit=limit))

    def head_sync(self) -> str | None:
        """`head` for the command line."""
        return self.database.read_sync(audit.head)

    def verify_sync(self, head: str | None = None) -> Verdict:
        """Check the audit log's chain. `head` is a published `SEQ:HASH`. Blocks for 3 s per million entries."""
        return audit_verify.verify(self.database.read_sync, head)

    def export_sync(self, path: str, form: str, *entries: AuditEntry) -> int:
        """Write the audit log to `path` as `csv` or `jsonl`, once these entries about it were added. Returns the number of
        entries. Blocks. Raises OSError, without the entries when the file can't be written."""
        return audit_export.export(self.database.read_sync, path, form, lambda: self.append_sync(*entries))

    def check_file(self) -> None:
        """Raises StoreProblem (store_replaced) when the open database is not the configured one anymore."""
        self.database.check()

    def save_head_sync(self) -> None:
        """Remember the head of the audit log for the check at the next start."""
        self.database.save_head()

    def append_sync(self, *entries: AuditEntry) -> int:
        """`append` for the command line."""
        return self.database.write_sync(lambda db: audit.append(db, entries))

    def findings_sync(self) -> list[tuple[bool, str]]:
        """What an administrator should know about the database: whether it is good, and a sentence. Blocks."""
        return self.database.findings()

    def check_sync(self) -> None:
        """The database's own check of everything. Raises StoreProblem (store_corrupt). Blocks for some seconds per gigabyte."""
        self.database.check_all()


@dataclass(frozen=True, slots=True)
class _Accept(audit.Change):
    """The unit of `accept`: one round trip, unless an incident is open."""

    intent: Intent
    incident: Statement

    def send(self, db: Tx) -> tuple[Rows, Rows]:
        return audit.Change.send(self, db), db.execute(*self.incident)

    def complete(self, db: Tx, result: tuple[Rows, Rows]) -> bool | str:
        stored, incident = result
        (value,) = incident.fetchone()
        if value is None or stored.rowcount <= 0:
            return bool(audit.Change.complete(self, db, stored))
        name: str = json.loads(value)["name"]
        marked = {"incident": name}
        db.execute(*requests.mark(self.intent.model_copy(update=marked)))
        audit.append(db, [entry.model_copy(update=marked) for entry in self.rows])
        return name


class _NotNowError(Exception):
    """Rolls back a unit that found a request in another state."""


class StoreTargetCache:
    """Implements `core.ports.TargetCache` in the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def remember(self, targets: Sequence[Target]) -> None:
        """Store these, seen now. What can't be stored is found again: it must not decide the outcome of a call."""
        try:
            await self._store.remember(targets, self._clock.now())
        except StoreProblem as problem:
            _log.warning("%d targets are not remembered: %s", len(targets), problem.code)

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None:
        """A remembered target."""
        return await self._store.by_id(backend, kind, id)

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        """All remembered targets of a backend, with the time when each was last seen."""
        return await self._store.known(backend, kind)
