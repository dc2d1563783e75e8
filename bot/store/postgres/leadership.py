"""Leadership through PostgreSQL: one row per replica with an epoch and a heartbeat, and one row that names the leader.

Only the database's clock decides who is dead. A replica is dead when its session has ended and its last heartbeat is older than
`CRASHED`, or when the heartbeat is older than the lease: it is stopped or can't reach the database. Whoever takes over first ends
the sessions of the dead one, then marks it as dead. Every write of a replica checks its own mark in the same transaction
(`Store.fence`), so each write is either before the takeover or refused. What can't be checked there is the call to a control
plane: a replica therefore only sends while its last heartbeat is younger than `SURE` of the lease, and the new leader says "it
did not happen" only when the old one can't be sending anymore.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import psycopg
from psycopg.rows import TupleRow

from bot.core.errors import Problem, code_of
from bot.core.ports.services import Clock
from bot.core.ports.store import MOST_SOCKETS, Change, Serve, Stoppable, StoreAddress
from bot.store.migrations import refuse_unreadable
from bot.store.postgres.errors import lost, mapped, reason, refused
from bot.store.postgres.heartbeat import BEAT, BEAT_SQL, CRASHED, DEAD, LEADER, OTHERS, SURE, Beat, is_dead, pause_after
from bot.store.postgres.schema import KNOWS, MIGRATING, MIGRATIONS
from bot.store.postgres.session import Heartbeat, connect_async


class Fence(Protocol):
    """Tells the store this replica's epoch, and whether it leads."""

    def __call__(self, epoch: int | None, *, leads: bool) -> None: ...


LOOK: Final = 0.25  # seconds between two looks at the leader
_LOCKS: Final = 77  # the class of the advisory locks that live as long as a replica's session; also in heartbeat.py

_SILENT: Final = """
    SELECT state, abs(extract(epoch FROM clock_timestamp() - beat_at))::float8 FROM replicas WHERE epoch = %s FOR UPDATE"""
_FORGET: Final = """
    DELETE FROM replicas WHERE state <> 'live' AND beat_at < clock_timestamp() - interval '1 hour'
    AND NOT EXISTS (SELECT 1 FROM requests WHERE state <> 'ended' AND owner_epoch = epoch)"""
_RESIGN: Final = "UPDATE leaders SET epoch = 0 WHERE team_id = %s AND epoch = %s"
# Sent as one text, which the server runs as one transaction: replicas that start together count one after the other, and neither
# an error nor a replica that is stopped meanwhile leaves the lock held. No replica has epoch 0.
_SOCKETS: Final = f"""
    SELECT pg_advisory_xact_lock({_LOCKS}, 0);
    UPDATE replicas SET sockets = greatest(1, least(%s, %s - (
        SELECT coalesce(sum(sockets), 0)::int FROM replicas WHERE state = 'live' AND epoch <> %s
    ))) WHERE epoch = %s AND state = 'live' RETURNING sockets"""  # noqa: S608  only a constant is put in
