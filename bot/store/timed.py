"""The store's methods for watches, subscriptions, pauses and grants."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.audit import AuditEntry
from bot.core.outcome import RunView
from bot.core.records import Grant, Pause, Subscription, Watch, WatchedTarget, stamp
from bot.core.runs import SeenRuns
from bot.store.database import Tx
from bot.store.parts import StorePart, reads
from bot.store.tables import audit, grants, pauses, subscriptions, watches


class TimedRows(StorePart):
    """Every `end_...` is a compare-and-set from open: True for only one caller, whose audit entries are appended with it."""

    open_watches = reads(watches.opened)
    subscriptions = reads(subscriptions.opened)
    open_pauses = reads(pauses.opened)
    pause_by_id = reads(pauses.by_id)
    grant_by_id = reads(grants.by_id)

    async def watch(self, watch: Watch) -> None:
        """Follow a run."""
        await self.database.write(lambda db: watches.add(db, watch))

    async def due_watches(self, now: datetime | str, limit: int = 1000) -> Sequence[Watch]:
        """Open watches that are due."""
        return await self.database.read(lambda db: watches.due(db, stamp(now), limit))

    async def update_watches(self, seen: Sequence[tuple[str, RunView | None, datetime | str]]) -> None:
        """Store the last view of each watch and the time of its next check. Nothing for a watch that is not open."""
        stamped = [(watch_id, view, stamp(due_at)) for watch_id, view, due_at in seen]
        await self.database.write(lambda db: watches.update(db, stamped))

    async def end_watch(self, watch_id: str, state: str, rows: Sequence[AuditEntry], at: datetime | str) -> bool:
        """Open -> ended or lost."""
        return await self._change(watches.end(watch_id, state, stamp(at)), rows)

    async def subscribe(self, subscription: Subscription, due_at: datetime | str) -> None:
        """Tell a person in a place how the runs of a target end."""
        await self.database.write(lambda db: subscriptions.add(db, subscription, stamp(due_at)))

    async def unsubscribe(self, subscription_id: str, rows: Sequence[AuditEntry]) -> bool:
        """End a subscription. False when it had ended already."""

        def unit(db: Tx) -> bool:
            if not subscriptions.end(db, subscription_id):
                return False
            audit.append(db, rows)
            return True

        return await self.database.write(unit)

    async def take_watched(
        self, now: datetime | str, next_at: datetime | str, limit: int = 100
    ) -> Sequence[WatchedTarget]:
        """The watched targets that are due, each for one caller only; it is due again at `next_at`."""
        if not await self.database.glance(lambda db: subscriptions.any_due(db, stamp(now))):
            return ()
        return await self.database.write(lambda db: subscriptions.take_due(db, stamp(now), stamp(next_at), limit))

    async def saw_runs(self, target_key: str, seen: SeenRuns) -> None:
        """Store what the last poll of a watched target found."""
        await self.database.write(lambda db: subscriptions.saw(db, target_key, seen.model_dump_json()))

    async def due_pauses(self, now: datetime | str) -> Sequence[Pause]:
        """Open pauses that are over."""
        return await self.database.read(lambda db: pauses.due(db, stamp(now)))

    async def postpone_pause(self, pause_id: str, until_at: datetime | str) -> bool:
        """Resuming failed: try again at that time."""
        return await self._change(pauses.postpone(pause_id, stamp(until_at)))

    async def add_grant(self, grant: Grant, rows: Sequence[AuditEntry]) -> None:
        """Store a grant with its audit entries."""

        def unit(db: Tx) -> None:
            grants.add(db, grant)
            audit.append(db, rows)

        await self.database.write(unit)

    async def grants_for(self, user_id: str, channel_id: str, now: datetime | str) -> Sequence[Grant]:
        """The active grants of a user in a channel."""
        return await self.database.glance(lambda db: grants.for_user(db, user_id, channel_id, stamp(now)))

    async def open_grants(self, now: datetime | str) -> Sequence[Grant]:
        """Every active grant."""
        return await self.database.read(lambda db: grants.opened(db, stamp(now)))

    async def due_grants(self, now: datetime | str) -> Sequence[Grant]:
        """Open grants that have expired."""
        return await self.database.read(lambda db: grants.due(db, stamp(now)))

    async def end_grant(self, grant_id: str, state: str, rows: Sequence[AuditEntry]) -> bool:
        """Open -> revoked or expired."""
        return await self._change(grants.end(grant_id, state), rows)

    async def review_grant(self, grant_id: str, by: str, rows: Sequence[AuditEntry], at: datetime | str) -> bool:
        """Review a use of break-glass. False when it is reviewed already, is not break-glass, or `by` used it."""
        return await self._change(grants.review(grant_id, by, stamp(at)), rows)
