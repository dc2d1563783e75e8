"""What a replica concludes from heartbeats, its own and those of others."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

BEAT: Final = 0.5  # seconds between two heartbeats
CRASHED: Final = 1.5  # seconds without a heartbeat after which a replica without a session counts as dead
SURE: Final = 0.6  # of the lease
LONGEST_PAUSE: Final = 10.0  # seconds


class Beat(NamedTuple):
    """What a heartbeat saw. `before` is the last heartbeat that this replica knows of, as far as this database has it."""

    epoch: int
    entries: int
    timeline: str
    table: int
    at: datetime
    before: datetime | None
    waits: bool | None

    def is_older(self, last: Beat) -> bool:
        """Whether the database was restored or failed over since: its last entries may be missing, and what was read before."""
        return (self.timeline, self.table) != (last.timeline, last.table) or self.entries < last.entries

    def has_all_of(self, last: Beat) -> bool:
        """Whether nothing that was acknowledged is missing: the new primary is the standby for which every commit waited."""
        same = self.table == last.table and self.entries >= last.entries
        return same and last.waits is True and self.before is not None and self.before >= last.at


def is_dead(silent: float, lease: float, *, has_session: bool, settled: bool) -> bool:
    """Whether a replica that was silent for that long is dead. `settled`: the own session is old enough to judge by sessions."""
    return silent > lease or (settled and not has_session and silent > CRASHED)


def pause_after(failures: int) -> float:
    """Seconds before a replica that could not begin to lead, so often before, tries it again. Another one may lead meanwhile."""
    return min(LONGEST_PAUSE, BEAT * 2.0 ** min(failures, 10))
