"""The store's methods for pending decisions and votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.core.audit import AuditEntry
from bot.core.records import CastVote, PendingDecision, VoteResult, stamp
from bot.core.value import Json
from bot.store.database import Tx
from bot.store.part import StorePart
from bot.store.tables import audit, pending_decisions, target_names


class StoredDecisions(StorePart):
    """Pending decisions. Each is decided once; the first decision wins."""

    async def open_pending(self, pending_id: str) -> PendingDecision | None:
        """A pending decision in any state."""
        return await self.database.glance(lambda db: pending_decisions.by_id(db, pending_id))

    async def votes(self, pending_id: str) -> tuple[CastVote, ...]:
        """The votes on a pending decision, in order of arrival."""
        return await self.database.read(lambda db: pending_decisions.votes(db, pending_id))

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

    async def pending_decisions(self, state: str | None = None, user: str | None = None) -> Sequence[PendingDecision]:
        """Pending decisions, newest first, at most 1,000, of one state or one requester."""
        return await self.database.read(lambda db: pending_decisions.listed(db, state, user))

    async def claim(self, key: str, value: Json, rows: Sequence[AuditEntry], at: datetime | str) -> bool:
        """Store a small value if its key is new, with its audit entries. False when the key exists."""
        return await self._change(target_names.set_fact_once(key, value, stamp(at)), rows)

    async def untold_pending(self, kind: str, told: str, since: datetime | str) -> Sequence[PendingDecision]:
        """Pending decisions of a kind that ended since then without a message to the requester: key `told` + id + `:` + state."""
        return await self.database.read(lambda db: pending_decisions.untold(db, kind, told, stamp(since)))

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
