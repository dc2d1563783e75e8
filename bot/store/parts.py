"""The parts of the store: each has the methods for some of its tables."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from bot.core.audit import COLUMNS, AuditEntry
from bot.core.operation import Target
from bot.core.records import CastVote, Outgoing, PendingDecision, StoredButton, StoredEntry, VoteResult, stamp
from bot.core.value import Json
from bot.store.database import Database, Statement, Tx
from bot.store.tables import audit, audit_query, buttons, messages, pending_decisions, requests, target_names
from bot.store.tables.audit import Change

P = ParamSpec("P")
T = TypeVar("T")
CHUNK: Final = 1024 * 1024
_ADD: Final = "INSERT INTO blobs (id, n, body) VALUES (?, ?, ?)"
_READ: Final = "SELECT body FROM blobs WHERE id = ? AND n = ?"
_OLD: Final = "DELETE FROM blobs WHERE made_at < now() - interval '7 days'"
_CARD: Final = "op:"
_OUTCOMES: Final = ("done", "failed", "unknown", "reconciled", "abandoned", "ended")
_IN_THREAD: Final = """
    SELECT key FROM messages WHERE channel_id = ? AND (ts = ? OR thread_ts = ?) AND substr(key, 1, 3) = 'op:'
    ORDER BY CASE WHEN ts = ? THEN 0 ELSE 1 END, rowid DESC"""
_LAST: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM audit WHERE target_id = ? AND risk <> 'read' "  # noqa: S608  fixed names
    f"AND event IN ({', '.join('?' * len(_OUTCOMES))}) ORDER BY seq DESC LIMIT ?"
)


class StorePart:
    """A method that writes is one transaction and raises StoreProblem when it fails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _change(self, change: Statement, rows: Sequence[AuditEntry] = (), *, urgent: bool = False) -> bool:
        """Run a compare-and-set and append `rows` with it. If it changes no row, nothing is written."""
        return await self.database.write(Change(change, rows), urgent=urgent)


