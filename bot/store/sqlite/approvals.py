"""The store's part for what waits for a person: pending decisions and votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlite_utils

from bot.core.audit import AuditEntry
from bot.core.records import CastVote, PendingDecision, VoteResult, stamp
from bot.core.value import Json
from bot.store.sqlite.connection import StorePart
from bot.store.sqlite.tables import audit, pending_decisions, target_names


class StoredDecisions(StorePart):
    """Holds: one decision each, the first one wins."""

    async def open_pending(self, pending_id: str) -> PendingDecision | None:
        """A pending decision in whatever state it is."""
        return await self.database.glance(lambda db: pending_decisions.by_id(db, pending_id))

    async def votes(self, pending_id: str) -> tuple[CastVote, ...]:
        """The votes on a pending decision, in the order in which they came."""
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
        """Count one person's word; deny ends the pending decision, `needed` approvals of different persons approve it.

        `rows` gives the audit entries of a vote that was counted; it is called inside the transaction. A pending decision
        whose time is over is reported as expired and not touched: `end_pending` expires it, with its entry.
        """

        def unit(db: sqlite_utils.Database) -> VoteResult:
            result = pending_decisions.vote(db, pending_id, vote, needed=needed, now=stamp(now))
            if result.counted:
                audit.append(db, rows(result))
            return result

        return await self.database.write(unit)

    async def end_pending(
        self, pending_id: str, state: str, by: str | None, rows: Sequence[AuditEntry], now: datetime | str
    ) -> bool:
        """Open -> `state`; what was approved can still be cancelled. False when somebody was faster."""
        return await self._change(lambda db: pending_decisions.end(db, pending_id, state, by, stamp(now)), rows)

    async def pending_decisions(self, state: str | None = None, user: str | None = None) -> Sequence[PendingDecision]:
        """Holds, newest first, at most 1000: of a state, or asked for by a user."""
        return await self.database.read(lambda db: pending_decisions.listed(db, state, user))

    async def claim(self, key: str, value: Json, rows: Sequence[AuditEntry], at: datetime | str) -> bool:
        """Remember a small thing for the first who says so, and register it; False when somebody was faster."""
        return await self._change(lambda db: target_names.set_fact_once(db, key, value, stamp(at)), rows)

    async def untold_pending(self, kind: str, told: str, since: datetime | str) -> Sequence[PendingDecision]:
        """Holds of a kind, ended since then, whose asker was not told: there is no message `told` + id + `:` + state."""
        return await self.database.read(lambda db: pending_decisions.untold(db, kind, told, stamp(since)))

    async def due_pending(self, now: datetime | str) -> Sequence[PendingDecision]:
        """Open pending decisions whose time is over."""
        return await self.database.read(lambda db: pending_decisions.due(db, stamp(now)))

    async def remind_pending(self, now: datetime | str) -> Sequence[PendingDecision]:
        """Open pending decisions that somebody should be reminded of; see `reminded`."""
        return await self.database.read(lambda db: pending_decisions.to_remind(db, stamp(now)))

    async def reminded(self, pending: PendingDecision, next_at: datetime | str | None) -> bool:
        """Set the next reminder of `hold`; False when somebody else did since it was read."""
        following = None if next_at is None else stamp(next_at)
        return await self.database.write(
            lambda db: pending_decisions.reminded(db, pending.id, pending.remind_at, following)
        )
