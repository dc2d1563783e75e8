"""Judges a database for `signalbox check`."""

import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import sql

from bot.core.ports.store import MOST_SOCKETS, StoreAddress
from bot.core.text import plural
from bot.store.errors import StoreProblem
from bot.store.postgres.errors import mapped
from bot.store.postgres.schema import MIGRATING, SCHEMA, prepare
from bot.store.postgres.session import connect, is_pooled, parameters

_SLOW: Final = 0.005  # seconds of a round trip
_TRIPS: Final = 5  # the quickest one counts
_CONNECTIONS: Final = 7  # of one replica: 4 that read, and 3 for writing, listening and the lease
_REPLICAS: Final = 5
_AWAY: Final = 1.0  # seconds between two clocks
_QUEUE_FULL: Final = 0.5
_LIVE: Final = (
    b"SELECT count(*)::int, coalesce(sum(sockets), 0)::int FROM replicas "
    b"WHERE state = 'live' AND beat_at > clock_timestamp() - interval '1 minute'"
)
_LOSSY: Final = ("off", "local", "remote_write")
_OURS: Final = b"""
    SELECT c.relkind, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'v', 'S')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')"""
_FUNCTIONS: Final = b"SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s"
_KINDS: Final = {"r": "TABLE", "v": "VIEW", "S": "SEQUENCE"}
_RIGHTS: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {user}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {user}",
    "REVOKE ALL ON audit, migrations FROM {user}",
    "GRANT SELECT, INSERT ON audit TO {user}",
    "GRANT SELECT ON migrations TO {user}",
)


def findings(connection: psycopg.Connection, address: StoreAddress) -> list[tuple[bool, str]]:
    """Whether each point is good, and a sentence about it."""

    def one(query: str) -> Any:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    version = connection.info.server_version // 10_000
    found = [(True, f"PostgreSQL {version} at {address.name}, user {one('SELECT current_user')}")]
    found.append(_rights(one))
    found.append(_commits(one))
    found.append(_standbys(one))
    found += distances(*min(trip(one) for _ in range(_TRIPS)))
    if is_pooled(connection):
        found.append((True, "a pooler is in between, in session mode; each connection keeps its session"))
    most = int(one("SELECT current_setting('max_connections')"))
    if most < _CONNECTIONS * _REPLICAS:
        found.append((False, f"max_connections is {most}; each replica uses up to {_CONNECTIONS}"))
    found += notifications(one("SELECT pg_notification_queue_usage()"))
    found.append(_replicas(connection))
    return found


def distances(took: float, away: float) -> list[tuple[bool, str]]:
    """What is wrong with a round trip of `took` seconds to a server whose clock is `away` seconds from this one's."""
    clock = f"the clock of this machine is {away:.1f} s away from the database's; synchronize both with NTP"
    trip = f"a round trip to the database takes {took * 1000:.0f} ms; every ack waits for two of them"
    return [(False, text) for text, wrong in ((clock, away > _AWAY), (trip, took > _SLOW)) if wrong]


def notifications(full: float) -> list[tuple[bool, str]]:
    """What is wrong when that part of the server's queue of notifications is in use."""
    if full < _QUEUE_FULL:
        return []
    text = f"the server's queue of notifications is {full:.0%} full, so the leader finds requests within a second, not at once"
    return [(False, f"{text}; look for a session that listens and stays in a transaction")]


def trip(one: Callable[[str], Any]) -> tuple[float, float]:
    """Seconds of a round trip, and the difference between the two clocks."""
    began = time.time()  # noqa: TID251  the clocks of two machines are compared
    server = float(one("SELECT extract(epoch FROM clock_timestamp())"))
    took = time.time() - began  # noqa: TID251  see above
    return took, abs(server - began - took / 2)


def _replicas(connection: psycopg.Connection) -> tuple[bool, str]:
    """The replicas that run, and their connections to Slack."""
    live, sockets = connection.execute(_LIVE).fetchone() or (0, 0)
    if not live:
        return True, "no replica runs"
    text = f"{plural(live, 'replica')} with {plural(sockets, 'websocket')}; Slack allows {MOST_SOCKETS}"
    return sockets <= MOST_SOCKETS, text


