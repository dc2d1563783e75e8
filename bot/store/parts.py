"""The parts of the store: each has the methods for some of its tables. A method that only runs one query is declared by it."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from bot.core.audit import COLUMNS, AuditEntry
from bot.core.card import approval_key, operation_key, subject_key
from bot.core.operation import Target
from bot.core.records import (
    CastVote,
    Grant,
    Outgoing,
    PendingDecision,
    StoredButton,
    StoredEntry,
    VoteResult,
    WatchedTarget,
    When,
    stamp,
)
from bot.core.value import Json
from bot.store.database import Database, Statement, Tx
from bot.store.tables import (
    audit,
    audit_query,
    buttons,
    grants,
    messages,
    pauses,
    pending_decisions,
    requests,
    subscriptions,
    target_names,
    watches,
)
from bot.store.tables.audit import Change

P = ParamSpec("P")
T = TypeVar("T")
CHUNK: Final = 1024 * 1024
_ADD: Final = "INSERT INTO blobs (id, n, body) VALUES (?, ?, ?)"
_READ: Final = "SELECT body FROM blobs WHERE id = ? AND n = ?"
_OLD: Final = "DELETE FROM blobs WHERE made_at < now() - interval '7 days'"
_CARD: Final = operation_key("")
_APPROVAL: Final = approval_key("")
_PAUSE: Final = "pause:"
_OUTCOMES: Final = ("done", "failed", "unknown", "reconciled", "abandoned", "ended")
_IN_THREAD: Final = """
    SELECT key, CASE WHEN ts = ? THEN 1 ELSE 0 END AS first FROM messages WHERE channel_id = ? AND (ts = ? OR thread_ts = ?)
    ORDER BY first DESC, rowid DESC"""
_LAST: Final = f"""SELECT {", ".join(COLUMNS)} FROM audit WHERE target_id = ? AND target_kind = ? AND backend = ?
    AND risk <> 'read' AND event IN ({", ".join("?" * len(_OUTCOMES))}) ORDER BY seq DESC LIMIT ?"""  # noqa: S608  fixed names


class StorePart:
    """A method that writes is one transaction and raises StoreProblem when it fails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def _change(self, change: Statement, entries: Sequence[AuditEntry] = ()) -> asyncio.Future[bool]:
        """Run a compare-and-set and append `entries` with it. If it changes no row, nothing is written."""
        return self.database.write(Change(change, entries))


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


