"""A pooler such as PgBouncer between the bot and PostgreSQL. It must keep one server session for each connection."""

from __future__ import annotations

import psycopg

from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.postgres.session import connect

_PID = b"SELECT pg_backend_pid()"


def is_pooled(connection: psycopg.Connection) -> bool:
    """Whether the other side isn't the session that answers: a pooler invents the number that it gives at the login."""
    return connection.info.backend_pid != _session(connection)


def refuse_transaction_pooler(connection: psycopg.Connection, address: StoreAddress) -> None:
    """Raises StoreProblem (store_pooler) when a pooler gives a connection another session for each transaction.

    A second connection takes the session that the first one has just used, and keeps it in a transaction. In transaction mode the
    first one then gets another session. The heartbeat's lock, LISTEN and the session's settings would be lost.
    """
    if not is_pooled(connection):
        return
    before = _session(connection)
    with connect(address) as other, other.transaction():
        other.execute(_PID)
        after = _session(connection)
    if before != after:
        raise StoreProblem(
            "The pooler in front of PostgreSQL is in transaction mode, which loses locks, notifications and settings.",
            "Write PostgreSQL's own address into `[store] url`, or set the pooler to session mode.",
            "store_pooler",
        )


def _session(connection: psycopg.Connection) -> int:
    row = connection.execute(_PID).fetchone()
    return int(row[0]) if row else 0
