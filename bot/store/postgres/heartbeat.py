"""What a replica concludes from heartbeats, its own and those of others."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

BEAT: Final = 0.5  # seconds between two heartbeats
CRASHED: Final = 1.5  # seconds without a heartbeat after which a replica without a session counts as dead
SURE: Final = 0.6  # of the lease
LONGEST_PAUSE: Final = 10.0  # seconds

# `waits`: every commit waits for the only standby, so that one has what was acknowledged. Without the right to see that, NULL.
BEAT_SQL: Final = """
    WITH earlier AS (SELECT beat_at FROM replicas WHERE epoch = %(last)s)
    UPDATE replicas SET beat_at = clock_timestamp(), sockets = coalesce(%(sockets)s, sockets)
    WHERE epoch = %(epoch)s AND state = 'live'
    RETURNING epoch, (SELECT seq FROM chain), (SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)), CAST(tableoid AS bigint),
        beat_at, (SELECT beat_at FROM earlier), (SELECT current_setting('synchronous_standby_names') <> ''
            AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
            AND count(*) = 1 AND bool_and(sync_state IN ('sync', 'quorum')) FROM pg_stat_replication) AS waits"""
DEAD: Final = "UPDATE replicas SET state = 'dead', sockets = 0 WHERE epoch = %s AND state = 'live'"
# Of each replica: whether it is live, its silence in seconds, and whether it has a session. A heartbeat from the future tells
# that the database's clock was set back: waiting until that time comes again could take hours.
_STATE: Final = """
    SELECT r.epoch, r.state = 'live' AS live,
        abs(extract(epoch FROM clock_timestamp() - r.beat_at))::float8 AS silent,
        EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 77 AND objid::bigint = r.epoch
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held
    FROM replicas r"""
LEADER: Final = f"""
    SELECT l.epoch, live, silent, held FROM leaders l LEFT JOIN ({_STATE}) s ON s.epoch = l.epoch WHERE l.team_id = %s
    """  # noqa: S608  only a constant is put in
OTHERS: Final = f"SELECT epoch, silent, held FROM ({_STATE}) s WHERE live AND epoch <> %s"  # noqa: S608  as above


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