def reads(query: Callable[Concatenate[Tx, P], T]) -> Callable[Concatenate[StorePart, P], Coroutine[Any, Any, T]]:
    """A method of the store that runs this query of a table, and returns what it returns."""

    async def method(self: StorePart, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read(lambda db: query(db, *args, **kwargs))

    return method


def glances(query: Callable[Concatenate[Tx, P], T]) -> Callable[Concatenate[StorePart, P], Coroutine[Any, Any, T]]:
    """The same for a query that takes no time."""

    async def method(self: StorePart, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.glance(lambda db: query(db, *args, **kwargs))

    return method


class StoredMessages(StorePart):
    """Messages are stored in their desired state; the message sender updates Slack."""

    next_due = reads(messages.next_due)
    stand_ins = reads(messages.stand_ins)
    message = glances(messages.by_key)
    button = glances(buttons.by_id)
    same_button = glances(buttons.same)

    async def show(self, outgoing: Outgoing, shown: Sequence[StoredButton] = ()) -> None:
        """Set the desired state of a message, retire its old buttons, and store these. `due_at` is when to send."""

        def unit(db: Tx) -> None:
            messages.show(db, outgoing)
            buttons.replace(db, outgoing.key, shown, outgoing.due_at)

        await self.database.write(unit)

    async def due_messages(
        self, now: datetime | str, limit: int = 100, *, each: int | None = None, skip: Collection[str] = ()
    ) -> Sequence[Outgoing]:
        """The messages due now, the longest overdue first: at most `each` per lane, without the lanes in `skip`.

        A deleted message is never due.
        """
        return await self.database.read(lambda db: messages.due(db, stamp(now), limit, each or limit, skip))

    async def sent(self, key: str, want: int, *, ts: str | None = None, gone: bool = False) -> bool:
        """Record that Slack has the message as of `want`. False when a later state is recorded already."""
        return await self._change(messages.sent(key, want, ts, gone=gone))

    async def postpone(self, key: str, due_at: datetime | str, error: str) -> bool:
        """Try again at that time. Counts the attempt and stores the error."""
        return await self._change(messages.postpone(key, stamp(due_at), error))

    async def retire(self, message_key: str, at: datetime | str) -> int:
        """Retire every button of a message. Returns their number."""
        return await self.database.write(lambda db: buttons.retire(db, message_key, stamp(at)))


class StoredFiles(StorePart):
    """A file is known by the path at which it was made, and kept in chunks of 1 MiB."""

    async def keep_file(self, path: str) -> None:
        """Store a file for the other replicas. Raises OSError when it can't be read."""
        if not self.database.keeps_files:
            return
        with await asyncio.to_thread(Path(path).open, "rb") as file:
            number = 0
            while body := await asyncio.to_thread(file.read, CHUNK):
                values = (_key(path), number, body)
                await self.database.write(lambda db: db.execute(_ADD, values))  # noqa: B023  awaited at once
                number += 1

    async def fetch_file(self, path: str) -> str | None:
        """Where the file is on this machine: at its path, or as a copy. None when nobody has it."""
        if await asyncio.to_thread(Path(path).exists):
            return path
        if not self.database.keeps_files or await self._chunk(path, 0) is None:
            return None
        number = 0
        with tempfile.NamedTemporaryFile(suffix=Path(path).suffix, delete=False) as copy:
            while (body := await self._chunk(path, number)) is not None:
                await asyncio.to_thread(copy.write, body)
                number += 1
        return copy.name

    async def drop_file(self, path: str) -> None:
        """Forget a file that was uploaded, and those that nobody has asked for in a week."""
        if self.database.keeps_files:
            await self.database.write(lambda db: db.execute("DELETE FROM blobs WHERE id = ?", (_key(path),)))
            await self.database.write(lambda db: db.execute(_OLD))

    async def _chunk(self, path: str, number: int) -> bytes | None:
        row = await self.database.glance(lambda db: db.execute(_READ, (_key(path), number)).fetchone())
        return None if row is None else bytes(row[0])


def _key(path: str) -> str:
    return Path(path).name


class StoredDecisions(StorePart):
    """Pending decisions. Each is decided once; the first decision wins."""

    open_pending = glances(pending_decisions.by_id)
    votes = reads(pending_decisions.votes)
    pending_decisions = reads(pending_decisions.listed)

    async def vote(
        self,
        pending_id: str,
        vote: CastVote,
        rows: Callable[[VoteResult], Sequence[AuditEntry]],
        *,
        needed: int,
        now: datetime | str,
    ) -> VoteResult:
        """Count one vote. A deny ends the pending decision; `needed` approvals of different persons approve it.

        `rows` returns the audit entries of a counted vote; it is called inside the transaction. An overdue pending decision is
        reported as expired but not changed: `end_pending` expires it, with its entry.
        """

        def unit(db: Tx) -> VoteResult:
            result = pending_decisions.vote(db, pending_id, vote, needed=needed, now=stamp(now))
            if result.counted:
                audit.append(db, rows(result))
            return result

        return await self.database.write(unit)

    async def end_pending(
        self, pending_id: str, state: str, by: str | None, rows: Sequence[AuditEntry], now: datetime | str
    ) -> bool:
        """Open -> `state`; an approved one can still be cancelled. False when another change came first."""
        return await self._change(pending_decisions.end(pending_id, state, by, stamp(now)), rows)

    async def claim(self, key: str, value: Json, rows: Sequence[AuditEntry], at: datetime | str) -> bool:
        """Store a small value if its key is new, with its audit entries. False when the key exists."""
        return await self._change(target_names.set_fact_once(key, value, stamp(at)), rows)

    async def untold_pending(self, kind: str, prefix: str, since: datetime | str) -> Sequence[PendingDecision]:
        """Pending decisions of a kind that ended since then without a message to them (key `prefix` + id + `:` + state)."""
        return await self.database.read(lambda db: pending_decisions.untold(db, kind, prefix, stamp(since)))

    async def due_pending(self, now: datetime | str) -> Sequence[PendingDecision]:
        """Open pending decisions that are overdue."""
        return await self.database.read(lambda db: pending_decisions.due(db, stamp(now)))

    async def remind_pending(self, now: datetime | str) -> Sequence[PendingDecision]:
        """Open pending decisions with a due reminder; see `reminded`."""
        return await self.database.read(lambda db: pending_decisions.to_remind(db, stamp(now)))

    async def reminded(self, pending: PendingDecision, next_at: datetime | str | None) -> bool:
        """Set the next reminder. False when it has changed since it was read."""
        following = None if next_at is None else stamp(next_at)
        return await self._change(pending_decisions.reminded(pending.id, pending.remind_at, following))


def run_key(request_id: str) -> str:
    """The key for the run of a request."""
    return f"run:{request_id}"


class RequestTargets(StorePart):
    """Reads that join a message, a request and a target."""

    being_sent = reads(requests.being_sent)

    async def run_of(self, request_id: str) -> Target | None:
        """The subject of a request's card: the run that it started, else its target."""
        return await self.database.glance(lambda db: _run(db, request_id))

    async def made_by_others(self, request_id: str, backend: str, since: datetime | str) -> frozenset[str]:
        """What the calls of other requests made on a backend since then."""
        return await self.database.read(lambda db: target_names.claimed(db, backend, request_id, stamp(since)))

    async def maker_of(self, backend: str, made: str) -> str | None:
        """The request whose call made that run on a backend, None if no request is known to have made it."""
        kept = await self.database.glance(lambda db: target_names.value(db, target_names.made_key(backend, made)))
        return kept if isinstance(kept, str) else None

    async def claim_made(self, request_id: str, backend: str, made: Sequence[str], at: datetime | str) -> bool:
        """Record all of it as made by this request. False, with nothing written, when another request has one of them."""

        def unit(db: Tx) -> None:
            if target_names.claim(db, backend, made, request_id, stamp(at)):
                raise _TakenError

        try:
            await self.database.write(unit)
        except _TakenError:
            return False
        return True

    async def thread_target(self, channel_id: str, thread_ts: str) -> Target | None:
        """The subject of the first card of a thread, else of the newest card in the thread."""

        def look(db: Tx) -> Target | None:
            for (key,) in db.execute(_IN_THREAD, (channel_id, thread_ts, thread_ts, thread_ts)).fetchall():
                found = _run(db, key[len(_CARD) :])
                if found is not None:
                    return found
            return None

        return await self.database.read(look)

    async def last_outcomes(self, target_id: str, limit: int) -> Sequence[StoredEntry]:
        """The outcomes of the last changes to a target, newest first."""
        return await self.database.read(
            lambda db: audit_query.entries(db.execute(_LAST, (target_id, *_OUTCOMES, limit)))
        )


class _TakenError(Exception):
    """Rolls back a claim on something that another request has."""


def _run(db: Tx, request_id: str) -> Target | None:
    kept = target_names.value(db, run_key(request_id))
    return Target.stored(kept) if isinstance(kept, dict) else None
