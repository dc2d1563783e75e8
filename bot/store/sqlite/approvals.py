"""The store's part for what waits for a person: holds and votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlite_utils

from bot.core.audit import Row
from bot.core.records import Hold, HoldVote, VoteResult, stamp
from bot.core.value import Json
from bot.store.sqlite.connection import Part
from bot.store.sqlite.tables import audit, holds, target_names


class Decisions(Part):
    """Holds: one decision each, the first one wins."""

    async def open_hold(self, hold_id: str) -> Hold | None:
        """A hold in whatever state it is."""
        return await self.database.glance(lambda db: holds.by_id(db, hold_id))

    async def votes(self, hold_id: str) -> tuple[HoldVote, ...]:
        """The votes on a hold, in the order in which they came."""
        return await self.database.read(lambda db: holds.votes(db, hold_id))

    async def vote(
        self,
        hold_id: str,
        vote: HoldVote,
        rows: Callable[[VoteResult], Sequence[Row]],
        *,
        needed: int,
        now: datetime | str,
    ) -> VoteResult:
        """Count one person's word; deny ends the hold, `needed` approvals of different persons approve it.

        `rows` is asked for what to register only when the vote was counted, and inside the transaction. A hold whose time
        is over is reported as expired and not touched: `end_hold` expires it, with its row.
        """

        def unit(db: sqlite_utils.Database) -> VoteResult:
            result = holds.vote(db, hold_id, vote, needed=needed, now=stamp(now))
            if result.counted:
                audit.append(db, rows(result))
            return result

        return await self.database.write(unit)

    async def end_hold(
        self, hold_id: str, state: str, by: str | None, rows: Sequence[Row], now: datetime | str
    ) -> bool:
        """Open -> `state`; what was approved can still be cancelled. False when somebody was faster."""
        return await self._change(lambda db: holds.end(db, hold_id, state, by, stamp(now)), rows)

    async def holds(self, state: str | None = None, user: str | None = None) -> Sequence[Hold]:
        """Holds, newest first, at most 1000: of a state, or asked for by a user."""
        return await self.database.read(lambda db: holds.listed(db, state, user))

    async def claim(self, key: str, value: Json, rows: Sequence[Row], at: datetime | str) -> bool:
        """Remember a small thing for the first who says so, and register it; False when somebody was faster."""
        return await self._change(lambda db: target_names.set_fact_once(db, key, value, stamp(at)), rows)

    async def untold_holds(self, kind: str, told: str, since: datetime | str) -> Sequence[Hold]:
        """Holds of a kind, ended since then, whose asker was not told: there is no message `told` + id + `:` + state."""
        return await self.database.read(lambda db: holds.untold(db, kind, told, stamp(since)))

    async def due_holds(self, now: datetime | str) -> Sequence[Hold]:
        """Open holds whose time is over."""
        return await self.database.read(lambda db: holds.due(db, stamp(now)))

    async def remind_holds(self, now: datetime | str) -> Sequence[Hold]:
        """Open holds that somebody should be reminded of; see `reminded`."""
        return await self.database.read(lambda db: holds.to_remind(db, stamp(now)))

    async def reminded(self, hold: Hold, next_at: datetime | str | None) -> bool:
        """Set the next reminder of `hold`; False when somebody else did since it was read."""
        following = None if next_at is None else stamp(next_at)
        return await self.database.write(lambda db: holds.reminded(db, hold.id, hold.remind_at, following))
