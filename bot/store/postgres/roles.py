"""Two roles: an owner of the tables, and the program's, which may only add to the audit log and read it."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql

from bot.core.ports.store import StoreAddress
from bot.store.errors import StoreProblem
from bot.store.postgres.errors import mapped
from bot.store.postgres.schema import SCHEMA, prepare
from bot.store.postgres.session import connect, parameters

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
            _take_over(connection)
            prepare(connection)
            with connection.transaction():
                for right in _RIGHTS:
                    names = {"schema": sql.Identifier(SCHEMA), "user": sql.Identifier(user)}
                    connection.execute(sql.SQL(right).format(**names))
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