# Only those that this user may end: the error about another one would prevent every takeover. The server ends that one itself
# when it holds a lock for the lease.
_END_SESSIONS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pg_has_role(usesysid, 'MEMBER')"""

_log = logging.getLogger("signalbox.leader")


async def _nothing() -> None:
    """Before `join`."""


def session_name(epoch: int) -> str:
    """The application_name of every session of a replica, by which its successor ends them."""
    return f"signalbox/{epoch}"


class PostgresLeadership:
    """Implements core.ports.store.Leadership. `fence` is told this replica's epoch before it may write.
    `doubt` is called when the database does not answer.

    `sockets` is the number of this replica's Socket Mode connections. Without `may_lead` it never leads.
    """

    def __init__(
        self,
        address: StoreAddress,
        clock: Clock,
        *,
        team: str,
        name: str,
        fence: Fence,
        doubt: Callable[[], None] = lambda: None,
        may_lead: bool = True,
    ) -> None:
        self._address = address
        self._clock = clock
        self._team = team
        self._name = name
        self._fence = fence
        self._doubt = doubt
        self._lease = address.lease
        self._change: tuple[Change, Change] = (_nothing, _nothing)
        self._connection: Heartbeat | None = None
        self._connected_at = 0.0
        self._sure_from: float | None = None
        self._beat_at = 0.0
        self._last: Beat | None = None
        self._kept: tuple[str, str] | None = None  # two timelines: the second one has everything of the first one
        self._loop: Stoppable | None = None
        self._took: Stoppable | None = None
        self._willing = may_lead
        self._failures = 0  # to begin to lead, one after the other
        self._trouble = ""  # why the last heartbeat failed
        self._leads_from = 0.0  # by the monotonic clock
        self.epoch: int | None = None
        self.leads = False
        self.sockets = 0
        self._counts = False  # a heartbeat leaves the number of the row as it is meanwhile

    def surely(self) -> bool:
        """Whether the last confirmed heartbeat is young enough."""
        return self._sure_from is not None and self._clock.monotonic() - self._sure_from < SURE * self._lease

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        """Until the lease and the timeout of the call are over: a stopped process may wake up and send."""
        return 0.0 if silent is None else max(0.0, timeout + self._lease - silent)

    def kept_all(self, before: str, now: str) -> bool:
        """Whether a failover from one cluster (`Store.cluster`) to another one lost nothing that was acknowledged."""
        old, new = before.split("/"), now.split("/")  # system, timeline, table
        return len(old) == len(new) == 3 and old[::2] == new[::2] and self._kept == (old[1], new[1])

    async def join(self, took: Change, lost: Change, serve: Serve) -> None:
        """Register, and lead at once if nobody does. Raises Problem when the database can't be used."""
        self._change, self._serve = (took, lost), serve
        try:
            await self._register()
            first = await self._first_look()
        except psycopg.Error as error:
            raise mapped(error) from error
        self._loop = serve(self._run(), "leadership")
        if first:
            await self._change[0]()

    async def _first_look(self) -> bool:
        """Whether this replica leads. A machine that is so busy that another replica has declared this one dead and ended its
        session doesn't keep it from taking part: it comes back."""
        try:
            return await self._look()
        except psycopg.Error as error:
            if not lost(error):
                raise
            await self._failed(error)
            return False

    async def claim_sockets(self, most: int) -> int:
        """At most what the other replicas leave of Slack's ten, but at least one. A replica that is declared dead meanwhile, or
        loses its session, counts again when it takes part again."""
        self._counts = True
        try:
            while not (counted := await self._count(most)):
                await self._clock.sleep(LOOK)
            self.sockets = counted
        finally:
            self._counts = False
        return counted

    async def _count(self, most: int) -> int:
        """0 when this replica doesn't take part."""
        if self.epoch is None or self._connection is None:
            return 0
        try:
            cursor = psycopg.AsyncClientCursor(self._connection)
            await cursor.execute(_SOCKETS, (most, MOST_SOCKETS, self.epoch, self.epoch))
            row = await cursor.fetchone() if cursor.nextset() else None
        except psycopg.Error as error:
            if lost(error):
                return 0
            raise mapped(error) from error
        return int(row[0]) if row else 0

    async def resign(self, hand_over: Change) -> None:
        """Let another replica lead after `hand_over`. The heartbeat goes on, so calls in progress stay this replica's."""
        led, self.sockets = self.leads, 0
        self._willing = self.leads = False
        if led:
            try:
                async with asyncio.timeout(self._lease):
                    await hand_over()
            except (Problem, TimeoutError) as error:  # the next leader finds the rest when this replica has left
                _log.warning("not everything was handed over: %s", code_of(error))
            self._fence(self.epoch, leads=False)
        await self._quietly(_RESIGN, self._team, self.epoch)

    async def leave(self) -> None:
        """Resign, end the heartbeat, and mark this replica as gone."""
        if self._loop is not None:
            self._loop.cancel()
        await self.resign(_nothing)
        await self._quietly(
            "UPDATE replicas SET state = 'left', sockets = 0 WHERE epoch = %s AND state = 'live'", self.epoch
        )
        self._sure_from = None
        await self._disconnect()

    async def _run(self) -> None:
        """Beat and look until cancelled."""
        while True:
            await self._clock.sleep(LOOK)
            try:
                took = await self._look()
                if self.epoch is None:
                    await self._come_back()
                elif took:
                    self._took = self._serve(self._begin(), "take over")
            except (psycopg.Error, OSError) as error:
                await self._failed(error)

    async def _failed(self, error: Exception) -> None:
        """The next look comes at once."""
        if self._trouble != (why := reason(error)):
            self._trouble = why
            _log.warning("the heartbeat fails: %s", why)
        if not refused(error):
            self._doubt()
            await self._disconnect()

    async def _begin(self) -> None:
        """Start to lead. When that fails, another replica tries, or this one after a growing pause: what it has claimed is free
        then."""
        try:
            await self._change[0]()
        except Exception as error:  # noqa: BLE001 - a leader that does not work must not stay the leader, whatever the reason
            wait = pause_after(self._failures)
            self._failures, self._leads_from = self._failures + 1, self._clock.monotonic() + wait
            await self._fall_back(
                f"can't lead ({code_of(error)}), and tries again after {wait:g} s at the earliest", logging.ERROR
            )
        else:
            self._failures = 0

    async def _come_back(self) -> None:
        """After its epoch is over: end everything that this replica had begun, then take part under a new one."""
        if self._took is not None:
            self._took.cancel()
        await self._change[1]()
        try:
            await self._register()
        except Problem as problem:  # it stays not ready
            _log.critical("this replica can't take part anymore: %s %s", problem.summary, problem.hint)
            raise

    async def _register(self) -> None:
        """A new epoch. Raises StoreProblem (store_newer) when a newer version has removed what this one needs.

        The session's lock comes before the row, so that nobody sees the row without its session."""
        self._sure_from = None
        connection = await self._open()
        (epoch,) = (await (await connection.execute("SELECT nextval('epochs')")).fetchone()) or (0,)
        await self._name_session(connection, epoch)
        before = self._clock.monotonic()
        async with (
            connection.transaction()
        ):  # either a migration that contracts sees this replica, or this replica sees it
            await connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (MIGRATING,))
            await connection.execute(
                "INSERT INTO replicas (id, epoch, state, beat_at, name, sockets, knows) "
                "VALUES (%s, %s, 'live', clock_timestamp(), %s, %s, %s)",
                (f"{self._name}/{epoch}", epoch, self._name, self.sockets, KNOWS),
            )
            applied = await (await connection.execute("SELECT name FROM migrations")).fetchall()
            refuse_unreadable([name for (name,) in applied], list(MIGRATIONS))
        await connection.execute(_FORGET)
        await connection.execute(
            "INSERT INTO leaders (team_id, epoch, replica, beat_at) VALUES (%s, 0, '', clock_timestamp()) ON CONFLICT DO NOTHING",
            (self._team,),
        )
        # It beats before it may lead: the heartbeat compares this database with the one before a failover.
        self.epoch, self._sure_from, self._beat_at = epoch, before, before - BEAT
        self._fence(epoch, leads=False)

    async def _name_session(self, connection: Heartbeat, epoch: int) -> None:
        await connection.execute("SELECT set_config('application_name', %s, false)", (session_name(epoch),))
        await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, epoch))

    async def _open(self) -> Heartbeat:
        if self._connection is None or self._connection.closed:
            self._connection = await connect_async(self._address)
            self._connected_at = self._clock.monotonic()
            if self.epoch is not None:
                await self._name_session(self._connection, self.epoch)
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()

    async def _look(self) -> bool:
        """Beat if it is time, bury the dead, and take the lead if nobody has it: True then. `epoch` is None when fenced."""
        now = self._clock.monotonic()
        if self.epoch is None:
            return False
        if now - self._beat_at >= BEAT:
            connection, last = await self._open(), self._last
            values = {
                "epoch": self.epoch,
                "last": last.epoch if last else self.epoch,
                "sockets": None if self._counts else self.sockets,
            }
            row = await (await connection.execute(BEAT_SQL, values)).fetchone()
            beat = Beat(*row) if row is not None else None
            self._last = beat or last
            if beat is None or (last is not None and beat.is_older(last)):
                self._kept = (last.timeline, beat.timeline) if last and beat and beat.has_all_of(last) else None
                await self._fall_back("was declared dead" if beat is None else "sees that the database was restored")
                return False
            self._sure_from = self._beat_at = now
            if self._trouble:
                self._trouble = ""
                _log.warning("the database answers the heartbeat again")
            if self.leads:
                await self._bury_followers()
        if self.leads or not self._willing or now < self._leads_from:
            return False
        rows = await self._rows(LEADER, self._team)
        if not rows:  # a restore has removed it; the next heartbeat finds that out
            return False
        leader, live, silent, held = rows[0]
        if leader == self.epoch:  # the answer to an earlier `_take` was lost
            return self._lead()
        settled = now - self._connected_at > CRASHED
        if not live or is_dead(silent, self._lease, has_session=held, settled=settled):
            return await self._take(leader)
        return False

    async def _fall_back(self, why: str, level: int = logging.WARNING) -> None:
        """This epoch is over. The replica comes back under a new one, and starts anew with what is stored."""
        _log.log(level, "replica %s %s; it comes back under a new epoch", self.epoch, why)
        epoch, self.epoch = self.epoch, None
        self._sure_from, self.leads = None, False
        self._fence(0, leads=False)
        await self._quietly(DEAD, epoch)

    async def _take(self, leader: int) -> bool:
        """Become the leader in place of `leader`; False when another replica was faster or the leader is alive."""
        connection = await self._open()
        if leader:
            await self._end_sessions(connection, leader)
        async with connection.transaction():
            sql = "SELECT epoch FROM leaders WHERE team_id = %s FOR UPDATE"
            (now,) = (await (await connection.execute(sql, (self._team,))).fetchone()) or (None,)
            if now != leader:
                return False
            if leader and not await self._bury(connection, leader):
                return False
            await connection.execute(
                "UPDATE leaders SET epoch = %s, replica = %s, beat_at = clock_timestamp() WHERE team_id = %s",
                (self.epoch, self._name, self._team),
            )
        return self._lead()

    def _lead(self) -> bool:
        self.leads = True
        self._fence(self.epoch, leads=True)
        _log.info("replica %s (%s) leads the workspace", self.epoch, self._name)
        return True

    async def _end_sessions(self, connection: Heartbeat, epoch: int) -> None:
        await connection.execute(_END_SESSIONS, (session_name(epoch),))

    async def _bury(self, connection: Heartbeat, epoch: int) -> bool:
        """Mark it as dead, after its writes in progress. False when it has been heard meanwhile."""
        row = await (await connection.execute(_SILENT, (epoch,))).fetchone()
        if row is not None and row[0] == "live" and row[1] < CRASHED:
            return False
        await connection.execute(DEAD, (epoch,))
        return True

    async def _bury_followers(self) -> None:
        """What only they had begun is then free, and so are their connections to Slack."""
        settled = self._clock.monotonic() - self._connected_at > CRASHED
        for epoch, silent, held in await self._rows(OTHERS, self.epoch):
            if is_dead(silent, self._lease, has_session=held, settled=settled):
                connection = await self._open()
                await self._end_sessions(connection, epoch)
                async with connection.transaction():
                    await self._bury(connection, epoch)

    async def _rows(self, sql: str, *values: Any) -> list[TupleRow]:
        connection = await self._open()
        return await (await connection.execute(sql.encode(), values)).fetchall()

    async def _quietly(self, sql: str, *values: Any) -> None:
        """A farewell that may get lost: the others find out by themselves."""
        with suppress(psycopg.Error, OSError):
            await (await self._open()).execute(sql.encode(), values)
