"""The store's methods for the target of a card or thread, for the last changes to a target, and for what a call made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.audit import COLUMNS
from bot.core.operation import Operation, Target
from bot.core.records import StoredEntry, stamp
from bot.store.database import Tx
from bot.store.part import StorePart
from bot.store.tables import audit_query, requests, target_names

_CARD: Final = "op:"
_OUTCOMES: Final = ("done", "failed", "unknown", "reconciled", "abandoned", "ended")
_IN_THREAD: Final = """
    SELECT key FROM messages WHERE channel_id = ? AND (ts = ? OR thread_ts = ?) AND substr(key, 1, 3) = 'op:'
    ORDER BY CASE WHEN ts = ? THEN 0 ELSE 1 END, rowid DESC"""
_LAST: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM audit WHERE target_id = ? AND risk <> 'read' "  # noqa: S608  fixed names
    f"AND event IN ({', '.join('?' * len(_OUTCOMES))}) ORDER BY seq DESC LIMIT ?"
)


def run_key(request_id: str) -> str:
    """The key for the run of a request."""
    return f"run:{request_id}"


class RequestTargets(StorePart):
    """Reads that join a message, a request and a target."""

    async def run_of(self, request_id: str) -> Target | None:
        """The subject of a request's card: the run that it started, else its target."""
        return await self.database.glance(lambda db: _run(db, request_id))

    async def made_by_others(self, request_id: str, backend: str, since: datetime | str) -> frozenset[str]:
        """What the calls of other requests made on a backend since then."""
        return await self.database.read(lambda db: target_names.claimed(db, backend, request_id, stamp(since)))

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

    async def being_sent(self) -> Sequence[Operation]:
        """The calls whose outcome is not recorded yet, those of other replicas included."""
        return await self.database.read(requests.being_sent)

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
