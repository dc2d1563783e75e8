"""Connections to PostgreSQL with the settings on which the store's guarantees rest."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.postgres.schema import SCHEMA

OLDEST: Final = 150_000
_VERIFIED: Final = ("verify-full", "verify-ca")
_SETTINGS: Final = """
    SELECT set_config(name, value, false) FROM (VALUES ('search_path', %s), ('client_encoding', 'UTF8'), ('TimeZone', 'UTC'),
        ('application_name', %s), ('idle_in_transaction_session_timeout', %s), ('lock_timeout', %s), ('statement_timeout', %s),
        ('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
                               ELSE current_setting('synchronous_commit') END)) AS settings (name, value)"""
_STATEMENT_SECONDS: Final = 60


def connect(address: StoreAddress, name: str = "signalbox") -> psycopg.Connection:
    """A new connection in autocommit mode; `name` is its application_name. Raises psycopg.Error and StoreProblem.

    A stopped process must not hold the workspace's turn for longer than the lease, so the server ends its session then.
    """
    connection = psycopg.connect(**parameters(address), autocommit=True)
    try:
        _refuse_old(connection.info.server_version)
        lease = round(address.lease * 1000)
        values = (SCHEMA, name, str(lease), str(2 * lease), str(_STATEMENT_SECONDS * 1000))
        connection.execute(_SETTINGS, values).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_old(version: int) -> None:
    if version < OLDEST:
        raise StoreProblem(f"PostgreSQL {version // 10_000} is too old.", "Use version 15 or newer.", "store_too_old")


async def connect_async(address: StoreAddress) -> psycopg.AsyncConnection:
    """A connection for the leadership, whose statements must answer within half of the lease. Raises psycopg.Error."""
    connection = await psycopg.AsyncConnection.connect(**parameters(address), autocommit=True)
    lease = round(address.lease * 1000)
    await connection.execute(_SETTINGS, (SCHEMA, "signalbox", str(lease), str(lease // 2), str(lease // 2)))
    return connection


def parameters(address: StoreAddress) -> dict[str, Any]:
    """What libpq is given. Beyond this machine, the server's certificate is verified."""
    given: dict[str, Any] = conninfo_to_dict(address.url)
    if not is_local(str(given.get("host", ""))) and given.get("sslmode") not in _VERIFIED:
        if "sslmode" in given:
            raise StoreProblem(
                f"`sslmode={given['sslmode']}` doesn't verify the database's certificate.",
                "Write sslmode=verify-full into `[store] url`, and sslrootcert=FILE for a private authority.",
                "store_unreachable",
            )
        given["sslmode"] = "verify-full"
    if given.get("sslmode") in _VERIFIED:
        given.setdefault("sslrootcert", "system")
    if address.password is not None:
        given["password"] = address.password.get_secret_value()
    defaults = {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "target_session_attrs": "read-write",
    }
    return defaults | given


def is_local(hosts: str) -> bool:
    """Whether every host is a Unix socket or loopback."""
    return all(host.startswith(("/", "127.")) or host in ("", "localhost", "::1") for host in hosts.split(","))