def _rights(one: Any) -> tuple[bool, str]:
    if one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return False, "the user is a superuser and could change the audit log; use a role that isn't one"
    if one("SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = 'audit'::regclass"):
        return (
            False,
            "the user owns the audit log and could remove its triggers; run `signalbox store prepare OWNER_URL`",
        )
    able = one(
        "SELECT string_agg(name, ', ') FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS name "
        "WHERE has_table_privilege('audit', name)"
    )
    if able:
        return False, f"the user may {able} on the audit log; revoke that, it only needs SELECT and INSERT"
    return True, "the user may only add to the audit log and read it"


def _commits(one: Any) -> tuple[bool, str]:
    configured = one("SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'")
    if one("SELECT current_setting('fsync')") == "off" or one("SELECT current_setting('full_page_writes')") == "off":
        return False, "fsync or full_page_writes is off: a crash of the server loses or damages what was acknowledged"
    used = one("SELECT current_setting('synchronous_commit')")
    return True, f"synchronous_commit is {used}" + (
        f" (the server's {configured} is replaced)" if configured != used else ""
    )


def _standbys(one: Any) -> tuple[bool, str]:
    """What is kept when the server is lost. Without pg_read_all_stats, only the number of the standbys can be seen."""
    names, commits = one("SELECT current_setting('synchronous_standby_names')"), one("SHOW synchronous_commit")
    if not names:
        return False, (
            "no synchronous standby: after a failover to an asynchronous one, or a restore, the bot starts cautiously, because "
            "the last commits may be missing. A managed service that replicates the disk is safe too"
        )
    if commits in _LOSSY:
        return (
            False,
            f"synchronous_commit is {commits}, so commits don't wait until the standby has them on its disk; set it to on",
        )
    text = f"commits wait for a standby ({names})"
    connected = one("SELECT count(*)::int FROM pg_stat_replication")
    if not connected:
        return False, f"{text}, but none is connected: no request is stored until one is"
    if not one("SELECT bool_and(sync_state IS NOT NULL) FROM pg_stat_replication"):
        user = one("SELECT quote_ident(current_user)")
        return (
            False,
            f"{text}, but the user can't see it, so a failover voids approvals; `GRANT pg_read_all_stats TO {user}`",
        )
    if connected > 1:
        return True, f"{text}; with {connected} standbys, the bot starts cautiously after a failover"
    return True, text


def prepare_as(owner: StoreAddress, address: StoreAddress) -> str:
    """Make the tables as `owner`, or take them over, and give the user of `address` its rights. Returns that user's name."""
    user = str(parameters(address).get("user", ""))
    try:
        with connect(owner) as connection:
            me = connection.execute("SELECT current_user").fetchone()
            if not user or (me is not None and me[0] == user):
                raise StoreProblem(
                    "OWNER_URL must name another user than `[store] url`.",
                    "The owner of the database, for example.",
                    "store_refused",
                )
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))  # rights can't be given by two at once
            _take_over(connection)
            prepare(connection)
            with connection.transaction():
                for right in _RIGHTS:
                    names = {"schema": sql.Identifier(SCHEMA), "user": sql.Identifier(user)}
                    connection.execute(sql.SQL(right).format(**names))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreProblem(
            f"The user of OWNER_URL lacks a right: {error.diag.message_primary}.",
            f"It needs CREATE on the database, and `GRANT {user} TO` it if {user} made the tables. A superuser may do it too.",
            "store_refused",
        ) from error
    except psycopg.Error as error:
        raise mapped(error) from error
    return user


def _take_over(connection: psycopg.Connection) -> None:
    """Become the owner of what the program made while it was its own owner."""
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone()
    if found is None:
        return
    with connection.transaction():
        connection.execute(f"ALTER SCHEMA {SCHEMA} OWNER TO CURRENT_USER".encode())
        for kind, name in connection.execute(_OURS, (SCHEMA,)).fetchall():
            thing = sql.SQL("ALTER {kind} {name} OWNER TO CURRENT_USER")
            connection.execute(thing.format(kind=sql.SQL(_KINDS[kind]), name=sql.Identifier(SCHEMA, name)))
        for (name,) in connection.execute(_FUNCTIONS, (SCHEMA,)).fetchall():
            connection.execute(sql.SQL("ALTER FUNCTION {} OWNER TO CURRENT_USER").format(sql.Identifier(SCHEMA, name)))