def writes(unit: Callable[Concatenate[Tx, P], T]) -> Callable[Concatenate[StorePart, P], Coroutine[Any, Any, T]]:
    """The same for a function that changes a table."""

    async def method(self: StorePart, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.write(lambda db: unit(db, *args, **kwargs))

    return method


def changes(statement: Callable[P, Statement]) -> Callable[Concatenate[StorePart, P], Coroutine[Any, Any, bool]]:
    """A method of the store that runs this compare-and-set: True when it changed a row."""

    async def method(self: StorePart, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        return await self._change(statement(*args, **kwargs))

    return method


class StoredMessages(StorePart):
    """Messages are stored in their desired state; the message sender updates Slack."""

    next_due = reads(messages.next_due)
    stand_ins = reads(messages.stand_ins)
    message = glances(messages.by_key)
    button = glances(buttons.by_id)
    same_button = glances(buttons.same)
    due_messages = reads(messages.due)
    sent = changes(messages.sent)
    postpone = changes(messages.postpone)
    show_again = changes(messages.again)
    retire = writes(buttons.retire)

    async def show(self, outgoing: Outgoing, shown: Sequence[StoredButton] = ()) -> None:
        """Set the desired state of a message, retire its old buttons, and store these. `due_at` is when to send."""

        def unit(db: Tx) -> None:
            messages.show(db, outgoing)
            buttons.replace(db, outgoing.key, shown, outgoing.due_at)

        await self.database.write(unit)


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
    untold_pending = reads(pending_decisions.untold)
    unfinished_pending = reads(pending_decisions.unfinished)
    due_pending = reads(pending_decisions.due)
    remind_pending = reads(pending_decisions.to_remind)
    pending_decisions = reads(pending_decisions.listed)

    async def vote(
        self,
        pending_id: str,
        vote: CastVote,
        entries: Callable[[VoteResult], Sequence[AuditEntry]],
        *,
        needed: int,
        now: When,
    ) -> VoteResult:
        """Count one vote. A deny ends the pending decision; `needed` approvals of different persons approve it.

        `rows` returns the audit entries of a counted vote; it is called inside the transaction. An overdue pending decision is
        reported as expired but not changed: `end_pending` expires it, with its entry.
        """

        def unit(db: Tx) -> VoteResult:
            result = pending_decisions.vote(db, pending_id, vote, needed=needed, now=stamp(now))
            if result.counted:
                audit.append(db, entries(result))
            return result

        return await self.database.write(unit)

    async def end_pending(
        self, pending_id: str, state: str, by: str | None, entries: Sequence[AuditEntry], now: When
    ) -> bool:
        """Open -> `state`; an approved one can still be cancelled or taken. False when another change came first."""
        return await self._change(pending_decisions.end(pending_id, state, by, stamp(now)), entries)

    async def claim(self, key: str, value: Json, entries: Sequence[AuditEntry], at: When) -> bool:
        """Store a small value if its key is new, with its audit entries. False when the key exists."""
        return await self._change(target_names.set_value_once(key, value, at), entries)

    async def reminded(self, pending: PendingDecision, next_at: When | None) -> bool:
        """Set the next reminder. False when it has changed since it was read."""
        following = None if next_at is None else stamp(next_at)
        return await self._change(pending_decisions.reminded(pending.id, pending.remind_at, following))


def _run(db: Tx, request_id: str) -> Target | None:
    """The subject of a request's card: the run that it started, else its target."""
    kept = target_names.value(db, subject_key(request_id))
    return Target.stored(kept) if isinstance(kept, dict) else None


def _subject(db: Tx, key: str) -> Target | None:
    """What the card with this key is about, if that is stored."""
    if key.startswith(_PAUSE):
        ended = pauses.by_id(db, key.removeprefix(_PAUSE))
        return (_run(db, ended.request_id) or ended.target) if ended is not None else None  # with all that it paused
    if (found := _run(db, key.removeprefix(_CARD))) is not None or not key.startswith(_CARD):
        return found
    request = requests.by_id(db, key.removeprefix(_CARD))
    return request.operation.target if request is not None and request.operation is not None else None


def _thread_target(db: Tx, channel_id: str, thread_ts: str) -> Target | None:
    """The subject of the card of a request that began a thread, else of the newest card of a request in it, else of what the bot
    told there by itself. In the thread of what it told of a run, a card about what that is a run of doesn't count. Where nothing
    of this is found, a thread that a request for approval began is about the target of that request."""
    cards = db.execute(_IN_THREAD, (thread_ts, channel_id, thread_ts, thread_ts)).fetchall()
    subjects = (
        (found, key.startswith(_CARD), first) for key, first in cards if (found := _subject(db, key)) is not None
    )
    told: Target | None = None
    began: str | None = None
    for found, asked, first in subjects:
        if asked and found.id != began:
            return found
        began = found.parent if first else began
        told = told or found
    return told or (_wished(db, cards[0][0]) if cards and cards[0][1] else None)


def _wished(db: Tx, key: str) -> Target | None:
    """The target of a request that was put to approvers, whose card or whose approvers' card has this key."""
    request_id = key.removeprefix(_CARD).removeprefix(_APPROVAL)
    asked = pending_decisions.last_of(db, request_id)
    return asked.operation.target if asked is not None and asked.operation is not None else None


def _last_outcomes(db: Tx, target: Target, limit: int) -> Sequence[StoredEntry]:
    """The outcomes of the last changes to a target, newest first."""
    return audit_query.entries(db.execute(_LAST, (target.id, target.kind, target.backend, *_OUTCOMES, limit)))


class RequestTargets(StorePart):
    """Reads that join a message, a request and a target."""

    being_sent = reads(requests.being_sent)
    run_of = glances(_run)
    made_by_others = reads(target_names.claimed)
    maker_of = glances(target_names.maker_of)
    thread_target = reads(_thread_target)
    last_outcomes = reads(_last_outcomes)

    async def claim_made(self, request_id: str, backend: str, made: Sequence[str], at: When) -> bool:
        """Record all of it as made by this request. False, with nothing written, when another request has one of them."""

        def unit(db: Tx) -> None:
            if target_names.claim(db, backend, made, request_id, stamp(at)):
                raise _TakenError

        try:
            await self.database.write(unit)
        except _TakenError:
            return False
        return True


class _TakenError(Exception):
    """Rolls back a claim on something that another request has."""


class TimedRows(StorePart):
    """Watches, subscriptions, pauses and grants.

    Every `end_...` is a compare-and-set from open: True for only one caller, whose audit entries are appended with it.
    """

    watch = writes(watches.add)
    open_watches = reads(watches.opened)
    due_watches = reads(watches.due)
    update_watches = writes(watches.update)
    subscribe = writes(subscriptions.add)
    saw_runs = writes(subscriptions.saw)
    subscriptions = reads(subscriptions.opened)
    open_pauses = reads(pauses.opened)
    due_pauses = reads(pauses.due)
    pause_by_id = reads(pauses.by_id)
    pauses_of = reads(pauses.of_request)
    postpone_pause = changes(pauses.postpone)
    grant_by_id = reads(grants.by_id)
    grants_for = glances(grants.for_user)
    open_grants = reads(grants.opened)
    due_grants = reads(grants.due)

    async def end_watch(self, watch_id: str, state: str, entries: Sequence[AuditEntry], at: When) -> bool:
        """Open -> ended or lost."""
        return await self._change(watches.end(watch_id, state, stamp(at)), entries)

    async def unsubscribe(self, subscription_id: str, entries: Sequence[AuditEntry]) -> bool:
        """End a subscription. False when it had ended already."""

        def unit(db: Tx) -> bool:
            if not subscriptions.end(db, subscription_id):
                return False
            audit.append(db, entries)
            return True

        return await self.database.write(unit)

    async def take_watched(self, now: When, next_at: When, limit: int = 100) -> Sequence[WatchedTarget]:
        """The watched targets that are due, each for one caller only; it is due again at `next_at`."""
        if not await self.database.glance(lambda db: subscriptions.any_due(db, stamp(now))):
            return ()
        return await self.database.write(lambda db: subscriptions.take_due(db, stamp(now), stamp(next_at), limit))

    async def add_grant(
        self,
        grant: Grant,
        entries: Sequence[AuditEntry],
        review: PendingDecision | None = None,
        uses: str | None = None,
    ) -> bool:
        """Store a grant with its audit entries, and that of break-glass with its review.

        With `uses` it also takes that approved pending decision; False, with nothing written, when it is in another state.
        """

        def unit(db: Tx) -> bool:
            if uses is not None and not pending_decisions.take(db, uses, grant.request_id, grant.from_at):
                return False
            grants.add(db, grant)
            if review is not None:
                pending_decisions.add(db, review)
            audit.append(db, entries)
            return True

        return await self.database.write(unit)

    async def end_grant(self, grant_id: str, state: str, entries: Sequence[AuditEntry]) -> bool:
        """Open -> revoked or expired."""
        return await self._change(grants.end(grant_id, state), entries)

    async def review_grant(self, grant_id: str, by: str, entries: Sequence[AuditEntry], at: When) -> bool:
        """Review a use of break-glass. False when it is reviewed already, is not break-glass, or `by` used it."""
        return await self._change(grants.review(grant_id, by, stamp(at)), entries)
